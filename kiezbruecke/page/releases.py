"""The Freigaben: what waits for two people, what exactly they sign, and who has signed what.

    /freigaben                       per route: what waits to be certified, what to be ordered; what was done
    /freigaben/<route>?was=anordnen  count, sum, per area, differences, warnings, every message; POST signs just that

The form carries the token of the view (`release.ReleaseView.shown`): a byte, mark or message more, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke import release
from kiezbruecke.content.roles import Right
from kiezbruecke.content.routes import SendingRoute
from kiezbruecke.desk import releases
from kiezbruecke.desk.releases import ActView
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.people import REASON
from kiezbruecke.page.admission import FormOf, HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.release import ActKind, Approver, Line, ReleasedArea, ReleaseView

ENTRY = Entry("/freigaben", "Freigaben", Right.RELEASE)
router = APIRouter()
_KINDS = (ActKind.CERTIFY, ActKind.ORDER)
_LINES: Sequence[Column[Line]] = (
    Column("Fremdkennzeichen", lambda one: one.reference, "kennzeichen"),
    Column("Betrag", lambda one: one.sum, "betrag", numeric=True),
    Column("fällig", lambda one: one.due_on, "faellig"),
)
_AREAS: Sequence[Column[ReleasedArea]] = (
    Column("Bezirksregion", lambda one: one.name, "region"),
    Column("Anordnungen", lambda one: one.count, "anzahl", numeric=True),
    Column("Summe", lambda one: one.sum, "summe", numeric=True),
    Column("gegenüber dem letzten Mal", numeric=True),
)
_ACTS: Sequence[Column[ActView]] = (
    Column("am", lambda one: one.at, "am"),
    Column("was", lambda one: one.what, "was"),
    Column("Anordnungen", lambda one: one.count, "anzahl", numeric=True),
    Column("Summe", lambda one: one.sum, "summe", numeric=True),
    Column("wer", lambda one: one.person, "wer"),
    Column("warum"),
    Column("gilt bis", lambda one: one.valid_until, "bis"),
)


@dataclass(frozen=True)
class _Waiting:
    """What waits on a route for one kind of act."""

    view: ReleaseView
    title: str
    """The route's, and what is to be done"""
    own: bool
    """Whether the visitor may do it"""

    @property
    def address(self) -> str:
        """Where it is done, below the page's own."""
        return f"/freigaben/{self.view.route}?{urlencode({'was': self.view.kind.value})}"


_WAITING: Sequence[Column[_Waiting]] = (
    Column("Was zu tun ist", lambda one: one.title, "was"),
    Column("Verfahren", lambda one: one.view.process, "verfahren"),
    Column("Anordnungen", lambda one: one.view.count, "anzahl", numeric=True),
    Column("Summe", lambda one: one.view.sum, "summe", numeric=True),
)


@router.get("/freigaben")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """What waits for somebody's mark, and the acts so far."""
    require(visitor, Right.RELEASE)
    acts = [act for route in _routes(house, visitor) for act in releases.acts(house, route.name)]
    acts.sort(key=lambda act: act.at)
    done = request.query_params.get("gezeichnet", "")
    return render(
        request,
        "releases.html",
        signed=_last_own(visitor, acts, done),
        next_step=releases.NEXT,
        waiting=table(
            request,
            "Wartet auf eine Unterschrift",
            _WAITING,
            waiting_releases(house, visitor),
            empty="Zurzeit wartet nichts auf eine Unterschrift.",
        ),
        acts=table(
            request, "Bisherige Freigaben", _ACTS, acts[::-1], empty="Noch hat niemand etwas freigegeben.", name="a-"
        ),
    )


def waiting_releases(house: House, visitor: Visitor, *, only_own: bool = False) -> list[_Waiting]:
    """What waits for a signature on the routes that this visitor releases; `only_own`: for theirs."""
    found = [_waiting(house, visitor, route, kind) for route in _routes(house, visitor) for kind in _KINDS]
    return [one for one in found if one.view.count and (one.own or not only_own)]


def _waiting(house: House, visitor: Visitor, route: SendingRoute, kind: ActKind) -> _Waiting:
    own = release.may_act(house, route.name, kind, visitor.names)
    return _Waiting(release.show(house, route.name, kind), f"{route.title or route.name}: {kind.value}", own)


@router.get("/freigaben/{route}")
def look(request: Request, house: HouseOf, visitor: VisitorOf, route: str) -> Response:
    """What exactly would be signed."""
    _refuse(house, visitor, route)
    return _view(request, house, visitor, route, _kind(request.query_params.get("was")))


@router.post("/freigaben/{route}")
def sign(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf, route: str) -> Response:
    """Sign what was shown; where it stands otherwise by now, it is shown again and nothing has happened."""
    _refuse(house, visitor, route)
    kind, shown, reason = _kind(form.get("was")), str(form.get("gesehen", "")), str(form.get("text", ""))
    approver, reason = Approver(visitor.person, visitor.names), " ".join(reason.split())
    try:
        if kind is ActKind.ORDER:
            release.order(house, route, shown, approver, reason)
        else:
            release.certify(house, route, shown, approver, reason)
    except InputError as error:
        if not releases.is_signed(house, route, kind, shown, visitor.person):
            return _view(request, house, visitor, route, kind, 422, error=f"{error.what}.", reason=reason)
    query = urlencode({"gezeichnet": kind.value})
    return RedirectResponse(f"{request.scope.get('root_path', '')}/freigaben?{query}", 303)


def _view(
    request: Request,
    house: House,
    visitor: Visitor,
    route: str,
    kind: ActKind,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response:
    view = release.show(house, route, kind)
    return render(
        request,
        "release.html",
        status,
        view=view,
        doing=releases.DOING[kind],
        own=release.may_act(house, route, kind, visitor.names),
        headlines=list(releases.headlines(view)),
        areas=table(request, "Bezirksregionen", _AREAS, view.areas, empty="Nichts wartet darauf.", name="b-"),
        lines=table(request, "Im Einzelnen", _LINES, view.lines, empty="Nichts wartet darauf."),
        difference=releases.difference,
        error=error,
        reason=reason,
        most=REASON,
    )


def _last_own(visitor: Visitor, acts: Sequence[ActView], kind: str) -> ActView | None:
    """What the visitor has signed last, of this kind: an address alone claims nothing."""
    own = (one for one in reversed(acts) if (one.kind, one.person) == (kind, str(visitor.person)))
    return next(own, None)


def _routes(house: House, visitor: Visitor) -> list[SendingRoute]:
    return [one for one in releases.four_eyes_routes(house.content) if visitor.may(Right.RELEASE, one.name)]


def _refuse(house: House, visitor: Visitor, route: str) -> None:
    """A route that is not the visitor's is not there."""
    require(visitor, Right.RELEASE)
    if route not in {one.name for one in _routes(house, visitor)}:
        raise not_found("Diese Strecke")


def _kind(asked: object) -> ActKind:
    return ActKind.ORDER if asked == ActKind.ORDER else ActKind.CERTIFY
