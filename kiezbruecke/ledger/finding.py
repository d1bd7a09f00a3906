"""Finds cases by a part of what people know of them: number, titles, Fremdkennzeichen, numbers of vouchers.

    cases.changed > changes.found ─▶ the words of these cases, folded, one text each ─▶ `findable` ─▶ a search reads it

Nothing that runs pays for it: whoever searches, and housekeeping, first brings up to date what has changed since (the
numbers of `changes.py`). A text is searched as a whole: at 100,000 cases that is 10 MB and some 20 ms, with no index of
letter groups that one of the two databases would have to be taught.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Connection, Select, bindparam, delete, func, insert, select, true, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.sets import among, rows_among, slices, write_all, write_among
from kiezbruecke.records import Decision, Proposal

_c, _f, _m, _r, _n = t.cases.c, t.findable.c, t.messages.c, t.records.c, t.changes.c
_BEHIND = select(_n.process_id).where(_n.found < _n.number).order_by(_n.process_id)
_NUMBERS = select(_n.number, _n.found).where(_n.process_id == bindparam("process"))
_NEW = select(_c.id).where(_c.process_id == bindparam("process"), _c.changed > bindparam("since")).order_by(_c.id)
_UP_TO = update(t.changes).where(_n.process_id == bindparam("process")).values(found=bindparam("up_to"))
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


def search_cases(ledger: Ledger, part: str, at_most: int, processes: Sequence[str] | None = None) -> list[CaseHead]:
    """Cases of whose names this is a part, capitals or not; four statements if nothing is new.

    By reference number, those first of whose number it is a part: a Fremdkennzeichen has many more digits.
    `processes`: only these.
    """
    keep_findable(ledger)
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


def keep_findable(ledger: Ledger) -> int:
    """Bring up to date what cases are found by; how many had changed. One statement where nothing has."""
    with ledger.read() as connection:
        behind = connection.execute(_BEHIND).scalars().all()
    return sum(_keep(ledger, process) for process in behind)


def _keep(ledger: Ledger, process: str) -> int:
    """One process, in transactions that keep no run waiting for long; whoever is killed here begins again."""
    with ledger.read() as connection:
        number, since = connection.execute(_NUMBERS, {"process": process}).one()
        changed = connection.execute(_NEW, {"process": process, "since": since}).scalars().all()
    for some in slices(changed):
        with ledger.write() as connection:
            one_at_a_time(connection)
            rows = _rows(ledger, connection, some)
            write_among(connection, _FORGET, some)
            write_all(connection, _ADD, rows)
    with ledger.write() as connection:
        connection.execute(_UP_TO, {"process": process, "up_to": number})
    return len(changed)


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
