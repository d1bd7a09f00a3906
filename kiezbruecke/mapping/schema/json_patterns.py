"""Searches texts for a JSON Schema's patterns, in a time that grows with the text and not faster.

They are ECMA-262 with the flag `u`; our engines read another grammar in the same signs: there `\\d`, `\\w` and `\\b`
are of ASCII, `\\s` is a list of its own, `$` is the very end, and a class knows no sets. So a pattern is written anew,
part by part, for Rust's engine or for Python's; what ECMA-262 does not know is refused.

Rust's engine (in pydantic) takes bounded time by its construction, but knows neither look-around nor back-references.
Conditions that stand at a pattern's beginning (`^(?!0)(?=.*[a-z])…`) are patterns of their own to it. What is left goes
to Python's engine, with one repetition and a text that is short: it tries all ways in which several could share a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

_LAST = chr(0x10FFFF)
_SETS = {  # what stands in a class; capitals are all that is left
    "d": "0-9",
    "w": "0-9A-Z_a-z",
    "s": "\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
    "D": f"\0-/:-{_LAST}",
    "W": rf"{chr(0)}-/:-@\[-\^`\{{-{_LAST}",
    "S": "\0-\x08\x0e-\x1f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    f"\u3001-\ufefe\uff00-{_LAST}",
}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0", "b": "\b"}
_ESCAPE = (
    r"(?P<property>\\[pP]\{[^{}]*\})|\\u\{(?P<point>[0-9A-Fa-f]{1,6})\}"
    r"|\\u(?P<pair>[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})|\\u(?P<unit>[0-9A-Fa-f]{4})"
    r"|\\x(?P<byte>[0-9A-Fa-f]{2})|\\c(?P<control>[A-Za-z])"
)
_PART = re.compile(
    rf"{_ESCAPE}|\\k<(?P<named>\w+)>|\\(?P<back>[1-9])(?![0-9])|\\(?P<escape>.)|\[(?P<class>\^?(?:\\.|[^\]\\])*)\]"
    r"|(?P<group>\((?!\?)|\(\?(?::|=|!|<=|<!|<[A-Za-z_]\w*>))|(?P<odd>\(\?.?|[\[\\])"
    r"|(?P<times>(?:[*+?]|\{\d+(?:,\d*)?\})\??)|(?P<sign>.)",
    re.DOTALL,
)
_MEMBER = re.compile(rf"{_ESCAPE}|\\(?P<escape>.)|(?P<odd>-\[|\[:)|(?P<sign>.)", re.DOTALL)
Search = Callable[[str], bool]
_NO_MATTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # escapes and classes: one sign each
_INNERMOST = re.compile(r"\((?:\?(?::|=|!|<=|<!|P?<\w+>))?([^()]*)\)([*+{]?)")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_LONGEST, _MOST_CHOICES = 1_000, 4  # of what Python's engine is given: signs of a text, choices of a pattern
_REPEATS = re.compile(r"[*+?{|]")


@dataclass(frozen=True)
class _Engine:
    """How an engine writes what the engines write differently."""

    end: str
    border: str
    named: str


_RUST = _Engine("$", r"(?-u:\b)", "(?<")
_PYTHON = _Engine(r"\Z", r"\b", "(?P<")


@cache
def searching(pattern: str) -> Search:
    """Says whether a text holds the pattern; raises ValueError with what is wrong with it."""
    rust = _spelled(pattern, _RUST)
    search = _rust(rust) or _conditions(rust)
    if search is not None:
        return search
    python = _spelled(pattern, _PYTHON)
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
        end = next((sign.start() for depth, sign in _depths(rest) if depth == 0), len(rest))
        condition = _rust(f"^(?:{rest[3:end]})")
        if condition is None:
            return None
        found.append((rest[2] == "=", condition))
        rest = rest[end + 1 :]
    whole = _rust(f"^(?:{rest})")
    if whole is None or not anchored or any(depth == 0 and sign[0] == "|" for depth, sign in _depths(rest)):
        return None
    return lambda text: whole(text) and all(condition(text) is wanted for wanted, condition in found)


def _depths(pattern: str) -> Iterator[tuple[int, re.Match[str]]]:
    """The signs of a pattern, with the number of groups that are open behind each."""
    depth = 0
    for sign in _TOKEN.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        yield depth, sign


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


def _spelled(pattern: str, engine: _Engine) -> str:
    """The pattern in an engine's grammar; raises ValueError with what of it is not ECMA-262."""
    return "".join(_parts(pattern, engine))


