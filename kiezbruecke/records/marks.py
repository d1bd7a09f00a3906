"""Marks above and below letters: normalising a tower of 50,000 takes ten seconds, setting it in type a minute."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from pydantic_core import PydanticCustomError

MOST_MARKS: Final = 30  # on one letter; UAX #15, Stream-Safe Text Format: no language needs more
_FIRST, _LAST = 0x300, 0x1E94B  # the first and the last mark of Unicode


@cache
def _far(most: int) -> re.Pattern[str]:
    """Finds what may be a tower: every tower is one, Latin letters are none, and it takes a tenth of the time."""
    return re.compile(f"[^\0-{chr(_FIRST - 1)}]{{{most + 1}}}")


_FAR = _far(MOST_MARKS)  # asked of every text that is not ASCII


def nfc(text: str) -> str:
    """The text in NFC; refused is a letter with a tower of marks."""
    if text.isascii():
        return text
    if _FAR.search(text) and _towers(MOST_MARKS).search(text):
        raise PydanticCustomError("too_many_marks", "a letter carries more marks than any language gives it")
    return unicodedata.normalize("NFC", text)


def lowered(text: str, most: int, instead: str) -> str:
    """The text with so many marks on a letter at most, and a sign in the place of the others."""
    return _towers(most).sub(instead, text) if _far(most).search(text) else text


@cache
def _towers(most: int) -> re.Pattern[str]:
    """Finds the marks of a letter from the one on that is too many."""
    marks = "".join(filter(unicodedata.combining, map(chr, range(_FIRST, _LAST))))
    return re.compile(f"(?<=[{marks}]{{{most}}})[{marks}]+")
