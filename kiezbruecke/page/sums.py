"""The Abgleich: per area what is bound, paid and free, our sums and theirs, what hangs and who must act.

/abgleich                 the tables
/abgleich/datei?art=csv   the same as a file, for those who calculate with it (csv, xlsx)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kiezbruecke import desk
from kiezbruecke.content.roles import Right
from kiezbruecke.desk import AreaSums, Hanging, Reconciliation, UnmatchedAnswer
from kiezbruecke.desk.sums import processes_in_use
from kiezbruecke.house import House
from kiezbruecke.page.admission import HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import not_allowed, not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor

MOST = 500  # of what hangs on the page; all of it stands in the files
ENTRY = Entry("/abgleich", "Abgleich", Right.READ)
router = APIRouter()
_FILES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_AREAS: Sequence[Column[AreaSums]] = (
    Column("Bezirksregion", lambda one: one.name, "region"),
    Column("Budget", lambda one: one.budget, "budget", numeric=True),
    Column("gebunden", lambda one: one.bound, "gebunden", numeric=True),
    Column("bezahlt", lambda one: one.paid, "bezahlt", numeric=True),
    Column("zurück", lambda one: one.refunded, "zurueck", numeric=True),
    Column("frei", lambda one: one.free, "frei", numeric=True),
    Column("Anteil"),
    Column("HKR", lambda one: one.equal, "hkr"),
)
_HANGING: Sequence[Column[Hanging]] = (
    Column("Fall", lambda one: one.case, "fall"),
    Column("Betrag", lambda one: one.amount, "betrag", numeric=True),
    Column("Stand", lambda one: one.what, "stand"),
    Column("seit", lambda one: one.since, "seit"),
    Column("am Zug", lambda one: one.who, "zug"),
    Column("zu lange?", lambda one: one.late, "lange"),
)
_UNMATCHED: Sequence[Column[UnmatchedAnswer]] = (
    Column("Punkt", lambda one: one.point, "punkt"),
    Column("Rückmeldung", lambda one: one.what, "was"),
    Column("Fall", lambda one: one.case, "fall"),
    Column("seit", lambda one: one.since, "seit"),
    Column("am Zug", lambda one: one.who, "zug"),
)


@dataclass(frozen=True)
class _Bar:
    """How an area's budget is used, in parts of a hundred."""

    paid: int
    bound: int


@router.get("/abgleich")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """Both sides' sums, what hangs, which answers fit nothing."""
    found = _sums(house, visitor, MOST)
    return render(
        request,
        "sums.html",
        sums=found,
        areas=table(request, "Bezirksregionen", _AREAS, found.areas, empty="Noch hat keine Bezirksregion ein Budget."),
        hanging=table(
            request, _hangs(found), _HANGING, found.hanging, empty="Zurzeit ist kein Geld unterwegs.", name="h-"
        ),
        unmatched=table(
            request,
            "Rückmeldungen, die zu nichts passen",
            _UNMATCHED,
            found.unmatched,
            empty="Zurzeit passt jede Rückmeldung zu einer Nachricht.",
            name="u-",
        ),
        bar=_bar,
    )


@router.get("/abgleich/datei")
def download(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """What the page shows, as a file."""
    from kiezbruecke.desk.sums_files import FORMS  # noqa: PLC0415 - openpyxl takes its time

    kind = request.query_params.get("art", "")
    if kind not in _FILES:
        raise not_found("Diese Datei")
    found = _sums(house, visitor)
    name = f"abgleich-{found.at:%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(FORMS[f".{kind}"](found), media_type=_FILES[kind], headers=headers)


def _hangs(found: Reconciliation) -> str:
    return f"Was hängt: die {MOST} ältesten" if found.more else "Was hängt"


def _sums(house: House, visitor: Visitor, most: int | None = None) -> Reconciliation:
    """The sums of the processes that may be read."""
    require(visitor, Right.READ)
    readable = [one for one in processes_in_use(house.content) if visitor.may(Right.READ, one)]
    if not readable:
        raise not_allowed(Right.READ)
    return desk.reconciliation(house, readable, datetime.now(UTC), most=most)


def _bar(area: AreaSums) -> _Bar | None:
    """Nothing where there is no budget, or less than is bound."""
    if area.budget <= 0:
        return None

    def share(of: Decimal) -> int:
        return max(0, min(100, round(100 * of / area.budget)))

    paid = share(area.paid - area.refunded)
    return _Bar(paid, min(100 - paid, share(area.bound)))
