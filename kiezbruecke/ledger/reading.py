"""Reads what the ledger knows: whole cases for the pipeline, lists for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Executable,
    Row,
    Select,
    bindparam,
    case,
    func,
    select,
    true,
    union,
    union_all,
)

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import about_message, about_preview, opened
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.pauses import Pause, read_pauses
from kiezbruecke.ledger.refusals import readable
from kiezbruecke.ledger.sets import among, rows_among, slices
from kiezbruecke.ledger.states import UNSETTLED, MessageState
from kiezbruecke.ledger.todo import Answer
from kiezbruecke.records import (
    Applicant,
    Application,
    Budget,
    Commitment,
    CommitmentState,
    Decision,
    OrderState,
    Paper,
    Proposal,
    ProposalStatus,
    Record,
    Settlement,
)
from kiezbruecke.records.base import CENT

_KINDS: dict[str, type[Record]] = {
    kind.kind: kind for kind in (Applicant, Application, Budget, Decision, Paper, Proposal, Settlement)
}
R = TypeVar("R", bound=Record)
_SOUGHT = 100  # routes and states in one question for the newest messages: SQLite joins at most five hundred
_SAID = (
    select(
        t.records,
        *(t.messages.c[name] for name in ("effect", "generation", "number")),
        t.message_bytes.c.key,
        t.message_bytes.c.payload,
    )
    .join(t.messages, t.messages.c.case_id == t.records.c.case_id)
    .join(t.message_bytes, t.message_bytes.c.key == t.messages.c.key)
    .where(
        among(t.records.c.id),
        t.messages.c.destination == bindparam("there"),
        t.messages.c.state.in_(
            (MessageState.SENDING, MessageState.IN_DOUBT, MessageState.DELIVERED, MessageState.CONFIRMED)
        ),
    )
)
_PAYLOADS = select(t.message_bytes.c.key, t.message_bytes.c.payload).where(among(t.message_bytes.c.key))


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
class StoredOrder:
    """An order to pay or to collect, as it stands."""

    key: UUID
    kind: Literal["payment", "refund"]
    instalment: int
    channel: str
    state: OrderState
    amount: Decimal
    reference: str  # of its message
    due_on: date
    account: str  # mark of the payee's account in the vault
    moved_on: date | None = None  # when the money left, came back, or came in


_ASSIGN = f"{Answer.ASSIGN}:"
_ASSIGNED = (
    select(t.attention.c.answer)
    .where(
        t.attention.c.case_id == t.cases.c.id,
        t.attention.c.answer.startswith(_ASSIGN),
        t.attention.c.closed_at.is_not(None),
    )
    .order_by(t.attention.c.id.desc())
    .limit(1)
    .correlate(t.cases)
    .scalar_subquery()
    .label("assigned")
)


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
    heard: Mapping[str, datetime] = field(default_factory=dict)  # since when a decision's line is known, by its origin
    assigned: str = ""  # the area that a person has said last
    applications: tuple[Application, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    orders: tuple[StoredOrder, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """A process at one moment: its cases, its budget lines in the order they became known."""

    cases: tuple[StoredCase, ...]
    budget_lines: tuple[Budget, ...]


def read_process_cases(ledger: Ledger, process_id: str) -> Snapshot:
    """Everything about a process, for the pipeline."""
    with ledger.read() as connection:
        return Snapshot(
            read_cases(connection, t.cases.c.process_id == process_id), read_budget_lines(connection, process_id)
        )


def read_cases(connection: Connection, wanted: ColumnElement[bool]) -> tuple[StoredCase, ...]:
    """The cases that a condition on `cases` names, by reference number; six statements, however many they are."""
    with readable("of a case"):
        return _read_cases(connection, wanted)


def _read_cases(connection: Connection, wanted: ColumnElement[bool]) -> tuple[StoredCase, ...]:
    ids = select(t.cases.c.id).where(wanted)
    cases = connection.execute(select(t.cases, _ASSIGNED).where(wanted).order_by(t.cases.c.reference)).all()
    rows = connection.execute(select(t.records).where(t.records.c.case_id.in_(ids)).order_by(t.records.c.seq)).all()
    messages = _messages(connection.execute(_heads().where(t.messages.c.case_id.in_(ids))).all())
    commitments = connection.execute(select(t.commitments).where(t.commitments.c.case_id.in_(ids))).all()
    orders = connection.execute(_orders().where(t.orders.c.case_id.in_(ids))).all()
    baselines = connection.execute(select(t.baselines).where(t.baselines.c.case_id.in_(ids))).all()
    records: dict[UUID, list[Record]] = defaultdict(list)
    heard: dict[UUID, dict[str, datetime]] = defaultdict(dict)
    for row in rows:
        records[row.case_id].append(record := record_of(row))
        if isinstance(record, Decision):
            heard[row.case_id][record.origin] = row.first_seen
    money = {row.case_id: _commitment(row) for row in commitments}
    ordered: dict[UUID, list[StoredOrder]] = defaultdict(list)
    for row in orders:
        ordered[row.case_id].append(_order(row))
    based: dict[UUID, set[str]] = defaultdict(set)
    for row in baselines:
        based[row.case_id].add(row.lane)
    return tuple(
        replace(
            _case(row, records[row.id], messages[row.id], money.get(row.id), based[row.id], heard[row.id]),
            orders=tuple(ordered[row.id]),
        )
        for row in cases
    )


def read_budget_lines(connection: Connection, process_id: str) -> tuple[Budget, ...]:
    """A process's budget lines, in the order they became known."""
    r = t.records.c
    query = select(t.records).where(r.process_id == process_id, r.kind == Budget.kind).order_by(r.seq)
    with readable("records"):
        found = list(map(record_of, connection.execute(query)))
    return tuple(record for record in found if isinstance(record, Budget))


