"""Reads chains of evidence: their links, and the last digest that they hold for each row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from kiezbruecke.errors import LedgerError
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.refusals import readable
from kiezbruecke.ledger.seals import Key, Unit, as_text, joined
from kiezbruecke.ledger.sets import among, rows_among
from kiezbruecke.records import name_id

Digests = Mapping[str, str | None]  # by the row's title; None for one that is gone

_c, _e, _j = t.cases.c, t.events.c, t.journals.c
_LINK = (_e.seq, as_text(_e.at), as_text(_e.kind), as_text(_e.body), as_text(_e.rows), _e.previous, _e.hash)
# the end of a chain and its links in one statement: nobody adds a link between two looks
_OF_CASES = (
    select(as_text(_c.id), _c.reference.label("name"), _c.last_event, _c.last_hash, *_LINK)
    .outerjoin_from(t.cases, t.events, _e.case_id == _c.id)
    .where(among(_c.id))
    .order_by(_c.id, _e.seq)
)
_OF_JOURNALS = (
    select(as_text(_j.id), _j.name, _j.last_event, _j.last_hash, *_LINK)
    .outerjoin_from(t.journals, t.events, _e.case_id == _j.id)
    .where(among(_j.id))
    .order_by(_j.id, _e.seq)
)
_ENDS_OF_JOURNALS = (
    select(as_text(_j.id), _j.name, _j.last_event, _j.last_hash, *_LINK)
    .join_from(t.journals, t.events, (_e.case_id == _j.id) & (_e.seq >= _j.last_event))
    .where(among(_j.id))
    .order_by(_j.id, _e.seq)
)


class Altered(LedgerError):
    """A row is not the one that was recorded; nothing was written."""


def journal_of(title: str) -> UUID:
    """The chain of a row that belongs to no case."""
    return name_id("journal", title)


def link_hash(previous: str, chain: str, seq: int, at: str, kind: str, body: str, rows: str) -> str:
    """What a link is known by; it rests on the one before it. `at`: UTC, as ISO 8601."""
    words = (previous, chain, str(seq), at, kind, body, *([rows] if rows else []))
    return hashlib.sha256(joined(words).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class Chain:
    """What a chain says: how many links it has, where it is broken, and the last digest of each of its rows."""

    links: int = 0
    broken: list[str] = field(default_factory=list)
    said: dict[str, str | None] = field(default_factory=dict)


_NONE = Chain()


def read_chains(connection: Connection, ids: Iterable[UUID], *, of_journals: bool = False) -> dict[UUID, Chain]:
    """The chains of cases, or of journals, recomputed link by link; without those that have no such row."""
    what, statement = ("Journal", _OF_JOURNALS) if of_journals else ("Fall", _OF_CASES)
    return {id_: _chain(f"{what} {links[0].name}", links) for id_, links in _by_chain(connection, statement, ids)}


def altered(
    connection: Connection, wanted: Mapping[Unit, Mapping[Key, UUID | None]], *, acting: bool = True
) -> dict[Unit, dict[Key, str]]:
    """Those of these units whose rows are not as recorded, with their titles. The keys come with their cases.

    `acting`: whoever acts on a row asks for its whole chain, too; a broken one says nothing of any row. Who only writes
    something down about a case may do so. Of a row that has a chain of its own the last link says all.
    """
    titles = {unit: {key: unit.title(key) for key in keys} for unit, keys in wanted.items()}
    cases = {case for keys in wanted.values() for case in keys.values() if case is not None}
    alone = [titles[unit][key] for unit, keys in wanted.items() for key, case in keys.items() if case is None]
    chains = read_chains(connection, cases) | _ends_of_journals(connection, map(journal_of, alone))
    changed: dict[Unit, dict[Key, str]] = {}
    for unit, keys in wanted.items():
        there = unit.digests(connection, keys)
        chain_of = {key: chains.get(case or journal_of(titles[unit][key]), _NONE) for key, case in keys.items()}
        found = {
            key: title
            for key, title in titles[unit].items()
            if (acting and chain_of[key].broken) or there.get(key) != chain_of[key].said.get(title)
        }
        if found:
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


def _by_chain(
    connection: Connection, statement: Select[Any], ids: Iterable[UUID]
) -> Iterator[tuple[UUID, list[Row[Any]]]]:
    with readable("events"):
        rows = rows_among(connection, statement, ids)
    for id_, links in groupby(rows, lambda row: row.id):
        yield UUID(id_), list(links)


def _ends_of_journals(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Chain]:
    """Journals by their last link alone."""
    found = {}
    for id_, links in _by_chain(connection, _ENDS_OF_JOURNALS, ids):
        end, chain = links[0], Chain(links[0].last_event)
        if len(links) > 1 or end.seq != end.last_event or not _is_sound(end) or end.hash != end.last_hash:
            chain.broken.append(f"Journal {end.name}: die Kette endet nicht bei {end.last_event}")
        else:
            _hear(chain, end, f"Journal {end.name}")
        found[id_] = chain
    return found


def _is_sound(link: Row[Any]) -> bool:
    if not isinstance(link.previous, str):
        return False  # SQLite keeps bytes where text belongs
    return bool(link.hash == link_hash(link.previous, link.id, link.seq, link.at, link.kind, link.body, link.rows))


def _hear(chain: Chain, link: Row[Any], name: str) -> None:
    """Take what a link says of its rows. A link that was computed anew may say anything."""
    try:
        chain.said |= json.loads(link.rows or "{}")
    except (TypeError, ValueError, RecursionError):
        chain.broken.append(f"{name}: Glied {link.seq} ({link.kind}) ist nicht lesbar")


def _chain(name: str, links: Sequence[Row[Any]]) -> Chain:
    """A chain of its links; a case without any has one row that holds none."""
    head, chain, previous = links[0], Chain(), ""
    for number, link in enumerate((link for link in links if link.seq is not None), 1):
        if link.seq != number or link.previous != previous or not _is_sound(link):
            chain.broken.append(f"{name}: Glied {link.seq} ({link.kind}) wurde verändert oder fehlt")
            return chain
        previous, chain.links = link.hash, number
        _hear(chain, link, name)
    if chain.links != head.last_event or previous != head.last_hash:
        chain.broken.append(f"{name}: die Kette endet bei {chain.links}, nicht bei {head.last_event}")
    return chain
