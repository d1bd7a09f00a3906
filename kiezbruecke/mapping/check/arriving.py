"""What a rule's source brings, step by step: its type, how long its texts can be, and values to try the steps with.

Nobody knows a free text beforehand, but everybody knows a day, a sum, and the words of an enumeration: these are
sent through the real steps, the real code list and the target's own rules. Of a free text, probes go the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from kiezbruecke.mapping.check.forms import is_sure, numbers_of, texts_of
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Kind, Unusable, is_nothing

_SAMPLES: dict[Kind, tuple[Any, ...]] = {
    "decimal": (Decimal("0.50"), Decimal("850.50"), Decimal("12345.67")),
    "integer": (1, 26, 345, 2026, 34567, 456789, 1234567, 12345678, 123456789),
    "date": (date(2026, 4, 24), date(2026, 12, 1)),
    "moment": (datetime(2026, 4, 24, 8, 30, tzinfo=UTC), datetime(2026, 12, 1, 23, 0, tzinfo=UTC)),
    "boolean": (True, False),
}
_DIGITS = tuple((begin + "1234567890" * 4)[:length] for begin in ("", "0", "00", "20", "99") for length in range(1, 41))
NAMES: dict[Kind, str] = {
    "decimal": "a number",
    "integer": "a whole number",
    "date": "a day",
    "moment": "a moment",
    "boolean": "true or false",
    "text": "a text",
}
EXAMPLES: dict[Kind, str] = {
    "decimal": "a number such as 850.00",
    "integer": "a whole number such as 3",
    "date": "a day such as 2026-04-24",
    "moment": "a moment such as 2026-04-24T10:00:00.000Z",
    "boolean": "true or false",
}
_WRITERS: dict[str, tuple[str, ...]] = {  # what shows the form that a step gives to any text
    "hash": ("Fest",),
    "name_uuid": ("Fest",),
    "uuid": ("ca9d500c-3b1c-4f0e-9a9b-0c1b7f0d2e11", "4c760250-54b9-51da-b98d-115d22133b41"),
    "iban": ("DE02120300000000202051", "NL91ABNA0417164300"),
}


_NEVER_LONGER = frozenset(
    {"trim", "collapse_space", "text", "unformula", "first", "nothing_if_zero", "split", "before", "after", "digits"}
    | {"din91379", "html_to_text", "nothing_if", "bracketed", "latin9", "nfc"}
)
_GROWS = {"upper": 3, "lower": 2, "sepa_text": 3}  # to how many characters one may become: ß SS, İ i̇, € EUR
_ASCII = frozenset(
    {"hash", "uuid", "name_uuid", "iban", "bic", "digits", "date_format", "time_format", "money_text"}
    | {"true_false", "decimal_places"}
)
_MOST = {"uuid": 36, "name_uuid": 36, "iban": 34, "bic": 11, "money_text": 19, "true_false": 5}  # -123456789012345,67
_DIGESTS = {"sha256": 64, "sha512": 128}
LARGEST = 10**9  # what no step can want
_LONGEST_ADDRESS = 250  # steps.address refuses longer ones


@dataclass(frozen=True, slots=True)
class Length:
    """How long texts can be: at most `most`, without end (`free`), or nobody says (neither).

    `ascii`: no character of them becomes longer by a change of case or by transliteration.
    """

    most: int | None = None
    free: bool = False
    ascii: bool = False

    def after(self, step: str, argument: str | None) -> Length:
        """The length after a step."""
        number = as_number(argument)
        match step:
            case "clip" if number is not None:
                return replace(self, most=number if self.most is None else min(self.most, number), free=False)
            case "pad" if number is not None:
                return self if self.most is None else replace(self, most=max(self.most, number))
            case "prefix" | "suffix":
                text = argument or ""
                longer = None if self.most is None else self.most + len(text)
                return replace(self, most=longer, ascii=self.ascii and text.isascii())
            case "join":
                return Length(free=True)
        return self._behind(step, argument)

    def _behind(self, step: str, argument: str | None) -> Length:
        """The length after a step whose argument, if any, is no length and no text."""
        if step in _GROWS:
            longest = None if self.most is None else self.most * (1 if self.ascii else _GROWS[step])
            return replace(self, most=longest, ascii=self.ascii or step == "sepa_text")
        if step in _NEVER_LONGER:
            return replace(self, ascii=self.ascii or step in _ASCII)
        return Length(self._written_by(step, argument), ascii=step in _ASCII)

    def _written_by(self, step: str, argument: str | None) -> int | None:
        """The longest text of a step that gives its text a form of its own."""
        match step:
            case "hash":
                return _DIGESTS.get(argument or "")
            case "date_format" | "time_format":
                return len(argument or "")
            case "decimal_places" if (places := as_number(argument)) is not None:
                return 17 + places  # a sign, 15 digits, a point
            case "address_part":
                return 5 if argument == "postcode" else min(self.most or _LONGEST_ADDRESS, _LONGEST_ADDRESS)
        return _MOST.get(step)


def as_number(argument: str | None) -> int | None:
    """The argument of a step that wants a number, LARGEST where it is more; None where it is no number."""
    if not argument or not argument.isascii() or not argument.isdigit():
        return None
    return int(argument) if len(argument) < len(str(LARGEST)) else LARGEST


@dataclass(frozen=True, slots=True)
class Arriving:
    """What arrives. `values` are all that can arrive where `all_known`, else samples of the kind (or none).

    `probes` are texts that a source without known values may hold: each of them may arrive some day.
    `options` are texts of an alphabet at every length: where none of them fits, nothing does.
    `shaped`: every value that is not known looks like the probes, or like the samples.
    """

    type: Type
    length: Length
    values: tuple[Any, ...] = ()
    all_known: bool = False
    probes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    shaped: bool = False

    def sampled(self) -> Arriving:
        """The same with samples of its kind, where nobody knows its values."""
        samples = () if self.type.many else _SAMPLES.get(self.type.kind, ())
        return replace(self, values=samples, all_known=bool(samples) and self.type.kind == "boolean", shaped=False)

    def through(self, apply: Callable[[Any], Any]) -> tuple[Arriving, dict[Any, Unusable]]:
        """What arrives behind a function, and the values that it refused with the reasons."""
        kept, refused = _applied(apply, self.values)
        return replace(self, values=tuple(value for value in kept if not is_nothing(value))), refused

    def formed(self, step: str, argument: str | int | None) -> Arriving:
        """Behind a step, where no value is known: its samples, or what the step makes of the probes."""
        if self.type.many or self.type.kind != "text":
            return replace(self.sampled(), probes=(), options=())
        samples = _results(step, _written(step, argument), argument)
        if step == "digits" and not self.shaped:  # how many come, nobody knows
            return replace(self, probes=(), options=_DIGITS)
        probes, options = ((), ()) if samples else (self.probes, self.options)
        probes, options = (_results(step, texts, argument) for texts in (probes, options))
        return replace(self, values=samples, probes=probes, options=options, shaped=self.shaped and bool(probes))

    def refusal(self, step: str, argument: str | int | None) -> Unusable | None:
        """Why a step reads none of the texts that are all there can be; None where it does, or nobody knows."""
        if not self.shaped or self.type.many:
            return None
        kept, refused = _applied(lambda probe: STEPS[step].apply(probe, argument), self.probes)
        return None if kept else next(iter(refused.values()), None)


def arriving(source: SourcePath, found: Type) -> Arriving:
    """What a source of this type brings."""
    if found.whole is not None or found.many:
        return Arriving(found, Length())
    if found.values:
        return Arriving(found, Length(longest(found.values)), found.values, all_known=True)
    if found.kind in {"text", "any"}:
        configured = source.root == "route"  # people chose the text for this one route
        texts = texts_of(source, found)
        free = found.max_length is None and not configured
        length = Length(found.max_length, free, ascii=bool(texts) and all(map(str.isascii, texts)))
        probes = texts if found.kind == "text" and not configured else ()
        return Arriving(found, length, probes=probes, shaped=bool(probes) and is_sure(source, found, texts))
    if numbers := numbers_of(source, found):
        return Arriving(found, Length(), numbers, shaped=True)
    return Arriving(found, Length()).sampled()


def _written(step: str, argument: str | int | None) -> Sequence[Any]:
    """Values that show the form in which a step writes whatever it can read."""
    if step == "address_part" and argument == "postcode":
        return ("Am Markt 1, 12555 Berlin",)
    return _WRITERS.get(step) or _SAMPLES.get(STEPS[step].takes, ())


def _results(step: str, given: Sequence[Any], argument: str | int | None) -> tuple[Any, ...]:
    """What a step makes of values, without those that it refuses."""
    found, _ = _applied(lambda value: STEPS[step].apply(value, argument), given)
    return tuple(dict.fromkeys(value for value in found if not is_nothing(value)))


def _applied(apply: Callable[[Any], Any], values: Sequence[Any]) -> tuple[list[Any], dict[Any, Unusable]]:
    """What a function makes of values, and those that it refuses with the reasons."""
    kept: list[Any] = []
    refused: dict[Any, Unusable] = {}
    for value in values:
        try:
            kept.append(apply(value))
        except Unusable as unusable:
            refused[value] = unusable
    return kept, refused


def longest(texts: Sequence[str]) -> int:
    """The length of the longest text."""
    return max(map(len, texts), default=0)
