"""Carriers that have provably never left are taken apart, so that one of their messages can be taken back.

A carrier's bytes are stored before the first send and hold all of its messages. So whoever takes one back must take the
carrier apart: the others wait as if they had never been on it, with their marks, and get a new one. Where anybody has
ever doubted whether it arrived, its bytes may only go as they are: a second carrier with the same payments pays twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.events import touch
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import MESSAGE
from kiezbruecke.ledger.sets import among, rows_among, write_among
from kiezbruecke.ledger.states import IS_IT_THERE, MessageState

_m, _seen = t.messages.c, t.attempts.c
_ON = select(_m.key, _m.batch_id).where(among(_m.key), _m.batch_id.is_not(None))
_CARRIED = select(_m.key, _m.case_id, _m.state, _m.batch_id).where(among(_m.batch_id)).order_by(_m.key)
_SOMEBODY_KNOWS = (MessageState.IN_DOUBT, MessageState.DELIVERED, MessageState.CONFIRMED, MessageState.REFUSED)
_MAY_BE_THERE = (  # somebody has it, had it, or nobody could say
    select(_seen.message_key)
    .where(among(_seen.message_key), or_(_seen.after.in_(_SOMEBODY_KNOWS), _seen.note == IS_IT_THERE))
    .distinct()
)
_TAKE_OFF = update(t.messages).where(among(_m.key)).values(batch_id=None)
_IN_OUR_HANDS = (MessageState.HELD, MessageState.WAITING, MessageState.CLAIMED)


def free(ledger: Ledger, run: Run, keys: Sequence[UUID]) -> list[UUID]:
    """Those of the messages that are on no carrier now, and in no run's hand, and can be taken back.

    What an older run had claimed and never begun to send waits again; a carrier that may be there stays whole.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = message_rows(connection, keys)
        carriers = {row.key: row.batch_id for row in rows_among(connection, _ON, rows)}
        whole = _take_apart(connection, set(carriers.values()))
        found = [key for key in keys if key in rows and carriers.get(key) not in whole]
        claimed = [rows[key] for key in found if rows[key].state == MessageState.CLAIMED]
        move_all(connection, [Move(row, MessageState.WAITING) for row in claimed])
        return found


def _take_apart(connection: Connection, carriers: set[str]) -> set[str]:
    """Take these carriers apart; which of them must stay whole."""
    on: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows_among(connection, _CARRIED, carriers):
        on[row.batch_id].append(row)
    carried = [row.key for some in on.values() for row in some]
    told = {row.message_key for row in rows_among(connection, _MAY_BE_THERE, carried)}
    whole = {name for name, some in on.items() if not all(_never_left(row, told) for row in some)}
    apart = [row for name, some in on.items() if name not in whole for row in some]
    write_among(connection, _TAKE_OFF, (row.key for row in apart))
    for row in apart:
        touch(connection, MESSAGE, row.key, case=row.case_id)
    return whole


def _never_left(row: Row[Any], told: set[UUID]) -> bool:
    return row.state in _IN_OUR_HANDS and row.key not in told
