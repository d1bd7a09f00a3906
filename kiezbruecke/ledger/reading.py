"""Reads what the ledger knows: whole cases for the pipeline, lists for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, case, func, select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.states import UNSETTLED, MessageState
from kiezbruecke.records import (
    Applicant,
    Budget,
    Commitment,
    CommitmentState,
    Decision,
    Proposal,
    ProposalStatus,
    Record,
)
from kiezbruecke.records.base import CENT

_KINDS: dict[str, type[Record]] = {kind.kind: kind for kind in (Applicant, Budget, Decision, Proposal)}
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class MessageHead:
    """A message without its bytes."""

    key: UUID
    destination: str
    generation: int
    case_id: UUID
    effect: str
    number: int
    reference: str
    related_reference: str | None
    voucher: str
    lane: str
    route: str
    owner: str
    state: MessageState
    basis: str
    amount_cents: int | None
    sha256: str
    file_name: str
    mapping: str
    test: bool
    ticket: str | None
    batch_id: str | None
    remote_id: str
    note: str
    created_at: datetime
    updated_at: datetime

    @property
    def family(self) -> str:
        """The family of its effect: `commitment` for `commitment.book`."""
        return self.effect.partition(".")[0]


@dataclass(frozen=True)
class StoredCase:
    """One case with everything the ledger knows about it."""

    id: UUID
    process_id: str
    reference: str
    area_id: str
    proposal: Proposal | None = None
    applicant: Applicant | None = None
    decisions: tuple[Decision, ...] = ()
    messages: tuple[MessageHead, ...] = ()
    commitment: Commitment | None = None
    baselines: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Area:
    """An area's budget as the ledger keeps it, in cents."""

    amount: int
    status: str
    chapter: str
    title: str
    committed: int


@dataclass(frozen=True)
class Snapshot:
    """A process at one moment: its cases, its budget lines in the order they became known, its areas' budgets."""

    cases: tuple[StoredCase, ...]
    budget_lines: tuple[Budget, ...]
    areas: Mapping[str, Area] = field(default_factory=dict)


def read_process_cases(ledger: Ledger, process_id: str, fiscal_year: int) -> Snapshot:
    """Everything about a process, for the pipeline."""
    with ledger.read() as connection:
        cases = connection.execute(
            select(t.cases).where(t.cases.c.process_id == process_id).order_by(t.cases.c.reference)
        ).all()
        rows = connection.execute(
            select(t.records).where(t.records.c.process_id == process_id).order_by(t.records.c.seq)
        ).all()
        ids = select(t.cases.c.id).where(t.cases.c.process_id == process_id)
        messages = _messages(connection.execute(_heads().where(t.messages.c.case_id.in_(ids))).all())
        commitments = connection.execute(select(t.commitments).where(t.commitments.c.process_id == process_id)).all()
        baselines = connection.execute(select(t.baselines).where(t.baselines.c.case_id.in_(ids))).all()
        areas = connection.execute(
            select(t.budgets).where(t.budgets.c.process_id == process_id, t.budgets.c.fiscal_year == fiscal_year)
        ).all()
    records: dict[UUID | None, list[Record]] = defaultdict(list)
    for row in rows:
        records[row.case_id].append(_record(row))
    money = {row.case_id: _commitment(row) for row in commitments}
    based: dict[UUID, set[str]] = defaultdict(set)
    for row in baselines:
        based[row.case_id].add(row.lane)
    return Snapshot(
        tuple(_case(row, records[row.id], messages[row.id], money.get(row.id), based[row.id]) for row in cases),
        tuple(record for record in records[None] if isinstance(record, Budget)),
        {row.area_id: Area(row.amount_cents, row.status, row.chapter, row.title, row.committed_cents) for row in areas},
    )


def find_case(ledger: Ledger, wanted: str) -> list[StoredCase]:
    """Cases by reference number, Fremdkennzeichen or id."""
    with ledger.read() as connection:
        query = select(t.cases.c.process_id, t.cases.c.id).where(t.cases.c.reference == wanted)
        found = {(row.process_id, row.id) for row in connection.execute(query).all()}
        query = (
            select(t.cases.c.process_id, t.cases.c.id)
            .join(t.messages, t.messages.c.case_id == t.cases.c.id)
            .where(t.messages.c.reference == wanted)
        )
        found |= {(row.process_id, row.id) for row in connection.execute(query).all()}
        try:
            query = select(t.cases.c.process_id, t.cases.c.id).where(t.cases.c.id == UUID(wanted))
            found |= {(row.process_id, row.id) for row in connection.execute(query).all()}
        except ValueError:
            pass
    processes = {process_id for process_id, _ in found}
    ids = {identity for _, identity in found}
    return [
        case
        for process_id in sorted(processes)
        for case in read_process_cases(ledger, process_id, 0).cases
        if case.id in ids
    ]


def list_messages(
    ledger: Ledger, *, state: str | None = None, route: str | None = None, destination: str | None = None
) -> list[tuple[MessageHead, str]]:
    """Message heads with their case's reference number, oldest first."""
    query = _heads(t.cases.c.reference.label("case_reference")).join(t.cases, t.cases.c.id == t.messages.c.case_id)
    for column, value in (
        (t.messages.c.state, state),
        (t.messages.c.route, route),
        (t.messages.c.destination, destination),
    ):
        if value is not None:
            query = query.where(column == value)
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(t.messages.c.created_at, t.messages.c.reference)).all()
    return [(_head(row), row.case_reference) for row in rows]


