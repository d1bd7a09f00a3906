"""The charset of a CSV file. What would come out as other letters than people wrote is refused, with what helps."""

from __future__ import annotations

import codecs
import re

from connectors._tables.cells import SheetProblem

_SAVE = "bitte als „CSV UTF-8“ oder als XLSX speichern"
_MOJIBAKE = re.compile("Ã[¤¶¼Ÿ„–œ\u009f\u0084\u0096\u009c]|â‚¬|â€[žœ“”]")  # UTF-8 that was read as Windows-1252
_UMLAUTS = frozenset("äöüÄÖÜß")
# What German text of other charsets looks like when it is read as Windows-1252: signs within a word, or before one.
_MAC = re.compile(r"[a-z][ŠŸ]|[a-zA-Z][§][a-z]|(?<![A-Za-z])Û(?![A-Za-z])|[†€][a-z]{2}|(?:^|[\s;,\"])…[a-z]")
_DOS = re.compile(r"[a-zA-Z][„”][a-z]|(?:^|[\s;,\"])™[a-z]|[aeiou]á")
_LATIN_9 = re.compile(r"¤|[a-zA-Z][¨¦¸][a-z]")
_MAC_LETTERS = frozenset("ŠšŸŽ")  # in German texts these stand in names, beside umlauts


def decode(raw: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows-1252; raises SheetProblem for everything that is not certain."""
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = next((encoding for mark, encoding in marks.items() if raw.startswith(mark)), None)
    if not marked and b"\x00" in raw[:2000] and _is_unmarked_utf_16(raw):
        raise SheetProblem(f"Die Datei hat den Zeichensatz UTF-16 ohne Kennung; {_SAVE}.")
    try:
        text = raw.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        if marked or error.reason == "unexpected end of data":
            raise SheetProblem("Die Datei ist abgeschnitten oder ihr Zeichensatz ist beschädigt.") from None
        text = _decode_windows(raw)
    _check(text)
    return text


def _is_unmarked_utf_16(raw: bytes) -> bool:
    """Every other byte of Western text in UTF-16 is zero."""
    start = raw[:2000]
    return max(start[0::2].count(0), start[1::2].count(0)) > len(start) // 3


def _decode_windows(raw: bytes) -> str:
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        raise SheetProblem(f"Der Zeichensatz ist unbekannt; erwartet: UTF-8 oder Windows-1252; {_SAVE}.") from None
    if _MOJIBAKE.search(text):
        raise SheetProblem(f"Die Datei mischt Zeichensätze; erwartet: durchgehend UTF-8 oder Windows-1252; {_SAVE}.")
    if _LATIN_9.search(text):
        raise SheetProblem(f"Die Datei hat den Zeichensatz Latin-9 (ISO 8859-15); {_SAVE}.")
    if _DOS.search(text):
        raise SheetProblem(f"Die Datei hat einen alten DOS-Zeichensatz; {_SAVE}.")
    if _is_mac(text):
        raise SheetProblem(f"Die Datei hat den Zeichensatz eines Macintosh (Mac Roman); {_SAVE}.")
    return text


def _is_mac(text: str) -> bool:
    signs = set(text)
    return bool(_MAC.search(text)) or (bool(signs & _MAC_LETTERS) and not signs & _UMLAUTS)


def _check(text: str) -> None:
    if "\x00" in text:
        raise SheetProblem("Die Datei ist keine Textdatei; erwartet: CSV oder XLSX.")
    if found := _MOJIBAKE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise SheetProblem(
            f"In Zeile {line} sind Umlaute schon zu anderen Zeichen geworden, die Datei wurde zweimal umgewandelt; "
            f"bitte die ursprüngliche Datei nehmen und {_SAVE.removeprefix('bitte ')}."
        )
