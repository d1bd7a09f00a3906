"""A small district for crashes: three sandboxes as processes, a ledger, sheets – and a way back to any moment of it.

    first sheets ─▶ every route once ─▶ second sheets (a change, a cancellation, a newcomer) ─▶ every route once
         ▲               ▲ a visit: its moment is saved before, so that it can be killed in again and again

The sandboxes run once per worker; they open their files at every call, so a saved moment can be put back under them.
"""

from __future__ import annotations

import csv
import gc
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
from ruamel.yaml import YAML

from kiezbruecke import ledger, pipeline
from kiezbruecke.connections import local
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.house import House
from kiezbruecke.ledger import evidence, money, reading, todo
from kiezbruecke.ledger.witness import FileWitness
from kiezbruecke.sandbox import Running
from tests.crash_points import count_points, in_child
from tests.postgres import Postgres

ROOT = Path(__file__).parents[2]
DATABASES = ("sqlite", "postgresql")
ROUTES = (
    "kk-tk-budgets",
    "kk-tk-beschluesse",
    "kk-tk-meinberlin",
    "kk-tk-eakte",
    "kk-tk-hkr",
    "kk-tk-eakte-postfach",
    "kk-tk-hkr-rueckmeldungen",
    "kk-tk-statusliste",
)
PLATFORM = "kk-tk-meinberlin"  # is asked and knows nothing: all cases are from paper
UNCHANGED = ("kk-tk-budgets", "kk-tk-meinberlin")  # the second sheets bring them nothing
VISITS = tuple((1, route) for route in ROUTES) + tuple((2, route) for route in ROUTES if route not in UNCHANGED)
AREA, NAME = "090416", "Müggelheim"

BUDGETS = ("Verfahren;Haushaltsjahr;Bezirksregion;Betrag (€);Kapitel;Titel;Status;Gültig ab;Grund;Erfasst von",)
_HEAD = (
    "Verfahren;Bezirksregion;Sitzung am;Referenznummer;Titel;Ergebnis;Bewilligt (€);Ja;Nein;Enthaltung;Rang;Auflagen;"
    "Protokoll;Erfasst von;Korrektur;Begründung"
)
DECISIONS = (_HEAD,)


def decision(reference: str, outcome: str, amount: str, *, title: str = "Bank am See", why: str = "") -> str:
    """One line of a decision sheet."""
    correction = f"ja;{why}" if why else ";"
    votes = "12;3;1;;;Protokoll 1;SPK 1"
    return f"kk-tk-2026;{NAME};24.04.2026;{reference};{title};{outcome};{amount};{votes};{correction}"


FIRST = {
    "budgets/budget.csv": (
        *BUDGETS,
        f"kk-tk-2026;2026;{NAME};2.600,00 €;5950;97113;freigegeben;01.01.2026;;SPK 1",
    ),
    "beschluesse/april.csv": (
        *DECISIONS,
        decision("P-1", "angenommen", "850,-"),
        decision("P-2", "angenommen (gekürzt)", "1.000,00 €", title="Straßenfest"),
        decision("P-3", "abgelehnt", "", title="Pool"),
    ),
}
SECOND = {
    "beschluesse/mai.csv": (
        *DECISIONS,
        decision("P-1", "angenommen (gekürzt)", "700,00", why="Angebot günstiger"),
        decision("P-2", "abgelehnt", "", title="Straßenfest", why="Fest fällt aus"),
        decision("P-4", "angenommen", "300,50", title="Hochbeet"),
    ),
}
SHEETS = {1: FIRST, 2: SECOND}


@dataclass(frozen=True)
class Expected:
    """What the receiving systems must hold, however often we died on the way."""

    efile: dict[str, str]  # reference number: sum, each exactly once
    orders: set[tuple[str, str, str, str]]  # Fremdkennzeichen, Art, Betrag, answers
    commitments: dict[str, int]  # the booking's Fremdkennzeichen: cents
    status: dict[str, str]  # reference number: the words of the status list
    points: dict[str, int] = field(default_factory=dict)  # open points by kind


