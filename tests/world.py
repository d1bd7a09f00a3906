"""A district on one machine: sandboxes as processes, folders, a ledger on SQLite – the real thing without Airflow.

    world.drop(…) ─▶ world.run("kk-tk-eakte") ─▶ world.filed(), world.orders()

The sandboxes open their files at every call, so one process serves many tests: each begins with empty books.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import pytest
from ruamel.yaml import YAML

from kiezbruecke import ledger, pipeline, vault
from kiezbruecke.edge import open_house
from kiezbruecke.house import House
from kiezbruecke.ledger import todo
from kiezbruecke.ledger.reading import MessageHead, list_messages
from kiezbruecke.privacy import make_private
from kiezbruecke.sandbox import Running, start

ROOT = Path(__file__).resolve().parents[1]
COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse")
ANSWERS = ("kk-tk-eakte-postfach", "kk-tk-hkr-rueckmeldungen")
SEND = ("kk-tk-eakte", "kk-tk-hkr", *ANSWERS, "kk-tk-hkr", "kk-tk-statusliste")
BUDGET_HEADER = "Verfahren;Haushaltsjahr;Bezirksregion;Betrag (€);Kapitel;Titel;Status;Gültig ab;Grund;Erfasst von"
DECISION_HEADER = (
    "Verfahren;Bezirksregion;Sitzung am;Referenznummer;Titel;Ergebnis;Bewilligt (€);Ja;Nein;Enthaltung;Rang;Auflagen;"
    "Protokoll;Erfasst von;Korrektur;Begründung"
)
APPLICATION_HEADER = (
    "Verfahren;Bezirksregion;Referenznummer;Titel;Antragstellende;Antrag vom;Antragssumme (€);"
    "Voraussichtliche Kosten (€);Beginn des Vorhabens;Bescheid vom;Verzicht auf Widerspruch am;Kontoinhaber;IBAN;BIC;"
    "Erfasst von;Korrektur;Begründung"
)
SETTLEMENT_HEADER = (
    "Verfahren;Bezirksregion;Referenznummer;Titel;Nachweis angenommen am;Ausgegeben (€);"
    "Erfasst von;Korrektur;Begründung"
)
HOLDER, IBAN = "Beispielverein Müggelsee", "DE93999999990000000001"  # of a bank code that no bank has


def budget(amount: str = "2.600,00 €", status: str = "freigegeben", *, why: str = "", area: str = "Müggelheim") -> str:
    """One line of a budget sheet."""
    return f"kk-tk-2026;2026;{area};{amount};5950;97113;{status};01.01.2026;{why};SPK 1"


def line(
    reference: str, amount: str = "850,-", outcome: str = "angenommen", *, why: str = "", area: str = "Müggelheim"
) -> str:
    """One line of a decision sheet; `why` makes it a correction."""
    result = f"{reference};Bank am See;{outcome};{amount};12;3;1;;;Protokoll 1;SPK 1"
    return f"kk-tk-2026;{area};24.04.2026;{result};{'ja' if why else ''};{why}"


def application(
    reference: str = "P-1",
    amount: str = "850,-",
    *,
    holder: str = HOLDER,
    iban: str = IBAN,
    bic: str = "",
    costs: str = "1.200,00",
    days: tuple[str, str, str, str] = ("20.03.2026", "02.05.2026", "10.04.2026", "12.04.2026"),
    why: str = "",
    area: str = "Müggelheim",
) -> str:
    """One line of an application sheet; `days` of application, begin, Bescheid and waiver."""
    applied, begins, notice, waiver = days
    money = f"{applied};{amount};{costs};{begins};{notice};{waiver}"
    return f"kk-tk-2026;{area};{reference};Bank;;{money};{holder};{iban};{bic};SPK 1;{'ja' if why else ''};{why}"


def settlement(reference: str = "P-1", spent: str = "812,40", day: str = "15.10.2026", *, why: str = "") -> str:
    """One line of a settlement sheet."""
    return f"kk-tk-2026;Müggelheim;{reference};Bank;{day};{spent};SPK 1;{'ja' if why else ''};{why}"


@dataclass
class World:
    """One district with its state; its environment is set while it lives, for the commands."""

    state: Path
    content: Path
    sandboxes: dict[str, Running]
    house: House
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def ledger(self) -> ledger.Ledger:
        """Its ledger."""
        return self.house.ledger

    @property
    def inbox(self) -> Path:
        """Where decision sheets are dropped."""
        return self.state / "eingang" / "beschluesse"

    def close(self) -> None:
        """Give the ledger's connections back."""
        self.house.close()

    def connect(self, **changes: dict[str, Any]) -> None:
        """Write the connections; `changes` replace fields of the extras, by connection name with underscores."""
        for name, extra in changes.items():
            self.connections[name.replace("_", "-")]["extra"].update(extra)
        (self.state / "connections.json").write_text(json.dumps(self.connections), "utf-8")

    def drop(self, *lines: str, name: str = "april.csv", header: str = DECISION_HEADER) -> Path:
        """A clerk puts a decision sheet into the folder."""
        file = self.inbox / name
        file.write_text("\n".join((header, *lines)) + "\n", "utf-8-sig")
        return file

    def drop_budget(self, *lines: str, name: str = "budget.csv") -> Path:
        """A clerk puts a budget sheet into the folder."""
        file = self.state / "eingang" / "budgets" / name
        file.write_text("\n".join((BUDGET_HEADER, *lines)) + "\n", "utf-8-sig")
        return file

    def apply_for(self, *lines: str, name: str = "antraege.csv") -> Path:
        """A clerk puts an application sheet into the folder."""
        return _put(self.state / "eingang" / "antraege" / name, APPLICATION_HEADER, lines)

    def settle(self, *lines: str, name: str = "nachweise.csv") -> Path:
        """A clerk puts a settlement sheet into the folder."""
        return _put(self.state / "eingang" / "nachweise" / name, SETTLEMENT_HEADER, lines)

    def give_keys(self) -> Path:
        """IT operations makes the vault's keys; the file."""
        file = self.state / vault.FILE
        make_private(file)
        file.write_text(vault.new_keys(str(file)).text())
        return file

    def run(self, *routes: str) -> list[pipeline.Counts]:
        """Run routes one after the other; without names all that a small world has."""
        return [pipeline.run(self.house, route) for route in routes or (*COLLECT, *SEND)]

    def route(self, name: str, **keys: Any) -> None:
        """Change keys of a route, as a district does: in its process file; the content must be a copy."""
        change_route(self.content, name, **keys)

    def received(self, sandbox: str) -> list[dict[str, Any]]:
        """What a sandbox has taken, in its own words."""
        with urlopen(f"{self.sandboxes[sandbox].url}/_sandbox/received", timeout=5) as answer:
            body: list[dict[str, Any]] = json.load(answer)
        return body

    def filed(self) -> list[str]:
        """The sums of all files in the e-file, sorted."""
        return sorted(one["amount"] for one in self.received("xta"))

    def orders(self) -> list[tuple[str, str, str]]:
        """Fremdkennzeichen, kind and sum of every order that the budget system accepted."""
        return [(one["Fremdkennzeichen"], one["Art"], one["Betrag"]) for one in self.received("hkr") if one["accepted"]]

    def messages(self, destination: str | None = None) -> list[MessageHead]:
        """Our messages, oldest first."""
        return [head for head, _ in list_messages(self.ledger, destination=destination)]

    def points(self, kind: str | None = None) -> list[todo.OpenPoint]:
        """What needs a person now."""
        return [point for point in todo.open_points(self.ledger) if kind in (None, point.kind)]

    def status_list(self) -> str:
        """The newest status list."""
        return max((self.state / "ausgang").glob("*.csv")).read_text("utf-8-sig")


