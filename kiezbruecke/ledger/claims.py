"""Claims, sending, settling: compare-and-set with the run's fence, so that two runs at once never send twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, or_, select, text, tuple_, update

from kiezbruecke.connector import Batch, BatchHead, Message, Ticket
from kiezbruecke.errors import RecordError
from kiezbruecke.ledger import recoveries, releases
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import about_carrier, about_message, opened, sealed
from kiezbruecke.ledger.chains import Altered, altered
from kiezbruecke.ledger.database import Ledger, now, vault_of
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.drafts import next_serial, series_of_carriers
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import touch
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.receipts import Word, apply_receipts
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import APPROVAL, BATCH, BYTES, MESSAGE, Key, Unit
from kiezbruecke.ledger.sets import among, rows_among, slices, write_all, write_among
from kiezbruecke.ledger.states import WITHDRAWN, MessageState
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_point, close_points, raise_point, raise_points
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.vault import Vault

CHUNK = 100

Compose = Callable[[BatchHead, Sequence[Message], Sequence[Message]], tuple[str, bytes]]
Result = tuple[Receipt | MessageState, str]  # their word or the new state, and a note that holds no content

_m, _b = t.messages.c, t.message_bytes.c
_WITH_BYTES = select(
    *(_m[name] for name in Message.__dataclass_fields__ if name not in ("payload", "marks")),
    *(_m.ticket, _m.batch_id, _b.payload),
).join_from(t.messages, t.message_bytes, _b.key == _m.key)
_WAITING = (_m.lane == bindparam("of_lane"), text(t.CLAIMABLE), _m.fence < bindparam("below"))
_IN_LINE = (_m.fence, _m.created_at, _m.reference)  # what has failed before waits behind what was never tried
_NEXT = select(_m.key, _m.case_id, _m.destination).where(*_WAITING).order_by(*_IN_LINE)
_CLAIMABLE = _NEXT.limit(bindparam("count")).with_for_update(skip_locked=True)
_ALL_CLAIMABLE = _NEXT.with_for_update(skip_locked=True)
_CARRIER = (
    select(_m.batch_id)
    .where(*_WAITING, text("batch_id IS NOT NULL"))
    .order_by(_m.fence)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_ON_CARRIER = (
    select(_m.key)
    .where(*_WAITING, _m.batch_id == bindparam("carrier"))
    .order_by(*_IN_LINE)
    .with_for_update(skip_locked=True)
)
_CARRIED = select(_m.key).where(_m.batch_id == bindparam("carrier")).order_by(_m.created_at, _m.reference)
_CLAIM = (
    update(t.messages)
    .where(among(_m.key))
    .values(state=MessageState.CLAIMED.value, fence=bindparam("own"), updated_at=bindparam("moment"))
)
_PUT_ON = update(t.messages).where(among(_m.key)).values(batch_id=bindparam("carrier"))
_MESSAGES = _WITH_BYTES.where(among(_m.key))
_IN_STATE = select(_m.key).where(_m.lane == bindparam("of_lane"), _m.state == bindparam("now"))
_ASKED_AFTER = (  # first what was asked least
    select(_m.key, _m.asked)
    .where(
        _m.lane == bindparam("of_lane"),
        _m.state == MessageState.DELIVERED.value,
        _m.ticket.is_not(None),
        or_(_m.ask_after.is_(None), _m.ask_after <= bindparam("moment")),
    )
    .order_by(_m.asked, _m.updated_at, _m.reference)
    .limit(bindparam("most"))
)
_NOTE_ASKED = (
    update(t.messages)
    .where(_m.key == bindparam("message"))
    .values(asked=bindparam("times"), ask_after=bindparam("moment"))
)
_asked, _seen = t.attention.c, t.attempts.c
_LEFT = (
    select(func.count())
    .select_from(t.messages)
    .where(
        _m.lane == bindparam("of_lane"),
        or_(
            text(t.CLAIMABLE),
            (_m.state == MessageState.IN_DOUBT.value)
            & ~exists().where(_asked.message_key == _m.key, _asked.kind == "in_doubt", _asked.closed_at.is_(None)),
        ),
    )
)
_BEGUN = select(func.count(_seen.message_key.distinct())).where(
    _seen.message_key == _m.key,
    _seen.after == MessageState.SENDING.value,
    _seen.at >= bindparam("since"),
    _m.destination == bindparam("there"),
    _m.effect.like(bindparam("family")),
    _m.updated_at >= bindparam("since"),
    _m.state.not_in((MessageState.WAITING.value, MessageState.CLAIMED.value)),
)
_NOTED = select(_seen.message_key).where(among(_seen.message_key), _seen.note == bindparam("word")).distinct()
_KEEP_TICKET = update(t.messages).where(_m.key == bindparam("message")).values(ticket=bindparam("theirs"))
_HAND_OVER = update(t.messages).where(among(_m.key)).values(fence=bindparam("own"))
_newer = t.messages.alias("newer")
_THERE = (MessageState.DELIVERED.value, MessageState.CONFIRMED.value)
_STANDING = (  # the newest message of every case that the destination has
    select(_m.key, _m.case_id)
    .where(
        _m.lane == bindparam("of_lane"),
        _m.state.in_(_THERE),
        ~exists().where(
            _newer.c.case_id == _m.case_id,
            _newer.c.lane == _m.lane,
            _newer.c.state.in_(_THERE),
            tuple_(_newer.c.generation, _newer.c.number) > tuple_(_m.generation, _m.number),
        ),
    )
    .order_by(_m.case_id)
)


@dataclass(frozen=True)
class Asked:
    """A delivered message whose transport is asked after, and how often it was before."""

    message: Message
    ticket: Ticket
    times: int


def claim(ledger: Ledger, run: Run, limit: int = CHUNK) -> list[tuple[Message, Ticket | None]]:
    """Take up to `limit` waiting messages in hand; also those that an older run had claimed and not sent."""
    aside = _Aside()
    with ledger.write() as connection:
        guard(connection, run)
        rows = _rows(connection, _take_in_hand(connection, run, limit, aside))
        messages = _marked(connection, rows)
    _put_aside(ledger, run, aside)
    return [(one, Ticket(row.ticket) if row.ticket else None) for one, row in zip(messages, rows, strict=True)]


def claim_batch(
    ledger: Ledger, run: Run, compose: Compose, *, year: int, test: bool, full_list: bool, limit: int = CHUNK
) -> tuple[Batch, list[Message]] | None:
    """Claim messages with their carrier: id, file name and bytes are fixed in the same transaction.

    A carrier whose bytes were stored before goes first, with these bytes and the same id, and all its messages:
    those that are settled already are not touched again.
    """
    aside = _Aside()
    claimed = _claim_batch(ledger, run, compose, aside, year=year, test=test, full_list=full_list, limit=limit)
    _put_aside(ledger, run, aside)
    return claimed


def _claim_batch(
    ledger: Ledger, run: Run, compose: Compose, aside: _Aside, *, year: int, test: bool, full_list: bool, limit: int
) -> tuple[Batch, list[Message]] | None:
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        if old := connection.execute(_CARRIER, _waiting(run)).scalar_one_or_none():
            keys = connection.execute(_ON_CARRIER, {**_waiting(run), "carrier": old}).scalars().all()
            _mark_claimed(connection, run, keys)
            return _stored_batch(connection, old), _carried(connection, old)
        rows = _rows(connection, _take_in_hand(connection, run, None if full_list else limit, aside))
        standing = _standing(connection, run, {row.case_id for row in rows}) if full_list and rows else []
        if not rows or standing is None:
            return None
        head = _new_head(connection, rows[0].destination, year, test)
        composed = _compose(connection, compose, head, _marked(connection, rows), standing)
        if composed is None:
            return None
        messages, file_name, payload = composed
        _store_batch(connection, head, file_name, payload, confidential=any(map(_is_confidential, messages)))
        write_among(connection, _PUT_ON, (message.key for message in messages), carrier=head.id)
        for message in messages:
            touch(connection, MESSAGE, message.key, case=message.case_id)
        return Batch(head, file_name, payload), messages


def withdraw(ledger: Ledger, run: Run, keys: Sequence[UUID]) -> int:
    """Take back messages of which nothing has ever left; how many."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = message_rows(connection, keys)
        never_left = (MessageState.WAITING, MessageState.HELD)
        waiting = [key for key in keys if key in rows and rows[key].state in never_left]
        moves = [Move(rows[key], MessageState.REFUSED, WITHDRAWN) for key in _sound(connection, waiting)]
        back = move_all(connection, moves)
        close_points(connection, [(Kind.UNRELEASED, str(key)) for key in back])
        return len(back)


