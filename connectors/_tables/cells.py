"""What a table file holds: rows of cells, each with its value or the reason why that is not known.

Texts are German and name no content: a person's name may stand anywhere.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Value = str | int | Decimal | date | bool

FORMULA = "enthält eine Formel, ihr Wert ist nicht bekannt; bitte den Wert selbst eintragen"
BROKEN = "enthält einen Excel-Fehler; bitte den Wert selbst eintragen"
CLOCK = "enthält eine Uhrzeit oder Dauer"
ENDLESS = "enthält keine endliche Zahl"
_ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f])_")  # how XLSX writes control characters (ECMA-376, ST_Xstring)


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
    ends in it without an end of line.
    """

    number: int
    cells: Sequence[Cell]
    separated: bool = False
    cut: bool = False

    @property
    def blank(self) -> bool:
        """True where nothing stands in any cell."""
        return all(cell.blank for cell in self.cells)

    def cell(self, index: int) -> Cell:
        """The cell at a position; an empty one where the row is shorter."""
        return self.cells[index] if index < len(self.cells) else NOTHING


NOTHING = Cell()


def number_cell(value: float) -> Cell:
    """An Excel number, exactly as a person typed it: the shortest decimal that means this float."""
    if isinstance(value, int):
        return Cell(value)
    return Cell(Decimal(repr(value))) if math.isfinite(value) else Cell(str(value), ENDLESS)


def written(text: str) -> str:
    """The text of an XLSX cell with its control characters: a line break of Windows stands there as `_x000D_`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def folded(text: str) -> str:
    """A header as it is compared: NFC, single blanks, no case. Nothing else is guessed."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()
