"""The sandbox of mein.berlin as a real process, and a client that reads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.meinberlin.client import MeinBerlin
from kiezbruecke.connector import Connection, Context, Item
from kiezbruecke.records import Module, Process
from kiezbruecke.sandbox import Running, start

MODERATOR = "middleware-kiezkasse@example.org"
INITIATOR = "initiative@example.org"
PASSWORD = "sandkasten-2026"
FRIEDRICHSHAGEN = Module(id=1, type="budgeting", slug="kiezkasse-friedrichshagen-2026", area="090517")
ALTGLIENICKE = Module(id=2, type="kiezkasse", slug="kiezkasse-altglienicke-2023", area="090309")


@dataclass
class NoCursor:
    """A full list needs no cursor."""

    value: str = ""

    def advance(self, value: str) -> None:
        self.value = value


@dataclass
class Place:
    """A running sandbox and how to read from it."""

    running: Running
    moderator = MODERATOR
    initiator = INITIATOR
    password = PASSWORD
    friedrichshagen = FRIEDRICHSHAGEN
    altglienicke = ALTGLIENICKE

    @property
    def url(self) -> str:
        return self.running.url

    def source(self, *modules: Module, login: str = "", password: str = PASSWORD, **extra: Any) -> MeinBerlin:
        connection = Connection(
            id="meinberlin-test",
            type="kb_meinberlin",
            host=self.url,
            login=login,
            password=password if login else "",
            extra=extra,
        )
        return MeinBerlin(connection, Context(process_of(*(modules or (FRIEDRICHSHAGEN,)))))

    def items(self, *modules: Module, login: str = "", **extra: Any) -> list[Item]:
        return list(self.source(*modules, login=login, **extra).fetch(NoCursor()))

    def whole(self, *modules: Module, login: str = "", **extra: Any) -> list[Item]:
        """The items with their rest, as the engine reads them the first time."""
        return with_rest(self.source(*modules, login=login, **extra))

    def asked(self) -> list[str]:
        """Every request that has come, such as `GET /api/modules/1/proposals/`."""
        found: list[str] = requests.get(f"{self.url}/_sandbox/requests", timeout=10).json()
        return found

    def put(self, *rows: dict[str, Any]) -> list[int]:
        answer = requests.put(f"{self.url}/_sandbox/proposals", json=list(rows), timeout=10)
        keys: list[int] = answer.json()
        return keys

    def delete(self, pk: int) -> None:
        requests.delete(f"{self.url}/_sandbox/proposals/{pk}", timeout=10)


def with_rest(source: MeinBerlin) -> list[Item]:
    """All that a source has to say; what could not be had is not in the bodies."""
    items = []
    for item in source.fetch(NoCursor()):
        assert not isinstance(item.body, bytes)
        items.append(replace(item, body={**item.body, **item.rest.fetch()} if item.rest else item.body))
    return items


def process_of(*modules: Module) -> Process:
    return Process(
        id="kk-tk-2026",
        name="Kiezkassen Treptow-Köpenick 2026",
        reference_prefix="KK26",
        bezirk_id="09",
        fiscal_year=2026,
        modules=modules,
    )


@pytest.fixture(scope="session")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Place]]:
    """Starts sandboxes; all of them end with the session."""
    running: list[Running] = []

    def start_one(*options: str) -> Place:
        state = tmp_path_factory.mktemp("meinberlin")
        running.append(start("connectors.meinberlin.sandbox:create", state, options=options))
        return Place(running[-1])

    yield start_one
    for sandbox in running:
        sandbox.stop()


@pytest.fixture(scope="session")
def shared(begin: Callable[..., Place]) -> Place:
    """One sandbox for all tests of a session; `place` puts it back as it was."""
    return begin()


@pytest.fixture
def place(shared: Place) -> Iterator[Place]:
    """The sandbox as it was recorded, without armed faults."""
    file = shared.running.state / "platform.json"
    before = file.read_bytes()
    yield shared
    (shared.running.state / "faults.json").unlink(missing_ok=True)
    _restore(file, before)


def _restore(file: Path, content: bytes) -> None:
    if file.read_bytes() != content:
        file.write_bytes(content)
