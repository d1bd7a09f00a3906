"""A sheet's meaning as a table: which row is the header, which lines there are, and what is wrong with them.

rows ──▶ header (unknown columns are noted, missing ones refuse the sheet) ──▶ lines: values or a problem
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from openpyxl.utils import get_column_letter

from connectors._tables import Row, SheetProblem, folded
from connectors.folder.cells import CellProblem, read_cell
from connectors.folder.ditto import Above
from connectors.folder.table import Column, Table
from kiezbruecke.records import Process

TITLE_ROWS = 5
_LONGEST_NAME = 60
_MOST_ROWS_TOLD = 10
_FEWEST_HEADERS = 3  # a row that names fewer known columns is no header
REFERENCE = re.compile(r"\d{4}-\d{5,12}|P-[1-9]\d{0,3}", re.ASCII)
_TOTAL = re.compile(r"(gesamt)?summe\b|gesamt(betrag)?\b|total\b", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line of a sheet: its values by key, or the problem that keeps it out."""

    number: int
    reference: str
    values: Mapping[str, str]
    problem: str = ""
    note: str = ""  # what was understood without being written


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

    @property
    def last(self) -> Column | None:
        """The rightmost column, where it is a known one."""
        return self.columns.get(self.width - 1)


def read_sheet(worksheets: Sequence[Sequence[Row]], table: Table, process: Process) -> Sheet:
    """The lines of the one worksheet that holds the table; raises SheetProblem."""
    rows, header = _only_one(worksheets, table)
    _check_header(header, table)
    below = [row for row in rows if row.number > header.row.number]
    reader = _LineReader(table, header, process)
    lines = tuple(reader.read(row) for row in below if _has_values(row, header))
    if not lines:
        raise SheetProblem("Die Tabelle ist leer: unter der Kopfzeile steht keine ausgefüllte Zeile.")
    return Sheet(lines, (*_unknown_columns(header, table), *_stray_rows(below, header)))


def _only_one(worksheets: Sequence[Sequence[Row]], table: Table) -> tuple[Sequence[Row], Header]:
    found = [(rows, header) for rows in worksheets if (header := _find_header(rows, table))]
    if not any(worksheets):
        raise SheetProblem("Die Datei ist leer.")
    if not found:
        names = ", ".join(column.name for column in table.columns if column.mandatory)
        raise SheetProblem(
            f"Es gibt keine Kopfzeile in den ersten {TITLE_ROWS + 1} ausgefüllten Zeilen; erwartet: {names}."
        )
    if len(found) > 1:
        raise SheetProblem("Mehrere Tabellenblätter tragen die Kopfzeile; erwartet: genau eines je Datei.")
    return found[0]


def _find_header(rows: Sequence[Row], table: Table) -> Header | None:
    """The row among the first that names the most known columns."""
    candidates = [_as_header(row, table) for row in rows[: TITLE_ROWS + 1]]
    best = max(candidates, key=lambda header: len(header.columns), default=None)
    return best if best and len(best.columns) >= _FEWEST_HEADERS else None


def _as_header(row: Row, table: Table) -> Header:
    names = [folded(cell.text) for cell in row.cells]
    columns = {index: table.by_header[name] for index, name in enumerate(names) if name in table.by_header}
    width = max((index + 1 for index, name in enumerate(names) if name), default=0)
    return Header(row, columns, width)


def _check_header(header: Header, table: Table) -> None:
    found = [column.name for column in header.columns.values()]
    doubled = sorted({name for name in found if found.count(name) > 1})
    problems = [f"Die Spalte „{name}“ gibt es mehrmals." for name in doubled]
    unknown = _unknown(header)
    problems += [
        f"Die Spalte „{column.name}“ fehlt.{_nearest(column, unknown)}"
        for column in table.columns
        if column.mandatory and column.name not in found
    ]
    if problems:
        raise SheetProblem(" ".join(problems))


def _unknown(header: Header) -> dict[int, str]:
    return {
        index: cell.text for index, cell in enumerate(header.row.cells) if index not in header.columns and cell.text
    }


def _nearest(column: Column, unknown: Mapping[int, str]) -> str:
    """A near name is told; any other text of the header row stays unsaid, it may be a person's name."""
    by_name = {folded(name): index for index, name in unknown.items()}
    close = get_close_matches(folded(column.name), by_name, n=1, cutoff=0.7)
    if not close:
        return ""
    index = by_name[close[0]]
    return f" Ähnlich heißt „{unknown[index]}“ (Spalte {get_column_letter(index + 1)}); bitte umbenennen."


