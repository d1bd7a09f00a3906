"""Finds cases by a part of what people know of them: number, titles, Fremdkennzeichen, numbers of vouchers.

    cases.changed > changes.found ─▶ the words of these cases, folded, one text each ─▶ `findable` ─▶ a search reads it

Nothing that runs pays for it. Housekeeping and an upgrade bring up to date what has changed since (the numbers of
`changes.py`), step by step, each its own transaction; a search does so itself where it is little, else it answers from
what is known and says how far that is: nobody waits until a hundred thousand cases are read. A text is searched as a
whole: at 100,000 cases that is 10 MB and some 20 ms, with no index of letter groups that one of the two databases
would have to be taught.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    true,
    tuple_,
    union,
    update,
)

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.sets import SLICE, among, rows_among, write_all, write_among
from kiezbruecke.records import Decision, Proposal

_c, _f, _m, _r, _n = t.cases.c, t.findable.c, t.messages.c, t.records.c, t.changes.c
AT_ONCE = SLICE  # cases that a search itself brings up to date: one step, some hundredths of a second
_ALL = UUID(int=2**128 - 1)  # in `found_case`: all cases with this number
_BEHIND = select(_n.process_id).where(_n.found < _n.number).order_by(_n.process_id)
_NUMBER = select(_n.number).where(_n.process_id == bindparam("process"))
_UNREAD = (_c.process_id == _n.process_id, tuple_(_c.changed, _c.id) > tuple_(_n.found, _n.found_case))
_HOW_MANY = select(func.count()).select_from(t.cases.join(t.changes, and_(*_UNREAD))).where(_n.found < _n.number)
_NEXT = (
    select(_c.id, _c.changed)
    .join(t.changes, and_(*_UNREAD))
    .where(_n.process_id == bindparam("process"))
    .order_by(_c.changed, _c.id)
    .limit(bindparam("most"))
)
_UP_TO = (
    update(t.changes)
    .where(_n.process_id == bindparam("process"))
    .values(found=bindparam("up_to"), found_case=bindparam("case"))
)
_CASES = select(_c.id, _c.process_id, _c.reference, _c.area_id).where(among(_c.id))
_MARKS = select(_m.case_id, _m.reference.label("word"), _m.remote_id, _m.voucher).where(among(_m.case_id))
_FORGET = delete(t.findable).where(among(_f.case_id))
_ADD = insert(t.findable)
_TITLED = _r.kind.in_([Proposal.kind, Decision.kind])


@dataclass(frozen=True)
class CaseHead:
    """A case by its names."""

    id: UUID
    process_id: str
    reference: str
    area_id: str
    title: str


@dataclass(frozen=True)
class Known:
    """How many cases a search knows as they are now, and how many there are."""

    known: int
    there: int


def search_cases(ledger: Ledger, part: str, at_most: int, processes: Sequence[str] | None = None) -> list[CaseHead]:
    """Cases of whose names this is a part, capitals or not; four statements if nothing is new.

    By reference number, those first of whose number it is a part: a Fremdkennzeichen has many more digits.
    `processes`: only these. Where `how_far` says that cases are missing, those are found by their whole number alone.
    """
    behind = not _keep_little(ledger)
    place = func.strpos if ledger.postgresql else func.instr
    folded = _folded(part)
    of_these = true() if processes is None else _f.process_id.in_(processes)
    query = (
        select(_f.case_id)
        .where(place(_f.words, folded) > 0, of_these)
        .order_by(place(func.lower(_f.reference), folded) == 0, _f.reference, _f.process_id, _f.case_id)
        .limit(at_most)
    )
    with ledger.read() as connection:
        found = connection.execute(query).scalars().all()
        if behind:
            found = list(dict.fromkeys([*_numbered(connection, part, processes), *found]))[:at_most]
        rows = {row.id: row for row in rows_among(connection, _CASES, found)}
        said = rows_among(connection, _titles(ledger), found)
    titles: dict[UUID, str] = {}
    areas: dict[UUID, str] = {}
    for one in said:  # the platform's word about a title goes first, the last line's about an area
        titles[one.case_id] = titles.get(one.case_id) or one.word or ""
        areas[one.case_id] = one.area or areas.get(one.case_id, "")
    return [
        CaseHead(row.id, row.process_id, row.reference, row.area_id or areas.get(row.id, ""), titles.get(row.id, ""))
        for row in (rows[case] for case in found)
    ]


def how_far(ledger: Ledger, processes: Sequence[str] | None = None) -> Known | None:
    """How much of these processes a search knows, where that is not all; three statements, mostly one."""
    of_these = true() if processes is None else _c.process_id.in_(processes)
    with ledger.read() as connection:
        if connection.execute(_BEHIND).first() is None:
            return None
        unread = connection.execute(_HOW_MANY.where(of_these)).scalar_one()
        there = connection.execute(select(func.count()).select_from(t.cases).where(of_these)).scalar_one()
    return Known(there - unread, there) if unread else None


def keep_findable(ledger: Ledger) -> int:
    """Bring up to date what cases are found by; how many had changed. One statement where nothing has.

    In transactions of five hundred cases, which keep no run waiting for long; whoever is killed goes on from there.
    """
    with ledger.read() as connection:
        behind = connection.execute(_BEHIND).scalars().all()
    return sum(read for process in behind for read in _steps(ledger, process))


def _keep_little(ledger: Ledger) -> bool:
    """The same where it takes no time; whether all is up to date now. A search waits for nobody who does more."""
    with ledger.read() as connection:
        behind = connection.execute(_BEHIND).first() is not None
        if behind and connection.execute(_HOW_MANY).scalar_one() > AT_ONCE:
            return False
    if behind:
        keep_findable(ledger)
    return True


def _steps(ledger: Ledger, process: str) -> Iterator[int]:
    """Cases read by each step, in the order of their numbers; none is left when it took fewer than it could."""
    read = SLICE
    while read == SLICE:
        yield (read := _step(ledger, process))


def _step(ledger: Ledger, process: str) -> int:
    """The next cases of a process. The number comes first: what changes meanwhile has a higher one."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        number = connection.execute(_NUMBER, {"process": process}).scalar_one()
        found = connection.execute(_NEXT, {"process": process, "most": SLICE}).all()
        cases = [row.id for row in found]
        rows = _rows(ledger, connection, cases)
        write_among(connection, _FORGET, cases)
        write_all(connection, _ADD, rows)
        up_to, case = (found[-1].changed, cases[-1]) if len(found) == SLICE else (number, _ALL)
        connection.execute(_UP_TO, {"process": process, "up_to": up_to, "case": case})
    return len(found)


