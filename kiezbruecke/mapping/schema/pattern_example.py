"""A text that follows a pattern, so that people see what is meant: `[0-9]{4}-[0-9]{2,}` ─▶ `1234-12`.

Only what patterns of forms and numbers are made of is read; of anything else there is no example, and of what is shown
it is certain that it follows the pattern.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import takewhile
from string import ascii_lowercase, ascii_uppercase, digits

_RUNS = (digits[1:] + digits[0], ascii_uppercase, ascii_lowercase)  # each sign of an example is the next of its run
_TOKEN = re.compile(
    r"(?P<class>\[(?:\\.|[^\]\\])+\])|(?P<escape>\\p\{\w+\}|\\[dwA-Za-z]|\\.)|(?P<repeat>\{(\d+)(?:,\d*)?\}|[*+?])"
    r"|(?P<open>\((?:\?:)?(?!\?))|(?P<close>\))|(?P<or>\|)|(?P<anchor>[\^$])|(?P<sign>[^\\\[\](){}|*+?^$.])|(?P<any>\.)|(?P<odd>.)",
    re.DOTALL,
)
_CLASSES = {r"\d": "[0-9]", r"\w": "[A-Za-z0-9_]", r"\s": "[ ]"}
_PROPERTY = re.compile(r"\\p\{(?:(?P<large>Lu)|(?P<small>Ll)|(?P<letter>L\w?)|(?P<number>N\w?))\}")  # of Unicode
_OF_PROPERTY = {"large": "A-Z", "small": "a-z", "letter": "A-Za-z", "number": "0-9"}
_LOOK_AROUND = re.compile(r"\(\?<?[!=](?:\\.|\[(?:\\.|[^\]\\])*\]|[^()\\\[])*\)")
_OFTEN = re.compile(r"(?<!\\)[+*](?![^\[]*\])|\{(\d+),\d*\}")
_MORE = (2, 5, 12, 30)  # what a length may ask for beside the pattern
_LONGEST = 60


class _Unknown(Exception):
    """Something in the pattern that is not read here."""


def examples_of(pattern: str) -> list[str]:
    """Texts that may follow it: the shortest, longer ones, those of which its conditions (`(?!0)`) were not asked."""
    shapes = (pattern, _LOOK_AROUND.sub("", pattern))
    longer = (_OFTEN.sub(partial(_times_or_more, times), shape) for shape in shapes for times in _MORE)
    return list(filter(None, dict.fromkeys(map(example_of, (*shapes, *longer)))))


def _times_or_more(times: int, found: re.Match[str]) -> str:
    return f"{{{max(times, int(found[1] or 0))}}}"


def example_of(pattern: str) -> str:
    """A short text that follows the pattern; empty where none is found."""
    try:
        pattern = _TOKEN.sub(_plain, pattern)
        text = _filled(_signs(pattern))
        followed = re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text)
    except (_Unknown, re.error, RecursionError):
        return ""
    return text if followed and len(text) <= _LONGEST else ""


def _plain(token: re.Match[str]) -> str:
    """The part of a pattern with ASCII's letters and digits for Unicode's, which Python does not know."""
    inside = token.lastgroup == "class"
    return _PROPERTY.sub(lambda found: _ranges(found, inside=inside), token[0])


def _ranges(found: re.Match[str], *, inside: bool) -> str:
    ranges = _OF_PROPERTY[found.lastgroup or ""]
    return ranges if inside else f"[{ranges}]"


def _signs(pattern: str) -> list[str]:
    """The signs of the first alternatives, as classes or signs."""
    levels: list[list[list[str] | None]] = [[]]  # of open groups; None: what follows is another alternative
    for token in _TOKEN.finditer(pattern):
        here = levels[-1]
        match token.lastgroup:
            case "open":
                levels.append([])
            case "close" if len(levels) > 1:
                levels[-2].append(_first(levels.pop()))
            case "or":
                here.append(None)
            case "repeat" if here:
                here[-1] = ((here[-1] or []) * _times(token))[: _LONGEST + 1]
            case "close" | "repeat" | "odd":
                raise _Unknown
            case "anchor":
                pass
            case _:
                here.append([_sign(token)])
    return _first(levels[0])


def _first(parts: list[list[str] | None]) -> list[str]:
    """What stands before the first `|`."""
    return [sign for part in takewhile(lambda part: part is not None, parts) for sign in part or ()]


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
