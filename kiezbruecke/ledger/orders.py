"""Orders to pay and to collect: one row per message, its state made of the message's and of all that came back.

    written ─▶ ordered ─▶ sent ─▶ booked ─▶ paid ─▶ bounced          (payment)
                                     └────▶ received                 (refund)

Words come late, twice and in any order. So no word moves a state: the state is made anew of all of them, and what has
moved stands in the area's budget to the cent. Where money has left, the order counts as paid, whatever else was said;
and what was written in its place meanwhile is taken back, or a person is told that both are on their way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from kiezbruecke.ledger import money
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.events import append_event, touch
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.seals import ORDER
from kiezbruecke.ledger.sets import among, rows_among, write_all
from kiezbruecke.ledger.states import IS_IT_THERE, WITHDRAWN, MessageState
from kiezbruecke.ledger.states import ORDER as MACHINE
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_points, ever_raised, raise_points
from kiezbruecke.records import BudgetStatus, CommitmentState, OrderState, Receipt, ReceiptOutcome

BOOKED, PAID, BOUNCED, RECEIVED, CANCELLED = "GEBUCHT", "BEZAHLT", "RUECKLAEUFER", "EINGEGANGEN", "AUFGEHOBEN"
"""What comes back, in one vocabulary for all channels (docs/adr/0022-money.md)."""

_MOVED = {PAID: OrderState.PAID, RECEIVED: OrderState.RECEIVED}
_MEANT = {"payment": (PAID, BOUNCED, CANCELLED), "refund": (RECEIVED, CANCELLED)}
"""What can be said of an order of each kind; every other word about money proves nothing."""
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
_named = t.orders.alias("named")
_ADD = insert(t.orders)
_ORDERS = (  # with all of their cases: of those in one place one may be live
    select(
        *(t.orders, _m.state.label("message_state"), _m.note, _m.reference, _m.destination, _m.route, _m.owner),
        *(_m.batch_id, _m.ticket),
    )
    .join_from(t.orders, t.messages, _m.key == _o.key)
    .where(_o.case_id.in_(select(_named.c.case_id).where(among(_named.c.key))))
    .order_by(_o.key)
    .with_for_update(of=t.orders)
)
_WORDS = (
    select(_r.id, _r.message_key, _r.event, _r.outcome, _r.body)
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
_PAID_OF = (
    select(_o.case_id, func.sum(_o.moved_cents).label("cents"))
    .where(among(_o.case_id), _o.kind == "payment")
    .group_by(_o.case_id)
)
_BOUND = select(t.commitments).where(among(_c.case_id)).order_by(_c.case_id)


@dataclass(frozen=True)
class Moved:
    """What has moved on an order for certain: the state that follows from the words alone, and when it moved."""

    state: OrderState | None = None
    on: date | None = None

    @property
    def money(self) -> bool:
        """Whether money has left, or come in, and is not back."""
        return self.state in _MOVED.values()


@dataclass(frozen=True)
class _Step:
    """An order, the state that everything together means, and what has moved."""

    row: Row[Any]
    state: OrderState
    moved: Moved
    asked_for: bool  # whether a message of ours has cancelled it

    @property
    def cents(self) -> int:
        """That have moved: also where the state cannot say so, because another order is live."""
        return self.row.amount_cents if self.moved.money else 0

    @property
    def changes(self) -> bool:
        row = self.row
        return (row.state, row.moved_cents, row.moved_on) != (self.state, self.cents, self.moved.on)

    @property
    def wants_to_live(self) -> bool:
        """Whether it was given up, and is carried out all the same."""
        return self.state.live and not OrderState(self.row.state).live

    @property
    def was_cancelled_there(self) -> bool:
        """Whether they have cancelled it, and no message has asked for it."""
        payment = self.row.kind == "payment" and self.row.message_state != MessageState.REFUSED
        return payment and self.state is OrderState.CANCELLED and not self.asked_for

    @property
    def never_left(self) -> bool:
        waits = self.row.message_state in (MessageState.HELD, MessageState.WAITING) and self.row.note != IS_IT_THERE
        return waits and self.row.batch_id is None and self.row.ticket is None


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
    steps = _steps(connection, keys)
    if in_the_way := [two for _, two in _side_by_side(steps) if two.never_left]:
        _take_back(connection, [step.row.key for step in in_the_way])
        steps = _steps(connection, keys)
    both = _side_by_side(steps)
    dead = {step.row.key for step, _ in both}
    steps = [replace(one, state=OrderState(one.row.state)) if one.row.key in dead else one for one in steps]
    changed = sorted((one for one in steps if one.changes), key=lambda one: one.state.live)  # who makes room goes first
    write_all(connection, _CHANGE, [_changed(one) for one in changed])
    _move_budgets(connection, changed)
    for one in changed:
        touch(connection, ORDER, one.row.key, case=one.row.case_id)
        told = {"reference": one.row.reference, "before": one.row.state}
        append_event(connection, one.row.case_id, f"order.{one.state.value}", told)
    close_points(connection, [(Kind.REFUSED, str(one.row.key)) for one in changed if one.state.live])
    raise_points(connection, [_bounced(one.row) for one in changed if one.state is OrderState.BOUNCED])
    raise_points(connection, [_cancelled(one.row) for one in changed if one.was_cancelled_there])
    raise_points(connection, [_both(one.row, two.row) for one, two in both if one.changes])


def _steps(connection: Connection, keys: Sequence[UUID]) -> list[_Step]:
    """What all that is known means for these orders, and for the others of their cases."""
    rows = rows_among(connection, _ORDERS, keys)
    said = _said(connection, rows)
    cancelled = {row.key for row in rows_among(connection, _CANCELLED, [row.key for row in rows])}
    return [_state_of(row, said.get(row.key, Moved()), cancelled=row.key in cancelled) for row in rows]


def _side_by_side(steps: Iterable[_Step]) -> list[tuple[_Step, _Step]]:
    """Orders that were given up and are carried out all the same, each with the one that is live in its place."""
    places: dict[tuple[Any, ...], list[_Step]] = defaultdict(list)
    for step in steps:
        places[step.row.case_id, step.row.kind, step.row.instalment].append(step)
    found = []
    for here in places.values():
        live = [step for step in here if step.state.live]
        stays = next((step for step in live if not step.wants_to_live), live[0] if live else None)
        found += [(step, stays) for step in live if stays is not None and step is not stays]
    return found


def _take_back(connection: Connection, keys: Sequence[UUID]) -> None:
    """Messages that have never left, and need not any more."""
    rows = message_rows(connection, keys)
    back = move_all(connection, [Move(row, MessageState.REFUSED, WITHDRAWN) for row in rows.values()])
    close_points(connection, [(Kind.UNRELEASED, str(key)) for key in back])


def take_over(connection: Connection, draft: Draft) -> None:
    """An order that only its destination knew is one of ours again; its state follows from what it says there.

    No budget and no second order is asked after: it is there, and what it pays is paid.
    """
    known = {row.key for row in rows_among(connection, _ORDERS, [draft.identity.key])}
    if draft.order is not None and draft.identity.key not in known:
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
    if (bound.process_id, bound.fiscal_year, bound.area_id) != draft.area:
        return "Die Festlegung steht auf einer anderen Bezirksregion"
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


def _said(connection: Connection, rows: Iterable[Row[Any]]) -> dict[UUID, Moved]:
    """Per order what all words about it prove. What is about another sum, or cannot be said of it, is a person's."""
    orders = {row.key: row for row in rows}
    events: dict[UUID, dict[str, date | None]] = defaultdict(dict)
    odd = []
    for word in rows_among(connection, _WORDS, orders):
        row, said = orders[word.message_key], Receipt.model_validate_json(word.body)
        meant = word.event in _MEANT[row.kind]
        if meant and said.amount is not None and money.cents(said.amount) == row.amount_cents:
            known = events[row.key].get(word.event)
            days = [one for one in (known, said.occurred_on) if one is not None]
            events[row.key][word.event] = min(days, default=None)  # the same in whatever order they came
        elif not meant or said.amount is None or word.outcome != ReceiptOutcome.CONFIRMED:
            odd.append(_odd(row, word))  # what was confirmed with another sum is on the list already
    before = ever_raised(connection, Kind.DIFFERENCE, odd) if odd else set()
    raise_points(connection, [point for point in odd if point.subject not in before])
    return {key: _proven(found) for key, found in events.items()}


