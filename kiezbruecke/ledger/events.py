"""Evidence: what happened to a case, hash-chained per case. Bodies hold ids, sums and digests, never content.

A link also keeps the digests of the rows that its transaction has changed (`seals`); rows that belong to no case have a
chain of their own each, a *journal*. What the chains say is compared with the rows in `evidence`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.chains import altered, journal_of, link_hash, refuse
from kiezbruecke.ledger.changes import raise_number
from kiezbruecke.ledger.database import Ledger, as_before, now, write_last
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.seals import Key, Unit
from kiezbruecke.ledger.sets import among, rows_among, write_all

PREPARED = "message.prepared"  # chains the digest of a message's bytes
TAKEN_OVER = "message.taken_over"  # the same, of a message as its destination has it
Rows = Mapping[UUID, Mapping[str, str | None]]  # per chain: the digests of rows by title, None for one that is gone
ROWS = "rows"  # a link that tells nothing but which rows have changed
OPENED = "content.opened"  # a person has looked at content
SHOWN = "account.shown"  # or at an account in full
_LOOKED = frozenset({OPENED, SHOWN})  # no due rule could see that

_c, _j = t.cases.c, t.journals.c
_CASES = select(_c.id, _c.process_id, _c.last_event, _c.last_hash).where(among(_c.id)).order_by(_c.id).with_for_update()
_JOURNALS = select(_j.id, _j.last_event, _j.last_hash).where(among(_j.id)).order_by(_j.id).with_for_update()
_ADD = insert(t.events)
_END: dict[str, Any] = {"last_event": bindparam("seq"), "last_hash": bindparam("link")}
_END_CASE = update(t.cases).where(_c.id == bindparam("chain")).values(**_END)
_END_TOLD = update(t.cases).where(_c.id == bindparam("chain")).values(**_END, changed=bindparam("number"))
_END_JOURNAL = update(t.journals).where(_j.id == bindparam("chain")).values(**_END)


@dataclass(frozen=True)
class Event:
    """One link of a case's chain."""

    case_id: UUID
    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What happened to a case."""

    chain: UUID
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Touched:
    """A row that this transaction has changed, added or deleted."""

    unit: Unit
    key: Key
    case_id: UUID | None
    left: bool = False  # it belongs to another chain from now on

    @property
    def chain(self) -> UUID:
        """The case's, or the row's own."""
        return self.case_id or journal_of(self.unit.title(self.key))


def append_event(connection: Connection, case_id: UUID, kind: str, body: Mapping[str, Any]) -> None:
    """Add a link to a case's chain, inside the transaction of what it tells; it is written directly before the commit.

    So two transactions that tell of the same cases never lock them crosswise.
    """
    write_last(connection, append_links, Told(case_id, kind, body))


def touch(connection: Connection, unit: Unit, *key: Any, case: UUID | None = None, left: bool = False) -> None:
    """Have the digest of a row that is written in this transaction chained, as it stands directly before the commit.

    `case`: whose row it is; without one the row has a chain of its own. `left`: it was this chain's until now.
    """
    write_last(connection, append_links, Touched(unit, key, case, left))


def sign(
    connection: Connection, person: Person, event: str, unit: Unit, *key: Any, case: UUID | None = None, **more: Any
) -> None:
    """A person has written this row: its digest, and who that was under which log-in, go into the row's chain.

    The one way in which an act of a person gets into the evidence. `more`: ids, no content.
    """
    row = Touched(unit, key, case)
    write_last(connection, append_links, row)
    write_last(connection, append_links, Told(row.chain, event, {**more, **person.told}))


def note_opening(ledger: Ledger, person: Person, case_id: UUID, what: str) -> None:
    """Write down that a person looks at content of a case, before they do. `what`: its name, no content."""
    with ledger.write() as connection:
        append_event(connection, case_id, OPENED, {"what": what, **person.told})


def append_links(connection: Connection, things: Sequence[Told | Touched]) -> None:
    """The links of one transaction: what it tells, and the digests of the rows that it has changed."""
    touched: dict[Unit, dict[tuple[Key, UUID], Touched]] = defaultdict(dict)
    for thing in things:
        if isinstance(thing, Touched):
            touched[thing.unit][thing.key, thing.chain] = thing
    told = [thing for thing in things if isinstance(thing, Told)]
    alone = (one for some in touched.values() for one in some.values() if one.case_id is None)
    append(connection, told, _digests(connection, touched), {one.chain: one.unit.title(one.key) for one in alone})
    _refuse_altered(connection, touched)


def append(connection: Connection, told: Sequence[Told], rows: Rows, journals: Mapping[UUID, str]) -> None:
    """Add links: all of a chain's in their order, the digests of its rows in the last one.

    `journals`: the titles of the chains that are no case's. A chain of which nothing is told gets a link for its rows.
    """
    ends = _ends(connection, {one.chain for one in told} | rows.keys(), journals)
    speaking = {
        one.chain: ends[one.chain].process_id for one in told if one.chain not in journals and one.kind not in _LOOKED
    }
    numbers = {process: raise_number(connection, process) for process in sorted(set(speaking.values()))}
    chains = {one.chain for one in told}
    links = [_Link.of(one) for one in (*told, *(Told(chain, ROWS, {}) for chain in rows if chain not in chains))]
    last = {link.chain: link for link in links}
    for chain, digests in rows.items():
        last[chain].rows = json.dumps(digests, sort_keys=True)
    at = now()
    write_all(connection, _ADD, [ends[link.chain].grow(link, at) for link in links])
    ended = {chain: {"chain": chain, "seq": end.seq, "link": end.hash} for chain, end in ends.items()}
    write_all(
        connection, _END_TOLD, [{**ended[chain], "number": numbers[process]} for chain, process in speaking.items()]
    )
    write_all(
        connection, _END_CASE, [end for chain, end in ended.items() if chain not in speaking and chain not in journals]
    )
    write_all(connection, _END_JOURNAL, [end for chain, end in ended.items() if chain in journals])


def events_of(ledger: Ledger, case_id: UUID) -> list[Event]:
    """The chain of a case, oldest first."""
    with ledger.read() as connection:
        rows = connection.execute(select(t.events).where(t.events.c.case_id == case_id).order_by(t.events.c.seq)).all()
    return [Event(row.case_id, row.seq, row.at, row.kind, json.loads(row.body)) for row in rows]


@dataclass
class _Link:
    """A link before its place in the chain is known."""

    chain: UUID
    kind: str
    body: str
    rows: str = ""

    @classmethod
    def of(cls, told: Told) -> _Link:
        body = json.dumps(dict(told.body), ensure_ascii=False, sort_keys=True, default=str)
        return cls(told.chain, told.kind, body)


@dataclass
class _End:
    """Where a chain ends."""

    process_id: str
    seq: int
    hash: str

    def grow(self, link: _Link, at: datetime) -> dict[str, Any]:
        """The link's row; it is the end now."""
        seq, previous, said = self.seq + 1, self.hash, {"kind": link.kind, "body": link.body, "rows": link.rows}
        self.seq, self.hash = seq, link_hash(previous, str(link.chain), seq, at.isoformat(), **said)
        return {"case_id": link.chain, "seq": seq, "at": at, **said, "previous": previous, "hash": self.hash}


