"""One case from the idea to the commitment, read by its id: what stands there is what the pipeline acts on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from kiezbruecke import german
from kiezbruecke.attention import read_standing
from kiezbruecke.cases.grants import line_that_counts
from kiezbruecke.cases.join import Disagreement, Reason, Standing
from kiezbruecke.cases.papers import numbers_of, proof_of
from kiezbruecke.cases.story import story_of
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.content.processes import read_process
from kiezbruecke.desk.messages import MessageFacts, message_views
from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.events import events_of
from kiezbruecke.ledger.finding import how_far, search_cases
from kiezbruecke.ledger.reading import StoredOrder, find_case, find_papers
from kiezbruecke.ledger.todo import Kind, points_of_case
from kiezbruecke.records import Commitment, CommitmentState, Decision, OrderState, Outcome
from kiezbruecke.records.views import StoryKind


class ProofView(DeskView):
    """The Drucksache that proves the decision: as the council's information system shows it, else as the sheet says."""

    reference: str
    """Its number, as the sheet says"""
    title: str
    result: str
    """In the council's words; empty where none is known"""
    resolution: str
    """Text of what was decided"""
    decided_on: date | None
    """Day of the council's meeting"""
    url: str
    note: str
    """German: what does not fit, or is missing; it stops nothing"""


class DecisionView(DeskView):
    """The line of a decision sheet that counts."""

    outcome: Outcome
    date: date
    amount: Decimal | None
    """Euros, as the line says"""
    sheet: str
    row: int
    """As a clerk sees it, header = 1"""
    proof: ProofView | None
    """Null where the line names no Drucksache"""


class CommitmentView(DeskView):
    """The money that is bound for the case."""

    state: CommitmentState
    booked: Decimal
    """Euros that the budget system has confirmed"""


class OrderView(DeskView):
    """An order to pay, or to collect what is owed back."""

    reference: str
    """Fremdkennzeichen of its message"""
    kind: str
    """`payment` or `refund`"""
    state: OrderState
    amount: Decimal
    """Euros"""
    due_on: date
    moved_on: date | None
    """Day on which the money left, came back or came in"""


class DisagreementView(DeskView):
    """Why the case is set aside."""

    reason: Reason
    text: str


class CasePointView(DeskView):
    """A point about the case; all of it: `kiezbruecke todo show`."""

    id: int
    kind: Kind
    open: bool


class EventView(DeskView):
    """One link of the case's evidence; what it tells follows as further keys: ids, sums, digests, no content."""

    model_config = ConfigDict(extra="allow")

    seq: int
    at: datetime
    kind: str


class StoryEventView(DeskView):
    """One event of a case for everyone, without names and inner words."""

    day: date | None
    """In Berlin; null where nobody has noted it"""
    kind: StoryKind
    text: str
    """A plain German sentence"""


class CaseStory(DeskView):
    """A case with all that belongs to it."""

    id: UUID
    process: str
    reference: str
    """Reference number"""
    area: str
    """Number of the Bezirksregion"""
    area_name: str
    title: str
    state: str
    """In German, as on the status list"""
    requested: Decimal | None
    """Euros"""
    granted: Decimal | None
    """Euros, by the decision that counts; null where it grants nothing"""
    account: str
    """The masked IBAN of the application that counts: `DE89…3000`; empty where none names one"""
    story: tuple[StoryEventView, ...]
    """From the idea to the money, as everyone may read it"""
    decision: DecisionView | None
    commitment: CommitmentView | None
    orders: tuple[OrderView, ...]
    disagreements: tuple[DisagreementView, ...]
    messages: tuple[MessageFacts, ...]
    attention: tuple[CasePointView, ...]
    events: tuple[EventView, ...]


class CaseFound(DeskView):
    """A case by its names."""

    id: UUID
    process: str
    reference: str
    """Reference number"""
    area: str
    """Number of the Bezirksregion; empty where nobody has said it yet"""
    area_name: str
    title: str
    """Of the platform, else of a decision sheet; empty where neither has one"""


FEWEST, MOST = 2, 50  # letters of a search, cases that it finds