def _proven(events: Mapping[str, date | None]) -> Moved:
    if BOUNCED in events:
        return Moved(OrderState.BOUNCED, events[BOUNCED])
    for event, state in _MOVED.items():
        if event in events:
            return Moved(state, events[event])
    return Moved(OrderState.CANCELLED if CANCELLED in events else None)


def _state_of(row: Row[Any], proven: Moved, *, cancelled: bool) -> _Step:
    """The state that everything together means; what the machine does not know stays as it was."""
    state = _OF_MESSAGE[MessageState(row.message_state)]
    if state is OrderState.REJECTED and row.note == WITHDRAWN:
        state = OrderState.CANCELLED
    if proven.state is not None:
        state = proven.state
    elif cancelled:
        state = OrderState.CANCELLED
    before = OrderState(row.state)
    legal = state is before or MACHINE.may_follow(before, state)
    return _Step(row, state if legal else before, proven, cancelled)


def _changed(step: _Step) -> dict[str, Any]:
    return {
        "order": step.row.key,
        "after": step.state.value,
        "moved": step.cents,
        "day": step.moved.on,
        "moment": now(),
    }


def _move_budgets(connection: Connection, changed: Sequence[_Step]) -> None:
    paid: dict[money.Area, int] = defaultdict(int)
    refunded: dict[money.Area, int] = defaultdict(int)
    for step in changed:
        row = step.row
        area = (row.process_id, row.fiscal_year, row.area_id)
        into = paid if row.kind == "payment" else refunded
        into[area] += _counts(row, step.cents, step.moved.on) - _counts(row, row.moved_cents, row.moved_on)
    cases = {step.row.case_id for step in changed if step.state is OrderState.PAID}
    if cases:
        moved = {row.case_id: int(row.cents) for row in rows_among(connection, _PAID_OF, cases)}
        money.hold_what_was_paid(connection, moved)
    money.add_moved(connection, paid, refunded)


