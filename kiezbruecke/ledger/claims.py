"""Claims, sending, settling: compare-and-set with the run's fence, so that two runs at once never send twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from kiezbruecke.connector import Batch, BatchHead, Message, Ticket
from kiezbruecke.errors import RecordError
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.drafts import next_serial
from kiezbruecke.ledger.moves import message_row, move
from kiezbruecke.ledger.receipts import apply_receipt
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.states import WITHDRAWN, MessageState
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_point, raise_point
from kiezbruecke.records import Receipt, ReceiptOutcome

CHUNK = 100

Compose = Callable[[BatchHead, Sequence[Message], Sequence[Message]], tuple[str, bytes]]


def claim(ledger: Ledger, run: Run, limit: int = CHUNK) -> list[tuple[Message, Ticket | None]]:
    """Take up to `limit` waiting messages in hand; also those that an older run had claimed and not sent."""
    with ledger.write() as connection:
        guard(connection, run)
        rows = connection.execute(_claimable(run).limit(limit)).all()
        _mark_claimed(connection, run, rows)
        return [(_message(row), Ticket(row.ticket) if row.ticket else None) for row in rows]


def claim_batch(
    ledger: Ledger, run: Run, compose: Compose, *, year: int, test: bool, full_list: bool, limit: int = CHUNK
) -> tuple[Batch, list[Message]] | None:
    """Claim messages with their carrier: id, file name and bytes are fixed in the same transaction.

    A carrier whose bytes were stored before goes first, with these bytes and the same id, and all its messages:
    those that are settled already are not touched again.
    """
    with ledger.write() as connection:
        guard(connection, run)
        rows = connection.execute(_claimable(run)).all()
        if not rows:
            return None
        old = next((row.batch_id for row in rows if row.batch_id), None)
        if old:
            _mark_claimed(connection, run, [row for row in rows if row.batch_id == old])
            return _stored_batch(connection, old), _carried(connection, old)
        if not full_list:  # a list that is always whole is never published in parts
            rows = rows[:limit]
        _mark_claimed(connection, run, rows)
        head = _new_head(connection, rows[0].destination, year, test)
        standing = _standing(connection, run, [row.case_id for row in rows]) if full_list else []
        composed = _compose(connection, compose, head, [_message(row) for row in rows], standing)
        if composed is None:
            return None
        messages, file_name, payload = composed
        _store_batch(connection, head, file_name, payload)
        connection.execute(
            update(t.messages).where(t.messages.c.key.in_([m.key for m in messages])).values(batch_id=head.id)
        )
        return Batch(head, file_name, payload), messages


def withdraw(ledger: Ledger, run: Run, keys: Sequence[UUID]) -> int:
    """Take back messages of which nothing has ever left; how many."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        return sum(
            move(connection, key, MessageState.REFUSED, note=WITHDRAWN, expect=MessageState.WAITING) for key in keys
        )


def keep_tickets(ledger: Ledger, run: Run, tickets: Mapping[UUID, Ticket]) -> None:
    """Commit the destination's ids before anything is sent under them."""
    with ledger.write() as connection:
        guard(connection, run)
        for key, ticket in tickets.items():
            connection.execute(
                update(t.messages)
                .where(t.messages.c.key == key, t.messages.c.fence == run.fence)
                .values(ticket=ticket.id)
            )


def begin_sending(ledger: Ledger, run: Run, keys: Sequence[UUID]) -> list[UUID]:
    """Committed directly before the first byte. Only these keys may be sent."""
    with ledger.write() as connection:
        guard(connection, run)
        return [
            key
            for key in keys
            if move(connection, key, MessageState.SENDING, note="", fence=run.fence, expect=MessageState.CLAIMED)
        ]


def settle(ledger: Ledger, run: Run, key: UUID, result: Receipt | MessageState, note: str = "") -> None:
    """What became of a message that this run has sent. An overtaken run changes nothing."""
    with ledger.write() as connection:
        guard(connection, run)
        settle_one(connection, run, key, result, note)


