"""Values as JSON holds them: exact numbers, truths and texts, of the types that a place allows."""

from __future__ import annotations

import re
from decimal import Decimal

from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why, either

SCALARS = frozenset({"string", "integer", "number", "boolean"})
TYPE_NAMES = {
    "string": Instead.TEXT(),
    "integer": Instead.WHOLE_NUMBER(),
    "number": Instead.NUMBER(),
    "boolean": Instead.TRUE_OR_FALSE(),
    "array": Instead.LIST(),
    "object": Instead.OBJECT(),
    "null": Instead.NOTHING(),
}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_TRUTHS = {"1": True, "true": True, "0": False, "false": False}
_SURROGATE = re.compile("[\ud800-\udfff]")
_FINEST = -18  # places after the point; more is not a number that people write


def as_json(types: frozenset[str], value: object) -> str | int | bool | Decimal:
    """The value as JSON holds it, of one of the types (none: any); numbers are never floats. Raises Unusable."""
    if isinstance(value, list | tuple):
        raise Unusable(Why.SEVERAL_VALUES(), Instead.ONE_VALUE())
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool):
        return value if not types or "boolean" in types else _text_or_read(types, value)
    if isinstance(value, int | Decimal) and (not types or types & {"integer", "number"}):
        return _number(types, value)
    return _text_or_read(types, value)


def _text_or_read(types: frozenset[str], value: object) -> str | int | bool | Decimal:
    if not types or "string" in types:
        return _text(value)
    return _read(types, to_text(value).strip())


def _text(value: object) -> str:
    text = to_text(value)
    if _SURROGATE.search(text):
        raise Unusable(Why.NO_CHARACTERS(), Instead.READABLE())
    return text


def _number(types: frozenset[str], value: int | Decimal) -> int | Decimal:
    if isinstance(value, int):
        return value
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST or abs(value) >= Decimal(10) ** 18:
        raise Unusable(Why.NO_NUMBER(), Instead.FINITE())
    if value == value.to_integral_value() and (exponent >= 0 or (types and "number" not in types)):
        return int(value)
    return value


def _read(types: frozenset[str], text: str) -> int | bool | Decimal:
    """A text as a number or a truth."""
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return Decimal(text)
    if "boolean" in types and text in _TRUTHS:
        return _TRUTHS[text]
    names = [TYPE_NAMES[name] for name in sorted(types & SCALARS)]
    raise Unusable(Why.OTHER_TYPE(), either(names) if names else Instead.OBJECT())
