"""What the evening's reconciliation asks: the money of each area – as its budget says, as its cases and orders say, as
the other side says –, and what of it has not come to its end.

The database adds up, along indexes that hold all that is added: no statement reads the rows of what is settled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    case,
    exists,
    extract,
    func,
    or_,
    select,
    text,
    union_all,
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


class Open(NamedTuple):
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
    """Whether it is held and both marks of those who certify are on it"""
    order_state: OrderState | None
    amount_cents: int
    due_on: date | None
    since: datetime


@dataclass(frozen=True)
class MoneyCount:
    """How many messages about money a process has sent, and how many of them are confirmed."""

    sent: int
    confirmed: int


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
    found: dict[Area, dict[str, Any]] = {}
    for area, values in rows:
        found.setdefault(area, {}).update(values)
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


def still_open(
    ledger: Ledger, processes: Collection[str], effects: Collection[str], most: int | None = None
) -> list[Open]:
    """What has not come to its end, oldest first: of these effects, tests apart; at most so many, if that is said."""
    with ledger.read() as connection:
        rows = connection.execute(_open(effects, _lanes(connection, effects), processes, most)).all()
    found = sorted((_opened(row) for row in rows if row[0] in processes), key=attrgetter("since", "reference"))
    return found if most is None else found[:most]


def on_their_way(ledger: Ledger, processes: Collection[str], effects: Collection[str]) -> dict[str, tuple[int, int]]:
    """Per process how many messages of these effects are not settled, and their cents; tests apart."""
    found = dict.fromkeys(processes, (0, 0))
    with ledger.read() as connection:
        lanes = _lanes(connection, effects)
        sums = (_m.lane, func.count().label("many"), func.coalesce(func.sum(_m.amount_cents), 0).label("cents"))
        many = select(*sums).where(*_on_their_way(lanes, effects)).group_by(_m.lane).subquery()
        for process, count, cents in connection.execute(select(_process_of(many), many.c.many, many.c.cents)):
            if process in found:
                before = found[process]
                found[process] = (before[0] + count, before[1] + int(cents))
    return found


def tallies(ledger: Ledger, processes: Collection[str], effects: Collection[str]) -> dict[str, MoneyCount]:
    """Per process, tests apart; two statements."""
    sent, confirmed = Counter[str](), Counter[str]()
    with ledger.read() as connection:
        for process, state, test, effect, many in connection.execute(_counted(_lanes(connection, effects))):
            if effect in effects and not test:
                sent[process] += many if state in _SENT else 0
                confirmed[process] += many if state == MessageState.CONFIRMED else 0
    return {one: MoneyCount(sent[one], confirmed[one]) for one in processes}


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
    """By orders of each kind and state: in this order the index holds them."""
    by = (_o.process_id, _o.fiscal_year, _o.area_id, _o.kind, _o.state)
    this_year = or_(_o.moved_on.is_(None), extract("year", _o.moved_on) <= _o.fiscal_year)  # later it is income
    came_in = case((and_(_o.kind == "refund", this_year), _o.moved_cents), else_=0)
    query = select(*by, func.sum(_o.amount_cents), func.sum(_o.moved_cents), func.sum(came_in))
    found: dict[Area, Counter[str]] = defaultdict(lambda: Counter(ordered=0, moved_out=0, moved_in=0))
    for row in connection.execute(query.where(_o.process_id.in_(processes)).group_by(*by)):
        area, pays = found[row[0], row[1], row[2]], row.kind == "payment"
        area["ordered"] += int(row[5]) if pays and OrderState(row.state).live else 0
        area["moved_out"] += int(row[6]) if pays else 0
        area["moved_in"] += int(row[7])
    for (process, year, area_id), cents in _unreleased(connection).items():
        found[process, year, area_id]["ordered"] -= cents
    return ((area, dict(values)) for area, values in found.items() if area[0] in processes)


def _unreleased(connection: Connection) -> dict[Area, int]:
    """Cents of the orders to pay that count and wait for somebody's release; of all processes, so that the few
    messages come first."""
    lanes = connection.execute(select(t.lanes.c.name)).scalars().all()
    area = (_o.process_id, _o.fiscal_year, _o.area_id)
    query = (
        select(*area, func.sum(_o.amount_cents))
        .join_from(t.messages, t.orders, _o.key == _m.key)
        .where(_m.lane.in_(lanes), _m.state == MessageState.HELD)
        .where(_o.kind == "payment", _o.state.in_([one for one in OrderState if one.live]))
        .group_by(*area)
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in connection.execute(query)}


def _lanes(connection: Connection, effects: Collection[str]) -> Sequence[str]:
    """The lanes that hold messages of these effects. All states are named, so that each lane is a few looks into the
    index however much it holds."""
    in_lane = (_m.lane == t.lanes.c.name, _m.state.in_([*MessageState]), _m.test.is_(False), _m.effect.in_(effects))
    return connection.execute(select(t.lanes.c.name).where(exists().where(*in_lane))).scalars().all()


def _counted(lanes: Sequence[str]) -> Select[Any]:
    """Process, state, whether it is a test, effect, how many; in this order the index holds them.

    A lane is one process's, so one of its messages tells whose all of them are.
    """
    by = (_m.lane, _m.state, _m.test, _m.effect)
    many = select(*by, func.count().label("many")).where(_m.lane.in_(lanes)).group_by(*by).subquery()
    return select(
        _process_of(many, _some.c.state == many.c.state), many.c.state, many.c.test, many.c.effect, many.c.many
    )


def _process_of(many: Subquery, *also: ColumnElement[bool]) -> ScalarSelect[Any]:
    """Whose the messages of a lane are."""
    one = select(t.cases.c.process_id).join(_some, _some.c.case_id == t.cases.c.id).limit(1)
    return one.where(_some.c.lane == many.c.lane, *also).correlate(many).scalar_subquery()


def _on_their_way(lanes: Sequence[str], effects: Collection[str]) -> Sequence[ColumnElement[bool]]:
    return _m.lane.in_(lanes), _m.state.in_(UNSETTLED), _m.test.is_(False), _m.effect.in_(effects)


def _open(
    effects: Collection[str], lanes: Sequence[str], processes: Collection[str], most: int | None
) -> CompoundSelect[Any]:
    """Messages on their way; orders that are booked and not paid, or came back and were not followed by another one;
    claims whose money is not here. `most`: the oldest of each alone are read, by their keys."""
    followed = exists().where(
        *(_later.c.case_id == _o.case_id, _later.c.kind == _o.kind, _later.c.instalment == _o.instalment),
        *(_later.c.key != _o.key, _later.c.at > _o.at, _later.c.state.not_in(_VAIN)),
    )
    unpaid = and_(_o.kind == "payment", or_(_o.state == _BOOKED, and_(_o.state == _BOUNCED, ~followed)))
    unreturned = and_(_o.kind == "refund", _o.state.in_(_OPEN_REFUND))
    settled = (_m.effect.in_(effects), _m.test.is_(False), _m.state.not_in(UNSETTLED))
    moving, standing = _on_their_way(lanes, effects), (_m.key.in_(_OPEN_ORDERS), *settled, or_(unpaid, unreturned))
    if most is None:
        return union_all(_opens(_m.updated_at).where(*moving), _opens(_o.at).where(*standing))
    ours = (t.cases.c.id == _m.case_id, t.cases.c.process_id.in_(processes))
    oldest = select(_m.key).where(*moving, exists().where(*ours)).order_by(_m.updated_at, _m.reference).limit(most)
    orders = select(_m.key).join(t.orders, _o.key == _m.key).where(*standing, _o.process_id.in_(processes))
    of_orders = orders.order_by(_o.at, _m.reference).limit(most)
    return union_all(_opens(_m.updated_at).where(_m.key.in_(oldest)), _opens(_o.at).where(_m.key.in_(of_orders)))


def _opens(since: ColumnElement[datetime]) -> Select[Any]:
    """What is said of each, in the order of Open."""
    area = func.coalesce(_o.area_id, _c.area_id, t.cases.c.area_id)
    certified = and_(_v.factual.is_not(None), _v.arithmetical.is_not(None))
    return (
        select(
            *(t.cases.c.process_id, t.cases.c.reference, area, _m.reference, _m.effect, _m.route, _m.owner, _m.state),
            *(_m.note, certified, _o.state, func.coalesce(_o.amount_cents, _m.amount_cents, 0), _o.due_on, since),
        )
        .join(t.cases, t.cases.c.id == _m.case_id)
        .outerjoin(t.orders, _o.key == _m.key)
        .outerjoin(t.commitments, and_(_o.key.is_(None), _c.case_id == _m.case_id))
        .outerjoin(t.approvals, and_(_m.state == MessageState.HELD, _v.key == _m.key))
    )


def _opened(row: Sequence[Any]) -> Open:
    state, note, certified, order_state = row[7:11]
    order = OrderState(order_state) if order_state else None
    return Open._make((*row[:7], MessageState(state), note, certified, order, *row[11:]))
