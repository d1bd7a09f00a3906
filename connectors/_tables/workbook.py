"""XLSX files: refused before they can do harm, then read as they are. No formula is believed.

package ─▶ workbook.xml (which sheets) ─▶ styles, shared texts ─▶ sheet by sheet: rows, merges, what is hidden
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from connectors._tables import cells
from connectors._tables.cells import Cell, Merge, Row, SheetProblem, Worksheet
from connectors._tables.limits import Meter, TableLimits
from connectors._tables.package import BROKEN, UNREADABLE, Package, Silent
from connectors._tables.styles import Shown, Styles
from kiezbruecke.plaintext import clean

_LAST_ROW = 1_048_576  # Excel's last row
_MOST_COLUMN_RANGES = 1_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?")
_YES = ("1", "true")
_MACRO_SHEETS = ("xlMacrosheet", "xlIntlMacrosheet")
_FAULTS = {Shown.PERCENT: cells.PERCENT, Shown.SCALED: cells.SCALED}


def read_workbook(raw: bytes, limits: TableLimits) -> list[Worksheet]:
    """Every worksheet with its filled rows; raises SheetProblem."""
    try:
        return _read(Package(raw, limits))
    except UNREADABLE:
        raise SheetProblem(BROKEN) from None


def written(text: str) -> str:
    """The text of a cell as people see it: `_x000D_` is a sign, `_x005F_` the underscore before such a word.

    ECMA-376, part 1, 22.9.2.19 (ST_Xstring).
    """
    if "_x" in text:
        signs = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = signs.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two escapes may make one sign
    return clean(text)


def _read(package: Package) -> list[Worksheet]:
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH  # noqa: PLC0415 - takes its time; most sheets are CSV

    start = next((part for kind, part in package.relations("").values() if kind == "officeDocument"), "xl/workbook.xml")
    book = _Book(package.limits.sheets)
    package.parse(start, book)
    relations = package.relations(start)
    if any(kind in _MACRO_SHEETS for kind, _ in relations.values()):
        raise SheetProblem("Die Datei enthält Makros; bitte ohne Makros als XLSX speichern.")
    styles, texts = Styles(), _Texts(package.meter)
    for kind, part in relations.values():
        if kind in ("styles", "sharedStrings") and package.has(part):
            package.parse(part, styles if kind == "styles" else texts)
    known = _Known(styles.table(), texts.texts, MAC_EPOCH if book.from_1904 else WINDOWS_EPOCH)
    return [
        _sheet(package, relations[place][1], name, hidden, known)
        for name, hidden, place in book.sheets
        if relations.get(place, ("", ""))[0] == "worksheet"
    ]


def _sheet(package: Package, part: str, name: str, hidden: bool, known: _Known) -> Worksheet:
    reader = _Sheet(known, package.meter)
    package.parse(part, reader)
    return Worksheet(
        tuple(reader.rows),
        clean(name),
        hidden,
        frozenset(reader.hidden_rows),
        frozenset(reader.hidden_columns),
        tuple(reader.merges),
    )


class _Book(Silent):
    """The sheets of a workbook: name, whether hidden, id of the relation that leads to it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.sheets: list[tuple[str, bool, str]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr":
            self.from_1904 = attributes.get("date1904", "") in _YES
        elif name == "sheet":
            place = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            self.sheets.append((attributes.get("name", ""), attributes.get("state", "visible") != "visible", place))
            if len(self.sheets) > self._most:
                raise SheetProblem(f"Die Datei hat zu viele Tabellenblätter; erwartet: höchstens {self._most}.")


class _Words(Silent):
    """Collects the text of `t` elements, without phonetic guides."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pieces: list[str] = []
        self._open = self._guide = False

    def text(self, text: str) -> None:
        if self._open:
            self._meter.text(len(text))
            self._pieces.append(text)

    def _words(self) -> str:
        words = "".join(self._pieces)
        self._pieces.clear()
        return words


class _Texts(_Words):
    """The texts that cells share, by number."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self.texts: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        del attributes
        self._guide = self._guide or name == "rPh"
        self._open = name == "t" and not self._guide

    def end(self, name: str) -> None:
        self._open = False
        if name == "rPh":
            self._guide = False
        elif name == "si":
            self.texts.append(written(self._words()))


class _Known:
    """What the cells of all sheets refer to."""

    def __init__(self, styles: Sequence[Shown], texts: Sequence[str], epoch: datetime) -> None:
        self._styles, self._texts, self._epoch = styles, texts, epoch

    def cell(self, kind: str, style: str, value: str) -> Cell:
        """A cell without a formula."""
        match kind:
            case "s":
                return Cell(self._texts[int(value)]) if value else cells.NOTHING
            case "str" | "inlineStr":
                return Cell(written(value))
            case "b":
                return Cell(value in _YES) if value else cells.NOTHING
            case "e":
                return Cell(value, cells.BROKEN)
            case "d":
                return _day(datetime.fromisoformat(value).replace(tzinfo=None)) if value else cells.NOTHING
            case _:
                return self._number(style, value) if value else cells.NOTHING

    def _number(self, style: str, text: str) -> Cell:
        if not _NUMBER.fullmatch(text):
            return Cell(clean(text), cells.ENDLESS)
        value = float(text) if set(text) & set(".eE") else int(text)
        kind = self._styles[int(style)] if style.isdigit() and int(style) < len(self._styles) else Shown.NUMBER
        if kind in (Shown.DAY, Shown.CLOCK):
            return self._moment(value, kind, text)
        found = cells.number_cell(value)
        return Cell(found.value, found.fault or _FAULTS.get(kind, ""))

    def _moment(self, value: float, kind: Shown, text: str) -> Cell:
        from openpyxl.utils.datetime import from_excel  # noqa: PLC0415 - as above

        try:
            found = from_excel(value, self._epoch)
        except (OverflowError, ValueError):
            return Cell(text, cells.NO_DAY)
        return _day(found) if kind is Shown.DAY else Cell(str(found), cells.CLOCK)


def _day(found: datetime | time | date | object) -> Cell:
    """A day to the second; a time without a day says so."""
    return Cell(found.replace(microsecond=0)) if isinstance(found, datetime) else Cell(str(found), cells.CLOCK)


class _Sheet(_Words):
    """The filled rows of one sheet."""

    def __init__(self, known: _Known, meter: Meter) -> None:
        super().__init__(meter)
        self.rows: list[Row] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merges: list[Merge] = []
        self._known = known
        self._ranges = 0
        self._data = False
        self._row, self._row_hidden = 0, False
        self._filled: list[tuple[int, Cell]] = []
        self._column = -1
        self._cell: Mapping[str, str] | None = None
        self._formula: str | None = None
        self._value = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._open = False
        if self._cell is not None:
            self._start_within_cell(name)
        elif name == "sheetData":
            self._data = True
        elif name == "row" and self._data:
            self._start_row(attributes)
        elif name == "c" and self._data:
            self._start_cell(attributes)
        elif name == "col":
            self._hide(attributes)
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def end(self, name: str) -> None:
        self._open = False
        match name:
            case "v" | "f" | "is" if self._cell is not None:
                self._end_within_cell(name)
            case "rPh":
                self._guide = False
            case "c" if self._cell is not None:
                self._end_cell(self._cell)
            case "row" if self._data:
                self._end_row()
            case "sheetData":
                self._data = False

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        number = int(attributes.get("r", self._row + 1))
        if number <= self._row:
            raise SheetProblem(BROKEN)  # a row twice: nobody knows which one people see
        self._row, self._column = number, -1
        self._row_hidden = attributes.get("hidden", "") in _YES
        self._filled = []

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        place = attributes.get("r")
        row, column = _place(place) if place else (self._row, self._column + 1)
        if row != self._row or column <= self._column:
            raise SheetProblem(BROKEN)
        self._column, self._cell = column, attributes
        self._formula, self._value = None, ""

    def _start_within_cell(self, name: str) -> None:
        self._guide = self._guide or name == "rPh"
        self._open = name in ("v", "f") or (name == "t" and not self._guide)

    def _end_within_cell(self, name: str) -> None:
        words = self._words()
        if name == "f":
            self._formula = words
        else:
            self._value = words

    def _end_cell(self, attributes: Mapping[str, str]) -> None:
        self._cell = None
        found = self._read(attributes)
        if not found.blank:
            self._meter.cell(self._column)
            self._filled.append((self._column, found))

    def _read(self, attributes: Mapping[str, str]) -> Cell:
        if self._formula is not None:
            return Cell(written(f"={self._formula}"), cells.FORMULA)
        kind = attributes.get("t", "n")
        value = self._value if kind in ("str", "inlineStr") else self._value.strip()
        return self._known.cell(kind, attributes.get("s", "0"), value)

    def _end_row(self) -> None:
        if not self._filled:
            return
        if self._row > _LAST_ROW:
            raise SheetProblem(BROKEN)
        self._meter.row()
        found = [cells.NOTHING] * (self._filled[-1][0] + 1)
        for column, cell in self._filled:
            found[column] = cell
        self.rows.append(Row(self._row, tuple(found)))
        if self._row_hidden:
            self.hidden_rows.add(self._row)

    def _hide(self, attributes: Mapping[str, str]) -> None:
        self._ranges += 1
        if attributes.get("hidden", "") in _YES and self._ranges <= _MOST_COLUMN_RANGES:
            first, last = int(attributes.get("min", 1)), int(attributes.get("max", 1))
            self.hidden_columns.update(range(first - 1, min(last, self._meter.limits.columns)))

    def _merge(self, ref: str) -> None:
        start, _, end = ref.partition(":")
        (first_row, first_column), (last_row, last_column) = _place(start), _place(end or start)
        self.merges.append(Merge(first_row, last_row, first_column, last_column))
        if len(self.merges) > self._meter.limits.merges:
            raise SheetProblem("Die Tabelle hat zu viele verbundene Zellen; bitte den Verbund der Zellen aufheben.")


def _place(ref: str) -> tuple[int, int]:
    """`B3` as row and column: 3 and 1."""
    found = _PLACE.fullmatch(ref)
    if not found:
        raise ValueError
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column - 1