def _parts(pattern: str, engine: _Engine) -> Iterator[str]:
    repeatable = False
    for part in _PART.finditer(pattern):
        if part["odd"]:
            raise ValueError(f"holds '{part[0]}', which begins nothing that ECMA-262 knows")
        if part["times"] and not repeatable:
            raise ValueError(f"repeats nothing with '{part[0]}'")
        repeatable = not (part["times"] or part["group"] or part[0] in {"^", "|"})
        yield _part(part, engine)


def _part(part: re.Match[str], engine: _Engine) -> str:
    match part.lastgroup, part[0]:
        case "class", _:
            written = _class(part["class"])
        case "group", text if text.endswith(">"):
            written = f"{engine.named}{text[3:]}"
        case "named", _:
            written = f"(?P={part['named']})"
        case "escape", _ if part["escape"] in _SETS:
            written = f"[{_SETS[part['escape']]}]"
        case "escape", "\\b":
            written = engine.border
        case "sign", "$":
            written = engine.end
        case "sign", ".":
            written = "[^\n\r\u2028\u2029]"
        case ("property" | "back" | "times" | "group", text) | (_, ("^" | "|" | ")" | "\\B") as text):
            written = text
        case _:
            written = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", _sign(part))
    return written


def _class(text: str) -> str:
    """A class from between its brackets; every sign in it is one, whatever it means to the engine."""
    negated = text.startswith("^")
    members = list(_MEMBER.finditer(text[negated:]))
    if any(member["odd"] for member in members):
        raise ValueError("takes one class from another or names one, which is no part of ECMA-262")
    found: list[str] = []
    while members:
        first, *members = members
        is_range = len(members) > 1 and members[0][0] == "-" and not (_set(first) or _set(members[1]))
        if is_range:
            last, members = _sign(members[1]), members[2:]
            if last < _sign(first):
                raise ValueError(f"holds a range that ends before it begins: '{first[0]}-{last}'")
            found.append(f"{_literal(_sign(first))}-{_literal(last)}")
        else:
            found.append(_set(first) or _literal(_sign(first)))
    inside = "".join(found)
    if not inside:
        return f"[\0-{_LAST}]" if negated else f"[^\0-{_LAST}]"
    return f"[{'^' if negated else ''}{inside}]"


def _set(member: re.Match[str]) -> str:
    return str(member["property"] or _SETS.get(member["escape"] or "", ""))


def _literal(sign: str) -> str:
    return f"\\{sign}" if sign in r"\]-[^&~" else sign


def _sign(part: re.Match[str]) -> str:
    """The one sign that a part stands for."""
    if part["pair"]:
        return bytes.fromhex(part["pair"].replace("\\u", "")).decode("utf-16-be")
    if digits := part["point"] or part["unit"] or part["byte"]:
        if int(digits, 16) > ord(_LAST):
            raise ValueError(f"holds '{part[0]}', which is no sign")
        return chr(int(digits, 16))
    if part["control"]:
        return chr(ord(part["control"]) % 32)
    escape = part["escape"]
    if escape is None:
        return str(part["sign"])
    if escape in _CONTROLS:
        return _CONTROLS[escape]
    if escape.isalnum() or escape == "_":
        raise ValueError(f"holds '\\{escape}', which ECMA-262 does not know")
    return str(escape)
