"""Takes over what a destination has, as it stands there: messages, states, sums, and the budget they hold.

Theirs is what happened; ours is older, or lost. A message that had left with another sum is a person's instead.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from kiezbruecke.ledger import orders
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.drafts import bytes_values, message_values
from kiezbruecke.ledger.events import TAKEN_OVER, append_event, touch
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.receipts import (
    apply_again,
    contradiction_point,
    difference_point,
    found_point,
    refused_point,
)
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import BUDGET, BYTES, COMMITMENT, MESSAGE
from kiezbruecke.ledger.sets import slices
from kiezbruecke.ledger.states import IS_IT_THERE, WITHDRAWN, MessageState
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_points, raise_point
from kiezbruecke.records import BudgetStatus, CommitmentState, Receipt, ReceiptOutcome

CASES = 100
NOTE = "vom Ziel übernommen"

_STATES = {
    ReceiptOutcome.CONFIRMED: MessageState.CONFIRMED,
    ReceiptOutcome.DELIVERED: MessageState.DELIVERED,
    ReceiptOutcome.REFUSED: MessageState.REFUSED,
}
_NEVER_LEFT = (MessageState.HELD, MessageState.WAITING, MessageState.CLAIMED)
_ANSWERED = (Kind.REFUSED, Kind.IN_DOUBT, Kind.OVERDUE, Kind.PRESENT, Kind.DIFFERENCE)
_m, _c, _b = t.messages.c, t.commitments.c, t.budgets.c
_UNMATCHED = (
    select(t.receipts.c.id, t.receipts.c.body, t.receipts.c.source, t.receipts.c.external_id)
    .where(t.receipts.c.message_key.is_(None))
    .order_by(t.receipts.c.at, t.receipts.c.external_id)
)


@dataclass(frozen=True)
class Theirs:
    """One message as they have it: who it is and with what sum (`draft`), and what became of it."""

    draft: Draft
    receipt: Receipt

    @property
    def state(self) -> MessageState:
        """The state that follows from their word."""
        return _STATES[self.receipt.outcome]


def take_over(ledger: Ledger, run: Run, cases: Sequence[tuple[UUID, Sequence[Theirs]]]) -> dict[str, int]:
    """Make the ledger's lane what they have, case by case, each with all that they have of it.

    What never left and they do not have is taken back: what is due is asked anew. Repeating it changes nothing.
    """
    counts: dict[str, int] = defaultdict(int)
    for some in slices(cases, CASES):
        with ledger.write() as connection:
            one_at_a_time(connection)
            guard(connection, run)
            for case_id, theirs in some:
                _take_over_case(connection, run, case_id, theirs, counts)
    return dict(counts)


def hold_for_a_person(ledger: Ledger, run: Run, keys: Sequence[UUID], owner: str) -> int:
    """What would be sent again, and whose destination cannot be asked, waits for a person who looks there; how many."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = message_rows(connection, keys)
        held = move_all(connection, [Move(row, MessageState.HELD, IS_IT_THERE) for row in rows.values()])
        for key in held:
            raise_point(connection, _question(rows[key], owner))
    return len(held)


def match_again(ledger: Ledger, run: Run, source: str) -> int:
    """Answers that matched nothing when they came are matched with what is known by now; how many found something."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = connection.execute(_UNMATCHED.where(t.receipts.c.source == source)).all()
        kept = [(row.id, Receipt.model_validate_json(row.body)) for row in rows]
        return apply_again(connection, kept)


def settle_refused(ledger: Ledger, run: Run, key: UUID, receipt: Receipt) -> None:
    """A message that holds as refused is there after all: their word counts, and a person is told. No money moves."""
    state = _STATES[receipt.outcome]
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        row = message_rows(connection, [key])[key]
        values = {"state": state.value, "note": NOTE, "updated_at": now()}
        connection.execute(update(t.messages).where(_m.key == key).values(**values))
        step = {"before": row.state, "after": state.value, "note": NOTE, "message_key": key, "at": now()}
        connection.execute(insert(t.attempts).inline().values(**step, fence=run.fence))
        touch(connection, MESSAGE, key, case=row.case_id)
        body = {"reference": row.reference, "key": str(key), "note": NOTE}
        append_event(connection, row.case_id, f"message.{state.value}", body)
        close_points(connection, [(kind, str(key)) for kind in _ANSWERED])
        raise_point(connection, found_point(row))


def tell_found(ledger: Ledger, run: Run, keys: Sequence[UUID]) -> None:
    """A person wanted these sent anew: they hear that they are there already, and that nothing has gone out."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        for row in message_rows(connection, keys).values():
            raise_point(connection, found_point(row))


def was_answered(ledger: Ledger, key: UUID) -> bool:
    """Whether the receiver itself has refused the message; a transport report is no such answer."""
    r = t.receipts.c
    query = select(r.id).where(r.message_key == key, r.outcome == ReceiptOutcome.REFUSED.value).limit(1)
    with ledger.read() as connection:
        return connection.execute(query).one_or_none() is not None


