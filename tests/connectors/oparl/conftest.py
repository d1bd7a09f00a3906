"""The sandbox of a council information system as a real process, and a client that reads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from connectors.oparl.source import OParl
from kiezbruecke.connector import Connection, Context, Item
from kiezbruecke.records import Process
from kiezbruecke.sandbox import Running, start

PROCESS = Process(id="kk-tk-2026", name="Kiezkassen 2026", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
RECORDED = "https://oparl.example.org"


@dataclass
class Bookmark:
    """A cursor in memory."""

    value: str = ""

    def advance(self, value: str) -> None:
        self.value = value


@dataclass
class Council:
    """A running sandbox, and how to talk to it."""

    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    def source(self, options: Mapping[str, Any] | None = None, *, path: str = "", **extra: Any) -> OParl:
        connection = Connection("ris-test", "kb_oparl", f"{self.url}{path}", extra=extra)
        return OParl(connection, Context(PROCESS, options or {}))

    def read(
        self, bookmark: Bookmark | None = None, options: Mapping[str, Any] | None = None, **extra: Any
    ) -> dict[str, Item]:
        """Items by the last part of their address."""
        items = self.source(options, **extra).fetch(bookmark or Bookmark())
        return {item.external_id.rpartition("/")[2]: item for item in items}

    def objects(self, kind: str) -> dict[str, dict[str, Any]]:
        found = requests.get(f"{self.url}/_sandbox/objects", timeout=10).json()[kind]
        return {one["id"].rpartition("/")[2]: one for one in found}

    def put(self, kind: str, *rows: Mapping[str, Any]) -> None:
        requests.put(f"{self.url}/_sandbox/objects", json={kind: rows}, timeout=10).raise_for_status()

    def asked(self) -> list[str]:
        found: list[str] = requests.get(f"{self.url}/_sandbox/requests", timeout=10).json()
        return found


@pytest.fixture
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Council]]:
    """Starts sandboxes; all of them end with the test."""
    running: list[Running] = []

    def start_one(*options: str) -> Council:
        running.append(start("connectors.oparl.sandbox:create", tmp_path_factory.mktemp("oparl"), options=options))
        return Council(running[-1])

    yield start_one
    for sandbox in running:
        sandbox.stop()


@pytest.fixture(scope="module")
def _one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    running = start("connectors.oparl.sandbox:create", tmp_path_factory.mktemp("oparl"))
    yield Council(running)
    running.stop()


@pytest.fixture
def council(_one: Council) -> Iterator[Council]:
    """The sandbox as it begins, without armed faults."""
    yield _one
    for name in ("faults.json", "oparl.json"):
        (_one.running.state / name).unlink(missing_ok=True)
