"""The schema: migrations equal the tables, an upgrade can be repeated, and an old schema is refused in one line."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Select, insert, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from kiezbruecke.edge import ledger_url
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, LedgerError
from kiezbruecke.ledger import Ledger, claims, history, open_ledger, upgrade
from kiezbruecke.ledger.database import alembic_config, make_engine, now
from kiezbruecke.ledger.tables import metadata
from tests.postgres import Postgres


def test_all_migrations_together_are_the_tables(ledger: Ledger) -> None:
    """A column that exists only in code fails in production, not here."""
    with ledger.read() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)

    assert difference == []


def test_the_partial_indexes_are_there(ledger: Ledger) -> None:
    """Alembic does not compare conditions: without them two Vorgänge would be legal."""
    with ledger.read() as connection:
        looking = inspect(connection)
        indexes = {
            index["name"]: index for name in ("messages", "attention", "orders") for index in looking.get_indexes(name)
        }

    for name in ("uq_messages_once", "uq_attention_open"):
        assert indexes[name]["unique"]
    for name in ("uq_messages_once", "uq_attention_open", "ix_attention_open", "ix_orders_open"):
        assert any("where" in option for option in indexes[name].get("dialect_options", {}))


@pytest.mark.parametrize(
    ("statement", "index"),
    [(claims._CARRIER, "ix_messages_carried"), (history._INPUTS, "ix_records_item")],
    ids=["a carrier that waits", "what items were read from"],
)
def test_what_every_chunk_asks_has_an_index_of_its_own(ledger: Ledger, statement: Select[Any], index: str) -> None:
    """With another one SQLite walks all that waits, or all that the source has said, once for every chunk."""
    if ledger.postgresql:
        pytest.skip("PostgreSQL decides by its statistics")
    asked = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "(?)", str(statement.compile(ledger.engine)))
    with ledger.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", ("x",) * asked.count("?")).all()

    assert [row.detail.split(" USING ")[1].split()[1] for row in plan] == [index]


def test_an_upgrade_can_be_repeated(url: str, ledger: Ledger) -> None:
    """`make demo` upgrades at every start; what is stored stays."""
    with ledger.write() as connection:
        connection.execute(text("insert into lanes (name, fence) values ('x', 7)"))
    upgrade(url)

    with ledger.read() as connection:
        assert connection.execute(text("select fence from lanes")).scalar_one() == 7
    open_ledger(url).close()


def test_an_upgrade_reads_what_cases_are_found_by(empty_url: str) -> None:
    """Else the first clerk to search would wait until a hundred thousand cases are read."""
    upgrade(empty_url, "0015")
    ledger = Ledger(make_engine(empty_url))
    with ledger.write() as connection:
        connection.execute(text("insert into changes (process_id, number) values ('p', 3)"))
        values = {"id": uuid4(), "process_id": "p", "reference": "P-1", "created_at": now(), "changed": 2}
        connection.execute(insert(metadata.tables["cases"]).values(**values))
    upgrade(empty_url)

    with ledger.read() as connection:
        assert connection.execute(text("select words from findable")).scalars().all() == ["p-1"]
        assert connection.execute(text("select found from changes")).scalar_one() == 3
    ledger.close()


def test_the_newest_schema_can_be_left_and_come_back_to(url: str, ledger: Ledger) -> None:
    """Whoever must go back to the version before takes the ledger along; what was read in part is read again."""
    with ledger.write() as connection:
        connection.execute(
            insert(metadata.tables["changes"]),
            [
                {"process_id": "p", "number": 3, "found": 2, "found_case": UUID(int=7)},
                {"process_id": "q", "number": 3, "found": 3, "found_case": UUID(int=2**128 - 1)},
            ],
        )
    _downgrade(ledger, "0015")
    with ledger.read() as connection:
        found = connection.execute(text("select found from changes order by process_id")).scalars().all()
        assert found == [1, 3]
    upgrade(url)

    with ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def _downgrade(ledger: Ledger, revision: str) -> None:
    config = alembic_config()
    with ledger.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_the_schema_that_is_expected_is_alembics_head(ledger: Ledger) -> None:
    """It is read from the files' names, because Alembic takes half as long to import as all the rest."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()

    with ledger.read() as connection:
        assert connection.execute(text("select version_num from alembic_version")).scalar_one() == head


