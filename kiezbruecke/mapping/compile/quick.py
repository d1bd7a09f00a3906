"""Quick checks: a Python expression that is true only for texts which the schema's type surely takes.

It may know too little, never too much: where it is false, libxml2 is asked. So a pattern that Python might
read otherwise than XSD, or that could take long, simply has no quick check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from uuid import UUID

from kiezbruecke.mapping.compile.runtime import judged
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Unusable, to_text, xml_text

Bind = Callable[[str, object], str]  # gives a value a name in the generated code

# Texts that these types take whatever stands there; blanks at the ends are another matter for the collapsing ones.
_FREE = frozenset({"string", "normalizedString", "anySimpleType", "anyType"})
_LENGTHS = frozenset({"length", "minLength", "maxLength"})
_BOUNDS = {"minInclusive": ">=", "maxInclusive": "<=", "minExclusive": ">", "maxExclusive": "<"}
_RANGES: Mapping[str, tuple[int, int]] = {
    "integer": (-(10**18), 10**18),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "nonNegativeInteger": (0, 10**18),
    "positiveInteger": (1, 10**18),
    "unsignedLong": (0, 10**18),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}
_ESCAPES = frozenset("dnrt.-\\()[]{}|?*+^")
_OTHERWISE = re.compile(r"[*+?}][+?]|\(\?|[\^$]")  # outside of classes: lazy, possessive, or a letter in XSD
# Hyphens at the ends or in a range, and nothing that only Python knows.
_CLEAR = re.compile(r"-?(?:[^-\[&~|]-[^-\[&~|]|[^-\[])*-?")
_AT_ENDS = re.compile(r"\[[^\]]*[^\\\[]-[^\]]-")  # a hyphen behind a range
_CLASS = re.compile(r"\[\^?((?:\\.|[^\\\]])*)\]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_VARIABLE = re.compile(r"[|*+?]|\{[0-9]+,[0-9]*\}|\.")
_WILD = re.compile(r"[^ !#-%'-;=?-~]")  # anything but printable ASCII that needs no reference
_BLANKS = re.compile(r"\\[nrt]")
_RANGE = re.compile(r"(.)-(.)", re.DOTALL)  # in a class without escapes
_ESCAPED_RANGE = re.compile(r"\\.-(?!$)|-\\")  # within a class: ranges that begin or end in an escape
_BRANCHES = re.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")
_FIRST = re.compile(r"(\[[^\]|()]+\]|\\.|[^\[\\])(?![?*{])")
_VARYING = 2
_COUNTED = re.compile(r"\{([0-9]+(?:,[0-9]*)?)\}")
_ENDLESS = re.compile(r"[*+]")
_ZONE = re.compile(r"\(Z\|[^()]*\)$")
_ONE_CLASS = re.compile(r"(\[(?:[ -Z^-~]|\\.)+\])\{([0-9]+)\}")
_LONG = 16
_COUNTED_GROUP = re.compile(r"(?<!\\)(\(\?:(?:\\.|\[(?:\\.|[^\]])*\]|[^\\()\[\]])*\))\{([1-4])\}")
_OPENING = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\(", re.DOTALL)
_GROUP = re.compile(r"\(([^()]*)\)([*+]|\{[0-9]+(?:,[0-9]*)?\})?")
_BUILTIN = {datetime: "dateTime", date: "date", bool: "boolean"}


def quick_check(leaf: Leaf, text: str, bind: Bind, kind: type | None = None) -> str | None:
    """The expression over the variable `text`, '' where any text fits, None where only libxml2 can tell.

    `text` holds more than blanks. `kind`: it was written of such a value, which XSD's own type takes as it is.
    """
    if kind is UUID and leaf.builtin in _FREE and _takes_every(UUID, leaf):
        return ""
    if kind is datetime and leaf.builtin == "dateTime" and _takes_every(datetime, leaf):
        return ""
    if kind in _BUILTIN and leaf.builtin == _BUILTIN[kind]:
        return None if leaf.facets or leaf.enumeration else _joined(_patterns(leaf, text, bind))
    if leaf.builtin in _FREE or leaf.builtin == "token":
        return _texts(leaf, text, bind, folds=leaf.builtin != "string" and kind is None)
    if leaf.builtin == "decimal" or leaf.builtin in _RANGES:
        return _numbers(leaf, text, bind, whole=kind is int)
    bare = leaf.builtin == "boolean" and not leaf.facets and not leaf.patterns
    return f'{text} in ("0", "1")' if bare else None


@cache
def careful(leaf: Leaf) -> Callable[[str], str]:
    """Gives a text back that XML can carry and the type takes; raises Unusable. Plain texts need no libxml2."""
    plain = leaf.builtin == "string" and not leaf.patterns and not leaf.enumeration
    if not plain or leaf.facets.keys() - _LENGTHS:
        return lambda text: judged(text, leaf)
    exact, least, most = (leaf.facets.get(facet, (None,))[0] for facet in ("length", "minLength", "maxLength"))
    low, high = int(exact or least or 0), int(exact or most or 10**9)

    def check(text: str) -> str:
        return xml_text(text) if low <= len(text) <= high else judged(text, leaf)

    return check


def _texts(leaf: Leaf, text: str, bind: Bind, *, folds: bool) -> str | None:
    """`folds`: blanks are folded before facets are judged, so only a text without blanks to fold is surely fine."""
    if leaf.enumeration:
        # blanks are folded before they are compared, so a listed text that has none to fold is surely fine
        fine = frozenset(value for value in leaf.enumeration if value == " ".join(value.split()))
        return f"{text} in {bind('among', fine)}" if not leaf.patterns and not leaf.facets.keys() & _LENGTHS else None
    judged = leaf.patterns or leaf.facets.keys() & _LENGTHS
    conditions = [f"{text} == ' '.join({text}.split())"] if judged and (folds or "whiteSpace" in leaf.facets) else []
    for facet, values in leaf.facets.items():
        match facet:
            case "minLength" if int(values[0]) <= 1:
                continue
            case "maxLength" | "length" | "minLength":
                sign = {"maxLength": "<=", "minLength": ">=", "length": "=="}[facet]
                conditions.append(f"len({text}) {sign} {int(values[0])}")
            case "whiteSpace":
                continue
            case _:
                return None
    return _joined(_patterns(leaf, text, bind), conditions)


@cache
def _takes_every(kind: type, leaf: Leaf) -> bool:
    """Whether a type takes every UUID, or every moment, as it is written.

    A pattern without alternatives and variable lengths is a row of classes: each place may be tried by itself. Moments
    end in Z, so of `(Z|…)` at the end the first branch is enough.
    """
    if leaf.enumeration or leaf.facets.keys() - {"minLength", "maxLength", "length", "whiteSpace"}:
        return False
    rows = [[_ZONE.sub("Z", one) if kind is datetime else one for one in step] for step in leaf.patterns]
    if any(not _is_python_too(one) for step in leaf.patterns for one in step):
        return False
    if any(_VARIABLE.search(_bare(one)) for step in rows for one in step):
        return False
    forms, probes = [_form(tuple(step)) for step in rows], [*map(to_text, _PROBES[kind]())]
    try:
        for probe in probes:
            leaf.judge(probe)
    except Unusable:
        return False
    return all(form(probe) for form in forms for probe in probes)


def _uuids() -> Iterator[UUID]:
    """Each digit in each place."""
    return (UUID(int=digit << 4 * place) for place in range(32) for digit in range(16))


def _moments() -> Iterator[datetime]:
    """Each digit in each place that it can have."""
    start = datetime(1111, 1, 1, tzinfo=UTC)
    yield from (start.replace(year=digit * 10**place) for place in range(4) for digit in range(1, 10))
    yield from (start.replace(year=1000 + number) for number in range(111))
    yield from (start.replace(month=month) for month in range(1, 13))
    yield from (start.replace(day=day) for day in range(1, 32))
    yield from (start.replace(hour=hour) for hour in range(24))
    yield from (start.replace(minute=number, second=number) for number in range(60))
    yield from (start.replace(microsecond=digit * 1000 * 10**place) for place in range(3) for digit in range(10))


_PROBES: Mapping[type, Callable[[], Iterator[UUID | datetime]]] = {UUID: _uuids, datetime: _moments}


def is_tame(leaf: Leaf) -> bool:
    """Whether the patterns alone keep out everything that is not printable or needs a reference."""
    return any(all(map(_is_tame, step)) for step in leaf.patterns)


def _is_tame(pattern: str) -> bool:
    if not _is_python_too(pattern) or _BLANKS.search(pattern):
        return False
    bare = _CLASS.sub("", pattern)
    if "." in _ESCAPE.sub("", bare) or _WILD.search(pattern):
        return False
    ranges = [pair for body in _CLASS.findall(pattern) for pair in _RANGE.findall(_ESCAPE.sub("e", body))]
    return not any(low <= sign <= high for low, high in ranges for sign in '&<>"\x7f\xa0')


def _joined(patterns: list[str] | None, conditions: Sequence[str] = ()) -> str | None:
    return None if patterns is None else " and ".join([*conditions, *patterns])


def _numbers(leaf: Leaf, text: str, bind: Bind, *, whole: bool) -> str | None:
    """Numbers are checked by a function: their facets are about values, not about letters."""
    if whole and leaf.builtin in _RANGES and not leaf.facets and not leaf.patterns and not leaf.enumeration:
        low, high = _RANGES[leaf.builtin]
        return f"{low} <= int({text}) <= {high}"
    if leaf.enumeration or leaf.facets.keys() - {*_BOUNDS, "totalDigits", "fractionDigits", "whiteSpace"}:
        return None
    try:
        check = bind("number", number_check(leaf))
    except (InvalidOperation, ValueError):
        return None
    return _joined(_patterns(leaf, text, bind), [f"{check}({text})"])


def number_check(leaf: Leaf) -> Callable[[str], object]:
    """Whether a text is surely a number that the type takes: by its form alone where that is enough."""
    total = min((int(value) for value in leaf.facets.get("totalDigits", ())), default=30)
    places = min((int(value) for value in leaf.facets.get("fractionDigits", ())), default=15)
    bounds = [(sign, Decimal(value)) for name, sign in _BOUNDS.items() for value in leaf.facets.get(name, ())]
    if leaf.builtin in _RANGES:
        low, high = _RANGES[leaf.builtin]
        form = re.compile(rf"-?[0-9]{{1,{min(total, 18)}}}").fullmatch
        return lambda text: form(text) and low <= int(text) <= high and _within(text, bounds)
    places = min(places, total - 1)
    whole, fraction = min(total - places, 15), rf"(?:\.[0-9]{{1,{places}}})?" if places > 0 else ""
    if all(bound == (">=", Decimal(0)) for bound in bounds):
        return re.compile(rf"{'' if bounds else '-?'}[0-9]{{1,{whole}}}{fraction}").fullmatch
    form = re.compile(rf"-?[0-9]{{1,{whole}}}{fraction}").fullmatch
    return lambda text: form(text) and _within(text, bounds)


def _within(text: str, bounds: Sequence[tuple[str, Decimal]]) -> bool:
    return not bounds or all(_holds(Decimal(text), sign, bound) for sign, bound in bounds)


def _holds(value: Decimal, sign: str, bound: Decimal) -> bool:
    match sign:
        case ">=":
            return value >= bound
        case "<=":
            return value <= bound
        case ">":
            return value > bound
        case _:
            return value < bound


def _patterns(leaf: Leaf, text: str, bind: Bind) -> list[str] | None:
    """One condition per step of derivation; each step's patterns are alternatives. None: Python may differ."""
    found = []
    for alternatives in leaf.patterns:
        if any(not _is_python_too(pattern) for pattern in alternatives):
            return None
        found.append(_of_one_class(alternatives, text, bind) or f"{bind('form', _form(alternatives))}({text})")
    return found


