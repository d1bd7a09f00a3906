"""Ledgers on both databases, as the tests of the ledger have them, and a counter of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event

from kiezbruecke.ledger import Ledger
from tests.ledger.conftest import desk, fresh, fresh_postgresql, fresh_sqlite, ledger, postgres, url

__all__ = ["desk", "fresh", "fresh_postgresql", "fresh_sqlite", "ledger", "postgres", "url"]

Counted = Callable[[Ledger], "contextmanager[list[str]]"]


@contextmanager
def counted(ledger: Ledger) -> Iterator[list[str]]:
    """The statements that a ledger is asked meanwhile."""
    said: list[str] = []

    def note(*arguments: object) -> None:
        if arguments[2] != "BEGIN":  # SQLite's is ours, PostgreSQL's the driver's
            said.append(str(arguments[2]))

    event.listen(ledger.engine, "before_cursor_execute", note)
    yield said
    event.remove(ledger.engine, "before_cursor_execute", note)
