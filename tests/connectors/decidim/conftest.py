"""The sandbox of Decidim as a real process, and clients that read from it and answer into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.decidim._recorded import KEY, SECRET
from connectors.decidim.listing import Listed, Listing
from connectors.decidim.source import Decidim
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
class Site:
    """A running sandbox, and how to talk to it."""

    running: Running

    def connection(self, *, login: str = "", password: str = SECRET, **extra: Any) -> Connection:
        secret = password if login else ""
        return Connection("decidim-test", "kb_decidim", self.running.url, login=login, password=secret, extra=extra)

    def source(self, *components: Any, options: Mapping[str, Any] | None = None, **extra: Any) -> Decidim:
        given = {"components": list(components or (9,)), **(options or {})}
        return Decidim(self.connection(**extra), Context(PROCESS, given))

    def items(self, *components: Any, **extra: Any) -> list[Item]:
        return list(self.source(*components, **extra).fetch(NoCursor()))

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.running.url}/_sandbox/state", timeout=10).json()
        return found

    def change(self, name: str, *rows: Mapping[str, Any]) -> None:
        requests.put(f"{self.running.url}/_sandbox/state", json={name: list(rows)}, timeout=10).raise_for_status()

    def asked(self) -> list[str]:
        found: list[str] = requests.get(f"{self.running.url}/_sandbox/requests", timeout=10).json()
        return found


@pytest.fixture(scope="session")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Starts sandboxes; all of them end with the session."""
    running: list[Running] = []

    def start_one(*options: str) -> Site:
        state = tmp_path_factory.mktemp("decidim")
        running.append(start("connectors.decidim.sandbox:create", state, options=options))
        return Site(running[-1])

    yield start_one
    for sandbox in running:
        sandbox.stop()


@pytest.fixture(scope="session")
def _sites(begin: Callable[..., Site]) -> Callable[[str], Site]:
    known: dict[str, Site] = {}

    def of(version: str) -> Site:
        if version not in known:
            known[version] = begin(f"version={version}")
        return known[version]

    return of


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    """Which Decidim; tests of several say so by `@pytest.mark.parametrize("version", …)`."""
    return str(getattr(request, "param", "0.31"))


@pytest.fixture
def site(_sites: Callable[[str], Site], version: str) -> Iterator[Site]:
    """The sandbox as it begins, without armed faults; afterwards as before."""
    found = _sites(version)
    file = found.running.state / "decidim.json"
    before = file.read_bytes()
    yield found
    (found.running.state / "faults.json").unlink(missing_ok=True)
    _restore(file, before)


def _restore(file: Path, content: bytes) -> None:
    if file.read_bytes() != content:
        file.write_bytes(content)


@pytest.fixture
def behind_the_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Something happens when the first component was read; the reading is the real one."""

    def then(act: Callable[[], None]) -> None:
        real, read = Listing.read, []

        def reading(listing: Listing, component: int) -> Listed:
            if read:
                act()
            read.append(component)
            return real(listing, component)

        monkeypatch.setattr(Listing, "read", reading)

    return then


ACCOUNT = KEY
