"""A sheet's meaning as a table: which row is the header, which lines there are, and what is wrong with them.

rows ──▶ header (unknown columns are noted, missing ones refuse the sheet) ──▶ lines: values or a problem
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from connectors._tables import Merge, Row, SheetProblem, Worksheet
from connectors.folder.cells import LONGEST_CELL, CellProblem, cuts_time, read_cell
from connectors.folder.ditto import Above
from connectors.folder.table import Column, Role, Table
from kiezbruecke.german import count
from kiezbruecke.plaintext import folded
from kiezbruecke.records import Process
from kiezbruecke.records.references import is_paper

TITLE_ROWS = 5
_LONGEST_NAME = 60
_MOST_ROWS_TOLD = 10
_MOST_COLUMNS_TOLD = 10
_MOST_UNKNOWN = 50
_MOST_MERGED_ROWS = 200_000
_ONLY_SHOWN = "nur zur ansicht)"  # a column that `kiezbruecke sheet new` writes for people; nothing to note
_FEWEST_HEADERS = 3  # a row that names fewer known columns is no header, unless the table has no more
_LONGEST_ID = 100
_TOTAL = re.compile(r"(gesamt)?summe\b|gesamt(betrag)?\b|total\b", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line of a sheet: its values by key, or the problem that keeps it out."""

    number: int
    reference: str
    values: Mapping[str, str]
    problem: str = ""
    note: str = ""  # what was understood without being written
    id: str = ""  # of its own, where the table's lines are things that change


@dataclass(frozen=True)
class Sheet:
    """What a sheet says. `notes` are for the clerk: columns and cells that were not read."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """Where the columns stand, by position."""

    row: Row
    columns: Mapping[int, Column]
    width: int
    lettered: bool = True

    def place(self, index: int) -> str:
        """` (Spalte C)`: where people find a column; nothing where columns have no letters."""
        return f" (Spalte {_letter(index)})" if self.lettered else ""

    @property
    def keys(self) -> list[str]:
        """The keys of the columns that are there."""
        return [column.key for column in self.columns.values()]

    @property
    def last(self) -> Column | None:
        """The rightmost column, where it is a known one."""
        return self.columns.get(self.width - 1)


def read_sheet(worksheets: Sequence[Worksheet], table: Table, process: Process) -> Sheet:
    """The lines of the one worksheet that holds the table; raises SheetProblem."""
    sheet, header = _only_one(worksheets, table)
    _check_header(header, table)
    below = [row for row in sheet.rows if row.number > header.row.number]
    if sheet.header is None:
        _refuse_second_header(sheet.rows, header, table)
    reader = _LineReader(table, header, process, Merged(sheet.merges, below))
    lines = tuple(reader.read(row) for row in below if row.fault or _has_values(row, header))
    if not lines:
        raise SheetProblem("Die Tabelle ist leer: unter der Kopfzeile steht keine ausgefüllte Zeile.")
    return Sheet(
        lines,
        (
            *_unknown_columns(header, table),
            *reader.notes(),
            *_unread(below, header),
            *_hidden(worksheets, sheet, header, table),
        ),
    )


def _only_one(worksheets: Sequence[Worksheet], table: Table) -> tuple[Worksheet, Header]:
    if not any(sheet.rows for sheet in worksheets):
        raise SheetProblem("Die Datei ist leer.")
    found = [(sheet, header) for sheet in worksheets if (header := _find_header(sheet, table))]
    seen = [(sheet, header) for sheet, header in found if not sheet.hidden]
    if found and not seen:
        raise SheetProblem("Die Tabelle steht auf einem ausgeblendeten Tabellenblatt; bitte einblenden und prüfen.")
    if not seen:
        names = ", ".join(column.name for column in table.columns if column.mandatory)
        raise SheetProblem(
            f"Es gibt keine Kopfzeile in den ersten {TITLE_ROWS + 1} ausgefüllten Zeilen; erwartet: {names}."
        )
    if len(seen) > 1:
        raise SheetProblem("Mehrere Tabellenblätter tragen die Kopfzeile; erwartet: genau eines je Datei.")
    return seen[0]


def _find_header(sheet: Worksheet, table: Table) -> Header | None:
    """The row among the first that names the most known columns; or the one that the format itself gives."""
    if sheet.header is not None:
        return replace(_as_header(sheet.header, table), lettered=False)
    candidates = [_as_header(row, table) for row in sheet.rows[: TITLE_ROWS + 1]]
    best = max(candidates, key=lambda header: len(header.columns), default=None)
    return best if best and len(best.columns) >= min(_FEWEST_HEADERS, len(table.columns)) else None


def _as_header(row: Row, table: Table) -> Header:
    names = [folded(cell.text) for cell in row.cells]
    columns = {
        index: _called(row.cells[index].text, table.by_header[name])
        for index, name in enumerate(names)
        if name in table.by_header
    }
    width = max((index + 1 for index, name in enumerate(names) if name), default=0)
    return Header(row, columns, width)


def _called(name: str, column: Column) -> Column:
    """The column by the name that its header gives it: people look for that one."""
    return column if folded(name) == folded(column.name) else column.model_copy(update={"name": name})


def _refuse_second_header(rows: Sequence[Row], header: Header, table: Table) -> None:
    """Ja, Nein and Enthaltung under a common „Stimmen“: read by half, the votes would be missing."""
    place = next(place for place, row in enumerate(rows) if row is header.row)
    beside = [*rows[:place], *(row for row in rows[place + 1 : place + 2] if not _is_line(row, header))]
    for row in beside:
        if name := _named_beside(row, header, table):
            first, second = sorted((row.number, header.row.number))
            raise SheetProblem(
                f"Die Kopfzeile hat zwei Zeilen ({first} und {second}): „{name}“ steht in Zeile {row.number}. "
                "Erwartet: alle Spaltennamen in einer Zeile, ohne verbundene Zellen."
            )


def _is_line(row: Row, header: Header) -> bool:
    return any(not row.cell(index).blank for index, column in header.columns.items() if column.required)


def _named_beside(row: Row, header: Header, table: Table) -> str:
    """A column that this row names, and the header does not, where the header names none."""
    for index, cell in enumerate(row.cells):
        column = table.by_header.get(folded(cell.text))
        if column and index not in header.columns and column.key not in header.keys:
            return column.name
    return ""


def _check_header(header: Header, table: Table) -> None:
    found = header.keys
    doubled = sorted({column.name for column in table.columns if found.count(column.key) > 1})
    problems = [f"Die Spalte „{name}“ gibt es mehrmals." for name in doubled]
    unknown = _unknown(header)
    problems += [
        f"Die Spalte „{column.name}“ fehlt.{_nearest(column, header, unknown)}"
        for column in table.columns
        if column.mandatory and column.key not in found
    ]
    if problems:
        raise SheetProblem(" ".join(problems))


def _unknown(header: Header) -> dict[int, str]:
    return {
        index: cell.text for index, cell in enumerate(header.row.cells) if index not in header.columns and cell.text
    }


def _nearest(column: Column, header: Header, unknown: Mapping[int, str]) -> str:
    """A near name is told; any other text of the header row stays unsaid, it may be a person's name."""
    by_name = {folded(name): index for index, name in unknown.items()}
    close = get_close_matches(folded(column.name), by_name, n=1, cutoff=0.7)
    if not close:
        return ""
    index = by_name[close[0]]
    return f" Ähnlich heißt „{unknown[index]}“{header.place(index)}; bitte umbenennen."


