"""Compares the chains with the rows, both ways: before something acts on them, and as a whole (`ledger verify`).

A row is sound if its digest is the last one that its chain holds for it. Chained and missing is as wrong as there and
not chained. Findings name chains, links and rows, never content.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Row, Select, bindparam, select

from kiezbruecke.errors import LedgerError
from kiezbruecke.ledger import seals
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.anchors import broken_anchors
from kiezbruecke.ledger.chains import Chain, Digests, altered, journal_of, read_chains, refuse
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.events import Told, append
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.refusals import ForeignValue, readable
from kiezbruecke.ledger.seals import Key, Unit
from kiezbruecke.ledger.sets import among, rows_among

CHUNK = 100  # chains whose links are in memory at once
HELPS = "nothing goes out that rests on it: see 'kiezbruecke ledger verify', restore the row or accept it"
BEGAN, ACCEPTED = "evidence.began", "evidence.accepted"

_c, _e, _j = t.cases.c, t.events.c, t.journals.c
_CASES = select(_c.id, _c.reference.label("name")).order_by(_c.id)
_JOURNALS = select(_j.id, _j.name).order_by(_j.id)
_THESE_CASES = _CASES.where(among(_c.id))
_NAMED = select(_j.name).where(_j.name.like(bindparam("like")))
_STRAYS = select(_e.case_id).where(_e.case_id.not_in(select(_c.id)), _e.case_id.not_in(select(_j.id)))


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: how many cases and links were read, and what is not as it was recorded."""

    cases: int
    links: int
    broken: tuple[str, ...]


def verify(ledger: Ledger) -> Verdict:
    """Recompute every chain and compare every row with it; what was changed, added or taken away is named."""
    counts = {"cases": 0, "links": 0}
    broken: list[str] = []
    try:
        with ledger.read() as connection:
            broken += _look(connection, counts)
    except ForeignValue as error:
        broken.append(error.german)
    return Verdict(counts["cases"], counts["links"], tuple(broken))


def _look(connection: Connection, counts: dict[str, int]) -> Iterator[str]:
    """What is not as it was recorded, as it is found."""
    journals: dict[str, str | None] = {}
    for heads in _every(connection, _CASES, _c.id):
        chains = read_chains(connection, [head.id for head in heads])
        counts["cases"] += len(heads)
        counts["links"] += sum(chain.links for chain in chains.values())
        for lines in _altered(connection, heads, chains).values():
            yield from lines
    for heads in _every(connection, _JOURNALS, _j.id):
        for chain in _journals(connection, heads):
            counts["links"] += chain.links
            yield from chain.broken
            journals |= chain.said
        yield from (f"Journal {head.name}: umbenannt" for head in heads if head.id != journal_of(head.name))
    yield from _differences("Hauptbuch", journals, _alone(connection))
    yield from _that_belong_to_nothing(connection)
    yield from broken_anchors(connection)


def _that_belong_to_nothing(connection: Connection) -> Iterator[str]:
    with readable("events"):
        chains = connection.execute(_STRAYS.distinct()).scalars().all()
    yield from (f"Kette {chain}: ihr Fall oder ihre Zeile fehlt" for chain in chains)
    tables = sorted({table for unit in seals.OF_CASES for table in unit.strays(connection)})
    yield from (f"Tabelle {table}: eine Zeile gehört zu nichts" for table in tables)


def altered_cases(
    connection: Connection, cases: Collection[UUID], units: Sequence[Unit] = seals.OF_CASES
) -> dict[UUID, list[str]]:
    """The cases whose chain is broken or whose rows, of these units, are not as recorded, each with what."""
    heads = rows_among(connection, _THESE_CASES, cases)
    found = _altered(connection, heads, read_chains(connection, cases), units)
    return {case: lines for case, lines in found.items() if lines}


def refuse_altered(connection: Connection, wanted: Mapping[Unit, Iterable[Key]]) -> None:
    """Raise LedgerError where one of these rows, which belong to no case, is not as it was recorded."""
    changed = altered(connection, {unit: dict.fromkeys(keys) for unit, keys in wanted.items()})
    refuse(changed, HELPS)


def refuse_altered_cases(connection: Connection, cases: Collection[UUID], units: Sequence[Unit]) -> None:
    """Raise LedgerError where one of these cases is not as it was recorded; for what others rest on, too."""
    for lines in altered_cases(connection, cases, units).values():
        raise LedgerError(lines[0], where="ledger", expected="what its chain of evidence says", helps=HELPS)


