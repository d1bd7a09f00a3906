"""The shape of what a source answers, learnt from its items: names and kinds, never a value.

A key of JSON may be somebody's datum (a person, a UUID, an address). So one that no rule reads is told only where it
is a plain identifier that begins with a small letter; every other becomes `*`. XML is named by its schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lxml import etree

from kiezbruecke.drift.changes import Change
from kiezbruecke.mapping.plan import Plan

_KEY = re.compile(r"[a-z_][A-Za-z0-9_]{0,59}")  # no capital, dot, blank or umlaut: that is how people are called
_XML_NAME = re.compile(r"@?[^\W\d][\w.:-]{0,59}")
_LONG_HEX = re.compile(r"[0-9a-fA-F-]{16,}")
_CROWD = 60  # an object with more names than this is a table with data for names
_DEPTH = 30
_KINDS: dict[str, tuple[type, ...]] = {  # a truth value is a number in Python: it comes first
    "boolean": (bool,),
    "number": (int, float, Decimal),
    "text": (str,),
    "object": (Mapping,),
}


@dataclass
class AnswerShape:
    """What was seen at one place: kinds, in how many objects, how many values, how many of them null, what is below."""

    kinds: set[str] = field(default_factory=set)
    present: int = 0
    seen: int = 0
    empty: int = 0  # null
    many: bool = False
    below: dict[str, AnswerShape] = field(default_factory=dict)


@dataclass(frozen=True)
class Field:
    """One place of an answer, as it is accepted. `always`: it stood in every object that could hold it."""

    kinds: tuple[str, ...] = ()
    always: bool = False
    empty: bool = False
    many: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For the file: only what is not as usual."""
        told: dict[str, Any] = {"kinds": list(self.kinds)}
        return told | {name: True for name in ("always", "empty", "many") if getattr(self, name)}


def learn(bodies: Iterable[Any], read: Sequence[tuple[str, ...]]) -> dict[str, Field]:
    """The fields of the answers by path (`module/area`); `read` are the paths that rules read, by their names."""
    shape = AnswerShape()
    kept = {name for path in read for name in _joined(path)}
    for body in bodies:
        _see(shape, body, kept, 0)
    return dict(_fields(shape, ""))


def read_paths(plan: Plan) -> dict[tuple[str, ...], bool]:
    """The paths below `item` that rules read, and whether a rule cannot do without the value."""
    found: dict[tuple[str, ...], bool] = {}
    for one in plan.reads:
        names = tuple(step.name for step in one.path.steps)
        if one.path.root == "item" and names and not one.index:
            needed = one.key == "from" and one.rule.required and not one.rule.when
            found[names] = found.get(names, False) or needed
    return found


def compare_answers(
    old: Mapping[str, Field], new: Mapping[str, Field], read: Mapping[tuple[str, ...], bool]
) -> Iterator[Change]:
    """What changed for the rules. A field that was not always there may be missing now: that proves nothing."""
    wanted = {path: needed for names, needed in read.items() for path in _known(names, old)}
    for path in sorted(old.keys() - new.keys()):
        above = path.rpartition("/")[0]
        if above and "object" not in new.get(above, Field()).kinds:
            continue  # nothing was there that could hold it: an empty list, or it went with what it stood in
        if old[path].always:
            hit = path in wanted or any(one.startswith(f"{path}/") for one in wanted)
            yield Change("breaking" if hit else "compatible", "source", path, "is gone from every answer")
    for path in sorted(old.keys() & new.keys()):
        yield from _one(path, old[path], new[path], wanted.get(path))
    for path in sorted(new.keys() - old.keys()):
        if path.rpartition("/")[0] in old or "/" not in path:
            yield Change("compatible", "source", path, "is new")


def _one(path: str, old: Field, new: Field, needed: bool | None) -> Iterator[Change]:
    more = sorted(set(new.kinds) - set(old.kinds))
    if more and old.kinds:
        reason = f"{' or '.join(old.kinds)} became {' or '.join(new.kinds)}"
        yield Change("compatible" if needed is None else "breaking", "source", path, reason)
    if new.many and not old.many and old.kinds:
        yield Change("compatible" if needed is None else "breaking", "source", path, "is a list now")
    if old.always and not new.always:
        yield Change("breaking" if needed else "compatible", "source", path, "is missing from some answers")
    if new.empty and not old.empty:
        yield Change("breaking" if needed else "compatible", "source", path, "may be null now")


def _see(shape: AnswerShape, value: Any, kept: set[str], depth: int) -> None:
    if isinstance(value, list | tuple):
        shape.many = True
        for one in value:
            _see(shape, one, kept, depth)
        return
    shape.seen += 1
    kind = _kind(value)
    if kind is None:
        shape.empty += 1
        return
    shape.kinds.add(kind)
    if depth < _DEPTH:
        for name, below in _members(value, kept):
            member = shape.below.setdefault(name, AnswerShape())
            member.present += 1
            _see(member, below, kept, depth + 1)


def _members(value: Any, kept: set[str]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        crowd = len(value) > _CROWD
        for name, below in value.items():
            yield _folded(str(name), kept, plain=not crowd and _KEY.fullmatch(str(name)) is not None), below
    elif etree.iselement(value):
        groups: dict[str, list[Any]] = {f"@{_local(name)}": [text] for name, text in value.attrib.items()}
        for child in value.iterchildren(etree.Element):
            groups.setdefault(_local(child.tag), []).append(child)
        for name, parts in groups.items():
            plain = _XML_NAME.fullmatch(name) is not None
            yield _folded(name, kept, plain=plain), parts if len(parts) > 1 else parts[0]


def _folded(name: str, kept: set[str], *, plain: bool) -> str:
    told = name in kept or (plain and not _LONG_HEX.fullmatch(name))
    return name.replace("~", "~0").replace("/", "~1") if told else "*"


def _kind(value: Any) -> str | None:
    if value is None:
        return None
    if etree.iselement(value):
        return "object" if len(value) else "text"
    return next((name for name, types in _KINDS.items() if isinstance(value, types)), type(value).__name__)


def _fields(shape: AnswerShape, above: str) -> Iterator[tuple[str, Field]]:
    objects = shape.seen - shape.empty
    for name, below in sorted(shape.below.items()):
        path = f"{above}/{name}" if above else name
        always = name != "*" and below.present >= objects
        yield path, Field(tuple(sorted(below.kinds)), always, below.empty > 0, below.many)
        yield from _fields(below, path)


def _known(names: tuple[str, ...], old: Mapping[str, Field]) -> list[str]:
    """The place that a path names: a name may hold dots itself, so its parts are joined where that is known."""
    return [path for path in _spellings(names) if path in old]


def _spellings(names: tuple[str, ...]) -> Iterator[str]:
    if not names:
        return
    for end in range(1, len(names) + 1):
        head = ".".join(names[:end]).replace("~", "~0").replace("/", "~1")
        if end == len(names):
            yield head
        for rest in _spellings(names[end:]):
            yield f"{head}/{rest}"


def _joined(names: tuple[str, ...]) -> set[str]:
    return {".".join(names[start:end]) for start in range(len(names)) for end in range(start + 1, len(names) + 1)}


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]
