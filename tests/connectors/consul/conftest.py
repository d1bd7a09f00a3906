"""The sandbox of CONSUL as a real process, and a client that reads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from connectors.consul.source import Consul
from kiezbruecke.connector import Connection, Context, Item
from kiezbruecke.records import Process
from kiezbruecke.sandbox import Running, start

PROCESS = Process(id="kk-tk-2026", name="Kiezkassen 2026", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)


@dataclass
class NoCursor:
    """A full list needs no cursor."""

    value: str = ""

    def advance(self, value: str) -> None:
        self.value = value


@dataclass
class Town:
    """A running sandbox, and how to talk to it."""

    running: Running

    def source(self, options: Mapping[str, Any] | None = None, **extra: Any) -> Consul:
        connection = Connection("consul-test", "kb_consul", self.running.url, extra=extra)
        return Consul(connection, Context(PROCESS, {"budget": 1} if options is None else options))

    def items(self, options: Mapping[str, Any] | None = None, **extra: Any) -> dict[str, Item]:
        return {item.external_id: item for item in self.source(options, **extra).fetch(NoCursor())}

    def change(self, name: str, *rows: Mapping[str, Any]) -> None:
        requests.put(f"{self.running.url}/_sandbox/state", json={name: list(rows)}, timeout=10).raise_for_status()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        found: dict[str, Any] = requests.post(f"{self.running.url}/graphql", json=body, timeout=10).json()
        return found


@pytest.fixture
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Town]]:
    """Starts sandboxes; all of them end with the test."""
    running: list[Running] = []

    def start_one(*options: str) -> Town:
        running.append(start("connectors.consul.sandbox:create", tmp_path_factory.mktemp("consul"), options=options))
        return Town(running[-1])

    yield start_one
    for sandbox in running:
        sandbox.stop()


@pytest.fixture(scope="module")
def _one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = start("connectors.consul.sandbox:create", tmp_path_factory.mktemp("consul"), options=["extra=60"])
    yield Town(running)
    running.stop()


@pytest.fixture
def town(_one: Town) -> Iterator[Town]:
    """A CONSUL with one budget and 63 investments, as it begins."""
    file = _one.running.state / "consul.json"
    before = file.read_bytes()
    yield _one
    (_one.running.state / "faults.json").unlink(missing_ok=True)
    file.write_bytes(before)
