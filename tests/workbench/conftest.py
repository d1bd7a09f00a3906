"""A small district for what looks at real cases."""

from __future__ import annotations

from tests.world import make_world, processes, world

__all__ = ["make_world", "processes", "world"]
