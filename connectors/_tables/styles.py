"""Number formats of a workbook: whether a number is a day, a time, a percentage, or shown as another number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from connectors._tables.package import Silent


class Shown(Enum):
    """What people see of a number."""

    NUMBER = "number"
    DAY = "day"  # maybe with a time
    CLOCK = "clock"  # a time or duration alone
    PERCENT = "percent"
    SCALED = "scaled"  # divided by thousands


_BUILT_IN_DAYS = {*range(14, 18), 22, *range(27, 37), *range(50, 59)}  # ECMA-376, 18.8.30, also of other languages
_BUILT_IN_CLOCKS = {*range(18, 22), *range(45, 48)}
_BUILT_IN_PERCENTS = {9, 10}
_QUIET = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE
)  # text, blanks, colours, languages
_WORD = re.compile(r"[^\W\d_]+")
_OF_DAYS = re.compile(r"(?:y+|d+|j+|t+)", re.IGNORECASE)  # TT.MM.JJJJ: some programs write the words of their language
_OF_TIMES = re.compile(r"(?:h+|m+|s+|am|pm|a|p)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")


def shown(code: str) -> Shown:
    """What a format code shows. A word that is no part of a date (Standard, General, Tsd) makes it no date."""
    first = _QUIET.sub("", code.partition(";")[0])
    words = _WORD.findall(first)
    if words and all(_OF_DAYS.fullmatch(word) or _OF_TIMES.fullmatch(word) for word in words):
        months = any(word.lower() in ("mmm", "mmmm", "mmmmm") for word in words)
        return Shown.DAY if months or any(map(_OF_DAYS.fullmatch, words)) else Shown.CLOCK
    if "%" in first:
        return Shown.PERCENT
    return Shown.SCALED if _THOUSANDS.search(first) else Shown.NUMBER


def _built_in(number: int) -> Shown:
    if number in _BUILT_IN_DAYS:
        return Shown.DAY
    if number in _BUILT_IN_CLOCKS:
        return Shown.CLOCK
    return Shown.PERCENT if number in _BUILT_IN_PERCENTS else Shown.NUMBER


class Styles(Silent):
    """Reads styles.xml; `of(index)` is what a cell's style shows."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._formats: list[str] = []
        self._inside = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """A format code, or a style of cells that names one."""
        if name == "cellXfs":
            self._inside = True
        elif name == "numFmt" and len(self._codes) < 10_000:
            self._codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", "")[:300])
        elif name == "xf" and self._inside and len(self._formats) < 100_000:
            self._formats.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        """The styles of cells are over."""
        if name == "cellXfs":
            self._inside = False

    def table(self) -> tuple[Shown, ...]:
        """What each style shows, by its number."""
        kinds = {number: shown(code) for number, code in self._codes.items()}
        return tuple(kinds[number] if number in kinds else _built_in(_whole(number)) for number in self._formats)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
