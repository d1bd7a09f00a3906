"""Messages' steps from one state to the next: compare-and-set, written down, with what they mean for the money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.changes import mark_changed
from kiezbruecke.ledger.database import now, write_last
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import append_event, sign, touch
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.seals import MESSAGE
from kiezbruecke.ledger.sets import among, in_runs, rows_among, write_all
from kiezbruecke.ledger.states import MessageState, may_follow

_TOLD = frozenset(
    {MessageState.HELD, MessageState.DELIVERED, MessageState.CONFIRMED, MessageState.REFUSED, MessageState.IN_DOUBT}
)

_m = t.messages.c
_HEAD = (
    *(_m.key, _m.destination, _m.case_id, _m.effect, _m.reference, _m.route, _m.owner),
    *(_m.state, _m.fence, _m.amount_cents, _m.test, _m.remote_id, _m.generation, _m.number),
)
_ROWS = select(*_HEAD).where(among(_m.key)).order_by(_m.key).with_for_update()
_MOVE = (
    update(t.messages)
    .where(_m.key == bindparam("message"))
    .values(
        state=bindparam("after"), note=bindparam("word"), remote_id=bindparam("remote"), updated_at=bindparam("moment")
    )
)
_ADD_ATTEMPT = insert(t.attempts).inline()


@dataclass(frozen=True)
class Move:
    """A message, as it was locked in this transaction, and the state it shall have. `note` holds no content."""

    row: Row[Any]
    after: MessageState
    note: str = ""
    remote_id: str | None = None  # their number, where they have told one
    by: Person | None = None  # who has looked there, and signs for it

    @property
    def is_legal(self) -> bool:
        """Whether the message is in a state from which that is allowed."""
        return may_follow(MessageState(self.row.state), self.after, by_a_person=self.by is not None)


def message_rows(connection: Connection, keys: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    """What steps ask of messages, by key, locked for this transaction; without those that are not there."""
    return {row.key: row for row in rows_among(connection, _ROWS, keys)}


def message_row(connection: Connection, key: UUID) -> Row[Any] | None:
    """One of them."""
    return message_rows(connection, [key]).get(key)


def move(
    connection: Connection, key: UUID, after: MessageState, *, note: str, expect: MessageState, by: Person
) -> bool:
    """Take one message from `expect` to `after`, because a person says so; False if it is somewhere else."""
    row = message_row(connection, key)
    if row is None or row.state != expect:
        return False
    return bool(move_all(connection, [Move(row, after, note, by=by)]))


def successor(connection: Connection, row: Row[Any]) -> str | None:
    """The Fremdkennzeichen of the newest message that followed this one in its lane, if one did."""
    later = (
        *(_m.case_id == row.case_id, _m.destination == row.destination, _m.test == row.test),
        *(_m.effect.like(f"{row.effect.partition('.')[0]}.%"), _m.generation >= row.generation),
        or_(_m.generation > row.generation, _m.number > row.number),
    )
    query = select(_m.reference).where(*later).order_by(_m.generation.desc(), _m.number.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def move_all(connection: Connection, steps: Sequence[Move]) -> list[UUID]:
    """Take the steps that are legal, each message at most one; the keys of these, in their order."""
    steps = [step for step in steps if step.is_legal]
    at = now()
    write_all(connection, _MOVE, [_moved(step, at) for step in steps])
    write_all(connection, _ADD_ATTEMPT, [_attempt(step, at) for step in steps])
    for follow, some in in_runs(steps, lambda step: None if step.row.test else booked(step.row.effect).follow):
        if follow is not None:
            follow(connection, [(step.row, step.after) for step in some])
    for step in steps:
        told, body = f"message.{step.after.value}", {"reference": step.row.reference, "key": str(step.row.key)}
        if step.by is not None:
            sign(connection, step.by, told, MESSAGE, step.row.key, case=step.row.case_id, **body, note=step.note)
            continue
        touch(connection, MESSAGE, step.row.key, case=step.row.case_id)
        if step.after in _TOLD or step.row.state == MessageState.IN_DOUBT:
            append_event(connection, step.row.case_id, told, {**body, "note": step.note})
        elif step.after is MessageState.WAITING:  # what was in hand may be taken back again
            write_last(connection, mark_changed, step.row.case_id)
    return [step.row.key for step in steps]


def _moved(step: Move, at: datetime) -> dict[str, Any]:
    remote = step.row.remote_id if step.remote_id is None else step.remote_id
    return {
        "message": step.row.key,
        "after": step.after.value,
        "word": step.note,
        "remote": remote,
        "moment": at,
    }


def _attempt(step: Move, at: datetime) -> dict[str, Any]:
    return {
        "message_key": step.row.key,
        "at": at,
        "fence": step.row.fence,
        "before": step.row.state,
        "after": step.after.value,
        "note": step.note,
    }
