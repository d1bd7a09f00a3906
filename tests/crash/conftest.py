"""What the crash tests of one worker share: sandboxes, a PostgreSQL, and the journey on each database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from kiezbruecke.house import House
from kiezbruecke.sandbox import start
from tests.postgres import Postgres

from .district import DATABASES, ROOT, SHEETS, Journey, Sandboxes, World, forget, settle


@pytest.fixture(scope="session")
def postgres(one_postgres: Postgres) -> Postgres:
    """One PostgreSQL per worker."""
    return one_postgres


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxes]:
    """E-file, budget system and platform as processes; they serve all worlds of this worker one after the other."""
    folder = tmp_path_factory.mktemp("sandboxes")
    platform = json.loads((ROOT / "demo" / "proposals.json").read_text("utf-8"))
    platform["proposals"] = []  # paper cases only: the platform is asked, and knows none of them
    (folder / "platform.json").write_text(json.dumps(platform), "utf-8")
    content = f"content={ROOT}"
    running = Sandboxes(
        start("connectors.xta.sandbox:create", folder / "xta", options=[content]),
        start("connectors.hkr.sandbox:create", folder / "hkr", options=[content, "today=2026-11-23"]),
        start("connectors.meinberlin.sandbox:create", folder / "mb", options=[f"data={folder / 'platform.json'}"]),
    )
    yield running
    for one in (running.xta, running.hkr, running.meinberlin):
        one.kill()


@pytest.fixture(scope="session")
def warm(sandboxes: Sandboxes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Run everything once here."""
    state = tmp_path_factory.mktemp("warm") / "state"
    url = f"sqlite:///{state}/ledger.sqlite3"
    world = World(state, url, sandboxes.xta, sandboxes.hkr, sandboxes.meinberlin)
    world.connect()
    world.upgrade()

    def travel(house: House) -> None:
        for phase in SHEETS:
            world.drop_sheets(phase)
            settle(house, 3)

    world.warm(travel)


@pytest.fixture(scope="session")
def journeys(
    warm: None, sandboxes: Sandboxes, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], Journey]:
    """The journey on a database, made when it is asked for first."""

    @cache
    def journey(database: str) -> Journey:
        folder = tmp_path_factory.mktemp(f"journey-{database}")
        server = request.getfixturevalue("postgres") if database == "postgresql" else None
        url = server.create_database() if server else f"sqlite:///{folder}/state/ledger.sqlite3"
        for one in (sandboxes.xta, sandboxes.hkr):
            forget(one)
        world = World(folder / "state", url, sandboxes.xta, sandboxes.hkr, sandboxes.meinberlin, postgres=server)
        world.connect()
        world.upgrade()
        made = Journey(world, folder)
        made.travel()
        return made

    return journey


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    name: str = request.param
    return name
