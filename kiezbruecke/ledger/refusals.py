"""What a database refuses, in our words: its own may be German or quote what it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, exc

from kiezbruecke.errors import LedgerError
from kiezbruecke.troubles import Cause, Trouble, trouble_of

_REASONS = (  # (what the driver says or its SQLSTATE, our words, what helps); connecting has no SQLSTATE
    (r"28P01|28000|password|pg_hba|role .* does not exist|fe_sendauth", "the log-in was refused", "user and password"),
    (r"invalid (dsn|connection option|URI)", "the address has an option that cannot be", "see KIEZBRUECKE_LEDGER_URL"),
    (r"3D000|database .* does not exist", "there is no such database", "create it, or correct the address"),
    (r"42501|permission denied", "the account may not do this", "grant it the rights"),
    (r"53300|too many clients|too many connections", "too many connections", "raise max_connections"),
    (r"53100|No space left|disk is full", "the disk is full", "free space there"),
    (r"57P03|starting up|shutting down|57P01", "the database is starting or stopping", "call again in a moment"),
    (r"not a database|malformed|disk image", "this file is no database", "restore the ledger from its backup"),
    (r"database is locked|55P03|40P01|40001", "another process holds the ledger", "call again when it has ended"),
    (r"readonly|read-only|25006", "the ledger cannot be written", "give this account the right"),
    (r"unable to open", "the ledger's file cannot be opened", "a file that this account may write"),
    (r"disk I/O|58030", "the disk fails or is full", "look at the disk"),
    (r"translate host|resolve|Name or service", "nobody knows this host", "correct the address"),
    (r"refused|timeout|timed out|closed|No such file|08\d\d\d|terminat", "nobody answers there", "is it running?"),
)


@contextmanager
def worded(engine: Engine) -> Iterator[None]:
    """What the database refuses in this block is a LedgerError; what our own statements got wrong stays as it is."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        if not _refuses(error) or (known := _reason(error)) is None:
            raise
        reason, helps = known
        where = engine.url.render_as_string(hide_password=True)
        what = f"the ledger cannot be reached: {reason}"
        raise LedgerError(what, where=where, helps=helps, trouble=_trouble(error)) from None


class ForeignValue(LedgerError):
    """A row that nobody of ours can have written. `german`: the same among the findings of `ledger verify`."""

    german = ""


@contextmanager
def readable(table: str) -> Iterator[None]:
    """What cannot be read of a table in this block was put there by somebody else; the value is never quoted.

    SQLite keeps any text in any column: a day that is none, a state that is none, half a document.
    """
    try:
        yield
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        error = ForeignValue(
            f"table {table}: a value that the software does not write",
            where="ledger",
            expected="what was recorded",
            helps="somebody has written into the database: restore its backup",
        )
        error.german = f"Tabelle {table}: ein Wert, den die Software nicht schreibt"
        raise error from None


def _trouble(error: Exception) -> Trouble | None:
    found = trouble_of(error)
    return Trouble(Cause.DISK, "Ledger") if found is not None and found.cause is Cause.DISK else found


def _refuses(error: Exception) -> bool:
    """SQLite says DatabaseError, and no kind of it, of a file that is none; what has no statement failed before any."""
    if isinstance(error, exc.DBAPIError) and not error.statement:
        return True
    kinds = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
    return isinstance(error, kinds) or type(error) is exc.DatabaseError or _state(error) == "42501"


def _reason(error: Exception) -> tuple[str, str] | None:
    said = f"{_state(error)} {getattr(error, 'orig', error)}"
    found = ((reason, helps) for pattern, reason, helps in _REASONS if re.search(pattern, said, re.IGNORECASE))
    if (known := next(found, None)) is not None:
        return known
    trouble = trouble_of(error)
    return (trouble.english, trouble.english_helps) if trouble else None


def _state(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", "") or "")
