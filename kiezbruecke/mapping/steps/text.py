"""Steps on any text: blanks, length, case, what stands before and after."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why
from kiezbruecke.plaintext import unharmed

_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_AT_THE_END = re.compile(r"\(([^()]*)\)\s*$")
_LONGEST = 10_000  # characters; a number that no target has, and a typing error would


@step(
    StepExample("  Sommerfest ", "Sommerfest"),
    StepExample("\u00a0850\n", "850"),
    StepExample("Fest  am Ufer", "Fest  am Ufer"),
)
def trim(value: object) -> str:
    """Cut blanks at both ends."""
    return to_text(value).strip()


@step(
    StepExample(" Sommer\n  fest\t2026 ", "Sommer fest 2026"),
    StepExample("Fest\u00a0am Ufer", "Fest am Ufer"),
    StepExample("Fest", "Fest"),
)
def collapse_space(value: object) -> str:
    """Make one blank of every run of blanks, tabs and line breaks, and none at the ends."""
    return " ".join(to_text(value).split())


@step(
    StepExample("Baumscheiben", "Baum", 4),
    StepExample("Baum", "Baum", 200),
    StepExample("Cafe\u0301", "Caf", 4),
    argument=int,
)
def clip(value: object, length: int) -> str:
    """Cut to at most so many characters, never between a letter and its accent."""
    text = to_text(value)
    end = min(length, len(text))
    while 0 < end < len(text) and _continues(text[end]):
        end -= 1
    return text[:end]


@step(StepExample("Müggelheim", "müggelheim"), StepExample("KK-4711", "kk-4711"), StepExample("ß", "ß"))
def lower(value: object) -> str:
    """Write in small letters."""
    return to_text(value).lower()


@step(StepExample("p-1", "P-1"), StepExample("de89", "DE89"), StepExample("Straße", "STRASSE"))
def upper(value: object) -> str:
    """Write in capital letters."""
    return to_text(value).upper()


@step(
    StepExample("4711", "KK-4711", "KK-"),
    StepExample("Fest", "Kiezkasse Fest", "Kiezkasse "),
    StepExample("", None, "KK-"),
    argument=str,
)
def prefix(value: object, start: str) -> str:
    """Put a text before the value."""
    return start + to_text(value)


@step(
    StepExample("850.00", "850.00 EUR", " EUR"),
    StepExample(Decimal(850), "850.00 EUR", " EUR"),
    StepExample(None, None, " EUR"),
    argument=str,
)
def suffix(value: object, end: str) -> str:
    """Put a text after the value."""
    return to_text(value) + end


@step(
    StepExample("17", "00000017", 8),
    StepExample("123456789", "123456789", 8),
    StepExample(9, "09", 2),
    StepExample("17", Unusable, 1_000_000),
    argument=int,
)
def pad(value: object, length: int) -> str:
    """Fill with zeros from the left: the keys that a spreadsheet took for numbers (postcode, AGS)."""
    if length > _LONGEST:
        raise Unusable(Why.ZEROS(), Instead.DIGITS(_LONGEST))
    return to_text(value).zfill(length)


@step(
    StepExample(Decimal(850), "850.00"),
    StepExample(3, "3"),
    StepExample(date(2026, 4, 24), "2026-04-24"),
    StepExample(["Kultur", "Sport"], Unusable),
    takes="any",
)
def text(value: object) -> str:
    """Write any single value as text, as the target would."""
    return to_text(value)


@step(
    StepExample("Fest am Ufer: Auflagen", "Fest am Ufer", ":"),
    StepExample("KK-26-4711", "KK", "-"),
    StepExample("Fest am Ufer", Unusable, ":"),
    argument=str,
)
def before(value: object, separator: str) -> str:
    """Take what stands before the first separator, without blanks at the ends; refuse where there is none.

    Where the separator may be missing, `split` and `first` take the whole instead.
    """
    return _parted(to_text(value), separator)[0]


@step(
    StepExample("Az.: SPK 12/26", "SPK 12/26", "Az.:"),
    StepExample("KK-26-4711", "26-4711", "-"),
    StepExample("SPK 12/26", Unusable, "Az.:"),
    argument=str,
)
def after(value: object, separator: str) -> str:
    """Take what stands after the first separator, without blanks at the ends; refuse where there is none."""
    return _parted(to_text(value), separator)[1]


@step(
    StepExample("Durchführbar (1.234 €)", "1.234 €"),
    StepExample("Undurchführbar", None),
    StepExample("Fest (am Ufer) (850 €)", "850 €"),
    StepExample("Fest (am Ufer) 850 €", None),
)
def bracketed(value: object) -> str | None:
    """Take what stands in brackets at the end; nothing where there are none."""
    found = _AT_THE_END.search(to_text(value))
    return found[1].strip() if found else None


@step(
    StepExample("-", None, "-"),
    StepExample(" - ", None, "-"),
    StepExample("- zwei Bänke", "- zwei Bänke", "-"),
    StepExample("keine", None, "keine"),
    argument=str,
)
def nothing_if(value: object, sign: str) -> str | None:
    """Make nothing of exactly this text: what a system writes where it has nothing to say."""
    given = to_text(value)
    return None if given.strip() == sign else given


@step(StepExample("'=1+1", "=1+1"), StepExample("'s Bier", "'s Bier"), StepExample("Fest", "Fest"))
def unformula(value: object) -> str:
    """Drop the apostrophe that keeps spreadsheets from reading a text as a formula."""
    return unharmed(to_text(value))


def _continues(character: str) -> bool:
    return bool(unicodedata.combining(character)) or character in _JOINERS


def _parted(given: str, separator: str) -> tuple[str, str]:
    if not separator or separator not in given:
        raise Unusable(Why.NO_SEPARATOR(), Instead.WITH_SEPARATOR(separator))
    start, _, end = given.partition(separator)
    return start.strip(), end.strip()
