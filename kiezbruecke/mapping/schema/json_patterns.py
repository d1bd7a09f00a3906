"""Searches texts for a JSON Schema's patterns, in a time that grows with the text and not faster.

Rust's engine (in pydantic) does so by its construction, but knows neither look-around nor back-references. Conditions
that stand at a pattern's beginning (`^(?!0)(?=.*[a-z])…`) are patterns of their own to it. What is left goes to
Python's engine, with one repetition and a text that is short: it tries all ways in which several could share a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from kiezbruecke.mapping.schema.json_grammar import PYTHON, RUST, spelled

Search = Callable[[str], bool]
_NO_MATTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # escapes and classes: one sign each
_INNERMOST = re.compile(r"\((?:\?(?::|=|!|<=|<!|P?<\w+>))?([^()]*)\)([*+{]?)")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_LONGEST, _MOST_CHOICES = 1_000, 4  # of what Python's engine is given: signs of a text, choices of a pattern
_REPEATS = re.compile(r"[*+?{|]")


@cache
def searching(pattern: str) -> Search:
    """Says whether a text holds the pattern; raises ValueError with what is wrong with it."""
    rust = spelled(pattern, RUST)
    search = _rust(rust) or _conditions(rust)
    if search is not None:
        return search
    python = spelled(pattern, PYTHON)
    try:
        compiled = re.compile(python, re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("cannot be read") from None
    if _nested(python):
        raise ValueError("may need for ever: it repeats a repetition beside a look-around")
    if _choices(python) > _MOST_CHOICES:
        raise ValueError("may need for ever: it repeats several times beside a look-around")
    return lambda text: len(text) <= _LONGEST and compiled.search(text) is not None


def _rust(pattern: str) -> Search | None:
    try:
        adapter = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError:
        return None
    return partial(_fits, adapter)


def _fits(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


def _conditions(pattern: str) -> Search | None:
    """A pattern for the whole text with conditions before it: each of them is searched for from the beginning."""
    found: list[tuple[bool, Search]] = []
    anchored, rest = False, pattern
    while rest.startswith(("^", "(?=", "(?!")):
        if rest.startswith("^"):
            anchored, rest = True, rest[1:]
            continue
        end = _closing(rest)
        condition = _rust(f"^(?:{rest[3:end]})")
        if condition is None:
            return None
        found.append((rest[2] == "=", condition))
        rest = rest[end + 1 :]
    whole = _rust(f"^(?:{rest})")
    if whole is None or not anchored or "|" in _NO_MATTER.sub("x", _outside(rest)):
        return None
    return lambda text: whole(text) and all(condition(text) is wanted for wanted, condition in found)


def _closing(text: str) -> int:
    """Where the group that begins a text ends."""
    depth = 0
    for sign in _TOKEN.finditer(text):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.start()
    return len(text)


def _outside(text: str) -> str:
    """A pattern without its groups."""
    depth, kept = 0, []
    for sign in _TOKEN.finditer(text):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        kept += [sign[0]] if depth == 0 else []
    return "".join(kept)


def _choices(pattern: str) -> int:
    """How often the engine must choose, where every repetition counts as many times."""
    plain = _NO_MATTER.sub("x", pattern)
    repeats = len(re.findall(r"[*+]|\{\d*,?\d{2,}\}|\{\d+,\}", plain))
    return repeats * _MOST_CHOICES + len(re.findall(r"(?<!\()[?]|\||\{\d?,\d\}", plain)) // 2


def _nested(pattern: str) -> bool:
    """Whether a group that may match in several ways is repeated."""
    found = _NO_MATTER.sub("x", pattern)
    while group := _INNERMOST.search(found):
        if group[2] and _REPEATS.search(group[1]):
            return True
        found = found[: group.start()] + ("x+" if _REPEATS.search(group[1]) else "x") + found[group.end(1) + 1 :]
    return False
