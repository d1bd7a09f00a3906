"""What a mapping file says, as frozen values: rules, their parts, and where each of them stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath

Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class StepUse:
    """A step as a rule names it."""

    name: str
    argument: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class CodeUse:
    """`code: {list, value}`; without a value the source gives the code."""

    list: str
    value: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class When:
    """`when: path` asks for presence, `when: {path, equals}` for equality. There is nothing more."""

    path: SourcePath
    equals: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a target and where its value comes from, or a block of rules below it."""

    target: TargetPath
    place: Place
    places: Mapping[str, Place] = field(repr=False)
    source: SourcePath | None = None
    const: str | None = None
    code: CodeUse | None = None
    codelist: str | None = None
    default: str | None = None
    steps: tuple[StepUse, ...] = ()
    when: When | None = None
    each: SourcePath | None = None
    name: str | None = None
    rules: tuple[Rule, ...] = ()
    required: bool = False
    note: str = ""
    pii: bool = False
    legal_basis: str = ""

    def at(self, key: str) -> Place:
        """Where the value of a key stands."""
        return self.places.get(key, self.place)

    @property
    def origin(self) -> str:
        """What people are told the value comes from: its source field, or 'Festwert'."""
        return self.source.text if self.source else "Festwert"


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole mapping file, read and well-formed; what its paths mean is checked elsewhere."""

    name: str
    version: int
    direction: Direction
    reads: tuple[str, ...]
    source: Literal["json", "xml"]
    roots: tuple[str, ...]
    target: str
    rules: tuple[Rule, ...]
    places: Mapping[str, Place] = field(repr=False)
    title: str = ""
    note: str = ""


def all_rules(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    """Every rule, blocks before what stands in them."""
    for rule in rules:
        yield rule
        yield from all_rules(rule.rules)
