"""The aviary: a world in which one invented resident is everything that a person can be, and all that could leak.

she herself   name, mail, telephone, address of a proposal's applicant – and whatever a broken server quotes
her words     a title, a description, a cell, a column's header, a file's and a worksheet's name
the clerk     who signs a command, and why
"""

from __future__ import annotations

import io
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from connectors.folder.table import read_table
from kiezbruecke.airflow.dags import STEPS
from kiezbruecke.airflow.tasks import perform
from kiezbruecke.cli import main
from kiezbruecke.content.routes import find_route
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger import tables as t
from kiezbruecke.sandbox import Running
from tests.needles import files_of, hits, hits_in_file
from tests.world import ROOT, SEND, World, budget, found, line, open_sandboxes, wipe

NAME, MAIL, PHONE = "Käthe Zwitscherfräulein-Canary", "kaethe.canary@example.invalid", "+49 30 5550815"
ADDRESS = "Nistkastensträßchen 77b"
HERSELF = (NAME, "Zwitscherfräulein", MAIL, "kaethe.canary", PHONE, "5550815", ADDRESS)
HER_WORDS = ("Piepmätzchen",)  # `her(…)` makes one for every place
THE_CLERK = ("Amselmüller", "Grünschnäbel")
EVERYTHING = (*HERSELF, *HER_WORDS, *THE_CLERK)
REFERENCE, KEY = "2026-00008", 8
INITIATOR = {"export_login": "initiative@example.org", "export_password": "sandkasten-2026"}
ROUTES = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin", *SEND)
SIGNED = ("--name", "Ute Amselmüller", "--reason", "wegen der Grünschnäbel")

CONTENT = (*HERSELF, *HER_WORDS)
TABLES: dict[str, Collection[str]] = {  # where what may stand in the ledger, and why
    "records": EVERYTHING,  # what was said
    "record_history": EVERYTHING,  # what was said before
    "receipts": CONTENT,  # their words, as they came
    "unread": CONTENT,  # what no mapping has understood yet, to be read again
    "message_bytes": HER_WORDS,  # what was sent
    "batches": HER_WORDS,  # what was sent
    "previews": HER_WORDS,  # what would be sent
    "findable": HER_WORDS,  # titles, as people search for them
}
COLUMNS = {  # who has signed what
    ("events", "body"),  # evidence: who decided
    ("attention", "reason"),  # who says that a backup was restored, for colleagues
    *(("route_flags", one) for one in ("person", "reason")),
    *(("destinations", one) for one in ("person", "reason", "paused_by", "paused_because")),
    *(("recovery_steps", one) for one in ("person", "body")),
    *(("attention", one) for one in ("answered_by", "answer_reason")),
    *(("baselines", one) for one in ("person", "reason")),
}


def her(place: str) -> str:
    """A word of hers for one place, so that a leak names where it came from."""
    return f"Piepmätzchen {place}"


@dataclass
class Sinks:
    """Everything that anybody could read, by the name of the place."""

    log: io.StringIO = field(default_factory=io.StringIO)
    said: io.StringIO = field(default_factory=io.StringIO)  # what commands print
    errors: list[str] = field(default_factory=list)  # exceptions of ours, and what Airflow gets
    results: list[Any] = field(default_factory=list)  # what Airflow keeps as XCom
    urls: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)  # the arguments of processes
    paths: list[str] = field(default_factory=list)  # files that are opened, made, moved


