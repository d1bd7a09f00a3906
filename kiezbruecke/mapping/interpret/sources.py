"""Reads a path in what a mapping is given: models, JSON objects, rows, XML elements.

A name may hold dots itself (xdomea's `identifikation.nachricht`, a sheet's `Nr.`): where one name is not
there, it is tried joined with the next. A path through a list goes through each of its members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree
from pydantic import BaseModel

from kiezbruecke.mapping.language.paths import SourcePath, SourceStep

Scope = Mapping[str, Any]

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Member:
    """One member that `each` names; `index` counts from 1 where the value has no index of its own."""

    value: Any
    index: int
    origin: ReadFrom | None = None  # of the list, where it was read by a path


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """Where a value was read: a rule's path, and what its root stood for. `number` of `count`: one value of several.

    It is written out only where somebody asks, which is when a record is refused.
    """

    path: SourcePath
    root: Any
    count: int = 1
    number: int = 1

    def __str__(self) -> str:
        """The path from a root with the numbers of members: `batches[2].debits[7].amount`. Never a value."""
        member = self.root if isinstance(self.root, Member) else None
        start = str(replace(member.origin, number=member.index)) if member and member.origin else self.path.root
        places = list(_places(self.root, self.path.steps, start))
        if len(places) == self.count:
            return places[self.number - 1]
        return "".join([start, *map(_shown, self.path.steps)])


def read(path: SourcePath, scope: Scope) -> Any:
    """The value at a path; None where there is nothing. XML leaves come as their text."""
    return _plain(_at(scope.get(path.root), path.steps))


def read_members(path: SourcePath, scope: Scope) -> list[Member]:
    """The members of a list; a single value is a list of one."""
    found = _at(scope.get(path.root), path.steps)
    if found is None or found is _MISSING:
        return []
    values = list(found) if _is_list(found) else [found]
    origin = ReadFrom(path, scope.get(path.root), len(values))
    return [Member(value, index, origin) for index, value in enumerate(values, 1)]


def xml_fields(element: etree._Element) -> dict[str, Any]:
    """What stands in an element, by the names of a path of one step, as `read` gives it."""
    found: dict[str, list[Any]] = {}
    for child in element:
        if isinstance(child.tag, str):
            found.setdefault(_local(child.tag), []).append(_xml_text(child))
    attributes = {f"@{_local(key)}": value for key, value in reversed(element.attrib.items())}
    return {**attributes, **{name: values if len(values) > 1 else values[0] for name, values in found.items()}}


def _at(value: Any, steps: Sequence[SourceStep]) -> Any:
    if isinstance(value, Member):
        return _in_member(value, steps)
    if not steps or value is None or value is _MISSING:
        return value
    if _is_list(value):
        return _through(value, steps)
    for end in range(1, len(steps) + 1):
        found = _child(value, ".".join(step.name for step in steps[:end]))
        if found is not _MISSING:
            return _at(_numbered(found, steps[end - 1].number), steps[end:])
        if steps[end - 1].number is not None:
            return _MISSING
    return _MISSING


def _in_member(member: Member, steps: Sequence[SourceStep]) -> Any:
    found = _at(member.value, steps)
    if found is _MISSING and len(steps) == 1 and steps[0].name == "index":
        return member.index
    return found


def _through(values: Sequence[Any], steps: Sequence[SourceStep]) -> Any:
    found: list[Any] = []
    for value in values:
        below = _at(value, steps)
        if below is not None and below is not _MISSING:
            found += below if _is_list(below) else [below]
    return found or _MISSING


def _places(value: Any, steps: Sequence[SourceStep], at: str) -> Iterator[str]:
    """Where each of the values stands that `_at` finds, in its order."""
    value = value.value if isinstance(value, Member) else value
    if _is_list(value):
        for number, part in enumerate(value, 1):
            yield from _places(part, steps, f"{at}[{number}]") if steps else (f"{at}[{number}]",)
    elif not steps:
        yield from () if value is None or value is _MISSING else (at,)
    else:
        yield from _places_below(value, steps, at)


def _places_below(value: Any, steps: Sequence[SourceStep], at: str) -> Iterator[str]:
    for end in range(1, len(steps) + 1):
        found = _child(value, ".".join(step.name for step in steps[:end]))
        if found is not _MISSING:
            below = "".join(map(_shown, steps[:end]))
            yield from _places(_numbered(found, steps[end - 1].number), steps[end:], at + below)
            return


def _shown(step: SourceStep) -> str:
    return f".{step.name}" if step.number is None else f".{step.name}[{step.number}]"


def _child(value: Any, name: str) -> Any:
    if isinstance(value, BaseModel):
        return getattr(value, name) if name in type(value).model_fields else _MISSING
    if isinstance(value, Mapping):
        return value.get(name, _MISSING)
    if etree.iselement(value):
        return _xml_attribute(value, name[1:]) if name.startswith("@") else _xml_children(value, name)
    return _MISSING


def _xml_attribute(element: etree._Element, name: str) -> Any:
    return next((value for key, value in element.attrib.items() if _local(key) == name), _MISSING)


def _xml_children(element: etree._Element, name: str) -> Any:
    found = [child for child in element if isinstance(child.tag, str) and _local(child.tag) == name]
    if not found:
        return _MISSING
    return found[0] if len(found) == 1 else found


def _numbered(value: Any, number: int | None) -> Any:
    if number is None:
        return value
    values = value if _is_list(value) else [value]
    return values[number - 1] if number <= len(values) else _MISSING


def _plain(value: Any) -> Any:
    if value is _MISSING:
        return None
    if isinstance(value, Member):
        return _plain(value.value)
    if etree.iselement(value):
        return _xml_text(value)
    if _is_list(value):
        return [_plain(part) for part in value]
    return value


def _xml_text(element: etree._Element) -> Any:
    """A leaf's text, around comments; an element that holds elements stays one."""
    if not len(element):
        return element.text or ""
    if any(isinstance(child.tag, str) for child in element):
        return element
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]
