"""Reads table files – CSV, XLSX, JSON Lines – as rows of cells: the one door for sheets. No formula is believed."""

from connectors._tables.cells import Cell, Merge, Row, SheetProblem, Worksheet, number_cell
from connectors._tables.csvfile import read_csv
from connectors._tables.jsonlines import read_json_lines
from connectors._tables.limits import TableLimits
from connectors._tables.workbook import read_workbook

__all__ = [
    "Cell",
    "Merge",
    "Row",
    "SheetProblem",
    "TableLimits",
    "Worksheet",
    "number_cell",
    "read_csv",
    "read_json_lines",
    "read_workbook",
]  # fmt: skip
