"""What concerns many rows is asked in one question and written in one statement.

A statement is a constant, so that SQLAlchemy builds it once per process; building cost ten times what the databases
need. A question is asked in slices, because no database takes lists of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Executable, Row, bindparam

T = TypeVar("T")
K = TypeVar("K")
SLICE = 500  # values in one list


def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a column is one of the values that `rows_among` asks for."""
    return column.in_(bindparam("among", expanding=True))


def slices(values: Sequence[T], size: int = SLICE) -> Iterator[Sequence[T]]:
    """The same values in pieces (`itertools.batched` needs Python 3.12)."""
    return (values[start : start + size] for start in range(0, len(values), size))


def rows_among(connection: Connection, statement: Executable, values: Iterable[Any], **given: Any) -> list[Row[Any]]:
    """The rows of a statement with `among`. Values are taken in their order, so that locks are, too."""
    found: list[Row[Any]] = []
    for piece in slices(_in_order(values)):
        found += connection.execute(statement, {"among": piece, **given}).all()
    return found


def write_among(connection: Connection, statement: Executable, values: Iterable[Any], **given: Any) -> None:
    """An UPDATE or DELETE with `among`."""
    for piece in slices(_in_order(values)):
        connection.execute(statement, {"among": piece, **given})


def write_all(connection: Connection, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """One constant INSERT or UPDATE for many rows."""
    if rows:
        connection.execute(statement, rows)


def in_turns(things: Iterable[T], names: Callable[[T], Iterable[Hashable]]) -> Iterator[list[T]]:
    """Consecutive sets in which no name appears twice: set after set is then the same as one after the other."""
    turn: list[T] = []
    taken: set[Hashable] = set()
    for thing in things:
        own = set(names(thing))
        if taken & own:
            yield turn
            turn, taken = [], set()
        turn.append(thing)
        taken |= own
    if turn:
        yield turn


def in_runs(things: Iterable[T], key: Callable[[T], K]) -> Iterator[tuple[K, list[T]]]:
    """Neighbours with the same key together; the order stays."""
    return ((found, list(run)) for found, run in groupby(things, key))


def _in_order(values: Iterable[Any]) -> Sequence[Any]:
    """Each value once, as both databases order them; numbers are compared many times faster than UUIDs."""
    return sorted(set(values), key=lambda value: value.int if isinstance(value, UUID) else value)
