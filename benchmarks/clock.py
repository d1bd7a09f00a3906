"""Measures ways against each other: A B C A B C …, so that a noisy neighbour disturbs all of them alike.

A ratio is the median of the rounds' ratios, never the ratio of two medians taken at different times.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

Work = Callable[[Any], object]
_SLOT_SECONDS = 0.02  # so long at least is one way measured in a round, or the clock's own noise would be in it


@dataclass(frozen=True)
class Contest:
    """Seconds per record of every way, one number per round."""

    rounds: Mapping[str, Sequence[float]]

    def microseconds(self, way: str) -> float:
        """The median of a way, per record."""
        return median(self.rounds[way]) * 1e6

    def ratio(self, slow: str, fast: str) -> float:
        """How many times longer `slow` takes than `fast`."""
        return median(a / b for a, b in zip(self.rounds[slow], self.rounds[fast], strict=True))


def compete(ways: Mapping[str, Work], records: Sequence[Any], rounds: int, *, per_record: int = 1) -> Contest:
    """Give every way the same records, round by round. `per_record`: how many entries one record holds."""
    gc.collect()
    gc.freeze()  # the records are nobody's garbage: looking through them again and again would take the most time
    slots = {name: _slot(work, records) for name, work in ways.items()}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, work in ways.items():
            found[name].append(_once(work, records, number * len(records) // rounds, slots[name]) / per_record)
    gc.unfreeze()
    return Contest(found)


def timed(work: Callable[[], object]) -> float:
    """The seconds that something takes once."""
    began = perf_counter()
    work()
    return perf_counter() - began


def _slot(work: Work, records: Sequence[Any]) -> int:
    """How many records fill a slot; the way is warm afterwards."""
    work(records[0])
    each = min(_once(work, records, start, 1) for start in range(3))
    return max(1, int(_SLOT_SECONDS / each))


def _once(work: Work, records: Sequence[Any], start: int, count: int) -> float:
    chosen = [records[(start + number) % len(records)] for number in range(count)]
    gc.collect()
    gc.disable()  # else the garbage of one way is collected in the next one's time
    began = perf_counter()
    for record in chosen:
        work(record)
    spent = perf_counter() - began
    gc.enable()
    return spent / count