def _numbered(connection: Connection, number: str, processes: Sequence[str] | None) -> Sequence[UUID]:
    """The cases that bear just this number, or whose message does."""
    of_message = select(_m.case_id).where(_m.reference == number)
    query = select(_c.id).where(_c.id.in_(union(select(_c.id).where(_c.reference == number), of_message)))
    of_these = true() if processes is None else _c.process_id.in_(processes)
    return connection.execute(query.where(of_these).order_by(_c.reference, _c.id)).scalars().all()


def _rows(ledger: Ledger, connection: Connection, cases: Sequence[UUID]) -> list[dict[str, Any]]:
    """What each of these cases is found by, folded, each word once."""
    heads = rows_among(connection, _CASES, cases)
    words: dict[UUID, dict[str, None]] = defaultdict(dict)
    for row in heads:
        words[row.id][_folded(row.reference)] = None
    for row in rows_among(connection, _titles(ledger), cases):
        words[row.case_id][_folded(row.word or "")] = None
    for row in rows_among(connection, _MARKS, cases):
        words[row.case_id] |= dict.fromkeys(map(_folded, (row.word, row.remote_id, row.voucher)))
    return [
        {
            "case_id": row.id,
            "process_id": row.process_id,
            "reference": row.reference,
            "words": "\n".join(filter(None, words[row.id])),
        }
        for row in heads
    ]


def _titles(ledger: Ledger) -> Select[Any]:
    """Titles and areas that records say, the platform's first."""
    title, area = (_said(ledger, name) for name in ("title", "area_id"))
    query = select(_r.case_id, title.label("word"), area.label("area")).where(among(_r.case_id), _TITLED)
    return query.order_by(_r.kind.desc(), _r.seq)


def _said(ledger: Ledger, name: str) -> ColumnElement[Any]:
    """A field of a record's body."""
    return _r.body.cast(JSON)[name].as_string() if ledger.postgresql else func.json_extract(_r.body, f"$.{name}")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