def lost(connection: Connection, unit: Unit, column: Column[Any]) -> list[Key]:
    """The keys of such rows that have a chain of their own and are not there. `column`: their key, a UUID."""
    names = connection.execute(_NAMED, {"like": f"{unit.name}:%"}).scalars().all()
    keys = {UUID(name.removeprefix(f"{unit.name}:")) for name in names}
    there = {found for (found,) in rows_among(connection, select(column).where(among(column)), keys)}
    return [(key,) for key in sorted(keys - there)]


def accept(ledger: Ledger, *, person: Person, reason: str) -> int:
    """Take rows that are not as recorded into the chains as they stand; how many. A broken chain stays broken.

    For who has mended the database by hand. The link names who did it, by name and log-in, and why.
    """
    person, reason = signed(person, reason, "ledger accept")
    body = {**person.told, "reason": reason}
    with ledger.write() as connection:
        one_at_a_time(connection)
        rows: dict[UUID, dict[str, str | None]] = {}
        for heads in _every(connection, _CASES, _c.id):
            there = _of_cases(connection, heads)
            chains = read_chains(connection, [head.id for head in heads])
            rows |= {head.id: _renewed(chains[head.id].said, there[head.id]) for head in heads}
        said: dict[str, str | None] = {}
        for heads in _every(connection, _JOURNALS, _j.id):
            for chain in _journals(connection, heads):
                said |= chain.said
        alone = _renewed(said, _alone(connection))
        rows |= {journal_of(title): {title: digest} for title, digest in alone.items()}
        rows = {chain: some for chain, some in rows.items() if some}
        told = [Told(chain, ACCEPTED, body) for chain in rows]
        append(connection, told, rows, {journal_of(title): title for title in alone})
    return sum(map(len, rows.values()))


def seal_all(connection: Connection) -> None:
    """Take all rows as they stand into the chains: a ledger from before that was kept, as it is upgraded."""
    for heads in _every(connection, _CASES, _c.id):
        append(connection, [Told(head.id, BEGAN, {}) for head in heads], _of_cases(connection, heads), {})
    alone = _alone(connection)
    rows = {journal_of(title): {title: digest} for title, digest in alone.items()}
    append(connection, [], rows, {journal_of(title): title for title in alone})


def _every(connection: Connection, heads: Select[Any], id_: Any) -> Iterator[Sequence[Row[Any]]]:
    after = UUID(int=0)
    page = heads.where(id_ > bindparam("after")).limit(CHUNK)
    while True:
        with readable("cases or journals"):
            some = connection.execute(page, {"after": after}).all()
        if not some:
            return
        yield some
        after = some[-1].id


def _journals(connection: Connection, heads: Sequence[Row[Any]]) -> Iterable[Chain]:
    return read_chains(connection, [head.id for head in heads], of_journals=True).values()


def _altered(
    connection: Connection,
    heads: Sequence[Row[Any]],
    chains: Mapping[UUID, Chain],
    units: Sequence[Unit] = seals.OF_CASES,
) -> dict[UUID, list[str]]:
    """Per case what is wrong with its chain, or else with its rows."""
    there, names = _of_cases(connection, heads, units), {unit.name for unit in units}
    said = {
        head.id: {title: one for title, one in chains[head.id].said.items() if title.partition(":")[0] in names}
        for head in heads
    }
    return {
        head.id: chains[head.id].broken or list(_differences(f"Fall {head.name}", said[head.id], there[head.id]))
        for head in heads
    }


def _of_cases(
    connection: Connection, heads: Sequence[Row[Any]], units: Sequence[Unit] = seals.OF_CASES
) -> dict[UUID, dict[str, str]]:
    """The digests of all such rows of these cases, as they stand."""
    there: dict[UUID, dict[str, str]] = {head.id: {} for head in heads}
    for unit in units:
        for case, digests in unit.digests_of_cases(connection, there).items():
            there[case] |= digests
    return there


def _alone(connection: Connection) -> dict[str, str]:
    """The digests of all rows that belong to no case, as they stand."""
    return {title: digest for unit in seals.ALL for title, digest in unit.digests_alone(connection)}


def _renewed(said: Digests, there: Digests) -> dict[str, str | None]:
    """The digests of rows that are not as recorded, as they stand."""
    return {title: there.get(title) for title in said.keys() | there.keys() if said.get(title) != there.get(title)}


def _differences(name: str, said: Digests, there: Digests) -> Iterator[str]:
    for title in sorted(said.keys() | there.keys()):
        recorded, found = said.get(title), there.get(title)
        if recorded != found:
            what = "fehlt" if found is None else "wurde verändert" if recorded else "wurde hinzugefügt"
            yield f"{name}: die Zeile {title} {what}"
