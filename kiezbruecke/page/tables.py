"""A table of a page: sorted by links, at most fifty rows at once, its state in its own address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

PER_PAGE = 50
_HIGHEST = 10**6
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column; without a key it is not sorted by."""

    title: str
    key: Callable[[T], Any] | None = None
    name: str = ""
    """How an address calls it"""
    numeric: bool = False
    hidden: bool = False
    """Whether its title is for screen readers only"""


@dataclass(frozen=True)
class Heading:
    """How a column's head looks now."""

    title: str
    numeric: bool
    hidden: bool
    address: str
    """Of the same table, sorted by this column; empty where it cannot be"""
    sorted: str
    """For `aria-sort`: `ascending`, `descending` or nothing"""


@dataclass(frozen=True)
class Table(Generic[T]):
    """The rows of one page, and where the others are."""

    caption: str
    empty: str
    """What will stand here; said where nothing does"""
    headings: tuple[Heading, ...]
    rows: Sequence[T]
    total: int
    page: int
    pages: int
    before: str
    """Address of the page before; empty on the first"""
    after: str

    def showing(self, rows: Sequence[U]) -> Table[U]:
        """The same table with what its rows stand for."""
        same: Table[Any] = self
        return replace(same, rows=rows)


def table(
    request: Request, caption: str, columns: Sequence[Column[T]], rows: Sequence[T], *, empty: str, name: str = ""
) -> Table[T]:
    """The part of the rows that the address asks for. `name` keeps several tables of a page apart."""
    asked = request.query_params
    sort, page = asked.get(f"{name}sort", ""), asked.get(f"{name}seite", "")
    rows = _sorted(columns, rows, sort)
    pages = max(1, ceil(len(rows) / PER_PAGE))
    number = min(pages, max(1, int(page))) if page.isdecimal() and len(page) < len(str(_HIGHEST)) else 1

    def address(**changed: str) -> str:
        ours = {f"{name}{key}" for key in changed}
        kept = [(key, value) for key, value in asked.multi_items() if key not in ours]
        return "?" + urlencode([*kept, *((f"{name}{key}", value) for key, value in changed.items() if value)])

    return Table(
        caption,
        empty,
        tuple(_heading(one, sort, lambda wanted: address(sort=wanted, seite="")) for one in columns),
        rows[(number - 1) * PER_PAGE : number * PER_PAGE],
        len(rows),
        number,
        pages,
        address(seite=str(number - 1)) if number > 1 else "",
        address(seite=str(number + 1)) if number < pages else "",
    )


def _sorted(columns: Sequence[Column[T]], rows: Sequence[T], sort: str) -> Sequence[T]:
    """A word that is no column's name sorts nothing."""
    for one in columns:
        if one.key is not None and one.name == sort.removeprefix("-") != "":
            key = one.key
            return sorted(rows, key=lambda row: _comparable(key(row)), reverse=sort.startswith("-"))
    return rows


def _comparable(value: Any) -> tuple[bool, Any]:
    """What is not known stands last."""
    return (value is None, value.casefold() if isinstance(value, str) else value) if value is not None else (True, 0)


def _heading(column: Column[Any], sort: str, address: Callable[[str], str]) -> Heading:
    now = {column.name: "ascending", f"-{column.name}": "descending"}.get(sort, "") if column.key else ""
    wanted = f"-{column.name}" if now == "ascending" else column.name
    return Heading(column.title, column.numeric, column.hidden, address(wanted) if column.key else "", now)
