"""Cells as the mapping reads them: German text by the column's type. Excel's numbers are exact; nothing is calculated.

A problem names the column and what was expected, never the content: a person's name may stand anywhere.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from connectors._tables.cells import Cell, Value
from connectors.folder.table import Column
from kiezbruecke.mapping.steps.dates import UNSURE_FROM
from kiezbruecke.mapping.steps.numbers import yes_no
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.plaintext import clean, unharmed

_EXPECTED = {
    "money": "ein Betrag wie 1.000,00",
    "date": "ein Datum wie 12.03.2026",
    "integer": "eine ganze Zahl",
    "number": "eine Zahl wie 52.4",
    "yes_no": "ja oder nein",
    "text": "Text",
}
_LOST = "\ufffd"
_TIME = re.compile(r"[0-9][T ]+(?!00?:00)[0-9]{1,2}:[0-9]{2}")
_LONGEST_VALUE = 100  # a sum, a day, a number
LONGEST_CELL = 32_767  # Excel's own limit


class CellProblem(Exception):
    """One cell cannot be used; the text names its column and holds no content."""


def read_cell(cell: Cell, column: Column) -> str:
    """The cell as German text for the mapping; raises CellProblem."""
    if cell.fault:
        raise _problem(column, cell.fault)
    longest = column.max_length or (LONGEST_CELL if column.type == "text" else _LONGEST_VALUE)
    if len(cell.text) > longest:
        raise CellProblem(f"„{column.name}“ ist zu lang; erwartet: höchstens {longest} Zeichen.")
    text = _as_text(cell.value, column)
    if column.required and not text:
        kind = "" if column.type == "text" else f": {_EXPECTED[column.type]}"
        raise CellProblem(f"„{column.name}“ fehlt; bitte in jeder Zeile eintragen{kind}.")
    if _LOST in text:
        raise _problem(column, "enthält ein Zeichen, das verloren gegangen ist (\ufffd)")
    return text


def cuts_time(cell: Cell, column: Column) -> bool:
    """Whether a time of day beside a day is left out; a day is all that the column means, and the clerk is told."""
    value = cell.value
    if cell.fault or column.type != "date":
        return False
    if isinstance(value, str):
        return bool(_TIME.search(value))
    return isinstance(value, datetime) and (value.hour, value.minute) > (0, 0)


def _as_text(value: Value, column: Column) -> str:
    match value:
        case str():
            return _tick(value, column) if column.type == "yes_no" else unharmed(clean(value))
        case bool():
            return _truth(value, column)
        case int() | Decimal():
            return _number(Decimal(value), column)
        case datetime() | date():
            return _day(value, column)


def _tick(text: str, column: Column) -> str:
    """`ja` or `nein`, whatever word or sign says it."""
    try:
        return ("ja" if yes_no(text) else "nein") if clean(text) else ""
    except Unusable:
        raise _problem(column, "sagt weder ja noch nein") from None


def _truth(value: bool, column: Column) -> str:
    if column.type != "yes_no":
        raise _problem(column, "enthält einen Wahrheitswert")
    return "ja" if value else "nein"


def _day(value: date, column: Column) -> str:
    """Some programs write a day's midnight as seconds or hours before it: such a day is not certain."""
    if column.type not in ("date", "text"):
        raise _problem(column, "enthält ein Datum")
    day = f"{value.day:02}.{value.month:02}.{value.year:04}"
    if not isinstance(value, datetime) or (value.hour, value.minute) == (0, 0):
        return day
    if value.hour >= UNSURE_FROM:
        raise _problem(column, "trägt eine Uhrzeit kurz vor Mitternacht, der Tag ist darum nicht sicher")
    return day if column.type == "date" else f"{day} {value:%H:%M}"


def _number(value: Decimal, column: Column) -> str:
    places = -min(int(value.normalize().as_tuple().exponent), 0)
    if value.adjusted() > 15:
        raise _problem(column, "enthält eine zu große Zahl")
    match column.type:
        case "money":
            if places > 2:
                raise _problem(column, "hat mehr als zwei Nachkommastellen")
            return f"{value:.2f}".replace(".", ",")
        case "number":
            return f"{value:f}"
        case "date":
            raise _problem(column, "enthält eine Zahl")
        case "integer" if places:
            raise _problem(column, "enthält eine Kommazahl")
        case _:
            return f"{value:.{places}f}".replace(".", ",")


def _problem(column: Column, what: str) -> CellProblem:
    return CellProblem(f"„{column.name}“ {what}; erwartet: {_EXPECTED[column.type]}.")
