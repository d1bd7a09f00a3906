"""Runs the steps of a route one after the other: guarded, fenced, and written down.

A step is a plain function of what it has in hand and its counts. Everything around it stands here: whether it may run
at all, its run in the ledger, and what is made of the error it ends with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from kiezbruecke.connector import Connection, manifest_for
from kiezbruecke.effects import rule_of
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, Overtaken
from kiezbruecke.house import House
from kiezbruecke.ledger import Run, begin_run, end_run
from kiezbruecke.ledger.runs import paused
from kiezbruecke.records import Process
from kiezbruecke.routes import CollectingRoute, Route, SendingRoute, find_route, read_process
from kiezbruecke.stages.work import ENVIRONMENT, Collecting, Counts, Sending, lane_of

log = logging.getLogger("kiezbruecke")
Step = Callable[[Any, Counts], None]  # the first is Collecting or Sending
OVERTAKEN = "overtaken"


@dataclass(frozen=True)
class Steps:
    """The steps of both kinds of routes by name, in their order."""

    collecting: Mapping[str, Step]
    sending: Mapping[str, Step]

    def run(self, house: House, name: str) -> Counts:
        """All steps of a route. Its file is read once for all of them; a step that was overtaken is the last."""
        route = find_route(house.content, name)
        return _run(house, route, self.collecting if isinstance(route, CollectingRoute) else self.sending)

    def run_one(self, house: House, name: str, step: str) -> Counts:
        """One step of a route that has it."""
        route = find_route(house.content, name)
        if isinstance(route, CollectingRoute) and step not in self.collecting:
            raise ConfigurationError(f"route '{name}' does not send", where=step)
        if isinstance(route, SendingRoute) and step not in self.sending:
            raise ConfigurationError(f"route '{name}' does not collect", where=step)
        return _run(house, route, {step: {**self.collecting, **self.sending}[step]})


def _run(house: House, route: Route, steps: Mapping[str, Step]) -> Counts:
    counts = Counts()
    wanted = {name: step for name, step in steps.items() if _may_run(route, name)}
    if not wanted or paused(house.ledger, route.name):
        return counts
    process = read_process(house.content, route.process)
    party = house.connect(route.collect if isinstance(route, CollectingRoute) else route.destination)
    _refuse_what_does_not_fit(route, party)
    for name, step in wanted.items():
        counts.add(_run_step(house, route, process, party, name, step))
        if counts.get(OVERTAKEN) or paused(house.ledger, route.name):
            break  # what follows would take the lane back from the newer run, and end that one
    return counts


def _may_run(route: Route, step: str) -> bool:
    """A dry run prepares and sends nothing."""
    if isinstance(route, CollectingRoute):
        return True
    return route.mode == "live" or (route.mode == "dry_run" and step == "prepare")


def _run_step(house: House, route: Route, process: Process, party: Connection, name: str, step: Step) -> Counts:
    counts = Counts()
    with _written_down(house, route, name, counts) as run:
        if isinstance(route, CollectingRoute):
            step(Collecting(house.content, route, process, house.ledger, party, run), counts)
        else:
            step(Sending(house.content, route, process, house.ledger, party, run), counts)
    return counts


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
        _refuse_wrong_effect(route, party)


def _refuse_wrong_effect(route: SendingRoute, party: Connection) -> None:
    """The rule, the destination and the window must fit the effect, or a run could do what nobody meant."""
    where, manifest = f"route {route.name}", manifest_for(party)
    rule_of(route)
    if not any(fnmatchcase(route.effect, known) for known in manifest.effects):
        known = ", ".join(manifest.effects)
        raise ConfigurationError(f"{manifest.title} cannot do {route.effect}", where=where, expected=known)
    if route.window > 1 and not (manifest.can.dedupes or manifest.can.look_up):
        raise ConfigurationError(
            f"window: {route.window} would leave so many messages in doubt after a crash",
            where=where,
            expected="1, because the destination neither recognises a repetition nor can be asked",
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
