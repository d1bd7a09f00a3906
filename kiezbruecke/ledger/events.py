"""Evidence: what happened to a case, hash-chained per case. Bodies hold ids, sums and digests, never content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.changes import raise_number
from kiezbruecke.ledger.database import Ledger, now

PREPARED = "message.prepared"  # chains the digest of a message's bytes


@dataclass(frozen=True)
class Event:
    """One link of a case's chain."""

    case_id: UUID
    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]


def append_event(connection: Connection, case_id: UUID, kind: str, body: Mapping[str, Any]) -> None:
    """Add a link to a case's chain, inside the transaction of what it tells."""
    case = connection.execute(
        select(t.cases.c.process_id, t.cases.c.last_event, t.cases.c.last_hash)
        .where(t.cases.c.id == case_id)
        .with_for_update()
    ).one()
    at = now()
    text = json.dumps(dict(body), ensure_ascii=False, sort_keys=True, default=str)
    seq = case.last_event + 1
    link = _link(case.last_hash, case_id, seq, at, kind, text)
    connection.execute(
        insert(t.events).values(
            case_id=case_id, seq=seq, at=at, kind=kind, body=text, previous=case.last_hash, hash=link
        )
    )
    values = {"last_event": seq, "last_hash": link, "changed": raise_number(connection, case.process_id)}
    connection.execute(update(t.cases).where(t.cases.c.id == case_id).values(**values))


def events_of(ledger: Ledger, case_id: UUID) -> list[Event]:
    """The chain of a case, oldest first."""
    with ledger.read() as connection:
        rows = connection.execute(select(t.events).where(t.events.c.case_id == case_id).order_by(t.events.c.seq)).all()
    return [Event(row.case_id, row.seq, row.at, row.kind, json.loads(row.body)) for row in rows]


@dataclass(frozen=True)
class Verdict:
    """What `verify_chains` found: how many links were read and where a chain is broken."""

    cases: int
    links: int
    broken: tuple[str, ...]


def verify_chains(ledger: Ledger) -> Verdict:
    """Recompute every chain; a changed, missing or added link is named by case and number."""
    broken = []
    links = cases = 0
    with ledger.read() as connection:
        for case in connection.execute(select(t.cases)).all():
            cases += 1
            rows = connection.execute(
                select(t.events).where(t.events.c.case_id == case.id).order_by(t.events.c.seq)
            ).all()
            links += len(rows)
            broken += list(_breaks(case, rows)) or _altered(connection, case, rows)
    return Verdict(cases, links, tuple(broken))


def _breaks(case: Any, rows: Any) -> Iterator[str]:
    previous = ""
    for number, row in enumerate(rows, 1):
        link = _link(previous, row.case_id, number, row.at, row.kind, row.body)
        if row.seq != number or row.previous != previous or row.hash != link:
            yield f"case {case.reference}: link {row.seq} ({row.kind}) was changed or is missing"
            return
        previous = row.hash
    if len(rows) != case.last_event or previous != case.last_hash:
        yield f"case {case.reference}: the chain ends at {len(rows)}, not at {case.last_event}"


def _altered(connection: Connection, case: Any, rows: Any) -> list[str]:
    """Stored bytes must still be the bytes whose digest was chained."""
    chained = {
        (body["destination"], body["reference"], body["sha256"])
        for row in rows
        if row.kind == PREPARED and (body := json.loads(row.body))
    }
    m = t.messages.c
    messages = connection.execute(select(m.destination, m.reference, m.payload).where(m.case_id == case.id)).all()
    return [
        f"case {case.reference}: the bytes of message {row.reference} were changed"
        for row in messages
        if (row.destination, row.reference, hashlib.sha256(row.payload).hexdigest()) not in chained
    ]


def _link(previous: str, case_id: UUID, seq: int, at: datetime, kind: str, body: str) -> str:
    content = "\x1f".join((previous, str(case_id), str(seq), at.astimezone(UTC).isoformat(), kind, body))
    return hashlib.sha256(content.encode()).hexdigest()
