"""A small HKR system that speaks hkr 1.1: a real server with its own books and fault switches.

Options: `content` (folder with schemas/), `limit.<Unterkonto>=<euros>`, `today=<date>`, `production=1`,
`login=<user>:<password>`, `cutoff=<date>` (no payment after it), `auto_pay=1` (paid as soon as booked).

    GET  /_sandbox/received   every order: how often it came, what became of it, when; no payee
    GET  /_sandbox/sums       per year and area: committed, ordered, paid, returned, refunded
    POST /_sandbox/day        a day of the cash office {"date": …}: what is armed comes back, what is due is paid
    PUT  /_sandbox/bounces    {"Fremdkennzeichen": […], "IBAN": […]}: what is paid so comes back on a later day
"""

from __future__ import annotations

import asyncio
import base64
import json
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

from connectors.hkr import papers
from connectors.hkr.books import Books, Result
from connectors.hkr.papers import NoRequest, add, document, euros, fill, tag, text
from kiezbruecke.content import find_content
from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "commit_then_lose",  # UebermittleAnordnungen: booked, then the connection is cut without an answer
    "lose_before_commit",  # UebermittleAnordnungen: cut before anything is booked
    "reject_line",  # UebermittleAnordnungen: the next order gets a Meldung in the synchronous answer
    "refuse_one",  # the next accepted order is refused at booking (Rueckmeldung ABGEWIESEN)
    "duplicate_ack",  # the next booking is answered twice, under two numbers
    "unknown_ack",  # an answer for a Fremdkennzeichen that nobody sent
    "unknown_event",  # the next answer has an Ereignis that the contract does not know
    "wrong_amount",  # the next answer is about one cent more
    "replayed_ack",  # after the next answer the very first one comes again, under a new number
    "reordered_ack",  # the next payment is paid at once, and BEZAHLT is said before GEBUCHT
    "auto_pay",  # the next payment is paid at once, whatever day it is due
    "bounce",  # the next payment that is paid comes back on a later day
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
_MOVES_MONEY = ("BEZAHLT", "RUECKLAEUFER", "EINGEGANGEN")


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app; see the module."""
    content = Path(options["content"]) if "content" in options else find_content()
    service = _Service(_books(state, faults, options), faults, content, options.get("login", ""))
    wsdl = content / papers.FOLDER / "service.wsdl"

    async def describe(_: Request) -> Response:
        return FileResponse(wsdl, media_type=_XML)

    async def received(_: Request) -> Response:
        return JSONResponse(service.books.received())

    async def sums(_: Request) -> Response:
        return JSONResponse(service.books.sums())

    async def day(request: Request) -> Response:
        given = await request.body()
        try:
            on = date.fromisoformat(json.loads(given)["date"]) if given else service.books.today()
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": 'expected: {"date": "2026-11-27"}, or nothing'}, 422)
        return JSONResponse({"date": on.isoformat(), **service.books.day(on)})

    async def bounces(request: Request) -> Response:
        try:
            given = json.loads(await request.body())
            service.books.arm_bounces(*(list(map(str, given.get(name, []))) for name in ("Fremdkennzeichen", "IBAN")))
        except (ValueError, AttributeError, TypeError):
            return JSONResponse({"error": 'expected: {"Fremdkennzeichen": […], "IBAN": […]}'}, 422)
        return Response(status_code=204)

    routes = [
        Route("/hkr", service.answer, methods=["POST"]),
        Route("/hkr", describe, methods=["GET"]),
        Route("/_sandbox/received", received),
        Route("/_sandbox/sums", sums),
        Route("/_sandbox/day", day, methods=["POST"]),
        Route("/_sandbox/bounces", bounces, methods=["PUT"]),
    ]
    return Starlette(routes=routes, exception_handlers={Exception: _pass_on})


async def _pass_on(_: Request, error: Exception) -> Response:
    """Without this Starlette would answer 500 before the connection is cut."""
    raise error


def _books(state: Path, faults: Faults, options: dict[str, str]) -> Books:
    limits = {
        name.removeprefix("limit."): papers.cents(value) for name, value in options.items() if name.startswith("limit.")
    }
    return Books(
        state / "books.sqlite3",
        faults.take,
        limits=limits,
        today=_calendar(options.get("today", "")),
        production=options.get("production") == "1",
        cutoff=date.fromisoformat(options["cutoff"]) if "cutoff" in options else None,
        auto_pay=options.get("auto_pay") == "1",
    )


def _calendar(fixed: str) -> Callable[[], date]:
    if fixed:
        day = date.fromisoformat(fixed)
        return lambda: day
    return lambda: datetime.now(ZoneInfo("Europe/Berlin")).date()


class _Service:
    """The six operations behind one address."""

    def __init__(self, books: Books, faults: Faults, content: Path, login: str) -> None:
        self.books, self._faults, self._schema = books, faults, papers.schema(content)
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
        except NoRequest as error:
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
        if wrong := papers.violation(self._schema, root):
            return 500, _fault("SCHEMA", f"Die Anfrage verletzt den Vertrag: {wrong}")
        return 200, _envelope(operations[root.tag](root))

    # -- the operations --------------------------------------------------------------------------------------

    def _submit(self, root: etree._Element) -> etree._Element:
        if self._faults.take("lose_before_commit"):
            raise AnswerLost
        result = self.books.submit(root)
        if self._faults.take("commit_then_lose"):
            raise AnswerLost
        answer = document("UebermittleAnordnungenAntwort")
        wrong = 1 if self._faults.take("wrong_sum") else 0
        fill(answer, _result_fields(result, sum(result.accepted) + wrong))
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
        answer = document("FrageStapelStatusAntwort")
        fill(answer, _result_fields(result, sum(result.accepted)))
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
        answer = document("HoleRueckmeldungenAntwort")
        more = bool(rows) and rows[-1]["number"] < highest
        fill(
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
        answer = document("HoleStandAntwort")
        fill(answer, [*([("LetzteStapelId", last)] if last else []), ("LetzteNummer", str(highest))])
        return answer

    def _orders(self, root: etree._Element) -> etree._Element:
        asked = [(element.text or "").strip() for element in root.findall(tag("Anfang"))]
        found = {beginning: self.books.orders(beginning) for beginning in asked}
        known = {row["reference"]: (row, last) for some in found.values() for row, last in some}
        answer = document("FrageAnordnungenAntwort")
        total = sum(row["cents"] for row, _ in known.values())
        fill(answer, [("Anzahl", str(len(known))), ("Summe", euros(total))])
        for row, last in known.values():
            _add_order(answer, row, last)
        fill(answer, [("Unbekannt", beginning) for beginning, some in found.items() if not some])
        return answer

    def _balances(self, root: etree._Element) -> etree._Element:
        year = text(root, "Haushaltsjahr")
        answer = document("HoleSaldenAntwort")
        fill(answer, [("Haushaltsjahr", year)])
        for row in self.books.balances(int(year)):
            wrong = 1 if self._faults.take("wrong_balance") else 0
            balance = add(answer, "Saldo", [])
            names = [("Kapitel", "chapter"), ("Titel", "title"), ("Unterkonto", "area")]
            place = [("Haushaltsjahr", year), *((name, row[column]) for name, column in names)]
            add(balance, "Buchungsstelle", place)
            sums = [("Festgelegt", euros(row["committed"] - row["paid"] + wrong)), ("Ausgezahlt", euros(row["paid"]))]
            fill(balance, [*sums, ("Vereinnahmt", euros(row["refunded"])), ("Tag", self.books.today().isoformat())])
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
        *([("Wertstellung", row["day"])] if row["event"] in _MOVES_MONEY else []),
        ("HkrBelegnummer", row["voucher"]),
        *reason,
    ]


def _add_order(answer: etree._Element, row: sqlite3.Row, last: sqlite3.Row | None) -> None:
    """What is there of one order, and what became of it."""
    names = [("Fremdkennzeichen", "reference"), ("StapelId", "batch_id"), ("Belegnummer", "voucher"), ("Art", "kind")]
    order = add(answer, "Vorhanden", [(name, row[column]) for name, column in names])
    fill(order, [("BezugFremdkennzeichen", row["related"])] if row["related"] else [])
    place = [("Haushaltsjahr", "year"), ("Kapitel", "chapter"), ("Titel", "title"), ("Unterkonto", "area")]
    add(order, "Buchungsstelle", [(name, row[column]) for name, column in place])
    outcome = "ABGEWIESEN" if row["code"] else "ANGENOMMEN"
    test = [("Test", "true")] if row["test"] else []
    fill(order, [("Betrag", euros(row["cents"])), *test, ("Ergebnis", outcome)])
    if last is not None and not row["code"]:
        add(order, "Rueckmeldung", _answer_fields(last))
    fill(order, [("Code", row["code"])] if row["code"] else [])


def _result_fields(result: Result, accepted_cents: int) -> list[tuple[str, str]]:
    remote = [] if result.status in _UNKNOWN else [("EmpfangsId", result.remote_id)]
    return [
        ("StapelId", result.batch_id),
        ("Status", result.status),
        *remote,
        ("AnzahlAngenommen", str(len(result.accepted))),
        ("SummeAngenommen", euros(accepted_cents)),
    ]


def _body_of(envelope: bytes) -> etree._Element:
    """The first element of the SOAP body; raises NoRequest."""
    root = papers.read(envelope)
    body = root.find(f"{{{_SOAP}}}Body") if root.tag == f"{{{_SOAP}}}Envelope" else None
    first = None if body is None else next(body.iterchildren("*"), None)
    if first is None:
        raise NoRequest("Die Anfrage ist keine SOAP-1.1-Nachricht mit Inhalt")
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
