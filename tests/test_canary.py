"""A canary citizen goes through everything, also where it breaks: she may be found in the records, and nowhere else.

mein.berlin sandbox (export on) ─▶ pipeline at log level DEBUG ─▶ every sink, as bytes, ZIPs and PDFs opened
"""

from __future__ import annotations

import io
import json
import logging
import sys
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from urllib.request import Request, urlopen

import pytest

from connectors.meinberlin.client import MeinBerlin
from kiezbruecke.airflow.dags import STEPS
from kiezbruecke.airflow.tasks import perform
from kiezbruecke.cli import main
from kiezbruecke.connector import Cursor, Item
from kiezbruecke.content.routes import find_route
from kiezbruecke.documents import find_templates
from kiezbruecke.documents.sample import samples
from kiezbruecke.ledger import tables as t
from kiezbruecke.mapping import Mapping
from kiezbruecke.sandbox import Running
from tests.pdf_words import objects_of, stream_of, words_of
from tests.world import ROOT, SEND, World, budget, found, line, open_sandboxes, wipe

NAME, MAIL, PHONE = "Kanari Zwitscherfrau-Canary", "canary.kanari@example.invalid", "+49 30 5550815"
WORDS = (NAME, "Kanari", "Zwitscherfrau", MAIL, "canary.kanari", PHONE, "5550815")
REFERENCE, KEY = "2026-00008", 8
KEEPERS = {"records", "record_history"}  # the only tables she may be in
INITIATOR = {"export_login": "initiative@example.org", "export_password": "sandkasten-2026"}
ROUTES = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin", *SEND)


@dataclass
class Sinks:
    """Everything that anybody could read, by the name of the place."""

    log: io.StringIO = field(default_factory=io.StringIO)
    said: io.StringIO = field(default_factory=io.StringIO)  # what commands print
    errors: list[str] = field(default_factory=list)  # exceptions of ours, and what Airflow gets
    results: list[Any] = field(default_factory=list)  # what Airflow keeps as XCom
    urls: list[str] = field(default_factory=list)


