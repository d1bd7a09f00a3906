"""A sandbox as a process, a target and a source at it, and orders as the mapping would write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from connectors.hkr.source import Rueckmeldungen
from connectors.hkr.target import HkrTarget
from kiezbruecke.connector import Batch, BatchHead, Connection, Context, Item, Mark, MarkKind, Message
from kiezbruecke.records import Process
from kiezbruecke.sandbox import Running, start

ROOT = Path(__file__).parents[3]
CREATE = "connectors.hkr.sandbox:create"
WHEN = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
ONE, TWO = "KK26-090416-00001-F1", "KK26-090416-00002-F1"
IBAN, OTHER_IBAN = "DE89370400440532013000", "AT611904300234573201"  # from the standards' own examples
NAMESPACE = "urn:x-kiezbruecke:hkr:anordnung:1.0"


def order_bytes(reference: str, amount: str, **given: str) -> bytes:
    """One Anordnung; `given`: kind, related, area, voucher, year, due, payee, decision ('' = none), marks."""
    related = given.get("related")
    decision = (
        "<Beschluss><Protokoll>P 7/2026</Protokoll><Datum>2026-04-21</Datum><ErfasstVon>SPK</ErfasstVon></Beschluss>"
    )
    voucher = given.get("voucher", f"{uuid5(NAMESPACE_URL, reference).int % 10**8:08d}")
    return (
        f'<Anordnung xmlns="{NAMESPACE}"><Belegnummer>{voucher}</Belegnummer>'
        f"<Fremdkennzeichen>{reference}</Fremdkennzeichen><Art>{given.get('kind', 'FESTLEGUNG')}</Art>"
        + (f"<BezugFremdkennzeichen>{related}</BezugFremdkennzeichen>" if related else "")
        + f"<Buchungsstelle><Haushaltsjahr>{given.get('year', '2026')}</Haushaltsjahr><Kapitel>3306</Kapitel>"
        f"<Titel>68406</Titel><Unterkonto>{given.get('area', '090416')}</Unterkonto></Buchungsstelle>"
        f"<Betrag>{amount}</Betrag><Waehrung>EUR</Waehrung>"
        + (f"<Faelligkeit>{due}</Faelligkeit>" if (due := given.get("due")) else "")
        + f"{given.get('payee', '')}"
        f"<Verwendungszweck>Kiezkasse {reference}</Verwendungszweck>{given.get('decision', decision)}"
        f"{given.get('marks', '')}</Anordnung>"
    ).encode()


def payee(iban: str = IBAN) -> str:
    """Whom a payment goes to."""
    return f"<Empfaenger><Name>Kiezverein e. V.</Name><IBAN>{iban}</IBAN></Empfaenger>"


def marks(
    factual: str = "a.meier", arithmetical: str = "b.kurz@ba.example", ordered: str = "c.lang"
) -> tuple[Mark, ...]:
    """The three marks of an order, by their log-ins."""
    people = zip(MarkKind, (factual, arithmetical, ordered), strict=True)
    return tuple(Mark(kind, f"Name von {account}", account, WHEN, "airflow") for kind, account in people)


def payment(reference: str, amount: str, related: str = ONE, **given: str) -> Message:
    """A payment order that is due on the sandbox's day, with its marks."""
    given = {"kind": "AUSZAHLUNG", "due": "2026-11-23", "payee": payee(), "decision": "", **given}
    return replace(message(reference, amount, related=related, **given), effect="payment.order", marks=marks())


def cancelling(reference: str, amount: str, related: str, kind: str = "AUSZAHLUNG_AUFHEBUNG") -> Message:
    """Takes a payment back before it is carried out."""
    made = message(reference, amount, related=related, kind=kind, decision="")
    return replace(made, effect="payment.cancel", marks=marks())


def claim(reference: str, amount: str, related: str = "", **given: str) -> Message:
    """A refund claim, with its marks."""
    given = {"kind": "ANNAHME", "due": "2026-11-23", "decision": "", "related": related, **given}
    return replace(message(reference, amount, **given), effect="refund.claim", marks=marks())


def message(reference: str, amount: str, **given: str) -> Message:
    """A message whose payload is one Anordnung."""
    return Message(
        key=uuid5(NAMESPACE_URL, reference),
        destination="hkr-tk",
        generation=1,
        case_id=uuid5(NAMESPACE_URL, "case"),
        effect="commitment.book",
        number=1,
        reference=reference,
        payload=order_bytes(reference, amount, **given),
        file_name=f"{reference}.xml",
        media_type="application/xml",
        created_at=WHEN,
        test=False,
    )