def settle_all(ledger: Ledger, run: Run, results: Mapping[UUID, tuple[Receipt | MessageState, str]]) -> None:
    """The same for the messages of a carrier, in one transaction."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        for key, (result, note) in results.items():
            settle_one(connection, run, key, result, note)


def settle_one(connection: Connection, run: Run, key: UUID, result: Receipt | MessageState, note: str) -> None:
    """Apply a receipt or a state to a message held by this run."""
    row = message_row(connection, key)
    if row is None or row.fence != run.fence:
        return
    if isinstance(result, Receipt):
        apply_receipt(connection, row, result)
    else:
        move(connection, key, result, note=note, fence=run.fence)


def settle_doubt(ledger: Ledger, run: Run, key: UUID, note: str) -> None:
    """Out of doubt the same bytes may go again, in this very run but behind what was never tried."""
    with ledger.write() as connection:
        guard(connection, run)
        if move(connection, key, MessageState.WAITING, note=note, fence=run.fence, expect=MessageState.IN_DOUBT):
            connection.execute(update(t.messages).where(t.messages.c.key == key).values(fence=run.fence - 1))
            close_point(connection, Kind.IN_DOUBT, str(key))


def take_over(ledger: Ledger, run: Run) -> int:
    """What an older run was sending when it ended or was overtaken is in doubt; nobody knows."""
    with ledger.write() as connection:
        guard(connection, run)
        rows = connection.execute(
            select(t.messages.c.key).where(
                t.messages.c.lane == run.lane,
                t.messages.c.state == MessageState.SENDING.value,
                t.messages.c.fence < run.fence,
            )
        ).all()
        for row in rows:
            move(connection, row.key, MessageState.IN_DOUBT, note="Lauf abgebrochen")
        connection.execute(
            update(t.messages)
            .where(t.messages.c.lane == run.lane, t.messages.c.state == MessageState.IN_DOUBT.value)
            .values(fence=run.fence)
        )
    return len(rows)


def in_doubt(ledger: Ledger, run: Run) -> list[tuple[Message, Ticket | None, Batch | None]]:
    """The lane's messages of which nobody knows whether they arrived, with their carriers."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(t.messages).where(t.messages.c.lane == run.lane, t.messages.c.state == MessageState.IN_DOUBT.value)
        ).all()
        batches = {row.batch_id: _stored_batch(connection, row.batch_id) for row in rows if row.batch_id}
    return [(_message(row), Ticket(row.ticket) if row.ticket else None, batches.get(row.batch_id)) for row in rows]


def open_doubt(ledger: Ledger, run: Run, message: Message, owner: str, why: str) -> None:
    """Only a person can say what became of this message."""
    with ledger.write() as connection:
        guard(connection, run)
        raise_point(
            connection,
            Point(
                Kind.IN_DOUBT,
                str(message.key),
                run.route,
                owner,
                f"Niemand weiß, ob {message.reference} bei {message.destination} angekommen ist{why}",
                (Answer.ARRIVED, Answer.NOT_ARRIVED),
                message.case_id,
                message.key,
            ),
        )


