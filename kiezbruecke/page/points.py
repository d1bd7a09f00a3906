"""The Schreibtisch: what waits for whom since when, and the answers to it.

    /                       the points: the visitor's own, the office's, all
    /punkte/antwort?nr=…    one or several, with what may be answered; POST answers
    /punkte/ergebnis?nr=…   what holds now, whoever has said it

A form names what it has shown of each point; what has changed since is shown again instead of being answered. A point
is open once and the ledger closes it once: whoever comes second is told whose answer holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke import attention, desk
from kiezbruecke.content.areas import find_area
from kiezbruecke.content.processes import process_files, read_process
from kiezbruecke.content.roles import Right
from kiezbruecke.desk import PointStory, words
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.people import REASON
from kiezbruecke.ledger.todo import Answer, PointHead, open_heads
from kiezbruecke.page.admission import FormOf, HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import PageRefusal, not_allowed, not_found
from kiezbruecke.page.releases import waiting_releases
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import PER_PAGE, Column, table
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.records import Area

ENTRY = Entry("/", "Schreibtisch")
router = APIRouter()
_COLUMNS: Sequence[Column[PointHead]] = (
    Column("Auswahl", hidden=True),
    Column("Art", lambda one: words.KINDS[one.kind][0], "art"),
    Column("Fall", lambda one: one.case_reference, "fall"),
    Column("Was ist geschehen?"),
    Column("Wer", lambda one: one.owner, "wer"),
    Column("seit", lambda one: one.id, "seit"),
    Column("Was können Sie tun?"),
)


@dataclass(frozen=True)
class _Filter:
    """Whose points are shown."""

    name: str
    title: str
    empty: str
    shows: Callable[[Visitor, PointHead], bool]


_FILTERS = (
    _Filter(
        "meine",
        "Für mich zu entscheiden",
        "Zurzeit wartet kein Punkt auf Ihre Antwort.",
        lambda visitor, one: one.answerable and visitor.may_answer(one.route, one.owner),
    ),
    _Filter(
        "stelle",
        "Meine Stelle",
        "Zurzeit gibt es keinen Punkt Ihrer Stelle, auch keinen, der sich von selbst erledigt.",
        lambda visitor, one: visitor.owns(one.owner),
    ),
    _Filter("alle", "Alle", "Zurzeit braucht nichts eine Person.", lambda *_: True),
)


@dataclass(frozen=True)
class _Shown:
    """A point in a form."""

    point: PointStory
    seen: str
    """What the form has shown of it"""
    error: str = ""
    reason: str = ""


@router.get("/")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """What must be done, what waits for whom, whether everything is in order."""
    require(visitor, Right.SEE)
    asked = request.query_params.get("wer", "")
    chosen = next((one for one in _FILTERS if one.name == asked), _FILTERS[0])
    by_case = request.query_params.get("sort", "").endswith("fall")
    alike = _alike(visitor, open_heads(house.ledger, with_cases=by_case))
    counted = [(one, sum(len(some) for some in alike if one.shows(visitor, some[0]))) for one in _FILTERS]
    rows = sorted((point for some in alike if chosen.shows(visitor, some[0]) for point in some), key=attrgetter("id"))
    found = table(request, chosen.title, _COLUMNS, rows, empty=chosen.empty)
    shown = desk.points_of(house, [*found.rows, *rows[:1]])
    status = desk.status(house, counted=())
    return render(
        request,
        "points.html",
        table=found.showing(shown[: len(found.rows)]),
        filters=counted,
        chosen=chosen,
        oldest=shown[-1].opened_at if shown else None,
        chosable={one.id for one in found.rows if _FILTERS[0].shows(visitor, one)},
        failing=[one for one in status.failing if visitor.may(Right.SEE, one.route)],
        paused=[one for one in status.routes if one.paused and visitor.may(Right.SEE, one.route)],
        recovering=status.recovering,
        to_sign=waiting_releases(house, visitor, only_own=True),
    )


def _alike(visitor: Visitor, heads: Sequence[PointHead]) -> Sequence[Sequence[PointHead]]:
    """What the visitor may see, by all that decides whose it is: of ten thousand points that is asked a few times."""
    found: dict[tuple[str, str, bool], list[PointHead]] = {}
    for one in heads:
        found.setdefault((one.route, one.owner, one.answerable), []).append(one)
    return [some for some in found.values() if visitor.may(Right.SEE, some[0].route)]


@router.get("/punkte/antwort")
def ask(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """The form for one point, or for several of one kind."""
    points = _points(house, visitor, request.query_params.getlist("nr"))
    if not points:
        raise PageRefusal(
            422, "Kein Punkt ausgewählt", "Bitte kreuzen Sie auf dem Schreibtisch mindestens einen Punkt an."
        )
    return _form(request, house, [_Shown(one, _seen(one)) for one in points], {})


@router.post("/punkte/antwort")
def answer(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Carry out the answer to each point; what could not be answered is shown again with its reason."""
    points = _points(house, visitor, form.getlist("nr"))
    wanted, left = str(form.get("answer", "")), list[_Shown]()
    for point in points:
        if not visitor.may_answer(point.route, point.owner):
            raise not_allowed(Right.ANSWER)
    for point in points:
        if point.closed_at is None and (error := _answer_one(house, visitor, point, form, wanted)):
            left.append(_Shown(point, _seen(point), error, str(form.get(f"text-{point.id}", ""))))
    if left:
        return _form(request, house, left, form, 422)
    query = urlencode([("nr", one.id) for one in points] + [("antwort", wanted)])
    return RedirectResponse(f"{request.scope.get('root_path', '')}/punkte/ergebnis?{query}", 303)


