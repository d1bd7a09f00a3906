"""Evidence: what happened to a case, hash-chained per case. Bodies hold ids, sums and digests, never content."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.changes import raise_number
from kiezbruecke.ledger.database import Ledger, now, write_last
from kiezbruecke.ledger.sets import among, rows_among, slices, write_all

PREPARED = "message.prepared"  # chains the digest of a message's bytes
TAKEN_OVER = "message.taken_over"  # the same, of a message as its destination has it
Told = tuple[UUID, str, Mapping[str, Any]]  # case, kind, body
CASES, BYTES = 100, 20  # cases of one look at chains; messages whose bytes are in memory at once

_c, _e, _m, _b = t.cases.c, t.events.c, t.messages.c, t.message_bytes.c
_ENDS = select(_c.id, _c.process_id, _c.last_event, _c.last_hash).where(among(_c.id)).order_by(_c.id).with_for_update()
_ADD = insert(t.events)
_END = (
    update(t.cases)
    .where(_c.id == bindparam("case"))
    .values(last_event=bindparam("seq"), last_hash=bindparam("link"), changed=bindparam("number"))
)
_ENDED = (
    select(_c.id, _c.reference, _c.last_event, _c.last_hash)
    .where(_c.id > bindparam("after"))
    .order_by(_c.id)
    .limit(CASES)
)
_CHAINS = select(t.events).where(among(_e.case_id)).order_by(_e.case_id, _e.seq)
_MESSAGES = select(_m.key, _m.case_id, _m.destination, _m.reference).where(among(_m.case_id)).order_by(_m.key)
_STORED = select(_b.key, _b.payload).where(among(_b.key))


@dataclass(frozen=True)
class Event:
    """One link of a case's chain."""

    case_id: UUID
    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]


def append_event(connection: Connection, case_id: UUID, kind: str, body: Mapping[str, Any]) -> None:
    """Add a link to a case's chain, inside the transaction of what it tells; it is written directly before the commit.

    So two transactions that tell of the same cases never lock them crosswise.
    """
    write_last(connection, append_events, (case_id, kind, body))


def append_events(connection: Connection, told: Sequence[Told]) -> None:
    """The links of one transaction. Those of one case stay in their order."""
    cases = rows_among(connection, _ENDS, (case_id for case_id, _, _ in told))
    ends = {row.id: (row.last_event, row.last_hash) for row in cases}
    processes = {row.id: row.process_id for row in cases}
    numbers = {process: raise_number(connection, process) for process in sorted(set(processes.values()))}
    at, links = now(), []
    for case_id, kind, body in told:
        seq, previous = ends[case_id][0] + 1, ends[case_id][1]
        text = json.dumps(dict(body), ensure_ascii=False, sort_keys=True, default=str)
        link = _link(previous, case_id, seq, at, kind, text)
        values = {"case_id": case_id, "seq": seq, "at": at, "kind": kind, "body": text}
        links.append({**values, "previous": previous, "hash": link})
        ends[case_id] = (seq, link)
    write_all(connection, _ADD, links)
    given = {case: {"case": case, "number": numbers[process]} for case, process in processes.items()}
    write_all(connection, _END, [{**given[case], "seq": seq, "link": link} for case, (seq, link) in ends.items()])


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
    broken: list[str] = []
    links = cases = 0
    with ledger.read() as connection:
        for some in _every_case(connection):
            chains: dict[UUID, list[Any]] = defaultdict(list)
            for row in rows_among(connection, _CHAINS, (case.id for case in some)):
                chains[row.case_id].append(row)
            found = {case.id: list(_breaks(case, chains[case.id])) for case in some}
            found |= _altered(connection, chains, [case for case in some if not found[case.id]])
            broken += [line for case in some for line in found[case.id]]
            cases += len(some)
            links += sum(map(len, chains.values()))
    return Verdict(cases, links, tuple(broken))


def _every_case(connection: Connection) -> Iterator[Sequence[Any]]:
    after = UUID(int=0)
    while some := connection.execute(_ENDED, {"after": after}).all():
        yield some
        after = some[-1].id


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


def _altered(
    connection: Connection, chains: Mapping[UUID, Sequence[Any]], cases: Sequence[Any]
) -> Mapping[UUID, list[str]]:
    """Stored bytes must still be the bytes whose digest was chained."""
    chained = {case.id: set(_prepared(chains[case.id])) for case in cases}
    altered: dict[UUID, list[str]] = {case.id: [] for case in cases}
    names = {case.id: case.reference for case in cases}
    for messages in slices(rows_among(connection, _MESSAGES, chained), BYTES):
        stored = rows_among(connection, _STORED, (message.key for message in messages))
        digests = {row.key: hashlib.sha256(row.payload).hexdigest() for row in stored}
        for one in messages:
            if (one.destination, one.reference, digests.get(one.key)) not in chained[one.case_id]:
                text = f"case {names[one.case_id]}: the bytes of message {one.reference} were changed"
                altered[one.case_id].append(text)
    return altered


def _prepared(rows: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    for row in rows:
        if row.kind in (PREPARED, TAKEN_OVER):
            body = json.loads(row.body)
            yield body["destination"], body["reference"], body["sha256"]


def _link(previous: str, case_id: UUID, seq: int, at: datetime, kind: str, body: str) -> str:
    content = "\x1f".join((previous, str(case_id), str(seq), at.astimezone(UTC).isoformat(), kind, body))
    return hashlib.sha256(content.encode()).hexdigest()
