"""Which post has gone out: a chain per owner, so that a restart or a second run sends nothing twice.

begun ──▶ sent | not sent (certain: the server was not reached, or has refused)
  └─ killed between: nobody knows, and it is not sent again; the next morning's post says what is still open
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.chains import journal_of
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.events import Told, append

BEGUN, SENT, NOT_SENT = "mail.begun", "mail.sent", "mail.not_sent"


def begin(ledger: Ledger, owner: str, about: str) -> bool:
    """Take one letter in hand, `about` names it (`morning 2026-04-25`); False where it was sent, or may have been."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        if _last(connection, owner, about) in (BEGUN, SENT):
            return False
        _tell(connection, owner, BEGUN, {"about": about})
        return True


def end(ledger: Ledger, owner: str, about: str, *, sent: bool) -> None:
    """Say what became of it. What was certainly not sent may be tried again."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        _tell(connection, owner, SENT if sent else NOT_SENT, {"about": about})


def _last(connection: Connection, owner: str, about: str) -> str:
    e = t.events.c
    query = select(e.kind).where(e.case_id == journal_of(_title(owner)), e.body == _body({"about": about}))
    return connection.execute(query.order_by(e.seq.desc()).limit(1)).scalar_one_or_none() or ""


def _tell(connection: Connection, owner: str, kind: str, body: Mapping[str, Any]) -> None:
    title = _title(owner)
    append(connection, [Told(journal_of(title), kind, body)], {}, {journal_of(title): title})


def _body(body: Mapping[str, Any]) -> str:
    """As a link keeps it (`events._Link`)."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, default=str)


def _title(owner: str) -> str:
    return f"mail:{owner}"
