"""One list of reasons: every error of the outside leads to one, and each has its words for both readers."""

from __future__ import annotations

import errno
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from connectors._line import NoAnswer
from kiezbruecke.errors import LedgerError, NotSent
from kiezbruecke.ledger.database import Ledger, make_engine
from kiezbruecke.troubles import Cause, Trouble, of_status, trouble_of

SYSTEM = {
    errno.ECONNREFUSED: Cause.UNREACHABLE,
    errno.EHOSTUNREACH: Cause.UNREACHABLE,
    errno.ECONNRESET: Cause.CUT,
    errno.ENOSPC: Cause.DISK,
    errno.EDQUOT: Cause.DISK,
    errno.ENOENT: Cause.FOLDER,
    errno.EROFS: Cause.RIGHTS,
}


@pytest.mark.parametrize("reason", Cause)
def test_every_reason_has_its_words_for_both_readers(reason: Cause) -> None:
    known = Trouble(reason, "HTTP 500")

    assert known.english != known.german
    assert known.english_helps != known.german_helps
    assert "500" in known.german
    assert "500" in known.english


@pytest.mark.parametrize("number", SYSTEM)
def test_the_systems_errors_are_known_by_number(number: int) -> None:
    """Their texts are in the machine's language, and may name files."""
    assert trouble_of(OSError(number, "geheim")) == Trouble(SYSTEM[number])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), Cause.NAME),
        (TimeoutError(), Cause.SILENT),
        (ssl.SSLEOFError(8, "EOF"), Cause.CUT),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "kb"'), Cause.DATABASE_LOGIN),
        (
            psycopg.OperationalError("FATAL:  Passwort-Authentifizierung für Benutzer »kb« fehlgeschlagen"),
            Cause.DATABASE_LOGIN,
        ),
        (psycopg.OperationalError("connection refused"), Cause.DATABASE),
        (psycopg.errors.DiskFull("no space"), Cause.DISK),
        (psycopg.errors.AdminShutdown("terminating"), Cause.DATABASE),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else str(one),
)
def test_what_others_raise_is_known_by_type(error: Exception, reason: Cause) -> None:
    found = trouble_of(error)

    assert found is not None
    assert found.cause is reason


def test_a_wrong_statement_is_no_trouble_of_operations() -> None:
    """It is a defect of ours, and must look like one."""
    assert trouble_of(psycopg.errors.UndefinedColumn("no column")) is None
    assert trouble_of(ValueError("x")) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((401, Cause.PASSWORD), (403, Cause.FORBIDDEN), (404, Cause.ADDRESS), (415, Cause.FORMAT)),
        *((422, Cause.NOT_ACCEPTED), (429, Cause.BUSY), (503, Cause.SERVER), (302, Cause.ADDRESS)),
    ],
)
def test_a_status_tells_its_reason(status: int, reason: Cause) -> None:
    assert trouble_of(NoAnswer("no SOAP answer", status)) == Trouble(reason, f"HTTP {status}")


def test_success_is_no_trouble() -> None:
    assert of_status(200) is None


def test_what_an_error_says_itself_counts_before_its_cause() -> None:
    """The connector knows their codes, the cause only a status."""
    error = NotSent("shut out", trouble=Trouble(Cause.PASSWORD))
    error.__cause__ = NoAnswer("x", 500)

    assert trouble_of(error) == Trouble(Cause.PASSWORD)
    error.trouble = None
    assert trouble_of(error) == Trouble(Cause.SERVER, "HTTP 500")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3"))) as opened:
        yield opened


def fill(ledger: Ledger) -> None:
    """Write more than there is room for."""
    with ledger.write() as connection:
        connection.execute(text("PRAGMA max_page_count = 2"))
        connection.execute(text("CREATE TABLE a (b TEXT)"))
        connection.execute(text("INSERT INTO a VALUES (:b)"), {"b": "x" * 100_000})


def test_a_full_disk_under_the_ledger_is_one_line(ledger: Ledger) -> None:
    """Not a traceback and no KB-000: whoever reads it knows what to do."""
    with pytest.raises(LedgerError) as raised:
        fill(ledger)

    assert raised.value.trouble == Trouble(Cause.DISK, "Ledger")
    assert raised.value.trouble.german == "Platte voll (Ledger)"
    assert "\n" not in raised.value.line()


def test_a_statement_of_ours_that_fails_stays_what_it_is(ledger: Ledger) -> None:
    with pytest.raises(OperationalError), ledger.read() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with closing(sqlite3.connect(tmp_path / "x")) as connection, pytest.raises(sqlite3.DatabaseError) as raised:
        connection.execute("SELECT * FROM a")

    assert trouble_of(raised.value) == Trouble(Cause.DATABASE)
