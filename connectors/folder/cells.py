"""Cells as the mapping reads them: German text by the column's type. Excel's numbers are exact; nothing is calculated.

A problem names the column and what was expected, never the content: a person's name may stand anywhere.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from connectors._tables.cells import Cell, Value
from connectors.folder.table import Column

_EXPECTED = {
    "money": "ein Betrag wie 1.000,00",
    "date": "ein Datum wie 12.03.2026",
    "integer": "eine ganze Zahl",
    "yes_no": "ja oder nein",
    "text": "Text",
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
LONGEST_CELL = 32_767  # Excel's own limit


class CellProblem(Exception):
    """One cell cannot be used; the text names its column and holds no content."""


def read_cell(cell: Cell, column: Column) -> str:
    """The cell as German text for the mapping; raises CellProblem."""
    if cell.fault:
        raise _problem(column, cell.fault)
    text = _as_text(cell.value, column)
    if column.required and not text:
        raise CellProblem(f"„{column.name}“ fehlt; erwartet: {_EXPECTED[column.type]}.")
    if _CONTROL.search(text):
        raise _problem(column, "enthält unlesbare Steuerzeichen")
    longest = column.max_length or LONGEST_CELL
    if len(text) > longest:
        raise CellProblem(f"„{column.name}“ ist zu lang; erwartet: höchstens {longest} Zeichen.")
    return text


def _as_text(value: Value, column: Column) -> str:
    match value:
        case str():
            return value.replace("\r\n", "\n").replace("\r", "\n").strip()
        case bool():
            return _truth(value, column)
        case int() | Decimal():
            return _number(Decimal(value), column)
        case datetime() | date():
            if column.type not in ("date", "text"):
                raise _problem(column, "enthält ein Datum")
            return f"{value.day:02}.{value.month:02}.{value.year:04}"


def _truth(value: bool, column: Column) -> str:
    if column.type != "yes_no":
        raise _problem(column, "enthält einen Wahrheitswert")
    return "ja" if value else "nein"


def _number(value: Decimal, column: Column) -> str:
    places = -min(int(value.normalize().as_tuple().exponent), 0)
    if value.adjusted() > 15:
        raise _problem(column, "enthält eine zu große Zahl")
    match column.type:
        case "money":
            if places > 2:
                raise _problem(column, "hat mehr als zwei Nachkommastellen")
            return f"{value:.2f}".replace(".", ",")
        case "date":
            raise _problem(column, "enthält eine Zahl")
        case "integer" if places:
            raise _problem(column, "enthält eine Kommazahl")
        case _:
            return f"{value:.{places}f}".replace(".", ",")


def _problem(column: Column, what: str) -> CellProblem:
    return CellProblem(f"„{column.name}“ {what}; erwartet: {_EXPECTED[column.type]}.")
