"""A small district for what looks at real cases."""

from __future__ import annotations

from kiezbruecke.cli.mapping import load
from tests.world import make_world, processes, world

load()  # the commands that tests call by the group; else it has those that another module happened to load

__all__ = ["make_world", "processes", "world"]
