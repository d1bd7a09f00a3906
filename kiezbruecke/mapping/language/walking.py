"""The one way through a mapping's rules: where each of them stands, and what it reads there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.paths import SourcePath, SourceStep, TargetPath, TargetStep

_INDEX = (SourceStep("index"),)


@dataclass(frozen=True, slots=True)
class WalkedRule:
    """A rule and the blocks that it stands in, the outermost first."""

    rule: Rule
    above: tuple[Rule, ...] = ()

    @property
    def steps(self) -> tuple[TargetStep, ...]:
        """The way to its place from the root of the target."""
        return tuple(step for rule in (*self.above, self.rule) for step in rule.target.steps)

    @property
    def target(self) -> str:
        """The whole path of its place, as people read it."""
        return str(TargetPath(self.steps))

    @property
    def block(self) -> str:
        """The place of the block that it stands in, without numbers; nothing at the root."""
        return "/".join(step.name for rule in self.above for step in rule.target.steps)

    @property
    def plain(self) -> str:
        """The path without numbers, as the schema knows it; nothing at the root."""
        return "/".join(step.name for step in self.steps)


@dataclass(frozen=True, slots=True)
class SourceRead:
    """A path that a rule reads, from a root even where the rule names a member.

    `key` says which part of the rule reads it; `index`: it reads the number of the member, not a field.
    """

    path: SourcePath
    rule: Rule
    place: Place
    key: str
    index: bool = False


def walk(rules: tuple[Rule, ...], above: tuple[Rule, ...] = ()) -> Iterator[WalkedRule]:
    """Every rule, blocks before what stands in them."""
    for rule in rules:
        yield WalkedRule(rule, above)
        yield from walk(rule.rules, (*above, rule))


def all_rules(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    """Every rule without its blocks, in the same order."""
    return (one.rule for one in walk(rules))


def numbered(rules: tuple[Rule, ...]) -> dict[Place, int]:
    """The number of each rule by its place, from 1 in the order of the rules; blocks count. Same file, same numbers."""
    return {rule.place: number for number, rule in enumerate(all_rules(rules), 1)}


def paths_in(rule: Rule) -> Iterator[tuple[str, SourcePath, Place]]:
    """The paths that a rule itself names: by which key, and where."""
    if rule.each:
        yield "each", rule.each, rule.at("each")
    if rule.source:
        yield "from", rule.source, rule.at("from")
    if rule.when:
        yield "when", rule.when.path, rule.when.place


def reads(rules: tuple[Rule, ...]) -> Iterator[SourceRead]:
    """Everything that the rules read."""
    for one in walk(rules):
        outside = _members(one.above)
        inside = _members((*one.above, one.rule))
        for key, path, place in paths_in(one.rule):
            members = outside if key == "each" else inside
            index = path.root in members and path.steps == _INDEX
            yield SourceRead(_from_root(path, members), one.rule, place, key, index)


def _members(rules: tuple[Rule, ...]) -> Mapping[str, SourcePath]:
    """What the names of members stand for, below these blocks."""
    found: dict[str, SourcePath] = {}
    for rule in rules:
        if rule.each and rule.name:
            found[rule.name] = _from_root(rule.each, found)
    return found


def _from_root(path: SourcePath, members: Mapping[str, SourcePath]) -> SourcePath:
    owner = members.get(path.root)
    if owner is None:
        return path
    steps = () if path.steps == _INDEX else path.steps
    text = ".".join([owner.text, *(step.name for step in steps)])
    return SourcePath(owner.root, (*owner.steps, *steps), text)