_P = f"KK26-{AREA}-P000"
_VORGEMERKT = "bewilligt, die Mittel sind vorgemerkt"
EXPECTED = {
    1: Expected(
        {"P-1": "850.00", "P-2": "1000.00"},
        {
            (f"{_P}1-F1", "FESTLEGUNG", "850.00", "FESTGELEGT"),
            (f"{_P}2-F1", "FESTLEGUNG", "1000.00", "FESTGELEGT"),
        },
        {f"{_P}1-F1": 85000, f"{_P}2-F1": 100000},
        {"P-1": _VORGEMERKT, "P-2": _VORGEMERKT, "P-3": "abgelehnt"},
    ),
    2: Expected(
        {"P-1": "850.00", "P-2": "1000.00", "P-4": "300.50"},
        {
            (f"{_P}1-F1", "FESTLEGUNG", "850.00", "FESTGELEGT"),
            (f"{_P}2-F1", "FESTLEGUNG", "1000.00", "FESTGELEGT"),
            (f"{_P}1-F2", "FESTLEGUNG_AENDERUNG", "700.00", "FESTGELEGT"),
            (f"{_P}2-F2", "FESTLEGUNG_AUFHEBUNG", "1000.00", "AUFGEHOBEN"),
            (f"{_P}4-F1", "FESTLEGUNG", "300.50", "FESTGELEGT"),
        },
        {f"{_P}1-F1": 70000, f"{_P}2-F1": 0, f"{_P}4-F1": 30050},
        {"P-1": _VORGEMERKT, "P-2": "abgelehnt", "P-3": "abgelehnt", "P-4": _VORGEMERKT},
        {"follow_up": 2},  # the sum and the cancellation are a person's to correct in the e-file
    ),
}


_parsed: dict[tuple[Any, str], Any] = {}
_load = YAML.load


