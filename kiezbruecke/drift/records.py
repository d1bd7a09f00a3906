"""The part of a record of somebody else's that a mapping reads, as its schema has it, and what of it has changed.

A path that is gone is `check`'s to find: without it the mapping cannot be loaded. Here is found what it can still be
loaded with: another kind, a list, a value that may be missing now, a new word, a longer text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from kiezbruecke.drift.changes import Change, Severity
from kiezbruecke.drift.places import SchemaPlace, find_places, used_places
from kiezbruecke.mapping import Mapping as RuleMapping
from kiezbruecke.mapping.bind import UnknownPath, type_at
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.schema.models import Type

_SHOWN = 5


@dataclass(frozen=True)
class RecordPlace:
    """What the schema says of one place that is read; as usual it holds one value, in every record."""

    kind: str = "any"
    many: bool = False
    empty: bool = False
    values: tuple[str, ...] = ()
    max_length: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For the file: only what is not as usual."""
        told = {"many": self.many, "empty": self.empty, "values": list(self.values), "max_length": self.max_length}
        return {"kind": self.kind} | {name: value for name, value in told.items() if value}


@dataclass(frozen=True)
class _Use:
    """A rule that takes its value from a place, and what it fills."""

    rule: Rule
    target: SchemaPlace


def record_places(mapping: RuleMapping) -> dict[str, RecordPlace]:
    """What an outbound mapping reads of a record of one's own, by its path; nothing where its source is open."""
    item = mapping.shape.item
    if mapping.direction == "inbound" or not mapping.own or item.below is None:
        return {}
    found = {}
    for one in mapping.plan.reads:
        path = replace(one.path, steps=tuple(replace(step, number=None) for step in one.path.steps))
        if path.root == mapping.own and path.steps and not one.index:
            with suppress(UnknownPath):
                found[path.names] = _place(type_at(path, {mapping.own: item}))
    return found


def compare_records(old: Mapping[str, RecordPlace], mapping: RuleMapping) -> Iterator[Change]:
    """What changed in the schema of the record, and whether the rules can live with it."""
    new, uses = record_places(mapping), _uses(mapping)
    for path in sorted(old.keys() & new.keys()):
        yield from _one(path, old[path], new[path], uses.get(path, []))


def _place(found: Type) -> RecordPlace:
    return RecordPlace(found.means, found.many, found.nullable, found.values, found.max_length)


def _uses(mapping: RuleMapping) -> dict[str, list[_Use]]:
    places = find_places(mapping.goal.root, used_places(mapping))
    targets = {id(one.rule): places.get(one.plain, SchemaPlace(minimum=0)) for one in mapping.plan.rules}
    found: dict[str, list[_Use]] = {}
    for one in mapping.plan.reads:
        if one.key == "from":
            found.setdefault(one.path.names, []).append(_Use(one.rule, targets[id(one.rule)]))
    return found


def _one(path: str, old: RecordPlace, new: RecordPlace, uses: list[_Use]) -> Iterator[Change]:
    if new.kind != old.kind:
        narrower = (old.kind, new.kind) == ("decimal", "integer")
        yield Change(_breaks(not narrower), "source", path, f"{old.kind} became {new.kind}")
    if new.many and not old.many:
        yield Change("breaking", "source", path, "is a list now")
    if new.empty and not old.empty:
        yield Change(_breaks(any(_cannot_miss(use) for use in uses)), "source", path, "may be missing now")
    if more := [value for value in new.values if value not in old.values]:
        reason = f"new words: {', '.join(more[:_SHOWN])}{', …' if len(more) > _SHOWN else ''}"
        yield Change(_breaks(any(_knows_words(use) for use in uses)), "source", path, reason)
    if old.values and not new.values:
        yield Change(_breaks(any(_knows_words(use) for use in uses)), "source", path, "takes any word now")
    if old.max_length is not None and (new.max_length is None or new.max_length > old.max_length):
        reason = (
            "texts may be of any length now" if new.max_length is None else f"up to {new.max_length} characters now"
        )
        yield Change(_breaks(any(_is_too_short(use, new.max_length) for use in uses)), "source", path, reason)


def _breaks(breaking: bool) -> Severity:
    return "breaking" if breaking else "compatible"


def _cannot_miss(use: _Use) -> bool:
    return use.rule.default is None and (use.rule.required or use.target.mandatory)


def _knows_words(use: _Use) -> bool:
    return bool(use.rule.codelist or use.rule.code or use.target.values)


def _is_too_short(use: _Use, longest: int | None) -> bool:
    most = use.target.facets.get("maxLength")
    clipped = any(step.name == "clip" for step in use.rule.steps)
    return most is not None and not clipped and (longest is None or longest > int(most))
