"""A workbook for those who run a mapping over a file: the rows of its first sheet. Found by its entry point."""

from __future__ import annotations

from collections.abc import Sequence

from connectors._tables.cells import Row, SheetProblem
from connectors._tables.limits import MEGABYTE, TableLimits
from connectors._tables.workbook import read_workbook
from kiezbruecke.errors import InputError

LIMITS = TableLimits(
    unpacked=256 * MEGABYTE, elements=8_000_000, rows=100_000, cells=1_000_000, characters=64_000_000, seconds=300
)


def first_sheet(raw: bytes, name: str) -> Sequence[Row]:
    """The filled rows of the first sheet that people see; raises InputError, German, with the file's name."""
    try:
        return next((sheet.rows for sheet in read_workbook(raw, LIMITS) if not sheet.hidden), ())
    except SheetProblem as problem:
        raise InputError(str(problem).removesuffix("."), where=name) from None