def keep_tickets(ledger: Ledger, run: Run, tickets: Mapping[UUID, Ticket]) -> None:
    """Commit the destination's ids before anything is sent under them."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        held = _held_by(connection, run, tickets)
        write_all(connection, _KEEP_TICKET, [{"message": key, "theirs": tickets[key].id} for key in held])
        for key, row in held.items():
            touch(connection, MESSAGE, key, case=row.case_id)


def begin_sending(ledger: Ledger, run: Run, keys: Sequence[UUID], carrier: str = "") -> list[UUID]:
    """Committed directly before the first byte. Only these keys may be sent: stored is what was recorded of them.

    None where a destination recovers, and nothing of a carrier if one of its messages, or its bytes, are not so.
    """
    try:
        return _begin_sending(ledger, run, keys, carrier, (BYTES, APPROVAL))
    except Altered:  # the commit has compared the messages, which it seals anew: now they are looked at one by one
        return _begin_sending(ledger, run, keys, carrier, (MESSAGE, BYTES, APPROVAL))


def _begin_sending(ledger: Ledger, run: Run, keys: Sequence[UUID], carrier: str, units: Sequence[Unit]) -> list[UUID]:
    """`units`: what of the messages is compared here; whatever was altered becomes a point and stays."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = _held_by(connection, run, keys)
        claimed = [rows[key] for key in keys if key in rows and rows[key].state == MessageState.CLAIMED]
        if carrier and altered(connection, {BATCH: {(carrier,): None}}):
            changed = claimed
        else:
            changed = _changed_unseen(connection, claimed, units)
        raise_points(connection, map(_altered_point, changed))
        stays = {row.key for row in changed}
        void = releases.unreleased(connection, [row.key for row in claimed if row.key not in stays])
        releases.put_back(connection, void)
        stays |= void
        if carrier and (stays or releases.holds_a_carrier(connection, carrier)):
            stays = {row.key for row in claimed}  # stored bytes cannot go without one of their messages
        sound = [row for row in claimed if row.key not in stays]
        close_points(connection, [(Kind.ALTERED, str(row.key)) for row in sound])
        for destination in {row.destination for row in sound}:
            recoveries.count_send(connection, destination)
        return move_all(connection, [Move(row, MessageState.SENDING) for row in sound])


