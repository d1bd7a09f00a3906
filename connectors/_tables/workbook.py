"""XLSX files: refused before they can do harm, then read as they are. No formula is believed."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook

from connectors._tables import cells
from connectors._tables.cells import Cell, Row, SheetProblem

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of encrypted and of old Excel files
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_PARTS = 2_000
_MOST_COLUMNS = 256
_LAST_ROW = 1_048_576  # Excel's last row; a made-up number beyond it must not make us count there
_BROKEN = "Die Datei ist beschädigt oder keine Excel-Datei; bitte neu speichern (XLSX) oder als CSV ablegen."
# What openpyxl raises on broken or hostile files; its texts may quote cells and are dropped.
_UNREADABLE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
    OSError, RecursionError, RuntimeError, SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_workbook(raw: bytes, max_unpacked: int, max_rows: int) -> list[list[Row]]:
    """The filled rows of every worksheet; raises SheetProblem."""
    try:
        _check_package(raw, max_unpacked)
        return _read(raw, max_rows)
    except _UNREADABLE:
        raise SheetProblem(_BROKEN) from None


def _check_package(raw: bytes, max_unpacked: int) -> None:
    if raw.startswith(_OLE):
        if _ENCRYPTED in raw:
            raise SheetProblem("Die Datei ist mit einem Kennwort geschützt; bitte ohne Kennwort speichern.")
        raise SheetProblem("Die Datei hat das alte Excel-Format (XLS); bitte als XLSX speichern.")
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        parts = package.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > max_unpacked:
            raise SheetProblem("Die Datei ist entpackt zu groß.")
        if any(part.flag_bits & 0x1 for part in parts):
            raise SheetProblem("Die Datei ist mit einem Kennwort geschützt; bitte ohne Kennwort speichern.")
        for part in parts:
            _check_part(part.filename.lower(), package.read(part))


def _check_part(name: str, body: bytes) -> None:
    """No macros, and no document type: an XLSX needs none, an attack does."""
    if name.endswith("vbaproject.bin") or (name == "[content_types].xml" and b"macroenabled" in body.lower()):
        raise SheetProblem("Die Datei enthält Makros; bitte ohne Makros als XLSX speichern.")
    if name.endswith((".xml", ".rels", ".vml")) and (b"<!DOCTYPE" in body or b"\x00" in body[:64]):
        raise SheetProblem(_BROKEN)


def _read(raw: bytes, max_rows: int) -> list[list[Row]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns about what it does not keep; we keep nothing
        workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
        try:
            return [list(_rows(sheet, max_rows)) for sheet in workbook.worksheets]
        finally:
            workbook.close()


def _rows(sheet: Any, max_rows: int) -> Iterator[Row]:
    sheet.reset_dimensions()  # many programs write wrong ones
    filled = 0
    for number, found in enumerate(sheet.iter_rows(max_row=_LAST_ROW), start=1):
        row = Row(number, _without_tail([_cell(cell) for cell in found[:_MOST_COLUMNS]]))
        if row.blank:
            continue
        filled += 1
        if filled > max_rows:
            raise SheetProblem(f"Die Datei hat zu viele Zeilen; erwartet: höchstens {max_rows}.")
        yield row


def _without_tail(found: list[Cell]) -> tuple[Cell, ...]:
    while found and found[-1].blank:
        found.pop()
    return tuple(found)


_FAULTS = {"f": cells.FORMULA, "e": cells.BROKEN}


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return cells.NOTHING
    if cell.data_type in _FAULTS:
        return Cell(str(value), _FAULTS[cell.data_type])
    match value:
        case str():
            return Cell(cells.written(value))
        case bool() | datetime() | date():
            return Cell(value)
        case int() | float():
            return cells.number_cell(value)
        case _:
            return Cell(str(value), cells.CLOCK)