def find_papers(ledger: Ledger, process_id: str, references: Collection[str]) -> tuple[list[Paper], bool]:
    """A process's Drucksachen of one of the numbers, in the order they became known, and whether it has any at all.

    Blanks and capitals make no difference.
    """
    r = t.records.c
    of_process = (r.process_id == process_id, r.kind == Paper.kind)
    wanted = {"".join(reference.lower().split()) for reference in references}
    number = func.replace(func.lower(_said(ledger, "reference")), " ", "")
    with ledger.read() as connection:
        found = connection.execute(select(t.records).where(*of_process, number.in_(wanted)).order_by(r.seq)).all()
        known = bool(found) or connection.execute(select(r.seq).where(*of_process).limit(1)).first() is not None
    return [record for record in map(record_of, found) if isinstance(record, Paper)], known


def find_case(ledger: Ledger, wanted: str) -> list[StoredCase]:
    """Cases by reference number, Fremdkennzeichen or id."""
    c, m = t.cases.c, t.messages.c
    named = [c.reference == wanted, c.id.in_(select(m.case_id).where(m.reference == wanted))]
    if (identity := as_id(wanted)) is not None:
        named.append(c.id == identity)
    with ledger.read() as connection:
        found = read_cases(connection, c.id.in_(union(*(select(c.id).where(one) for one in named))))
    return sorted(found, key=lambda case: case.process_id)


def _said(ledger: Ledger, name: str) -> ColumnElement[Any]:
    """A field of a record's body."""
    body = t.records.c.body
    return body.cast(JSON)[name].as_string() if ledger.postgresql else func.json_extract(body, f"$.{name}")


def find_head(ledger: Ledger, wanted: str) -> tuple[MessageHead, str] | None:
    """The newest message of this Fremdkennzeichen or key, with its case's reference number."""
    key = as_id(wanted)
    named = t.messages.c.reference == wanted if key is None else t.messages.c.key == key
    query = _with_case().where(named).order_by(t.messages.c.created_at.desc()).limit(1)
    with ledger.read() as connection:
        row = connection.execute(query).one_or_none()
    return (_head(row), row.case_reference) if row else None