@dataclass
class Aviary:
    """The world she lives in, and what leaks out of it."""

    world: World
    sinks: Sinks

    def go(self, *routes: str) -> None:
        """Run routes both ways: as the command line does it, and as an Airflow task does it."""
        for route in routes or ROUTES:
            with redirect_stdout(self.sinks.said), redirect_stderr(self.sinks.said):
                sys.argv = ["kiezbruecke", "run", route]
                try:
                    main()
                except SystemExit as ended:
                    self.sinks.errors.append(str(ended))
            for step in STEPS[type(find_route(ROOT, route))]:
                try:
                    self.sinks.results.append(perform(step, route, ROOT))
                except Exception as error:  # noqa: BLE001 - whatever it is: Airflow would print it
                    self.sinks.errors.append(f"{error!r} {error.__cause__!r} {error.__context__!r}")

    def ask(self) -> None:
        """Print all that the commands can print."""
        commands = ["status", "todo list", "message list", f"case show {REFERENCE}", "reconcile", "ledger verify"]
        keys = [str(head.key) for head in self.world.messages()][:3]
        points = [point.id for point in self.world.points()][:3]
        commands += [f"message show {key}" for key in keys] + [f"todo show {point}" for point in points]
        with redirect_stdout(self.sinks.said), redirect_stderr(self.sinks.said):
            for command in [*commands, *(f"{one} --json" for one in commands if one != "status")]:
                sys.argv = ["kiezbruecke", *command.split()]
                try:
                    main()
                except SystemExit:
                    continue

    def change(self, **fields: Any) -> None:
        """The platform says something else about her proposal."""
        body = json.dumps({"pk": KEY, **fields}).encode()
        url = f"{self.world.sandboxes['meinberlin'].url}/_sandbox/proposals"
        with urlopen(Request(url, body, {"Content-Type": "application/json"}, method="PUT"), timeout=5):
            pass

    def places(self) -> dict[str, list[bytes]]:
        """Every sink as bytes."""
        state, sinks = self.world.state, self.sinks
        boxes = {name: running.state for name, running in self.world.sandboxes.items()}
        return {
            "log": [sinks.log.getvalue().encode()],
            "command line": [sinks.said.getvalue().encode()],
            "exceptions": [text.encode() for text in sinks.errors],
            "XCom": [json.dumps(result).encode() for result in sinks.results],
            "addresses": [url.encode() for url in sinks.urls],
            "sheets and their reports": _files(state / "eingang"),
            "status lists": _files(state / "ausgang"),
            "what the e-file got": [file.read_bytes() for file in boxes["xta"].glob("urn:*/*")],
            "what the budget system got": _files(boxes["hkr"]),
            "logs of the sandboxes": [(box / "sandbox.log").read_bytes() for box in boxes.values()],
            **{f"ledger: {name}": rows for name, rows in self.tables().items() if name not in KEEPERS},
        }

    def tables(self) -> dict[str, list[bytes]]:
        """Every table of the ledger, every cell as bytes."""
        with self.world.ledger.read() as connection:
            return {
                table.name: [_bytes(cell) for row in connection.execute(table.select()) for cell in row]
                for table in t.metadata.sorted_tables
            }

    def leaks(self) -> dict[str, list[str]]:
        """Where she is found, with the words."""
        self.ask()
        found_in = {
            place: sorted({word for body in bodies for word in hits(body)}) for place, bodies in self.places().items()
        }
        return {place: words for place, words in found_in.items() if words}


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A small platform with her and two others, an e-file, a budget system."""
    base = tmp_path_factory.mktemp("boxes")
    data = json.loads((ROOT / "demo/proposals.json").read_text("utf-8"))
    data["proposals"] = [one for one in data["proposals"] if one["pk"] in (4, 7, KEY)]
    (base / "data.json").write_text(json.dumps(data), "utf-8")
    quote = [f"quote={NAME}, {MAIL}, {PHONE}"]
    started = open_sandboxes(base, ("xta", "hkr", "meinberlin"), meinberlin=[f"data={base / 'data.json'}"], xta=quote)
    yield started
    for running in started.values():
        running.kill()


@pytest.fixture
def aviary(boxes: dict[str, Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aviary]:
    """An empty world with every sink open, at log level DEBUG."""
    wipe(boxes)
    platform = boxes["meinberlin"].state / "platform.json"
    before = platform.read_bytes()
    for running in boxes.values():
        (running.state / "sandbox.log").write_bytes(b"")
    world = found(tmp_path / "var", dict(boxes), ROOT, monkeypatch)
    world.connect(meinberlin_tk=INITIATOR)
    world.drop_budget(budget("6.000,00 €", area="Johannisthal"))
    world.drop(*(line(f"2026-0000{pk}", "100,00 €", area="Johannisthal") for pk in (4, 7, KEY)))
    sinks = Sinks()
    sent = HTTPConnection.request

    def listen(connection: HTTPConnection, method: str, url: str, *args: Any, **given: Any) -> None:
        sinks.urls.append(url)
        sent(connection, method, url, *args, **given)

    monkeypatch.setattr(HTTPConnection, "request", listen)
    monkeypatch.setattr("kiezbruecke.airflow.tasks.airflow_connection", world.house.connect)
    monkeypatch.setattr(sys, "argv", [])
    handler, root = logging.StreamHandler(sinks.log), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield Aviary(world, sinks)
    root.removeHandler(handler)
    root.setLevel(level)
    platform.write_bytes(before)
    world.close()


def test_she_is_searched_for_where_she_could_hide(aviary: Aviary, tmp_path: Path) -> None:
    """The search itself is tried: in plain text, in an address, in a ZIP, in a PDF."""
    assert hits(b"tel:" + PHONE.encode())
    assert hits(quote_plus(NAME).encode())
    assert hits(_zip({"a.txt": MAIL.encode()}))
    assert hits(_zip({"inner.zip": _zip({"a.pdf": _pdf(NAME)})}))
    assert not hits(_zip({"a.pdf": _pdf("Hochbeete")}))


def test_she_goes_the_whole_way_and_is_in_the_records_only(aviary: Aviary) -> None:
    """Her contact is read, kept for the clerks, and part of nothing that is sent, said or logged."""
    aviary.go()
    tables = aviary.tables()

    assert {word for cell in tables["records"] for word in hits(cell)} >= {NAME, MAIL, PHONE}
    assert len(aviary.world.filed()) == 3
    assert len(aviary.world.orders()) == 3
    assert aviary.leaks() == {}
    assert aviary.sinks.log.getvalue()
    assert aviary.sinks.said.getvalue()


@pytest.mark.parametrize(
    "changes",
    [
        {"moderator_status": NAME},
        {"created": NAME},
        {"name": ""},
        {"creator": [NAME]},
        {"contact_email": {"mail": MAIL}},
        {"asked_text": NAME},
        {"point": {"lon": NAME, "lat": PHONE}},
    ],
    ids="+".join,
)
def test_what_is_wrong_with_her_record_is_said_without_her(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Rule, field, source – never the value."""
    fetch = MeinBerlin.fetch

    def broken(client: MeinBerlin, cursor: Cursor) -> Iterator[Item]:
        for item in fetch(client, cursor):
            body = {**item.body, **(item.rest.fetch() if item.rest else {})}
            yield replace(item, body={**body, **{key: changes[key] for key in changes if key in body}}, rest=None)

    monkeypatch.setattr(MeinBerlin, "fetch", broken)
    aviary.go("kk-tk-meinberlin")

    assert any(result.get("set_aside") for result in aviary.sinks.results)
    assert aviary.leaks() == {}


