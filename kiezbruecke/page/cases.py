"""Cases: found by what somebody remembers of one, and one case as a line from the idea to the settlement.

/faelle?gesucht=…                   the search; what is typed may be a person's words: an address has them sealed, for
                                    the browser they were typed in alone (its cookie is half of the key)
/faelle?nummer=…                    the same by a number, which is nobody's
/faelle/<id>                        the case; whoever reads its content is in its evidence
/faelle/<id>/dokumente/<key>?name=  one file of a message, as it was sent
/faelle/<id>/konto                  POST: the account in full, once and with a reason; it has no address of its own
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiezbruecke import desk
from kiezbruecke.content.processes import process_files
from kiezbruecke.content.roles import Right
from kiezbruecke.desk import CaseFound, CaseStory, MessageFacts, SentFileView, words
from kiezbruecke.desk.cases import MOST
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.events import OPENED, ROWS
from kiezbruecke.ledger.people import REASON
from kiezbruecke.page.admission import FormOf, HouseOf, VisitorOf, require
from kiezbruecke.page.refusals import not_found
from kiezbruecke.page.rendering import Entry, render
from kiezbruecke.page.tables import Column, table
from kiezbruecke.page.visitor import Visitor

ENTRY = Entry("/faelle", "Fälle")
router = APIRouter()
# of a case, message or voucher: short letters, then digits – says nothing about a person
_NUMBER = re.compile(r"\d[\d-]{1,39}|[A-Z]{1,4}\d{0,4}(-[A-Z]{0,2}\d{1,12}){1,5}")
_FOUND: Sequence[Column[CaseFound]] = (
    Column("Fall", lambda one: one.reference, "fall"),
    Column("Titel", lambda one: one.title, "titel"),
    Column("Verfahren", lambda one: one.process, "verfahren"),
    Column("Bezirksregion", lambda one: one.area_name, "region"),
)
_MESSAGES: Sequence[Column[MessageFacts]] = (
    Column("Fremdkennzeichen", lambda one: one.reference, "kennzeichen"),
    Column("Wirkung", lambda one: one.effect, "wirkung"),
    Column("Ziel", lambda one: one.destination, "ziel"),
    Column("Betrag", lambda one: one.amount, "betrag", numeric=True),
    Column("Zustand", lambda one: one.state.value, "zustand"),
    Column("zuletzt", lambda one: one.updated_at, "zuletzt"),
    Column("Dokumente"),
)


@dataclass(frozen=True)
class _Money:
    """A line of a case's money."""

    what: str
    reference: str
    amount: object
    state: str
    day: object


_MONEY: Sequence[Column[_Money]] = (
    Column("Was"),
    Column("Fremdkennzeichen"),
    Column("Betrag", numeric=True),
    Column("Stand"),
    Column("Tag"),
)
_RECEIPTS: Sequence[Column[desk.ReceiptView]] = (
    Column("zu", lambda one: one.reference, "zu"),
    Column("am", lambda one: one.at, "am"),
    Column("Ergebnis", lambda one: one.outcome.value, "ergebnis"),
    Column("Art", lambda one: one.event, "art"),
    Column("Wortlaut"),
)
_EVENTS: Sequence[Column[desk.EventView]] = (
    Column("wann", lambda one: one.at, "wann"),
    Column("was", lambda one: one.kind, "was"),
    Column("Einzelheiten"),
)


@router.get("/faelle")
def search(request: Request, house: HouseOf, visitor: VisitorOf) -> Response:
    """The search; with a number, or words that this browser has sealed, its result."""
    require(visitor, Right.SEE)
    number, sealed = request.query_params.get("nummer", ""), request.query_params.get("gesucht", "")
    if number or not sealed:
        return _search(request, house, visitor, number)
    words = _opened(request, sealed)
    return _search(request, house, visitor, words, why="" if words else "Bitte suchen Sie noch einmal.")


@router.post("/faelle")
def find(request: Request, visitor: VisitorOf, form: FormOf) -> Response:
    """What was typed becomes an address, as it is or sealed: so sorting, reloading and going back find it again."""
    require(visitor, Right.SEE)
    typed = " ".join(str(form.get("text-suche", "")).split())[:200]
    number = _NUMBER.fullmatch(typed.upper())
    asked = {"nummer": typed.upper()} if number else {"gesucht": _sealed(request, typed)} if typed else {}
    return RedirectResponse(f"{request.scope.get('root_path', '')}/faelle?{urlencode(asked)}", 303)


@router.get("/faelle/{case}")
def show(request: Request, house: HouseOf, visitor: VisitorOf, case: UUID) -> Response:
    """One case; without the right to read its content only that it is there, and how it stands."""
    found = _case(house, visitor, case)
    reads = visitor.may(Right.READ, found.process)
    if reads:
        desk.note_case_opening(house.ledger, visitor.person, found.id)
    receipts = desk.receipts(house.ledger, found.id) if reads else ()
    return render(
        request,
        "case.html",
        case=found,
        reads=reads,
        unmasks=visitor.may(Right.UNMASK, found.process),
        money=table(request, "Geld", _MONEY, _money(found), empty="Noch ist nichts festgelegt und nichts gezahlt."),
        messages=table(request, "Nachrichten", _MESSAGES, found.messages, empty="Noch ging nichts hinaus.", name="n-"),
        receipts=table(request, "Rückmeldungen", _RECEIPTS, receipts, empty="Noch kam nichts zurück.", name="r-"),
        events=table(
            request,
            "Ereignisse",
            _EVENTS,
            [one for one in reversed(found.events) if one.kind != ROWS],
            empty="Noch ist nichts geschehen.",
            name="e-",
        ),
        points=[one for one in found.attention if one.open],
        details=_details,
        opened=OPENED,
        receipt_word=lambda one: words.RECEIPTS[one.outcome],
    )


