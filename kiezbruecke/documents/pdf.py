"""Draws one plain sheet – heading, table of fields, long texts – as a PDF: same sheet, same bytes.

No clock: the creation date is given. No random id: the file id is a digest of the content (fpdf2's default).
No log: letters that the font lacks become □ before fpdf2 sees them; it would write them into a warning.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

PDF_VERSION: Final = "1.4"

_FONT = Path(__file__).with_name("DejaVuSans.ttf")
_MISSING = "□"
_INVISIBLE = ("Cc", "Cf")  # control characters; format characters such as bidi marks
_PAGES = "⁞⁞⁞"  # fpdf2 puts the number of pages (up to 999) here; `printable` lets none of these through
_LABEL_WIDTH = 52.0
_MARGIN = 25.0
_INK, _GREY, _LINE, _BLUE = (25, 25, 25), (95, 95, 95), (205, 205, 205), (25, 60, 110)
_MAX_TEXT, _MAX_LINES = 50_000, 700  # about 15 pages; what is longer is cut, and the sheet says so

for _library in ("fpdf", "fontTools"):  # both write letters of the text into the log
    logging.getLogger(_library).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Sheet:
    """What stands on one document; empty fields and texts are left out."""

    kind: str  # 'Vorschlag'
    title: str
    origin: str  # the line above the heading, such as the process's name
    dated: date
    fields: Sequence[tuple[str, str]] = ()
    texts: Sequence[tuple[str, str]] = ()
    note: str = ""


def render(sheet: Sheet) -> bytes:
    """The PDF."""
    with closing(_Paper(sheet)) as paper:
        paper.draw()
        return bytes(paper.output())


def printable(text: str) -> str:
    """What the font can show: line ends kept, control characters gone, □ for letters without a glyph."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return "".join(_shown(char) for char in plain)


def _shown(char: str) -> str:
    if char == "\n":
        return char
    if unicodedata.category(char) in _INVISIBLE:
        return ""
    return char if ord(char) in _glyphs() and char not in _PAGES else _MISSING


@cache
def _glyphs() -> frozenset[int]:
    paper = FPDF()
    paper.add_font("sans", "", _FONT)
    font = paper.fonts["sans"]
    assert isinstance(font, TTFFont)
    with closing(font):
        return frozenset(font.cmap)


class _Paper(FPDF):
    """An A4 sheet with our heading line and footer on every page."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(format="A4")
        self._sheet = sheet
        self.alias_nb_pages(_PAGES)
        self.pdf_version = PDF_VERSION
        self.set_creation_date(datetime.combine(sheet.dated, time(), UTC))
        self.set_producer("Kiezbrücke")
        self.set_lang("de-DE")
        self.set_title(printable(f"{sheet.kind}: {_one_line(sheet.title)}"))
        self.add_font("sans", "", _FONT)
        self.set_margins(_MARGIN, 20, 20)
        self.set_auto_page_break(auto=True, margin=28)

    def header(self) -> None:
        """The process's name, small, over a thin line."""
        self.set_y(14)
        self._ink(8.5, _GREY)
        self.cell(0, 5, printable(_one_line(self._sheet.origin)), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._rule()
        self.set_y(28)

    def footer(self) -> None:
        """What this document is, and the page."""
        self.set_y(-22)
        self._rule()
        self.set_y(-20)
        self._ink(7.5, _GREY)
        width = self.epw - 28
        self.multi_cell(width, 3.8, printable(self._sheet.note), align="L", new_x=XPos.RIGHT, new_y=YPos.TOP)
        self.cell(0, 3.8, f"Seite {self.page_no()} von {_PAGES}", align="R")

    def draw(self) -> None:
        """The whole sheet; empty fields and texts are left out."""
        self.add_page()
        self._heading()
        self._rule()
        for label, value in self._sheet.fields:
            if value.strip():
                self._row(label, value)
        for label, value in self._sheet.texts:
            if value.strip():
                self._text_block(label, value)

    def close(self) -> None:
        """Close the font's file; fpdf2 leaves that to the garbage collector."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def _heading(self) -> None:
        """Kind and title."""
        self._ink(10.5, _BLUE)
        self.cell(0, 6, printable(self._sheet.kind.upper()), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)
        self._ink(17, _INK)
        title = _clipped(printable(_one_line(self._sheet.title))) or "(ohne Titel)"
        size = 17.0 if len(title) <= 200 else 11.0
        self.set_font_size(size)
        self._lines(0, size * 0.48, title)
        self.ln(5)

    def _row(self, label: str, value: str) -> None:
        """One field: label left, value right, a hair line below."""
        if self.will_page_break(9):
            self.add_page()
        top = self.get_y()
        self._ink(9, _GREY)
        self.set_y(top + 1.7)
        self.cell(_LABEL_WIDTH, 5.2, label)
        self._ink(10, _INK)
        self._lines(0, 5.2, _clipped(printable(value)))
        self.ln(1.7)
        self._rule()

    def _text_block(self, label: str, value: str) -> None:
        """A long text under its own small heading; it may run over several pages."""
        if self.will_page_break(25):
            self.add_page()
        self.ln(7)
        self._ink(10.5, _BLUE)
        self.cell(0, 6, label, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)
        self._ink(10, _INK)
        self._lines(0, 5.4, _clipped(printable(value)))

    def _lines(self, width: float, height: float, text: str) -> None:
        self.multi_cell(width, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _ink(self, size: float, colour: tuple[int, int, int]) -> None:
        self.set_font("sans", size=size)
        self.set_text_color(*colour)

    def _rule(self) -> None:
        self.set_draw_color(*_LINE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _clipped(text: str) -> str:
    if len(text) <= _MAX_TEXT and text.count("\n") < _MAX_LINES:
        return text
    short = "\n".join(text[:_MAX_TEXT].split("\n")[:_MAX_LINES])
    return f"{short} …\n\n(Gekürzt: Der ganze Text hat {len(text)} Zeichen.)"
