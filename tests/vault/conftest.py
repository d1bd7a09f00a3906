"""The fixtures of tests/world.py and of tests/ledger."""

from __future__ import annotations

from tests.ledger.conftest import desk, fresh, fresh_postgresql, fresh_sqlite, ledger, postgres, url
from tests.world import make_world, odd_world, processes, world

__all__ = [
    "desk",
    "fresh",
    "fresh_postgresql",
    "fresh_sqlite",
    "ledger",
    "make_world",
    "odd_world",
    "postgres",
    "processes",
    "url",
    "world",
]