def settle(ledger: Ledger, run: Run, key: UUID, result: Receipt | MessageState, note: str = "") -> None:
    """What became of a message that this run has sent. An overtaken run changes nothing."""
    settle_all(ledger, run, {key: (result, note)})


def settle_all(ledger: Ledger, run: Run, results: Mapping[UUID, Result]) -> None:
    """What became of messages that this run has sent, in one transaction."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = _held_by(connection, run, results)
        held = [(rows[key], result) for key, result in results.items() if key in rows]
        apply_receipts(connection, [Word(row, said) for row, (said, _) in held if isinstance(said, Receipt)])
        states = [(row, said, note) for row, (said, note) in held if not isinstance(said, Receipt)]
        move_all(connection, [Move(row, state, note) for row, state, note in states])


def settle_doubt(ledger: Ledger, run: Run, key: UUID, note: str) -> None:
    """Out of doubt the same bytes may go again, in this very run but behind what was never tried."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        row = _held_by(connection, run, [key]).get(key)
        if row is not None and row.state == MessageState.IN_DOUBT:
            move_all(connection, [Move(row, MessageState.WAITING, note)])
            write_among(connection, _HAND_OVER, [key], own=run.fence - 1)
            close_point(connection, Kind.IN_DOUBT, str(key))


def send_again(ledger: Ledger, run: Run, key: UUID, note: str, by: Person) -> bool:
    """Because a person says so the same bytes wait once more, under the same id; False where it is somewhere else."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        row = message_rows(connection, [key]).get(key)
        if row is None or row.state not in (MessageState.IN_DOUBT, MessageState.DELIVERED):
            return False
        close_point(connection, Kind.IN_DOUBT, str(key))
        return bool(move_all(connection, [Move(row, MessageState.WAITING, note, by=by)]))


def sent_with(ledger: Ledger, key: UUID) -> tuple[Message, Ticket | None, Batch | None]:
    """A message with their id for it and the carrier that it went with."""
    with ledger.read() as connection:
        [row] = _rows(connection, [key])
        batch = _stored_batch(connection, row.batch_id) if row.batch_id else None
    return _message(row, ledger.vault), Ticket(row.ticket) if row.ticket else None, batch


def take_over(ledger: Ledger, run: Run) -> int:
    """What an older run was sending when it ended or was overtaken is in doubt; nobody knows."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = message_rows(connection, _keys_in(connection, run, MessageState.SENDING))
        left = [row.key for row in rows.values() if row.fence < run.fence]
        move_all(
            connection,
            [Move(rows[key], MessageState.IN_DOUBT, "Lauf abgebrochen") for key in _sound(connection, left)],
        )
        write_among(connection, _HAND_OVER, _keys_in(connection, run, MessageState.IN_DOUBT), own=run.fence)
    return len(left)


