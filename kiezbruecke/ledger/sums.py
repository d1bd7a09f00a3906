"""What the evening's reconciliation asks: the money of each area – as its budget says, as its cases and orders say, as
the other side says –, and what of it has not come to its end.

The database adds up, along indexes that hold all that is added: no statement reads the rows of what is settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    exists,
    extract,
    func,
    or_,
    select,
    text,
    union,
)

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.money import Area
from kiezbruecke.ledger.states import UNSETTLED, MessageState
from kiezbruecke.ledger.todo import Kind
from kiezbruecke.records import OrderState

UNMATCHED = (Kind.CLEARING, Kind.DIFFERENCE, Kind.CONTRADICTION)  # an answer that fits no message, or not this one
_BOOKED, _BOUNCED = OrderState.BOOKED, OrderState.BOUNCED  # the message is settled, the money is not
_VAIN = (OrderState.REJECTED, OrderState.CANCELLED)
_LIVE = [one for one in OrderState if one.live]
_OPEN_REFUND = (OrderState.ORDERED, OrderState.SENT, OrderState.IN_DOUBT, OrderState.BOOKED)
_SENT = (
    *(MessageState.SENDING, MessageState.IN_DOUBT, MessageState.DELIVERED),
    *(MessageState.CONFIRMED, MessageState.REFUSED),
)

_b, _c, _o, _m, _a, _v = t.budgets.c, t.commitments.c, t.orders.c, t.messages.c, t.attention.c, t.approvals.c
_later, _some = t.orders.alias("later"), t.messages.alias("some")
_OPEN_ORDERS = select(_o.key).where(text(t.OPEN_ORDERS))


@dataclass(frozen=True)
class AreaBooks:
    """An area's money in cents: what its row of `budgets` holds, and what cases and orders add up to."""

    status: str = ""
    amount: int = 0
    committed: int = 0
    paid: int = 0
    refunded: int = 0
    held: int = 0
    """By the commitments of its cases"""
    booked: int = 0
    """By the commitments of its cases, confirmed"""
    ordered: int = 0
    """By orders to pay that count and wait for nobody's release"""
    moved_out: int = 0
    """By orders to pay"""
    moved_in: int = 0
    """By claims, in the budget's own year"""

    @property
    def bound(self) -> int:
        """What is held and not paid."""
        return self.committed - self.paid

    @property
    def free(self) -> int:
        """`amount = free + bound + paid - refunded`"""
        return self.amount - self.committed + self.refunded


@dataclass(frozen=True)
class TheirWord:
    """What a finance system said last of an area, in cents, and when."""

    committed: int
    paid: int
    refunded: int
    at: datetime


@dataclass(frozen=True)
class Open:
    """A message or an order about money that is not at its end."""

    process_id: str
    case_reference: str
    area_id: str
    reference: str
    effect: str
    route: str
    owner: str
    message_state: MessageState
    note: str
    certified: bool
    """Whether both marks of those who certify are on it"""
    order_state: OrderState | None
    amount_cents: int
    due_on: date | None
    since: datetime


@dataclass(frozen=True)
class MoneyCount:
    """How many messages about money a process has sent, how many are confirmed; of the open ones the cents."""

    sent: int
    confirmed: int
    open: int
    open_cents: int


@dataclass(frozen=True)
class Unmatched:
    """An open point about an answer."""

    number: int
    kind: Kind
    route: str
    owner: str
    case_reference: str
    since: datetime


def books(ledger: Ledger, processes: Collection[str]) -> dict[Area, AreaBooks]:
    """Our side of every area that has a budget or a case that holds money, in one moment; five statements."""
    with ledger.read() as connection:
        rows = [
            *_of_budgets(connection, processes),
            *_of_cases(connection, processes),
            *_of_orders(connection, processes),
        ]
        unreleased = _unreleased(connection, processes)
    found: dict[Area, dict[str, Any]] = {}
    for area, values in rows:
        found.setdefault(area, {}).update(values)
    for area, amount in unreleased.items():
        found[area]["ordered"] -= amount
    return {area: AreaBooks(**values) for area, values in sorted(found.items())}


def told(ledger: Ledger, years: Collection[int]) -> dict[tuple[str, int, str], TheirWord]:
    """Their side, by destination, year and area."""
    s = t.balances.c
    with ledger.read() as connection:
        rows = connection.execute(select(t.balances).where(s.fiscal_year.in_(years))).all()
    return {
        (row.destination, row.fiscal_year, row.area_id): TheirWord(
            row.committed_cents, row.paid_cents, row.refunded_cents, row.at
        )
        for row in rows
    }


