"""A small HKR system that takes files: a folder that is also an SFTP server, its own books, answers by file.

Options: `login=<user>:<password>` (default hkr:hkr), `authorized=<file of public keys>` (then no password),
`today=<date>`, `sftp_port=<port>`, `loose=1` (commitments are booked elsewhere), `answers=late` (only
`POST /_sandbox/answer` writes any).
Files: `files/eingang`, `files/uebernommen`, `files/rueckmeldungen`. It takes a file that lies there with its `.ok`.
`GET /_sandbox/received`, `/_sandbox/batches` tell what arrived; `POST /_sandbox/pay`, `/_sandbox/bounce/<reference>`,
`/_sandbox/answer`. Port and host key of the SFTP server stand in `sftp.json`.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.hkr_file import _sandbox_sftp
from connectors.hkr_file._sandbox_books import Answer, Books
from kiezbruecke.sandbox import Faults

FAULTS = (
    *_sandbox_sftp.FAULTS,
    "refuse_one",  # the next order is refused at booking
    "unknown_event",  # the next answer says an event that nobody agreed on
    "wrong_amount",  # the next answer's amount is one cent too high
    "late",  # the next look into the folder writes no answers
    "reordered",  # the next answer file holds its lines in reverse
    "doubled",  # the next answer file lies there twice, under two names
    "half",  # half of the next answer file, its .ok says the hash of the whole
    "half_sealed",  # half of the next answer file, its .ok agrees
    "no_trailer",  # the next answer file lacks its trailer
    "wrong_count",  # the next trailer counts one more
    "wrong_sum",  # the next trailer's sum is one cent too high
    "wrong_hash",  # the next trailer's SHA-256 is another
    "no_marker",  # the next answer file has no .ok yet
)
HEADER = (
    "StapelId;Fremdkennzeichen;Ereignis;Betrag;Buchungstag;Wertstellung;HkrBelegnummer;Kassenzeichen;Grundcode;Text"
)
LOOKS = 0.2  # seconds between two looks into the folder


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app; see the module."""
    user, _, password = options.get("login", "hkr:hkr").partition(":")
    desk = _Desk(state, faults, options)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        port, keys = int(options.get("sftp_port", "0")), options.get("authorized", "")
        server = await _sandbox_sftp.listen(state, desk.root, (user, password), faults.take, keys, port)
        looking = asyncio.create_task(desk.keep_looking())
        yield
        looking.cancel()
        server.close()

    async def received(_: Request) -> JSONResponse:
        desk.look()
        return JSONResponse(desk.books.received())

    async def batches(_: Request) -> JSONResponse:
        desk.look()
        return JSONResponse(desk.books.batches())

    async def pay(_: Request) -> JSONResponse:
        return JSONResponse({"paid": desk.books.pay(), "file": desk.answer()})

    async def bounce(request: Request) -> JSONResponse:
        desk.books.bounce(request.path_params["reference"])
        return JSONResponse({"file": desk.answer()})

    async def answer(_: Request) -> JSONResponse:
        desk.look()
        return JSONResponse({"file": desk.answer()})

    routes = [
        Route("/_sandbox/received", received),
        Route("/_sandbox/batches", batches),
        Route("/_sandbox/pay", pay, methods=["POST"]),
        Route("/_sandbox/bounce/{reference}", bounce, methods=["POST"]),
        Route("/_sandbox/answer", answer, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class _Desk:
    """Looks into the folder, books, and puts answers there."""

    def __init__(self, state: Path, faults: Faults, options: dict[str, str]) -> None:
        self.root, self._faults, self._late = state / "files", faults, options.get("answers") == "late"
        self._incoming, self._taken = self.root / "eingang", self.root / "uebernommen"
        self._answers = self.root / "rueckmeldungen"
        for folder in (self._incoming, self._taken, *(self._answers / name for name in ("gelesen", "fehlerhaft"))):
            folder.mkdir(parents=True, exist_ok=True)
        self._today = options.get("today", "")
        self.books = Books(state / "books.sqlite3", faults.take, self._day, loose=options.get("loose") == "1")

    async def keep_looking(self) -> None:
        """Until the sandbox ends."""
        while True:
            await asyncio.sleep(LOOKS)
            self.look()

    def look(self) -> None:
        """Take every file that lies there with its marker; the books of one file are one transaction."""
        found = sorted(self._incoming.glob("*.ok"))
        for marker in found:
            file = marker.with_suffix("")
            if file.is_file() and marker.read_text("ascii").split()[0] == hashlib.sha256(file.read_bytes()).hexdigest():
                self.books.submit(file.read_bytes())
                file.replace(self._taken / file.name)
                marker.replace(self._taken / marker.name)
        if found and not self._late and not self._faults.take("late"):
            self.answer()

    def answer(self) -> str:
        """Write the answers that were not written yet; the name of the file, empty where there was nothing to say."""
        answers = self.books.unwritten()
        if not answers:
            return ""
        if self._faults.take("reordered"):
            answers.reverse()
        body = self._file(answers)
        name = f"rm-{answers[0].number:06d}-{len(answers)}.csv"
        self._put(name, body)
        if self._faults.take("doubled"):
            self._put(f"kopie-{name}", body)
        return name

    def _put(self, name: str, body: bytes) -> None:
        whole = hashlib.sha256(body).hexdigest()
        if self._faults.take("half"):
            body = body[: len(body) // 2]
        elif self._faults.take("half_sealed"):
            body = body[: len(body) // 2]
            whole = hashlib.sha256(body).hexdigest()
        (self._answers / name).write_bytes(body)
        if not self._faults.take("no_marker"):
            part = self._answers / f"{name}.ok.part"
            part.write_text(f"{whole}  {name}\n", "ascii")
            part.replace(self._answers / f"{name}.ok")

    def _file(self, answers: Sequence[Answer]) -> bytes:
        lines = b"".join(map(_line, answers))
        count = len(answers) + self._faults.take("wrong_count")
        cents = sum(answer.cents for answer in answers) + self._faults.take("wrong_sum")
        digest = hashlib.sha256(lines + b"x" * self._faults.take("wrong_hash")).hexdigest()
        trailer = f"ENDE;{count};{_euros(cents)};{digest}\r\n"
        if self._faults.take("no_trailer"):
            trailer = ""
        return f"{HEADER}\r\n".encode() + lines + trailer.encode()

    def _day(self) -> str:
        return self._today or f"{datetime.now(ZoneInfo('Europe/Berlin')):%Y-%m-%d}"


def _line(answer: Answer) -> bytes:
    text = io.StringIO(newline="")
    value_day = answer.day if answer.event in ("BEZAHLT", "EINGEGANGEN", "RUECKLAEUFER") else ""
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(
        [
            answer.batch,
            answer.reference,
            answer.event,
            _euros(answer.cents),
            answer.day,
            value_day,
            answer.voucher,
            "",
            answer.code,
            answer.text,
        ]
    )
    return text.getvalue().encode()


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"
