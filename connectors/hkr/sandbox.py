"""A small HKR system that speaks hkr 1.1: a real server with its own books and fault switches.

Options: `content` (folder with schemas/), `limit.<Unterkonto>=<euros>`, `today=<date>`, `production=1`,
`login=<user>:<password>`. `GET /_sandbox/received` tells what arrived, how often, and what became of it.
"""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.hkr import contract
from connectors.hkr.books import Books, Result
from connectors.hkr.contract import add, euros, tag, text
from kiezbruecke.content import find_content
from kiezbruecke.errors import RecordError
from kiezbruecke.sandbox import AnswerLost, Faults
from kiezbruecke.standards.store import parse

FAULTS = (
    "commit_then_lose",  # UebermittleAnordnungen: booked, then the connection is cut without an answer
    "lose_before_commit",  # UebermittleAnordnungen: cut before anything is booked
    "reject_line",  # UebermittleAnordnungen: the next order gets a Meldung in the synchronous answer
    "refuse_one",  # the next accepted order is refused at booking (Rueckmeldung ABGEWIESEN)
    "duplicate_ack",  # the next booking is answered twice, under two numbers
    "unknown_ack",  # an answer for a Fremdkennzeichen that nobody sent
    "wrong_sum",  # UebermittleAnordnungen: booked, but SummeAngenommen is one cent too high
    "wrong_answer_sum",  # HoleRueckmeldungen: Summe is one cent too high
    "gap",  # HoleRueckmeldungen: the running numbers skip one
    "backwards",  # HoleRueckmeldungen: begins with an answer that was read before
    "no_answer_yet",  # HoleRueckmeldungen: as if nothing had been booked yet
    "in_progress",  # FrageStapelStatus: IN_ARBEIT
    "wrong_balance",  # HoleSalden: the first balance is one cent too high
    "only_1_0",  # HoleStand, FrageAnordnungen: unknown operations, as in a system of the contract's first version
    "html_answer",  # any call: a login page with status 200; nothing is done
    "busy",  # any call: 503; nothing is done
    "reset",  # any call: done, then the connection is reset in the middle of the answer
    "slow_drip",  # any call: done, the answer comes byte by byte
    "truncated_answer",  # any call: done, half an answer that looks whole to HTTP
)

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XML = "text/xml; charset=utf-8"
_UNKNOWN = ("UNBEKANNT", "IN_ARBEIT")


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app; see the module."""
    content = Path(options["content"]) if "content" in options else find_content()
    service = _Service(_books(state, faults, options), faults, content, options.get("login", ""))
    wsdl = content / contract.FOLDER / "service.wsdl"

    async def describe(_: Request) -> Response:
        return FileResponse(wsdl, media_type=_XML)

    async def received(_: Request) -> Response:
        return JSONResponse(service.books.received())

    routes = [
        Route("/hkr", service.answer, methods=["POST"]),
        Route("/hkr", describe, methods=["GET"]),
        Route("/_sandbox/received", received),
    ]
    return Starlette(routes=routes, exception_handlers={Exception: _pass_on})


async def _pass_on(_: Request, error: Exception) -> Response:
    """Without this Starlette would answer 500 before the connection is cut."""
    raise error


def _books(state: Path, faults: Faults, options: dict[str, str]) -> Books:
    limits = {
        name.removeprefix("limit."): contract.cents(value)
        for name, value in options.items()
        if name.startswith("limit.")
    }
    return Books(
        state / "books.sqlite3",
        faults.take,
        limits=limits,
        today=_calendar(options.get("today", "")),
        production=options.get("production") == "1",
    )


def _calendar(fixed: str) -> Callable[[], date]:
    if fixed:
        day = date.fromisoformat(fixed)
        return lambda: day
    return lambda: datetime.now(ZoneInfo("Europe/Berlin")).date()


class _Service:
    """The six operations behind one address."""

    def __init__(self, books: Books, faults: Faults, content: Path, login: str) -> None:
        self.books, self._faults, self._content = books, faults, content
        self._login = "Basic " + base64.b64encode(login.encode()).decode() if login else ""

    async def answer(self, request: Request) -> Response:
        """One SOAP call, with whatever fault is armed."""
        if self._login and request.headers.get("Authorization") != self._login:
            return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
        question = await request.body()
        asks_back = b"HoleStand" in question  # a look before each run: armed faults are meant for what follows it
        if not asks_back and self._faults.take("busy"):
            return Response(status_code=503, headers={"Retry-After": "60"})
        if not asks_back and self._faults.take("html_answer"):
            return HTMLResponse("<!doctype html><title>Anmeldung</title><p>Bitte melden Sie sich an.")
        status, body = self._call(question)
        return (None if asks_back else self._misshapen(body)) or Response(body, status, media_type=_XML)

    def _call(self, envelope: bytes) -> tuple[int, bytes]:
        try:
            root = _body_of(envelope)
        except RecordError as error:
            return 500, _fault("SCHEMA", str(error))
        operations = {
            tag("UebermittleAnordnungen"): self._submit,
            tag("FrageStapelStatus"): self._status,
            tag("HoleRueckmeldungen"): self._answers,
            tag("HoleSalden"): self._balances,
            tag("HoleStand"): self._stand,
            tag("FrageAnordnungen"): self._orders,
        }
        newer = root.tag in (tag("HoleStand"), tag("FrageAnordnungen"))
        if root.tag not in operations or (newer and self._faults.take("only_1_0")):
            return 500, _fault("SCHEMA", "Unbekannte Operation")
        if violation := contract.first_violation(self._content, root):
            return 500, _fault("SCHEMA", f"Die Anfrage verletzt den Vertrag: {violation}")
        return 200, _envelope(operations[root.tag](root))

    # -- the operations --------------------------------------------------------------------------------------

    def _submit(self, root: etree._Element) -> etree._Element:
        if self._faults.take("lose_before_commit"):
            raise AnswerLost
        result = self.books.submit(root)
        if self._faults.take("commit_then_lose"):
            raise AnswerLost
        answer = etree.Element(tag("UebermittleAnordnungenAntwort"), nsmap=contract.PREFIXES)
        wrong = 1 if self._faults.take("wrong_sum") else 0
        _fill(answer, _result_fields(result, sum(result.accepted) + wrong))
        for reference, _, verdict in result.lines:
            if verdict.code and verdict != result.reason:
                message = [("Fremdkennzeichen", reference), ("Code", verdict.code), ("Text", verdict.text)]
                add(answer, "Meldung", message)
        if result.reason.code:
            add(answer, "Meldung", [("Code", result.reason.code), ("Text", result.reason.text)])
        return answer

    def _status(self, root: etree._Element) -> etree._Element:
        result = self.books.status(text(root, "StapelId"))
        if self._faults.take("in_progress"):
            result = Result(result.batch_id, "IN_ARBEIT")
        answer = etree.Element(tag("FrageStapelStatusAntwort"), nsmap=contract.PREFIXES)
        _fill(answer, _result_fields(result, sum(result.accepted)))
        for reference, _, verdict in result.lines:
            refusal = [("Code", verdict.code), ("Text", verdict.text)] if verdict.code else []
            outcome = "ABGEWIESEN" if verdict.code else "ANGENOMMEN"
            add(answer, "Zeile", [("Fremdkennzeichen", reference), ("Ergebnis", outcome), *refusal])
        return answer

    def _answers(self, root: etree._Element) -> etree._Element:
        after, limit = int(text(root, "NachLaufenderNummer")), int(text(root, "HoechstAnzahl"))
        begin = after - 1 if after and self._faults.take("backwards") else after
        rows, highest = self.books.answers(begin, limit)
        if rows and self._faults.take("no_answer_yet"):
            rows, highest = [], after
        shift = 1 if rows and self._faults.take("gap") else 0
        wrong = 1 if rows and self._faults.take("wrong_answer_sum") else 0
        answer = etree.Element(tag("HoleRueckmeldungenAntwort"), nsmap=contract.PREFIXES)
        more = bool(rows) and rows[-1]["number"] < highest
        _fill(
            answer,
            [
                ("Weitere", "true" if more else "false"),
                ("LetzteNummer", str(highest)),
                ("Anzahl", str(len(rows))),
                ("Summe", euros(sum(row["cents"] for row in rows) + wrong)),
            ],
        )
        for row in rows:
            add(answer, "Rueckmeldung", _answer_fields(row, shift))
        return answer

    def _stand(self, root: etree._Element) -> etree._Element:
        last, highest = self.books.stand(text(root, "Vorverfahren"))
        answer = etree.Element(tag("HoleStandAntwort"), nsmap=contract.PREFIXES)
        _fill(answer, [*([("LetzteStapelId", last)] if last else []), ("LetzteNummer", str(highest))])
        return answer

    def _orders(self, root: etree._Element) -> etree._Element:
        asked = [(element.text or "").strip() for element in root.findall(tag("Anfang"))]
        found = {beginning: self.books.orders(beginning) for beginning in asked}
        known = {row["reference"]: (row, last) for some in found.values() for row, last in some}
        answer = etree.Element(tag("FrageAnordnungenAntwort"), nsmap=contract.PREFIXES)
        total = sum(row["cents"] for row, _ in known.values())
        _fill(answer, [("Anzahl", str(len(known))), ("Summe", euros(total))])
        for row, last in known.values():
            _add_order(answer, row, last)
        _fill(answer, [("Unbekannt", beginning) for beginning, some in found.items() if not some])
        return answer

    def _balances(self, root: etree._Element) -> etree._Element:
        year = text(root, "Haushaltsjahr")
        answer = etree.Element(tag("HoleSaldenAntwort"), nsmap=contract.PREFIXES)
        _fill(answer, [("Haushaltsjahr", year)])
        for row in self.books.balances(int(year)):
            wrong = 1 if self._faults.take("wrong_balance") else 0
            balance = add(answer, "Saldo", [])
            names = [("Kapitel", "chapter"), ("Titel", "title"), ("Unterkonto", "area")]
            place = [("Haushaltsjahr", year), *((name, row[column]) for name, column in names)]
            add(balance, "Buchungsstelle", place)
            sums = [("Festgelegt", euros(row["cents"] + wrong)), ("Ausgezahlt", "0.00")]
            _fill(balance, [*sums, ("Tag", self.books.today().isoformat())])
        return answer

    # -- answers of a bad shape ------------------------------------------------------------------------------

    def _misshapen(self, body: bytes) -> Response | None:
        if self._faults.take("truncated_answer"):
            return StreamingResponse(_pieces(body[: len(body) // 2]), media_type=_XML)
        if self._faults.take("slow_drip"):
            return StreamingResponse(_drip(body), media_type=_XML)
        if self._faults.take("reset"):
            headers = {"Content-Length": str(len(body))}
            return StreamingResponse(_half_then_cut(body), media_type=_XML, headers=headers)
        return None


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _drip(body: bytes) -> AsyncIterator[bytes]:
    for index in range(len(body)):
        yield body[index : index + 1]
        await asyncio.sleep(0.2)


async def _half_then_cut(body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    raise AnswerLost


# -- SOAP ----------------------------------------------------------------------------------------------------


def _answer_fields(row: sqlite3.Row, shift: int = 0) -> list[tuple[str, str]]:
    reason = [("Grundcode", row["code"]), ("Text", row["text"])] if row["code"] else []
    return [
        ("LaufendeNummer", str(row["number"] + shift)),
        ("Fremdkennzeichen", row["reference"]),
        ("Ereignis", row["event"]),
        ("Betrag", euros(row["cents"])),
        ("Buchungstag", row["day"]),
        ("HkrBelegnummer", row["voucher"]),
        *reason,
    ]


def _add_order(answer: etree._Element, row: sqlite3.Row, last: sqlite3.Row | None) -> None:
    """What is there of one order, and what became of it."""
    names = [("Fremdkennzeichen", "reference"), ("StapelId", "batch_id"), ("Belegnummer", "voucher"), ("Art", "kind")]
    order = add(answer, "Vorhanden", [(name, row[column]) for name, column in names])
    _fill(order, [("BezugFremdkennzeichen", row["related"])] if row["related"] else [])
    place = [("Haushaltsjahr", "year"), ("Kapitel", "chapter"), ("Titel", "title"), ("Unterkonto", "area")]
    add(order, "Buchungsstelle", [(name, row[column]) for name, column in place])
    outcome = "ABGEWIESEN" if row["code"] else "ANGENOMMEN"
    test = [("Test", "true")] if row["test"] else []
    _fill(order, [("Betrag", euros(row["cents"])), *test, ("Ergebnis", outcome)])
    if last is not None and not row["code"]:
        add(order, "Rueckmeldung", _answer_fields(last))
    _fill(order, [("Code", row["code"])] if row["code"] else [])


def _result_fields(result: Result, accepted_cents: int) -> list[tuple[str, str]]:
    remote = [] if result.status in _UNKNOWN else [("EmpfangsId", result.remote_id)]
    return [
        ("StapelId", result.batch_id),
        ("Status", result.status),
        *remote,
        ("AnzahlAngenommen", str(len(result.accepted))),
        ("SummeAngenommen", euros(accepted_cents)),
    ]


def _fill(parent: etree._Element, fields: list[tuple[str, str]]) -> None:
    for name, value in fields:
        etree.SubElement(parent, tag(name)).text = value


def _body_of(envelope: bytes) -> etree._Element:
    """The first element of the SOAP body; raises RecordError."""
    root = parse(envelope, "Anfrage")
    body = root.find(f"{{{_SOAP}}}Body") if root.tag == f"{{{_SOAP}}}Envelope" else None
    first = None if body is None else next(body.iterchildren("*"), None)
    if first is None:
        raise RecordError("ist keine SOAP-Anfrage", where="Anfrage", expected="SOAP 1.1 mit einem Inhalt")
    return first


def _envelope(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP})
    etree.SubElement(envelope, f"{{{_SOAP}}}Body").append(content)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _fault(code: str, why: str) -> bytes:
    fault = etree.Element(f"{{{_SOAP}}}Fault", nsmap={"soap": _SOAP})
    etree.SubElement(fault, "faultcode").text = f"soap:Client.{code}"
    etree.SubElement(fault, "faultstring").text = why
    add(etree.SubElement(fault, "detail"), "Fehler", [("Code", code), ("Text", why)])
    return _envelope(fault)