def _counts(row: Row[Any], cents: int, on: date | None) -> int:
    """What of it the year's budget feels: what comes back later is income, and refills nothing."""
    later = row.kind == "refund" and on is not None and on.year > row.fiscal_year
    return 0 if later else cents


def _cancelled(row: Row[Any]) -> Point:
    text = (
        f"{row.reference}: Die Auszahlung wurde im HKR aufgehoben, ohne dass es hier verlangt war. Neu angeordnet wird "
        "nur, wenn Sie „neu_senden“ antworten"
    )
    answers = (Answer.RESEND, Answer.DONE)
    return Point(Kind.REFUSED, str(row.key), row.route, row.owner, text, answers, row.case_id, row.key)


def _odd(row: Row[Any], word: Row[Any]) -> Point:
    text = (
        f"{row.reference}: Zurückgekommen ({word.event}) ist ein anderer Betrag als der angeordnete, oder ein Wort, "
        "das zu dieser Anordnung nicht gehört; es gilt nicht. Bitte mit der Kasse klären"
    )
    subject = f"{row.key}:{word.id}"  # each word once
    return Point(Kind.DIFFERENCE, subject, row.route, row.owner, text, (Answer.DONE,), row.case_id, row.key)


def _both(row: Row[Any], other: Row[Any]) -> Point:
    text = (
        f"{row.reference} war aufgehoben oder abgewiesen und ist doch ausgeführt; {other.reference} ist für dasselbe "
        f"schon unterwegs. Bitte {other.reference} sofort bei der Kasse anhalten, oder das zweite Geld zurückfordern"
    )
    return Point(Kind.CONTRADICTION, str(row.key), row.route, row.owner, text, (Answer.DONE,), row.case_id, row.key)


def _bounced(row: Row[Any]) -> Point:
    text = (
        f"{row.reference}: Die Zahlung ist zurückgekommen. Mit einer neuen Bankverbindung in der Antragsliste "
        "(Korrektur = ja, mit Begründung) wird neu angeordnet; mit derselben nur, wenn Sie „neu_senden“ antworten"
    )
    answers = (Answer.RESEND, Answer.DONE)
    return Point(Kind.BOUNCED, str(row.key), row.route, row.owner, text, answers, row.case_id, row.key)
