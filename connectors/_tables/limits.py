"""What is too much for a table file, in one place: whoever reads one reads within these limits.

A file of a few kilobytes can name millions of cells. Everything is counted while it is read, and reading ends at the
first limit: memory stays below 300 MB whatever comes in, and nobody waits for minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors._tables.cells import SheetProblem

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class TableLimits:
    """The most that a table file may hold, all its sheets together."""

    unpacked: int = 64 * MEGABYTE  # bytes of all parts
    parts: int = 2_000
    part: int = MEGABYTE  # bytes of one sign of XML, such as a start tag with its attributes
    depth: int = 64
    names: int = 1_000  # different names of elements and attributes
    elements: int = 2_000_000
    sheets: int = 50
    relations: int = 2_000  # of one part
    rows: int = 20_000  # with something in them
    records: int = 1_048_576  # of a CSV file, blank ones too: Excel's last row
    columns: int = 256
    cells: int = 500_000  # with something in them
    characters: int = 16_000_000
    merges: int = 2_000  # ranges of merged cells
    separators: int = 20_000  # of one CSV record
    lines: int = 5_000  # of one CSV record
    seconds: float = 30  # of computing


@dataclass
class Meter:
    """Counts what is read of one file; every method raises SheetProblem at its limit."""

    limits: TableLimits
    clock: Callable[[], float] = time.thread_time  # a busy machine refuses no sheet
    started: float = field(init=False)
    rows: int = 0
    cells: int = 0
    characters: int = 0

    def __post_init__(self) -> None:
        self.started = self.clock()

    def tick(self) -> None:
        """Look at the clock."""
        if self.clock() - self.started > self.limits.seconds:
            raise SheetProblem("Das Lesen der Datei dauert zu lange; bitte die Tabelle in eine neue Datei kopieren.")

    def row(self) -> None:
        """One more row with something in it."""
        self.rows += 1
        if self.rows > self.limits.rows:
            raise SheetProblem(f"Die Datei hat zu viele Zeilen; erwartet: höchstens {self.limits.rows}.")

    def cell(self, column: int) -> None:
        """One more cell with something in it; columns count from 0."""
        self.cells += 1
        if column >= self.limits.columns:
            raise SheetProblem(f"Die Datei hat zu viele Spalten; erwartet: höchstens {self.limits.columns}.")
        if self.cells > self.limits.cells:
            raise SheetProblem(f"Die Datei hat zu viele Zellen; erwartet: höchstens {self.limits.cells}.")

    def text(self, length: int) -> None:
        """So many more characters."""
        self.characters += length
        if self.characters > self.limits.characters:
            raise SheetProblem(f"Die Datei hat zu viel Text; erwartet: höchstens {self.limits.characters} Zeichen.")
