"""Runs the steps of a route one after the other: guarded, fenced, and written down.

A step is a plain function of what it has in hand and its counts. Everything around it stands here: whether it may run
at all, its run in the ledger, and what is made of the error it ends with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from kiezbruecke.connector import Connection, Manifest, manifest_for
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, Route, SendingRoute, find_route
from kiezbruecke.effects import effect, rule_of
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, Overtaken
from kiezbruecke.house import House
from kiezbruecke.ledger import Run, begin_run, end_run
from kiezbruecke.ledger.runs import paused
from kiezbruecke.records import Process
from kiezbruecke.stages import witnessing
from kiezbruecke.stages.work import ENVIRONMENT, Collecting, Counts, Sending, lane_of

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
    if not wanted or paused(house.ledger, route.name):
        return counts
    if isinstance(route, SendingRoute) and route.mode == "live":
        witnessing.refuse_while_recovering(house, route.destination)  # without a run, which would take the lane
    process = read_process(house.content, route.process)
    party = house.connect(route.collect if isinstance(route, CollectingRoute) else route.destination)
    _refuse_what_does_not_fit(route, party)
    for name, step in wanted.items():
        begin = partial(_begin, house, route, process, party, everything)
        counts.add(_run_step(house, route, name, step, begin))
        if counts.get(OVERTAKEN) or paused(house.ledger, route.name):
            break  # what follows would take the lane back from the newer run, and end that one
    return counts


def _may_run(route: Route, step: str) -> bool:
    """A dry run prepares and sends nothing."""
    if isinstance(route, CollectingRoute):
        return True
    return route.mode == "live" or (route.mode == "dry_run" and step == "prepare")


def _run_step(house: House, route: Route, name: str, step: Step, begin: Callable[[Run], Work]) -> Counts:
    counts = Counts()
    with _written_down(house, route, name, counts) as run, closing(begin(run)) as work:
        try:
            step(work, counts)
        finally:
            if isinstance(work, Sending):
                witnessing.tell_at_the_end(work)
    return counts


def run_in_recovery(house: House, route: Route, name: str, step: Step) -> Counts:
    """One step of a route whose destination is recovering: it looks at everything, and nothing leaves the house.

    It is whole or it is none: where others take the lane over and over, Overtaken is raised.
    """
    process = read_process(house.content, route.process)
    party = house.connect(route.collect if isinstance(route, CollectingRoute) else route.destination)
    for _ in range(TRIES):
        counts = _run_step(house, route, name, step, partial(_in_recovery, house, route, process, party))
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


def _in_hand(house: House, route: Route, process: Process, party: Connection, everything: bool, run: Run) -> Work:
    if isinstance(route, CollectingRoute):
        return Collecting(house.content, route, process, house.ledger, party, run, everything, house=house)
    return Sending(house.content, route, process, house.ledger, party, run, everything, house=house)


@contextmanager
def _written_down(house: House, route: Route, step: str, counts: Counts) -> Iterator[Run]:
    run = begin_run(house.ledger, lane_of(route), route.name, step)
    try:
        yield run
    except Overtaken:
        log.warning("%s %s: overtaken by a newer run", route.name, step)
        counts.more(OVERTAKEN)
        end_run(house.ledger, run, counts, "overtaken by a newer run")
    except KiezbrueckeError as error:
        end_run(house.ledger, run, counts, f"{error.code} {error.line()}")
        raise
    except Exception as error:
        # the text of a foreign exception may hold content: only its name is kept
        end_run(house.ledger, run, counts, type(error).__name__)
        raise
    else:
        end_run(house.ledger, run, counts)
        log.info("%s %s: %s", route.name, step, dict(counts))


def _refuse_what_does_not_fit(route: Route, party: Connection) -> None:
    if isinstance(route, SendingRoute):
        _refuse_wrong_environment(route, party)
        _refuse_wrong_effect(route, manifest_for(party))
        _refuse_connections(route, manifest_for(party))


def _refuse_wrong_effect(route: SendingRoute, manifest: Manifest) -> None:
    """The rule, the destination and the window must fit the effect, or a run could do what nobody meant."""
    where = f"route {route.name}"
    rule_of(route)
    if not any(fnmatchcase(route.effect, known) for known in manifest.effects):
        known = ", ".join(manifest.effects)
        raise ConfigurationError(f"{manifest.title} cannot do {route.effect}", where=where, expected=known)
    if effect(route.effect).in_list and not manifest.can.full_list:
        what, expected = f"{route.effect} is a line of a list", "a destination that always gets the whole list"
        raise ConfigurationError(what, where=where, expected=expected)
    if route.window > 1 and not (manifest.can.dedupes or manifest.can.look_up):
        raise ConfigurationError(
            f"window: {route.window} would leave so many messages in doubt after a crash",
            where=where,
            expected="1, because the destination neither recognises a repetition nor can be asked",
        )


def _refuse_connections(route: SendingRoute, manifest: Manifest) -> None:
    """Where nobody promises that several may send at once, they would get in each other's way."""
    if route.connections > 1 and (manifest.can.batch or not manifest.can.parallel):
        raise ConfigurationError(
            f"{manifest.title} cannot send over {route.connections} connections at once",
            where=f"route {route.name}, connections",
            expected="1",
        )


def _refuse_wrong_environment(route: SendingRoute, party: Connection) -> None:
    """A test route refuses every destination whose connection does not call itself a test."""
    environment = str(party.extra.get(ENVIRONMENT, "production"))
    if route.environment == "test" and environment != "test":
        raise ConfigurationError(
            "a test route may not send to a production destination",
            where=f"route {route.name}",
            expected=f"connection {party.id} with extra environment: test",
        )
