"""Lists that people fill in: download one, look at what would follow from it, take it over, read the reports.

    /listen                          the routes that take lists; pre-filled and empty ones to download
    /listen/vorlage                  one of them (XLSX)
    /listen/<route>                  hand one in; the lists that lie there, with their reports
    /listen/<route>/ansehen          POST: hold a file; GET: what would follow, line by line
    /listen/<route>/uebernehmen      POST: exactly the bytes that were looked at, by their SHA-256; twice is once
    /listen/<route>/bericht?liste=…  the report beside a handled list (CSV)

Between looking and taking over the bytes lie sealed in the ledger for an hour, for the log-in that sent them
(`ledger/uploads.py`); where they are gone, the page says so and the file is chosen again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke import german, pipeline
from kiezbruecke.content.roles import Right
from kiezbruecke.desk.sheets import new_sheet, sheet_forms
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.uploads import find_upload, keep_upload
from kiezbruecke.page.admission import FormOf, HouseOf, VisitorOf, file_of, require
from kiezbruecke.page.refusals import PageRefusal, not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor

ENTRY = Entry("/listen", "Beschlusslisten", Right.READ)
router = APIRouter()
Start = Callable[[str, Person], bool]  # a route, for whom; False where it could not be started now
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PLACES = {"": "wartet auf das Einlesen", "done": "eingelesen", "failed": "nicht zu gebrauchen"}
_ROUTES: Sequence[Column[pipeline.SheetRoute]] = (
    Column("Liste", lambda one: one.title, "liste"),
    Column("Verfahren", lambda one: one.process, "verfahren"),
    Column("Was können Sie tun?"),
)
_LINES: Sequence[Column[pipeline.LineOutlook]] = (
    Column("Zeile", lambda one: one.row, "zeile", numeric=True),
    Column("Fall"),
    Column("Verstanden"),
    Column("Was daraus folgt"),
    Column("Was zu tun ist"),
)
_AREAS: Sequence[Column[pipeline.AreaOutlook]] = (
    Column("Bezirksregion"),
    Column("Budget", numeric=True),
    Column("bisher vergeben", numeric=True),
    Column("danach vergeben", numeric=True),
    Column("danach frei", numeric=True),
)
_THERE: Sequence[Column[pipeline.SheetThere]] = (
    Column("Datei", lambda one: one.file, "datei"),
    Column("Stand", lambda one: one.place, "stand"),
    Column("vom", lambda one: one.at, "vom"),
    Column("übernommen von", lambda one: one.handed_by, "wer"),
    Column("Bericht"),
)


def nobody_starts(_route: str, _person: Person) -> bool:
    """Where no Airflow runs, the next run takes the list."""
    return False


@router.get("/listen")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """Which lists there are, and forms to fill in."""
    require(visitor, Right.READ)
    routes = [one for one in pipeline.sheet_routes(house) if visitor.may(Right.READ, one.route)]
    forms = [one for one in sheet_forms(house.content) if visitor.may(Right.READ, one.process)]
    empty = "Für Ihre Anmeldung gibt es zurzeit keine Liste, die Sie abgeben können."
    return render(
        request,
        "sheets.html",
        table=table(request, "Listen abgeben", _ROUTES, routes, empty=empty),
        forms=forms,
        answers=lambda one: visitor.may(Right.ANSWER, one.route),
    )


@router.get("/listen/vorlage")
def form(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """An empty list, or for one area a list with all that the platform knows and nobody has decided."""
    asked = request.query_params
    process = asked.get("verfahren", "")
    require(visitor, Right.READ, process)
    if process not in {one.process for one in sheet_forms(house.content)}:
        raise not_found("Dieses Verfahren")
    made = new_sheet(house, process, asked.get("liste", ""), asked.get("region", ""), _day(asked.get("tag", "")))
    return _download(made.file_name, made.body, _XLSX)


@router.get("/listen/{route}")
def one(request: Request, house: HouseOf, visitor: VisitorOf, route: str) -> Response:
    """Hand one in; what lies there already."""
    found = _route(house, visitor, route)
    there = pipeline.sheets_there(house, route)
    done = request.query_params.get("liste", "")
    return render(
        request,
        "sheet.html",
        route=found,
        table=table(request, "Frühere Listen", _THERE, there, empty="Noch wurde keine Liste abgegeben."),
        places=_PLACES,
        answers=visitor.may(Right.ANSWER, route),
        taken=next((one for one in there if one.look == done), None),
        started=request.query_params.get("lauf") == "1",
        again="?" + urlencode(request.query_params),
    )


@router.post("/listen/{route}/ansehen")
def send(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf, route: str) -> Response:
    """Hold the file for this log-in, and show what would follow from it."""
    require(visitor, Right.ANSWER, route)
    _route(house, visitor, route)
    name, body = _file(form)
    shown = pipeline.look_ahead(house, route, name, body)
    keep_upload(house.ledger, request.app.state.vault, visitor.person.login, shown.look, name, body)
    query = urlencode({"liste": shown.look})
    return RedirectResponse(f"{request.scope.get('root_path', '')}/listen/{quote(route)}/ansehen?{query}", 303)


@router.get("/listen/{route}/ansehen")
def look(request: Request, house: HouseOf, visitor: VisitorOf, route: str) -> Response:
    """What would follow from it now, joined with all that is known by now; nothing is stored."""
    require(visitor, Right.ANSWER, route)
    found = _route(house, visitor, route)
    name, body = _in_hand(request, house, visitor, request.query_params.get("liste", ""))
    shown = pipeline.look_ahead(house, route, name, body)
    first = sorted(shown.lines, key=lambda line: line.sound)  # those that somebody must look at
    return render(
        request,
        "sheet_look.html",
        route=found,
        shown=shown,
        waiting=[line for line in first if not line.sound],
        table=table(request, "Zeile für Zeile", _LINES, first, empty="Die Liste hat keine Zeile."),
        areas=table(request, "Budgets danach", _AREAS, shown.areas, empty="Die Liste betrifft kein Budget.", name="b-"),
    )


@router.post("/listen/{route}/uebernehmen")
def take(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf, route: str) -> Response:
    """Put exactly what was looked at where the route finds it, and start the route."""
    require(visitor, Right.ANSWER, route)
    _route(house, visitor, route)
    digest = str(form.get("look", ""))
    name, body = _in_hand(request, house, visitor, digest)
    done = pipeline.hand_over(house, route, name, body, look=digest, person=visitor.person)
    started = done.stored and request.app.state.start(route, visitor.person)
    query = urlencode({"liste": done.look, **({"lauf": "1"} if started else {})})
    return RedirectResponse(f"{request.scope.get('root_path', '')}/listen/{quote(route)}?{query}", 303)


@router.get("/listen/{route}/bericht")
def report(request: Request, house: HouseOf, visitor: VisitorOf, route: str) -> Response:
    """What became of each line, as it lies beside the list."""
    _route(house, visitor, route)
    try:
        name, body = pipeline.sheet_report(house, route, request.query_params.get("liste", ""))
    except InputError:
        raise not_found("Diesen Bericht") from None
    return _download(name, body, "text/csv")


def _route(house: House, visitor: Visitor, name: str) -> pipeline.SheetRoute:
    """The route; one that may not be read, or takes no lists, is not there."""
    found = next((one for one in pipeline.sheet_routes(house) if one.route == name), None)
    if found is None or not visitor.may(Right.READ, name):
        raise not_found("Diese Liste")
    return found


def _file(form: FormData) -> tuple[str, bytes]:
    found: UploadFile | None = file_of(form, "datei")
    if found is None or not found.filename:
        raise PageRefusal(422, "Keine Datei ausgewählt", "Bitte wählen Sie die ausgefüllte Liste aus (XLSX oder CSV).")
    return found.filename, found.file.read()


def _in_hand(request: Request, house: House, visitor: Visitor, digest: str) -> tuple[str, bytes]:
    """What this log-in has sent to be looked at."""
    held = find_upload(house.ledger, request.app.state.vault, visitor.person.login, digest)
    if held is None:
        raise PageRefusal(
            422,
            "Bitte geben Sie die Liste noch einmal zum Ansehen ab",
            "Seit dem Ansehen ist zu viel Zeit vergangen, oder es waren seitdem viele andere. Es ist nichts geschehen.",
        )
    return held


def _day(given: str) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise PageRefusal(
            422, "Diesen Tag gibt es nicht", f"Bitte so eingeben: {german.day(date(2026, 4, 24))}."
        ) from None


def _download(name: str, body: bytes, kind: str) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(body, media_type=kind, headers=headers)
