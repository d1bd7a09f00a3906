"""The letters that a sheet can show: what the font lacks is marked, what nobody sees is left out.

A PDF/A must not hold a letter without a glyph: typst would refuse the whole document and quote the text.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from kiezbruecke.records.marks import lowered

FONTS: Final = Path(__file__).parent

_FONT = FONTS / "DejaVuSans.ttf"
_MISSING = "□"
_INVISIBLE = ("Cc", "Cf")  # control characters; format characters such as bidi marks
_PRIVATE = "Co"  # PDF/A-2a: its meaning is unknown, even where the font has a glyph
_LINE_ENDS = {"\r\n": "\n", "\r": "\n", "\u2028": "\n", "\u2029": "\n", "\t": " "}
_LONG_WORD = re.compile(r"[^ \n]{30,}")  # may not fit into a line of wide letters
_LONG_PART = re.compile(r"[^/.?&=#_-]{25,}")  # of an address: Typst breaks it at its marks
_BREAK = "\u200b"
_MAX_MARKS = 4  # above and below one letter
_MAX_TEXT, _MAX_LINES = 50_000, 700  # about 15 pages; what is longer is cut, and the sheet says so


def shown(value: Any) -> Any:
    """The same values – texts, lists and dictionaries of them – with every text printable, breakable, not too long."""
    match value:
        case str():
            return _LONG_WORD.sub(_breakable, _clipped(printable(value)))
        case dict():
            return {key: shown(part) for key, part in value.items()}
        case list() | tuple():
            return [shown(part) for part in value]
    return value


def printable(text: str) -> str:
    """What the font can show: line ends kept, control characters gone, □ for what has no glyph and too many marks."""
    for written, meant in _LINE_ENDS.items():
        text = text.replace(written, meant)
    return "".join(map(_shown, unicodedata.normalize("NFC", lowered(text, _MAX_MARKS, _MISSING))))


@lru_cache(maxsize=1024)  # a sheet has a thousand letters, and few different ones
def _shown(char: str) -> str:
    if char == "\n":
        return char
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return ""
    return char if ord(char) in _glyphs() and category != _PRIVATE else _MISSING


@cache
def _glyphs() -> frozenset[int]:
    """The code points in the font's table `cmap`: its segments for all of Unicode (encoding 3.10, format 12)."""
    font = _FONT.read_bytes()
    (count,) = struct.unpack_from(">H", font, 4)
    tables = {font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0] for at in range(12, 12 + 16 * count, 16)}
    cmap = tables[b"cmap"]
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    subtables = (struct.unpack_from(">HHI", font, cmap + 4 + 8 * number) for number in range(count))
    segments = cmap + next(at for platform, encoding, at in subtables if (platform, encoding) == (3, 10))
    (count,) = struct.unpack_from(">I", font, segments + 12)
    bounds = (struct.unpack_from(">II", font, segments + 16 + 12 * number) for number in range(count))
    return frozenset(point for first, last in bounds for point in range(first, last + 1))


def _breakable(word: re.Match[str]) -> str:
    """The word with a blank without width after each letter, but not before a mark that belongs to it."""
    if word[0].startswith(("http://", "https://")):
        return _LONG_PART.sub(_spread, word[0])
    return _spread(word)


def _spread(word: re.Match[str]) -> str:
    return "".join(char if unicodedata.combining(char) else _BREAK + char for char in word[0]).removeprefix(_BREAK)


def _clipped(text: str) -> str:
    if len(text) <= _MAX_TEXT and text.count("\n") < _MAX_LINES:
        return text
    short = "\n".join(text[:_MAX_TEXT].split("\n")[:_MAX_LINES])
    return f"{short} …\n\n(Gekürzt: Der ganze Text hat {len(text)} Zeichen.)"
