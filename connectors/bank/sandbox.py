"""A small bank: a real server with its own books, checks and fault switches. It imports nothing of the client.

Options: `today=<date>`, `login=<user>:<password>`, `book=at_once` (booked when it arrives), `folder=<path>` (the folder
of a connection that works without HTTP: `POST /_sandbox/collect` takes what is complete in `out`, and puts the bank's
files into `in`). `POST /_sandbox/day` ends a day; `PUT /_sandbox/returns` {"<Fremdkennzeichen>": days} arms returns;
`GET /_sandbox/received` tells what arrived, how often, and what became of it; `GET /_sandbox/balance` the cents.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.bank.books import Books, Refused
from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "lose_before_commit",  # PUT of a file: cut before anything is kept
    "commit_then_lose",  # PUT of a file: taken, then the connection is cut without an answer
    "reject_file",  # the next file is refused as a whole, by pain.002 at the level of the file
    "reject_one",  # the first payment of the next file is refused, the others are taken
    "vop",  # the next file is answered by a report about the payees' names before the other
    "unknown_status",  # the first payment of the next file gets a status that nobody knows
    "wrong_amount",  # the next booking is one cent too high
    "foreign_entries",  # the next booking stands between entries of others
    "duplicate_camt",  # the next camt.054 is written twice
    "reordered",  # the files of the next day in the opposite order
    "wrong_digest",  # PUT of a file: taken, but the answer is about other bytes
    "html_answer",  # any call: a login page with status 200; nothing is done
    "busy",  # any call: 503; nothing is done
    "truncated_answer",  # any call: done, half an answer that looks whole to HTTP
    "slow_drip",  # any call: done, the answer comes byte by byte
    "fetched_lost",  # POST abgeholt: done, then the connection is cut without an answer
)


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app; see the module."""
    fixed = options.get("today")
    today = date.fromisoformat(fixed) if fixed else datetime.now(ZoneInfo("Europe/Berlin")).date()
    books = Books(state / "books.sqlite3", faults.take, today, at_once=options.get("book") == "at_once")
    bank = _Bank(books, faults, options)
    routes = [
        Route("/auftraege", bank.last, methods=["GET"]),
        Route("/auftraege/{msg_id}", bank.submit, methods=["PUT"]),
        Route("/auftraege/{msg_id}", bank.note, methods=["GET"]),
        Route("/auszuege", bank.files, methods=["GET"]),
        Route("/auszuege/{number:int}", bank.file, methods=["GET"]),
        Route("/auszuege/{number:int}/abgeholt", bank.fetched, methods=["POST"]),
        Route("/_sandbox/received", bank.received, methods=["GET"]),
        Route("/_sandbox/balance", bank.balance, methods=["GET"]),
        Route("/_sandbox/day", bank.day, methods=["POST"]),
        Route("/_sandbox/returns", bank.returns, methods=["PUT"]),
        Route("/_sandbox/recall/{reference}", bank.recall, methods=["POST"]),
        Route("/_sandbox/collect", bank.collect, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={Exception: _pass_on})


async def _pass_on(_: Request, error: Exception) -> Response:
    """Without this Starlette would answer 500 before the connection is cut."""
    raise error


class _Bank:
    def __init__(self, books: Books, faults: Faults, options: dict[str, str]) -> None:
        self._books, self._take = books, faults.take
        self._folder = Path(options["folder"]) if "folder" in options else None
        login = options.get("login", "")
        self._login = "Basic " + base64.b64encode(login.encode()).decode() if login else ""

    # -- the contract --------------------------------------------------------------------------------------------------

    async def submit(self, request: Request) -> Response:
        if (turned := self._turned_away(request)) is not None:
            return turned
        body = await request.body()
        if self._take("lose_before_commit"):
            raise AnswerLost
        try:
            status, digest = self._books.submit(request.path_params["msg_id"], body)
        except Refused as refusal:
            return self._answer(JSONResponse({"code": refusal.code}, 422))
        if self._take("commit_then_lose"):
            raise AnswerLost
        if self._take("wrong_digest"):
            digest = hashlib.sha256(b"").hexdigest()
        return self._answer(JSONResponse({"sha256": digest}, status))

    async def last(self, request: Request) -> Response:
        """No fault is used up here: it is asked before every send."""
        if self._login and request.headers.get("Authorization") != self._login:
            return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
        return JSONResponse({"letzter": self._books.last()})

    async def note(self, request: Request) -> Response:
        if (turned := self._turned_away(request)) is not None:
            return turned
        msg_id = request.path_params["msg_id"]
        known = self._books.note(msg_id)
        return self._answer(JSONResponse({"unbekannt": msg_id}, 404) if known is None else JSONResponse(known))

    async def files(self, request: Request) -> Response:
        return self._turned_away(request) or self._answer(JSONResponse({"dateien": self._books.files()}))

    async def file(self, request: Request) -> Response:
        if (turned := self._turned_away(request)) is not None:
            return turned
        body = self._books.file(request.path_params["number"])
        return self._answer(JSONResponse({}, 404) if body is None else Response(body, media_type="application/xml"))

    async def fetched(self, request: Request) -> Response:
        if (turned := self._turned_away(request)) is not None:
            return turned
        self._books.fetched(request.path_params["number"])
        if self._take("fetched_lost"):
            raise AnswerLost
        return self._answer(JSONResponse({}))

    # -- what tests and the demonstration do and ask -------------------------------------------------------------------

    async def received(self, _: Request) -> Response:
        return JSONResponse(self._books.received())

    async def balance(self, _: Request) -> Response:
        return JSONResponse({"cents": self._books.balance()})

    async def day(self, _: Request) -> Response:
        return JSONResponse({"today": self._books.end_day()})

    async def returns(self, request: Request) -> Response:
        for reference, days in (await request.json()).items():
            self._books.send_back(reference, int(days), "AC04")
        return JSONResponse({})

    async def recall(self, request: Request) -> Response:
        return JSONResponse({"stopped": self._books.recall(request.path_params["reference"])})

    async def collect(self, _: Request) -> Response:
        """As a cash office does: take what is complete, put there what the bank has."""
        if self._folder is None:
            return JSONResponse({"error": "no folder"}, 422)
        taken = [self._take_away(marker) for marker in sorted((self._folder / "out").glob("*.xml.ok"))]
        for one in self._books.files():
            part = self._folder / "in" / f".{one['name']}.part"
            part.write_bytes(self._books.file(int(str(one["nummer"]))) or b"")
            part.rename(self._folder / "in" / str(one["name"]))
            self._books.fetched(int(str(one["nummer"])))
        return JSONResponse({"taken": taken})

    def _take_away(self, marker: Path) -> str:
        file = marker.with_name(marker.name.removesuffix(".ok"))
        body = file.read_bytes()
        if marker.read_text("ascii").split()[0] == hashlib.sha256(body).hexdigest():
            try:
                self._books.submit(file.name.removesuffix(".xml"), body)
            except Refused as refusal:
                return refusal.code
            marker.unlink()
            file.unlink()
            return file.name
        return ""

    # -- faults --------------------------------------------------------------------------------------------------------

    def _turned_away(self, request: Request) -> Response | None:
        if self._login and request.headers.get("Authorization") != self._login:
            return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
        if self._take("busy"):
            return Response(status_code=503, headers={"Retry-After": "60"})
        if self._take("html_answer"):
            return HTMLResponse("<!doctype html><title>Anmeldung</title><p>Bitte melden Sie sich an.")
        return None

    def _answer(self, response: Response) -> Response:
        body, media_type = bytes(response.body), response.media_type
        if self._take("truncated_answer"):
            return StreamingResponse(_pieces(body[: len(body) // 2]), response.status_code, media_type=media_type)
        if self._take("slow_drip"):
            return StreamingResponse(_drip(body), response.status_code, media_type=media_type)
        return response


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _drip(body: bytes) -> AsyncIterator[bytes]:
    for index in range(len(body)):
        yield body[index : index + 1]
        await asyncio.sleep(0.2)
