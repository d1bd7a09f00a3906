"""What costs seconds to begin, once per worker. A fixture that is imported is another one in every module: those of
folders and modules hand these on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiezbruecke.ledger import upgrade
from kiezbruecke.sandbox import Running
from tests.postgres import Postgres, running_postgres
from tests.world import open_sandboxes


@pytest.fixture(scope="session")
def one_postgres() -> Iterator[Postgres]:
    """A PostgreSQL."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger on SQLite, made by the migrations, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "ledger.sqlite3"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(one_postgres: Postgres) -> str:
    """The address of one on PostgreSQL."""
    url = one_postgres.create_database()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def one_district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """One e-file and one budget system."""
    started = open_sandboxes(tmp_path_factory.mktemp("sandbox"), ("xta", "hkr"))
    yield started
    for running in started.values():
        running.kill()
