"""JSON Lines (https://jsonlines.org): one JSON object per line (RFC 8259, UTF-8), read as a row of cells.

    {"titel": {"de": "Bänke"}, "summe": 850.50, "marken": ["Grün", "Ufer"]}
      titel/de │ summe   │ marken
      Bänke    │ 850.50  │ Grün⏎Ufer

The fields of an object inside are named by their path, as the headers and aliases of a table name them.
Numbers are exact decimals as they were written; nothing passes through a float. What is no object, names a field twice
or is too large is one row with a fault, and the lines around it are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from connectors._tables.cells import NOTHING, Cell, Row, SheetProblem, Worksheet
from connectors._tables.limits import Meter, TableLimits
from kiezbruecke.plaintext import clean

_LIST = "enthält eine Liste, die nicht nur aus einzeiligen Texten und Zahlen besteht"
_HUGE = "enthält eine Zahl mit zu vielen Stellen"
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_MOST_PLACES = 20  # before or behind the point
_DEEPEST = 8  # objects within objects
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_Fields = dict[str, Cell]


class _Broken(Exception):
    """One line is none; its text says why, without content."""


class _Odd:
    """A number that no cell can hold."""


def read_json_lines(raw: bytes, limits: TableLimits) -> Worksheet:
    """All filled lines, numbered as an editor shows them, below a header of all their fields; raises SheetProblem."""
    meter = Meter(limits)
    fields: dict[str, int] = {}
    lines: list[tuple[int, _Fields, str]] = []
    for number, line in _lines(raw, meter):
        found, fault = _read(line, meter)
        for name in found:
            fields.setdefault(name, len(fields))
        if len(fields) > limits.columns:
            raise SheetProblem(f"Die Datei hat zu viele Felder; erwartet: höchstens {limits.columns}.")
        lines.append((number, {name: cell for name, cell in found.items() if not cell.blank}, fault))
    if lines and not fields:
        raise SheetProblem("Keine Zeile der Datei ist ein JSON-Objekt mit Feldern; erwartet: eines je Zeile.")
    rows = tuple(_row(number, found, fault, fields) for number, found, fault in lines)
    return Worksheet(rows, header=Row(0, tuple(map(Cell, fields))))


def _lines(raw: bytes, meter: Meter) -> Iterator[tuple[int, bytes]]:
    """The lines with something in them; a file of blank lines alone is a long one, too."""
    start, number = len(_BYTE_ORDER_MARK) if raw.startswith(_BYTE_ORDER_MARK) else 0, 0
    while start < len(raw):
        end = raw.find(b"\n", start)
        end = len(raw) if end < 0 else end
        number += 1
        if number > meter.limits.records:
            raise SheetProblem(f"Die Datei hat zu viele Zeilen; erwartet: höchstens {meter.limits.rows}.")
        if number % 1000 == 0:
            meter.tick()
        if line := raw[start:end].strip():
            meter.row()
            yield number, line
        start = end + 1


def _read(line: bytes, meter: Meter) -> tuple[_Fields, str]:
    """The cells of a line by the names of its fields, or why it is none."""
    meter.tick()
    found: _Fields = {}
    try:
        _gather(_parsed(line, meter.limits.part), "", 1, found, meter)
    except _Broken as problem:
        return {}, f"Die Zeile {problem}."
    for column, cell in enumerate(found.values()):
        if not cell.blank:
            meter.cell(column)
            meter.text(len(cell.text))
    return found, ""


def _parsed(line: bytes, longest: int) -> Mapping[str, Any]:
    if len(line) > longest:
        raise _Broken(f"ist zu lang; erwartet: höchstens {longest // 1024} kB")
    try:
        body = json.loads(
            line.decode("utf-8"),
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise _Broken("ist nicht in UTF-8 geschrieben") from None
    except (ValueError, RecursionError):
        raise _Broken("ist kein vollständiges JSON; erwartet: ein Objekt {…} in einer Zeile") from None
    if not isinstance(body, dict):
        raise _Broken("ist kein JSON-Objekt; erwartet: {…}")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Broken("nennt ein Feld zweimal")
    return found


def _no_number(_: str) -> NoReturn:
    raise _Broken("enthält NaN oder Infinity; das ist kein JSON")


def _number(text: str) -> Decimal | _Odd:
    if not _NUMBER.fullmatch(text):
        return _Odd()
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number if number.adjusted() < _MOST_PLACES and -exponent <= _MOST_PLACES else _Odd()


def _gather(body: Mapping[str, Any], above: str, depth: int, found: _Fields, meter: Meter) -> None:
    """The cells of an object and of those inside it, by their paths."""
    if depth > _DEEPEST:
        raise _Broken(f"ist zu tief verschachtelt; erwartet: höchstens {_DEEPEST} Ebenen")
    for name, value in body.items():
        path = f"{above}{clean(name)}"
        if isinstance(value, dict):
            _gather(value, f"{path}/", depth + 1, found, meter)
        elif path in found:
            raise _Broken("nennt ein Feld zweimal")
        else:
            found[path] = _cell(value)
        if len(found) > meter.limits.columns:
            raise _Broken(f"hat zu viele Felder; erwartet: höchstens {meter.limits.columns}")


def _cell(value: Any) -> Cell:
    match value:
        case None:
            return NOTHING
        case _Odd():
            return Cell("", _HUGE)
        case list():
            return _listed(value)
        case str():
            return Cell(_text(value))
        case _:
            return Cell(value)


def _listed(values: list[Any]) -> Cell:
    """One line for each; what holds a line break itself could not be told apart any more."""
    parts = [_text(value) if isinstance(value, str) else _plain(value) for value in values]
    if any(not part or "\n" in part for part in parts):
        return Cell("", _LIST)
    return Cell("\n".join(parts))


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else ""


def _text(value: str) -> str:
    """A half of a sign (an escape without its second) is lost, and the cell says so."""
    return clean(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _row(number: int, found: _Fields, fault: str, fields: Mapping[str, int]) -> Row:
    cells = [NOTHING] * (max((fields[name] for name in found), default=-1) + 1)
    for name, cell in found.items():
        cells[fields[name]] = cell
    return Row(number, tuple(cells), fault=fault)
