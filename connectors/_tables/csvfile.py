"""CSV as offices write it: UTF-8 with or without mark, Windows-1252, semicolon, comma or tab."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import islice

from connectors._tables.cells import Cell, Row, SheetProblem
from connectors._tables.charsets import decode
from connectors._tables.limits import Meter, TableLimits
from kiezbruecke.plaintext import clean, folded

DELIMITERS = (";", ",", "\t")
_TITLE_ROWS = 40  # records looked at to tell the delimiter; blank ones count
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def read_csv(raw: bytes, headers: AbstractSet[str], limits: TableLimits) -> list[Row]:
    """All filled rows, numbered as a spreadsheet shows them; raises SheetProblem.

    `headers` are known headers, folded: the delimiter that makes the most of them is the right one.
    """
    text, meter = decode(raw), Meter(limits)
    delimiter = max(DELIMITERS, key=lambda candidate: _known_headers(text, candidate, headers, meter))
    rows = [row for row in _rows(text, delimiter, meter) if not row.blank]
    return _mark_cut(rows, text)


def _rows(text: str, delimiter: str, meter: Meter) -> Iterator[Row]:
    number = widest = 0
    try:
        for number, record in enumerate(_records(text, delimiter, meter), start=1):
            widest = max(widest, len(record))
            _refuse_swallowed_line(record, delimiter, widest, number)
            row = Row(number, tuple(_cells(record, meter)), separated=True)
            if number > meter.limits.records:
                raise SheetProblem(f"Die Datei hat zu viele Zeilen; erwartet: höchstens {meter.limits.rows}.")
            if not row.blank:
                meter.row()
            yield row
    except csv.Error:
        raise SheetProblem(
            f"Die Datei ist ab Zeile {number + 1} keine vollständige CSV-Datei: dort ist ein Anführungszeichen offen "
            "oder steht falsch, oder eine Zelle ist zu lang. Ein Anführungszeichen im Text wird verdoppelt; "
            "als XLSX gespeichert braucht es das nicht."
        ) from None


def _refuse_swallowed_line(record: list[str], delimiter: str, widest: int, number: int) -> None:
    """Two stray quotation marks in two lines make one cell of what stands between them: a line would be lost."""
    if any("\n" in value and value.count(delimiter) >= max(widest - 1, 2) for value in record):
        raise SheetProblem(
            f"In Zeile {number} enthält eine Zelle eine ganze weitere Zeile; vielleicht steht dort und in der "
            "folgenden Zeile ein Anführungszeichen falsch."
        )


def _cells(record: list[str], meter: Meter) -> Iterator[Cell]:
    for column, value in enumerate(record):
        cell = Cell(clean(value))
        if not cell.blank:
            meter.cell(column)
        yield cell


def _known_headers(text: str, delimiter: str, headers: AbstractSet[str], meter: Meter) -> int:
    """How many known columns the best of the first records names, read with this delimiter."""
    best = 0
    try:
        for record in islice(_records(text, delimiter, meter), _TITLE_ROWS):
            best = max(best, sum(folded(value) in headers for value in record))
    except (csv.Error, SheetProblem):
        return best
    return best


def _records(text: str, delimiter: str, meter: Meter) -> Iterator[list[str]]:
    """The records; csv builds a whole one before anybody can count its cells, so its lines are counted before it."""
    feed = _Feed(text, delimiter, meter)
    for record in csv.reader(feed, delimiter=delimiter, strict=True):
        feed.lines = feed.separators = 0
        yield record


class _Feed:
    """The lines of a text, one by one and with their ends; counts those of the record that is being read."""

    def __init__(self, text: str, delimiter: str, meter: Meter) -> None:
        self._found = _LINE.finditer(text)
        self._delimiter, self._meter = delimiter, meter
        self.lines = self.separators = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._found)[0]
        self.lines += 1
        self.separators += line.count(self._delimiter)
        self._meter.tick()
        if self.lines > self._meter.limits.lines or self.separators > self._meter.limits.separators:
            raise SheetProblem(
                "Die Datei hat eine Zeile mit zu vielen Zellen; vielleicht ist ein Anführungszeichen offen."
            )
        return line


def _mark_cut(rows: list[Row], text: str) -> list[Row]:
    if rows and not text.endswith(("\n", "\r")):
        rows[-1] = replace(rows[-1], cut=True)
    return rows
