"""A ledger of our own for a benchmark, the real stages on it, and clients that cost nothing or one SOAP call."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from benchmarks import sink, workload
from connectors import _soap
from kiezbruecke.connector import (
    Answer,
    Batch,
    BatchHead,
    CannotTell,
    Connection,
    Handled,
    Item,
    Manifest,
    Message,
    Ticket,
)
from kiezbruecke.connector.manifest import Capabilities
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, SendingRoute, find_route
from kiezbruecke.ledger import Ledger, begin_run, upgrade
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine, now
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.records.identity import case_id
from kiezbruecke.stages.work import Collecting, Sending, lane_of

CHUNK = 100
_PARTY = Connection("benchmark", "kb_benchmark")


def open_ledger(folder: Path) -> Ledger:
    """A fresh ledger in a file, durable as always."""
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
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


def sending(ledger: Ledger, name: str, target: Any, *, step: str) -> Sending:
    """A sending route at work, with another target than its connection would give."""
    route = find_route(workload.ROOT, name)
    assert isinstance(route, SendingRoute)
    route = route.model_copy(update={"window": CHUNK})
    run = begin_run(ledger, lane_of(route), route.name, step)
    process = read_process(workload.ROOT, route.process)
    work = Sending(workload.ROOT, route, process, ledger, _PARTY, run)
    work.__dict__.update(target=target, manifest=_manifest(dedupes=True))
    return work


def collecting(ledger: Ledger, name: str, source: Any) -> Collecting:
    """A collecting route at work, with another source than its connection would give."""
    route = find_route(workload.ROOT, name)
    assert isinstance(route, CollectingRoute)
    run = begin_run(ledger, lane_of(route), route.name, "collect")
    process = read_process(workload.ROOT, route.process)
    work = Collecting(workload.ROOT, route, process, ledger, _PARTY, run)
    work.__dict__.update(source=source, manifest=_manifest(listing="full"))
    return work


class Shelf:
    """A source that holds its items already."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def fetch(self, cursor: Any) -> Iterator[Item]:  # noqa: ARG002 - a full listing has no cursor
        """Everything, every time."""
        yield from self._items

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nobody needs to know."""


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

    def __init__(self, port: int, *, through_zeep: bool) -> None:
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


def _manifest(**given: Any) -> Manifest:
    can = Capabilities(dedupes=given.pop("dedupes", False))
    return Manifest(
        name="benchmark",
        title="Benchmark",
        connection_type="kb_benchmark",
        description="",
        settings="",
        can=can,
        **given,
    )
