"""What a value is on its way: when it counts as nothing, how it is written as text, and why it cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

from kiezbruecke.mapping.wording import UNSAID, Instead, Why, Wording
from kiezbruecke.records import CENT

Kind = Literal["text", "decimal", "integer", "date", "moment", "boolean", "list", "any"]

_TOO_LARGE = Decimal(10) ** 15
_CENTS = re.compile(r"-?[0-9]{1,15}\.[0-9]{2}")  # what nearly all sums look like already

# What XML 1.0 cannot carry in any form: control characters, lone surrogates, U+FFFE and U+FFFF.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Unusable(Exception):
    """A rule cannot use a value: why, and what is expected instead; never the value itself. As a text it is German."""

    def __init__(self, problem: Wording, expected: Wording = UNSAID) -> None:
        self.problem, self.expected = problem, expected
        super().__init__(f"{problem}; erwartet: {expected}" if expected else problem)


def is_nothing(value: object) -> bool:
    """Empty text, blanks, null, an empty list and a missing field are the same: nothing. 0 and False are not."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, list | tuple | dict | set | frozenset) and not value)


def to_text(value: object) -> str:
    """The one way a value is written: money with two places, moments in UTC, truth as 1 or 0."""
    if straight := _BY_TYPE.get(type(value)):
        return straight(value)
    if isinstance(value, Enum):
        return to_text(value.value)
    for known, write in _WRITERS:
        if isinstance(value, known):
            return write(value)
    if isinstance(value, list | tuple):
        raise Unusable(Why.SEVERAL_VALUES(), Instead.ONE_VALUE())
    raise Unusable(Why.NO_TEXT(), Instead.A_FIELD())


def xml_text(value: object) -> str:
    """The value as text that XML can carry."""
    text = to_text(value)
    if _NOT_XML.search(text):
        raise Unusable(Why.NOT_XML(), Instead.READABLE())
    return text


def fold(text: str) -> str:
    """The text where neither case nor runs of blanks matter."""
    return " ".join(text.split()).casefold()


def same(value: object, text: str, *, folded: bool = False) -> bool:
    """Whether a value equals the text that a mapping names (`equals:`); truth is 1 or true, 0 or false."""
    if isinstance(value, bool):
        return text.lower() in (("1", "true") if value else ("0", "false"))
    if is_nothing(value):
        return False
    return fold(to_text(value)) == fold(text) if folded else to_text(value) == text


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise Unusable(Why.NOT_FINITE(), Instead.NUMBER())
    if abs(value) >= _TOO_LARGE:
        raise Unusable(Why.TOO_LARGE(), Instead.SMALLER())
    return value


def money_text(value: Decimal) -> str:
    """A sum with two places; raises Unusable where it is finer."""
    written = str(value)
    if _CENTS.fullmatch(written):
        return written
    rounded = _bounded(value).quantize(CENT, rounding=ROUND_HALF_EVEN)
    if rounded != value:
        raise Unusable(Why.FINER_THAN_A_CENT(), Instead.CENTS())
    return f"{rounded:f}"


def _float_text(value: float) -> str:
    """The shortest decimal that means the same number; only places on a map are floats."""
    return f"{_bounded(Decimal(repr(value))):f}"


def moment_text(value: datetime) -> str:
    """A moment in UTC with milliseconds; raises Unusable without a time zone."""
    if value.tzinfo is None:
        raise Unusable(Why.NO_ZONE(), Instead.TIME_WITH_ZONE())
    try:
        at = value if value.tzinfo is UTC else value.astimezone(UTC)
        day = (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 1000)
        return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % day  # noqa: UP031 - half of isoformat's time
    except OverflowError:  # the first hours of year 1 east of Greenwich, the last of 9999 west of it
        raise Unusable(Why.NO_CALENDAR(), Instead.CALENDAR()) from None


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (  # the first that fits: True is an int, a moment a date
    (bool, lambda value: "1" if value else "0"),
    (str, str),
    (int, str),
    (UUID, str),
    (Decimal, money_text),
    (float, _float_text),
    (datetime, moment_text),
    (date, date.isoformat),
)
_BY_TYPE: dict[type, Callable[[Any], str]] = dict(_WRITERS)
