"""Writes workbooks: forms that clerks fill in, with choices and what belongs where; reports. Nothing else writes XLSX.

Same content, same bytes: workbook and ZIP carry a fixed time. Nothing in it is hidden, and no cell is a formula.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from kiezbruecke.mapping.schema.columns import LayoutColumn
from kiezbruecke.mapping.schema.tables import TableLayout
from kiezbruecke.plaintext import clean, harmless

ONLY_SHOWN = "nur zur Ansicht"  # a column whose name ends with it in brackets is for people; no source notes it
Value = str | Decimal | date | int | float | None
_WHEN = datetime(2026, 1, 1)  # noqa: DTZ001 - a ZIP knows no zone
_LAST_ROW = 500  # down to here the drop-down lists reach
_WIDTHS = {"text": 24, "money": 15, "date": 13, "integer": 12, "yes_no": 11}
_WIDE = {"Titel": 44, "Auflagen": 40, "Begründung": 40, "Grund": 40, "Verfahren": 34}
_FORMATS = {"money": "#,##0.00", "date": "DD.MM.YYYY", "integer": "0", "text": "@", "yes_no": "@"}
_CHOICES = "Auswahl"
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True)
class Choice:
    """The words that a column offers. Where others are right as well (a number for a name), they are only doubted."""

    words: tuple[str, ...]
    closed: bool = True


@dataclass(frozen=True)
class SheetForm:
    """A workbook to be filled in: its table, what may be chosen, what the clerk should know, what is known already."""

    table: TableLayout
    choices: Mapping[str, Choice]
    advice: tuple[str, ...]
    shown: tuple[str, ...] = ()
    """Names of further columns of sums in euros, for people"""
    lines: Sequence[Mapping[str, Value]] = field(default=())
    """Values by the names of columns"""
    told: Mapping[str, str] = field(default_factory=dict)
    """What belongs into a column, where that is more than its table says"""


def write_form(form: SheetForm) -> bytes:
    """The bytes of the workbook."""
    workbook = Workbook()
    workbook.properties.creator = "Kiezbrücke"
    workbook.properties.title = form.table.title
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    _fill(sheet, form)
    _explain(workbook.create_sheet("Hinweise"), form)
    _list_choices(workbook.create_sheet(_CHOICES), form)
    return _saved(workbook)


def write_tables(title: str, sheets: Mapping[str, tuple[Sequence[str], Sequence[Sequence[Value]]]]) -> bytes:
    """A report: per sheet its column names and rows."""
    workbook = Workbook()
    workbook.properties.creator, workbook.properties.title = "Kiezbrücke", title
    workbook.remove(workbook.worksheets[0])
    for name, (heads, rows) in sheets.items():
        sheet = workbook.create_sheet(name)
        sheet.freeze_panes = "B2"
        for index, head in enumerate(heads, start=1):
            letter = get_column_letter(index)
            _head(sheet[f"{letter}1"], LayoutColumn(name=head))
            sheet.column_dimensions[letter].width = _WIDTHS["text"] if index == 1 else _WIDTHS["money"]
            for number, row in enumerate(rows, start=2):
                _write(sheet[f"{letter}{number}"], row[index - 1], _form(row[index - 1]))
    return _saved(workbook)


def _form(value: Value) -> str:
    match value:
        case date():
            return _FORMATS["date"]
        case int():
            return _FORMATS["integer"]
        case float():
            return "0.0"
        case Decimal():
            return _FORMATS["money"]
        case _:
            return _FORMATS["text"]


def shown_column(name: str) -> str:
    """`Beantragt (€, nur zur Ansicht)`: a column that no source reads and none notes as unknown."""
    return f"{name.removesuffix(')')}, {ONLY_SHOWN})" if name.endswith(")") else f"{name} ({ONLY_SHOWN})"


def _fill(sheet: Worksheet, form: SheetForm) -> None:
    sheet.title = form.table.title
    sheet.freeze_panes = "A2"
    columns = [*form.table.columns, *(LayoutColumn(name=name, type="money") for name in form.shown)]
    for index, column in enumerate(columns, start=1):
        letter = get_column_letter(index)
        _head(sheet[f"{letter}1"], column)
        sheet.column_dimensions[letter].width = _WIDE.get(column.name, _WIDTHS[column.type])
        sheet.column_dimensions[letter].number_format = _FORMATS[column.type]
        if column.name in form.choices:
            _offer(sheet, letter, column.name, form)
        for row, line in enumerate(form.lines, start=2):
            _write(sheet[f"{letter}{row}"], line.get(column.name), _FORMATS[column.type])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}1"


def _head(cell: Cell, column: LayoutColumn) -> None:
    mandatory = column.required or column.present
    cell.value = column.name
    cell.font = Font(bold=True, color="FFFFFF" if mandatory else "000000")
    cell.fill = PatternFill("solid", start_color="1F4E79" if mandatory else "D9E2EC")
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    cell.protection = Protection(locked=True)


def _write(cell: Cell, value: Value, form: str) -> None:
    """A text never becomes a formula, and `_x000D_` in a title stays those seven signs."""
    if value is None:
        return
    cell.value = _ESCAPE.sub("_x005F_", harmless(clean(value))) if isinstance(value, str) else value
    cell.number_format = form


def _offer(sheet: Worksheet, letter: str, name: str, form: SheetForm) -> None:
    """A list to choose from; anything else is refused while typing, or doubted."""
    place = get_column_letter(list(form.choices).index(name) + 1)
    choice = form.choices[name]
    words = f"{_CHOICES}!${place}$2:${place}${len(choice.words) + 1}"
    rule = DataValidation(type="list", formula1=words, allow_blank=True, showErrorMessage=True)
    rule.errorStyle = "stop" if choice.closed else "warning"
    rule.errorTitle, rule.error = name, "Bitte einen Wert aus der Liste wählen."
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{_LAST_ROW}")


def _list_choices(sheet: Worksheet, form: SheetForm) -> None:
    """Visible, so that nobody wonders where the choices come from; no row of it looks like the table's header."""
    for index, (name, choice) in enumerate(form.choices.items(), start=1):
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].width = 34
        sheet[f"{letter}1"] = f"Auswahl für „{name}“"
        sheet[f"{letter}1"].font = Font(bold=True)
        for row, word in enumerate(choice.words, start=2):
            _write(sheet[f"{letter}{row}"], word, "@")


