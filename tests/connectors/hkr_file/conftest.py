"""A sandbox as a process, a client at it in a folder and over SFTP, and orders as the mappings would write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from connectors.hkr_file.source import AnswerFiles
from connectors.hkr_file.target import FileBatches
from kiezbruecke.connector import Batch, BatchHead, Connection, Context, Item, Mark, MarkKind, Message
from kiezbruecke.mapping.schema.tables import TableLayout, read_table
from kiezbruecke.records import Process
from kiezbruecke.sandbox import Running, start

ROOT = Path(__file__).parents[3]
CREATE = "connectors.hkr_file.sandbox:create"
WHEN = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
IBANS = ("DE02120300000000202051", "DE02500105170137075030", "AT611904300234573201", "NL91ABNA0417164300")
PROCESS = Process(id="kk-tk-2026", name="Test", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
CONTEXT = Context(PROCESS, content=ROOT)
EFFECTS = {
    "10": "commitment.book",
    "11": "commitment.change",
    "12": "commitment.cancel",
    "20": "payment.order",
    "21": "payment.cancel",
    "30": "refund.claim",
}
MARKS = (
    Mark(MarkKind.FACTUAL, "Ada Amt", "a.amt", WHEN),
    Mark(MarkKind.ARITHMETICAL, "Bo Buch", "b.buch", WHEN),
    Mark(MarkKind.ORDERED, "Cem Chef", "c.chef", WHEN),
)


def line(table: TableLayout, **cells: Any) -> bytes:
    """One line as a mapping writes it."""
    by_key = {column.key: column for column in table.fields}
    return table.line(
        {key: table.cell(by_key[key], value) for key, value in cells.items() if key in by_key and value != ""}
    )


def order(reference: str, amount: str = "850.00", *, layout: str = "kiezbruecke-fixed", **given: Any) -> Message:
    """A message whose payload is one line; `given`: art, bezug, name, iban, bic, zweck, unterkonto, jahr, marks."""
    art = given.get("art", "10")
    pays = art == "20"
    cells = {
        "kennzeichen": reference,
        "beleg": given.get("beleg", f"{uuid5(NAMESPACE_URL, reference).int % 10**8:08d}"),
        "art": art,
        "bezug": given.get("bezug", ""),
        "jahr": given.get("jahr", 2026),
        "jahr_anordnung": 2026,
        "kapitel": "3306",
        "titel": "68406",
        "konto": "68406",
        "unterkonto": given.get("unterkonto", "090416"),
        "betrag": Decimal(amount),
        "faellig": date(2026, 12, 1) if pays else "",
        "name": given.get("name", "Förderverein Müggelheim" if pays else ""),
        "iban": given.get("iban", IBANS[0] if pays else ""),
        "bic": given.get("bic", ""),
        "zweck": given.get("zweck", f"Kiezkasse {reference}"),
        "ersetzt": 0,
    }
    table = read_table(given.get("content", ROOT), layout)
    return Message(
        key=uuid5(NAMESPACE_URL, reference),
        destination="hkr-datei",
        generation=1,
        case_id=uuid5(NAMESPACE_URL, "case"),
        effect=given.get("effect", EFFECTS.get(art, "payment.order")),
        number=1,
        reference=reference,
        payload=line(table, **cells),
        file_name=f"{reference}.txt",
        media_type="text/plain",
        created_at=WHEN,
        test=False,
        marks=given.get("marks", () if art in ("10", "11", "12") else MARKS),
    )


@dataclass
class Bookmark:
    """A cursor in memory."""

    value: str = ""

    def advance(self, value: str) -> None:
        self.value = value


@dataclass
class Desk:
    """A running sandbox with both ends of our connector at it; `over`: folder or sftp."""

    running: Running
    over: str
    extra: dict[str, Any] = field(default_factory=dict)
    password: str = "hkr"
    options: tuple[str, ...] = ()

    @property
    def files(self) -> Path:
        return self.running.state / "files"

    @property
    def connection(self) -> Connection:
        base = f"{self.files}/" if self.over == "folder" else "/"
        extra = {
            "profile": "kiezbruecke-fixed",
            "path": f"{base}eingang",
            "taken": f"{base}uebernommen",
            "answers": f"{base}rueckmeldungen",
            "dienststelle": "BA-TK-SPK",
        }
        if self.over == "folder":
            return Connection("hkr-datei", "kb_hkr_file", extra={**extra, **self.extra})
        server = self.server
        given = {**extra, "host_key": server["host_key"], "conn_timeout": 5, "deadline": 5, **self.extra}
        return Connection("hkr-datei", "kb_hkr_file", "127.0.0.1", server["port"], "", "hkr", self.password, given)

    @property
    def server(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.running.state / "sftp.json").read_text("utf-8"))
        return body

    @property
    def target(self) -> FileBatches:
        return FileBatches(self.connection, CONTEXT)

    @property
    def source(self) -> AnswerFiles:
        return AnswerFiles(self.connection, CONTEXT)

    def with_(self, **extra: Any) -> Desk:
        return replace(self, extra={**self.extra, **extra})

    def batch(self, *messages: Message, id: str = "KK26-S-0001") -> Batch:  # noqa: A002
        head = BatchHead(id, "hkr-datei", WHEN, 2026)
        return Batch(head, *self.target.compose(head, messages, ()))

    def send(self, *messages: Message, id: str = "KK26-S-0001") -> dict[UUID, Any]:  # noqa: A002
        target = self.target
        try:
            return dict(target.send(self.batch(*messages, id=id), messages))
        finally:
            target.close()

    def look_up(self, batch: Batch, *messages: Message) -> list[Any]:
        target = self.target
        try:
            return list(target.look_up(batch, messages).values())
        finally:
            target.close()

    def fetch(self) -> list[Item]:
        source = self.source
        try:
            return list(source.fetch(Bookmark()))
        finally:
            source.close()

    def received(self) -> dict[str, dict[str, Any]]:
        return {one["reference"]: one for one in self._ask("received")}

    def batches(self) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in self._ask("batches")}

    def events(self) -> dict[str, str]:
        return {reference: one["events"] for reference, one in self.received().items()}

    def post(self, what: str) -> Any:
        return self._ask(what, method="POST")

    def arm(self, name: str, times: int = 1) -> None:
        self.running.arm(name, times)

    def _ask(self, what: str, method: str = "GET") -> Any:
        with urlopen(Request(f"{self.running.url}/_sandbox/{what}", method=method), timeout=10) as answer:
            return json.load(answer)


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Start a sandbox; it ends with the test."""
    desks: list[Desk] = []

    def open_one(over: str = "folder", *options: str) -> Desk:
        given = ("today=2026-11-23", *options)
        running = start(CREATE, tmp_path / f"hkr-{len(desks)}", options=given)
        desks.append(Desk(running, over, options=given))
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.running.kill()


@pytest.fixture(params=["folder", "sftp"])
def desk(open_desk: Callable[..., Desk], request: pytest.FixtureRequest) -> Desk:
    """A sandbox over each of the two ways."""
    return open_desk(request.param)


@pytest.fixture
def pair() -> tuple[Message, Message]:
    """A commitment, and a payment of it: in this order in every batch."""
    bound, paid = "KK26-090416-00001-F1", "KK26-090416-00001-Z1"
    return order(bound, "850.00"), order(paid, "850.00", art="20", bezug=bound)