def test_whoever_opens_a_ledger_imports_no_alembic(url: str, ledger: Ledger) -> None:
    """A command that reads one line must not wait for what only an upgrade needs."""
    code = f"import sys; from kiezbruecke.ledger import open_ledger; open_ledger({url!r}).close(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "alembic" not in done.stdout.split()


def test_an_empty_database_is_refused(empty_url: str) -> None:
    """It says what helps; it does not create tables behind anybody's back."""
    with pytest.raises(LedgerError, match=r"schema is 'empty'.*kiezbruecke ledger upgrade"):
        open_ledger(empty_url)


def test_an_old_schema_is_refused_in_one_line(url: str, ledger: Ledger) -> None:
    """New code on yesterday's tables would write half of what it believes."""
    with ledger.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))

    with pytest.raises(LedgerError, match="the ledger's schema is '0000'") as refusal:
        open_ledger(url)
    assert "\n" not in refusal.value.line()


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """No stack trace for a wrong address, and no password in it."""
    with pytest.raises(LedgerError, match="nobody answers there") as refusal:
        open_ledger(f"postgresql+psycopg://somebody:geheim@/nothing?host={tmp_path}")
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize("url", ["mysql://x/y", "not an address"])
def test_another_database_is_a_configuration_error(url: str) -> None:
    """Only the two that are tested."""
    with pytest.raises(ConfigurationError, match="sqlite"):
        make_engine(url)


def test_the_ledger_lies_beside_the_content_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` needs no variable; production sets one."""
    monkeypatch.delenv("KIEZBRUECKE_LEDGER_URL", raising=False)
    monkeypatch.setenv("KIEZBRUECKE_STATE", str(tmp_path))
    local = ledger_url()
    monkeypatch.setenv("KIEZBRUECKE_LEDGER_URL", "postgresql://db/kb")

    assert local == f"sqlite:///{tmp_path}/ledger.sqlite3"
    assert ledger_url() == "postgresql://db/kb"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///{folder}/x?timeout=bald", "KIEZBRUECKE_LEDGER_URL: the address has an option that cannot be"),
        ("sqlite:///{folder}/x?foo=bar", "KIEZBRUECKE_LEDGER_URL: the address has an option that cannot be"),
        ("postgresql://kb@127.0.0.1:1/x?foo=bar", "the address has an option that cannot be"),
        ("postgresql://kb@127.0.0.1:x/x", "KIEZBRUECKE_LEDGER_URL: not a database address"),
        ("postgresql+asyncpg://kb@127.0.0.1/x", r"there is no driver 'postgresql\+asyncpg'"),
        (
            "postgresql://kb:geheim@127.0.0.1:1/x",
            r"kb:\*\*\*@127.0.0.1:1/x: the ledger cannot be reached: nobody answers",
        ),
        ("sqlite:///{folder}", "the ledger cannot be reached: the ledger's file cannot be opened"),
        ("sqlite:///{folder}/no.txt", "the ledger cannot be reached: this file is no database"),
    ],
)
def test_a_database_that_cannot_be_is_one_line(url: str, told: str, tmp_path: Path) -> None:
    """IT operations sees which of address, log-in, file and disk it is; never a password."""
    (tmp_path / "no.txt").write_text("Das ist keine Datenbank.\n" * 400, "utf-8")

    for act in (open_ledger, upgrade):
        with pytest.raises(KiezbrueckeError, match=told) as refusal:
            act(url.format(folder=tmp_path))
        assert "geheim" not in refusal.value.line()


def test_a_log_in_that_postgresql_refuses_is_one_line(postgres: Postgres) -> None:
    """Whatever language the server speaks, and without its text."""
    url = postgres.create_database()
    nobody = make_url(url).set(username="niemand").render_as_string(hide_password=False)

    with pytest.raises(LedgerError, match="the ledger cannot be reached: the log-in was refused; user and password"):
        open_ledger(nobody)
    with pytest.raises(LedgerError, match="the ledger cannot be reached: there is no such database"):
        open_ledger(make_url(url).set(database="nirgends").render_as_string(hide_password=False))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "another process holds the ledger"),
        ("database or disk is full", "the disk is full"),
        ("attempt to write a readonly database", "the ledger cannot be written"),
        ("disk I/O error", "the disk fails or is full"),
    ],
)
def test_what_sqlite_refuses_says_what_helps(ledger: Ledger, said: str, told: str) -> None:
    with pytest.raises(LedgerError, match=told), ledger.write():
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))
