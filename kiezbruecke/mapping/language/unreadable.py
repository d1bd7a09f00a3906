"""Why a YAML file cannot be read, in words of people who write mappings: the parser speaks of tokens and blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.error import YAMLError

_CLOSING = re.compile(r"expected ',' or '(?P<close>.)', but got '(?P<got>.*)'")
_KEY_BEFORE = re.compile(r":\s")
_COLON = ("a text with a colon and a blank needs quotes", '"…: …"')
_INDENTED = ("the indentation does not fit the lines above", "keys of one block, and its hyphens, in one column")
_FORMS = tuple(
    (re.compile(form, re.DOTALL), message, expected)
    for form, message, expected in (
        (r"mapping values are not allowed.*", *_INDENTED),
        (r"expected <block end>.*", *_INDENTED),
        (r"expected ',' or '.', but got ':'", *_COLON),
        (r"found undefined alias '(.*)'", "a text that begins with * needs quotes", '"*{}"'),
        (r"found character '\\t'.*", "a tab stands here", "blanks: YAML is indented with blanks alone"),
        (r"found character '(.)'.*", "a text that begins with {} needs quotes", '"{}…"'),
    )
)
_OPENING = {"}": "{", "]": "["}
_COMMENT = "a # behind a blank begins a comment: such a text needs quotes"


@dataclass(frozen=True)
class Unreadable:
    """What is wrong where: line and column count from 1."""

    line: int
    column: int
    message: str
    expected: str = "YAML"
    helps: str = ""


def explain(error: YAMLError, text: str) -> Unreadable:
    """What a YAML error means; what is not known is said in the parser's words."""
    mark, problem = getattr(error, "problem_mark", None), str(getattr(error, "problem", None) or "not YAML")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    if said := _open(error, problem, lines) or _said(problem, shown, line, column):
        return said
    return Unreadable(line, column, problem.partition("\n")[0])


def _said(problem: str, shown: str, line: int, column: int) -> Unreadable | None:
    """What the line itself shows."""
    if problem.startswith("mapping values") and _KEY_BEFORE.search(shown[: column - 1]):
        return Unreadable(line, column, *_COLON)
    for form, message, expected in _FORMS:
        if found := form.fullmatch(problem):
            return Unreadable(line, column, message.format(*found.groups()), expected.format(*found.groups()))
    return None


def _open(error: Any, problem: str, lines: list[str]) -> Unreadable | None:
    """A brace or a quote that is never closed: the parser notices it lines later, it is mended where it begins."""
    begins, ends = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if begins is None or ends is None or begins.line == ends.line:
        return None
    line, column = begins.line + 1, begins.column + 1
    if "quoted scalar" in str(error.context):
        return Unreadable(line, column, "this quote is not closed", "a second one of its kind")
    if closing := _CLOSING.fullmatch(problem):
        brace = _OPENING.get(closing["close"], "{")
        helps = _COMMENT if " #" in "".join(lines[line - 1 : line]) else ""
        return Unreadable(line, column, f"'{brace}' is not closed", f"'{closing['close']}' in this line", helps)
    return None
