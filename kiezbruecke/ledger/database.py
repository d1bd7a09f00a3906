"""Opens the ledger on SQLite or PostgreSQL. Every `write()` is one committed transaction."""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SAWarning

from kiezbruecke.errors import ConfigurationError, LedgerError
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.refusals import worded as _worded
from kiezbruecke.privacy import make_private
from kiezbruecke.vault import NO_VAULT, Vault

if TYPE_CHECKING:
    from alembic.config import Config  # imported by whoever upgrades: it takes half as long as all the rest

VARIABLE = "KIEZBRUECKE_LEDGER_URL"
SEALED = "0010"  # from this schema on every row that acts is sealed
MIGRATIONS = Path(__file__).parent / "migrations"
_ADDRESSES = "sqlite:///… or postgresql+psycopg://…"
_DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}

_LAST, _BEFORE = "kiezbruecke.last", "kiezbruecke.before"  # in a connection's info while it writes
_VAULT = "kiezbruecke.vault"  # and while it is used
Last = Callable[[Connection, Sequence[Any]], None]

logging.getLogger("alembic").setLevel(logging.WARNING)  # it greets at every look at the schema's version


class Ledger:
    """The ledger's database. `read()` sees one state; `write()` commits once, or not at all."""

    def __init__(self, engine: Engine, vault: Vault = NO_VAULT) -> None:
        self.engine, self.vault = engine, vault
        self._writer = engine.execution_options(kb_write=True)
        self.postgresql = engine.dialect.name == "postgresql"
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if self.postgresql else engine
        # with connections of its own: those of `engine` may all be held by writers that wait for this one to commit
        self._before = make_engine(engine.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; raises LedgerError where the database refuses."""
        with _worded(self.engine), self._reader.connect() as connection:
            connection.info[_VAULT] = self.vault
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; committed at the end of the block, rolled back by any exception.

        Raises LedgerError where the database refuses: nobody answers there, the disk is full, the log-in is wrong.
        """
        with _worded(self.engine), self._writer.begin() as connection:
            last: dict[Last, list[Any]] = defaultdict(list)
            connection.info[_LAST], connection.info[_BEFORE] = last, self._before
            connection.info[_VAULT] = self.vault
            try:
                yield connection
                for write, what in last.items():
                    write(connection, what)
            finally:
                connection.info.pop(_LAST, None)
                connection.info.pop(_BEFORE, None)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()
        self._before.dispose()


def write_last(connection: Connection, write: Last, one: Any) -> None:
    """Have `write` called once, directly before the commit, with all that this transaction has for it.

    What every transaction locks is so locked last and in one order.
    """
    connection.info[_LAST][write].append(one)


def vault_of(connection: Connection) -> Vault:
    """What seals and opens what lies in this ledger."""
    vault: Vault = connection.info[_VAULT]
    return vault


@contextmanager
def as_before(connection: Connection) -> Iterator[Connection]:
    """While a transaction writes: the ledger without what it has written so far."""
    engine: Engine = connection.info[_BEFORE]
    with engine.connect() as before:
        yield before


def now() -> datetime:
    """The clock of the ledger, UTC."""
    return datetime.now(UTC)


def open_ledger(url: str, vault: Vault = NO_VAULT) -> Ledger:
    """Open a ledger whose schema is current; refuses an older or unknown one."""
    ledger = Ledger(make_engine(url), vault)
    try:
        _refuse_wrong_schema(ledger)
    except LedgerError:
        ledger.close()
        raise
    return ledger


def upgrade(url: str, revision: str = "head") -> None:
    """Create the ledger's schema, or bring it up to date (Alembic); up to a revision, for tests of the next one.

    Afterwards, step by step, what cases are found by: whoever is killed there leaves it to housekeeping.
    """
    from alembic import command  # noqa: PLC0415 - see above

    from kiezbruecke.ledger.evidence import seal_all  # noqa: PLC0415 - needs this module
    from kiezbruecke.ledger.finding import keep_findable  # noqa: PLC0415 - the same

    ledger = Ledger(make_engine(url))
    try:
        with ledger.write() as connection:
            one_at_a_time(connection)  # the second of two finds what the first has made
            _refuse_newer_schema(ledger, connection)
            config = alembic_config()
            config.attributes["connection"] = connection
            before = _revision(connection)
            command.upgrade(config, revision)
            if before is not None and before < SEALED <= (_revision(connection) or ""):
                seal_all(connection)
        if revision == "head":
            keep_findable(ledger)
    finally:
        ledger.close()


def alembic_config() -> Config:
    """Alembic's configuration without a file: the migrations are part of the package."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def make_engine(url: str | URL) -> Engine:
    """An engine with the settings the ledger's promises rest on."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("not a database address", where=VARIABLE, expected=_ADDRESSES) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigurationError(
            f"the ledger does not run on '{parsed.get_backend_name()}'",
            where=VARIABLE,
            expected="sqlite or postgresql",
        )
    if parsed.drivername not in _DRIVERS:
        raise ConfigurationError(f"there is no driver '{parsed.drivername}'", where=VARIABLE, expected=_ADDRESSES)
    if parsed.get_backend_name() == "postgresql":
        return _engine(parsed, pool_pre_ping=True, isolation_level="READ COMMITTED")
    if parsed.database and not parsed.database.startswith(":"):
        make_private(Path(parsed.database))  # SQLite gives what it puts beside it the same rights
    engine = _engine(parsed, connect_args={"timeout": 30})
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    return engine


def _engine(address: URL, **options: Any) -> Engine:
    try:
        with warnings.catch_warnings(action="error"):
            return create_engine(address, hide_parameters=True, **options)
    except (TypeError, ValueError, ImportError, SAWarning):
        raise ConfigurationError(
            "the address has an option that cannot be", where=VARIABLE, expected=_ADDRESSES
        ) from None


def _durable(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event decides, not the driver
    cursor = connection.cursor()
    settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")
    for pragma in (*settings, "secure_delete=ON"):  # what is deleted may be a person's: no free page keeps it
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes SQLite's lock at once: two writers wait for each other instead of failing."""
    write = connection.get_execution_options().get("kb_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _refuse_wrong_schema(ledger: Ledger) -> None:
    with ledger.read() as connection:
        current = _revision(connection)
    head = _head()
    if current != head:
        raise LedgerError(
            f"the ledger's schema is '{current or 'empty'}'",
            where=ledger.engine.url.render_as_string(hide_password=True),
            expected=f"'{head}'",
            helps="run 'kiezbruecke ledger upgrade'",
        )


def _refuse_newer_schema(ledger: Ledger, connection: Connection) -> None:
    current = _revision(connection)
    if current is not None and current > _head():
        raise LedgerError(
            f"the ledger's schema is '{current}', which this version does not know",
            where=ledger.engine.url.render_as_string(hide_password=True),
            expected=f"'{_head()}' or older",
            helps="install the version that made it",
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@cache
def _head() -> str:
    """The newest migration's number, with which its file's name begins."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