def still_open(ledger: Ledger, processes: Collection[str], effects: Collection[str]) -> list[Open]:
    """What has not come to its end, oldest first: of these effects, tests apart."""
    with ledger.read() as connection:
        rows = connection.execute(_open(processes, effects, _lanes(connection, effects))).all()
    return [_opened(row) for row in rows]


def tallies(ledger: Ledger, processes: Collection[str], effects: Collection[str]) -> dict[str, MoneyCount]:
    """Per process; three statements. Tests apart."""
    with ledger.read() as connection:
        lanes = _lanes(connection, effects)
        counted = connection.execute(_counted(lanes, effects)).all()
        waiting = {row[0]: (row[1], int(row[2])) for row in connection.execute(_waiting(lanes, effects))}
    sent, confirmed = Counter[str](), Counter[str]()
    for process, state, many in counted:
        sent[process] += many if state in _SENT else 0
        confirmed[process] += many if state == MessageState.CONFIRMED else 0
    known = {process for process, _, _ in counted} & {*processes}
    return {one: MoneyCount(sent[one], confirmed[one], *waiting.get(one, (0, 0))) for one in known}


def unmatched(ledger: Ledger, routes: Collection[str]) -> list[Unmatched]:
    """Answers that these routes brought and that a person must look at, oldest first."""
    query = (
        select(_a.id, _a.kind, _a.route, _a.owner, t.cases.c.reference, _a.opened_at)
        .outerjoin(t.cases, t.cases.c.id == _a.case_id)
        .where(_a.kind.in_(UNMATCHED), _a.closed_at.is_(None), _a.route.in_(routes))
        .order_by(_a.id)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [Unmatched(row[0], Kind(row[1]), row[2], row[3], row[4] or "", row[5]) for row in rows]


def _of_budgets(connection: Connection, processes: Collection[str]) -> Iterable[tuple[Area, dict[str, Any]]]:
    for row in connection.execute(select(t.budgets).where(_b.process_id.in_(processes))):
        yield (
            (row.process_id, row.fiscal_year, row.area_id),
            {
                "status": row.status,
                "amount": row.amount_cents,
                "committed": row.committed_cents,
                "paid": row.paid_cents,
                "refunded": row.refunded_cents,
            },
        )


def _of_cases(connection: Connection, processes: Collection[str]) -> Iterable[tuple[Area, dict[str, Any]]]:
    area = (_c.process_id, _c.fiscal_year, _c.area_id)
    query = select(*area, func.sum(_c.held_cents), func.sum(_c.booked_cents)).where(_c.process_id.in_(processes))
    for row in connection.execute(query.group_by(*area)):
        yield (row[0], row[1], row[2]), {"held": int(row[3]), "booked": int(row[4])}


def _of_orders(connection: Connection, processes: Collection[str]) -> Iterable[tuple[Area, dict[str, Any]]]:
    """All that count as ordered, also those that wait to be released."""
    area = (_o.process_id, _o.fiscal_year, _o.area_id)
    pays, counts = _o.kind == "payment", _o.state.in_(_LIVE)
    same_year = or_(_o.moved_on.is_(None), extract("year", _o.moved_on) <= _o.fiscal_year)  # later it is income
    query = (
        select(
            *area,
            func.sum(case((and_(pays, counts), _o.amount_cents), else_=0)),
            func.sum(case((pays, _o.moved_cents), else_=0)),
            func.sum(case((and_(~pays, same_year), _o.moved_cents), else_=0)),
        )
        .where(_o.process_id.in_(processes))
        .group_by(*area)
    )
    for row in connection.execute(query):
        yield (row[0], row[1], row[2]), {"ordered": int(row[3]), "moved_out": int(row[4]), "moved_in": int(row[5])}


def _unreleased(connection: Connection, processes: Collection[str]) -> dict[Area, int]:
    """Cents of the orders to pay that count and wait for somebody's release."""
    area = (_o.process_id, _o.fiscal_year, _o.area_id)
    query = (
        select(*area, func.sum(_o.amount_cents))
        .join(t.messages, _m.key == _o.key)
        .where(_m.lane.in_(_lanes(connection, ["payment"])), _m.state == MessageState.HELD)
        .where(_o.kind == "payment", _o.state.in_(_LIVE), _o.process_id.in_(processes))
        .group_by(*area)
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in connection.execute(query)}


def _lanes(connection: Connection, effects: Collection[str]) -> Sequence[str]:
    """The lanes of these effects: the family of a lane's effects is the second part of its name."""
    families = {effect.partition(".")[0] for effect in effects}
    named = or_(*(t.lanes.c.name.like(f"%|{one}{end}") for one in sorted(families) for end in ("", "|%")))
    return connection.execute(select(t.lanes.c.name).where(named)).scalars().all()


def _counted(lanes: Sequence[str], effects: Collection[str]) -> Select[Any]:
    """Process, state, how many. A lane is one process's, so one of its messages tells whose all of them are."""
    many = (
        select(_m.lane, _m.state, func.count().label("many"))
        .where(_m.lane.in_(lanes), _m.effect.in_(effects), _m.test.is_(False))
        .group_by(_m.lane, _m.state)
        .subquery()
    )
    one = select(_some.c.case_id).where(_some.c.lane == many.c.lane, _some.c.state == many.c.state).limit(1)
    process = select(t.cases.c.process_id).where(t.cases.c.id == one.scalar_subquery()).scalar_subquery()
    return select(process, many.c.state, many.c.many)


def _waiting(lanes: Sequence[str], effects: Collection[str]) -> Select[Any]:
    """Process, how many are not settled, their cents."""
    return (
        select(t.cases.c.process_id, func.count(), func.sum(func.coalesce(_m.amount_cents, 0)))
        .join(t.cases, t.cases.c.id == _m.case_id)
        .where(*_on_their_way(lanes, effects))
        .group_by(t.cases.c.process_id)
    )


def _on_their_way(lanes: Sequence[str], effects: Collection[str]) -> Sequence[ColumnElement[bool]]:
    return _m.lane.in_(lanes), _m.state.in_(UNSETTLED), _m.test.is_(False), _m.effect.in_(effects)


def _open(processes: Collection[str], effects: Collection[str], lanes: Sequence[str]) -> Select[Any]:
    """Messages on their way; orders that are booked and not paid, or came back and were not followed by another one;
    claims whose money is not here."""
    followed = exists().where(
        *(_later.c.case_id == _o.case_id, _later.c.kind == _o.kind, _later.c.instalment == _o.instalment),
        *(_later.c.key != _o.key, _later.c.at > _o.at, _later.c.state.not_in(_VAIN)),
    )
    unpaid = and_(_o.kind == "payment", or_(_o.state == _BOOKED, and_(_o.state == _BOUNCED, ~followed)))
    unreturned = and_(_o.kind == "refund", _o.state.in_(_OPEN_REFUND))
    perhaps = union(select(_m.key).where(*_on_their_way(lanes, effects)), _OPEN_ORDERS)
    return (
        select(
            *(t.cases.c.process_id, t.cases.c.reference.label("case_reference")),
            func.coalesce(_o.area_id, _c.area_id, t.cases.c.area_id).label("area"),
            *(_m.reference, _m.effect, _m.route, _m.owner, _m.state, _m.note, _m.updated_at),
            *(_o.state.label("order_state"), _o.due_on, _o.at),
            func.coalesce(_o.amount_cents, _m.amount_cents, 0).label("cents"),
            and_(_v.factual.is_not(None), _v.arithmetical.is_not(None)).label("certified"),
        )
        .join(t.cases, t.cases.c.id == _m.case_id)
        .outerjoin(t.orders, _o.key == _m.key)
        .outerjoin(t.commitments, _c.case_id == _m.case_id)
        .outerjoin(t.approvals, _v.key == _m.key)
        .where(_m.key.in_(perhaps), t.cases.c.process_id.in_(processes), _m.effect.in_(effects), _m.test.is_(False))
        .where(or_(_m.state.in_(UNSETTLED), unpaid, unreturned))
        .order_by(_m.updated_at, _m.reference)
    )


def _opened(row: Row[Any]) -> Open:
    settled = row.state not in UNSETTLED
    return Open(
        process_id=row.process_id,
        case_reference=row.case_reference,
        area_id=row.area or "",
        reference=row.reference,
        effect=row.effect,
        route=row.route,
        owner=row.owner,
        message_state=MessageState(row.state),
        note=row.note,
        certified=row.certified,
        order_state=OrderState(row.order_state) if row.order_state else None,
        amount_cents=row.cents,
        due_on=row.due_on,
        since=row.at if settled and row.at else row.updated_at,
    )