@router.get("/faelle/{case}/dokumente/{message}")
def documents(request: Request, house: HouseOf, visitor: VisitorOf, case: UUID, message: UUID) -> Response:
    """The files of one message, or one of them: as it was sent, never as a page of ours."""
    found = _case(house, visitor, case)
    require(visitor, Right.READ, found.process)
    facts = next((one for one in found.messages if one.key == message), None)
    if facts is None:
        raise not_found("Diese Nachricht")
    name = request.query_params.get("name")
    if name is None:
        return render(request, "documents.html", case=found, message=facts, documents=_files(house, message))
    if name not in {one.name for one in _files(house, message)}:
        raise not_found("Dieses Dokument")
    document = desk.open_document(house, str(message), name, visitor.person)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name.rpartition('/')[2], safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    kind = document.view.media_type if document.view.media_type in _HARMLESS else "application/octet-stream"
    return Response(document.data, media_type=kind, headers=headers)


@router.get("/faelle/{case}/konto")
def ask_for_account(request: Request, house: HouseOf, visitor: VisitorOf, case: UUID) -> Response:
    """The form that asks why; it shows nothing."""
    found = _case(house, visitor, case)
    require(visitor, Right.UNMASK, found.process)
    return _account(request, found)


@router.post("/faelle/{case}/konto")
def account(request: Request, house: HouseOf, visitor: VisitorOf, form: FormOf, case: UUID) -> Response:
    """The account, in the answer to this form and nowhere else: who asks again is in the evidence again."""
    found = _case(house, visitor, case)
    require(visitor, Right.UNMASK, found.process)
    reason = " ".join(str(form.get("text", "")).split())
    if not reason:
        return _account(request, found, error="Bitte geben Sie eine Begründung an.", status=422)
    try:
        accounts = desk.show_accounts(house, found.id, visitor.person, reason)
    except InputError as error:
        return _account(request, found, reason=reason, error=f"{error.what}.", status=422)
    return _account(request, found, accounts)


_HARMLESS = frozenset({"application/pdf", "application/xml", "text/csv"})  # kinds that a browser runs nothing of


def _account(
    request: Request,
    case: CaseStory,
    accounts: Sequence[desk.AccountView] = (),
    *,
    reason: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    return render(
        request, "account.html", status, case=case, accounts=accounts, reason=reason, error=error, most=REASON
    )


def _sealed(request: Request, words: str) -> str:
    return _seal_of(request).encrypt(words.encode()).decode()


def _opened(request: Request, sealed: str) -> str:
    """The words; nothing where another browser has sealed them, or this one before it was closed."""
    try:
        return _seal_of(request).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return ""


def _seal_of(request: Request) -> Fernet:
    key: bytes = request.app.state.secret
    return Fernet(urlsafe_b64encode(hmac.digest(key, f"search\0{request.state.browser}".encode(), "sha256")))


def _search(request: Request, house: House, visitor: Visitor, part: str, why: str = "") -> Response:
    found, missing = list[CaseFound](), ""
    if part:
        try:
            names = [file.stem for file in process_files(house.content) if visitor.may(Right.SEE, file.stem)]
            found = desk.find_cases(house, part, names)
            missing = desk.how_much_is_known(house.ledger, names)
        except InputError as error:
            why = f"{error.what}."
    found = [_readable(visitor, one) for one in found]
    empty = why or ("Dazu gibt es keinen Fall." if part else "Hier steht gleich, was zu Ihrer Suche passt.")
    return render(
        request,
        "cases.html",
        table=table(request, "Gefunden", _FOUND, found, empty=empty),
        searched=part,
        missing=missing,
        many=len(found) >= MOST,
        most=MOST,
    )


def _readable(visitor: Visitor, one: CaseFound) -> CaseFound:
    return one if visitor.may(Right.READ, one.process) else one.model_copy(update={"title": ""})


def _case(house: House, visitor: Visitor, case: UUID) -> CaseStory:
    """The case; one that may not be seen is not there."""
    try:
        (found,) = desk.cases(house, str(case))
    except InputError:
        raise not_found("Diesen Fall") from None
    if not visitor.may(Right.SEE, found.process):
        raise not_found("Diesen Fall")
    return found


def _files(house: House, message: UUID) -> Sequence[SentFileView]:
    try:
        return desk.documents(house, str(message))
    except InputError:
        return ()


def _money(case: CaseStory) -> list[_Money]:
    lines = []
    if case.commitment is not None:
        state = words.COMMITMENTS[case.commitment.state]
        lines.append(_Money("Festlegung", "", case.commitment.booked, state, None))
    for one in case.orders:
        state = words.ORDERS[one.state]
        lines.append(_Money(words.ORDER_KINDS[one.kind], one.reference, one.amount, state, one.moved_on or one.due_on))
    return lines


def _details(event: desk.EventView) -> str:
    """What an event tells, in a line: ids, who, why it was answered so."""
    told = event.model_extra or {}
    keep = ("what", "reference", "note", "source", "answer")
    who = words.who(told["person"], told.get("account", "")) if told.get("person") else ""
    return ", ".join([*(str(told[key]) for key in keep if told.get(key)), *filter(None, [who])])
