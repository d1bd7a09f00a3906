"""Reads table files, CSV and XLSX, as rows of cells: the one door for sheets. No formula is believed."""

from connectors._tables.cells import Cell, Merge, Row, SheetProblem, Worksheet, folded, number_cell
from connectors._tables.csvfile import read_csv
from connectors._tables.limits import TableLimits
from connectors._tables.workbook import read_workbook

__all__ = [
    "Cell",
    "Merge",
    "Row",
    "SheetProblem",
    "TableLimits",
    "Worksheet",
    "folded",
    "number_cell",
    "read_csv",
    "read_workbook",
]  # fmt: skip
