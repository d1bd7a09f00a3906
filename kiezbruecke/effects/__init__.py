"""What happens at a destination: one file per effect, or per small family of effects. Nothing else knows them by name.

A file lists its effects under `EFFECTS`; it is found because it lies here (`kiezbruecke/plugins.py`).
"""

from kiezbruecke.effects.effect import Due, Effect, FollowUp, Waits, digest, effect, rule_for, rule_of
from kiezbruecke.effects.lane import Lane

__all__ = ["Due", "Effect", "FollowUp", "Lane", "Waits", "digest", "effect", "rule_for", "rule_of"]