def _explain(sheet: Worksheet, form: SheetForm) -> None:
    for letter, width in (("A", 30), ("B", 18), ("C", 90)):
        sheet.column_dimensions[letter].width = width
    sheet.append([f"So wird die {form.table.title} ausgefüllt"])
    sheet["A1"].font = Font(bold=True, size=14)
    for sentence in form.advice:
        sheet.append([f"• {sentence}"])
    sheet.append([])
    sheet.append(["Spalte", "Angabe", "Was hineingehört"])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for column in form.table.columns:
        sheet.append([column.name, _duty(column), _told(column, form)])
    for name in form.shown:
        sheet.append([name, ONLY_SHOWN, "steht nur da, damit Sie es sehen; wird nicht gelesen"])


def _duty(column: LayoutColumn) -> str:
    if column.required:
        return "in jeder Zeile"
    return "Spalte nötig" if column.present else "freiwillig"


def _told(column: LayoutColumn, form: SheetForm) -> str:
    choice = form.choices.get(column.name)
    return (
        "eines von: " + ", ".join(choice.words) if choice and choice.closed else form.told.get(column.name, column.note)
    )


def _saved(workbook: Workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return _without_clock(out.getvalue())


def _without_clock(raw: bytes) -> bytes:
    """The same package with one fixed time everywhere, not compressed."""
    out = io.BytesIO()
    stamp = _WHEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, body)
            part = zipfile.ZipInfo(name, date_time=_WHEN.timetuple()[:6])
            part.create_system = 3
            part.external_attr = 0o644 << 16
            new.writestr(part, body)  # stored: compressors differ from machine to machine
    return out.getvalue()