def _unknown_columns(header: Header, table: Table) -> list[str]:
    found = header.columns.values()
    missing = {folded(column.name): column for column in table.columns if column not in found}
    return [_unknown_note(index, name, missing) for index, name in _unknown(header).items()]


def _unknown_note(index: int, name: str, missing: Mapping[str, Column]) -> str:
    close = get_close_matches(folded(name), missing, n=1, cutoff=0.7)
    meant = f" Ist „{missing[close[0]].name}“ gemeint?" if close else ""
    shown = f"„{name[:_LONGEST_NAME]}“ (Spalte {get_column_letter(index + 1)})"
    return f"Die Spalte {shown} ist unbekannt und wurde nicht gelesen.{meant}"


def _has_values(row: Row, header: Header) -> bool:
    return any(not row.cell(index).blank for index in header.columns)


def _stray_rows(rows: Sequence[Row], header: Header) -> list[str]:
    """Rows with something outside the table: a remark beside it, a note below it."""
    stray = [row.number for row in rows if not _has_values(row, header) or _beyond(row, header)]
    if not stray:
        return []
    shown = ", ".join(map(str, stray[:_MOST_ROWS_TOLD])) + (" …" if len(stray) > _MOST_ROWS_TOLD else "")
    return [f"Außerhalb der Tabelle steht etwas, das nicht gelesen wurde; Zeile: {shown}."]


def _beyond(row: Row, header: Header) -> bool:
    return any(not cell.blank for cell in row.cells[header.width :])


class _LineReader:
    """Reads the lines below one header."""

    def __init__(self, table: Table, header: Header, process: Process) -> None:
        self._table = table
        self._header = header
        self._process = process
        self._names = {folded(process.id), folded(process.name)}
        self._index = {column.key: index for index, column in header.columns.items()}
        self._names_of_columns = {column.key: column.name for column in table.columns}
        self._above = Above()

    def read(self, row: Row) -> Line:
        """One line; every problem of it is told at once."""
        reference = self._text(row, "referenznummer")
        reference = reference if REFERENCE.fullmatch(reference) else ""
        if not reference and self._is_total(row):
            problem = "Die Summenzeile wurde nicht verstanden und nicht übernommen; sie darf entfallen."
            return Line(row.number, "", {}, problem)
        values, problems = self._values(row)
        unresolved, note = self._above.resolve(row.number, values, self._names_of_columns)
        problems += unresolved + self._process_problems(values) + self._shape_problems(row)
        return Line(row.number, reference, values, " ".join(problems), note)

    def _text(self, row: Row, key: str) -> str:
        return row.cell(self._index[key]).text if key in self._index else ""

    def _is_total(self, row: Row) -> bool:
        if folded(self._text(row, "verfahren")) in self._names:
            return False
        first = next(cell for cell in row.cells if not cell.blank)
        return bool(_TOTAL.match(first.text))

    def _values(self, row: Row) -> tuple[dict[str, str], list[str]]:
        """All keys of the table, so that a mapping may name each; a missing column is an empty text."""
        values = {column.key: "" for column in self._table.columns}
        problems = []
        for index, column in self._header.columns.items():
            try:
                values[column.key] = read_cell(row.cell(index), column)
            except CellProblem as problem:
                problems.append(str(problem))
        return values, problems

    def _process_problems(self, values: Mapping[str, str]) -> list[str]:
        problems = []
        if values["verfahren"] and folded(values["verfahren"]) not in self._names:
            expected = f"„{self._process.id}“ oder „{self._process.name}“"
            problems.append(f"„Verfahren“ nennt ein anderes Verfahren; erwartet: {expected}.")
        year = values.get("haushaltsjahr", "")
        if year.isdecimal() and int(year) != self._process.fiscal_year:
            problems.append(f"„Haushaltsjahr“ ist ein anderes; erwartet: {self._process.fiscal_year}.")
        reference = values.get("referenznummer", "")
        if reference and not REFERENCE.fullmatch(reference):
            problems.append("„Referenznummer“ ist keine; erwartet: 2026-00001 oder P-1.")
        return problems

    def _shape_problems(self, row: Row) -> list[str]:
        """A line that is shifted or cut must not become another amount."""
        longer = len(row.cells) > len(self._header.row.cells)
        if row.separated and (longer or _beyond(row, self._header)):
            return ['Die Zeile hat mehr Zellen als die Kopfzeile; erwartet: Text mit Trennzeichen in "…".']
        last = self._header.last
        cut = row.cut and (len(row.cells) < self._header.width or (last is not None and last.type != "text"))
        return ["Die Datei endet mitten in dieser Zeile und ist vielleicht abgeschnitten."] if cut else []
