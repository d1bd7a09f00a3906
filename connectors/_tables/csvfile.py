"""CSV as offices write it: UTF-8 with or without mark, Windows-1252, semicolon, comma or tab."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import islice

from connectors._tables.cells import Cell, Row, SheetProblem, folded

DELIMITERS = (";", ",", "\t")
_TITLE_ROWS = 40  # records looked at to tell the delimiter; blank ones count
_MOJIBAKE = ("Ã¤", "Ã¶", "Ã¼", "ÃŸ", "Ã„", "Ã–", "Ãœ", "â‚¬", "â€ž", "â€œ")


def read_csv(raw: bytes, headers: AbstractSet[str], max_rows: int) -> list[Row]:
    """All filled rows, numbered as a spreadsheet shows them; raises SheetProblem.

    `headers` are known headers, folded: the delimiter that makes the most of them is the right one.
    """
    text = _decode(raw)
    delimiter = max(DELIMITERS, key=lambda candidate: _known_headers(text, candidate, headers))
    rows: list[Row] = []
    try:
        for number, record in enumerate(_records(text, delimiter), start=1):
            row = Row(number, tuple(Cell(value) for value in record), separated=True)
            if not row.blank:
                rows.append(row)
            if len(rows) > max_rows:
                raise SheetProblem(f"Die Datei hat zu viele Zeilen; erwartet: höchstens {max_rows}.")
    except csv.Error:
        raise SheetProblem(
            "Die Datei ist keine vollständige CSV-Datei "
            "(ein Anführungszeichen ist offen oder steht falsch, oder eine Zelle ist zu lang)."
        ) from None
    return _mark_cut(rows, text)


def _decode(raw: bytes) -> str:
    """UTF-8, else Windows-1252. Half a character or mixed encodings would change texts silently: refused."""
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = next((encoding for mark, encoding in marks.items() if raw.startswith(mark)), None)
    try:
        text = raw.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        if marked or error.reason == "unexpected end of data":
            raise SheetProblem("Die Datei ist abgeschnitten oder ihr Zeichensatz ist beschädigt.") from None
        text = _decode_windows(raw)
    if "\x00" in text:
        raise SheetProblem("Die Datei ist keine Textdatei; erwartet: CSV oder XLSX.")
    return text


def _decode_windows(raw: bytes) -> str:
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        raise SheetProblem("Der Zeichensatz ist unbekannt; erwartet: UTF-8 oder Windows-1252.") from None
    if any(sign in text for sign in _MOJIBAKE):
        raise SheetProblem("Die Datei mischt Zeichensätze; erwartet: durchgehend UTF-8 oder Windows-1252.")
    return text


def _known_headers(text: str, delimiter: str, headers: AbstractSet[str]) -> int:
    """How many known columns the best of the first records names, read with this delimiter."""
    best = 0
    try:
        for record in islice(_records(text, delimiter), _TITLE_ROWS):
            best = max(best, sum(folded(value) in headers for value in record))
    except csv.Error:
        return best
    return best


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _mark_cut(rows: list[Row], text: str) -> list[Row]:
    if rows and not text.endswith(("\n", "\r")):
        rows[-1] = replace(rows[-1], cut=True)
    return rows