@dataclass
class Aviary:
    """The world she lives in, and what leaks out of it."""

    world: World
    sinks: Sinks

    def go(self, *routes: str) -> None:
        """Run routes both ways: as the command line does it, and as an Airflow task does it."""
        for route in routes or ROUTES:
            self.call("run", route)
            self.run_as_task(route)

    def run_as_task(self, route: str) -> None:
        """A route's steps as Airflow's tasks run them, each by itself."""
        content = self.world.content
        for step in STEPS[type(find_route(content, route))]:
            try:
                self.sinks.results.append(perform(step, route, content))
            except Exception as error:  # noqa: BLE001 - whatever it is: Airflow would print it
                self.sinks.errors.append(f"{error!r} {error.__cause__!r} {error.__context__!r}")

    def run(self, route: str) -> None:
        """A whole route in this process; what is raised is taken down as both edges tell it."""
        try:
            self.sinks.results += self.world.run(route)
        except KiezbrueckeError as error:
            self.sinks.errors.append(str(error))
        except Exception as error:  # noqa: BLE001 - of a foreign one only kind and place are told
            self.sinks.errors.append(type(error).__name__)

    def call(self, *words: str) -> tuple[str, str]:
        """Call a command as the console script does: what it says, and what it complains about."""
        said, complained = io.StringIO(), io.StringIO()
        sys.argv = ["kiezbruecke", *words]
        with redirect_stdout(said), redirect_stderr(complained):
            try:
                main()
            except SystemExit as ended:
                self.sinks.errors.append(str(ended))
        self.sinks.said.write(said.getvalue())
        self.sinks.errors.append(complained.getvalue())
        return said.getvalue(), complained.getvalue()

    def keep(self) -> Callable[[], None]:
        """Keep the ledger and the platform as they are; the result brings them back, with empty books elsewhere."""
        state, platform = self.world.state, self.world.sandboxes["meinberlin"].state / "platform.json"
        kept, said = sqlite3.connect(":memory:"), platform.read_bytes()
        with closing(sqlite3.connect(state / "ledger.sqlite3")) as now:
            now.backup(kept)

        def begin() -> None:
            with closing(sqlite3.connect(state / "ledger.sqlite3")) as now:
                kept.backup(now)
            (state / "witness.json").unlink(missing_ok=True)
            platform.write_bytes(said)
            wipe(self.world.sandboxes)

        return begin

    def change(self, **fields: Any) -> None:
        """The platform says something else about her proposal."""
        body = json.dumps({"pk": KEY, **fields}).encode()
        url = f"{self.world.sandboxes['meinberlin'].url}/_sandbox/proposals"
        with urlopen(Request(url, body, {"Content-Type": "application/json"}, method="PUT"), timeout=5):
            pass

    def places(self) -> dict[str, Iterable[bytes]]:
        """Every sink as bytes, but for what is searched with more care below."""
        sinks = self.sinks
        return {
            "log": [sinks.log.getvalue().encode()],
            "exceptions": [text.encode() for text in sinks.errors],
            "XCom": [json.dumps(result).encode() for result in sinks.results],
            "addresses": [url.encode() for url in sinks.urls],
            "arguments of processes": [text.encode() for text in sinks.started],
            "names of other files": [text.encode("utf-8", "surrogateescape") for text in self.other_paths()],
            "logs of the sandboxes": [box.state.joinpath("sandbox.log").read_bytes() for box in self._boxes()],
        }

    def kept(self) -> dict[str, Iterable[Path]]:
        """What is sent or handed back, as files: her words may be there, she herself may not."""
        state = self.world.state
        xta, hkr = (self.world.sandboxes[name].state for name in ("xta", "hkr"))
        return {
            "sheets and their reports": files_of(state / "eingang"),
            "status lists": files_of(state / "ausgang"),
            "what the e-file got": list(xta.glob("urn:*/*")),
            "what the budget system got": files_of(hkr),
        }

    def other_paths(self) -> set[str]:
        """Every file that was touched but those of the inbox, where a clerk's own name stays as it is."""
        return {path for path in self.sinks.paths if "/eingang/" not in path and not path.startswith(her("file"))}

    def leaks(self) -> dict[str, list[str]]:
        """Where something is found that must not be there, with the words."""
        found_in = {place: _in(bodies, EVERYTHING) for place, bodies in self.places().items()}
        for place, files in self.kept().items():
            found_in[place] = {word for file in files for word in hits_in_file(file, (*HERSELF, *THE_CLERK))}
        for name, cells in self.cells().items():
            mine = her("file").encode() if name == ("attention", "reason") else b"\0"  # the clerk must find the sheet
            found_in[f"ledger: {'.'.join(name)}"] = _in((cell.replace(mine, b"") for cell in cells), _foreign(*name))
        found_in["command line"] = _in([self.sinks.said.getvalue().encode()], HERSELF)
        return {place: sorted(words) for place, words in found_in.items() if words}

    def cells(self) -> dict[tuple[str, str], list[bytes]]:
        """Every column of every table of the ledger, every cell as bytes."""
        with self.world.ledger.read() as connection:
            return {
                (table.name, column.name): [_bytes(cell) for cell in connection.scalars(select(column))]
                for table in t.metadata.sorted_tables
                for column in table.columns
            }

    def _boxes(self) -> Iterable[Running]:
        return self.world.sandboxes.values()


def _foreign(table: str, column: str) -> tuple[str, ...]:
    """What must not stand in a column of the ledger."""
    may = {*TABLES.get(table, ()), *(THE_CLERK if (table, column) in COLUMNS else ())}
    return tuple(word for word in EVERYTHING if word not in may)


