"""Reference numbers: how a process's proposals are numbered, and what of a number a Fremdkennzeichen carries.

People write a pattern like an example:

    2026-00001   `####-(#####+)`   four digits, a hyphen, at least five digits
    P-1          `P-#`             a number as clerks count: 1 to 9999, no zero before it
    BHH-1        `BHH-#`
    TK-PROP-2026-03-101   `TK-PROP-2026-(##)-(#+)`

`##…` are exactly so many digits, `##…+` at least so many (12 at most), `#+` a number of any length without a zero
before it; everything else stands for itself. What stands in brackets is what a Fremdkennzeichen carries; without
brackets that is the whole number. Two numbers of a process never have the same short form: outside brackets nothing
varies, inside at most one run of digits is of open length, and no two patterns of a process have short forms of one
shape. The platform's number is unique by itself (the key of a mein.berlin proposal), so its year may stay outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

PLATFORM, PAPER = "####-(#####+)", "P-#"
USUAL = (PLATFORM, PAPER)
FORM = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,18}[A-Za-z0-9])?$"  # of every number, whatever its process
LONGEST = 20
_MOST_DIGITS = 12
_COUNTED = r"[1-9][0-9]{0,3}"
_PAPER = re.compile(rf"P-({_COUNTED})")
_PART = re.compile(r"#+\+?|[A-Za-z0-9.-]|[()]")
_DIGITS = re.compile(r"[#0-9]+\+?")


@dataclass(frozen=True)
class ReferencePattern:
    """One kind of number, as people write it down; raises ValueError with what is wrong and what helps."""

    text: str

    def __post_init__(self) -> None:
        if "".join(self._parts) != self.text or "#" not in self.text:
            raise ValueError(f"'{self.text}' is no pattern; expected letters, digits, - . and # for digits: BHH-#")
        if not re.fullmatch(r"[^()]*(?:\([^()]+\)[^()]*)*", self.text):
            raise ValueError(f"'{self.text}': the brackets do not match; expected pairs such as TK-(##)-(#+)")
        if not re.match(FORM, self.example(2000)):
            raise ValueError(f"'{self.text}' makes no number of at most {LONGEST} letters, digits and - . between")
        if self.text != PAPER and self.text.replace("(", "").startswith("P-") and not _letters(self.text[2:]):
            raise ValueError(f"'{self.text}' reads like a number of a sheet's own; expected {PAPER} for these")
        if self.text != PLATFORM and not self._keeps_numbers_apart():
            raise ValueError(
                f"'{self.text}': two numbers could have one short form; expected every # in brackets, and one open "
                "length (#, #+) at most"
            )

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple(_PART.findall(self.text))

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("".join(map(_expression, self._parts)), re.ASCII)

    def matches(self, reference: str) -> bool:
        """Whether it is a number of this kind."""
        return len(reference) <= LONGEST and self._regex.fullmatch(reference) is not None

    def example(self, year: int) -> str:
        """The first number of this kind; four digits in a row are a year."""
        return "".join(_first(part, year) for part in self._parts if part not in "()")

    def short(self, reference: str) -> str:
        """What a Fremdkennzeichen carries of a number of this kind."""
        if self.text == PAPER:
            return f"P{int(reference[2:]):04d}"
        found = self._regex.fullmatch(reference)
        assert found is not None
        return "".join(found.groups()) or reference

    @property
    def shape(self) -> str:
        """Its short form with every run of digits as one 9: what two patterns of a process may not share."""
        kept = "".join(re.findall(r"\(([^()]+)\)", self.text)) or self.text
        return "P9" if self.text == PAPER else _DIGITS.sub("9", re.sub(r"(?<=[#0-9])\+(?=[#0-9])", "", kept))

    def _keeps_numbers_apart(self) -> bool:
        outside = re.sub(r"\([^()]+\)", "", self.text) if "(" in self.text else ""
        runs = [part for part in self._parts if "#" in part]
        is_whole = "(" not in self.text
        return "#" not in outside and (is_whole or sum(_is_open(run) for run in runs) <= 1)


@lru_cache(maxsize=256)
def pattern(text: str) -> ReferencePattern:
    """The pattern that a process names; raises ValueError."""
    return ReferencePattern(text)


def check_patterns(texts: Sequence[str]) -> None:
    """Whether the patterns of a process keep its numbers apart; raises ValueError."""
    shapes: dict[str, str] = {}
    for text in texts:
        other = shapes.setdefault(pattern(text).shape, text)
        if other != text:
            raise ValueError(f"'{other}' and '{text}' could give two numbers one short form; put letters in brackets")
    if not texts:
        raise ValueError(f"no pattern at all; expected for example {', '.join(USUAL)}")


def pattern_of(texts: Iterable[str], reference: str) -> ReferencePattern | None:
    """The kind of number that it is; None where a process knows no such number."""
    return next((one for one in map(pattern, texts) if one.matches(reference)), None)


def is_paper(reference: str) -> bool:
    """Whether a number was given by a decision sheet (post, mail, the room); `P-1` is that in every process."""
    return _PAPER.fullmatch(reference) is not None


def _is_open(run: str) -> bool:
    return run == "#" or run.endswith("+")


def _letters(text: str) -> str:
    return re.sub(r"[^A-Za-z]", "", text)


def _expression(part: str) -> str:
    if part in "()":
        return part
    if part == "#":
        return _COUNTED
    if part == "#+":
        return f"[1-9][0-9]{{0,{_MOST_DIGITS - 1}}}"
    if part.startswith("#"):
        fewest = part.count("#")
        return f"[0-9]{{{fewest},{max(_MOST_DIGITS, fewest)}}}" if part.endswith("+") else f"[0-9]{{{fewest}}}"
    return re.escape(part)


def _first(part: str, year: int) -> str:
    if not part.startswith("#"):
        return part
    digits = part.count("#")
    return str(year) if digits == 4 and not part.endswith("+") else "1".zfill(digits)