def unsent(ledger: Ledger, run: Run) -> list[tuple[UUID, str | None]]:
    """The lane's messages that would still go out, with their tickets."""
    states = (MessageState.WAITING, MessageState.CLAIMED, MessageState.IN_DOUBT)
    query = select(_m.key, _m.ticket).where(_m.lane == run.lane, _m.state.in_(states)).order_by(_m.reference)
    with ledger.read() as connection:
        return [(row.key, row.ticket) for row in connection.execute(query).all()]


def answered_not_there(ledger: Ledger, since: datetime) -> frozenset[str]:
    """Keys of messages of which a person has said in this recovery that they are not there."""
    a = t.attention.c
    query = select(a.subject).where(a.kind == Kind.PRESENT, a.answer == Answer.NOT_THERE, a.closed_at >= since)
    with ledger.read() as connection:
        return frozenset(connection.execute(query).scalars())


def _take_over_case(
    connection: Connection, run: Run, case_id: UUID, theirs: Sequence[Theirs], counts: dict[str, int]
) -> None:
    ours = {row.reference: row for row in _ours(connection, run, case_id)}
    known = {one.draft.reference for one in theirs}
    _name_lost(connection, [row for row in ours.values() if row.reference not in known])
    if not theirs:
        return
    if different := [row for one in theirs if (row := ours.get(one.draft.reference)) and _left_otherwise(row, one)]:
        for row in different:
            raise_point(connection, difference_point(row))
        counts["different"] += 1
        return
    unknown = [row for row in ours.values() if row.reference not in known and row.state in _NEVER_LEFT]
    if unknown:
        rows = message_rows(connection, [row.key for row in unknown])
        move_all(connection, [Move(row, MessageState.REFUSED, WITHDRAWN) for row in rows.values()])
    for one in sorted(theirs, key=lambda each: each.draft.identity.number):
        _write(connection, run, ours.get(one.draft.reference), one, counts)
    live = [one for one in theirs if not one.draft.test]
    if run.lane.split("|")[1] == "commitment":
        _settle_money(connection, case_id, live)
    for one in live:
        orders.take_over(connection, _as_stored(one.draft, ours.get(one.draft.reference)))


def _ours(connection: Connection, run: Run, case_id: UUID) -> Sequence[Row[Any]]:
    family = run.lane.split("|")[1]
    destination = run.lane.split("|")[0]
    query = select(t.messages).where(
        _m.case_id == case_id, _m.destination == destination, _m.effect.startswith(f"{family}.")
    )
    newest = connection.execute(query.order_by(_m.generation, _m.number)).all()
    generation = max((row.generation for row in newest), default=1)
    return [row for row in newest if row.generation == generation]


def _as_stored(draft: Draft, row: Row[Any] | None) -> Draft:
    """Under the key that the message has here."""
    if row is None:
        return draft
    identity = replace(draft.identity, generation=row.generation, effect=row.effect, number=row.number)
    return replace(draft, identity=identity)


