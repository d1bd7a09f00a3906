"""The whole way of a record, from JSON bytes to a durable receipt, in chunks of 100 – and a user's script beside it.

    ours     decode ▸ map, seal ▸ XSD │ one commit │ the real deliver stage: claim, begin, one SOAP call each, settle
    floor    the same by hand: lxml, one executemany, http.client on one open connection, one executemany
    script   what a user would write: json, pydantic, xsdata, lxml, zeep, one commit before and one after each call

With `window: 1` a message is claimed, sent and settled before the next is touched; the floor then commits after each
call. What collecting itself stores (records, events) is in none of them.
"""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree
from zeep import Client

from benchmarks import district, sink, workload
from benchmarks.clock import Contest, Measured, timed
from benchmarks.offline import Piece
from benchmarks.ways import LXML, XSDATA, NotTheSame, canonical, job
from kiezbruecke import pipeline
from kiezbruecke.content.routes import SendingRoute
from kiezbruecke.ledger import Ledger, MessageState, begin_run, claims, end_run
from kiezbruecke.ledger import drafts as ledger_drafts
from kiezbruecke.ledger.draft import Draft, Identity
from kiezbruecke.ledger.reading import list_messages
from kiezbruecke.mapping.lineage import seal
from kiezbruecke.records import Proposal
from kiezbruecke.records.identity import case_id
from kiezbruecke.stages.work import Counts, lane_of

ROUTE = "kk-tk-eakte"
OURS, THROUGH_ZEEP, FLOOR, SCRIPT = "ours", "ours through zeep", "floor", "script"
OURS_ONE, THROUGH_ZEEP_ONE, FLOOR_ONE = "ours, window 1", "ours through zeep, window 1", "floor, window 1"
CONNECTIONS = (1, 8)
_ENVELOPE = (
    b'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b"%s</e:Body></e:Envelope>"
)
Deliver = Callable[[Sequence[Piece]], None]