def _ends(connection: Connection, chains: Iterable[UUID], journals: Mapping[UUID, str]) -> dict[UUID, _End]:
    """The ends of these chains, locked: cases first, each in their order. Journals are opened where they are new."""
    cases = rows_among(connection, _CASES, (chain for chain in chains if chain not in journals))
    known = {row.id: row for row in rows_among(connection, _JOURNALS, journals)}
    if new := [{"id": id_, "name": title} for id_, title in sorted(journals.items()) if id_ not in known]:
        insert_or_ignore(connection, t.journals, new)
        known |= {row.id: row for row in rows_among(connection, _JOURNALS, (one["id"] for one in new))}
    ends = {row.id: _End(row.process_id, row.last_event, row.last_hash) for row in cases}
    return ends | {id_: _End("", row.last_event, row.last_hash) for id_, row in known.items()}


def _digests(connection: Connection, touched: Mapping[Unit, Mapping[Any, Touched]]) -> Rows:
    """Per chain the digests of its touched rows as they stand now."""
    rows: dict[UUID, dict[str, str | None]] = defaultdict(dict)
    for unit, wanted in touched.items():
        found = unit.digests(connection, {one.key for one in wanted.values()})
        for one in wanted.values():
            rows[one.chain][unit.title(one.key)] = None if one.left else found.get(one.key)
    return rows


def _refuse_altered(connection: Connection, touched: Mapping[Unit, Mapping[Any, Touched]]) -> None:
    """Whoever changed a row behind the chain's back must not have it sealed by the next who writes it.

    The chains are locked by now, so what was committed before is what this transaction has found.
    """
    if not touched:
        return
    cases = {unit: _before(wanted.values()) for unit, wanted in touched.items()}
    with as_before(connection) as before:
        changed = altered(before, cases, acting=False)
    refuse(changed, "nothing was written; see 'kiezbruecke ledger verify', restore the row or accept it")


def _before(touched: Iterable[Touched]) -> dict[Key, UUID | None]:
    """Whose each row was when this transaction began: of one that has moved, the chain that it has left."""
    return {one.key: one.case_id for one in sorted(touched, key=lambda one: one.left)}
