"""Reads table files, CSV and XLSX, as rows of cells: hostile files are refused, no formula is believed."""

from connectors._tables.cells import Cell, Row, SheetProblem, folded, number_cell
from connectors._tables.csvfile import read_csv
from connectors._tables.workbook import read_workbook

__all__ = ["Cell", "Row", "SheetProblem", "folded", "number_cell", "read_csv", "read_workbook"]
