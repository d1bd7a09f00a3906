"""The whole way of a record, from JSON bytes to a durable receipt, in chunks of 100 – and a user's script beside it.

    ours     decode ▸ map, seal ▸ XSD │ one commit │ the real deliver stage: claim, begin, one SOAP call each, settle
    floor    the same by hand: lxml, one executemany, http.client on one open connection, one executemany
    script   what a user would write: json, pydantic, xsdata, lxml, zeep, one commit before and one after each call

What collecting itself stores (records, events) is in none of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from lxml import etree
from zeep import Client

from benchmarks import district, sink, workload
from benchmarks.clock import Contest, timed
from benchmarks.offline import Piece
from benchmarks.ways import LXML, XSDATA, job
from kiezbruecke import pipeline
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger import drafts as ledger_drafts
from kiezbruecke.ledger.draft import Draft, Identity
from kiezbruecke.mapping.lineage import seal
from kiezbruecke.records import Proposal
from kiezbruecke.records.identity import case_id
from kiezbruecke.stages.work import Counts, Sending
from kiezbruecke.standards import store

ROUTE = "kk-tk-eakte"
OURS, THROUGH_ZEEP, FLOOR, SCRIPT = "ours", "ours through zeep", "floor", "script"
_ENVELOPE = (
    b'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b"%s</e:Body></e:Envelope>"
)
Deliver = Callable[[Sequence[Piece]], None]


def pipeline_contest(records: Sequence[Piece], rounds: int) -> Contest:
    """Chunks of 100 through all ways, each with a database file of its own; needs `rounds` chunks of records."""
    with TemporaryDirectory() as folder, sink.running() as port, _ways(Path(folder), port, records) as ways:
        found: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            chunk = records[number * district.CHUNK : (number + 1) * district.CHUNK]
            for name, deliver in ways.items():
                found[name].append(timed(lambda deliver=deliver, chunk=chunk: deliver(chunk)) / len(chunk))
    return Contest({name: times[1:] for name, times in found.items()})  # the first round warms every way up


def group_commit_contest(rounds: int) -> Contest:
    """100 messages stored in one transaction, and in a hundred."""
    payload = job("xdomea").ways["lxml"](job("xdomea").roots(0))
    found: dict[str, list[float]] = {"each": [], "batch": []}
    with TemporaryDirectory() as folder:
        ledger = district.open_ledger(Path(folder))
        district.add_cases(ledger, range(2 * rounds * district.CHUNK))
        work = district.sending(ledger, ROUTE, None, step="prepare")
        for number in range(rounds):
            start = 2 * number * district.CHUNK
            drafts = [_draft(work, i, payload, b"") for i in range(start, start + 2 * district.CHUNK)]
            batch, each = drafts[: district.CHUNK], drafts[district.CHUNK :]
            found["each"].append(timed(lambda each=each: [_keep(ledger, work, [one]) for one in each]) / len(each))
            found["batch"].append(timed(lambda batch=batch: _keep(ledger, work, batch)) / len(batch))
        ledger.close()
    return Contest(found)


def fsync_us(rounds: int = 50) -> float:
    """What one durable commit costs on this disk: the machine's part in every commit ratio."""
    with TemporaryDirectory() as folder:
        database = _database(Path(folder) / "one.sqlite3")
        rows = [(str(number), b"", "waiting", "") for number in range(rounds)]
        times = [timed(lambda row=row: _store(database, [row])) for row in rows]
        database.close()
    return median(times) * 1e6


@contextmanager
def _ways(folder: Path, port: int, records: Sequence[Piece]) -> Iterator[dict[str, Deliver]]:
    ledgers = [_ledger(folder / name, records) for name in ("prebuilt", "zeep")]
    line = HTTPConnection("127.0.0.1", port)
    databases = [_database(folder / f"{name}.sqlite3") for name in ("floor", "script")]
    try:
        yield {
            OURS: _ours(ledgers[0], district.SoapSink(port, through_zeep=False)),
            THROUGH_ZEEP: _ours(ledgers[1], district.SoapSink(port, through_zeep=True)),
            FLOOR: _floor(databases[0], line),
            SCRIPT: _script(databases[1], port),
        }
    finally:
        line.close()
        for ledger in ledgers:
            ledger.close()
        for database in databases:
            database.close()


def _ledger(folder: Path, records: Sequence[Piece]) -> Ledger:
    folder.mkdir()
    ledger = district.open_ledger(folder)
    district.add_cases(ledger, [piece.number for piece in records])
    return ledger


def _ours(ledger: Ledger, target: district.SoapSink) -> Deliver:
    mapping = job("xdomea").mapping

    def deliver(chunk: Sequence[Piece]) -> None:
        work = district.sending(ledger, ROUTE, target, step="prepare")
        drafts = []
        for piece in chunk:
            proposal = Proposal.model_validate_json(piece.canonical)
            payload, trace = mapping.write_traced({**piece.roots, "proposal": proposal})
            store.validate(work.content, "xdomea", "4.0.0", payload)
            drafts.append(_draft(work, piece.number, payload, seal(trace, payload)))
        _keep(ledger, work, drafts)
        counts = Counts()
        pipeline.deliver_messages(district.sending(ledger, ROUTE, target, step="deliver"), counts)
        assert counts["delivered"] == len(chunk)

    return deliver


def _draft(work: Sending, number: int, payload: bytes, lineage: bytes) -> Draft:
    case = case_id(work.process.id, workload.reference(number))
    name = f"KK26-{number + 1:05d}-E1"
    identity = Identity(work.route.destination, 1, case, "file.create", 1)
    return Draft(identity, name, "", payload, f"{name}.xml", "application/xml", lineage=lineage, owner=work.route.owner)


def _keep(ledger: Ledger, work: Sending, drafts: Sequence[Draft]) -> None:
    without_money = ledger_drafts.add_messages(ledger, work.run, drafts, work.route.owner)
    assert not without_money


def _floor(database: sqlite3.Connection, line: HTTPConnection) -> Deliver:
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
        done = []
        for key, payload, _, _ in rows:
            line.request("POST", "/", _ENVELOPE % district.deliver_body(key, payload), headers)
            answer = etree.fromstring(line.getresponse().read())
            done.append((answer.findtext(".//{*}Number"), key))
        _receive(database, done)

    return deliver


def _script(database: sqlite3.Connection, port: int) -> Deliver:
    one = job("xdomea")
    write, schema = one.ways[XSDATA], one.schemas["profile"]
    service = Client(str(sink.WSDL)).create_service(sink.BINDING, f"http://127.0.0.1:{port}/")

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
