"""Zuordnungen: the department's table of each mapping, in the words of `kiezbruecke mapping doc`.

/zuordnungen          the mappings of the routes in use
/zuordnungen/<name>   every field: where it comes from, what is done with it, whether it must be there
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kiezbruecke.content.roles import Right
from kiezbruecke.content.routes import CollectingRoute, route_places
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.mapping import load_mapping
from kiezbruecke.page.admission import HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.workbench.doc import MappingField, fields_of

ENTRY = Entry("/zuordnungen", "Zuordnungen")
router = APIRouter()


@dataclass(frozen=True)
class _Used:
    """A mapping that routes use."""

    name: str
    routes: tuple[str, ...]
    title: str
    version: str
    inbound: bool
    error: str = ""


_MAPPINGS: Sequence[Column[_Used]] = (
    Column("Zuordnung", lambda one: one.name, "name"),
    Column("Wofür", lambda one: one.title, "wofuer"),
    Column("Richtung", lambda one: one.inbound, "richtung"),
    Column("Version"),
    Column("Strecken"),
)
_FIELDS: Sequence[Column[MappingField]] = (
    Column("Nr.", lambda one: one.number, "nr", numeric=True),
    Column("Ziel-Feld", lambda one: one.target, "ziel"),
    Column("Woher", lambda one: one.origin, "woher"),
    Column("Was damit geschieht"),
    Column("Bedingung"),
    Column("Pflicht", lambda one: one.duty, "pflicht"),
    Column("Personenbezogen", lambda one: one.personal, "person"),
    Column("Hinweis"),
)


@router.get("/zuordnungen")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """Which mappings there are, and what uses them."""
    require(visitor, Right.SEE)
    found = _used(house, visitor)
    empty = "Die Strecken, die Sie sehen, haben zurzeit keine Zuordnung."
    return render(request, "mappings.html", table=table(request, "Zuordnungen", _MAPPINGS, found, empty=empty))


@router.get("/zuordnungen/{name}")
def one(request: Request, house: HouseOf, visitor: VisitorOf, name: str) -> Response:
    """One mapping, searched by a word that stands in any of its columns."""
    used = next((one for one in _used(house, visitor) if one.name == name), None)
    if used is None or used.error:
        raise not_found("Diese Zuordnung")
    mapping = load_mapping(name, house.content)
    wanted = request.query_params.get("wort", "").strip()[:80]
    fields = [field for field in fields_of(mapping) if _has(field, wanted)]
    return render(
        request,
        "mapping.html",
        used=used,
        mapping=mapping,
        wanted=wanted,
        table=table(request, "Felder", _FIELDS, fields, empty="Dazu gibt es keine Regel."),
    )


def _has(field: MappingField, wanted: str) -> bool:
    return not wanted or wanted.casefold() in " ".join(map(str, vars(field).values())).casefold()


def _used(house: House, visitor: Visitor) -> list[_Used]:
    routes: dict[str, list[str]] = {}
    for place in route_places(house.content):
        with suppress(ConfigurationError):
            route = place.read()
            if visitor.may(Right.SEE, route.name):
                names = route.mapping if isinstance(route, CollectingRoute) else (route.mapping,)
                for name in names:
                    routes.setdefault(name, []).append(route.name)
    return [_of(house, name, tuple(some)) for name, some in sorted(routes.items())]


def _of(house: House, name: str, routes: tuple[str, ...]) -> _Used:
    try:
        found = load_mapping(name, house.content)
    except ConfigurationError:
        return _Used(name, routes, "kann nicht gelesen werden; der IT-Betrieb sieht den Grund", "", False, "broken")
    return _Used(name, routes, found.definition.title or name, str(found.version), found.direction == "inbound")