def read_payloads(ledger: Ledger, keys: Sequence[UUID]) -> dict[UUID, bytes]:
    """The bytes of messages, by key."""
    with ledger.read() as connection:
        rows = rows_among(connection, _PAYLOADS, keys)
        return {row.key: opened(connection, row.payload, about_message(row.key)) for row in rows}


def read_said(ledger: Ledger, destination: str, records: Iterable[UUID]) -> dict[UUID, tuple[Record, str, bytes]]:
    """Per record of a case that a destination may have heard of: the record, and effect and bytes of the last word."""
    with ledger.read() as connection:
        rows = rows_among(connection, _SAID, records, there=destination)
    last = {row.id: row for row in sorted(rows, key=lambda row: (row.generation, row.number))}
    payloads = {
        identity: ledger.vault.open(bytes(row.payload), about_message(row.key)) for identity, row in last.items()
    }
    return {identity: (record_of(row), row.effect, payloads[identity]) for identity, row in last.items()}


def as_id(wanted: str) -> UUID | None:
    """What a person typed, if it is an id."""
    try:
        return UUID(wanted)
    except ValueError:
        return None


def list_messages(
    ledger: Ledger, *, state: str | None = None, route: str | None = None, destination: str | None = None
) -> list[tuple[MessageHead, str]]:
    """Message heads with their case's reference number, oldest first."""
    query = _with_case()
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


def newest_messages(
    ledger: Ledger,
    at_most: int,
    *,
    states: Collection[MessageState] = (),
    routes: Collection[str] | None = None,
    mapping: str = "",
) -> list[tuple[MessageHead, str]]:
    """The messages that were moved last, with their case's reference number, the newest first; two statements.

    `routes`: of these alone; None: of all. `mapping`: its name, whatever its version was. Of what is settled (there may
    be millions) the newest of each route and state are found by index; one more statement for each hundred of these.
    """
    found: dict[UUID, datetime] = {}
    with ledger.read() as connection:
        for query in _newest(at_most, states or [*MessageState], routes, mapping):
            found |= {row.key: row.updated_at for row in connection.execute(query)}
        newest = sorted(found, key=found.__getitem__, reverse=True)[:at_most]
        rows = rows_among(connection, _with_case().where(among(t.messages.c.key)), newest)
    return [
        (_head(row), row.case_reference)
        for row in sorted(sorted(rows, key=lambda row: row.reference), key=lambda row: row.updated_at, reverse=True)
    ]


def _newest(
    at_most: int, states: Collection[MessageState], routes: Collection[str] | None, mapping: str
) -> Iterator[Executable]:
    """Keys and moments of at least the newest of all."""
    m = t.messages.c
    alike = m.mapping.startswith(f"{mapping} v", autoescape=True) if mapping else true()

    def newest(*where: ColumnElement[bool]) -> Select[Any]:
        query = select(m.key, m.updated_at).where(alike, *where).order_by(m.updated_at.desc()).limit(at_most)
        return query.subquery().select()

    if routes is None:
        yield newest(m.state.in_(states))
        return
    open_, settled = UNSETTLED.intersection(states), sorted({*states} - UNSETTLED)
    yield newest(m.route.in_(routes), m.state.in_(open_))
    for some in slices([(route, state) for route in sorted(routes) for state in settled], _SOUGHT):
        yield union_all(*(newest(m.route == route, m.state == state) for route, state in some))


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
    failed_step: str
    paused: Pause | None
    states: Mapping[MessageState, int]
    oldest_unsettled: datetime | None


def confirmations(ledger: Ledger, process_id: str) -> dict[UUID, datetime]:
    """When each confirmed message of a process was confirmed first, by its key; one statement."""
    a, m, c = t.attempts.c, t.messages.c, t.cases.c
    query = (
        select(a.message_key, func.min(a.at).label("at"))
        .join(t.messages, m.key == a.message_key)
        .join(t.cases, c.id == m.case_id)
        .where(c.process_id == process_id, a.after == MessageState.CONFIRMED, m.state == MessageState.CONFIRMED)
        .group_by(a.message_key)
    )
    with ledger.read() as connection:
        return {row.message_key: row.at for row in connection.execute(query).all()}


