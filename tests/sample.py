"""Which part a run of the tests tries of what is too much for every run: crash points, commands on odd machines.

The sample holds every kind at least once and changes every day, so that over the days everything is tried. The end of a
run says whose day's it was. KIEZBRUECKE_SAMPLE=2026-11-29 tries that day's again, KIEZBRUECKE_SAMPLE=all everything.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

T = TypeVar("T")
DOOR = "KIEZBRUECKE_SAMPLE"


def is_whole() -> bool:
    """Whether everything is to be tried."""
    return os.environ[DOOR] == "all"


def turn() -> int:
    """The day's number: one more every day."""
    return date.fromisoformat(os.environ[DOOR]).toordinal()


def one_of(places: Sequence[T]) -> T:
    """The one whose turn it is; after `len(places)` days each was."""
    return places[turn() % len(places)]