@router.get("/punkte/ergebnis")
def result(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """What holds now for each point, from the ledger."""
    points = _points(house, visitor, request.query_params.getlist("nr"))
    wanted = request.query_params.get("antwort", "")
    return render(
        request,
        "points_result.html",
        points=points,
        held=lambda one: _holds(visitor, one, wanted),
        said=_said,
        then=_then,
        who=lambda one: words.who(one.answered_by, one.answered_account),
    )


def _points(house: House, visitor: Visitor, numbers: Sequence[object]) -> list[PointStory]:
    """The points of these numbers, at most a page of them; one that may not be seen is not there."""
    wanted = list(dict.fromkeys(str(one) for one in numbers))
    if len(wanted) > PER_PAGE or not all(one.isdecimal() and one.isascii() and len(one) < 10 for one in wanted):
        raise not_found("Diese Punkte")
    found = []
    for number in wanted:
        try:
            point = desk.point(house, int(number))
        except InputError:
            raise not_found("Diesen Punkt") from None
        if not visitor.may(Right.SEE, point.route):
            raise not_found("Diesen Punkt")
        found.append(point if visitor.may(Right.READ, point.route) else point.model_copy(update={"their_words": ()}))
    return found


def _form(
    request: Request, house: House, shown: Sequence[_Shown], typed: Mapping[str, object] | FormData, status: int = 200
) -> Response:
    answers = _common([one.point for one in shown])
    return render(
        request,
        "points_answer.html",
        status,
        shown=shown,
        answers=[(one, words.ANSWERS[one]) for one in answers],
        answerable=any(one.point.answers for one in shown),
        areas=_areas(house, [one.point for one in shown]) if Answer.ASSIGN in answers else (),
        chosen=str(typed.get("answer", "")),
        reason=str(typed.get("text", "")),
        area=str(typed.get("area", "")),
        most=REASON,
    )


def _answer_one(house: House, visitor: Visitor, point: PointStory, form: FormData, wanted: str) -> str:
    """Answer one open point; why not, in German, or nothing. Somebody who was faster is no error: see the result."""
    if form.get(f"seen-{point.id}") != _seen(point):
        return "Der Punkt hat sich inzwischen geändert. Bitte lesen Sie ihn noch einmal."
    if not wanted:
        return "Bitte wählen Sie eine Antwort."
    reason = str(form.get(f"text-{point.id}") or form.get("text") or "")
    reason = " ".join(reason.splitlines())  # browsers send a field of several lines with its breaks
    if not reason.strip():
        return "Bitte geben Sie eine Begründung an."
    if wanted == Answer.ASSIGN and not form.get("area"):
        return "Bitte wählen Sie die Bezirksregion."
    try:
        area = _area(house, point, str(form.get("area", ""))) if wanted == Answer.ASSIGN else None
        stored = desk.stored_point(house.ledger, point.id)
        attention.decide(house.ledger, stored, wanted, person=visitor.person, reason=reason, area=area)
    except InputError as error:
        closed = desk.stored_point(house.ledger, point.id).closed_at is not None
        return "" if closed else f"{error.what}."  # what helps would be a command
    return ""


def _area(house: House, point: PointStory, name: str) -> Area | None:
    return find_area(read_process(house.content, point.route), name) if name and point.case else None


def _areas(house: House, points: Sequence[PointStory]) -> Sequence[Area]:
    """The areas to which all of these cases could be assigned."""
    (process, *others) = {one.route for one in points}
    if others or process not in {file.stem for file in process_files(house.content)}:
        return ()
    return read_process(house.content, process).areas


def _common(points: Sequence[PointStory]) -> list[Answer]:
    """What may be answered to all of them."""
    if len({one.kind for one in points}) > 1:
        return []
    return [one for one in points[0].answers if all(one in other.answers for other in points)]


def _seen(point: PointStory) -> str:
    """Digest of what a person decides upon."""
    told = "\0".join((str(point.id), point.reason, *point.answers, *point.their_words))
    return sha256(told.encode()).hexdigest()[:32]


def _holds(visitor: Visitor, point: PointStory, wanted: str) -> bool:
    """Whether what holds is what this visitor has said."""
    own = (point.answered_by, point.answered_account) == (visitor.person.name, visitor.person.account)
    return own and _plain(point.answer) == wanted


def _said(point: PointStory) -> str:
    return words.SETTLED.get(point.answer, _plain(point.answer).replace("_", " "))


def _then(point: PointStory) -> str:
    """What follows from what was answered; nothing where it settled by itself."""
    given = _plain(point.answer)
    return words.THEN[Answer(given)] if given in list(Answer) else ""


def _plain(given: str) -> str:
    """Without the area behind it."""
    return given.partition(":")[0]