def _put(file: Path, header: str, lines: Sequence[str]) -> Path:
    file.write_text("\n".join((header, *lines)) + "\n", "utf-8-sig")
    return file


def found(state: Path, sandboxes: dict[str, Running], content: Path, patch: pytest.MonkeyPatch) -> World:
    """Build a district around sandboxes, with empty folders and an empty ledger."""
    for folder in (*(f"eingang/{one}" for one in ("beschluesse", "budgets", "antraege", "nachweise")), "ausgang"):
        (state / folder).mkdir(parents=True)
    patch.setenv("KIEZBRUECKE_STATE", str(state))
    patch.setenv("KIEZBRUECKE_CONTENT", str(content))
    patch.delenv("KIEZBRUECKE_LEDGER_URL", raising=False)
    make_private(state / "ledger.sqlite3")
    (state / "ledger.sqlite3").write_bytes(_empty_ledger())
    world = World(state, content, sandboxes, open_house(), _connections(state, sandboxes))
    world.connect()
    return world


@cache
def _empty_ledger() -> bytes:
    """As the migrations make it; they are most of what a small world costs."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.sqlite3"
        ledger.upgrade(f"sqlite:///{file}")
        return file.read_bytes()


def change_route(content: Path, name: str, **keys: Any) -> None:
    """Say something else about one of the district's routes; the content must be a copy."""
    assert content != ROOT
    file, yaml = content / "mappings/processes/kk-tk-2026.yaml", YAML()
    body = yaml.load(file.read_text("utf-8"))
    _say(body["routes"]["changes"].setdefault(name.removeprefix("kk-tk-"), {}), keys)
    with file.open("w", encoding="utf-8") as handle:
        yaml.dump(body, handle)


