"""Runs the steps of a route one after the other: guarded, fenced, and written down.

A step is a plain function of what it has in hand and its counts. Everything around it stands here: whether it may run
at all, its run in the ledger, and what is made of the error it ends with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError

from kiezbruecke.connector import Connection
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, Route, SendingRoute, find_route
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, LedgerError, Overtaken
from kiezbruecke.fitting import refuse_unfit_party
from kiezbruecke.house import House
from kiezbruecke.ledger import Run, begin_run, end_run
from kiezbruecke.ledger.drafts import series_of_carriers
from kiezbruecke.ledger.evidence import refuse_altered
from kiezbruecke.ledger.pauses import paused
from kiezbruecke.ledger.seals import CURSOR, DESTINATION, FLAG, SERIAL
from kiezbruecke.records import Process
from kiezbruecke.stages import troubles, witnessing
from kiezbruecke.stages.work import Collecting, Counts, Sending, lane_of

log = logging.getLogger("kiezbruecke")
Step = Callable[[Any, Counts], None]  # the first is what the step has in hand
Work = Collecting | Sending
OVERTAKEN = "overtaken"
TRIES = 5  # of a step in recovery


@dataclass(frozen=True)
class Steps:
    """The steps of both kinds of routes by name, in their order."""

    collecting: Mapping[str, Step]
    sending: Mapping[str, Step]

    def run(self, house: House, name: str, *, everything: bool = False) -> Counts:
        """All steps of a route. Its file is read once for all of them; a step that was overtaken is the last.

        `everything`: look at all items and cases, also at those that have not changed.
        """
        route = find_route(house.content, name)
        return _run(house, route, self.collecting if isinstance(route, CollectingRoute) else self.sending, everything)

    def run_one(self, house: House, name: str, step: str, *, everything: bool = False) -> Counts:
        """One step of a route that has it."""
        route = find_route(house.content, name)
        if isinstance(route, CollectingRoute) and step not in self.collecting:
            raise ConfigurationError(f"route '{name}' does not send", where=step)
        if isinstance(route, SendingRoute) and step not in self.sending:
            raise ConfigurationError(f"route '{name}' does not collect", where=step)
        return _run(house, route, {step: {**self.collecting, **self.sending}[step]}, everything)


def _run(house: House, route: Route, steps: Mapping[str, Step], everything: bool) -> Counts:
    counts = Counts()
    wanted = {name: step for name, step in steps.items() if _may_run(route, name)}
    about = route.collect if isinstance(route, CollectingRoute) else route.destination
    if not wanted or paused(house.ledger, route.name, about):
        return counts
    if isinstance(route, SendingRoute) and route.mode == "live":
        witnessing.refuse_while_recovering(house, route.destination)  # without a run, which would take the lane
    process = read_process(house.content, route.process)
    party = _party(house, route)
    run: Run | None = None
    for name, step in wanted.items():
        try:
            run = begin_run(house.ledger, lane_of(route), route.name, name, after=run)
        except Overtaken:
            log.warning("%s %s: not begun, a newer run has taken over", route.name, name)
            counts.more(OVERTAKEN)
            break
        begin = partial(_begin, house, route, process, party, everything, run)
        counts.add(_run_step(house, route, run, name, step, begin))
        if counts.get(OVERTAKEN) or paused(house.ledger, route.name, about):
            break  # what follows would take the lane back from the newer run, and end that one
    return counts


def _party(house: House, route: Route) -> Connection:
    """Where the route leads; that there is no such connection is a matter of IT operations."""
    try:
        party = house.connect(route.collect if isinstance(route, CollectingRoute) else route.destination)
    except ConfigurationError as error:
        if error.trouble is not None:
            troubles.tell(house.ledger, route, error.trouble)
        raise
    refuse_unfit_party(route, party)
    return party


def _may_run(route: Route, step: str) -> bool:
    """A dry run prepares and sends nothing."""
    if isinstance(route, CollectingRoute):
        return True
    return route.mode == "live" or (route.mode == "dry_run" and step == "prepare")


def _run_step(house: House, route: Route, run: Run, name: str, step: Step, begin: Callable[[], Work]) -> Counts:
    counts = Counts()
    with _written_down(house, route, run, name, counts), closing(begin()) as work:
        _refuse_altered(house, work)
        try:
            step(work, counts)
        finally:
            if isinstance(work, Sending):
                witnessing.tell_at_the_end(work)
        if troubles.is_told(house.ledger, route) and (work.spoke or troubles.is_over(work)):
            troubles.healed(house.ledger, route)
    return counts


def run_in_recovery(house: House, route: Route, name: str, step: Step) -> Counts:
    """One step of a route whose destination is recovering: it looks at everything, and nothing leaves the house.

    It is whole or it is none: where others take the lane over and over, Overtaken is raised.
    """
    process = read_process(house.content, route.process)
    party = house.connect(route.collect if isinstance(route, CollectingRoute) else route.destination)
    for _ in range(TRIES):
        run = begin_run(house.ledger, lane_of(route), route.name, name)
        counts = _run_step(house, route, run, name, step, partial(_in_recovery, house, route, process, party, run))
        if not counts.get(OVERTAKEN):
            return counts
    raise Overtaken("newer runs have taken over", where=f"route {route.name}", helps="try again when they have ended")


def _in_recovery(house: House, route: Route, process: Process, party: Connection, run: Run) -> Work:
    work = _in_hand(house, route, process, party, everything=True, run=run)
    if isinstance(work, Collecting):
        work.archived = True
    return work


def _begin(house: House, route: Route, process: Process, party: Connection, everything: bool, run: Run) -> Work:
    """What a step has in hand, once it is sure that the ledger is not older than the destination."""
    if isinstance(route, SendingRoute) and route.mode == "live":
        witnessing.compare(house, route.destination)
    return _in_hand(house, route, process, party, everything, run)


def _refuse_altered(house: House, work: Work) -> None:
    """What a step rests on and belongs to no case is what was recorded: generation, pause, numbers, how far it read."""
    party, year = work.party.id, work.process.fiscal_year
    with house.ledger.read() as connection:
        refuse_altered(
            connection,
            {
                DESTINATION: [(party,)],
                FLAG: [(work.route.name,)],
                CURSOR: [(party,)],
                SERIAL: [(party, year), (series_of_carriers(party), year)],
            },
        )


def _in_hand(house: House, route: Route, process: Process, party: Connection, everything: bool, run: Run) -> Work:
    if isinstance(route, CollectingRoute):
        return Collecting(house.content, route, process, house.ledger, party, run, everything, house=house)
    return Sending(house.content, route, process, house.ledger, party, run, everything, house=house)


@contextmanager
def _written_down(house: House, route: Route, run: Run, step: str, counts: Counts) -> Iterator[None]:
    try:
        yield
    except Overtaken:
        log.warning("%s %s: overtaken by a newer run", route.name, step)
        counts.more(OVERTAKEN)
        end_run(house.ledger, run, counts, "overtaken by a newer run")
    except Exception as error:
        # the text of a foreign exception may hold content: only its name is kept
        word = f"{error.code} {error.line()}" if isinstance(error, KiezbrueckeError) else type(error).__name__
        with suppress(DBAPIError, LedgerError):  # where the ledger fails, the first error is the one to be told
            end_run(house.ledger, run, counts, word)
        if trouble := troubles.trouble_behind(error):
            troubles.tell(house.ledger, route, trouble)
            if not isinstance(error, KiezbrueckeError | DBAPIError):
                raise troubles.as_ours(route, trouble, error) from None
        raise
    else:
        end_run(house.ledger, run, counts)
        log.info("%s %s: %s", route.name, step, dict(counts))
