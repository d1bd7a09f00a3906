"""What the other cases of an area take of its budget, so that one case can be read alone and still stand as among all.

Every look of a route counts what its cases take (`changes.py`). What has changed since it was counted is handed over
as it is: which line counts, and for which area, is `cases.join`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.events import touch
from kiezbruecke.ledger.reading import StoredCase, read_cases
from kiezbruecke.ledger.seals import VOTES
from kiezbruecke.ledger.sets import among, rows_among, slices, write_all
from kiezbruecke.records.base import CENT

_c = t.cases.c
_COUNTED = (  # up to which change; a process that no route has looked at has counted nothing
    select(func.coalesce(func.max(t.changes.c.counted), -1))
    .where(t.changes.c.process_id == bindparam("process"))
    .scalar_subquery()
)
_OTHERS = (_c.process_id == bindparam("process"), _c.id != bindparam("but"))
_SUM = select(func.sum(_c.counted_cents)).where(
    *_OTHERS, _c.counted_area == bindparam("area"), _c.counted_cents != 0, _c.changed <= _COUNTED
)
_LATER = select(_c.id).where(*_OTHERS, _c.changed > _COUNTED)
_SUMS = (
    select(_c.counted_area, func.sum(_c.counted_cents))
    .where(_c.process_id == bindparam("process"), _c.counted_cents != 0, _c.changed <= _COUNTED)
    .group_by(_c.counted_area)
)
_AS_COUNTED = (
    select(_c.id, _c.process_id, _c.counted_area, _c.counted_cents, _c.wakes_on).where(among(_c.id)).order_by(_c.id)
)
_COUNT = (
    update(t.cases)
    .where(_c.id == bindparam("case"))
    .values(counted_area=bindparam("area"), counted_cents=bindparam("cents"), wakes_on=bindparam("day"))
)
_ALL_LATER = select(_c.id).where(_c.process_id == bindparam("process"), _c.changed > _COUNTED)


@dataclass(frozen=True)
class AreaSum:
    """What other cases take of an area's budget: the sum of the counted ones, in euros, and those not counted yet."""

    granted: Decimal
    uncounted: tuple[StoredCase, ...]  # of the whole process: they may have moved into the area


@dataclass(frozen=True)
class Counted:
    """What a case takes of which area's budget, and on which day, past or ahead, it begins to stand otherwise."""

    area_id: str
    cents: int
    wakes_on: date | None = None


def count(connection: Connection, counted: Mapping[UUID, Counted]) -> None:
    """Keep per case which area's budget it takes how many cents of; written only where it differs.

    See `changes.alone`. An area's sum is sealed: a case that was not looked at now is believed what it took before.
    """
    known = rows_among(connection, _AS_COUNTED, counted)
    other = [row for row in known if counted[row.id] != Counted(row.counted_area, row.counted_cents, row.wakes_on)]
    write_all(connection, _COUNT, [_as_counted(row.id, counted[row.id]) for row in other])
    areas = {(row.process_id, area) for row in other for area in (row.counted_area, counted[row.id].area_id) if area}
    for process_id, area in sorted(areas):
        touch(connection, VOTES, process_id, area)


def _as_counted(case: UUID, counted: Counted) -> dict[str, Any]:
    return {"case": case, "area": counted.area_id, "cents": counted.cents, "day": counted.wakes_on}


def read_others(connection: Connection, process_id: str, area_id: str, but: UUID) -> AreaSum:
    """What the cases of (process, area) other than this one take; two statements where all are counted."""
    given = {"process": process_id, "but": but}
    cents = connection.execute(_SUM, {**given, "area": area_id}).scalar_one() or 0
    later = connection.execute(_LATER, given).scalars().all()
    cases = (case for ids in slices(later) for case in read_cases(connection, _c.id.in_(ids)))
    return AreaSum(int(cents) * CENT, tuple(cases))


def read_sums(connection: Connection, process_id: str) -> tuple[dict[str, Decimal], list[UUID]]:
    """What the counted cases of a process take, in euros by area, and which cases are not counted yet."""
    given = {"process": process_id}
    sums = {area: int(cents) * CENT for area, cents in connection.execute(_SUMS, given).all()}
    return sums, list(connection.execute(_ALL_LATER, given).scalars())
