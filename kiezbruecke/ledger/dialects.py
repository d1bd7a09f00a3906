"""The two statements that the two databases spell differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite


def insert_or_ignore(
    connection: Connection, table: Table, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> int:
    """INSERT … ON CONFLICT DO NOTHING; how many rows were new."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [dict(values)] if isinstance(values, Mapping) else [dict(row) for row in values]
    # without preserve_rowcount SQLAlchemy says -1 for an INSERT on PostgreSQL, which looks like success
    options = {"preserve_rowcount": True}
    statements = (dialect.insert(table).values(**row).on_conflict_do_nothing() for row in rows)
    return sum(connection.execute(statement, execution_options=options).rowcount for statement in statements)


def one_at_a_time(connection: Connection) -> None:
    """Let transactions that touch many cases and budgets wait for each other, so that they never lock crosswise.

    SQLite's writers do that anyway. Claims do not need it: they skip what is locked.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(20260423)"))
