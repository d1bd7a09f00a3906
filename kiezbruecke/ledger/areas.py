"""What the other cases of an area grant, so that one case can be read alone and still stand as in the whole process.

A case with a single decision line grants what the line says: the database adds these up. Which line counts where there
are several is `cases.join`'s to say: such cases are handed over with their lines.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Connection, and_, case, func, or_, select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.reading import StoredCase, record_of
from kiezbruecke.ledger.todo import Answer
from kiezbruecke.records import Decision, Proposal, Record
from kiezbruecke.records.base import CENT

_KINDS = (Decision.kind, Proposal.kind)


@dataclass(frozen=True)
class AreaSum:
    """What the other cases of an area grant: the sum of the plain ones, in euros, and the cases that need a judgement.

    These hold lines and proposal only, no reference number, no messages.
    """

    granted: Decimal
    unclear: tuple[StoredCase, ...]


def read_others(connection: Connection, process_id: str, area_id: str, case_id: UUID) -> AreaSum:
    """What the cases of (process, area) other than this one grant; two statements."""
    told = _told(process_id, area_id, case_id)
    dismissed = select(t.attention.c.case_id).where(t.attention.c.answer == Answer.DISMISS)
    unclear = or_(told.c.lines > 1, told.c.proposals > 1, told.c.case_id.in_(dismissed))
    here = or_(told.c.place == area_id, and_(told.c.place == "", told.c.named == area_id))
    granted = select(func.sum(told.c.cents)).where(~unclear, here)
    r = t.records.c
    lines = select(t.records).where(r.kind.in_(_KINDS), r.case_id.in_(select(told.c.case_id).where(unclear)))
    cents = connection.execute(granted).scalar_one() or 0
    rows = connection.execute(lines.order_by(r.seq)).all()
    return AreaSum(int(cents) * CENT, _cases(process_id, rows))


def _told(process_id: str, area_id: str, but: UUID) -> CTE:
    """What lines and proposals tell, one row per case that names the area anywhere."""
    r = t.records.c
    line, ours = r.kind == Decision.kind, r.kind.in_(_KINDS)
    ids = select(r.case_id).where(r.process_id == process_id, r.area_id == area_id, ours, r.case_id != but)
    return (
        select(
            r.case_id,
            func.sum(case((line, 1), else_=0)).label("lines"),
            func.sum(case((line, 0), else_=1)).label("proposals"),
            func.max(case((line, ""), else_=r.area_id)).label("place"),
            func.max(case((line, r.area_id), else_="")).label("named"),
            func.sum(r.granted_cents).label("cents"),
        )
        .where(r.case_id.in_(ids), ours)
        .group_by(r.case_id)
        .cte("told")
    )


def _cases(process_id: str, rows: Any) -> tuple[StoredCase, ...]:
    told: dict[UUID, list[Record]] = defaultdict(list)
    for row in rows:
        told[row.case_id].append(record_of(row))
    return tuple(_case(process_id, case_id, records) for case_id, records in told.items())


def _case(process_id: str, case_id: UUID, records: list[Record]) -> StoredCase:
    lines = tuple(record for record in records if isinstance(record, Decision))
    proposals = [record for record in records if isinstance(record, Proposal)]
    return StoredCase(case_id, process_id, "", "", proposals[-1] if proposals else None, decisions=lines)
