"""The one door for JSON that others have written: files, answers, items. What could take memory or time is refused.

A number may stand for more digits than any machine has, a list for more objects than any list of ours; both are only a
few bytes. Nothing here is quoted in an error: it may hold content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

MOST_VALUES = 1_000_000  # in one document; a page of 10,000 proposals has about 400,000
LONGEST_NUMBER = 400  # digits, also those that an exponent stands for: what a double holds
DEEPEST = 100  # objects and lists inside each other
SIGNS = ("[", "{", ",")  # each value follows one of these; within texts they count as well, which harms nobody


def read_json(text: str | bytes, *, number: Callable[[Decimal], Any] = lambda value: value) -> Any:
    """What a JSON document holds, in UTF-8; fractions as `Decimal`, or what `number` makes of them.

    Raises ValueError for whatever is none (`json.JSONDecodeError` with the place, where the parser knows it), is nested
    too deeply, holds too many values or numbers that are none.
    """
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    if sum(map(text.count, SIGNS)) > MOST_VALUES:
        raise ValueError("too many values")
    try:
        body = json.loads(
            text,
            parse_float=lambda digits: number(_decimal(digits)),
            parse_int=_integer,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _refuse_deep(body)
    return body


def _refuse_deep(body: Any) -> None:
    """Whoever writes it down again needs as many calls as there are levels."""
    level = [body]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _decimal(digits: str) -> Decimal:
    mantissa, _, exponent = digits.lower().partition("e")
    if len(mantissa) > LONGEST_NUMBER or len(exponent) > 4 or abs(int(exponent or 0)) > LONGEST_NUMBER:
        raise ValueError("a number that is too long")
    return Decimal(digits)


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("a number that is too long")
    return int(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