def _name_lost(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """What we hold as arrived and they do not know: they have lost it, or it was never there."""
    for row in rows:
        if row.state in (MessageState.DELIVERED, MessageState.CONFIRMED):
            raise_point(connection, contradiction_point(row, "Laut Hauptbuch angekommen, am Ziel unbekannt"))


def _left_otherwise(row: Row[Any], one: Theirs) -> bool:
    """Our bytes had left, and they have another sum: no matter of an old ledger."""
    left = row.state not in _NEVER_LEFT and row.state != MessageState.REFUSED
    return left and row.amount_cents != one.draft.amount_cents


def _write(connection: Connection, run: Run, row: Row[Any] | None, one: Theirs, counts: dict[str, int]) -> None:
    draft, state = one.draft, one.state
    if row is not None and row.state == state and row.amount_cents == draft.amount_cents:
        counts["known"] += 1
        return
    digest = hashlib.sha256(draft.payload).hexdigest()
    if row is None:
        values = message_values(run, replace(draft, state=state), digest)
        connection.execute(insert(t.messages).values(**values, note=NOTE, remote_id=one.receipt.remote_id[:80]))
        connection.execute(insert(t.message_bytes).values(**bytes_values(connection, draft.identity.key, draft)))
    else:
        changed: dict[str, Any] = {"state": state.value, "note": NOTE, "updated_at": now()}
        if one.receipt.remote_id:
            changed["remote_id"] = one.receipt.remote_id[:80]
        if row.amount_cents != draft.amount_cents or row.effect != draft.identity.effect:
            changed |= {"amount_cents": draft.amount_cents, "basis": draft.basis, "sha256": digest}
            changed |= {"effect": draft.identity.effect, "voucher": draft.voucher, "mapping": "", "mapping_digest": ""}
            bytes_ = bytes_values(connection, row.key, draft)
            connection.execute(update(t.message_bytes).where(t.message_bytes.c.key == row.key).values(**bytes_))
        else:
            digest = row.sha256
        connection.execute(update(t.messages).where(_m.key == row.key).values(**changed))
    key = draft.identity.key if row is None else row.key
    _tell(connection, run, row, key, one, digest)
    counts[state.value] += 1


def _tell(connection: Connection, run: Run, row: Row[Any] | None, key: UUID, one: Theirs, digest: str) -> None:
    draft, state = one.draft, one.state
    before = row.state if row is not None else ""
    step = {"message_key": key, "at": now(), "fence": run.fence, "before": before, "after": state.value, "note": NOTE}
    connection.execute(insert(t.attempts).inline().values(**step))
    for unit in (MESSAGE, BYTES):
        touch(connection, unit, key, case=draft.identity.case_id)
    body = {
        "reference": draft.reference,
        "destination": draft.identity.destination,
        "state": state.value,
        "amount_cents": draft.amount_cents,
        "sha256": digest,
    }
    append_event(connection, draft.identity.case_id, TAKEN_OVER, body)
    close_points(connection, [(kind, str(key)) for kind in _ANSWERED])
    if state is MessageState.REFUSED:
        raise_point(connection, refused_point(message_rows(connection, [key])[key], one.receipt.event))


@dataclass
class _Money:
    """A case's commitment as their orders add up to it, in cents."""

    state: CommitmentState = CommitmentState.REFUSED
    booked: int = 0
    held: int = 0
    reference: str = ""
    area: tuple[str, int, str] | None = None


def _settle_money(connection: Connection, case_id: UUID, theirs: Sequence[Theirs]) -> None:
    """The commitment and what it holds of the budget become theirs, also beyond the budget: it is spent there."""
    money = _Money()
    for one in sorted(theirs, key=lambda each: each.draft.identity.number):
        _add_up(money, one)
    if money.area is None:
        return
    row = connection.execute(select(t.commitments).where(_c.case_id == case_id).with_for_update()).one_or_none()
    before = (row.process_id, row.fiscal_year, row.area_id) if row is not None else money.area
    _take(connection, before, -(row.held_cents if row is not None else 0))
    _take(connection, money.area, money.held)
    process_id, fiscal_year, area_id = money.area
    values = {
        "process_id": process_id,
        "fiscal_year": fiscal_year,
        "area_id": area_id,
        "state": money.state.value,
        "booked_cents": money.booked,
        "held_cents": money.held,
        "reference": money.reference,
        "at": now(),
    }
    insert_or_ignore(connection, t.commitments, {"case_id": case_id, **values})
    connection.execute(update(t.commitments).where(_c.case_id == case_id).values(**values))
    touch(connection, COMMITMENT, case_id, case=case_id)


def _add_up(money: _Money, one: Theirs) -> None:
    amount, refused = one.draft.amount_cents or 0, one.state is MessageState.REFUSED
    booked = one.state is MessageState.CONFIRMED
    money.area = money.area or one.draft.area
    match one.draft.identity.effect.partition(".")[2]:
        case "book":
            if refused:
                money.reference = money.reference or one.draft.reference
                return
            money.reference, money.area = one.draft.reference, one.draft.area
            money.state = CommitmentState.BOOKED if booked else CommitmentState.REQUESTED
            money.booked, money.held = amount if booked else 0, amount
        case "change" if not refused:
            money.state = CommitmentState.BOOKED if booked else CommitmentState.REQUESTED
            money.booked = amount if booked else money.booked
            money.held = amount if booked else max(money.booked, amount)
        case "cancel" if not refused:
            money.state = CommitmentState.CANCELLED if booked else CommitmentState.CANCEL_REQUESTED
            money.booked, money.held = (0, 0) if booked else (money.booked, money.held)


def _take(connection: Connection, area: tuple[str, int, str], more: int) -> None:
    process_id, fiscal_year, area_id = area
    this = (_b.process_id == process_id, _b.fiscal_year == fiscal_year, _b.area_id == area_id)
    nothing = {"amount_cents": 0, "limit_cents": 0, "status": BudgetStatus.RELEASED.value, "chapter": "", "title": ""}
    named = {"process_id": process_id, "fiscal_year": fiscal_year, "area_id": area_id, "at": now()}
    insert_or_ignore(connection, t.budgets, {**named, **nothing, "committed_cents": 0})
    row = connection.execute(select(_b.committed_cents, _b.limit_cents).where(*this).with_for_update()).one()
    committed = row.committed_cents + more
    limit = max(row.limit_cents, committed)
    connection.execute(update(t.budgets).where(*this).values(committed_cents=committed, limit_cents=limit))
    touch(connection, BUDGET, *area)


def _question(row: Row[Any], owner: str) -> Point:
    text = (
        f"{row.reference}: Nach einer zurückgespielten Sicherung weiß niemand, ob das schon bei {row.destination} "
        "liegt. Bitte dort nachsehen; bis zur Antwort geht nichts hinaus"
    )
    answers = (Answer.THERE, Answer.NOT_THERE)
    return Point(Kind.PRESENT, str(row.key), row.route, owner, text, answers, row.case_id, row.key)