@dataclass(frozen=True)
class Attempt:
    """One step of a message."""

    at: datetime
    before: str
    after: str
    note: str


def attempts_of(ledger: Ledger, key: UUID) -> list[Attempt]:
    """The steps of a message, oldest first."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(t.attempts).where(t.attempts.c.message_key == key).order_by(t.attempts.c.id)
        ).all()
    return [Attempt(row.at, row.before, row.after, row.note) for row in rows]


@dataclass(frozen=True)
class RouteStatus:
    """What is known about a route's work."""

    route: str
    last_run: datetime | None
    last_step: str
    last_error: str
    paused: bool
    states: Mapping[str, int]
    oldest_unsettled: datetime | None


def route_status(ledger: Ledger, route: str) -> RouteStatus:
    """Last run, states and the oldest message that is not settled."""
    with ledger.read() as connection:
        run = connection.execute(
            select(t.runs).where(t.runs.c.route == route).order_by(t.runs.c.id.desc()).limit(1)
        ).one_or_none()
        counted = select(t.messages.c.state, func.count()).where(t.messages.c.route == route)
        states = {row[0]: row[1] for row in connection.execute(counted.group_by(t.messages.c.state)).all()}
        oldest = connection.execute(
            select(t.messages.c.updated_at)
            .where(
                t.messages.c.route == route,
                t.messages.c.state.not_in([MessageState.CONFIRMED.value, MessageState.REFUSED.value]),
            )
            .order_by(t.messages.c.updated_at)
            .limit(1)
        ).scalar_one_or_none()
        paused = connection.execute(
            select(t.route_flags.c.paused).where(t.route_flags.c.route == route)
        ).scalar_one_or_none()
    return RouteStatus(
        route,
        run.started_at if run else None,
        run.step if run else "",
        (run.error or "") if run else "",
        bool(paused),
        states,
        oldest,
    )


def overdue(ledger: Ledger, lane: str, before: datetime) -> list[MessageHead]:
    """Messages that wait for their delivery, or delivered ones that wait for a word, since before the given moment."""
    m = t.messages.c
    since = case((m.state == MessageState.DELIVERED.value, m.updated_at), else_=m.created_at)
    query = _heads().where(m.lane == lane, m.state.in_([state.value for state in UNSETTLED]), since < before)
    with ledger.read() as connection:
        return [_head(row) for row in connection.execute(query).all()]


def _heads(*more: Any) -> Any:
    names = list(MessageHead.__dataclass_fields__)
    return select(*(t.messages.c[name] for name in names), *more)


def _head(row: Row[Any]) -> MessageHead:
    values = {name: row._mapping[name] for name in MessageHead.__dataclass_fields__}  # noqa: SLF001 - public name
    values["state"] = MessageState(values["state"])
    return MessageHead(**values)


def _messages(rows: Any) -> dict[UUID, list[MessageHead]]:
    heads: dict[UUID, list[MessageHead]] = defaultdict(list)
    for head in sorted(map(_head, rows), key=lambda head: (head.created_at, head.number)):
        heads[head.case_id].append(head)
    return heads


def _record(row: Row[Any]) -> Record:
    record = _KINDS[row.kind].model_validate_json(row.body)
    if row.gone_at is not None and isinstance(record, Proposal):
        return record.model_copy(update={"status": ProposalStatus.GONE})
    return record


def _commitment(row: Row[Any]) -> Commitment:
    return Commitment(
        case_id=row.case_id,
        process_id=row.process_id,
        area_id=row.area_id,
        fiscal_year=row.fiscal_year,
        amount=row.booked_cents * CENT,
        state=CommitmentState(row.state),
        reference=row.reference,
    )


def _case(
    row: Row[Any],
    records: list[Record],
    messages: list[MessageHead],
    commitment: Commitment | None,
    baselines: set[str],
) -> StoredCase:
    return StoredCase(
        row.id,
        row.process_id,
        row.reference,
        row.area_id,
        _last(records, Proposal),
        _last(records, Applicant),
        tuple(record for record in records if isinstance(record, Decision)),
        tuple(messages),
        commitment,
        frozenset(baselines),
    )


def _last(records: list[Record], kind: type[R]) -> R | None:
    return next((record for record in reversed(records) if isinstance(record, kind)), None)


@dataclass(frozen=True)
class Preview:
    """What a dry run would have sent for one case."""

    case: str
    case_id: UUID
    effect: str
    file_name: str
    payload: bytes = field(repr=False)
    at: datetime


def read_previews(ledger: Ledger, route: str) -> list[Preview]:
    """What a route's last dry run prepared, by the cases' reference numbers."""
    query = (
        select(t.previews, t.cases.c.reference)
        .join(t.cases, t.cases.c.id == t.previews.c.case_id)
        .where(t.previews.c.route == route)
        .order_by(t.cases.c.reference)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [Preview(row.reference, row.case_id, row.effect, row.file_name, row.payload, row.at) for row in rows]