def _unknown_columns(header: Header, table: Table) -> list[str]:
    missing = {folded(column.name): column for column in table.columns if column.key not in header.keys}
    shown = set(map(folded, table.shown))
    unknown = {
        index: name
        for index, name in _unknown(header).items()
        if folded(name) not in shown and not folded(name).endswith(_ONLY_SHOWN)
    }
    told = [_unknown_note(header.place(index), name, missing, table) for index, name in unknown.items()]
    left = len(told) - _MOST_UNKNOWN
    more = [f"Noch {count(left, 'unbekannte Spalte', 'unbekannte Spalten')}."] if left > 0 else []
    return [*told[:_MOST_UNKNOWN], *more]


def _unknown_note(place: str, name: str, missing: Mapping[str, Column], table: Table) -> str:
    """In a sheet with account data a name that is near to none stays unsaid: an account may have slipped into it."""
    close = get_close_matches(folded(name), missing, n=1, cutoff=0.7)
    meant = f" Ist „{missing[close[0]].name}“ gemeint?" if close else ""
    shown = f"„{name[:_LONGEST_NAME]}“{place}" if close or not table.secrets else f"mit einem anderen Namen{place}"
    return f"Die Spalte {shown} ist unbekannt und wurde nicht gelesen.{meant}"


def _letter(index: int) -> str:
    """C for the third column."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - takes its time, and few columns are spoken of

    return get_column_letter(index + 1)


def _has_values(row: Row, header: Header) -> bool:
    return any(not row.cell(index).blank for index in header.columns)


def _unread(rows: Sequence[Row], header: Header) -> list[str]:
    """What stands outside the table: columns without a name, a remark beside it, a note below it."""
    outside = [row.number for row in rows if not row.fault and (not _has_values(row, header) or _beyond(row, header))]
    nameless: dict[int, list[int]] = {}
    for row in rows:
        for index, cell in enumerate(row.cells):
            if not cell.blank and _is_nameless(index, header):
                nameless.setdefault(index, []).append(row.number)
    notes = [
        f"Die Spalte {_letter(index)} hat keinen Namen und wurde nicht gelesen; {_rows(numbers)}."
        for index, numbers in sorted(nameless.items())[:_MOST_COLUMNS_TOLD]
    ]
    if outside:
        notes.append(f"Außerhalb der Tabelle steht etwas, das nicht gelesen wurde; {_rows(outside)}.")
    return notes


def _is_nameless(index: int, header: Header) -> bool:
    return not header.row.cell(index).text


def _rows(numbers: Sequence[int]) -> str:
    """`Zeile: 3, 5`, the first few."""
    return "Zeile: " + ", ".join(map(str, numbers[:_MOST_ROWS_TOLD])) + (" …" if len(numbers) > _MOST_ROWS_TOLD else "")


def _beyond(row: Row, header: Header) -> bool:
    return any(not cell.blank for cell in row.cells[header.width :])


def _quoted(name: str, table: Table) -> str:
    return "" if table.secrets else f" „{name[:_LONGEST_NAME]}“"


def _hidden(worksheets: Sequence[Worksheet], sheet: Worksheet, header: Header, table: Table) -> list[str]:
    """What the clerk does not see: sheets are left, rows and columns of the table are read like all others."""
    notes = [
        f"Das Tabellenblatt{_quoted(one.name, table)} ist ausgeblendet und wurde nicht gelesen."
        for one in worksheets
        if one.hidden and one.rows
    ]
    rows = sorted(number for number in sheet.hidden_rows if number > header.row.number)
    if rows:
        notes.append(f"Ausgeblendete Zeilen wurden mitgelesen; {_rows(rows)}.")
    notes += [
        f"Die Spalte „{column.name}“ ({_letter(index)}) ist ausgeblendet und wurde mitgelesen."
        for index, column in header.columns.items()
        if index in sheet.hidden_columns
    ]
    return notes


class Merged:
    """Which cells below the header share one cell with others: nobody knows for which of them its value is meant."""

    def __init__(self, merges: Sequence[Merge], rows: Sequence[Row]) -> None:
        self._by_row: dict[int, list[Merge]] = {}
        numbers = [row.number for row in rows]
        left = _MOST_MERGED_ROWS
        for merge in merges:
            covered = numbers[bisect_left(numbers, merge.first_row) : bisect_right(numbers, merge.last_row)]
            left -= len(covered)
            if left < 0:
                raise SheetProblem("Die Tabelle hat zu viele verbundene Zellen; bitte den Verbund der Zellen aufheben.")
            for number in covered:
                self._by_row.setdefault(number, []).append(merge)

    def holds(self, row: int, index: int, columns: Mapping[int, Column]) -> bool:
        """Whether the cell shares its place with one of another line or of another known column."""
        return any(
            merge.first_column <= index <= merge.last_column
            and (
                merge.last_row > merge.first_row
                or any(merge.first_column <= one <= merge.last_column for one in columns if one != index)
            )
            for merge in self._by_row.get(row, ())
        )


class _LineReader:
    """Reads the lines below one header."""

    def __init__(self, table: Table, header: Header, process: Process, merged: Merged) -> None:
        self._table = table
        self._header = header
        self._merged = merged
        self._cut_times: dict[str, list[int]] = {}
        self._full: dict[str, list[int]] = {}
        self._process = process
        self._names = {folded(process.id), folded(process.name)}
        self._index = {column.key: index for index, column in header.columns.items()}
        self._above = Above({column.key: column.name for column in table.columns if column.repeats})
        self._ids: dict[str, int] = {}

    def read(self, row: Row) -> Line:
        """One line; every problem of it is told at once."""
        if row.fault:
            return Line(row.number, "", {}, row.fault)
        reference = self._text(row, self._table.of_role("reference"))
        reference = reference if self._process.numbers(reference) else ""
        if not reference and self._is_total(row):
            problem = "Summenzeilen werden nicht gelesen; bitte weglassen."
            return Line(row.number, "", {}, problem)
        values, problems = self._values(row)
        unresolved, note = self._above.resolve(row.number, values)
        problems += unresolved + self._process_problems(values) + self._shape_problems(row)
        own, doubled = self._id(row.number, values)
        return Line(row.number, reference, values, " ".join(problems + doubled), note, own)

    def notes(self) -> list[str]:
        """What was left out of cells that were read, or may have been before they came here."""
        return [
            *(
                f"„{name}“ trägt eine Uhrzeit; gelesen wurde nur der Tag; {_rows(rows)}."
                for name, rows in self._cut_times.items()
            ),
            *(
                f"„{name}“ ist so lang, wie eine Zelle sein kann, und vielleicht abgeschnitten; {_rows(rows)}."
                for name, rows in self._full.items()
            ),
        ]

    def _id(self, row: int, values: Mapping[str, str]) -> tuple[str, list[str]]:
        """The line's id, and what is wrong with it: two lines of one id are two words about one thing."""
        own = values.get(self._table.id, "")
        if not own:
            return "", []
        name = self._header.columns[self._index[self._table.id]].name
        if len(own) > _LONGEST_ID or "\n" in own:
            return "", [f"„{name}“ ist kein Schlüssel; erwartet: eine Zeile mit höchstens {_LONGEST_ID} Zeichen."]
        first = self._ids.setdefault(own, row)
        return (
            ("", [f"„{name}“ steht schon in Zeile {first}; erwartet: jede Nummer nur einmal."])
            if first != row
            else (own, [])
        )

    def _text(self, row: Row, column: Column | None) -> str:
        return row.cell(self._index[column.key]).text if column and column.key in self._index else ""

    def _is_total(self, row: Row) -> bool:
        if self._header.lettered is False or folded(self._text(row, self._table.of_role("process"))) in self._names:
            return False
        if self._table.id and not row.cell(self._index[self._table.id]).blank:
            return False
        first = next(cell for cell in row.cells if not cell.blank)
        return bool(_TOTAL.match(first.text))

    def _values(self, row: Row) -> tuple[dict[str, str], list[str]]:
        """All keys of the table, so that a mapping may name each; a missing column is an empty text."""
        values = {column.key: column.empty for column in self._table.columns}
        problems = []
        for index, column in self._header.columns.items():
            if self._merged.holds(row.number, index, self._header.columns):
                problems.append(
                    f"„{column.name}“ ist mit anderen Zellen verbunden; bitte jede Zelle einzeln ausfüllen."
                )
                continue
            try:
                values[column.key] = read_cell(row.cell(index), column) or column.empty
            except CellProblem as problem:
                problems.append(str(problem))
                continue
            if len(values[column.key]) >= LONGEST_CELL:
                self._full.setdefault(column.name, []).append(row.number)
            if cuts_time(row.cell(index), column):
                self._cut_times.setdefault(column.name, []).append(row.number)
        return values, problems

    def _process_problems(self, values: Mapping[str, str]) -> list[str]:
        problems = []
        process = self._table.said("process", values)
        if process and folded(process) not in self._names:
            expected = f"„{self._process.id}“ oder „{self._process.name}“"
            name = self._called("process")
            problems.append(f"„{name}“ nennt ein anderes Verfahren; erwartet: {expected}.")
        year = self._table.said("fiscal_year", values)
        if year.isdecimal() and int(year) != self._process.fiscal_year:
            problems.append(f"Das Haushaltsjahr passt nicht zum Verfahren; erwartet: {self._process.fiscal_year}.")
        reference = self._table.said("reference", values)
        if reference and not self._process.numbers(reference):
            taken = (one for one in self._process.example_numbers if not (self._table.id and is_paper(one)))
            expected = " oder ".join(taken)
            problems.append(f"Die Referenznummer hat nicht die richtige Form; richtig ist z. B. {expected}.")
        elif self._table.id and is_paper(reference):
            expected = " oder ".join(one for one in self._process.example_numbers if not is_paper(one))
            told = "Nummern wie P-1 vergibt nur die Beschlussliste, in jeder Bezirksregion eigene"
            problems.append(f"{told}; erwartet: eine Nummer wie {expected}.")
        return problems

    def _called(self, role: Role) -> str:
        column = self._table.of_role(role)
        assert column is not None
        return self._header.columns[self._index[column.key]].name if column.key in self._index else column.name

    def _shape_problems(self, row: Row) -> list[str]:
        """A line that is shifted or cut must not become another amount."""
        longer = len(row.cells) > len(self._header.row.cells)
        if row.separated and (longer or _beyond(row, self._header)):
            return ['Die Zeile hat mehr Zellen als die Kopfzeile; erwartet: Text mit Trennzeichen in "…".']
        last = self._header.last
        cut = row.cut and (len(row.cells) < self._header.width or (last is not None and last.type != "text"))
        return ["Die Datei endet mitten in dieser Zeile und ist vielleicht abgeschnitten."] if cut else []