def _of_one_class(alternatives: tuple[str, ...], text: str, bind: Bind) -> str:
    """A long row of one class, such as the digits of a hash: what is left when they are taken out, in half the time."""
    found = _ONE_CLASS.fullmatch(alternatives[0])
    if len(alternatives) != 1 or found is None or int(found[2]) < _LONG:
        return ""
    letters = bytes(number for number in range(128) if re.fullmatch(found[1], chr(number), re.ASCII))
    return f"len({text}) == {int(found[2])} and not {text}.encode().translate(None, {bind('letters', letters)})"


@cache
def _form(alternatives: tuple[str, ...]) -> Callable[[str], object]:
    return re.compile("|".join(f"(?:{_fast(pattern)})" for pattern in alternatives), re.ASCII).fullmatch


def _fast(pattern: str) -> str:
    """The same for Python in a third of the time: groups keep nothing, and `(ab){2}` is written out."""
    uncaptured = _OPENING.sub(lambda found: "(?:" if found[0] == "(" else found[0], pattern)
    return _COUNTED_GROUP.sub(lambda found: found[1] * int(found[2]), uncaptured)


def _is_python_too(pattern: str) -> bool:
    """Whether a pattern surely means the same to libxml2 and to Python, and cannot take long in either.

    libxml2 counts wrongly where what is counted may itself be shorter or another (tried with random patterns), and
    reads a hyphen after a range as it likes.
    """
    if len(pattern) > 500 or any(escape not in _ESCAPES for escape in _ESCAPE.findall(pattern)):
        return False
    bodies = _CLASS.findall(pattern)
    classes = [_ESCAPE.sub("e", body) for body in bodies]
    if any(map(_ESCAPED_RANGE.search, bodies)) or ("{" in pattern and not _branches_differ(pattern)):
        return False
    if not all(map(_CLEAR.fullmatch, classes)) or _AT_ENDS.search(pattern) or "[^" in pattern:
        return False
    outside = _bare(pattern)
    return "[" not in outside and not _OTHERWISE.search(outside) and _is_simple(outside) and _compiles(pattern)


