"""The plan: what the rules of a mapping mean, bound once to its target and its sources, for everybody who asks.

    definition + target + types ──bind──▶ Plan ── rules: Bound …   in the file's order
                                              └── root: Place …    the target's places that rules speak about

`check` judges it, the interpreter walks it, the compiler prints it; previews, lineage, drift and documents read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.language.findings import Finding, Place
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath, TargetStep
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Node

Presence = Literal["always", "maybe", "never"]


@dataclass(frozen=True, slots=True)
class Instance:
    """Which of several of one name: its number in the path, and for `each` the number of the rule, and the member."""

    number: int = 1
    rule: int = 0
    index: int = 0


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


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """One rule, bound. `number` counts in the file's order, from 1; blocks count. `above` are its blocks, the outermost
    first, `rules` what stands in it, `spot` its place of the target: None where the target has none such.

    `members` are the names in scope with the paths that they stand for; `arrives` is the type that its source brings,
    `gives` what is left of it behind the steps (open where something on the way is unknown), `listed` the type that its
    `each` goes through, `asked` the types that its `when` asks.
    """

    number: int
    rule: Rule
    above: tuple[Bound, ...]
    spot: Spot | None
    members: Mapping[str, SourcePath]
    reads: tuple[SourceRead, ...]
    arrives: Type | None = None
    gives: Type | None = None
    listed: Type | None = None
    asked: tuple[Type | None, ...] = ()
    rules: list[Bound] = field(default_factory=list, repr=False)

    @property
    def steps(self) -> tuple[TargetStep, ...]:
        """The way to its place from the root of the target."""
        return tuple(step for one in (*self.above, self) for step in one.rule.target.steps)

    @property
    def target(self) -> str:
        """The whole path of its place, as people read it."""
        return str(TargetPath(self.steps))

    @property
    def block(self) -> str:
        """The place of the block that it stands in, without numbers; nothing at the root."""
        return "/".join(step.name for one in self.above for step in one.rule.target.steps)

    @property
    def plain(self) -> str:
        """The path without numbers, as the schema knows it; nothing at the root."""
        return "/".join(step.name for step in self.steps)

    @property
    def conditions(self) -> tuple[When, ...]:
        """Every condition that it stands under, the outermost first."""
        return tuple(when for one in (*self.above, self) for when in one.rule.when)

    @property
    def presence(self) -> Presence:
        """Whether it gives a value wherever it speaks. The one judgement of what may be empty: who says `required`,
        `nil` or a default is never without. Of what is open nobody knows, so it may be.
        """
        rule = self.rule
        if rule.source is None:
            return "always" if (rule.code.value if rule.code else rule.const) else "never"
        if rule.required or rule.nil or rule.default is not None:
            return "always"
        return "maybe" if self.gives is None or self.gives.nullable or self.gives.kind == "any" else "always"

    @property
    def may_lack(self) -> bool:
        """Whether it is known that its value may be nothing; of what is open nobody knows."""
        return self.presence == "maybe" and self.gives is not None and self.gives.nullable


@dataclass(eq=False, slots=True)
class Spot:
    """A place of the target that rules speak about: the shadow that a draft of any record will cast.

    `node` has the type that a rule chooses there. `filled` are the rules that give it a value, `blocks` those that
    stand around others. `depth` counts the conditions that it is opened under. `lost`: a rule leads from here to
    nowhere; `settled`: a mistake was found here, and one finding is enough.
    """

    node: Node
    path: str = ""
    above: Self | None = None
    depth: int = 0
    filled: list[Bound] = field(default_factory=list)
    blocks: list[Bound] = field(default_factory=list)
    parts: dict[str, dict[Instance, Self]] = field(default_factory=dict)
    lost: Bound | None = None
    settled: bool = False

    def open(self, name: str, instance: Instance, depth: int = 0) -> Self:
        """The part of this name, made where it is not there yet."""
        found = self.parts.setdefault(name, {})
        if instance not in found:
            shown = name if instance.number == 1 else f"{name}[{instance.number}]"
            path = f"{self.path}/{shown}" if self.path else shown
            found[instance] = type(self)(self.node.children[name], path, self, depth)
        return found[instance]

    def of(self, name: str) -> list[Self]:
        """The parts of a name in the order of their numbers."""
        found = self.parts.get(name, {})
        return [found[instance] for instance in sorted(found, key=lambda instance: instance.number)]

    @property
    def is_end(self) -> bool:
        """Whether a group that uses itself ends here: what would stand in it is told one level above."""
        return self.lost is not None and self.lost.rule.ends > 0

    def below(self) -> Iterator[Bound]:
        """Every rule that fills the place or a part of it."""
        yield from self.filled
        for part in self._all():
            yield from part.below()

    def speaking(self) -> Iterator[Bound]:
        """The rule that speaks about this very place, then those of its parts."""
        if self.by is not None:
            yield self.by
        for part in self._all():
            yield from part.speaking()

    @property
    def by(self) -> Bound | None:
        """The rule that a mistake here is said of."""
        return self.filled[-1] if self.filled else next(iter(self.blocks), self.lost if self.settled else None)

    @property
    def gives(self) -> Type | None:
        """The type of what stands here, where a rule says it."""
        return self.filled[-1].gives if self.filled else None

    @property
    def standing(self) -> bool:
        """Whether a rule gives it a value, be it a constant."""
        return bool(self.filled) or self.settled

    @property
    def live(self) -> bool:
        """Whether something is read for this very place."""
        told = any(one.rule.source is not None or one.rule.when for one in self.filled)
        return told or self.lost is not None or self.settled or any(one.rule.when for one in self.blocks)

    def alive(self) -> bool:
        """Whether anything in it is read."""
        return self.live or any(part.alive() for part in self._all())

    def _all(self) -> Iterator[Self]:
        for instances in self.parts.values():
            yield from instances.values()


@dataclass(frozen=True, eq=False)
class Plan:
    """All rules of a mapping, bound. `findings` say what could not be; the rest of the plan stands all the same.

    `meant` are the places of the target that rules without one seem to speak about; `astray` counts, by the place that
    they stand in, those of which nobody knows what they mean.
    """

    rules: tuple[Bound, ...]
    root: Spot
    findings: tuple[Finding, ...] = ()
    meant: frozenset[str] = frozenset()
    astray: Mapping[str, int] = field(default_factory=dict)

    @property
    def top(self) -> tuple[Bound, ...]:
        """The rules that stand in no block."""
        return tuple(one for one in self.rules if not one.above)

    @property
    def reads(self) -> tuple[SourceRead, ...]:
        """Everything that the rules read."""
        return tuple(read for one in self.rules for read in one.reads)