@dataclass
class Bookmark:
    """A cursor in memory; `path` is everything it was moved to."""

    value: str = ""
    path: list[str] = field(default_factory=list)

    def advance(self, value: str) -> None:
        self.value = value
        self.path.append(value)


@dataclass
class Desk:
    """A running sandbox with both ends of our connector at it."""

    running: Running
    state: Path
    options: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    login: tuple[str, str] = ("", "")

    @property
    def connection(self) -> Connection:
        extra = {"dienststelle": "BA-TK-SPK", "deadline": 2, "read_timeout": 1, **self.extra}
        login, password = self.login
        return Connection("hkr-tk", "kb_hkr", self.running.url, None, "", login, password, extra)

    @property
    def target(self) -> HkrTarget:
        return HkrTarget(self.connection, CONTEXT)

    @property
    def source(self) -> Rueckmeldungen:
        return Rueckmeldungen(self.connection, CONTEXT)

    def batch(self, *messages: Message, id: str = "KK26-S-0001", test: bool = False) -> Batch:  # noqa: A002
        head = BatchHead(id, "hkr-tk", WHEN, 2026, test=test)
        name, payload = self.target.compose(head, messages, ())
        return Batch(head, name, payload)

    def send(self, *messages: Message, id: str = "KK26-S-0001", test: bool = False) -> dict[UUID, Any]:  # noqa: A002
        return dict(self.target.send(self.batch(*messages, id=id, test=test), messages))

    def look_up(self, batch: Batch, *messages: Message) -> dict[UUID, Any]:
        return dict(self.target.look_up(batch, messages))

    def fetch(self, cursor: Bookmark | None = None) -> list[Item]:
        return list(self.source.fetch(cursor or Bookmark()))

    def events(self) -> list[tuple[str, str, str]]:
        return [(i.body["Fremdkennzeichen"], i.body["Ereignis"], i.body["Betrag"]) for i in self.fetch()]

    def of(self, reference: str) -> list[tuple[str, str]]:
        """What was said of one order, and of what sum."""
        return [(event, amount) for one, event, amount in self.events() if one == reference]

    def received(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control("received")
        return rows

    def sums(self) -> list[tuple[str, ...]]:
        """Area, committed, ordered, paid, returned, refunded; in euros."""
        return [tuple(row.values())[1:] for row in self.control("sums")]

    def day(self, on: str) -> dict[str, Any]:
        """A day of their cash office."""
        done: dict[str, Any] = self.control("day", "POST", {"date": on})
        return done

    def control(self, name: str, method: str = "GET", body: Any = None) -> Any:
        """Ask the sandbox beside its service."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.running.url}/_sandbox/{name}", data, method=method)
        with urlopen(request, timeout=5) as answer:
            return json.loads(answer.read() or b"null")

    def arm(self, name: str, times: int = 1) -> None:
        self.running.arm(name, times)

    def restart(self) -> None:
        self.running.kill()
        self.running = start(CREATE, self.state, options=self.options)

    def patient(self, **extra: Any) -> Desk:
        return replace(self, extra={**self.extra, **extra})


PROCESS = Process(id="kk-tk-2026", name="Test", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
CONTEXT = Context(PROCESS, content=ROOT)


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Start a sandbox with the given options; it ends with the test."""
    desks: list[Desk] = []

    def open_one(*options: str) -> Desk:
        desks.append(_open_desk(tmp_path / f"hkr-{len(desks)}", options))
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.running.kill()


@pytest.fixture(scope="session")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One sandbox for all tests without options: starting one takes half a second."""
    desk = _open_desk(tmp_path_factory.mktemp("hkr"), ())
    yield desk
    desk.running.kill()


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """The shared sandbox with empty books and no fault armed."""
    for name in ("books.sqlite3", "faults.json"):
        (shared_desk.state / name).unlink(missing_ok=True)
    return shared_desk


def _open_desk(state: Path, options: Sequence[str]) -> Desk:
    given = (f"content={ROOT}", "today=2026-11-23", *options)
    return Desk(start(CREATE, state, options=given), state, given)


@pytest.fixture
def make() -> Callable[..., Message]:
    """Make a message."""
    return message


@pytest.fixture
def bookmark() -> Callable[..., Bookmark]:
    """Make a cursor."""
    return Bookmark


@pytest.fixture
def paper(tmp_path: Path) -> Desk:
    """A desk without a sandbox, for what needs no answer."""
    return Desk(Running(None, "http://127.0.0.1:9", tmp_path), tmp_path)  # type: ignore[arg-type]


@pytest.fixture
def two(make: Callable[..., Message]) -> Sequence[Message]:
    """Two commitments."""
    return make("KK26-090416-00001-F1", "850.00"), make("KK26-090416-00002-F1", "99.99")