def _bare(pattern: str) -> str:
    """The pattern with one letter for each class and each escape."""
    return _ESCAPE.sub("e", _CLASS.sub("c", pattern))


def _branches_differ(pattern: str) -> bool:
    """Whether the first letter tells which branch it is; libxml2 miscounts in `c|c{2}`."""
    rest = _BRANCHES.sub("", pattern)
    for body in _BRANCHES.findall(pattern):
        firsts = [_FIRST.match(branch) for branch in body.split("|")]
        seen = [sign for first in firsts if first for sign in map(chr, range(128)) if re.fullmatch(first[1], sign)]
        if not all(firsts) or len(set(seen)) < len(seen):
            return False
    return "|" not in _CLASS.sub("", rest)


def _is_simple(outside: str) -> bool:
    """Counted groups have one length, branches stand beside no counting, and two things vary in length at most."""
    varying = [*filter(_varies, _COUNTED.findall(outside)), *_ENDLESS.findall(outside)]
    if len(varying) > _VARYING or ("|" in outside and varying):
        return False
    while found := _GROUP.search(outside):
        body, repetition = found.groups()
        is_free = not body or bool(set("|?*+~") & set(body)) or any(map(_varies, _COUNTED.findall(body)))
        if repetition and is_free:
            return False
        mark = "~" if is_free else "g"
        outside = outside[: found.start()] + mark + outside[found.end() :]
    return True


def _varies(count: str) -> bool:
    """Whether `m,n` leaves a choice."""
    return len(set(count.split(","))) > 1


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern, re.ASCII)
    except re.error:
        return False
    return True
