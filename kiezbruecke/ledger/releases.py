"""Marks on messages that need four eyes: given by people on what they were shown, asked for before anything leaves.

A message that was stored as HELD because its route says `release: four_eyes` has a row in `approvals` from its first
moment on. The row, not the route's file of today, says that it leaves with three valid marks or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, not_, or_, select, update

from kiezbruecke.connector import Mark, MarkKind
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.events import sign, touch
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.people import Person, Signed
from kiezbruecke.ledger.seals import APPROVAL, RELEASE
from kiezbruecke.ledger.sets import among, rows_among, write_all
from kiezbruecke.ledger.states import IS_IT_THERE, MessageState
from kiezbruecke.ledger.todo import Kind, Point, close_points, raise_points
from kiezbruecke.records import BudgetStatus

VOID = "die Anordnung gilt nicht mehr"
HELD_BACK = "von einer Person zurückgehalten"
COLUMNS: Mapping[MarkKind, str] = {
    MarkKind.FACTUAL: "factual",
    MarkKind.ARITHMETICAL: "arithmetical",
    MarkKind.ORDERED: "ordered",
}
_GONE = ("rejected", "cancelled")  # states of orders that paid nobody

_m, _a, _r, _o, _k, _b = (
    table.c for table in (t.messages, t.approvals, t.releases, t.orders, t.commitments, t.budgets)
)
_ordered = t.releases.alias("ordered_by")
_AREA = func.coalesce(_o.area_id, _k.area_id)
_YEAR = func.coalesce(_o.fiscal_year, _k.fiscal_year)
_PROCESS = func.coalesce(_o.process_id, _k.process_id)
_WITH_MONEY = (
    t.approvals.join(t.messages, _m.key == _a.key)
    .outerjoin(t.orders, _o.key == _m.key)
    .outerjoin(t.commitments, _k.case_id == _m.case_id)
    .outerjoin(t.budgets, and_(_b.process_id == _PROCESS, _b.fiscal_year == _YEAR, _b.area_id == _AREA))
    .outerjoin(_ordered, _ordered.c.id == _a.ordered)
)
_NEEDS_BUDGET = not_(or_(_m.effect.like("%.cancel"), func.coalesce(_o.kind, "") == "refund"))  # else money comes back
_FROZEN = and_(_NEEDS_BUDGET, func.coalesce(_b.status, "") != BudgetStatus.RELEASED.value)
_HELD: Select[Any] = (
    select(
        *(_m.key, _m.case_id, _m.reference, _m.amount_cents, _m.sha256, _m.state, _m.batch_id, _m.destination),
        *(_a.sha256.label("marked"), _a.factual_account, _a.arithmetical_account, _a.ordered_account),
        *(_PROCESS.label("process_id"), _YEAR.label("fiscal_year"), _AREA.label("area_id"), _FROZEN.label("frozen")),
        *(_o.kind, _o.channel, _o.due_on, func.coalesce(_o.account, "").label("payee")),
    )
    .select_from(_WITH_MONEY)
    .where(
        _m.route == bindparam("of_route"),
        _m.state == MessageState.HELD.value,
        _m.note != IS_IT_THERE,
        or_(_a.factual.is_(None), _a.arithmetical.is_(None), _a.ordered.is_(None)),
    )
    .order_by(_m.reference, _m.key)
)
_VALID = and_(
    *(_a.factual.is_not(None), _a.arithmetical.is_not(None), _a.ordered.is_not(None)),
    _a.sha256 == _m.sha256,
    _ordered.c.valid_until > bindparam("moment"),
    not_(_FROZEN),
)
_INVALID = select(_a.key).select_from(_WITH_MONEY).where(among(_a.key), not_(func.coalesce(_VALID, False)))
_RUN_OUT = (
    select(_a.key)
    .select_from(_WITH_MONEY)
    .where(_m.state == MessageState.WAITING.value, not_(func.coalesce(_VALID, False)))
)
_MARKS = select(t.approvals).where(among(_a.key))
_RELEASES = select(_r.id, _r.person, _r.account, _r.at).where(among(_r.id))
_ADD = insert(t.approvals)
_VOID_ORDER = update(t.approvals).where(_a.key == bindparam("message")).values(ordered=None, ordered_account="")
_ON_CARRIER = select(_m.key, _m.state).where(_m.batch_id == bindparam("carrier"))
_LAST: Select[Any] = (
    select(_r.id, _r.count, _r.sum_cents, _r.at, _r.numbers)
    .where(_r.route == bindparam("of_route"), _r.kind == bindparam("of_kind"))
    .order_by(_r.id.desc())
    .limit(1)
)
_HISTORY = select(t.releases).where(_r.route == bindparam("of_route")).order_by(_r.id.desc()).limit(bindparam("most"))
_APPLIED = (
    select(t.records.c.case_id, t.records.c.body)
    .where(among(t.records.c.case_id), t.records.c.kind == "application")
    .order_by(t.records.c.seq)
)
_PAID: Select[Any] = (  # who was paid on which account, or is being paid, with the lines that applied for it
    select(_o.key, _o.account, t.records.c.body)
    .join_from(t.orders, t.records, t.records.c.case_id == _o.case_id)
    .where(_o.kind == "payment", _o.state.not_in(("ordered", *_GONE)), t.records.c.kind == "application")
)
_SAME_PAYEE = select(_o.key, _o.account, _o.amount_cents).where(
    among(_o.account), _o.account != "", _o.at >= bindparam("since"), _o.kind == "payment", _o.state.not_in(_GONE)
)


@dataclass(frozen=True)
class Act:
    """What a person does about messages of a route, and what they were shown. `numbers` name nobody."""

    route: str
    kind: str
    shown: str
    numbers: Mapping[str, Any]
    count: int
    sum_cents: int
    valid_until: datetime | None = None


def ask_for_marks(connection: Connection, drafts: Iterable[Draft], digests: Mapping[UUID, str]) -> None:
    """What is stored as HELD waits for three marks on these bytes; inside the transaction that stores it."""
    held = [draft for draft in drafts if draft.state is MessageState.HELD]
    write_all(connection, _ADD, [{"key": one.identity.key, "sha256": digests[one.identity.key]} for one in held])
    for draft in held:
        touch(connection, APPROVAL, draft.identity.key, case=draft.identity.case_id)


def held(connection: Connection, route: str) -> Sequence[Row[Any]]:
    """What of a route lacks a mark, by Fremdkennzeichen, with its area, its budget and the mark of its account."""
    return connection.execute(_HELD, {"of_route": route}).all()


def last_act(connection: Connection, route: str, kind: str) -> Row[Any] | None:
    """The newest act of a kind on a route."""
    return connection.execute(_LAST, {"of_route": route, "of_kind": kind}).one_or_none()


def acts_of(ledger: Ledger, route: str, most: int) -> Sequence[Row[Any]]:
    """What people have done about a route, newest first."""
    with ledger.read() as connection:
        return connection.execute(_HISTORY, {"of_route": route, "most": most}).all()


def applied(connection: Connection, cases: Iterable[UUID]) -> dict[UUID, str]:
    """Per case the body of the application that became known last."""
    return {row.case_id: row.body for row in rows_among(connection, _APPLIED, cases)}


def paid_accounts(connection: Connection) -> Sequence[Row[Any]]:
    """Every payment that has left: its key, its account's mark, the body of the application."""
    return connection.execute(_PAID).all()


