"""The one door for JSON that others have written: files, answers, items. What could take memory or time is refused.

A number may stand for more digits than any machine has, a list for more objects than any list of ours; both are only a
few bytes. Of two values under one key nobody knows which is meant. Nothing here is quoted in an error but the names on
the way to such a key: it may hold content.
"""

from __future__ import annotations

import json
import re
from collections import Counter
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
_PLAIN_NAME = re.compile(r"[@$]?[^\W\d](?:[^\W\d]|[:$-]|(?<!\d\d\d)\d){0,59}")  # neither a sentence nor a number


class NotJson(ValueError):
    """A text that is read piece by piece is none from this line on."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"no JSON in line {line}")


class KeyTwice(ValueError):
    """An object names a key twice. `path` is the way to it: `batches[2].amount`, what is no plain name as `*`."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"a key stands twice: {path}")


class _Doubled(ValueError):
    """What stops the fast way; the slow one then finds the key."""


class _Twice(dict[str, Any]):
    """An object with a key that stands twice in it, where it does not stop the others."""

    key = ""


Number = Callable[[Decimal], Any]
_Hook = Callable[[list[tuple[str, Any]]], dict[str, Any]]


def _as_read(value: Decimal) -> Decimal:
    return value


def read_json(text: str | bytes, *, number: Number = _as_read, of_many: bool = False) -> Any:
    """What a JSON document holds, in UTF-8; fractions as `Decimal`, or what `number` makes of them.

    Raises ValueError for whatever is none (`json.JSONDecodeError` with the place, where the parser knows it), is nested
    too deeply, holds too many values or numbers that are none; KeyTwice, unless it is one document `of_many` records:
    then whoever takes them apart asks `key_twice` about each.
    """
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    if len(text) > MOST_VALUES and sum(map(text.count, SIGNS)) > MOST_VALUES:  # a value takes a sign at least
        raise ValueError("too many values")
    try:
        body, twice = _read(text, number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _refuse_deep(body)
    if twice and not of_many:
        raise KeyTwice(key_twice(body))
    return body


def _read(text: str, number: Number) -> tuple[Any, bool]:
    """What stands there, and whether a key stands twice somewhere in it."""
    try:
        return _decoder(number).decode(text), False
    except _Doubled:
        return _decoder(number, _marked).decode(text), True


def key_twice(body: Any) -> str:
    """The way to the first key that stands twice in what was read; nothing where none does."""
    waiting = [(body, "")]
    while waiting:
        one, path = waiting.pop()
        if isinstance(one, _Twice):
            return _way(path, one.key)
        if isinstance(one, dict):
            waiting += [(value, _way(path, key)) for key, value in reversed(one.items())]
        elif isinstance(one, list):
            waiting += reversed([(value, f"{path}[{number}]") for number, value in enumerate(one, 1)])
    return ""


def _way(path: str, key: str) -> str:
    name = key if _PLAIN_NAME.fullmatch(key) else "*"
    return f"{path}.{name}" if path else name


def read_members(pieces: Iterable[str], *, number: Number = _as_read) -> Iterator[tuple[int, Any]]:
    """The members of a JSON array, or the one value that there is, each with the line that it begins in.

    Only one member is held at a time, however long the text is. Where a key stands twice in one, it comes as KeyTwice,
    and the others are read. Raises NotJson.
    """
    window = _Window(pieces, number)
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

    def __init__(self, pieces: Iterable[str], number: Number) -> None:
        self._pieces, self._number = iter(pieces), number
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
        hook = _once
        while True:
            try:
                body, end = _decoder(self._number, hook).raw_decode(self._text, self._at)
            except _Doubled:
                hook = _marked
                continue
            except ValueError:
                if not self._more():
                    raise NotJson(self.line) from None
                continue
            except RecursionError:
                raise NotJson(self.line) from None
            if end >= len(self._text) - _LOOSE and self._more():
                continue
            body = self._taken(body, end)
            return KeyTwice(key_twice(body)) if hook is _marked else body

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


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Doubled
    return found


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = _Twice(found)
    marked.key = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
    return marked


@lru_cache(maxsize=16)
def _decoder(number: Number, hook: _Hook = _once) -> json.JSONDecoder:
    def fraction(digits: str) -> Any:
        return number(_decimal(digits))

    return json.JSONDecoder(
        parse_float=fraction, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=hook
    )


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