@contextmanager
def remembering() -> Iterator[None]:
    """What is the same in every run is made once: parsed YAML is 80 % of an idle run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(YAML, "load", _load_once)
        yield


def _load_once(yaml: YAML, stream: Any) -> Any:
    if not isinstance(stream, str):
        return _load(yaml, stream)
    key = (yaml.Constructor, stream)
    if key not in _parsed:
        _parsed[key] = _load(yaml, stream)
    return _parsed[key]


@dataclass
class District:
    """State folder and ledger, with a way back to every moment that was saved."""

    state: Path
    url: str
    content: Path = field(default=ROOT, kw_only=True)
    postgres: Postgres | None = field(default=None, kw_only=True)

    def open_house(self) -> House:
        """The house of this district. Only children work in it."""
        connect, witness = local(self.state / "connections.json", {}), FileWitness(self.state / "witness.json")
        return House(self.content, ledger.open_ledger(self.url), connect, (witness,))

    def upgrade(self) -> None:
        """Create the ledger, in a child."""
        in_child(lambda: ledger.upgrade(self.url))

    def inside(self, work: Callable[[House], Any]) -> Callable[[], Any]:
        """The work, in this district's house."""

        def entered() -> Any:
            with remembering():
                return work(self.open_house())

        return entered

    def warm(self, work: Callable[[House], Any]) -> None:
        """Work here, once: children inherit the mappings, schemas and WSDLs that it reads, and nothing that is open."""
        open_before = _open_here()
        with closing(self.open_house()) as house, remembering():
            work(house)
        assert _open_here() <= open_before, "a child would share what is open here"

    def drop_sheets(self, phase: int) -> None:
        """Put a phase's sheets into the inboxes, as a clerk does."""
        for name, lines in SHEETS[phase].items():
            self.drop_sheet(name, lines)

    def drop_sheet(self, name: str, lines: Sequence[str]) -> None:
        """Put one sheet into an inbox."""
        (self.state / "eingang" / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")

    def connect_folders(self, others: Mapping[str, Any]) -> None:
        """Write the connections: the folders, which are made, and others in Airflow's form."""
        inbox = {"settle_seconds": 0}
        folders = {
            "beschluesse-tk": {"path": str(self.state / "eingang/beschluesse"), "profile": "decision-sheet", **inbox},
            "budgets-tk": {"path": str(self.state / "eingang/budgets"), "profile": "budget-sheet", **inbox},
            "statusliste-tk": {"path": str(self.state / "ausgang"), "profile": "status-list"},
        }
        known: dict[str, Any] = {name: {"conn_type": "kb_folder", "extra": extra} for name, extra in folders.items()}
        self.state.mkdir(parents=True, exist_ok=True)
        for folder in ("eingang/beschluesse", "eingang/budgets", "ausgang"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        (self.state / "connections.json").write_text(json.dumps({**known, **others}), "utf-8")

    # -- moments ---------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Keep this moment: our state, theirs, and the database."""
        shutil.rmtree(folder, ignore_errors=True)
        for name, place in self._places().items():
            ignored = shutil.ignore_patterns("address.json", "*.log")
            shutil.copytree(place, folder / name, symlinks=True, ignore=ignored)
        if self.postgres:
            (folder / "database").write_text(self.postgres.copy_database(self.url), "utf-8")

    def restore(self, folder: Path) -> None:
        """Go back to a saved moment."""
        for name, place in self._places().items():
            for inside in place.iterdir():
                if inside.name != "address.json" and inside.suffix != ".log":
                    shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
            shutil.copytree(folder / name, place, symlinks=True, dirs_exist_ok=True)
        if self.postgres:
            self.postgres.drop_database(self.url)
            self.url = self.postgres.copy_database((folder / "database").read_text("utf-8"))

    def _places(self) -> dict[str, Path]:
        return {"ours": self.state}

    def run(self, route: str) -> dict[str, int]:
        """One route, in a child."""
        return in_child(self.inside(lambda house: dict(pipeline.run(house, route))))


def _open_here() -> set[str]:
    """Files and lines that this process holds open."""
    gc.collect()
    process = psutil.Process()
    lines = {f"{line.laddr} {line.raddr}" for line in process.net_connections()}
    return lines | {file.path for file in process.open_files()}


@dataclass
class World(District):
    """A district with what the other side holds."""

    xta: Running
    hkr: Running
    meinberlin: Running

    def connect(self, **more: Any) -> None:
        """Write the connections; `more` are further settings of the two SOAP lines."""
        parties = {"party": "xyz:110090090000", "receiver": "abc:110090090001"}
        others: dict[str, Any] = {
            "eakte-tk": {"conn_type": "kb_xta", "host": self.xta.url, "extra": {**parties, **more}},
            "hkr-tk": {"conn_type": "kb_hkr", "host": self.hkr.url, "extra": {"dienststelle": "BA-TK", **more}},
            "meinberlin-tk": {"conn_type": "kb_meinberlin", "host": self.meinberlin.url, "extra": {"export": False}},
        }
        self.connect_folders(others)

    def _places(self) -> dict[str, Path]:
        return {**super()._places(), "xta": self.xta.state, "hkr": self.hkr.state}

    # -- work, in children -----------------------------------------------------------------------------------

    def settle(self, rounds: int = 3, routes: Sequence[str] = ROUTES) -> None:
        """Run everything again until nothing is left to do, in a child."""
        in_child(self.inside(lambda house: settle(house, rounds, routes)))

    def run_all(self) -> list[str]:
        """Every route once, in a child; what they raised."""
        return in_child(self.inside(_run_all))

    # -- what everybody holds --------------------------------------------------------------------------------

    def problems(self, expected: Expected) -> list[str]:
        """Every way in which this world is not as it must be; empty if all is well."""
        ours = in_child(self.inside(lambda house: _ledger(house, expected)))
        theirs = [*self._efile(expected), *self._books(expected), *self._status_list(expected)]
        return [*ours, *theirs, *self._inboxes()]

    def received(self, sandbox: Running) -> list[dict[str, Any]]:
        """What a sandbox says it has received."""
        with urlopen(f"{sandbox.url}/_sandbox/received", timeout=10) as answer:
            rows: list[dict[str, Any]] = json.load(answer)
        return rows

    def _efile(self, expected: Expected) -> Iterator[str]:
        rows = self.received(self.xta)
        for name in ("message_uuid", "process_id", "object_uuid", "message_id"):
            twice = [value for value, count in Counter(row[name] for row in rows).items() if count > 1]
            if twice:
                yield f"the e-file has {name} twice: {twice}"
        if sorted(row["amount"] for row in rows) != sorted(expected.efile.values()):
            yield f"the e-file holds {sorted(row['amount'] for row in rows)}"
        if not all(row["imported"] and row["duplicate_of"] is None for row in rows):
            yield "the e-file has not imported all, or sees a duplicate"

    def _books(self, expected: Expected) -> Iterator[str]:
        rows = self.received(self.hkr)
        orders = {(row["Fremdkennzeichen"], row["Art"], row["Betrag"], _once(row["answers"])) for row in rows}
        if orders != expected.orders or len(rows) != len(orders):
            yield f"HKR holds {sorted(orders)}"
        if any(row["accepted"] != 1 for row in rows):
            yield f"HKR has not accepted each order once: {rows}"
        if (held := self.booked()) != expected.commitments:
            yield f"HKR's commitments are {held}"

    def booked(self) -> dict[str, int]:
        """The commitments in HKR's own books."""
        with sqlite3.connect(self.hkr.state / "books.sqlite3") as books:
            held = dict(books.execute("select reference, cents from commitments").fetchall())
        books.close()
        return held

    def _status_list(self, expected: Expected) -> Iterator[str]:
        lists = sorted((self.state / "ausgang").glob("*.csv"))
        if any(not file.with_name(f"{file.name}.ok").exists() for file in lists):
            yield "a status list lies there without its .ok"
        said = _status_words(lists[-1]) if lists else {}
        if said != expected.status:
            yield f"the status list says {said}"

    def _inboxes(self) -> Iterator[str]:
        for inbox in (self.state / "eingang").iterdir():
            if left := [file.name for file in inbox.iterdir() if file.is_file() and not file.name.startswith(".")]:
                yield f"still in the inbox: {left}"


def _once(answers: str) -> str:
    """The same answer twice is a fault of theirs, and no second booking."""
    return ",".join(dict.fromkeys(answers.split(",")))


def _status_words(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.reader(handle, delimiter=";"))
    head = [name.casefold() for name in rows[0]]
    reference, state = head.index("referenznummer"), head.index("stand")
    return {row[reference]: row[state] for row in rows[1:]}


def _run_all(house: House, routes: Sequence[str] = ROUTES) -> list[str]:
    told = []
    for route in routes:
        try:
            pipeline.run(house, route)
        except KiezbrueckeError as error:
            told.append(f"{route}: {error.line()}")
    return told


def settle(house: House, rounds: int, routes: Sequence[str] = ROUTES) -> None:
    """Run the routes until nothing is left to do."""
    for _ in range(rounds):
        told = _run_all(house, routes)
        left = {route: count for route, count in pipeline.outstanding(house).items() if count}
        if not told and not left:
            return
    raise AssertionError(f"not stable after {rounds} rounds: {told}, outstanding {left}")


def _ledger(house: House, expected: Expected) -> list[str]:
    book, found = house.ledger, []
    loose = [
        f"{head.reference} is {head.state}"
        for head, _ in reading.list_messages(book)
        if head.state is not ledger.MessageState.CONFIRMED
    ]
    points = Counter(point.kind for point in todo.open_points(book))
    if points != expected.points:
        loose.append(f"open points: {[(point.kind, point.reason) for point in todo.open_points(book)]}")
    found += loose
    verdict = evidence.verify(book)
    found += [*verdict.broken] + ([] if verdict.links else ["no evidence at all"])
    ours = {area.area_id: area.booked for area in money.balances(book, "kk-tk-2026")}
    held = {area.area_id: area.committed for area in money.balances(book, "kk-tk-2026")}
    total = sum(expected.commitments.values())
    if not ours == held == {AREA: total} or money.theirs(book, 2026) != {AREA: money.Sums(total, 0, 0)}:
        found.append(f"sums: ours {ours}, held {held}, theirs {money.theirs(book, 2026)}, must be {total}")
    return found


@dataclass
class Sandboxes:
    """The three sandboxes of this worker."""

    xta: Running
    hkr: Running
    meinberlin: Running


@dataclass
class Journey:
    """The whole story once, without a crash: a saved moment and the points of every visit."""

    world: World
    folder: Path
    points: list[list[str]] = field(default_factory=list)

    def begin(self, visit: int) -> World:
        """The world as it was directly before a visit."""
        self.world.restore(self.folder / str(visit))
        return self.world

    def travel(self) -> None:
        """Run the story and save every moment."""
        for index, (phase, route) in enumerate(VISITS):
            if index == 0 or VISITS[index - 1][0] != phase:
                self.world.drop_sheets(phase)
            self.world.save(self.folder / str(index))
            self.points.append(count_points(self.world.inside(lambda house, route=route: pipeline.run(house, route))))


def forget(sandbox: Running) -> None:
    """Empty a sandbox's tables: another database's story begins from nothing."""
    for file in sandbox.state.glob("*.sqlite3"):
        with sqlite3.connect(file) as memory:
            tables = [name for (name,) in memory.execute("select name from sqlite_master where type = 'table'")]
            for name in tables:
                memory.execute(f"delete from {name}")
        memory.close()
