"""A text that follows a pattern, so that people see what is meant: `[0-9]{4}-[0-9]{2,}` ─▶ `1234-12`.

Only what patterns of forms and numbers are made of is read; of anything else there is no example, and of what is shown
it is certain that it follows the pattern.
"""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase, digits

_RUNS = (digits[1:] + digits[0], ascii_uppercase, ascii_lowercase)  # each sign of an example is the next of its run
_TOKEN = re.compile(
    r"(?P<class>\[(?:\\.|[^\]\\])+\])|(?P<escape>\\[dwA-Za-z]|\\.)|(?P<repeat>\{(\d+)(?:,\d*)?\}|[*+?])"
    r"|(?P<open>\((?:\?:)?(?!\?))|(?P<close>\))|(?P<or>\|)|(?P<anchor>[\^$])|(?P<sign>[^\\\[\](){}|*+?^$.])|(?P<any>\.)",
    re.DOTALL,
)
_CLASSES = {r"\d": "[0-9]", r"\w": "[A-Za-z0-9_]"}
_LONGEST = 60


class _Unknown(Exception):
    """Something in the pattern that is not read here."""


def example_of(pattern: str) -> str:
    """A short text that follows the pattern; empty where none is found."""
    try:
        tokens = _tokens(pattern)
        parts, rest = _sequence(tokens)
        if rest:
            return ""
        text = _filled(parts)
        return text if len(text) <= _LONGEST and re.fullmatch(_anchored(pattern), text) else ""
    except (_Unknown, re.error, RecursionError):
        return ""


def _anchored(pattern: str) -> str:
    return pattern.removeprefix("^").removesuffix("$")


def _tokens(pattern: str) -> list[re.Match[str]]:
    found, place = [], 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            raise _Unknown
        found.append(token)
        place = token.end()
    return found


def _sequence(tokens: list[re.Match[str]]) -> tuple[list[str], list[re.Match[str]]]:
    """The signs of the first alternative, as classes or signs; and what stands behind the group's end."""
    parts: list[str] = []
    last: list[str] = []
    while tokens:
        token, *tokens = tokens
        match token.lastgroup:
            case "close" | "or":
                return [*parts, *last], _behind([token, *tokens])
            case "repeat":
                last = last * _times(token)
            case "anchor":
                continue
            case "open":
                parts, (last, tokens) = [*parts, *last], _sequence(tokens)
            case _:
                parts, last = [*parts, *last], [_sign(token)]
    return [*parts, *last], []


def _behind(tokens: list[re.Match[str]]) -> list[re.Match[str]]:
    """What follows the group whose first alternative has been read."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += {"open": 1, "close": -1}.get(token.lastgroup or "", 0)
        if depth < 0:
            return tokens[number + 1 :]
    return []


def _times(token: re.Match[str]) -> int:
    if token[0][0] == "{":
        return min(int(token[0].strip("{}").partition(",")[0]), _LONGEST)
    return 1 if token[0] == "+" else 0


def _sign(token: re.Match[str]) -> str:
    if token.lastgroup == "any":
        return "[A-Z]"
    if token.lastgroup == "class":
        return token[0]
    if token.lastgroup == "escape":
        if token[0][1].isalnum() and token[0] not in _CLASSES:
            raise _Unknown
        return _CLASSES.get(token[0], re.escape(token[0][1]))
    return re.escape(token[0])


def _filled(parts: list[str]) -> str:
    """Each class with the next sign of a run that it takes, so that a number reads 1234 and not 1111."""
    text, used = "", dict.fromkeys(_RUNS, 0)
    for part in parts:
        if part[0] != "[":
            text += part[-1]
            used = dict.fromkeys(_RUNS, 0)
            continue
        run = next((run for run in _RUNS if any(re.fullmatch(part, sign) for sign in run)), "")
        fitting = [sign for sign in run if re.fullmatch(part, sign)]
        if not fitting:
            raise _Unknown
        text += fitting[used[run] % len(fitting)]
        used[run] += 1
    return text
