"""Betrieb: routes and connections – last run, next run, what is stuck and why, what ends soon; pause and resume.

    /betrieb            all routes and connections that the visitor may see
    /betrieb/strecke    POST: pause a route or let it run again, with a reason

Pausing is for whoever operates the route. A form says how the route stood when it was shown: what somebody else has
done meanwhile is not undone by an old page, and a second click changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke.content.roles import Right
from kiezbruecke.desk.operations import PartyNow, RouteNow, operations
from kiezbruecke.house import House
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.pauses import set_paused
from kiezbruecke.ledger.people import REASON
from kiezbruecke.page.admission import FormOf, HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import not_allowed, not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor

ENTRY = Entry("/betrieb", "Betrieb")
router = APIRouter()
SOON = 30  # days before a certificate ends
_ROUTES: Sequence[Column[RouteNow]] = (
    Column("Strecke", lambda one: one.route, "strecke"),
    Column("Betriebsart", lambda one: one.mode, "art"),
    Column("zuletzt", lambda one: one.last_run, "zuletzt"),
    Column("nächster Lauf", lambda one: one.next_run, "naechster"),
    Column("offen", lambda one: one.stuck, "offen", numeric=True),
    Column("Was ist im Weg?", lambda one: not one.why, "weg"),
    Column("Anhalten"),
)
_PARTIES: Sequence[Column[PartyNow]] = (
    Column("Verbindung", lambda one: one.connection, "verbindung"),
    Column("Anschluss", lambda one: one.connector, "anschluss"),
    Column("Strecken"),
    Column("offen", lambda one: one.waiting, "offen", numeric=True),
    Column("Zertifikat", lambda one: one.days_left, "zertifikat"),
    Column("Stand"),
)


@router.get("/betrieb")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """Everything that runs; the reasons name no content."""
    require(visitor, Right.SEE)
    found = operations(house, now())
    seen = [one for one in found.routes if visitor.may(Right.SEE, one.route)]
    names = {one.route for one in seen}
    parties = [one for one in found.parties if names.intersection(one.routes)]
    return render(
        request,
        "operations.html",
        routes=table(request, "Strecken", _ROUTES, seen, empty="Für Ihre Anmeldung gibt es keine Strecke.", name="s-"),
        parties=table(request, "Verbindungen", _PARTIES, parties, empty="Zurzeit gibt es keine Verbindung.", name="v-"),
        may_pause=lambda one: _may_pause(visitor, one),
        soon=[one for one in parties if one.days_left is not None and one.days_left <= SOON],
        stuck=[one for one in seen if one.why],
    )


@router.get("/betrieb/strecke")
def ask(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """The form for one route."""
    route = _route(house, visitor, request.query_params.get("name", ""))
    return _form(request, route)


@router.post("/betrieb/strecke")
def pause(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Pause the route, or let it run again; only as the page has shown it."""
    require(visitor, Right.ANSWER)
    route = _route(house, visitor, str(form.get("name", "")))
    wanted, reason = str(form.get("soll", "")) == "anhalten", " ".join(str(form.get("text", "")).split())
    own = route.paused and not route.paused_connection
    if own != wanted:
        if not reason:
            return _form(request, route, "Bitte geben Sie eine Begründung an.", 422)
        set_paused(house.ledger, route.route, wanted, person=visitor.person, reason=reason)
    query = urlencode({"name": route.route, "getan": "1"})
    return RedirectResponse(f"{request.scope.get('root_path', '')}/betrieb/strecke?{query}", 303)


def _form(request: Request, route: RouteNow, error: str = "", status: int = 200) -> Response:
    return render(
        request,
        "operations_route.html",
        status,
        route=route,
        own=route.paused and not route.paused_connection,
        error=error,
        done=request.query_params.get("getan") == "1",
        most=REASON,
    )


def _route(house: House, visitor: Visitor, name: str) -> RouteNow:
    """The route; one that may not be seen is not there, one that others operate is not paused here."""
    found = next((one for one in operations(house, now()).routes if one.route == name), None)
    if found is None or not visitor.may(Right.SEE, name):
        raise not_found("Diese Strecke")
    if not _may_pause(visitor, found):
        raise not_allowed(Right.ANSWER)
    return found


def _may_pause(visitor: Visitor, one: RouteNow) -> bool:
    return bool(one.operations) and visitor.may_answer(one.route, one.operations)