def test_a_broken_proposal_stays_on_the_list_although_its_applicant_is_fine(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two items of one source may have the same external id; one that is fine must not settle the other."""
    fetch = MeinBerlin.fetch

    def nameless(client: MeinBerlin, cursor: Cursor) -> Iterator[Item]:
        for item in fetch(client, cursor):
            yield replace(item, body={**item.body, "name": ""}) if item.kind == "proposal" else item

    monkeypatch.setattr(MeinBerlin, "fetch", nameless)
    aviary.go("kk-tk-meinberlin")

    assert len(aviary.world.points("set_aside")) == 3


FAULTS = {
    "meinberlin": (
        "truncated_body",
        "html_instead_of_json",
        "field_retyped",
        "export_broken",
        "export_column_missing",
        "detail_changed",
    ),
    "xta": (
        *("commit_then_lose", "truncated_answer", "transport_red", "refuse_import", "quoting_fault"),
        *("mixed_import", "other_process", "odd_charset", "other_message", "answer_in_attachment"),
    ),
    "hkr": ("commit_then_lose", "reject_line", "refuse_one", "truncated_answer"),
}


def test_a_platform_that_breaks_tells_nobody_about_her(aviary: Aviary) -> None:
    """Broken answers are quoted gladly by libraries."""
    for fault in FAULTS["meinberlin"]:
        aviary.world.sandboxes["meinberlin"].arm(fault, 2)  # once for the command, once for the task
        aviary.go("kk-tk-meinberlin")

    assert aviary.sinks.errors
    assert aviary.leaks() == {}


@pytest.mark.parametrize("sandbox", ["xta", "hkr"])
def test_a_destination_that_breaks_tells_nobody_about_her(aviary: Aviary, sandbox: str) -> None:
    """Refused, lost, half an answer, a log-in page, a fault that quotes her in its code, name, role and reason."""
    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
    routes = ("kk-tk-eakte", "kk-tk-eakte-postfach") if sandbox == "xta" else ("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    for fault in FAULTS[sandbox]:
        aviary.world.sandboxes[sandbox].arm(fault, 2)  # once for the command, once for the task
        aviary.go(*routes)

    assert aviary.leaks() == {}


def test_dead_endpoints_and_refused_accounts_tell_nobody_about_her(aviary: Aviary) -> None:
    """One clear line with the address of ours."""
    aviary.world.connect(meinberlin_tk={"export_password": "falsch"})
    aviary.go("kk-tk-meinberlin")
    for connection in aviary.world.connections.values():
        if "host" in connection:
            connection["host"] = "http://127.0.0.1:9"
    aviary.world.connect(meinberlin_tk=INITIATOR)
    aviary.go()

    assert aviary.leaks() == {}


@pytest.mark.parametrize("method", ["read", "write_traced"])
def test_an_error_that_quotes_her_is_withheld(aviary: Aviary, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """A bug of ours may put anything into an exception's text."""

    def quoting(*_: Any) -> Any:
        raise ValueError(f"cannot use {NAME} {MAIL}")

    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
    monkeypatch.setattr(Mapping, method, quoting)
    aviary.change(name="Sitzbank am neuen Wasserwerk")
    aviary.go("kk-tk-meinberlin", "kk-tk-eakte")

    assert "ValueError" in "".join(aviary.sinks.errors) + aviary.sinks.log.getvalue()
    assert aviary.leaks() == {}


def test_a_fault_that_quotes_her_at_every_call_is_heard_without_her(aviary: Aviary) -> None:
    """Reserving, sending, asking, listing: whatever is called, the other side answers with her name and number."""
    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
    for calls in (99, 1):
        aviary.world.sandboxes["xta"].arm("quoting_fault", calls)
        aviary.go("kk-tk-eakte", "kk-tk-eakte-postfach")

    assert any("no MessageID" in text for text in aviary.sinks.errors)
    assert aviary.leaks() == {}


def test_a_database_that_refuses_her_record_does_not_quote_it(aviary: Aviary) -> None:
    """Databases like to show the parameters of the statement that failed."""
    with aviary.world.ledger.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    aviary.go("kk-tk-meinberlin")

    assert any("IntegrityError" in text or "OperationalError" in text for text in aviary.sinks.errors)
    assert aviary.leaks() == {}


# --- how she is searched for


def hits(body: bytes) -> set[str]:
    """The words of hers that are found in these bytes, also inside ZIPs and PDFs."""
    return {word for part in _opened(body) for word in WORDS if any(form in part for form in _forms(word))}


def _forms(word: str) -> set[bytes]:
    texts = {word, quote(word), quote_plus(word), json.dumps(word)[1:-1]}
    return {text.encode(code) for text in texts for code in ("utf-8", "utf-16-le", "utf-16-be")}


def _opened(body: bytes) -> Iterator[bytes]:
    yield body
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from _opened(packed.read(name))
    if body.startswith(b"%PDF"):
        yield from _streams(body)


def _streams(body: bytes) -> Iterator[bytes]:
    """A PDF's objects and streams, unpacked, and its words."""
    yield from (part for found in objects_of(body).values() for part in (found, stream_of(found)))
    yield words_of(body).encode()


def _files(folder: Path) -> list[bytes]:
    return [part for file in folder.rglob("*") if file.is_file() for part in (file.name.encode(), file.read_bytes())]


def _bytes(cell: Any) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogatepass")


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _pdf(text: str) -> bytes:
    values, day = next(samples())
    return find_templates(ROOT).typeset("vorschlag", {**values, "title": text}, day)
