"""Records out of a file, one by one: JSON, JSON Lines, CSV, XLSX, XML. However long it is, one of them is held.

    [{…}, {…}]                      JSON: the members of a list, or the one object that there is
    {…}⏎{…}                         JSON Lines: a broken line is one record, the others are read
    a;b⏎1;2                         CSV, XLSX: below a header; where a table is known, its columns are looked for
    <r><rec>…</rec><rec>…</rec></r> XML: the elements below the root, or those of a name

What is no record has a `fault`, and its place where that is known; what is no such file at all raises
ConfigurationError. Neither quotes its content.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from importlib.metadata import entry_points
from itertools import chain, count, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.foreign_json import KeyTwice, NotJson, read_members
from kiezbruecke.mapping.schema.columns import LayoutColumn
from kiezbruecke.mapping.schema.tables import TableLayout
from kiezbruecke.mapping.steps.numbers import yes_no
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import Instead, Why
from kiezbruecke.plaintext import clean, folded, unharmed
from kiezbruecke.standards.parse import parse_each

_PIECE = 1 << 18  # bytes that are read at once
_LONGEST_LINE = 32_000_000  # bytes of one record of JSON Lines
_HEADER_ROWS = 40  # rows in which the header of a known table is looked for
_DELIMITERS = ";,\t"
_LONGEST_CELL = 1_000_000  # signs; csv takes 131,072 without being asked

Body = Mapping[str, Any] | bytes
Values = Iterable[tuple[int, list[Any]]]  # rows: their line or row, and what stands in their cells


class FileForm(StrEnum):
    """How a file holds its records."""

    JSON = "json"
    JSON_LINES = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"
    XML = "xml"


_BY_ENDING = {**{f".{form.value}": form for form in FileForm}, ".ndjson": FileForm.JSON_LINES}
_BY_SIGN = {b"[": FileForm.JSON, b"{": FileForm.JSON_LINES, b"<": FileForm.XML, b"P": FileForm.XLSX}


@dataclass(frozen=True, slots=True)
class RecordRead:
    """One record: its number from 1, the line or row that it begins in, and its body. Bytes are still to be read."""

    number: int
    line: int | None
    body: Body = b""
    fault: Unusable | None = None  # why it is none
    at: str = ""  # where in it, as a path below its root


@dataclass(frozen=True)
class FileReading:
    """How a file is to be read: `table` gives columns their keys, `element` is what repeats in XML."""

    name: str  # of the file, for errors
    form: FileForm
    table: TableLayout | None = None
    element: str = ""


def form_of(file: Path, start: bytes) -> FileForm:
    """The form of a file by its ending, or by what it begins with."""
    begins = start.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    return _BY_ENDING.get(file.suffix.lower()) or _BY_SIGN.get(begins, FileForm.CSV)


def read_records(stream: BinaryIO, reading: FileReading) -> Iterator[RecordRead]:
    """The records in their order; raises ConfigurationError where the file cannot be read on."""
    numbers = count(1)
    for line, body in _READERS[reading.form](stream, reading):
        if isinstance(body, _NoRecord):
            yield RecordRead(next(numbers), line, fault=body.why, at=body.at)
        else:
            yield RecordRead(next(numbers), line, body)


class _NoRecord(Exception):
    """What stands there is none: why, and where in it."""

    def __init__(self, why: Unusable, at: str = "") -> None:
        self.why, self.at = why, at
        super().__init__(str(why))


_Found = Iterator[tuple[int | None, Body | _NoRecord]]


def _json(stream: BinaryIO, reading: FileReading) -> _Found:
    try:
        for line, body in read_members(codecs.iterdecode(_pieces(stream), "utf-8-sig")):
            yield line, _whole(body)
    except NotJson as error:
        raise _broken(reading, "the file is no JSON from here on", f"{reading.name}:{error.line}") from None
    except UnicodeDecodeError:
        raise _broken(reading, "the file is not UTF-8") from None


def _whole(body: Any) -> Body | _NoRecord:
    if isinstance(body, KeyTwice):
        return _NoRecord(Unusable(Why.KEY_TWICE()), body.path)
    return body if isinstance(body, dict) else _NoRecord(Unusable(Why.NO_OBJECT()))


def _json_lines(stream: BinaryIO, _: FileReading) -> _Found:
    number, mark = 0, codecs.BOM_UTF8
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        whole = _rest_of_line(stream, line)
        line, mark = line.removeprefix(mark).strip(), b""
        if line:
            yield number, line if whole else _NoRecord(Unusable(Why.LONG_LINE()))


def _rest_of_line(stream: BinaryIO, line: bytes) -> bool:
    """Whether there is none; what is too long is read over."""
    whole = len(line) < _LONGEST_LINE
    while len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
        line = stream.readline(_LONGEST_LINE)
    return whole


def _xml(stream: BinaryIO, reading: FileReading) -> _Found:
    try:
        for element in parse_each(_pieces(stream), reading.element, reading.name):
            yield element.sourceline, etree.tostring(element, encoding="UTF-8", with_tail=False)
    except RecordError as error:
        raise ConfigurationError(error.what, where=error.where, expected=error.expected) from None


def _csv(stream: BinaryIO, reading: FileReading) -> _Found:
    with _seekable(stream) as file:
        encoding = _encoding(file, reading)
        lines = _lines(codecs.iterdecode(_pieces(file), encoding))
        first = list(islice(lines, _HEADER_ROWS))
        delimiter = _delimiter(first, reading.table)
        yield from _table(_csv_rows(chain(first, lines), delimiter, reading), reading)


def _delimiter(lines: list[str], table: TableLayout | None) -> str:
    """What makes the most columns of the header; of a known table the most that it knows."""
    if table is None:
        return max(_DELIMITERS, key=next((line for line in lines if line.strip()), "").count)
    return max(_DELIMITERS, key=lambda sign: max((len(_known(line.split(sign), table)) for line in lines), default=0))


def _csv_rows(lines: Iterable[str], delimiter: str, reading: FileReading) -> Values:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, list(row)
            line = reader.line_num + 1
    except csv.Error:
        helps = "a quotation mark within a cell is doubled"
        raise _broken(reading, "the file is no CSV from here on", f"{reading.name}:{line}", helps) from None


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines of a text with their ends; `\\r` alone ends none within quotation marks."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest


def _encoding(file: BinaryIO, reading: FileReading) -> str:
    """UTF-8, UTF-16 with its mark, else Windows-1252, as offices write it."""
    file.seek(0)
    marked = "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""
    for encoding in [marked] if marked else ["utf-8-sig", "cp1252"]:
        file.seek(0)
        try:
            for _ in codecs.iterdecode(_pieces(file), encoding):
                pass
        except UnicodeDecodeError:
            continue
        file.seek(0)
        return encoding
    raise _broken(reading, "the file is neither UTF-8 nor Windows-1252")


def _xlsx(stream: BinaryIO, reading: FileReading) -> _Found:
    """Through the one door for workbooks, which believes no formula and knows what is too much."""
    door = next(iter(entry_points(group="kiezbruecke.workbooks")), None)
    if door is None:
        raise _broken(reading, "nothing here reads workbooks", helps="install Kiezbrücke again")
    rows = door.load()(stream.read(), reading.name)
    yield from _table(((row.number, [_cell(cell) for cell in row.cells]) for row in rows), reading)


class _Formula:
    """A cell whose value is not known: a formula, an error, a time of day."""


def _cell(cell: Any) -> Any:
    return _Formula() if cell.fault else cell.value


def _table(rows: Values, reading: FileReading) -> _Found:
    """The rows below the header as objects; blank ones are left out."""
    above = (_columns(row, reading.table) for _, row in islice(_filled(rows), _HEADER_ROWS))
    columns = next(filter(None, above), None)
    if columns is None:
        raise _broken(reading, "the file has no header", helps="its first row names the columns")
    _refuse_twins(columns, reading)
    empty = {one.key: one.empty for one in reading.table.columns if one.empty} if reading.table else {}
    for line, row in _filled(rows):
        try:
            yield line, {**empty, **_object(row, columns)}
        except _NoRecord as why:
            yield line, why


def _filled(rows: Values) -> Iterator[tuple[int, list[Any]]]:
    return ((line, row) for line, row in rows if any(not _is_blank(cell) for cell in row))


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


_Columns = list[str | LayoutColumn | None]  # by their place; None for those that nobody reads


def _columns(row: list[Any], table: TableLayout | None) -> _Columns:
    """What the columns are called; of a known table only its own, which may stand below a title."""
    if table is None:
        return [(clean(one) or None) if isinstance(one, str) else None for one in row]
    return [table.by_header.get(folded(str(one))) for one in row] if _known(row, table) else []


def _refuse_twins(columns: _Columns, reading: FileReading) -> None:
    """Of two columns of one name nobody knows which is meant."""
    first: dict[str, int] = {}
    for number, column in enumerate(columns, 1):
        name = _key(column) if column else None
        if name is not None and first.setdefault(name, number) != number:
            raise _broken(reading, f"columns {first[name]} and {number} have the same name")


def _known(row: Iterable[Any], table: TableLayout) -> set[str]:
    return {folded(one) for one in row if isinstance(one, str)} & table.by_header.keys()


def _object(row: list[Any], columns: _Columns) -> dict[str, Any]:
    """The cells by the names of their columns, those of a table by its keys; what is empty is not there."""
    found: dict[str, Any] = {}
    for index, cell in enumerate(row):
        if _is_blank(cell):
            continue
        if index >= len(columns):
            raise _NoRecord(Unusable(Why.MORE_CELLS(), Instead.QUOTED()))
        column = columns[index]
        if column is None:
            continue
        if isinstance(cell, _Formula):
            raise _NoRecord(Unusable(Why.UNKNOWN_CELL(index + 1)), _key(column))
        if isinstance(column, LayoutColumn):
            found[column.key] = _text(cell, column)
        else:
            found[column] = unharmed(clean(cell)) if isinstance(cell, str) else _exact(cell)
    return found


def _key(column: str | LayoutColumn) -> str:
    return column if isinstance(column, str) else column.key


def _exact(value: Any) -> Any:
    """A number as it was typed: the shortest decimal that means this float."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _text(value: Any, column: LayoutColumn) -> str:
    """A cell as the mapping of a sheet reads it: German text by the column's type, as the folder hands it over."""
    match _exact(value):
        case bool() as truth:
            return "ja" if truth else "nein"
        case int() | Decimal() as number if column.type == "money":
            return f"{number:.2f}".replace(".", ",") if round(number, 2) == number else f"{number:f}".replace(".", ",")
        case int() | Decimal() as number:
            return f"{number:f}" if column.type == "number" else f"{number:f}".replace(".", ",")
        case datetime() | date() as day:
            return f"{day:%d.%m.%Y}"
        case other:
            text = unharmed(clean(str(other)))
    if column.type != "yes_no":
        return text
    try:
        return "ja" if yes_no(text) else "nein"
    except Unusable as neither:
        raise _NoRecord(neither, column.key) from None


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(_PIECE), b"")


def _seekable(stream: BinaryIO) -> BinaryIO:
    """The stream, or a copy on the disk where it can be read only once."""
    if stream.seekable():
        return stream
    copy = TemporaryFile()  # noqa: SIM115 - whoever asked for it closes it
    for piece in _pieces(stream):
        copy.write(piece)
    copy.seek(0)
    return copy


def _broken(reading: FileReading, what: str, where: str = "", helps: str = "") -> ConfigurationError:
    return ConfigurationError(what, where=where or reading.name, helps=helps)


_READERS: dict[FileForm, Callable[[BinaryIO, FileReading], _Found]] = {
    FileForm.JSON: _json,
    FileForm.JSON_LINES: _json_lines,
    FileForm.CSV: _csv,
    FileForm.XLSX: _xlsx,
    FileForm.XML: _xml,
}
