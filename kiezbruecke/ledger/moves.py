"""A message's step from one state to the next: compare-and-set, written down, with what it means for the money."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import append_event
from kiezbruecke.ledger.states import MessageState, may_follow

_TOLD = frozenset({MessageState.DELIVERED, MessageState.CONFIRMED, MessageState.REFUSED, MessageState.IN_DOUBT})


def message_row(connection: Connection, key: UUID) -> Row[Any] | None:
    """A message's row without its bytes, locked for this transaction."""
    columns = [column for column in t.messages.c if column.name not in ("payload", "lineage")]
    return connection.execute(select(*columns).where(t.messages.c.key == key).with_for_update()).one_or_none()


def move(
    connection: Connection,
    key: UUID,
    after: MessageState,
    *,
    note: str,
    fence: int | None = None,
    expect: MessageState | None = None,
    **values: Any,
) -> bool:
    """Take a message to `after`; False if it is not in a state from which that is allowed.

    With `fence` only the run that holds the message may move it. `note` holds no content.
    """
    row = message_row(connection, key)
    if row is None:
        return False
    before = MessageState(row.state)
    if not may_follow(before, after) or (expect and before != expect):
        return False
    if fence is not None and row.fence != fence:
        return False
    connection.execute(
        update(t.messages)
        .where(t.messages.c.key == key)
        .values(state=after.value, note=note, updated_at=now(), **values)
    )
    connection.execute(
        insert(t.attempts).values(
            message_key=key, at=now(), fence=row.fence, before=before.value, after=after.value, note=note
        )
    )
    if not row.test and (follow := booked(row.effect).follow):
        follow(connection, [(row, after)])
    if after in _TOLD or before is MessageState.IN_DOUBT:
        append_event(
            connection,
            row.case_id,
            f"message.{after.value}",
            {"reference": row.reference, "key": str(key), "note": note},
        )
    return True