def find_cases(house: House, part: str, processes: Sequence[str] | None = None) -> list[CaseFound]:
    """At most fifty cases by a part of number, Fremdkennzeichen, title or file number; four statements.

    `processes`: only these. The little that has changed since somebody searched last is read first; after an upgrade or
    a great change `how_much_is_known` says what is missing.
    """
    part = " ".join(part.split())
    if len(part) < FEWEST:
        raise InputError(f"Zum Suchen gehören mindestens {FEWEST} Zeichen", where="case find")
    found = search_cases(house.ledger, part, MOST, processes)
    known = [read_process(house.content, name) for name in sorted({one.process_id for one in found})]
    names = {(process.id, area.id): area.name for process in known for area in process.areas}
    return [
        CaseFound(
            id=one.id,
            process=one.process_id,
            reference=one.reference,
            area=one.area_id,
            area_name=names.get((one.process_id, one.area_id), ""),
            title=one.title,
        )
        for one in found
    ]


def how_much_is_known(ledger: Ledger, processes: Sequence[str] | None = None) -> str:
    """What a search does not know yet, in a German sentence; empty where it knows all. At most three statements."""
    found = how_far(ledger, processes)
    if found is None:
        return ""
    there = german.count(found.there, "Fall", "Fällen")
    rest = "die übrigen kommen in der nächsten Stunde von selbst dazu"
    numbered = "Mit seiner ganzen Nummer ist jeder Fall zu finden"
    return f"Die Suche kennt {german.whole(found.known)} von {there}; {rest}. {numbered}."


def cases(house: House, wanted: str) -> list[CaseStory]:
    """Cases by reference number, Fremdkennzeichen or id; raises InputError where there is none.

    Five statements and at most nine for each case found, however large the process is.
    """
    found = find_case(house.ledger, wanted)
    if not found:
        helps = "mit einem Teil der Nummer oder des Titels sucht: kiezbruecke case find"
        raise InputError("Diesen Fall gibt es nicht", where=wanted, helps=helps)
    return [
        _view(house.ledger, read_standing(house.ledger, read_process(house.content, case.process_id), case))
        for case in found
    ]


def _view(ledger: Ledger, standing: Standing) -> CaseStory:
    case, proposal = standing.case, standing.proposal
    application, _ = line_that_counts(case.applications)
    return CaseStory(
        id=case.id,
        process=case.process_id,
        reference=case.reference,
        area=standing.area_id,
        area_name=standing.area_name,
        title=standing.title,
        state=status_of(standing).state,
        requested=proposal.requested_amount if proposal else None,
        granted=standing.amount if standing.grants else None,
        account=application.account_hint if application else "",
        story=tuple(StoryEventView(day=one.day, kind=one.kind, text=one.text) for one in story_of(standing)),
        decision=_decision(ledger, standing.decision),
        commitment=_commitment(case.commitment),
        orders=tuple(map(_order, case.orders)),
        disagreements=tuple(map(_disagreement, standing.disagreements)),
        messages=message_views(case.messages, case.reference),
        attention=_points(ledger, case.id),
        events=tuple(
            EventView(seq=one.seq, at=one.at, kind=one.kind, **_told(one.body)) for one in events_of(ledger, case.id)
        ),
    )


def _decision(ledger: Ledger, line: Decision | None) -> DecisionView | None:
    if line is None:
        return None
    return DecisionView(
        outcome=line.outcome,
        date=line.decided_on,
        amount=line.approved_amount,
        sheet=line.sheet,
        row=line.row,
        proof=_proof(ledger, line),
    )


def _proof(ledger: Ledger, line: Decision) -> ProofView | None:
    numbers = numbers_of(line.paper_reference) if line.paper_reference else frozenset[str]()
    papers, known = find_papers(ledger, line.process_id, numbers) if numbers else ([], False)
    found = proof_of(line, papers, any_known=known)
    return ProofView(**asdict(found)) if found else None


def _commitment(commitment: Commitment | None) -> CommitmentView | None:
    if commitment is None:
        return None
    return CommitmentView(state=commitment.state, booked=commitment.amount)


def _order(one: StoredOrder) -> OrderView:
    return OrderView(
        reference=one.reference,
        kind=one.kind,
        state=one.state,
        amount=one.amount,
        due_on=one.due_on,
        moved_on=one.moved_on,
    )


def _disagreement(one: Disagreement) -> DisagreementView:
    return DisagreementView(reason=one.reason, text=one.text)


def _points(ledger: Ledger, case_id: UUID) -> tuple[CasePointView, ...]:
    return tuple(
        CasePointView(id=one.id, kind=one.kind, open=one.closed_at is None) for one in points_of_case(ledger, case_id)
    )


def _told(body: Mapping[str, Any]) -> dict[str, Any]:
    """An event about a point names the point's kind, which is not the event's."""
    return {"point" if name == "kind" else name: value for name, value in body.items()}
