"""Writes the empty sheets for the assembly and the budget: docs/vorlagen/*.xlsx.

Same program, same bytes: workbook and ZIP carry a fixed time, so that CI can compare (`--check`).
Run it from the checkout: python tools/make_templates.py [--check]
"""

from __future__ import annotations

import csv
import io
import re
import sys
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from connectors.folder.table import Column, Table, read_table

ROOT = Path(__file__).parents[1]
WHEN = datetime(2026, 1, 1)  # noqa: DTZ001 - a ZIP knows no zone
LAST_ROW = 500  # down to here the drop-down lists reach
WIDTHS = {"text": 24, "money": 15, "date": 13, "integer": 12, "yes_no": 11}
WIDE = {"Titel": 44, "Auflagen": 40, "Begründung": 40, "Grund": 40, "Verfahren": 34}
FORMATS = {"money": "#,##0.00", "date": "DD.MM.YYYY", "integer": "0", "text": "@", "yes_no": "@"}


@dataclass(frozen=True)
class Template:
    """One file: its table, the columns with a list to choose from, and what the clerk should know."""

    file: str
    table: str
    choices: dict[str, tuple[str, ...]]
    advice: tuple[str, ...]


COMMON = (
    "Eine Zeile je Fall. Leere Zeilen werden übergangen, die Reihenfolge der Spalten ist frei.",
    "Die Spaltennamen bleiben, wie sie sind. Spalten mit anderem Namen werden nicht gelesen und im Bericht genannt.",
    "Werte eintragen, keine Formeln: der Wert einer Formel ist nicht bekannt, die Zeile wird nicht übernommen.",
    "Keine Summenzeile: sie wird nicht verstanden.",
    "Speichern als XLSX ohne Makros und ohne Kennwort oder als CSV, dann in den vereinbarten Ordner legen.",
    "Wenige Minuten später liegt die Datei in „done“ oder „failed“, daneben ein Bericht mit einer Zeile je Zeile.",
)


def templates() -> list[Template]:
    """What is written."""
    correction = ("ja", "nein")
    return [
        Template(
            "beschlussliste.xlsx",
            "decision-sheet",
            {"Ergebnis": _choices("ergebnis"), "Korrektur": correction},
            (
                "Die Beschlussliste wird nach der Sitzung ausgefüllt. Nur sie nennt bewilligte Beträge.",
                *COMMON,
                "Vorschläge ohne Nummer der Plattform bekommen je Bezirksregion eigene Nummern: P-1, P-2 …",
                "Eine falsche Zeile wird in einer neuen Liste noch einmal eingetragen: Korrektur „ja“, mit Begründung.",
            ),
        ),
        Template(
            "budgetliste.xlsx",
            "budget-sheet",
            {"Status": _choices("budget-status")},
            (
                "Die Budgetliste nennt das Budget jeder Bezirksregion. Ausgegeben wird nur, was freigegeben ist.",
                *COMMON,
                "Eine spätere Zeile ändert eine frühere: den neuen Gesamtbetrag und den Grund eintragen.",
            ),
        ),
    ]


def _choices(codelist: str) -> tuple[str, ...]:
    """One German word per code: the first of each."""
    file = ROOT / "mappings" / "codelists" / f"{codelist}.csv"
    lines = (line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    words: dict[str, str] = {}
    for row in csv.DictReader(lines, delimiter=";"):
        words.setdefault(row["to"], row["from"])
    return tuple(words.values())


def make(template: Template) -> bytes:
    """The bytes of one template."""
    table = read_table(ROOT, template.table)
    workbook = Workbook()
    workbook.properties.creator = "Kiezbrücke"
    workbook.properties.title = table.title
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    _fill(sheet, table, template)
    _explain(workbook.create_sheet("Hinweise"), table, template)
    out = io.BytesIO()
    workbook.save(out)
    return _without_clock(out.getvalue())


def _fill(sheet: Worksheet, table: Table, template: Template) -> None:
    sheet.title = table.title
    sheet.freeze_panes = "A2"
    for index, column in enumerate(table.columns, start=1):
        letter = get_column_letter(index)
        _head(sheet, f"{letter}1", column)
        sheet.column_dimensions[letter].width = WIDE.get(column.name, WIDTHS[column.type])
        sheet.column_dimensions[letter].number_format = FORMATS[column.type]
        if column.name in template.choices:
            _offer(sheet, letter, column, template.choices[column.name])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}1"


def _head(sheet: Worksheet, place: str, column: Column) -> None:
    cell = sheet[place]
    cell.value = column.name
    cell.font = Font(bold=True, color="FFFFFF" if column.mandatory else "000000")
    cell.fill = PatternFill("solid", start_color="1F4E79" if column.mandatory else "D9E2EC")
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    cell.protection = Protection(locked=True)


def _offer(sheet: Worksheet, letter: str, column: Column, words: tuple[str, ...]) -> None:
    """A list to choose from; anything else is refused while typing."""
    rule = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True, showErrorMessage=True)
    rule.errorTitle, rule.error = column.name, "Bitte einen Wert aus der Liste wählen."
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{LAST_ROW}")


def _explain(sheet: Worksheet, table: Table, template: Template) -> None:
    sheet.column_dimensions["A"].width = 22
    sheet.column_dimensions["B"].width = 18
    sheet.column_dimensions["C"].width = 90
    sheet.append([f"So wird die {table.title} ausgefüllt"])
    sheet["A1"].font = Font(bold=True, size=14)
    for sentence in template.advice:
        sheet.append([f"• {sentence}"])
    sheet.append([])
    sheet.append(["Spalte", "Angabe", "Was hineingehört"])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for column in table.columns:
        sheet.append([column.name, _duty(column), _told(column, template)])


def _duty(column: Column) -> str:
    if column.required:
        return "in jeder Zeile"
    return "Spalte nötig" if column.present else "freiwillig"


def _told(column: Column, template: Template) -> str:
    words = template.choices.get(column.name)
    return "eines von: " + ", ".join(words) if words else column.note


def _without_clock(raw: bytes) -> bytes:
    """The same package with one fixed time everywhere, not compressed."""
    out = io.BytesIO()
    stamp = WHEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, body)
            part = zipfile.ZipInfo(name, date_time=WHEN.timetuple()[:6])
            part.create_system = 3
            part.external_attr = 0o644 << 16
            new.writestr(part, body)  # stored: compressors differ from machine to machine
    return out.getvalue()


def main() -> int:
    """Write all templates, or with --check tell which differ."""
    check = "--check" in sys.argv[1:]
    stale = []
    for template in templates():
        file = ROOT / "docs" / "vorlagen" / template.file
        body = make(template)
        if file.exists() and file.read_bytes() == body:
            continue
        stale.append(file.name)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
    for name in stale:
        print(f"{name}: {'differs, run tools/make_templates.py' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