def _say(body: dict[str, Any], keys: Mapping[str, Any]) -> None:
    for key, value in keys.items():
        if isinstance(value, dict):
            _say(body.setdefault(key, {}), value)
        else:
            body[key] = value


def _connections(state: Path, sandboxes: dict[str, Running]) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {
        name: {"conn_type": "kb_folder", "extra": {"path": str(state / folder), "profile": profile, **more}}
        for name, folder, profile, more in (
            ("beschluesse-tk", "eingang/beschluesse", "decision-sheet", {"settle_seconds": 0}),
            ("budgets-tk", "eingang/budgets", "budget-sheet", {"settle_seconds": 0}),
            ("antraege-tk", "eingang/antraege", "application-sheet", {"settle_seconds": 0}),
            ("nachweise-tk", "eingang/nachweise", "settlement-sheet", {"settle_seconds": 0}),
            ("statusliste-tk", "ausgang", "status-list", {}),
        )
    }
    extras: dict[str, tuple[str, dict[str, Any]]] = {
        "xta": ("eakte-tk", {"party": "xyz:110090090000", "receiver": "abc:110090090001", "deadline": 20}),
        "hkr": ("hkr-tk", {"dienststelle": "BA-TK", "vorverfahren": "KIEZBRUECKE", "deadline": 20}),
        "meinberlin": ("meinberlin-tk", {}),
    }
    for name, running in sandboxes.items():
        connection, extra = extras[name]
        known[connection] = {"conn_type": f"kb_{name}", "host": running.url, "extra": dict(extra)}
    return known


def open_sandboxes(state: Path, names: Sequence[str], **options: list[str]) -> dict[str, Running]:
    """Start sandboxes as processes of their own."""
    return {
        name: start(
            f"connectors.{name}.sandbox:create",
            state / name,
            options=[*([] if name == "meinberlin" else [f"content={ROOT}"]), *options.get(name, [])],
        )
        for name in names
    }


def wipe(sandboxes: dict[str, Running]) -> None:
    """Empty books, no fault armed."""
    for running in sandboxes.values():
        (running.state / "faults.json").unlink(missing_ok=True)
    if hkr := sandboxes.get("hkr"):
        for file in hkr.state.glob("books.sqlite3*"):
            file.unlink()
    if xta := sandboxes.get("xta"):
        with closing(sqlite3.connect(xta.state / "xta.sqlite3")) as database_, database_:
            for table in ("reserved", "taken", "box", "paging"):
                database_.execute(f"DELETE FROM {table}")
        for folder in xta.state.glob("urn:*"):
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def processes(one_district: dict[str, Running]) -> dict[str, Running]:
    """One e-file and one budget system for all small worlds of a worker."""
    return one_district


@pytest.fixture
def make_world(
    processes: dict[str, Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], World]]:
    """A small world on a given content."""
    wipe(processes)
    with ExitStack() as worlds:
        yield lambda content: worlds.enter_context(
            closing(found(tmp_path / "var", dict(processes), content, monkeypatch))
        )


@pytest.fixture
def world(make_world: Callable[[Path], World]) -> World:
    """A small world with Müggelheim's budget in the folder; sheets are the test's own."""
    small = make_world(ROOT)
    small.drop_budget(budget())
    return small


@pytest.fixture
def odd_world(make_world: Callable[[Path], World], content: Path) -> World:
    """The same, with a content of its own to change."""
    small = make_world(content)
    small.drop_budget(budget())
    return small
