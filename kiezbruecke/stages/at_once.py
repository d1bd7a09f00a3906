"""Several calls at once: each thread has a target of its own, and none of them ever sees the ledger.

    jobs ─▶ one thread per target, which takes one job after the other ─▶ what is known, in the order it became known

The threads end before `attempt` returns, whatever happens: nothing is sent behind the back of the stage, and nothing is
open when the process forks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Generic, TypeVar

from kiezbruecke.connector import Target

Job = TypeVar("Job")
Said = TypeVar("Said")


@dataclass
class Attempts(Generic[Job, Said]):
    """What became of the jobs; one that is missing was not begun, or nobody knows."""

    known: list[tuple[Job, Said | Exception]] = field(default_factory=list)
    broken: BaseException | None = None  # told to stop: no further job was begun; to be raised when all is written down


def attempt(targets: Sequence[Target], jobs: Sequence[Job], call: Callable[[Target, Job], Said]) -> Attempts[Job, Said]:
    """Do the jobs with the targets. An exception is what a job said; only what ends a process is `broken`."""
    attempts: Attempts[Job, Said] = Attempts()
    waiting = deque(jobs)
    if len(targets) == 1:
        _work_off(targets[0], waiting, call, attempts)
    elif targets:
        _side_by_side(
            [Thread(target=_work_off, args=(target, waiting, call, attempts)) for target in targets], attempts
        )
    return attempts


def _side_by_side(threads: Sequence[Thread], attempts: Attempts[Job, Said]) -> None:
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException as error:  # noqa: BLE001 - kept for the stage
        attempts.broken = error
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def _work_off(
    target: Target, waiting: deque[Job], call: Callable[[Target, Job], Said], attempts: Attempts[Job, Said]
) -> None:
    while attempts.broken is None:
        try:
            job = waiting.popleft()
        except IndexError:
            return
        try:
            attempts.known.append((job, call(target, job)))
        except Exception as error:  # noqa: BLE001 - here not knowing has a meaning
            attempts.known.append((job, error))
        except BaseException as error:  # noqa: BLE001 - kept for the stage
            attempts.broken = error
