"""Betrieb: routes and connections – last run, next run, what is stuck and why, what ends soon; pause and resume.

    /betrieb            all routes and connections that the visitor may see
    /betrieb/strecke    POST: pause a route or let it run again, with a reason
    /betrieb/verbindung POST: the same for a destination or source, and so for all routes that are about it

Pausing is for whoever operates the route, or all routes of the connection. A form says how it stood when it was shown:
what somebody else has done meanwhile is not undone by an old page, and a second click changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke import german
from kiezbruecke.content.roles import Right
from kiezbruecke.desk import words
from kiezbruecke.desk.operations import PartyNow, RouteNow, operations
from kiezbruecke.house import House
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.pauses import pause_destination, set_paused
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
    Column("Anhalten"),
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
        may_pause_party=lambda one: _may_pause_party(visitor, one),
        soon=[one for one in parties if one.days_left is not None and one.days_left <= SOON],
        stuck=[one for one in seen if one.why],
    )


@dataclass(frozen=True)
class _Pausable:
    """What a form pauses, as it stands."""

    address: str
    name: str
    title: str
    what: str
    rests: bool
    facts: Sequence[tuple[str, str]]
    hint: str = ""


@router.get("/betrieb/strecke")
def ask(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """The form for one route."""
    return _form(request, _route(house, visitor, request.query_params.get("name", "")))


@router.post("/betrieb/strecke")
def pause(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Pause the route, or let it run again; only as the page has shown it."""
    require(visitor, Right.ANSWER)
    return _change(request, house, visitor, form, _route(house, visitor, str(form.get("name", ""))), set_paused)


@router.get("/betrieb/verbindung")
def ask_for_connection(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """The form for one destination or source."""
    return _form(request, _party(house, visitor, request.query_params.get("name", "")))


@router.post("/betrieb/verbindung")
def pause_connection(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Pause all that is about a connection, or let it run again; only as the page has shown it."""
    require(visitor, Right.ANSWER)
    return _change(request, house, visitor, form, _party(house, visitor, str(form.get("name", ""))), pause_destination)


def _change(
    request: Request, house: House, visitor: Visitor, form: FormData, found: _Pausable, change: Callable[..., None]
) -> Response:
    """Once: what already stands as it is wanted stays as it is."""
    wanted, reason = str(form.get("soll", "")) == "anhalten", " ".join(str(form.get("text", "")).split())
    if found.rests != wanted:
        if not reason:
            return _form(request, found, "Bitte geben Sie eine Begründung an.", 422)
        change(house.ledger, found.name, wanted, person=visitor.person, reason=reason)
    query = urlencode({"name": found.name, "getan": "1"})
    return RedirectResponse(f"{request.scope.get('root_path', '')}{found.address}?{query}", 303)


def _form(request: Request, found: _Pausable, error: str = "", status: int = 200) -> Response:
    done = request.query_params.get("getan") == "1"
    return render(request, "operations_pause.html", status, found=found, error=error, done=done, most=REASON)


def _route(house: House, visitor: Visitor, name: str) -> _Pausable:
    """The route; one that may not be seen is not there, one that others operate is not paused here."""
    one = next((one for one in operations(house, now()).routes if one.route == name), None)
    if one is None or not visitor.may(Right.SEE, name):
        raise not_found("Diese Strecke")
    if not _may_pause(visitor, one):
        raise not_allowed(Right.ANSWER)
    facts = [
        ("Strecke", one.route),
        ("Verbindung", one.connection),
        ("Betriebsart", words.mode(one.mode)),
        ("zuletzt", german.moment(one.last_run)),
        ("angehalten von", one.paused_by),
        ("weil", one.paused_because),
        ("ruhende Verbindung", one.paused_connection),
    ]
    own = one.paused and not one.paused_connection
    return _Pausable("/betrieb/strecke", name, one.title, "Die Strecke", own, facts)


def _party(house: House, visitor: Visitor, name: str) -> _Pausable:
    """The connection; one of which no route may be seen is not there."""
    one = next((one for one in operations(house, now()).parties if one.connection == name), None)
    if one is None or not any(visitor.may(Right.SEE, route) for route in one.routes):
        raise not_found("Diese Verbindung")
    if not _may_pause_party(visitor, one):
        raise not_allowed(Right.ANSWER)
    facts = [
        ("Verbindung", one.connection),
        ("Anschluss", one.connector),
        ("Strecken", ", ".join(one.routes)),
        ("angehalten von", one.paused_by),
        ("seit", german.moment(one.paused_at)),
        ("weil", one.paused_because),
    ]
    hint = "Solange sie angehalten ist, ruhen alle ihre Strecken: Nichts geht dorthin, nichts wird dort abgeholt."
    return _Pausable("/betrieb/verbindung", name, f"Verbindung {name}", "Die Verbindung", one.paused, facts, hint)


def _may_pause(visitor: Visitor, one: RouteNow) -> bool:
    return bool(one.operations) and visitor.may_answer(one.route, one.operations)


def _may_pause_party(visitor: Visitor, one: PartyNow) -> bool:
    """Whoever may pause every one of its routes."""
    return bool(one.operations) and all(visitor.may_answer(route, one.operations) for route in one.routes)
