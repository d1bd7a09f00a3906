"""Orders to pay and to collect: one row per message, its state made of the message's and of all that came back.

    written ─▶ ordered ─▶ sent ─▶ booked ─▶ paid ─▶ bounced          (payment)
                                     └────▶ received                 (refund)

Words come late, twice and in any order. So no word moves a state: the state is made anew of all of them, and what has
moved stands in the area's budget to the cent. Where money has left, the order counts as paid, whatever else was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from kiezbruecke.ledger import money
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.events import append_event, touch
from kiezbruecke.ledger.seals import ORDER
from kiezbruecke.ledger.sets import among, rows_among, write_all
from kiezbruecke.ledger.states import ORDER as MACHINE
from kiezbruecke.ledger.states import WITHDRAWN, MessageState
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_points, raise_points
from kiezbruecke.records import BudgetStatus, CommitmentState, OrderState, Receipt

BOOKED, PAID, BOUNCED, RECEIVED, CANCELLED = "GEBUCHT", "BEZAHLT", "RUECKLAEUFER", "EINGEGANGEN", "AUFGEHOBEN"
"""What comes back, in one vocabulary for all channels (docs/adr/0022-money.md)."""

_MOVED = {PAID: OrderState.PAID, RECEIVED: OrderState.RECEIVED}
_OF_MESSAGE = {
    MessageState.HELD: OrderState.ORDERED,
    MessageState.WAITING: OrderState.ORDERED,
    MessageState.CLAIMED: OrderState.ORDERED,
    MessageState.SENDING: OrderState.IN_DOUBT,
    MessageState.IN_DOUBT: OrderState.IN_DOUBT,
    MessageState.DELIVERED: OrderState.SENT,
    MessageState.CONFIRMED: OrderState.BOOKED,
    MessageState.REFUSED: OrderState.REJECTED,
}

_o, _m, _r, _c = t.orders.c, t.messages.c, t.receipts.c, t.commitments.c
_ADD = insert(t.orders)
_ORDERS = (
    select(t.orders, _m.state.label("message_state"), _m.note, _m.reference, _m.destination, _m.route, _m.owner)
    .join_from(t.orders, t.messages, _m.key == _o.key)
    .where(among(_o.key))
    .order_by(_o.key)
    .with_for_update(of=t.orders)
)
_WORDS = (
    select(_r.message_key, _r.event, _r.body)
    .where(among(_r.message_key), _r.event.in_((PAID, BOUNCED, RECEIVED, CANCELLED)))
    .order_by(_r.at, _r.id)
)
_cancel = t.messages.alias("cancel")
_CANCELLED = (
    select(_o.key)
    .join_from(t.orders, t.messages, _m.key == _o.key)
    .join(_cancel, (_cancel.c.case_id == _o.case_id) & (_cancel.c.related_reference == _m.reference))
    .where(
        among(_o.key),
        _cancel.c.effect.like("%.cancel"),
        _cancel.c.destination == _m.destination,
        _cancel.c.state == MessageState.CONFIRMED.value,
    )
)
_CANCELS = (
    select(_o.key)
    .join_from(t.orders, t.messages, _m.key == _o.key)
    .join(_cancel, (_cancel.c.case_id == _o.case_id) & (_cancel.c.related_reference == _m.reference))
    .where(among(_cancel.c.key))
)
_CHANGE = (
    update(t.orders)
    .where(_o.key == bindparam("order"))
    .values(state=bindparam("after"), moved_cents=bindparam("moved"), moved_on=bindparam("day"), at=bindparam("moment"))
)
_LIVE = (
    select(_o.case_id, _o.kind, _o.instalment, _o.amount_cents, _o.state)
    .where(among(_o.case_id), _o.state.not_in([state.value for state in OrderState if not state.live]))
    .order_by(_o.key)
)
_CAME_BACK = select(_o.key).where(among(_o.case_id), _o.state == OrderState.BOUNCED.value)
_BOUND = select(_c.case_id, _c.state, _c.booked_cents).where(among(_c.case_id)).order_by(_c.case_id)


@dataclass(frozen=True)
class Moved:
    """What has moved on an order for certain: the state that follows from the words alone, and when it moved."""

    state: OrderState | None = None
    on: date | None = None


def hold_payments(connection: Connection, drafts: Sequence[Draft]) -> Mapping[UUID, str]:
    """Make the drafts' orders; per key of one that must not be, the German reason.

    A payment rests on a booked commitment that covers it, in an area whose budget is released, and is the only one.
    """
    return _make(connection, drafts, _why_not_paid)


def hold_refunds(connection: Connection, drafts: Sequence[Draft]) -> Mapping[UUID, str]:
    """The same for claims: never more than was paid, and the only one."""
    return _make(connection, drafts, _why_not_claimed)


def follow(connection: Connection, moved: Sequence[tuple[Row[Any], MessageState]]) -> None:
    """The messages of orders have taken a step."""
    settle(connection, [row.key for row, _ in moved])


def follow_cancels(connection: Connection, moved: Sequence[tuple[Row[Any], MessageState]]) -> None:
    """The messages that cancel orders have taken a step: only their AUFGEHOBEN makes the money free."""
    keys = [row.key for row, after in moved if after is MessageState.CONFIRMED or row.state == MessageState.CONFIRMED]
    settle(connection, [row.key for row in rows_among(connection, _CANCELS, keys)])


def settle(connection: Connection, keys: Sequence[UUID]) -> None:
    """Make these orders' states anew, of their messages and of all words about them, with what that is for the budget.

    What has no order, such as a test's message, is passed over.
    """
    rows = rows_among(connection, _ORDERS, keys)
    said, odd = _said(connection, rows)
    cancelled = {row.key for row in rows_among(connection, _CANCELLED, [row.key for row in rows])}
    changes = [(row, *_state_of(row, said.get(row.key, Moved()), cancelled=row.key in cancelled)) for row in rows]
    changed = [(row, state, moved) for row, state, moved in changes if (row.state, row.moved_on) != (state, moved.on)]
    write_all(connection, _CHANGE, [_changed(row, state, moved) for row, state, moved in changed])
    _move_budgets(connection, changed)
    for row, state, _ in changed:
        touch(connection, ORDER, row.key, case=row.case_id)
        append_event(connection, row.case_id, f"order.{state.value}", {"reference": row.reference, "before": row.state})
    raise_points(connection, [_bounced(row) for row, state, _ in changed if state is OrderState.BOUNCED])
    raise_points(connection, [_another_sum(row, odd[row.key]) for row in rows if row.key in odd])


def take_over(connection: Connection, draft: Draft) -> None:
    """An order that only its destination knew is one of ours again; its state follows from what it says there.

    No budget and no second order is asked after: it is there, and what it pays is paid.
    """
    known = {row.key for row in rows_among(connection, _ORDERS, [draft.identity.key])}
    if draft.order is not None and not known:
        write_all(connection, _ADD, [{**_row(draft), "state": OrderState.REJECTED.value}])
        touch(connection, ORDER, draft.identity.key, case=draft.identity.case_id)
    settle(connection, [draft.identity.key])


def _make(connection: Connection, drafts: Sequence[Draft], why_not: Any) -> dict[UUID, str]:
    cases = [draft.identity.case_id for draft in drafts]
    live: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in rows_among(connection, _LIVE, cases):
        live[row.case_id].append(row)
    bound = {row.case_id: row for row in rows_among(connection, _BOUND, cases)}
    budgets = money.locked_budgets(connection, [_area(draft) for draft in drafts])
    reasons: dict[UUID, str] = {}
    made: list[Draft] = []
    for draft in drafts:
        case = draft.identity.case_id
        reason = why_not(draft, live[case], bound.get(case), budgets.get(_area(draft)))
        if reason is None:
            made.append(draft)
        else:
            reasons[draft.identity.key] = reason
    write_all(connection, _ADD, [_row(draft) for draft in made])
    for draft in made:
        touch(connection, ORDER, draft.identity.key, case=draft.identity.case_id)
    mended = rows_among(connection, _CAME_BACK, [draft.identity.case_id for draft in made])
    close_points(connection, [(Kind.BOUNCED, str(row.key)) for row in mended])  # another one has taken its place
    return reasons


def _why_not_paid(
    draft: Draft, live: Sequence[Row[Any]], bound: Row[Any] | None, budget: Row[Any] | None
) -> str | None:
    payments = [row for row in live if row.kind == "payment"]
    assert draft.order is not None
    assert draft.amount_cents is not None
    if any(row.instalment == draft.order.instalment for row in payments):
        return "Für diesen Fall gibt es schon eine Auszahlungsanordnung"
    if bound is None or bound.state != CommitmentState.BOOKED:
        return "Die Festlegung ist nicht gebucht"
    if sum(row.amount_cents for row in payments) + draft.amount_cents > bound.booked_cents:
        return "Die Festlegung ist kleiner als die Auszahlung"
    if budget is None or budget.status != BudgetStatus.RELEASED:
        return "Das Budget der Bezirksregion ist nicht freigegeben"
    return None


def _why_not_claimed(
    draft: Draft,
    live: Sequence[Row[Any]],
    bound: Row[Any] | None,  # noqa: ARG001 - a claim binds nothing
    budget: Row[Any] | None,  # noqa: ARG001 - money may come back into a budget that is blocked
) -> str | None:
    if any(row.kind == "refund" for row in live):
        return "Für diesen Fall gibt es schon eine Rückforderung"
    paid = sum(row.amount_cents for row in live if row.kind == "payment" and row.state == OrderState.PAID)
    return None if (draft.amount_cents or 0) <= paid else "Zurückgefordert wird mehr, als ausgezahlt ist"


def _row(draft: Draft) -> dict[str, Any]:
    terms, (process_id, fiscal_year, area_id) = draft.order, _area(draft)
    assert terms is not None
    return {
        "key": draft.identity.key,
        "case_id": draft.identity.case_id,
        "kind": terms.kind,
        "instalment": terms.instalment,
        "channel": terms.channel,
        "process_id": process_id,
        "fiscal_year": fiscal_year,
        "area_id": area_id,
        "state": OrderState.ORDERED.value,
        "amount_cents": draft.amount_cents,
        "due_on": terms.due_on,
        "account": terms.account,
        "at": now(),
    }


def _area(draft: Draft) -> money.Area:
    assert draft.area is not None
    return draft.area


def _said(connection: Connection, rows: Iterable[Row[Any]]) -> tuple[dict[UUID, Moved], dict[UUID, str]]:
    """Per order what all words about it prove, and the event of one about another sum, which proves nothing."""
    amounts = {row.key: row.amount_cents for row in rows}
    events: dict[UUID, dict[str, date | None]] = defaultdict(dict)
    odd: dict[UUID, str] = {}
    for row in rows_among(connection, _WORDS, amounts):
        said = Receipt.model_validate_json(row.body)
        if said.amount is None or money.cents(said.amount) == amounts[row.message_key]:
            events[row.message_key][row.event] = said.occurred_on
        elif row.event == BOUNCED:  # what was confirmed with another sum is on the list already
            odd[row.message_key] = row.event
    return {key: _proven(found) for key, found in events.items()}, odd


def _proven(events: Mapping[str, date | None]) -> Moved:
    if BOUNCED in events:
        return Moved(OrderState.BOUNCED, events[BOUNCED])
    for event, state in _MOVED.items():
        if event in events:
            return Moved(state, events[event])
    return Moved(OrderState.CANCELLED if CANCELLED in events else None)


def _state_of(row: Row[Any], proven: Moved, *, cancelled: bool) -> tuple[OrderState, Moved]:
    """The state that everything together means; what the machine does not know stays as it was."""
    state = _OF_MESSAGE[MessageState(row.message_state)]
    if state is OrderState.REJECTED and row.note == WITHDRAWN:
        state = OrderState.CANCELLED
    if proven.state is not None:
        state = proven.state
    elif cancelled:
        state = OrderState.CANCELLED
    before = OrderState(row.state)
    if state is not before and not MACHINE.may_follow(before, state):
        return before, Moved(before, row.moved_on)
    return state, proven


def _changed(row: Row[Any], state: OrderState, moved: Moved) -> dict[str, Any]:
    has_moved = state in _MOVED.values()
    cents = row.amount_cents if has_moved else 0
    return {"order": row.key, "after": state.value, "moved": cents, "day": moved.on, "moment": now()}


def _move_budgets(connection: Connection, changed: Sequence[tuple[Row[Any], OrderState, Moved]]) -> None:
    paid: dict[money.Area, int] = defaultdict(int)
    refunded: dict[money.Area, int] = defaultdict(int)
    for row, state, moved in changed:
        area = (row.process_id, row.fiscal_year, row.area_id)
        more = (row.amount_cents if state in _MOVED.values() else 0) - row.moved_cents
        if row.kind == "payment":
            paid[area] += more
        elif moved.on is None or moved.on.year == row.fiscal_year:  # later it is income, and refills nothing
            refunded[area] += more
    money.add_moved(connection, paid, refunded)


def _another_sum(row: Row[Any], event: str) -> Point:
    text = (
        f"{row.reference}: Zurückgekommen ({event}) ist ein anderer Betrag, als ausgezahlt wurde; "
        "bitte mit der Kasse klären"
    )
    return Point(Kind.DIFFERENCE, str(row.key), row.route, row.owner, text, (Answer.DONE,), row.case_id, row.key)


def _bounced(row: Row[Any]) -> Point:
    text = (
        f"{row.reference}: Die Zahlung ist zurückgekommen. Mit einer neuen Bankverbindung in der Antragsliste "
        "(Korrektur = ja, mit Begründung) wird neu angeordnet; mit derselben nur, wenn Sie „neu_senden“ antworten"
    )
    answers = (Answer.RESEND, Answer.DONE)
    return Point(Kind.BOUNCED, str(row.key), row.route, row.owner, text, answers, row.case_id, row.key)