def in_doubt(ledger: Ledger, run: Run) -> list[tuple[Message, Ticket | None, Batch | None]]:
    """The lane's messages of which nobody knows whether they arrived, with their carriers."""
    with ledger.read() as connection:
        rows = _rows(connection, _keys_in(connection, run, MessageState.IN_DOUBT))
        batches = {id_: _stored_batch(connection, id_) for id_ in sorted({row.batch_id for row in rows} - {None})}
    return [
        (_message(row, ledger.vault), Ticket(row.ticket) if row.ticket else None, batches.get(row.batch_id))
        for row in rows
    ]


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


def left(ledger: Ledger, run: Run) -> int:
    """How many of the lane's messages could have gone and have not; where a person is asked it is the person's."""
    with ledger.read() as connection:
        return int(connection.execute(_LEFT, {"of_lane": run.lane}).scalar_one())


def begun_since(ledger: Ledger, destination: str, family: str, since: datetime) -> int:
    """How many messages of a family may have reached a destination since then; what has provably not left is none."""
    given = {"there": destination, "family": f"{family}.%", "since": since}
    with ledger.read() as connection:
        return int(connection.execute(_BEGUN, given).scalar_one())


def noted_before(ledger: Ledger, keys: Iterable[UUID], note: str) -> set[UUID]:
    """Those of the messages that have ended a try with this note already."""
    with ledger.read() as connection:
        return {row.message_key for row in rows_among(connection, _NOTED, keys, word=note)}


def delivered_unsettled(ledger: Ledger, run: Run, most: int) -> Iterator[list[Asked]]:
    """Delivered messages with a ticket whose receipt is missing, in chunks: their transport can be asked after.

    Each is asked after soon, and then less and less often; `most` is the limit of one run.
    """
    with ledger.read() as connection:
        given = {"of_lane": run.lane, "moment": now(), "most": most}
        times = {row.key: row.asked for row in connection.execute(_ASKED_AFTER, given)}
    for keys in slices(list(times), CHUNK):
        with ledger.read() as connection:
            rows = _rows(connection, keys)
        yield [Asked(_message(row, ledger.vault), Ticket(row.ticket), times[row.key]) for row in rows]


def note_receipts(ledger: Ledger, run: Run, said: Mapping[UUID, Receipt], asked: Iterable[Asked] = ()) -> None:
    """Words about messages that no run holds any more (transport reports), and which were asked after, at once."""
    at = now()
    notes = [{"message": one.message.key, "times": one.times + 1, "moment": at + _distance(one.times)} for one in asked]
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = message_rows(connection, said)
        apply_receipts(connection, [Word(rows[key], receipt) for key, receipt in said.items() if key in rows])
        write_all(connection, _NOTE_ASKED, notes)


def _distance(times: int) -> timedelta:
    """How long to wait after so many questions: 10 minutes, 30, 90 … at most a day."""
    return timedelta(minutes=min(10 * 3 ** min(times, 6), 24 * 60))


