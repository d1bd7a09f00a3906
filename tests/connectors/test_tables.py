"""One reader of table files: what is in a cell, whoever asks."""

from __future__ import annotations

import io
from datetime import time
from typing import Any

import pytest
from openpyxl import Workbook

from connectors._tables import Cell, SheetProblem, TableLimits, read_csv, read_workbook
from connectors._tables.cells import BROKEN, CLOCK, FORMULA


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(out)
    return out.getvalue()


def cells_of(*values: Any) -> tuple[Cell, ...]:
    (sheet,) = read_workbook(workbook(values), TableLimits())
    (row,) = sheet.rows
    return tuple(row.cells)


def test_control_characters_of_a_workbook_are_read_back() -> None:
    """XLSX writes a carriage return as _x000D_; people see a line break (ECMA-376, ST_Xstring)."""
    assert cells_of("Zeile 1_x000D_\nZeile 2 _x00E4_ _x005F_x000D_")[0].value == "Zeile 1\nZeile 2 ä _x000D_"


def test_what_is_no_value_says_so_and_keeps_what_was_written() -> None:
    """A citizen's text may begin with an equals sign; a clerk's formula has no value that we could know."""
    assert cells_of("=1+1", "#N/A", time(7, 30)) == (
        Cell("=1+1", FORMULA),
        Cell("#N/A", BROKEN),
        Cell("07:30:00", CLOCK),
    )
    assert cells_of("=1+1")[0].text == ""


def test_both_kinds_of_files_give_the_same_cells() -> None:
    rows = (("Titel", "Betrag"), ("Bank am See", "850,00"))
    text = "\r\n".join(";".join(row) for row in rows) + "\r\n"

    from_csv = read_csv(text.encode(), {"titel", "betrag"}, TableLimits())
    from_xlsx = read_workbook(workbook(*rows), TableLimits())[0].rows

    assert [[*row.cells] for row in from_csv] == [[*row.cells] for row in from_xlsx]
    assert [row.number for row in from_csv] == [row.number for row in from_xlsx] == [1, 2]


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04half", b"<html>Anmeldung</html>", workbook(("a",))[:-40]])
def test_what_is_no_workbook_is_refused(raw: bytes) -> None:
    with pytest.raises(SheetProblem):
        read_workbook(raw, TableLimits())
