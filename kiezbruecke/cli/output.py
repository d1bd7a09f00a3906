"""How commands speak: a table for people, JSON for programs; never content, never personal data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="JSON statt Tabelle.")]
BERLIN = ZoneInfo("Europe/Berlin")


def emit(body: Any) -> None:
    """JSON on standard output; sums as texts, times with zone."""
    typer.echo(json.dumps(body, ensure_ascii=False, indent=1, default=_plain))


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
        grid.add_row(*(_shown(value) for value in row))
    console.print(grid)


def german_euros(cents: int | None) -> str:
    """Cents as people write them: `1.000,00`."""
    if cents is None:
        return ""
    return f"{Decimal(cents).scaleb(-2):,.2f}".translate(str.maketrans(",.", ".,"))


def euros(cents: int | None) -> str | None:
    """Cents as programs read them: `"850.00"`."""
    return None if cents is None else f"{Decimal(cents).scaleb(-2):.2f}"


def german_time(moment: datetime | None) -> str:
    """A time as people in Berlin read it."""
    return moment.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M") if moment else ""


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return german_time(value)
    if isinstance(value, bool):
        return "ja" if value else ""
    return str(value).replace("[", r"\[")


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
