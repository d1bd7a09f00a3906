"""Text as people see it: one cleaning of everything that comes in, one guard of every cell that goes out.

Who types, copies or exports a text leaves signs in it that nobody sees: zero-width blanks, byte order marks, soft
hyphens, marks that turn the direction of writing, control characters. They make equal words unequal, and act on
terminals and spreadsheets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST_PILE = 30  # marks on one letter (UAX 15, stream-safe text): more is no language, and costs quadratic time
_BREAKS = frozenset("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that show nothing
_UNSEEN = re.compile("[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # ignorable marks
_ODD = re.compile(
    "[^\t\n -~\u00a1-\u00ac\u00ae-\u02ff\u2013\u2014\u2018-\u201e\u2022\u2026\u20ac]"
)  # most text has none of it
_FIRST_MARK = "\u0300"
_FORMULA = frozenset("=+-@\u2212")
_EDGES = frozenset("\t\r\n")


def clean(text: str) -> str:
    """NFC without signs that nobody sees (Unicode category C but line break and tab); every blank is a blank.

    Line breaks are `\\n` whatever wrote them; blanks at the ends are cut.
    """
    if not _ODD.search(text):
        return text.strip()
    seen = "".join(map(_sign, text.replace("\r\n", "\n")))
    return unicodedata.normalize("NFC", _without_piles(seen)).strip()


def one_line(text: str) -> str:
    """Clean, with one blank for every run of blanks, tabs and line breaks."""
    return " ".join(clean(text).split())


def folded(text: str) -> str:
    """A name as it is compared: cleaned, single blanks, no case. Nothing else is guessed."""
    return one_line(text).casefold()


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula; also behind blanks and signs that nobody sees."""
    if text[:1] in _EDGES:
        return True
    first = next((one for one in text if not _shows_nothing(one)), "")
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA  # ＝ and ﹦ are signs of equality to some programs


def harmless(text: str) -> str:
    """The text as it stands in a cell that no spreadsheet takes for a formula: an apostrophe before it."""
    return f"'{text}" if text and is_formula_like(text) else text


def unharmed(text: str) -> str:
    """The text without the apostrophe that `harmless` has put before it."""
    return text[1:] if text[:1] == "'" and text[1:] and is_formula_like(text[1:]) else text


def _sign(one: str) -> str:
    if " " <= one <= "~" or one in "\n\t":
        return one
    if one in _BREAKS:
        return "\n"
    category = unicodedata.category(one)
    if category == "Zs" or one in _FILLERS:
        return " "
    return "" if category[0] == "C" or _UNSEEN.match(one) else one


def _shows_nothing(one: str) -> bool:
    return not _sign(one).strip()


def _without_piles(text: str) -> str:
    if max(text, default="") < _FIRST_MARK:
        return text
    return "".join(_unpiled(text))


def _unpiled(text: str) -> Iterator[str]:
    height = 0
    for one in text:
        height = height + 1 if unicodedata.combining(one) else 0
        if height <= LONGEST_PILE:
            yield one
