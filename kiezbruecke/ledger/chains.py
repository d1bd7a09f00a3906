"""Reads chains of evidence: their links, and the last digest that they hold for each row."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from kiezbruecke.errors import LedgerError
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.seals import Key, Unit
from kiezbruecke.ledger.sets import among, rows_among
from kiezbruecke.records import name_id

Digests = Mapping[str, str | None]  # by the row's title; None for one that is gone

_e, _j = t.events.c, t.journals.c
_LINKS = select(t.events).where(among(_e.case_id)).order_by(_e.case_id, _e.seq)
_SEALING = select(_e.rows).where(among(_e.case_id), _e.rows != "").order_by(_e.case_id, _e.seq)
_LAST_OF_JOURNALS = (
    select(_e.rows).join(t.journals, (_e.case_id == _j.id) & (_e.seq == _j.last_event)).where(among(_j.id))
)


class Altered(LedgerError):
    """A row is not the one that was recorded; nothing was written."""


def journal_of(title: str) -> UUID:
    """The chain of a row that belongs to no case."""
    return name_id("journal", title)


def link_hash(previous: str, chain: UUID, seq: int, at: datetime, kind: str, body: str, rows: str) -> str:
    """What a link is known by; it rests on the one before it."""
    words = (previous, str(chain), str(seq), at.astimezone(UTC).isoformat(), kind, body, *([rows] if rows else []))
    return hashlib.sha256("\x1f".join(words).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class Chain:
    """What a chain says: how many links it has, where it is broken, and the last digest of each of its rows."""

    links: int = 0
    broken: list[str] = field(default_factory=list)
    said: dict[str, str | None] = field(default_factory=dict)


def read_chains(connection: Connection, heads: Sequence[Row[Any]], what: str) -> dict[UUID, Chain]:
    """Chains by id, recomputed link by link. `heads`: rows with id, name, last_event, last_hash."""
    links: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in rows_among(connection, _LINKS, [head.id for head in heads]):
        links[row.case_id].append(row)
    return {head.id: _chain(f"{what} {head.name}", head, links[head.id]) for head in heads}


def altered(connection: Connection, wanted: Mapping[Unit, Mapping[Key, UUID | None]]) -> dict[Unit, dict[Key, str]]:
    """Those of these units whose rows are not as recorded, with their titles. The keys come with their cases.

    Links are believed here; `evidence` recomputes them.
    """
    titles = {unit: {key: unit.title(key) for key in keys} for unit, keys in wanted.items()}
    cases = {case for keys in wanted.values() for case in keys.values() if case is not None}
    alone = [titles[unit][key] for unit, keys in wanted.items() for key, case in keys.items() if case is None]
    said: dict[str, str | None] = {}
    for statement, chains in ((_SEALING, cases), (_LAST_OF_JOURNALS, map(journal_of, alone))):
        for row in rows_among(connection, statement, chains):
            said |= json.loads(row.rows)
    changed: dict[Unit, dict[Key, str]] = {}
    for unit, keys in titles.items():
        there = unit.digests(connection, keys)
        if found := {key: title for key, title in keys.items() if there.get(key) != said.get(title)}:
            changed[unit] = found
    return changed


def refuse(changed: Mapping[Unit, Mapping[Key, str]], helps: str) -> None:
    """Raise Altered where a row is not as recorded. `changed`: what `altered` found."""
    for titles in changed.values():
        raise Altered(
            f"the row {min(titles.values())} is not the one that was recorded",
            where="ledger",
            expected="what its chain of evidence says",
            helps=helps,
        )


def _chain(name: str, head: Row[Any], links: Iterable[Row[Any]]) -> Chain:
    chain, previous = Chain(), ""
    for number, link in enumerate(links, 1):
        given = (link.case_id, link.seq, link.at, link.kind, link.body, link.rows)
        if link.seq != number or link.previous != previous or link.hash != link_hash(previous, *given):
            chain.broken.append(f"{name}: Glied {link.seq} ({link.kind}) wurde verändert oder fehlt")
            return chain
        previous, chain.links = link.hash, number
        if link.rows:
            chain.said |= json.loads(link.rows)
    if chain.links != head.last_event or previous != head.last_hash:
        chain.broken.append(f"{name}: die Kette endet bei {chain.links}, nicht bei {head.last_event}")
    return chain