@dataclass(frozen=True)
class Waiting:
    """Messages of an owner that one destination has not settled: how many, since when, with which sum."""

    owner: str
    destination: str
    effect: str
    sent: bool  # they are there, and an answer is waited for; else they have not left for certain
    many: int
    since: datetime
    amount: Decimal


def read_waiting(ledger: Ledger) -> list[Waiting]:
    """What is not settled, without tests, the oldest first; one statement."""
    m = t.messages.c
    sent = case((m.state == MessageState.DELIVERED.value, 1), else_=0)
    names = (m.owner, m.destination, m.effect, sent.label("sent"))
    query = (
        select(*names, func.count().label("many"), func.min(m.updated_at).label("since"), func.sum(m.amount_cents))
        .where(m.state.in_([state.value for state in UNSETTLED]), m.test.is_(False))
        .group_by(m.owner, m.destination, m.effect, sent)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    found = [
        Waiting(row[0], row[1], row[2], bool(row[3]), row.many, row.since, int(row[6] or 0) * CENT) for row in rows
    ]
    return sorted(found, key=lambda one: (one.since, one.destination, one.effect))


def read_moved(ledger: Ledger, since: datetime) -> dict[str, dict[MessageState, int]]:
    """How many messages were sent (DELIVERED) and confirmed for the first time since then, by owner, without tests.

    One that was confirmed at once has been sent, too.
    """
    a, m = t.attempts.c, t.messages.c
    there = (MessageState.DELIVERED.value, MessageState.CONFIRMED.value)
    found: dict[str, dict[MessageState, int]] = defaultdict(dict)
    with ledger.read() as connection:
        for state, of in ((MessageState.DELIVERED, there), (MessageState.CONFIRMED, there[1:])):
            first = (
                select(a.message_key, func.min(a.at).label("at"))
                .where(a.after.in_(of))
                .group_by(a.message_key)
                .subquery()
            )
            query = (
                select(m.owner, func.count())
                .join(first, first.c.message_key == m.key)
                .where(first.c.at >= since, m.test.is_(False))
                .group_by(m.owner)
            )
            for owner, many in connection.execute(query).all():
                found[owner][state] = many
    return dict(found)


STEPS = ("collect", "prepare", "deliver", "reconcile", "housekeeping")  # of all routes; others are seen as the last


def route_statuses(
    ledger: Ledger, routes: Mapping[str, str], *, counted: Collection[MessageState] = tuple(MessageState)
) -> dict[str, RouteStatus]:
    """Last run, states and the oldest message that is not settled, by route; three statements.

    `counted`: how many messages are in these states; there may be millions of settled ones. None: two statements.
    `routes`: their connections by their names. A step has failed until it has gone well: another one proves nothing.
    """
    m, r = t.messages.c, t.runs.c
    newest = [
        select(func.max(r.id)).where(r.route == route, true() if step is None else r.step == step).scalar_subquery()
        for route in routes
        for step in (*STEPS, None)
    ]
    counting = select(m.route, m.state, func.count().label("many"), func.min(m.updated_at).label("since"))
    states: dict[str, dict[MessageState, int]] = defaultdict(dict)
    oldest: dict[str, datetime] = {}
    with ledger.read() as connection:
        last = connection.execute(select(t.runs).where(r.id.in_(newest)).order_by(r.id)).all()
        query = counting.where(m.route.in_(routes), m.state.in_(counted)).group_by(m.route, m.state)
        rows = connection.execute(query).all() if counted else ()
        pauses = read_pauses(connection)
    runs: dict[str, list[Row[Any]]] = defaultdict(list)
    for run in last:
        runs[run.route].append(run)
    for row in rows:
        state = MessageState(row.state)
        states[row.route][state] = row.many
        if state in UNSETTLED:
            oldest[row.route] = min(row.since, oldest.get(row.route, row.since))
    return {
        route: _status(route, runs[route], pauses.of(route, about), states[route], oldest.get(route))
        for route, about in routes.items()
    }


def _status(
    route: str,
    runs: Sequence[Row[Any]],
    paused: Pause | None,
    states: Mapping[MessageState, int],
    oldest: datetime | None,
) -> RouteStatus:
    """`runs`: the last one of each step, the newest at the end."""
    if not runs:
        return RouteStatus(route, None, "", "", "", paused, states, oldest)
    failed = next((run for run in reversed(runs) if run.error and not (run.counts or {}).get("overtaken")), None)
    error, step = (failed.error, failed.step) if failed else ("", "")
    return RouteStatus(route, runs[-1].started_at, runs[-1].step, error, step, paused, states, oldest)


def unended(ledger: Ledger, before: datetime) -> dict[str, datetime]:
    """Routes whose newest step was begun before this moment and has not ended, with when; one statement."""
    r = t.runs.c
    newest = select(func.max(r.id)).group_by(r.route)
    query = select(r.route, r.started_at).where(r.id.in_(newest), r.ended_at.is_(None), r.started_at < before)
    with ledger.read() as connection:
        return {row.route: row.started_at for row in connection.execute(query).all()}


def last_runs(ledger: Ledger, route: str, at_most: int) -> list[Row[Any]]:
    """A route's last steps, the newest first."""
    query = select(t.runs).where(t.runs.c.route == route).order_by(t.runs.c.id.desc()).limit(at_most)
    with ledger.read() as connection:
        return list(connection.execute(query).all())


def count_states(ledger: Ledger, destination: str) -> dict[MessageState, int]:
    """How many of a destination's messages are in which state."""
    m = t.messages.c
    query = select(m.state, func.count()).where(m.destination == destination).group_by(m.state)
    with ledger.read() as connection:
        return {MessageState(state): many for state, many in connection.execute(query).all()}


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


def _with_case() -> Any:
    return _heads(t.cases.c.reference.label("case_reference")).join(t.cases, t.cases.c.id == t.messages.c.case_id)


def _head(row: Row[Any]) -> MessageHead:
    values = {name: row._mapping[name] for name in MessageHead.__dataclass_fields__}  # noqa: SLF001 - public name
    values["state"] = MessageState(values["state"])
    return MessageHead(**values)


def _messages(rows: Any) -> dict[UUID, list[MessageHead]]:
    heads: dict[UUID, list[MessageHead]] = defaultdict(list)
    for head in sorted(map(_head, rows), key=lambda head: (head.created_at, head.number)):
        heads[head.case_id].append(head)
    return heads


def record_of(row: Row[Any]) -> Record:
    """A row of `records` as the record it keeps; a proposal that is gone says so."""
    record = _KINDS[row.kind].model_validate_json(row.body)
    if row.gone_at is not None and isinstance(record, Proposal):
        return record.model_copy(update={"status": ProposalStatus.GONE})
    return record


def _orders() -> Select[Any]:
    o = t.orders.c
    query = select(t.orders, t.messages.c.reference, t.messages.c.number).join_from(
        t.orders, t.messages, t.messages.c.key == o.key
    )
    return query.order_by(o.case_id, o.kind, t.messages.c.created_at, t.messages.c.number)


def _order(row: Row[Any]) -> StoredOrder:
    return StoredOrder(
        row.key,
        row.kind,
        row.instalment,
        row.channel,
        OrderState(row.state),
        row.amount_cents * CENT,
        row.reference,
        row.due_on,
        row.account,
        row.moved_on,
    )


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
    heard: Mapping[str, datetime],
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
        heard,
        (row.assigned or "").removeprefix(_ASSIGN),
        tuple(record for record in records if isinstance(record, Application)),
        tuple(record for record in records if isinstance(record, Settlement)),
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
    payloads = [ledger.vault.open(bytes(row.payload), about_preview(route, row.case_id)) for row in rows]
    return [
        Preview(row.reference, row.case_id, row.effect, row.file_name, payload, row.at)
        for row, payload in zip(rows, payloads, strict=True)
    ]
