"""What a rule's source brings, step by step: its type, how long its texts can be, and values to try the steps with.

Nobody knows a free text beforehand, but everybody knows a day, a sum, and the words of an enumeration: these are
sent through the real steps, the real code list and the target's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.values import Kind, Unusable, is_nothing

_SAMPLES: dict[Kind, tuple[Any, ...]] = {
    "decimal": (Decimal("0.50"), Decimal("850.50"), Decimal("12345.67")),
    "integer": (1, 26, 345, 2026, 34567, 456789, 1234567, 12345678, 123456789),
    "date": (date(2026, 4, 24), date(2026, 12, 1)),
    "moment": (datetime(2026, 4, 24, 8, 30, tzinfo=UTC), datetime(2026, 12, 1, 23, 0, tzinfo=UTC)),
    "boolean": (True, False),
}
NAMES: dict[Kind, str] = {
    "decimal": "a number",
    "integer": "a whole number",
    "date": "a day",
    "moment": "a moment",
    "boolean": "true or false",
    "text": "a text",
}
_KEEP_LENGTH = frozenset({"trim", "collapse_space", "lower", "upper", "text", "unformula", "first", "nothing_if_zero"})


@dataclass(frozen=True, slots=True)
class Length:
    """How long texts can be: at most `most`, without end (`free`), or nobody says (neither)."""

    most: int | None = None
    free: bool = False

    def after(self, step: str, argument: str | None) -> Length:
        """The length after a step."""
        number = int(argument) if argument and argument.isascii() and argument.isdigit() else None
        match step:
            case "clip" if number is not None:
                return Length(number if self.most is None else min(self.most, number))
            case "prefix" | "suffix":
                return self if self.most is None else Length(self.most + len(argument or ""))
            case "pad" if number is not None:
                return self if self.most is None else Length(max(self.most, number))
            case "join":
                return Length(free=True)
            case name if name in _KEEP_LENGTH:
                return self
        return Length()


@dataclass(frozen=True, slots=True)
class Arriving:
    """What arrives. `values` are all that can arrive where `all_known`, else samples of the kind (or none)."""

    type: Type
    length: Length
    values: tuple[Any, ...] = ()
    all_known: bool = False

    def sampled(self) -> Arriving:
        """The same with samples of its kind, where nobody knows its values."""
        samples = () if self.type.many else _SAMPLES.get(self.type.kind, ())
        return replace(self, values=samples, all_known=bool(samples) and self.type.kind == "boolean")

    def through(self, apply: Callable[[Any], Any]) -> tuple[Arriving, tuple[Any, ...]]:
        """What arrives behind a function, and the values that it refused."""
        kept: list[Any] = []
        refused: list[Any] = []
        for value in self.values:
            try:
                kept.append(apply(value))
            except Unusable:
                refused.append(value)
        left = tuple(value for value in kept if not is_nothing(value))
        return replace(self, values=left), tuple(refused)


def arriving(found: Type, *, configured: bool) -> Arriving:
    """What a source of this type brings; `configured` – people chose the text for this one route."""
    if found.whole is not None or found.many:
        return Arriving(found, Length())
    if found.values:
        return Arriving(found, Length(longest(found.values)), found.values, all_known=True)
    if found.kind in {"text", "any"}:
        free = found.max_length is None and not configured
        return Arriving(found, Length(found.max_length, free))
    return Arriving(found, Length()).sampled()


def longest(texts: Sequence[str]) -> int:
    """The length of the longest text."""
    return max(map(len, texts), default=0)
