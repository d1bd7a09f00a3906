"""Searches texts for a JSON Schema's patterns, in a time that grows with the text and not faster.

Rust's engine (in pydantic) does so by its construction, but knows neither look-around nor back-references. Patterns
with those go to Python's, which needs for ever with a repetition inside a repetition (`(a+)+`): they are refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

_NO_MATTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # escapes and classes: one sign each
_INNERMOST = re.compile(r"\((?:\?(?::|=|!|<=|<!|P?<\w+>))?([^()]*)\)([*+{]?)")
_REPEATS = re.compile(r"[*+?{|]")
_SETS = re.compile(r"\[[^\]]*(?:&&|--|~~|\[)")  # in a class, Rust reads these as operations on sets


@cache
def searching(pattern: str) -> Callable[[str], bool]:
    """Says whether a text holds the pattern; raises ValueError with what is wrong with it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets in classes, which the pattern does not mean
            compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("cannot be read") from None
    adapter = _rust(pattern)
    if adapter is None:
        if _nested(pattern):
            raise ValueError("may need for ever: it repeats a repetition beside a look-around")
        return lambda text: compiled.search(text) is not None

    def found(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return found


def _rust(pattern: str) -> TypeAdapter[str] | None:
    try:
        return None if _SETS.search(pattern) else TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError:
        return None


def _nested(pattern: str) -> bool:
    """Whether a group that may match in several ways is repeated."""
    found = _NO_MATTER.sub("x", pattern)
    while group := _INNERMOST.search(found):
        if group[2] and _REPEATS.search(group[1]):
            return True
        found = found[: group.start()] + ("x+" if _REPEATS.search(group[1]) else "x") + found[group.end(1) + 1 :]
    return False