def same_payee(connection: Connection, accounts: Iterable[str], since: datetime) -> list[Row[Any]]:
    """Payments to these accounts since then: key, account, cents."""
    return rows_among(connection, _SAME_PAYEE, accounts, since=since)


def give_marks(
    connection: Connection, act: Act, by: Signed, kinds: Collection[MarkKind], rows: Sequence[Row[Any]]
) -> int:
    """Set these marks, where they are missing, on the bytes as the rows have them; the act's number.

    The caller holds the lock (`one_at_a_time`) under which it has read the rows. With the third mark a message waits
    to be sent.
    """
    number = _keep(connection, act, by)
    for kind in kinds:
        name = COLUMNS[kind]
        given = {name: number, f"{name}_account": by.person.login}
        statement = (
            update(t.approvals)
            .where(_a.key == bindparam("message"), _a.sha256 == bindparam("bytes"), _a[name].is_(None))
            .values(**given)
        )
        write_all(connection, statement, [{"message": row.key, "bytes": row.sha256} for row in rows])
    for row in rows:
        told = {"reference": row.reference, "release": number, "marks": sorted(kinds)}
        sign(connection, by.person, f"release.{act.kind}", APPROVAL, row.key, case=row.case_id, **told)
    if MarkKind.ORDERED in kinds:
        locked = message_rows(connection, [row.key for row in rows])
        move_all(connection, [Move(one, MessageState.WAITING, "angeordnet", by=by.person) for one in locked.values()])
        close_points(connection, [(Kind.UNRELEASED, str(row.key)) for row in rows])
    return number


