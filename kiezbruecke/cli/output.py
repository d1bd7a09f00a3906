"""How commands speak: a table for people, JSON for programs; never content, never personal data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table

from kiezbruecke import german
from kiezbruecke.cli.streams import speaks_unicode

AsJson = Annotated[bool, typer.Option("--json", help="JSON statt Tabelle.")]


def emit(body: Any) -> None:
    """JSON on standard output, a view as its fields; sums as texts, times with zone."""
    typer.echo(json.dumps(body, ensure_ascii=not speaks_unicode(), indent=1, default=_plain))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "Nichts.") -> None:
    """A table for people; columns whose name ends with € or # are set right, the first one is never broken."""
    listed = list(rows)
    console = Console()
    if not console.is_terminal:
        console.width = 200
    if not listed:
        console.print(f"{title}: {empty}", markup=False)
        return
    grid = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        right = column.endswith("€") or column.startswith("#")
        grid.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=right or number == 0)
    for row in listed:
        grid.add_row(*(shown(value) for value in row))
    console.print(grid)


def shown(value: object) -> str:
    """A value as it stands in a table."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return german.moment(value)
    if isinstance(value, bool):
        return "ja" if value else ""
    return str(value).replace("[", r"\[")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
