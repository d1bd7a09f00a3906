"""What the other cases of an area take of its budget, so that one case can be read alone and still stand as among all.

Every look of a route counts what its cases take (`changes.py`). What has changed since it was counted is handed over
as it is: which line counts, and for which area, is `cases.join`'s to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.reading import StoredCase, read_cases
from kiezbruecke.records.base import CENT

_c = t.cases.c
_COUNTED = select(t.changes.c.counted).where(t.changes.c.process_id == bindparam("process"))
_SUM = select(func.sum(_c.counted_cents)).where(
    _c.process_id == bindparam("process"),
    _c.counted_area == bindparam("area"),
    _c.counted_cents != 0,
    _c.changed <= bindparam("counted"),
    _c.id != bindparam("but"),
)


@dataclass(frozen=True)
class AreaSum:
    """What other cases take of an area's budget: the sum of the counted ones, in euros, and those not counted yet."""

    granted: Decimal
    uncounted: tuple[StoredCase, ...]  # of the whole process: they may have moved into the area


def read_others(connection: Connection, process_id: str, area_id: str, but: UUID) -> AreaSum:
    """What the cases of (process, area) other than this one take."""
    counted = connection.execute(_COUNTED, {"process": process_id}).scalar_one_or_none() or 0
    given = {"process": process_id, "area": area_id, "counted": counted, "but": but}
    cents = connection.execute(_SUM, given).scalar_one() or 0
    later = (_c.process_id == process_id) & (_c.changed > counted) & (_c.id != but)
    return AreaSum(int(cents) * CENT, read_cases(connection, later))