def refuse_one(connection: Connection, act: Act, by: Signed, row: Row[Any], point: Point) -> int:
    """A person keeps one held message back for good: it never leaves, and whoever owns it hears so."""
    number = _keep(connection, act, by)
    locked = message_rows(connection, [row.key])
    move_all(connection, [Move(one, MessageState.REFUSED, HELD_BACK, by=by.person) for one in locked.values()])
    close_points(connection, [(Kind.UNRELEASED, str(row.key))])
    raise_points(connection, [point])
    return number


def unreleased(connection: Connection, keys: Iterable[UUID]) -> set[UUID]:
    """Those of the messages that need three marks and do not have them all, valid, on exactly their bytes."""
    return {row.key for row in rows_among(connection, _INVALID, keys, moment=now())}


def put_back(connection: Connection, keys: Collection[UUID]) -> int:
    """Messages whose order is void wait for a new one; a point names each. How many.

    What people have certified stays: it is on the same bytes.
    """
    if not keys:
        return 0
    rows = message_rows(connection, keys)
    back = move_all(connection, [Move(row, MessageState.HELD, VOID) for row in rows.values()])
    write_all(connection, _VOID_ORDER, [{"message": key} for key in back])
    for key in back:
        touch(connection, APPROVAL, key, case=rows[key].case_id)
    raise_points(connection, [_void_point(rows[key]) for key in back])
    return len(back)


def put_back_what_ran_out(ledger: Ledger) -> int:
    """What waits although its order has run out, or its area's budget is blocked now; how many. For housekeeping."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        return put_back(connection, connection.execute(_RUN_OUT, {"moment": now()}).scalars().all())


def holds_a_carrier(connection: Connection, carrier: str) -> set[UUID]:
    """What on a carrier must not leave: stored bytes cannot be sent without one of their messages."""
    rows = connection.execute(_ON_CARRIER, {"carrier": carrier}).all()
    held_ = {row.key for row in rows if row.state == MessageState.HELD}
    going = [row.key for row in rows if row.state in (MessageState.WAITING, MessageState.CLAIMED)]
    return held_ | unreleased(connection, going)


def marks_of(connection: Connection, keys: Iterable[UUID]) -> dict[UUID, tuple[Mark, ...]]:
    """The marks of messages that have any, for the destination."""
    rows = rows_among(connection, _MARKS, keys)
    wanted = {getattr(row, name) for row in rows for name in COLUMNS.values()} - {None}
    acts = {one.id: one for one in rows_among(connection, _RELEASES, wanted)}
    return {
        row.key: tuple(
            _mark(kind, acts[number]) for kind, name in COLUMNS.items() if (number := getattr(row, name)) is not None
        )
        for row in rows
    }


def _mark(kind: MarkKind, act: Row[Any]) -> Mark:
    who = Person.stored(act.person, act.account)
    return Mark(kind, who.name, who.account, act.at, who.how.value)


def _keep(connection: Connection, act: Act, by: Signed) -> int:
    values = {
        "route": act.route,
        "kind": act.kind,
        "shown": act.shown,
        "numbers": dict(act.numbers),
        "count": act.count,
        "sum_cents": act.sum_cents,
        "person": by.person.name,
        "account": by.person.login,
        "reason": by.reason,
        "at": now(),
        "valid_until": act.valid_until,
    }
    number = int(connection.execute(insert(t.releases).values(**values)).inserted_primary_key[0])  # type: ignore[index]
    sign(connection, by.person, f"release.{act.kind}", RELEASE, number, count=act.count, cents=act.sum_cents)
    return number


def _void_point(row: Row[Any]) -> Point:
    text = (
        f"{row.reference}: Die Anordnung ist abgelaufen, oder das Budget der Bezirksregion ist nicht mehr freigegeben; "
        "die Nachricht wartet auf eine neue Anordnung"
    )
    return Point(Kind.UNRELEASED, str(row.key), row.route, row.owner, text, (), row.case_id, row.key)