def delivered_unsettled(ledger: Ledger, run: Run) -> list[tuple[Message, Ticket, datetime | None]]:
    """Delivered messages with a ticket whose receipt is missing: their transport can be asked after."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(t.messages).where(
                t.messages.c.lane == run.lane,
                t.messages.c.state == MessageState.DELIVERED.value,
                t.messages.c.ticket.is_not(None),
            )
        ).all()
    return [(_message(row), Ticket(row.ticket), row.remind_at) for row in rows]


def note_receipt(ledger: Ledger, run: Run, key: UUID, receipt: Receipt) -> None:
    """A word about a message that no run holds any more (a transport report)."""
    with ledger.write() as connection:
        guard(connection, run)
        row = message_row(connection, key)
        if row is not None:
            apply_receipt(connection, row, receipt)


def find_message(ledger: Ledger, key: UUID) -> Message | None:
    """A message with its bytes."""
    with ledger.read() as connection:
        row = connection.execute(select(t.messages).where(t.messages.c.key == key)).one_or_none()
    return _message(row) if row else None


def _claimable(run: Run) -> Any:
    m = t.messages.c
    return (
        select(t.messages)
        .where(
            m.lane == run.lane,
            m.state.in_([MessageState.WAITING.value, MessageState.CLAIMED.value]),
            m.fence < run.fence,  # what this run has had in hand already waits for the next one
        )
        .order_by(m.fence, m.created_at, m.reference)  # what has failed before waits behind what was never tried
        .with_for_update(skip_locked=True)
    )


def _new_head(connection: Connection, destination: str, year: int, test: bool) -> BatchHead:
    number = next_serial(connection, f"{destination}#batch"[:60], year)
    return BatchHead(f"KB{year % 100:02d}-{destination[:20]}-{number:06d}", destination, now(), year, test)


def _compose(
    connection: Connection, compose: Compose, head: BatchHead, messages: list[Message], standing: Sequence[Message]
) -> tuple[list[Message], str, bytes] | None:
    """The carrier's bytes. A message that fits into none is refused, so that it does not hold back the others."""
    try:
        return messages, *compose(head, messages, standing)
    except RecordError:
        fitting = [message for message in messages if _fits(connection, compose, head, message)]
        if len(fitting) == len(messages):
            fitting = messages[:1]  # each fits, together they do not; the next run takes the others
        return (fitting, *compose(head, fitting, standing)) if fitting else None


def _fits(connection: Connection, compose: Compose, head: BatchHead, message: Message) -> bool:
    try:
        compose(head, [message], [])
    except RecordError as error:
        row = message_row(connection, message.key)
        assert row is not None
        refused = Receipt(outcome=ReceiptOutcome.REFUSED, event="Sammelauftrag", text=error.line())
        apply_receipt(connection, row, refused)
        return False
    return True


def _mark_claimed(connection: Connection, run: Run, rows: Sequence[Row[Any]]) -> None:
    if not rows:
        return
    connection.execute(
        update(t.messages)
        .where(t.messages.c.key.in_([row.key for row in rows]))
        .values(state=MessageState.CLAIMED.value, fence=run.fence, updated_at=now())
    )


def _standing(connection: Connection, run: Run, but: Sequence[UUID]) -> list[Message]:
    """The newest message of every other case of the lane that the destination has."""
    m = t.messages.c
    rows = connection.execute(
        select(t.messages)
        .where(
            m.lane == run.lane,
            m.state.in_([MessageState.DELIVERED.value, MessageState.CONFIRMED.value]),
            m.case_id.not_in(but),
        )
        .order_by(m.case_id, m.generation, m.number)
    ).all()
    return list({row.case_id: _message(row) for row in rows}.values())


def _store_batch(connection: Connection, head: BatchHead, file_name: str, payload: bytes) -> None:
    connection.execute(
        insert(t.batches).values(
            id=head.id,
            destination=head.destination,
            file_name=file_name,
            payload=payload,
            sha256=hashlib.sha256(payload).hexdigest(),
            fiscal_year=head.fiscal_year,
            test=head.test,
            created_at=head.created_at,
        )
    )


def _stored_batch(connection: Connection, batch_id: str) -> Batch:
    row = connection.execute(select(t.batches).where(t.batches.c.id == batch_id)).one()
    head = BatchHead(row.id, row.destination, row.created_at, row.fiscal_year, row.test)
    return Batch(head, row.file_name, row.payload)


def _carried(connection: Connection, batch_id: str) -> list[Message]:
    rows = connection.execute(
        select(t.messages)
        .where(t.messages.c.batch_id == batch_id)
        .order_by(t.messages.c.created_at, t.messages.c.reference)
    ).all()
    return [_message(row) for row in rows]


def _message(row: Row[Any]) -> Message:
    return Message(
        key=row.key,
        destination=row.destination,
        generation=row.generation,
        case_id=row.case_id,
        effect=row.effect,
        number=row.number,
        reference=row.reference,
        payload=row.payload,
        file_name=row.file_name,
        media_type=row.media_type,
        created_at=row.created_at,
        test=row.test,
        facts=row.facts,
    )
