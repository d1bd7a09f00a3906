"""What every sandbox shares: a real server process, its own state, fault switches."""

from kiezbruecke.sandbox.faults import Faults
from kiezbruecke.sandbox.server import AnswerLost, Running, start

__all__ = ["AnswerLost", "Faults", "Running", "start"]
