"""How commands speak: a table for people, JSON for programs; never content, never personal data.

The one door to the screen: whatever others have written goes through it as plain text. No markup of theirs is read, no
sign of theirs acts on a terminal; nothing else in `cli/` prints (tests/cli/test_hostile.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from kiezbruecke import german
from kiezbruecke.cli.streams import speaks_unicode
from kiezbruecke.printable import printable

AsJson = Annotated[bool, typer.Option("--json", help="JSON statt Tabelle.")]
_LAYOUT = "\n\t"
_ACTS = re.compile(r"[^\x00-\x7e]")  # what json.dumps leaves as it is; JSON's own escapes are for the rest


def say(text: str, *, err: bool = False) -> None:
    """Lines as they are, on standard output or on standard error."""
    typer.echo(printable(text, keep=_LAYOUT), err=err)


def emit(body: Any, *, indent: int | None = 1) -> None:
    """JSON on standard output, a view as its fields; sums as texts, times with zone."""
    told = json.dumps(body, ensure_ascii=not speaks_unicode(), indent=indent, default=_plain)
    typer.echo(_ACTS.sub(_escaped, told))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "Nichts.") -> None:
    """A table for people; columns whose name ends with € or # are set right, the first one is never broken."""
    listed = list(rows)
    if not listed:
        say(printable(f"{title}: {empty}"))
        return
    grid = Table(title=_cell(title), title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        right = column.endswith("€") or column.startswith("#")
        justify, fixed = "right" if right else "left", right or number == 0
        grid.add_column(_cell(column), justify=justify, overflow="fold", no_wrap=fixed)  # type: ignore[arg-type]
    for row in listed:
        grid.add_row(*map(_cell, row))
    console().print(grid)


def console(*, stderr: bool = False) -> Console:
    """Where tables go: as wide as the terminal, and wide enough to be searched where there is none."""
    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal:
        found.width = 200
    found.push_render_hook(_Printable())
    return found


def shown(value: object) -> str:
    """A value as it stands in a table."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return german.moment(value)
    if isinstance(value, bool):
        return "ja" if value else ""
    return printable(str(value))


def _cell(value: object) -> Text:
    """Not a str: rich would read markup in it."""
    return Text(shown(value))


class _Printable(RenderHook):
    """Whatever a console prints loses what acts; rich's own codes come later, from the styles."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Cleaned(one) for one in renderables]


@dataclass(frozen=True)
class _Cleaned:
    of: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.of, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text, keep=_LAYOUT), style)


def _escaped(match: re.Match[str]) -> str:
    """The same string for a program, and nothing that acts for a terminal."""
    char = match.group()
    if printable(char) == char:
        return char
    return json.dumps(char)[1:-1]


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
