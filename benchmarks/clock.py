"""Measures ways against each other: A B C A B C …, so that a noisy neighbour disturbs all of them alike.

CPU time decides, wall time stands beside it: on a busy machine a wall clock measures the neighbours.
A ratio is the median of the rounds' ratios, never the ratio of two medians taken at different times.
"""

from __future__ import annotations

import gc
import os
import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

Work = Callable[[Any], object]
_SLOT_SECONDS = 0.02  # so long at least is one way measured in a round, or the clock's own noise would be in it


@dataclass(frozen=True)
class Measured:
    """The same figure by two clocks: CPU time of our process (all its threads), and the wall."""

    cpu: float
    wall: float

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.cpu + other.cpu, self.wall + other.wall)

    def __mul__(self, factor: float) -> Measured:
        return Measured(self.cpu * factor, self.wall * factor)

    def __truediv__(self, other: Measured) -> Measured:
        return Measured(self.cpu / other.cpu, self.wall / other.wall)

    @classmethod
    def same(cls, value: float) -> Measured:
        """A figure that no clock has measured."""
        return cls(value, value)


@dataclass(frozen=True)
class Contest:
    """Seconds per record of every way, one figure per round."""

    rounds: Mapping[str, Sequence[Measured]]

    def microseconds(self, way: str) -> Measured:
        """The median of a way, per record."""
        return middle(self.rounds[way]) * 1e6

    def ratio(self, slow: str, fast: str) -> Measured:
        """How many times longer `slow` takes than `fast`."""
        return middle([a / b for a, b in zip(self.rounds[slow], self.rounds[fast], strict=True)])


def compete(ways: Mapping[str, Work], records: Sequence[Any], rounds: int, *, per_record: int = 1) -> Contest:
    """Give every way the same records, round by round. `per_record`: how many entries one record holds."""
    gc.collect()
    gc.freeze()  # the records are nobody's garbage: looking through them again and again would take the most time
    slots = {name: _slot(work, records) for name, work in ways.items()}
    found: dict[str, list[Measured]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, work in ways.items():
            spent = _once(work, records, number * len(records) // rounds, slots[name])
            found[name].append(spent * (1 / per_record))
    gc.unfreeze()
    return Contest(found)


def timed(work: Callable[[], object]) -> Measured:
    """The seconds that something takes once, in this process."""
    cpu, wall = process_time(), perf_counter()
    work()
    return Measured(process_time() - cpu, perf_counter() - wall)


def timed_child(work: Callable[[], object]) -> Measured:
    """The same for something that starts a process and waits for its end: the CPU time is the child's."""
    cpu, wall = _children_seconds(), perf_counter()
    work()
    return Measured(_children_seconds() - cpu, perf_counter() - wall)


def middle(found: Sequence[Measured]) -> Measured:
    """The median by each clock."""
    return Measured(median(one.cpu for one in found), median(one.wall for one in found))


def fsync_us(rounds: int = 60) -> list[float]:
    """What this machine takes to write 4 kB for good, sorted: its part in every commit on the wall."""
    with TemporaryDirectory() as folder, (Path(folder) / "small").open("wb", buffering=0) as file:

        def write() -> None:
            file.write(b"." * 4096)
            os.fsync(file.fileno())

        return sorted(timed(write).wall * 1e6 for _ in range(rounds))


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _slot(work: Work, records: Sequence[Any]) -> int:
    """How many records fill a slot; the way is warm afterwards."""
    work(records[0])
    each = min(_once(work, records, start, 1).cpu for start in range(3))
    return max(1, int(_SLOT_SECONDS / each))


def _once(work: Work, records: Sequence[Any], start: int, count: int) -> Measured:
    chosen = [records[(start + number) % len(records)] for number in range(count)]

    def all_of_them() -> None:
        for record in chosen:
            work(record)  # what it gives is let go: kept, the faster way would pay for the more memory that it fills

    gc.collect()
    gc.disable()  # else the garbage of one way is collected in the next one's time
    spent = timed(all_of_them)
    gc.enable()
    return spent * (1 / count)
