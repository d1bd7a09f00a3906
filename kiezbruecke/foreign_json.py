"""The one door for JSON that others have written: files, answers, items. What could take memory or time is refused.

A number may stand for more digits than any machine has, a list for more objects than any list of ours; both are only a
few bytes. Nothing here is quoted in an error: it may hold content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

MOST_VALUES = 1_000_000  # in one document; a page of 10,000 proposals has about 400,000
LONGEST_NUMBER = 400  # digits, also those that an exponent stands for: what a double holds
DEEPEST = 100  # objects and lists inside each other
LONGEST_MEMBER = 32_000_000  # signs of one member of a list that is read piece by piece
SIGNS = ("[", "{", ",")  # each value follows one of these; within texts they count as well, which harms nobody


_LOOSE = 2  # signs behind a number that may still belong to it: `1e+`
_BLANKS = re.compile(r"[ \t\n\r]*")


class NotJson(ValueError):
    """A text that is read piece by piece is none from this line on."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"no JSON in line {line}")


Number = Callable[[Decimal], Any]


def _as_read(value: Decimal) -> Decimal:
    return value


def read_json(text: str | bytes, *, number: Number = _as_read) -> Any:
    """What a JSON document holds, in UTF-8; fractions as `Decimal`, or what `number` makes of them.

    Raises ValueError for whatever is none (`json.JSONDecodeError` with the place, where the parser knows it), is nested
    too deeply, holds too many values or numbers that are none.
    """
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    if len(text) > MOST_VALUES and sum(map(text.count, SIGNS)) > MOST_VALUES:  # a value takes a sign at least
        raise ValueError("too many values")
    try:
        body = _decoder(number).decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _refuse_deep(body)
    return body


def read_members(pieces: Iterable[str], *, number: Number = _as_read) -> Iterator[tuple[int, Any]]:
    """The members of a JSON array, or the one value that there is, each with the line that it begins in.

    Only one member is held at a time, however long the text is. Raises NotJson.
    """
    window = _Window(pieces, _decoder(number))
    if window.sign() != "[":
        yield window.line, window.value()
    else:
        window.step()
        following = window.sign() != "]"
        while following:
            line = window.line
            yield line, window.value()
            following = window.sign() == ","
            if following:
                window.step()
                window.sign()
        window.expect("]")
    if window.sign():
        raise NotJson(window.line)


class _Window:
    """The part of a text that is being read, at a place in it whose line is known."""

    def __init__(self, pieces: Iterable[str], decoder: json.JSONDecoder) -> None:
        self._pieces, self._decoder = iter(pieces), decoder
        self._text, self._at = "", 0
        self.line = 1

    def sign(self) -> str:
        """The next sign that is no blank, where the window then stands; nothing at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            assert blanks is not None
            self._move(blanks.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def step(self) -> None:
        """Over the sign that was looked at."""
        self._at += 1

    def expect(self, sign: str) -> None:
        """Over just this sign; raises NotJson."""
        if self.sign() != sign:
            raise NotJson(self.line)
        self.step()

    def value(self) -> Any:
        """The value that begins here; raises NotJson. One that may go on behind the window is read again with more."""
        while True:
            try:
                body, end = self._decoder.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise NotJson(self.line) from None
                continue
            except RecursionError:
                raise NotJson(self.line) from None
            if end >= len(self._text) - _LOOSE and self._more():
                continue
            return self._taken(body, end)

    def _taken(self, body: Any, end: int) -> Any:
        signs = sum(self._text.count(sign, self._at, end) for sign in SIGNS)
        try:
            if signs > MOST_VALUES:
                raise NotJson(self.line)
            if signs > DEEPEST:
                _refuse_deep(body)
        except ValueError:
            raise NotJson(self.line) from None
        self._move(end)
        return body

    def _move(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """As much again as there is, so that a long value is begun a few times only; False at the end."""
        kept = self._text[self._at :]
        if len(kept) > LONGEST_MEMBER:
            return False
        pieces, size = [kept], 0
        for piece in self._pieces:
            pieces.append(piece)
            size += len(piece)
            if size > len(kept):
                break
        if size:
            self._text, self._at = "".join(pieces), 0
        return size > 0


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


@lru_cache(maxsize=16)
def _decoder(number: Number) -> json.JSONDecoder:
    def fraction(digits: str) -> Any:
        return number(_decimal(digits))

    return json.JSONDecoder(parse_float=fraction, parse_int=_integer, parse_constant=_no_constant)


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