def find_message(ledger: Ledger, key: UUID) -> Message | None:
    """A message with its bytes."""
    with ledger.read() as connection:
        rows = _rows(connection, [key])
    return _message(rows[0], ledger.vault) if rows else None


def _changed_unseen(connection: Connection, rows: Sequence[Row[Any]], units: Sequence[Unit]) -> list[Row[Any]]:
    """Messages of which somebody has changed one of these behind the evidence's back."""
    cases: dict[Key, UUID | None] = {(row.key,): row.case_id for row in rows}
    changed = {key for titles in altered(connection, dict.fromkeys(units, cases)).values() for (key,) in titles}
    return [row for row in rows if row.key in changed]


def _altered_point(row: Row[Any]) -> Point:
    text = f"{row.reference}: Was gespeichert ist, wurde an der Software vorbei verändert; es ist nicht hinausgegangen"
    return Point(Kind.ALTERED, str(row.key), row.route, row.owner, text, (), row.case_id, row.key)


def _waiting(run: Run) -> dict[str, Any]:
    """What this run has had in hand already waits for the next one."""
    return {"of_lane": run.lane, "below": run.fence}


@dataclass
class _Aside:
    """What a claim has met and does not hand out: what somebody has changed, and what needs marks and lacks one."""

    changed: list[Row[Any]] = field(default_factory=list)
    void: set[UUID] = field(default_factory=set)


def _take_in_hand(connection: Connection, run: Run, limit: int | None, aside: _Aside) -> list[UUID]:
    """Claim what waits, up to `limit`, and give back what is as recorded: nothing is made of what was changed.

    Without a limit all of it is one list, which is whole or not sent.
    """
    while keys := [row.key for row in _next(connection, run, limit)]:
        _mark_claimed(connection, run, keys)  # what was changed as well: it is not asked for again in this run
        changed = _altered(connection, keys)
        aside.changed += changed
        sound = _but(keys, changed)
        aside.void |= (lacking := releases.unreleased(connection, sound))
        sound = [key for key in sound if key not in lacking]
        if limit is None:
            return sound if len(sound) == len(keys) else []
        if sound:
            return sound
    return []


def _put_aside(ledger: Ledger, run: Run, aside: _Aside) -> None:
    """In a transaction of its own: the claim has locked messages without waiting for its turn."""
    if aside.changed or aside.void:
        with ledger.write() as connection:
            one_at_a_time(connection)
            guard(connection, run)
            raise_points(connection, map(_altered_point, aside.changed))
            releases.put_back(connection, list(_held_by(connection, run, aside.void)))


def _sound(connection: Connection, keys: Sequence[UUID]) -> list[UUID]:
    """Those of the messages that are as recorded; a point names each of the others."""
    changed = _altered(connection, keys)
    raise_points(connection, map(_altered_point, changed))
    return _but(keys, changed)


def _altered(connection: Connection, keys: Sequence[UUID]) -> list[Row[Any]]:
    return _changed_unseen(connection, list(message_rows(connection, keys).values()), (MESSAGE, BYTES, APPROVAL))


def _but(keys: Sequence[UUID], rows: Sequence[Row[Any]]) -> list[UUID]:
    out = {row.key for row in rows}
    return [key for key in keys if key not in out]


def _next(connection: Connection, run: Run, limit: int | None) -> Sequence[Any]:
    if limit is None:
        return connection.execute(_ALL_CLAIMABLE, _waiting(run)).all()
    return connection.execute(_CLAIMABLE, {**_waiting(run), "count": limit}).all()


