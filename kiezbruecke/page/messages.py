"""Nachrichten: what went out or waits, and one message with every stage of its way.

    /nachrichten                      what is not settled; filtered by state, route, mapping
    /nachrichten/<key>                a message: steps, what came back, where each value came from; send again

Values stand nowhere here: the lineage says which rule of which mapping made which place of which field.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke import desk, pipeline
from kiezbruecke.content.roles import Right
from kiezbruecke.desk import MessageFacts, MessageStory, ReceiptView, words
from kiezbruecke.desk.messages import MOST, StepView, newest
from kiezbruecke.errors import InputError, KiezbrueckeError
from kiezbruecke.house import House
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.people import REASON
from kiezbruecke.ledger.states import UNSETTLED
from kiezbruecke.page.admission import FormOf, HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.workbench.lineage import StoredValue, stored_lineage

ENTRY = Entry("/nachrichten", "Nachrichten")
router = APIRouter()
_OPEN = frozenset({*UNSETTLED, MessageState.REFUSED})
_FILTERS = {
    "offen": ("nicht erledigt", _OPEN),
    "ungewiss": ("ungewiss", frozenset({MessageState.IN_DOUBT})),
    "abgewiesen": ("abgewiesen", frozenset({MessageState.REFUSED})),
    "bestaetigt": ("bestätigt", frozenset({MessageState.CONFIRMED})),
    "alle": ("alle", frozenset[MessageState]()),
}
_COLUMNS: Sequence[Column[MessageFacts]] = (
    Column("Fremdkennzeichen", lambda one: one.reference, "kennzeichen"),
    Column("Fall", lambda one: one.case, "fall"),
    Column("Wirkung", lambda one: one.effect, "wirkung"),
    Column("Ziel", lambda one: one.destination, "ziel"),
    Column("Betrag", lambda one: one.amount, "betrag", numeric=True),
    Column("Zustand", lambda one: one.state.value, "zustand"),
    Column("zuletzt", lambda one: one.updated_at, "zuletzt"),
)
_STEPS: Sequence[Column[StepView]] = (
    Column("wann", lambda one: one.at, "wann"),
    Column("von"),
    Column("nach"),
    Column("Bemerkung"),
)
_RECEIPTS: Sequence[Column[ReceiptView]] = (Column("am"), Column("Ergebnis"), Column("Art"), Column("Wortlaut"))
_VALUES: Sequence[Column[StoredValue]] = (
    Column("Feld der Quelle", lambda one: one.source, "quelle"),
    Column("Regel", lambda one: one.rule, "regel", numeric=True),
    Column("Zeile der Zuordnung"),
    Column("Ort in der Nachricht", lambda one: one.target, "ort"),
    Column("steht so in den Bytes", lambda one: one.held, "steht"),
)


@router.get("/nachrichten")
def show(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """The messages that were moved last."""
    require(visitor, Right.SEE)
    asked = request.query_params
    name = asked.get("stand", "offen") if asked.get("stand", "offen") in _FILTERS else "offen"
    route, mapping = asked.get("strecke", ""), asked.get("zuordnung", "")
    routes = [one.route for one in desk.routes(house) if visitor.may(Right.SEE, one.route) and route in ("", one.route)]
    found = newest(house.ledger, states=_FILTERS[name][1], routes=routes, mapping=mapping)
    return render(
        request,
        "messages.html",
        table=table(request, "Nachrichten", _COLUMNS, found, empty="Dazu gibt es zurzeit keine Nachricht."),
        filters=[(key, title) for key, (title, _) in _FILTERS.items()],
        chosen=name,
        narrowed=urlencode({key: value for key, value in (("strecke", route), ("zuordnung", mapping)) if value}),
        by=" ".join(filter(None, (route, mapping))),
        reads=lambda one: visitor.may(Right.READ, one.route),
        full=len(found) >= MOST,
        most=MOST,
    )


@router.get("/nachrichten/{key}")
def one(request: Request, house: HouseOf, visitor: VisitorOf, key: UUID) -> Response:
    """One message with its stages."""
    found = _message(house, visitor, key)
    return _shown(request, house, visitor, found)


@router.post("/nachrichten/{key}")
def resend(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf, key: UUID) -> Response:
    """The same bytes under the same id once more, if the destination has not got them; as the page has shown it."""
    found = _message(house, visitor, key)
    require(visitor, Right.ANSWER, found.route)
    reason = " ".join(str(form.get("text", "")).split())
    if form.get("seen") != found.updated_at.isoformat():
        return _shown(request, house, visitor, found, "Die Nachricht ist inzwischen weiter. Bitte sehen Sie nach.", 422)
    if not reason:
        return _shown(request, house, visitor, found, "Bitte geben Sie eine Begründung an.", 422)
    try:
        head = desk.stored_message(house.ledger, str(key))
        pipeline.resend(house, head, person=visitor.person, reason=reason)
    except InputError as error:
        return _shown(request, house, visitor, found, f"{error.line()}.", 422)
    except KiezbrueckeError:
        away = "Das Ziel kann gerade nicht gefragt werden; bitte später noch einmal."
        return _shown(request, house, visitor, found, away, 503)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/nachrichten/{key}?getan=1", 303)


def _shown(
    request: Request, house: House, visitor: Visitor, found: MessageStory, error: str = "", status: int = 200
) -> Response:
    reads = visitor.may(Right.READ, found.route)
    receipts = desk.receipts(house.ledger, found.case_id) if reads else ()
    own = [one for one in receipts if one.reference == found.reference]
    values = stored_lineage(house.ledger, found.key) if reads else []
    return render(
        request,
        "message.html",
        status,
        message=found,
        reads=reads,
        answers=visitor.may(Right.ANSWER, found.route),
        steps=table(request, "Schritte", _STEPS, found.steps, empty="Noch kein Schritt.", name="s-"),
        receipts=table(request, "Rückmeldungen", _RECEIPTS, own, empty="Es kam noch nichts zurück.", name="r-"),
        values=table(request, "Herkunft", _VALUES, values, empty="Nicht festgehalten.", name="h-"),
        receipt_word=lambda one: words.RECEIPTS[one.outcome],
        error=error,
        done=request.query_params.get("getan") == "1",
        most=REASON,
    )


def _message(house: House, visitor: Visitor, key: UUID) -> MessageStory:
    """The message; one that may not be seen is not there."""
    try:
        found = desk.message(house.ledger, str(key))
    except InputError:
        raise not_found("Diese Nachricht") from None
    if not visitor.may(Right.SEE, found.route):
        raise not_found("Diese Nachricht")
    return found
