"""A ledger of our own for a benchmark, the real stages on it, and clients that cost nothing or one SOAP call."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from benchmarks import sink, workload
from connectors import _soap
from kiezbruecke import pipeline
from kiezbruecke.connector import (
    Answer,
    Batch,
    BatchHead,
    CannotTell,
    Connection,
    Found,
    Handled,
    Item,
    Manifest,
    Message,
    Ticket,
)
from kiezbruecke.connector.manifest import Capabilities
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, SendingRoute, find_route
from kiezbruecke.ledger import Ledger, begin_run, end_run, history, upgrade
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine, now
from kiezbruecke.ledger.history import Taken
from kiezbruecke.records import Budget, Decision, Receipt, ReceiptOutcome
from kiezbruecke.records.identity import case_id
from kiezbruecke.stages.work import Collecting, Counts, Sending, lane_of

CHUNK = 100
STEPS: Mapping[str, Any] = {**pipeline.STEPS.collecting, **pipeline.STEPS.sending}
_PARTY = Connection("benchmark", "kb_benchmark")


def open_ledger(folder: Path) -> Ledger:
    """The ledger in a folder's file, made if it is not there; durable as always."""
    return open_at(f"sqlite:///{folder / 'ledger.sqlite3'}")


def open_at(url: str) -> Ledger:
    """The ledger at an address, its schema made or brought up to date."""
    upgrade(url)
    return Ledger(make_engine(url))


def add_cases(ledger: Ledger, numbers: Sequence[int]) -> None:
    """The cases that messages are about, as collecting would have stored them."""
    rows = [
        {
            "id": case_id(workload.PROCESS, workload.reference(i)),
            "process_id": workload.PROCESS,
            "reference": workload.reference(i),
            "created_at": now(),
        }
        for i in numbers
    ]
    with ledger.write() as connection:
        connection.execute(insert(t.cases), rows)


def add_decisions(ledger: Ledger, count: int) -> None:
    """Budgets that suffice and a decision for each of the first proposals, as the sheets would have brought them."""
    process = read_process(workload.ROOT, workload.PROCESS)
    run = begin_run(ledger, "sheets", "kk-tk-beschluesse", "collect")
    origin = history.Origin("beschluesse-tk", process.id, process.owner)
    lines: Iterator[Budget | Decision] = chain(workload.budgets(), map(workload.decision, range(count)))
    while chunk := list(islice(lines, CHUNK)):
        history.store(ledger, run, origin, [Taken(Item(one.kind, one.origin, {}), (one,)) for one in chunk], "")


def fill(ledger: Ledger, file: Path, count: int) -> None:
    """So many decided proposals, collected by the real stage from `file`, which is written for it."""
    write_platform(file, count)
    add_decisions(ledger, count)
    run_step(ledger, "kk-tk-meinberlin", "collect", Shelf(file))


def write_platform(file: Path, count: int) -> None:
    """What the platform shows, a line of JSON for each proposal."""
    with file.open("wb") as lines:
        lines.writelines(workload.platform_json(i) + b"\n" for i in range(count))


def sending_route(name: str, window: int = CHUNK) -> SendingRoute:
    """A sending route as its file says, with a window of our own."""
    route = find_route(workload.ROOT, name)
    assert isinstance(route, SendingRoute)
    return route.model_copy(update={"window": window})


def sending(ledger: Ledger, route: SendingRoute, target: Any, *others: Any, step: str) -> Sending:
    """A sending route at work, with another target than its connection would give, or several for its connections."""
    run = begin_run(ledger, lane_of(route), route.name, step)
    process = read_process(workload.ROOT, route.process)
    work = Sending(workload.ROOT, route, process, ledger, _PARTY, run)
    work.__dict__.update(target=target, manifest=_MANIFEST, others=list(others))
    return work


def collecting(ledger: Ledger, name: str, source: Any) -> Collecting:
    """A collecting route at work, with another source than its connection would give."""
    route = find_route(workload.ROOT, name)
    assert isinstance(route, CollectingRoute)
    run = begin_run(ledger, lane_of(route), route.name, "collect")
    process = read_process(workload.ROOT, route.process)
    work = Collecting(workload.ROOT, route, process, ledger, _PARTY, run)
    work.__dict__.update(source=source, manifest=_MANIFEST)
    return work