def _held_by(connection: Connection, run: Run, keys: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    """Those of the messages that this run has in hand, locked."""
    return {key: row for key, row in message_rows(connection, keys).items() if row.fence == run.fence}


def _keys_in(connection: Connection, run: Run, state: MessageState, which: Any = _IN_STATE) -> Sequence[UUID]:
    return connection.execute(which, {"of_lane": run.lane, "now": state.value}).scalars().all()


def _rows(connection: Connection, keys: Sequence[UUID]) -> list[Row[Any]]:
    """Messages with their bytes, in the order of the keys."""
    rows = {row.key: row for row in rows_among(connection, _MESSAGES, keys)}
    return [rows[key] for key in keys if key in rows]


def _new_head(connection: Connection, destination: str, year: int, test: bool) -> BatchHead:
    number = next_serial(connection, series_of_carriers(destination), year)
    return BatchHead(recoveries.batch_id(connection, destination, year, number), destination, now(), year, test)


def _compose(
    connection: Connection, compose: Compose, head: BatchHead, messages: list[Message], standing: Sequence[Message]
) -> tuple[list[Message], str, bytes] | None:
    """The carrier's bytes. A message that fits into none is refused, so that it does not hold back the others."""
    try:
        return messages, *compose(head, messages, standing)
    except RecordError:
        unfit = {message.key: why for message in messages if (why := _why_unfit(compose, head, message))}
        fitting = [message for message in messages if message.key not in unfit]
        if not unfit:
            fitting = messages[:1]  # each fits, together they do not; the next run takes the others
        rows = message_rows(connection, unfit)
        apply_receipts(connection, [Word(rows[key], why) for key, why in unfit.items()])
        return (fitting, *compose(head, fitting, standing)) if fitting else None


def _why_unfit(compose: Compose, head: BatchHead, message: Message) -> Receipt | None:
    try:
        compose(head, [message], [])
    except RecordError as error:
        return Receipt(outcome=ReceiptOutcome.REFUSED, event="Sammelauftrag", text=error.line())
    return None


def _mark_claimed(connection: Connection, run: Run, keys: Sequence[UUID]) -> None:
    write_among(connection, _CLAIM, keys, own=run.fence, moment=now())


def _standing(connection: Connection, run: Run, but: Collection[UUID]) -> list[Message] | None:
    """The newest message of every other case of the lane that the destination has; None if one was changed since."""
    rows = connection.execute(_STANDING, {"of_lane": run.lane}).all()
    keys = [row.key for row in rows if row.case_id not in but]
    return _messages(connection, keys) if len(_sound(connection, keys)) == len(keys) else None


def _is_confidential(message: Message) -> bool:
    return booked(message.effect).confidential


def _store_batch(
    connection: Connection, head: BatchHead, file_name: str, payload: bytes, *, confidential: bool
) -> None:
    connection.execute(
        insert(t.batches).values(
            id=head.id,
            destination=head.destination,
            file_name=file_name,
            payload=sealed(connection, payload, about_carrier(head.id)) if confidential else payload,
            sha256=hashlib.sha256(payload).hexdigest(),
            fiscal_year=head.fiscal_year,
            test=head.test,
            created_at=head.created_at,
        )
    )
    touch(connection, BATCH, head.id)


def _stored_batch(connection: Connection, batch_id: str) -> Batch:
    row = connection.execute(select(t.batches).where(t.batches.c.id == batch_id)).one()
    head = BatchHead(row.id, row.destination, row.created_at, row.fiscal_year, row.test)
    return Batch(head, row.file_name, opened(connection, row.payload, about_carrier(row.id)))


def _carried(connection: Connection, batch_id: str) -> list[Message]:
    keys = connection.execute(_CARRIED, {"carrier": batch_id}).scalars().all()
    return _marked(connection, _rows(connection, keys))


def _marked(connection: Connection, rows: Sequence[Row[Any]]) -> list[Message]:
    """Messages with the marks that people have given them."""
    marks = releases.marks_of(connection, [row.key for row in rows])
    return [replace(_message(row, vault_of(connection)), marks=marks.get(row.key, ())) for row in rows]


def _messages(connection: Connection, keys: Sequence[UUID]) -> list[Message]:
    return [_message(row, vault_of(connection)) for row in _rows(connection, keys)]


def _message(row: Row[Any], vault: Vault) -> Message:
    return Message(
        key=row.key,
        destination=row.destination,
        generation=row.generation,
        case_id=row.case_id,
        effect=row.effect,
        number=row.number,
        reference=row.reference,
        payload=vault.open(row.payload, about_message(row.key)),
        file_name=row.file_name,
        media_type=row.media_type,
        created_at=row.created_at,
        test=row.test,
        facts=row.facts,
    )
