"""The way through rules that are not bound yet: where each of them stands, and what it names there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath, TargetStep


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


def walk(rules: tuple[Rule, ...], above: tuple[Rule, ...] = ()) -> Iterator[WalkedRule]:
    """Every rule, blocks before what stands in them."""
    for rule in rules:
        yield WalkedRule(rule, above)
        yield from walk(rule.rules, (*above, rule))


def all_rules(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    """Every rule without its blocks, in the same order."""
    return (one.rule for one in walk(rules))


def paths_in(rule: Rule) -> Iterator[tuple[str, SourcePath, Place]]:
    """The paths that a rule itself names: by which key, and where."""
    if rule.each:
        yield "each", rule.each, rule.at("each")
    if rule.source:
        yield "from", rule.source, rule.at("from")
    for when in rule.asked:
        yield "when", when.path, when.place
