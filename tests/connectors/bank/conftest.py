"""A bank as a process, a target and a source at it, and payments as the mapping would write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from lxml import etree

from connectors.bank.payment import NAMESPACE
from connectors.bank.source import BankSource
from connectors.bank.target import BankTarget
from kiezbruecke.connector import Batch, BatchHead, Connection, Context, Handled, Item, Message
from kiezbruecke.records import Process
from kiezbruecke.sandbox import Running, start

ROOT = Path(__file__).parents[3]
ISO = ROOT.parent / "shared" / "standards" / "iso20022"
CREATE = "connectors.bank.sandbox:create"
WHEN = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
TODAY = "2026-11-25"
ACCOUNT = "DE02100500000054540402"
PAYEE = "DE02500105170137075030"
EXTRA = {"debtor_name": "Bezirksamt Treptow-Köpenick von Berlin", "debtor_iban": ACCOUNT, "debtor_bic": "BELADEBEXXX"}
PROCESS = Process(id="kk-tk-2026", name="Test", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
CONTEXT = Context(PROCESS, content=ROOT)


def reference(number: int) -> str:
    return f"KK26-090416-{number:05d}-Z1"


def payment_bytes(ref: str, amount: str = "850.00", **given: str) -> bytes:
    """One PmtInf; `given`: due, name, iban, purpose, address (elements as they are)."""
    root = etree.Element(f"{{{NAMESPACE}}}PmtInf", nsmap={"pain": NAMESPACE})

    def put(path: str, text: str, **attributes: str) -> None:
        place = root
        for name in path.split("/"):
            found = place.find(f"{{{NAMESPACE}}}{name}")
            place = etree.SubElement(place, f"{{{NAMESPACE}}}{name}") if found is None else found
        place.text = text
        place.attrib.update(attributes)

    put("ReqdExctnDt/Dt", given.get("due", TODAY))
    put("CdtTrfTxInf/PmtId/EndToEndId", ref)
    put("CdtTrfTxInf/Amt/InstdAmt", amount, Ccy=given.get("currency", "EUR"))
    put("CdtTrfTxInf/Cdtr/Nm", given.get("name", "Heimatverein Köpenick e. V."))
    for name, text in json.loads(given.get("address", "{}")).items():
        put(f"CdtTrfTxInf/Cdtr/PstlAdr/{name}", text)
    put("CdtTrfTxInf/CdtrAcct/Id/IBAN", given.get("iban", PAYEE))
    put("CdtTrfTxInf/RmtInf/Ustrd", given.get("purpose", f"Kiezkasse {ref}"))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def message(ref: str, amount: str = "850.00", **given: str) -> Message:
    """A message whose payload is one payment."""
    return Message(
        key=uuid5(NAMESPACE_URL, ref),
        destination="bank-tk",
        generation=1,
        case_id=uuid5(NAMESPACE_URL, "case"),
        effect="payment.order",
        number=1,
        reference=ref,
        payload=payment_bytes(ref, amount, **given),
        file_name=f"{ref}.xml",
        media_type="application/xml",
        created_at=WHEN,
        test=False,
    )


@dataclass
class Bookmark:
    """A cursor in memory."""

    value: str = ""

    def advance(self, value: str) -> None:
        self.value = value


@dataclass
class Counter:
    """A running bank with both ends of our connector at it; through `folder`, where there is one."""

    running: Running
    folder: Path | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        extra = {**EXTRA, **self.extra}
        if self.folder is not None:
            return Connection("bank-tk", "kb_bank", extra={**extra, "path": str(self.folder), "settle_seconds": 0})
        return Connection("bank-tk", "kb_bank", self.running.url, extra={**extra, "deadline": 2, "read_timeout": 1})

    @property
    def target(self) -> BankTarget:
        return BankTarget(self.connection, CONTEXT)

    @property
    def source(self) -> BankSource:
        return BankSource(self.connection, CONTEXT)

    def batch(self, *messages: Message, id: str = "KK26-S-0001", test: bool = False) -> Batch:  # noqa: A002
        head = BatchHead(id, "bank-tk", WHEN, 2026, test=test)
        return Batch(head, *self.target.compose(head, messages, ()))

    def send(self, *messages: Message, id: str = "KK26-S-0001") -> dict[UUID, Any]:  # noqa: A002
        sent = dict(self.target.send(self.batch(*messages, id=id), messages))
        self.collect()
        return sent

    def collect(self) -> None:
        """What the cash office does with a folder."""
        if self.folder is not None:
            self.ask("collect", "POST")

    def day(self, days: int = 1) -> None:
        for _ in range(days):
            self.ask("day", "POST")
        self.collect()

    def fetch(self) -> list[Item]:
        """Everything that waits; it is stored and acknowledged."""
        source = self.source
        items = list(source.fetch(Bookmark()))
        source.acknowledge([Handled(item) for item in items])
        return items

    def words(self) -> list[tuple[str, str, str]]:
        """Of the same: EndToEndId, status or kind, amount."""
        return [told(item) for item in self.fetch()]

    def received(self) -> dict[str, dict[str, Any]]:
        return {row["reference"]: row for row in self.ask("received")}

    def arm(self, name: str, times: int = 1) -> None:
        self.running.arm(name, times)

    def ask(self, what: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.running.url}/_sandbox/{what}", data, method=method), timeout=5) as answer:
            return json.load(answer)


def told(item: Item) -> tuple[str, str, str]:
    assert isinstance(item.body, dict)
    word = item.problem or item.body.get("Status") or item.body.get("Art") or ""
    return item.body.get("EndToEndId", ""), word, item.body.get("Betrag", "")


def make_folder(path: Path) -> Path:
    for name in ("out", "in"):
        (path / name).mkdir(parents=True)
    return path


@pytest.fixture(params=["gateway", "folder"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counter]:
    """The same bank by both ways."""
    folder = make_folder(tmp_path / "bank") if request.param == "folder" else None
    options = (f"today={TODAY}", *((f"folder={folder}",) if folder else ()))
    running = start(CREATE, tmp_path / "state", options=options)
    yield Counter(running, folder)
    running.kill()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Counter]:
    """A bank over HTTP."""
    running = start(CREATE, tmp_path / "state", options=(f"today={TODAY}",))
    yield Counter(running)
    running.kill()


@pytest.fixture(scope="session")
def official() -> Callable[[str], etree.XMLSchema]:
    """The official schema of a message; skips where this machine has none."""

    def schema(name: str) -> etree.XMLSchema:
        file = ISO / f"{name}.xsd"
        if not file.is_file():
            pytest.skip(f"no official schema in {ISO}")
        return etree.XMLSchema(etree.parse(file))

    return schema


DUE = date.fromisoformat(TODAY)