def _in(bodies: Iterable[bytes], words: Iterable[str]) -> set[str]:
    return hits(b"\n\n".join(bodies), words)


def _bytes(cell: Any) -> bytes:
    if isinstance(cell, bytes):
        return cell
    text = json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | list) else str(cell)
    return text.encode("utf-8", "surrogatepass")


# --- her words, wherever somebody may write any


def write_her_words(aviary: Aviary) -> None:
    """Title, description, place, labels, feedback on the platform; every cell and name of both kinds of sheets."""
    aviary.change(
        name=her("title"),
        description=f"<p>{her('description')}</p>",
        point_label=her("place"),
        labels=[her("label")],
        category=her("category"),
        feedback=f"<p>{her('feedback')}</p>",
        remark=her("remark"),
    )
    drop_workbook(aviary, "beschluesse", "decision-sheet", line(REFERENCE, "100,00 €", area="Johannisthal"))
    drop_workbook(aviary, "budgets", "budget-sheet", budget("6.000,00 €", area="Johannisthal"))


def drop_workbook(aviary: Aviary, inbox: str, table: str, good: str) -> None:
    """A workbook named by her: a good line with her words where any text may stand, then a line for every column.

    Most of these cannot be read: what is wrong with them is said without what stands in them.
    """
    columns = read_table(ROOT, table).columns
    given = good.split(";")  # what comes behind it is optional, and empty here
    given += [""] * (len(columns) - len(given))
    fields = dict(zip([column.name for column in columns], given, strict=True))
    free = [one.name for one in columns if one.type == "text" and (one.max_length or 0) >= 200 and not one.required]
    book = Workbook()
    sheet = book.active
    sheet.title = her("sheet")
    sheet.append([*fields, her("column")])
    sheet.append([*(fields | {name: her(f"cell {name}") for name in free}).values(), her("cell beside")])
    for number, name in enumerate(fields, 1):
        own = {"Referenznummer": f"P-{number}"} if "Referenznummer" in fields else {}
        sheet.append(list((fields | own | {name: her(f"broken {name}")}).values()))
    hidden = book.create_sheet(her("hidden sheet"))
    hidden.append([her("hidden cell")])
    hidden.sheet_state = "hidden"
    book.save(aviary.world.state / "eingang" / inbox / f"{her('file')} {table}.xlsx")


# --- where she lives


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A small platform with her and two others, an e-file, a budget system."""
    base = tmp_path_factory.mktemp("boxes")
    data = json.loads((ROOT / "demo/proposals.json").read_text("utf-8"))
    data["proposals"] = [one for one in data["proposals"] if one["pk"] in (4, 7, KEY)]
    data["proposals"][-1] |= {"creator": NAME, "contact_email": MAIL, "contact_phone": PHONE}
    (base / "data.json").write_text(json.dumps(data), "utf-8")
    said = [f"quote={NAME}, {MAIL}, {PHONE}"]
    started = open_sandboxes(base, ("xta", "hkr", "meinberlin"), meinberlin=[f"data={base / 'data.json'}"], xta=said)
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
    _hear_addresses(monkeypatch, sinks)
    monkeypatch.setattr("kiezbruecke.airflow.tasks.airflow_connection", world.house.connect)
    monkeypatch.setattr(sys, "argv", [])
    handler, root = logging.StreamHandler(sinks.log), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    _listeners.append(sinks)
    yield Aviary(world, sinks)
    _listeners.remove(sinks)
    root.removeHandler(handler)
    root.setLevel(level)
    platform.write_bytes(before)
    world.close()


def _hear_addresses(monkeypatch: pytest.MonkeyPatch, sinks: Sinks) -> None:
    sent = HTTPConnection.request

    def listen(connection: HTTPConnection, method: str, url: str, *args: Any, **given: Any) -> None:
        sinks.urls.append(url)
        sent(connection, method, url, *args, **given)

    monkeypatch.setattr(HTTPConnection, "request", listen)


_listeners: list[Sinks] = []
_PROCESSES = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}
_FILES = {"open", "os.mkdir", "os.rename", "os.link", "os.symlink", "tempfile.mkstemp", "tempfile.mkdtemp"}


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """The interpreter itself says which processes are started and which files are touched."""
    if not _listeners:
        return
    if event in _PROCESSES:
        _listeners[-1].started.append(repr(arguments))
    elif event in _FILES:
        _listeners[-1].paths += [os.fsdecode(one) for one in arguments if isinstance(one, str | bytes)]


sys.addaudithook(_hear)  # nobody can take it away again: it listens only while an aviary is open
