"""Starts the collecting routes and watches until nothing runs, nothing is due and nobody has anything left to do.

The routes wake each other through assets. Airflow can lose a wake-up, and a demonstration cannot wait for the
clock: where the ledger says that a route has something to do while nothing runs, it is started here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from demo import control
from demo.servers import Servers
from demo.signers import People
from kiezbruecke.airflow.dags import HOUSEKEEPING
from kiezbruecke.errors import KiezbrueckeError

NUDGES = 8
ROUNDS = 12


class DemoError(KiezbrueckeError):
    """The demonstration did not come to its end; the text says where to look."""

    code = "KB-900"


@dataclass
class Watch:
    """One demonstration's runs, from the first trigger until it is quiet."""

    servers: Servers
    logs: Path
    tell: Callable[[str, Mapping[str, int], bool], None]
    outstanding: Callable[[], Mapping[str, int]]
    within: float = 600.0  # on a busy machine late is better than never
    told: set[int] = field(default_factory=set)
    retried: set[tuple[str, str, int]] = field(default_factory=set)
    before: int = field(default_factory=control.last_number)
    meanwhile: Callable[[], None] = lambda: None

    def run(self, routes: Iterable[str], people: People) -> None:
        """Start the routes, let people do what they can whenever all is quiet, then look after deadlines.

        They say which routes are to look at what they have done; none: they have nothing more to do.
        """
        deadline = time.monotonic() + self.within
        woken, self.meanwhile = list(routes), people.meanwhile
        for _ in range(ROUNDS):
            self._settle(woken, deadline)
            if not (woken := people.act()):
                return self._start((HOUSEKEEPING,), deadline)
        raise DemoError(f"people still have something to do after {ROUNDS} rounds", where=str(self.logs))

    def _settle(self, routes: Iterable[str], deadline: float) -> None:
        """Start them, wait until all is quiet and nothing is due."""
        self._start(routes, deadline)
        for _ in range(NUDGES):
            due = [route for route, count in self.outstanding().items() if count]
            if not due:
                return
            self._start(due, deadline)
        raise DemoError(f"still open after {NUDGES} attempts: {dict(self.outstanding())}", where=str(self.logs))

    def _start(self, routes: Iterable[str], deadline: float) -> None:
        for route in routes:
            control.trigger(route)
        self._until(self._quiet, deadline)

    def _until(self, done: Callable[[], bool], deadline: float) -> None:
        while not self._look(done):
            if time.monotonic() > deadline:
                raise DemoError(f"not finished after {self.within:.0f} s", where=str(self.logs))
            self.meanwhile()
            time.sleep(0.5)

    def _look(self, done: Callable[[], bool]) -> bool:
        self.servers.check()
        for run in self._runs():
            if run.finished and run.number not in self.told:
                self.told.add(run.number)
                self.tell(control.title_of(run.route), control.counts_of(run), run.failed)
            if run.failed:
                raise DemoError(f"route {run.route} failed: {_why(self._log(run))}", where=str(self._log(run)))
        for again in set(control.retrying(self.before)) - self.retried:
            self.retried.add(again)
            self.tell(f"{again[0]}, {again[1]}: Versuch {again[2]} gescheitert, gleich noch einmal", {}, True)
        return done()

    def _quiet(self) -> bool:
        return not control.wakeups_pending() and all(run.finished for run in self._runs())

    def _runs(self) -> list[control.Run]:
        return control.runs_after(self.before)

    def _log(self, run: control.Run) -> Path:
        task = control.failed_task(run)
        return self.logs / f"dag_id={run.route}" / f"run_id={run.run_id}" / f"task_id={task}"


def _why(log: Path) -> str:
    """The last error in a task's log; its text is already without content (see tasks.py)."""
    reason = "no reason was logged"
    for file in sorted(log.glob("attempt=*.log")):
        for line in file.read_text("utf-8").splitlines():
            with suppress(ValueError, LookupError, TypeError):
                reason = json.loads(line)["error_detail"][0]["exc_value"]
    return reason