def run_step(ledger: Ledger, route: str, step: str, client: Any, window: int = CHUNK) -> Counts:
    """One step of a route from reading its file to writing the run down, with a client of ours."""
    counts = Counts()
    work: Any = collecting(ledger, route, client) if step == "collect" else None
    work = work or sending(ledger, sending_route(route, window), client, step=step)
    STEPS[step](work, counts)
    end_run(ledger, work.run, counts)
    return counts


class Shelf:
    """A full listing out of a file of JSON lines: nothing of it is held in memory."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def fetch(self, cursor: Any) -> Iterator[Item]:  # noqa: ARG002 - a full listing has no cursor
        """Everything, every time."""
        with self._file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield Item("proposal", str(number), line)

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nobody needs to know."""


@dataclass(frozen=True)
class Balance:
    """A finance system's word about an area."""

    area: str
    committed: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)


class Counter:
    """A target of single calls that cost nothing: it gives ids, takes everything, and confirms when asked."""

    def reserve(self, message: Message) -> Ticket | None:
        """An id made of the message's."""
        return Ticket(f"id-{message.key}")

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Taken."""
        return _receipt(ReceiptOutcome.DELIVERED, message, ticket)

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """Booked."""
        return Found(_receipt(ReceiptOutcome.CONFIRMED, message, ticket))

    def balances(self, fiscal_year: int) -> Iterable[Balance]:  # noqa: ARG002
        """Its own sums; nobody compares them here."""
        return [Balance(area) for area in workload.AREA_IDS]


class Taker:
    """A batch target that takes everything at once."""

    def compose(self, head: BatchHead, messages: Sequence[Message], standing: Sequence[Message]) -> tuple[str, bytes]:  # noqa: ARG002
        """A carrier of names."""
        return f"{head.id}.txt", "\n".join(message.reference for message in messages).encode()

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Taken, and booked."""
        booked = Receipt(outcome=ReceiptOutcome.CONFIRMED, event="gebucht", remote_id=batch.head.id)
        return {message.key: booked for message in messages}

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:  # noqa: ARG002
        """It remembers nothing."""
        return {message.key: CannotTell() for message in messages}


class SoapSink:
    """A target of one call: through zeep, or with the envelope joined around the payload."""

    def __init__(self, port: int, *, through_zeep: bool = False) -> None:
        self._port = _soap.Port(sink.WSDL, sink.BINDING, f"http://127.0.0.1:{port}/", _soap.Line(_soap.Wire()))
        self._through_zeep = through_zeep

    def reserve(self, message: Message) -> Ticket | None:
        """It gives no ids."""

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:  # noqa: ARG002 - there is none
        """One call."""
        if self._through_zeep:
            answer = self._port.call("Deliver", Key=str(message.key), Payload=message.payload)
        else:
            answer = self._port.post_body("Deliver", deliver_body(str(message.key), message.payload))
        assert answer.body is not None
        return Receipt(
            outcome=ReceiptOutcome.DELIVERED, event="angenommen", remote_id=str(answer.body.findtext("{*}Number"))
        )

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:  # noqa: ARG002
        """It remembers nothing."""
        return CannotTell()


def deliver_body(key: str, payload: bytes) -> bytes:
    """The call's body with the payload in its place."""
    opened = f'<s:Deliver xmlns:s="{sink.NAMESPACE}"><s:Key>{key}</s:Key><s:Payload>'
    return b"%s%s</s:Payload></s:Deliver>" % (opened.encode(), b64encode(payload))


def _receipt(outcome: ReceiptOutcome, message: Message, ticket: Ticket | None) -> Receipt:
    assert ticket is not None
    name = f"{ticket.id}#{outcome.value}"
    return Receipt(
        source=message.destination,
        external_id=name,
        outcome=outcome,
        event="gebucht",
        key=message.key,
        ticket=ticket.id,
        remote_id=ticket.id,
    )


_MANIFEST = Manifest(
    name="benchmark",
    title="Benchmark",
    connection_type="kb_benchmark",
    description="",
    settings="",
    listing="full",
    can=Capabilities(dedupes=True, look_up=True, parallel=True),
)
