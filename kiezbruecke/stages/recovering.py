"""After a restored backup: sources are read again, the destination is asked, its word is taken over, sums are compared.

    read_again ─▶ asked: known by Fremdkennzeichen: taken over │ known by nobody: a person looks ─▶ compared ─▶ ended

Each function can be stopped anywhere and called again. Nothing leaves the house (docs/adr/0014).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kiezbruecke import attention, german
from kiezbruecke.connector import CannotTell, Found, NotThere, Target, Ticket
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, Route, SendingRoute, route_places
from kiezbruecke.effects import effect
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.house import House
from kiezbruecke.ledger import begin_run, claims, end_run, money, recoveries, takeover
from kiezbruecke.ledger.people import Person, Signed, signed
from kiezbruecke.ledger.recoveries import StepKind
from kiezbruecke.ledger.witness import Tally
from kiezbruecke.mapping import load_mapping
from kiezbruecke.stages import delivering, reconciling, witnessing
from kiezbruecke.stages.asking import their_orders
from kiezbruecke.stages.running import Step, run_in_recovery
from kiezbruecke.stages.work import Counts, Sending, lane_of

log = logging.getLogger("kiezbruecke")
ANSWER = "record Receipt"  # what a mapping of answers makes
_NUMBER = re.compile(r"-[A-Z](\d+)$")


@dataclass(frozen=True)
class RecoveryFindings:
    """What one walk through a recovery has found."""

    read: dict[str, int]
    asked: dict[str, int]
    questions: int  # cases that wait for a person
    differences: tuple[str, ...]  # areas whose sums are not theirs, a German line each
    unread: tuple[str, ...]  # routes whose source could not be read again


def recover(house: House, destination: str, collect: Step, prepare: Step) -> RecoveryFindings:
    """Walk through everything that needs no person."""
    _refuse_what_is_well(house, destination)
    sending, sources, boxes = _routes(house, destination)
    read, unread = _read_again(house, sources, collect)
    recoveries.add_step(house.ledger, destination, StepKind.READ_AGAIN, {**read, "unread": list(unread)})
    asked = Counts()
    dumb = []  # routes whose destination cannot be asked for what it has
    for route in sending:
        answered = run_in_recovery(house, route, "recover", ask_by_fremdkennzeichen)
        dumb += [] if answered.pop("answered", 0) else [route]
        asked.add(answered)
    for box in boxes:
        asked.add(run_in_recovery(house, box, "collect", collect))
    for route in sending:
        asked.add(run_in_recovery(house, route, "prepare", prepare))
        asked.add(run_in_recovery(house, route, "recover", match_kept_answers))
        if route in dumb and not effect(route.effect).in_list:  # a whole list goes again, under a new name
            asked.add(run_in_recovery(house, route, "recover", ask_one_by_one))
    recoveries.add_step(house.ledger, destination, StepKind.ASKED, asked)
    differences = _compare(house, sending)
    recoveries.add_step(house.ledger, destination, StepKind.COMPARED, {"differences": list(differences)})
    questions = recoveries.open_questions(house.ledger, destination)
    return RecoveryFindings(read, asked, questions, differences, unread)


def _read_again(house: House, sources: Sequence[CollectingRoute], collect: Step) -> tuple[Counts, tuple[str, ...]]:
    """One source that cannot be read holds up no other; a person hears of it, and may read on later."""
    read, unread = Counts(), []
    for source in sources:
        try:
            read.add(run_in_recovery(house, source, "collect", collect))
        except KiezbrueckeError as error:
            log.warning("%s: not read again: %s", source.name, error.line())
            unread.append(source.name)
    return read, tuple(unread)


def begin(house: House, destination: str, *, person: Person, reason: str) -> None:
    """A person says that a backup was restored."""
    house.connect(destination)
    person, reason = signed(person, reason, f"recover {destination}")
    witnessing.stop(house, destination, f"gemeldet von {person}: {reason}", by=person)


def end(house: House, destination: str, *, person: Person, reason: str, despite: bool = False) -> None:
    """A named person lets the destination go on, once nothing is open."""
    _refuse_what_is_well(house, destination)
    by = signed(person, reason, f"recover {destination}")
    steps = recoveries.last_recovery(house.ledger, destination)
    compared = next((step for step in reversed(steps) if step.kind is StepKind.COMPARED), None)
    if compared is None:
        raise ConfigurationError(
            "Es wurde noch nicht abgeglichen", where=destination, helps=f"zuerst: kiezbruecke recover run {destination}"
        )
    if questions := recoveries.open_questions(house.ledger, destination):
        raise ConfigurationError(
            german.count(questions, "Fall wartet", "Fälle warten") + " noch auf die Antwort, was am Ziel vorliegt",
            where=destination,
            helps=f"kiezbruecke recover answer {destination} …",
        )
    if compared.body["differences"] and not despite:
        raise ConfigurationError(
            "Die Summen sind nicht die des Ziels: " + "; ".join(compared.body["differences"]),
            where=destination,
            helps=f"klären, dann noch einmal: kiezbruecke recover run {destination} – oder --trotzdem",
        )
    read = next(step for step in reversed(steps) if step.kind is StepKind.READ_AGAIN)
    if read.body["unread"] and not despite:
        raise ConfigurationError(
            "Diese Quellen wurden nicht noch einmal gelesen: " + ", ".join(read.body["unread"]),
            where=destination,
            helps=f"sobald sie lesbar sind: kiezbruecke recover run {destination} – oder --trotzdem",
        )
    _let_go_on(house, destination, StepKind.ENDED, by)


def dismiss(house: House, destination: str, *, person: Person, reason: str) -> None:
    """A named person says that nothing was restored: everything is as it was before."""
    _refuse_what_is_well(house, destination)
    by = signed(person, reason, f"recover {destination}")
    _let_go_on(house, destination, StepKind.DISMISSED, by)


def ask_by_fremdkennzeichen(work: Sending, counts: Counts) -> None:
    """Take over what the destination has, where it can be asked for that; what it proves to lack may go."""
    claims.take_over(work.ledger, work.run)
    orders = their_orders(work, attention.read_standings(work.ledger, work.process))
    if orders is None:
        return
    counts.more("answered")
    counts.add(takeover.take_over(work.ledger, work.run, orders))
    known = {one.draft.reference for _, theirs in orders for one in theirs}
    for message, _, _ in claims.in_doubt(work.ledger, work.run):
        if message.reference not in known:
            claims.settle_doubt(work.ledger, work.run, message.key, "dort unbekannt")
            counts.more("not_there")


def match_kept_answers(work: Sending, counts: Counts) -> None:
    """Answers that belonged to nothing when they came may have their message by now."""
    counts.more("matched", takeover.match_again(work.ledger, work.run, work.route.destination))


def ask_one_by_one(work: Sending, counts: Counts) -> None:
    """Whatever could be there already is asked after, or waits for a person who looks."""
    if not isinstance(work.target, Target):
        delivering.ask_about_doubts(work, counts)  # a carrier can be asked after, its lines cannot
    unsent = takeover.unsent(work.ledger, work.run)
    unclear = [key for key, ticket in unsent if _is_unclear(work, key, ticket, counts)]
    answered = takeover.answered_not_there(work.ledger, _noticed_at(work))
    wanted = [key for key in unclear if str(key) not in answered]
    counts.more("held", takeover.hold_for_a_person(work.ledger, work.run, wanted, work.route.owner))


def _is_unclear(work: Sending, key: UUID, ticket: str | None, counts: Counts) -> bool:
    """Whether only a person can say if a message is there; one with an id of theirs goes again under the same one."""
    if not isinstance(work.target, Target):
        return True
    message = claims.find_message(work.ledger, key)
    assert message is not None
    answer = delivering.ask(work, work.target, message, Ticket(ticket) if ticket else None)
    match answer:
        case Found():
            claims.note_receipts(work.ledger, work.run, {key: answer.receipt})
            counts.more("found")
        case NotThere():
            counts.more("not_there")
        case CannotTell():
            return not (ticket and work.manifest.can.dedupes)
    return False


def _compare(house: House, sending: Sequence[SendingRoute]) -> tuple[str, ...]:
    """Their sums per area against what they have confirmed to us, a German line per difference."""
    differences: list[str] = []
    for route in {route.process: route for route in sending}.values():
        if not run_in_recovery(house, route, "reconcile", _fetch_sums).get("sums"):
            continue
        process = read_process(house.content, route.process)
        ours = {one.area_id: one.sums for one in money.balances(house.ledger, process.id)}
        theirs = money.theirs(house.ledger, process.fiscal_year)
        for area in sorted(ours.keys() | theirs.keys()):
            differences += _differences(area, ours.get(area, money.NOTHING), theirs.get(area, money.NOTHING))
    return tuple(differences)


def _differences(area: str, ours: money.Sums, theirs: money.Sums) -> list[str]:
    return [
        f"{area}: {word} {german.euros(money.euros(one))} im Hauptbuch, {german.euros(money.euros(other))} dort"
        for word, one, other in zip(("festgelegt", "ausgezahlt", "erstattet"), ours, theirs, strict=True)
        if one != other
    ]


def _fetch_sums(work: Sending, counts: Counts) -> None:
    if isinstance(work.target, reconciling.HasBalances):
        reconciling.fetch_their_sums(work)
        counts.more("sums")


def _routes(house: House, destination: str) -> tuple[list[SendingRoute], list[CollectingRoute], list[CollectingRoute]]:
    """The routes to the destination, those that read what they rest on, and those that read its answers."""
    found: list[Route] = [place.read() for place in route_places(house.content)]
    sending = [one for one in found if isinstance(one, SendingRoute) and one.destination == destination]
    sending = [route for route in sending if route.mode == "live"]
    processes = {route.process for route in sending}
    reading = [one for one in found if isinstance(one, CollectingRoute) and one.process in processes]
    boxes = [route for route in reading if _brings_answers(house, route)]
    sources = [route for route in reading if route not in boxes]
    return sending, sources, [route for route in boxes if route.collect == destination]


def _brings_answers(house: House, route: CollectingRoute) -> bool:
    """Whether a route reads what destinations say; a platform that is told something is a source all the same."""
    return any(load_mapping(name, house.content).target == ANSWER for name in route.mapping)


def _let_go_on(house: House, destination: str, kind: StepKind, by: Signed) -> None:
    for lane, route in {lane_of(route): route for route in _routes(house, destination)[0]}.items():
        run = begin_run(house.ledger, lane, route.name, "recover")
        recoveries.dissolve_carriers(house.ledger, run, destination)
        end_run(house.ledger, run, {})
    seen = witnessing.highest(house.witnesses, destination) or Tally()
    mark = recoveries.end(house.ledger, destination, kind, seen, by)
    for witness in house.witnesses:
        witness.write(destination, mark)


def _noticed_at(work: Sending) -> datetime:
    return recoveries.last_recovery(work.ledger, work.route.destination)[0].at


def _refuse_what_is_well(house: House, destination: str) -> None:
    if not recoveries.is_recovering(house.ledger, destination):
        raise ConfigurationError("Hier ist nichts abzugleichen", where=destination)
