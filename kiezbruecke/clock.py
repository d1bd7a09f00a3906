"""Which day it is in Berlin. Where a demonstration plays a year that is over, the edge says so; nothing else may."""

from __future__ import annotations

from datetime import date, datetime

from kiezbruecke.german import BERLIN

VARIABLE = "KIEZBRUECKE_TODAY"
_said: list[date] = []


def today() -> date:
    """The day in Berlin, or the one that was said."""
    return _said[-1] if _said else datetime.now(BERLIN).date()


def say(day: date | None) -> None:
    """From now on, in this process, it is this day; None: as the machine's clock says."""
    _said[:] = [] if day is None else [day]
