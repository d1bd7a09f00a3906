"""reconcile: their word against ours – transport reports, sums per area, and what waits too long."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from kiezbruecke import attention, german
from kiezbruecke.connector import Answer, CannotTell, Found, Target
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, Route, SendingRoute, route_places
from kiezbruecke.effects import Due, rule_of
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState, Run, begin_run, claims, end_run, money, releases
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.pauses import paused
from kiezbruecke.ledger.reading import MessageHead, list_messages, overdue
from kiezbruecke.ledger.runs import guard, stop_if_overtaken
from kiezbruecke.ledger.todo import Kind, Point, replace_points
from kiezbruecke.stages.work import Collecting, Counts, Sending, lane_of, view_of

log = logging.getLogger("kiezbruecke")
SILENT = 3  # so many questions in a row without an answer, and the destination is asked no more in this run
REPORTS = 300  # transport reports that one run asks for: it shall not keep people waiting


@runtime_checkable
class HasBalances(Protocol):
    """A finance system that can be asked for its own sums."""

    def balances(self, fiscal_year: int) -> Iterable[money.TheirSum]:
        """Their sums per area."""


def ask_for_transport_reports(work: Sending, counts: Counts) -> None:
    """What was delivered and not yet answered: has it arrived, was it refused on the way?"""
    target = work.target
    if not isinstance(target, Target) or not work.manifest.can.look_up:
        return
    for some in claims.delivered_unsettled(work.ledger, work.run, REPORTS):
        stop_if_overtaken(work.ledger, work.run)
        answered = list(_reports(work, target, some))
        said = {one.message.key: answer.receipt for one, answer in answered if isinstance(answer, Found)}
        claims.note_receipts(work.ledger, work.run, said, [one for one, _ in answered])
        if said:
            work.spoke = True
            counts.more("reports", len(said))
        if len(answered) < len(some):
            return


def fetch_their_sums(work: Sending) -> None:
    """Ask a finance system for its own sums; summing our receipts would compare us with ourselves."""
    if _keep_sums(work, work.target, work.route.destination):
        work.spoke = True


def fetch_sums_behind_answers(work: Collecting, counts: Counts) -> None:
    """Where answers have moved our books, theirs as of the last order would look like a difference."""
    if counts.get("receipts"):
        _keep_sums(work, work.source, work.route.collect)


def _keep_sums(work: Sending | Collecting, party: object, destination: str) -> bool:
    if not isinstance(party, HasBalances):
        return False
    year = work.process.fiscal_year
    money.store_theirs(work.ledger, work.run, destination, year, party.balances(year))
    return True


def remind(work: Sending, counts: Counts) -> None:
    """Raise attention for what waits too long, and close what has been answered."""
    counts["overdue"] = _remind(work.ledger, work.run, work.route)


def remind_everywhere(house: House) -> Counts:
    """The same for all sending routes."""
    ledger, counts = house.ledger, Counts()
    found, broken = _read_routes(house.content)
    for error in broken:
        log.warning("%s", error.line())
    if void := releases.put_back_what_ran_out(ledger):
        counts.more("void", void)
    for route in found:
        if isinstance(route, SendingRoute) and route.mode == "live":
            run = begin_run(ledger, f"{lane_of(route)}|housekeeping", route.name, "housekeeping")
            counts.more("overdue", _remind(ledger, run, route))
            end_run(ledger, run, counts)
    return counts


def outstanding(house: House) -> dict[str, int]:
    """Per route: due cases without a message, messages not sent, answers not yet there."""
    ledger = house.ledger
    found, _ = _read_routes(house.content)
    open_work: dict[str, int] = {}
    for route in found:
        if (
            isinstance(route, SendingRoute)
            and route.mode == "live"
            and not paused(ledger, route.name, route.destination)
        ):
            open_work[route.name] = _due(house, route) + _unsent(ledger, route)
            for box in _boxes(found, route.destination):
                open_work[box] = open_work.get(box, 0) + _unanswered(ledger, route)
    return open_work


def _read_routes(content: Path) -> tuple[list[Route], list[ConfigurationError]]:
    """The routes that can be read, and why the others cannot: a broken file disturbs no other."""
    found: list[Route] = []
    broken: list[ConfigurationError] = []
    for place in route_places(content):
        try:
            found.append(place.read())
        except ConfigurationError as error:
            broken.append(error)
    return found, broken


def _remind(ledger: Ledger, run: Run, route: SendingRoute) -> int:
    before = now() - timedelta(days=route.answer_within_days)
    late = overdue(ledger, lane_of(route), before)
    done = attention.read_answers(ledger, [head.case_id for head in late]).done
    late = [head for head in late if str(head.key) not in done]
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        replace_points(connection, Kind.OVERDUE, route.name, [_late(route, head) for head in late])
    return len(late)


def _late(route: SendingRoute, head: MessageHead) -> Point:
    days = german.count(route.answer_within_days, "Tag", "Tagen")
    text = f"{head.reference}: seit mehr als {days} ohne Antwort von {route.destination}"
    return Point(Kind.OVERDUE, str(head.key), route.name, route.owner, text, case_id=head.case_id, message_key=head.key)


def _reports(work: Sending, target: Target, asked: Iterable[claims.Asked]) -> Iterator[tuple[claims.Asked, Answer]]:
    """What the destination says of messages, until it does not answer."""
    silent = 0
    for one in asked:
        try:
            answer = target.look_up(one.message, one.ticket)
        except Exception as error:  # noqa: BLE001 - a report that cannot be had changes nothing
            log.warning("%s: no transport report (%s)", work.route.name, type(error).__name__)
            return
        yield one, answer
        silent = silent + 1 if isinstance(answer, CannotTell) and not answer.reached else 0
        if silent >= SILENT:
            return


def _due(house: House, route: SendingRoute) -> int:
    process, rule = read_process(house.content, route.process), rule_of(route)
    lane = view_of(
        route, generation_of(house.ledger, route.destination), attention.read_answers(house.ledger), house.content
    )
    return sum(isinstance(rule(standing, lane), Due) for standing in attention.read_standings(house.ledger, process))


def _unsent(ledger: Ledger, route: SendingRoute) -> int:
    states = (MessageState.WAITING, MessageState.CLAIMED, MessageState.SENDING, MessageState.IN_DOUBT)
    return sum(len(list_messages(ledger, route=route.name, state=state.value)) for state in states)


def _unanswered(ledger: Ledger, route: SendingRoute) -> int:
    return len(list_messages(ledger, route=route.name, state=MessageState.DELIVERED.value))


def _boxes(found: Iterable[Route], destination: str) -> list[str]:
    return [route.name for route in found if isinstance(route, CollectingRoute) and route.collect == destination]