def pipeline_contest(records: Sequence[Piece], rounds: int) -> Contest:
    """Chunks of 100 through all ways, each with a database file of its own; needs `rounds` + 1 chunks of records.

    Raises NotTheSame if after the first chunk, which warms every way up, two ways have not delivered the same.
    """
    size = len(records) // (rounds + 1)
    with TemporaryDirectory() as folder, sink.running() as port, _ways(Path(folder), port, records) as ways:
        found: dict[str, list[Measured]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            chunk = records[number * size : (number + 1) * size]
            for name, way in ways.items():
                gc.collect()  # what another way has left behind is not ours to clear
                spent = timed(lambda way=way, chunk=chunk: way.deliver(chunk))  # type: ignore[misc]
                found[name].append(spent * (1 / size))
            if number == 0:
                _prove(chunk, ways)
    return Contest({name: times[1:] for name, times in found.items()})


def latency_contest(records: Sequence[Piece], seconds: float) -> Contest:
    """The same messages over one connection and over eight to a sink that answers late."""
    with TemporaryDirectory() as folder, sink.running(seconds) as port:
        found = {}
        for many in CONNECTIONS:
            ledger = _ledger(Path(folder) / str(many), records)
            route = district.sending_route(ROUTE).model_copy(update={"connections": many})
            _store_messages(ledger, route, records)
            sinks = [district.SoapSink(port) for _ in range(many)]
            spent = timed(lambda: _deliver(ledger, route, sinks, len(records)))  # noqa: B023
            found[str(many)] = [spent * (1 / len(records))]
            ledger.close()
    return Contest(found)


def _prove(chunk: Sequence[Piece], ways: Mapping[str, Way]) -> None:
    expected = [canonical(payload) for payload in ways[FLOOR].delivered(chunk)]
    for name, way in ways.items():
        if [canonical(payload) for payload in way.delivered(chunk)] != expected:
            raise NotTheSame(f"pipeline: {name} has delivered something else than the floor")


@contextmanager
def _ways(folder: Path, port: int, records: Sequence[Piece]) -> Iterator[dict[str, Way]]:
    with ExitStack() as stack:
        ways: dict[str, Way] = {}
        for name, zeep, window in (
            (OURS, False, district.CHUNK),
            (THROUGH_ZEEP, True, district.CHUNK),
            (OURS_ONE, False, 1),
            (THROUGH_ZEEP_ONE, True, 1),
        ):
            ledger = _ledger(folder / name, records)
            stack.callback(ledger.close)
            ways[name] = Ours(ledger, district.SoapSink(port, through_zeep=zeep), window)
        for name, window in ((FLOOR, district.CHUNK), (FLOOR_ONE, 1)):
            database = stack.enter_context(closing(_database(folder / f"{name}.sqlite3")))
            ways[name] = ByHand(
                database, _floor(database, stack.enter_context(closing(HTTPConnection("127.0.0.1", port))), window)
            )
        database = stack.enter_context(closing(_database(folder / "script.sqlite3")))
        ways[SCRIPT] = ByHand(database, _script(database, port))
        yield ways


def _ledger(folder: Path, records: Sequence[Piece]) -> Ledger:
    folder.mkdir()
    ledger = district.open_ledger(folder)
    district.add_cases(ledger, [piece.number for piece in records])
    return ledger


class Ours:
    """Our way: a chunk is stored in one transaction and delivered by the real stage."""

    def __init__(self, ledger: Ledger, target: district.SoapSink, window: int) -> None:
        self._ledger, self._target, self._route = ledger, target, district.sending_route(ROUTE, window)
        self._mapping = job("xdomea").mapping

    def deliver(self, chunk: Sequence[Piece]) -> None:
        """From JSON bytes to durable receipts."""
        drafts = []
        for piece in chunk:
            proposal = Proposal.model_validate_json(piece.canonical)
            payload, trace = self._mapping.write_traced({**piece.roots, "proposal": proposal})
            drafts.append(draft_of(self._route, piece.number, payload, seal(trace, payload)))
        _keep(self._ledger, self._route, drafts)
        _deliver(self._ledger, self._route, [self._target], len(chunk))

    def delivered(self, chunk: Sequence[Piece]) -> list[bytes]:
        """The bytes of a delivered chunk, as the ledger holds them."""
        heads = {head.case_id: head for head, _ in list_messages(self._ledger)}
        found = []
        for piece in chunk:
            head = heads[case_id(workload.PROCESS, workload.reference(piece.number))]
            message = claims.find_message(self._ledger, head.key)
            assert message is not None
            assert head.state is MessageState.DELIVERED
            found.append(message.payload)
        return found


@dataclass
class ByHand:
    """A way of somebody else's."""

    database: sqlite3.Connection
    deliver: Callable[[Sequence[Piece]], None]

    def delivered(self, chunk: Sequence[Piece]) -> list[bytes]:
        """The bytes of a delivered chunk; every message has a number of theirs."""
        query = "SELECT payload FROM messages WHERE key = ? AND state = 'delivered' AND number <> ''"
        return [self.database.execute(query, (str(piece.roots["message"].id),)).fetchone()[0] for piece in chunk]


Way = Ours | ByHand


def draft_of(route: SendingRoute, number: int, payload: bytes, lineage: bytes) -> Draft:
    """A file's message about case `number`, ready to be stored."""
    case = case_id(workload.PROCESS, workload.reference(number))
    name = f"KK26-{number + 1:05d}-E1"
    identity = Identity(route.destination, 1, case, "file.create", 1)
    return Draft(identity, name, "", payload, f"{name}.xml", "application/xml", lineage=lineage, owner=route.owner)


def _store_messages(ledger: Ledger, route: SendingRoute, records: Sequence[Piece]) -> None:
    payload = job("xdomea").ways[LXML](job("xdomea").roots(0))
    _keep(ledger, route, [draft_of(route, piece.number, payload, b"") for piece in records])


def _keep(ledger: Ledger, route: SendingRoute, drafts: Sequence[Draft]) -> None:
    run = begin_run(ledger, lane_of(route), route.name, "prepare")
    without_money = ledger_drafts.add_messages(ledger, run, drafts, route.owner)
    assert not without_money
    end_run(ledger, run, {})


def _deliver(ledger: Ledger, route: SendingRoute, sinks: Sequence[district.SoapSink], count: int) -> None:
    work, counts = district.sending(ledger, route, *sinks, step="deliver"), Counts()
    pipeline.deliver_messages(work, counts)
    end_run(ledger, work.run, counts)
    assert counts["delivered"] == count


def _floor(database: sqlite3.Connection, line: HTTPConnection, window: int) -> Deliver:
    one = job("xdomea")
    write, schema = one.ways[LXML], one.schemas["profile"]
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{sink.ACTION}"'}

    def deliver(chunk: Sequence[Piece]) -> None:
        rows = []
        for piece in chunk:
            payload = write({**piece.roots, "proposal": Proposal.model_validate_json(piece.canonical)})
            schema.assertValid(etree.fromstring(payload))
            rows.append((str(piece.roots["message"].id), payload, "waiting", ""))
        _store(database, rows)
        for begin in range(0, len(rows), window):
            done = []
            for key, payload, _, _ in rows[begin : begin + window]:
                line.request("POST", "/", _ENVELOPE % district.deliver_body(key, payload), headers)
                answer = etree.fromstring(line.getresponse().read())
                done.append((answer.findtext(".//{*}Number"), key))
            _receive(database, done)

    return deliver


def _script(database: sqlite3.Connection, port: int) -> Deliver:
    one = job("xdomea")
    write, schema = one.ways[XSDATA], one.schemas["profile"]
    service: Any = Client(str(sink.WSDL)).create_service(sink.BINDING, f"http://127.0.0.1:{port}/")

    def deliver(chunk: Sequence[Piece]) -> None:
        for piece in chunk:
            proposal = Proposal.model_validate(json.loads(piece.canonical))
            payload = write({**piece.roots, "proposal": proposal})
            schema.assertValid(etree.fromstring(payload))
            key = str(piece.roots["message"].id)
            _store(database, [(key, payload, "waiting", "")])
            _receive(database, [(service.Deliver(Key=key, Payload=payload), key)])

    return deliver


def _database(file: Path) -> sqlite3.Connection:
    """As durable as our ledger."""
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE messages (key TEXT PRIMARY KEY, payload BLOB, state TEXT, number TEXT)")
    return database


def _store(database: sqlite3.Connection, rows: Sequence[tuple[str, bytes, str, str]]) -> None:
    with database:
        database.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)


def _receive(database: sqlite3.Connection, rows: Sequence[tuple[str | None, str]]) -> None:
    with database:
        database.executemany("UPDATE messages SET state = 'delivered', number = ? WHERE key = ?", rows)
