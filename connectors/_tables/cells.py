"""What a table file holds: sheets of rows of cells, each with its value or the reason why that is not known.

Texts are German and name no content: a person's name may stand anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Value = str | int | Decimal | date | bool

FORMULA = "enthält eine Formel, ihr Wert ist nicht bekannt; bitte den Wert selbst eintragen"
BROKEN = "enthält einen Excel-Fehler; bitte den Wert selbst eintragen"
CLOCK = "enthält eine Uhrzeit oder Dauer"
ENDLESS = "enthält keine endliche Zahl"
PERCENT = "enthält eine Prozentangabe"
SCALED = "zeigt eine andere Zahl, als darin steht (Zahlenformat in Tausend); bitte das Zahlenformat „Standard“ wählen"
NO_DAY = "ist als Datum formatiert, enthält aber keines"


class SheetProblem(Exception):
    """A whole sheet cannot be used; the text says why and holds no cell's content."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its value as the file holds it; with a `fault` it is only what was written, such as a formula."""

    value: Value = ""
    fault: str = ""

    @property
    def blank(self) -> bool:
        """True where nothing stands."""
        return not self.fault and isinstance(self.value, str) and not self.value.strip()

    @property
    def text(self) -> str:
        """Its text, where it is text; else nothing."""
        return self.value.strip() if isinstance(self.value, str) and not self.fault else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, numbered as the clerk sees it.

    `separated`: its cells stand between separators, so one too many has shifted the others. `cut`: the file
    ends in it without an end of line. `fault`: why the row is none, in German; then it has no cells.
    """

    number: int
    cells: Sequence[Cell]
    separated: bool = False
    cut: bool = False
    fault: str = ""

    @property
    def blank(self) -> bool:
        """True where nothing stands in any cell."""
        return not self.fault and all(cell.blank for cell in self.cells)

    def cell(self, index: int) -> Cell:
        """The cell at a position; an empty one where the row is shorter."""
        return self.cells[index] if index < len(self.cells) else NOTHING


@dataclass(frozen=True, slots=True)
class Merge:
    """A range of cells that were made one: rows as the clerk sees them, columns from 0, both ends included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One sheet of a file: its filled rows, and what its reader should know of how people see it.

    `header` stands by itself where the format names its fields; its columns have no letters then.
    """

    rows: Sequence[Row]
    name: str = ""
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merges: tuple[Merge, ...] = ()
    header: Row | None = None


NOTHING = Cell()


def number_cell(value: float) -> Cell:
    """An Excel number, exactly as a person typed it: the shortest decimal that means this float."""
    if isinstance(value, int):
        return Cell(value)
    return Cell(Decimal(repr(value))) if math.isfinite(value) else Cell(str(value), ENDLESS)
