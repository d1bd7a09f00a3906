"""What a mapping file says, as frozen values: rules, their parts, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath

Direction = Literal["inbound", "outbound"]
SOURCES = "json, xml, table <name>, json <name> or <standard> <version> <element>"  # what `source:` may say
_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # also the name of a file


@dataclass(frozen=True, slots=True)
class StepUse:
    """A step as a rule names it."""

    name: str
    argument: str | None
    place: Place
    argument_place: Place | None = None

    @property
    def at_argument(self) -> Place:
        """Where the argument stands, else the step's name."""
        return self.argument_place or self.place


@dataclass(frozen=True, slots=True)
class CodeUse:
    """`code: {list, value}`; without a value the source gives the code."""

    list: str
    value: str | None
    place: Place
    list_at: Place | None = None

    @property
    def list_place(self) -> Place:
        """Where the name of the list stands."""
        return self.list_at or self.place


class Lookup(NamedTuple):
    """What a rule reads of a translation: its name, the column (none: `to` or `id`), and whether case may differ."""

    list: str
    column: str = ""
    fold: bool = True


@dataclass(frozen=True, slots=True)
class When:
    """`when: path` asks for presence, `{path, equals}` for one of some texts; `missing`, `not_equals` for the contrary.

    What is missing equals nothing, so `not_equals` holds for it. Texts are compared as they stand, unless `fold` says
    that case and runs of blanks do not matter.
    """

    path: SourcePath
    texts: tuple[str, ...]  # none: presence
    place: Place
    texts_place: Place | None = None
    negated: bool = False
    derived: bool = False  # of other rules' conditions: of those above an `otherwise`, of the other cases of `one_of`
    fold: bool = False

    @property
    def contrary(self) -> When:
        """What holds wherever this does not."""
        return replace(self, negated=not self.negated, derived=True)

    def __str__(self) -> str:
        """The condition in one line, for lineage: `a.b`, `a.b = x | y`, `a.b missing`, `a.b ≠ x`, `a.b = x (fold)`."""
        if not self.texts:
            return f"{self.path.text} missing" if self.negated else self.path.text
        fold = " (fold)" if self.fold else ""
        return f"{self.path.text} {'≠' if self.negated else '='} {' | '.join(self.texts)}{fold}"


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
    column: str = ""  # of the code list: which of its columns gives the value
    fold: bool = True  # of the code list: case and runs of blanks do not matter
    default: str | None = None
    steps: tuple[StepUse, ...] = ()
    when: tuple[When, ...] = ()  # all of them hold where the rule speaks
    otherwise: bool = False
    each: SourcePath | None = None
    name: str | None = None
    at_least: int = 0  # so many members of `each`, or the record is set aside
    rules: tuple[Rule, ...] = ()
    one_of: bool = False  # exactly one of its rules speaks, or the record is set aside
    required: bool = False
    note: str = ""
    pii: bool = False
    legal_basis: str = ""
    omit: bool = False  # an overlay drops the base's rule
    type: str | None = None  # the derived type that stands there (xsi:type)
    nil: bool = False  # nothing is written as xsi:nil
    accept: Mapping[str, Place] = field(default_factory=dict)  # codes of warnings that are meant, and where each stands
    use: str = ""  # the group that gives the rules of the block
    depth: int = 0  # so many levels there are of a group that uses itself
    ends: int = 0  # where such a group ends, its depth: a record that goes on here is set aside

    def at(self, key: str) -> Place:
        """Where the value of a key stands."""
        return self.places.get(key, self.place)

    @property
    def asked(self) -> tuple[When, ...]:
        """The conditions that stand at the rule itself."""
        return tuple(when for when in self.when if not when.derived)

    @property
    def lookup(self) -> Lookup | None:
        """What it reads of which translation."""
        return Lookup(self.codelist, self.column, self.fold) if self.codelist else None

    @property
    def is_block(self) -> bool:
        """Whether it stands around others, or would if its group did not end here: it has no value of its own."""
        return bool(self.rules or self.ends)

    @property
    def origin(self) -> str:
        """What people are told it comes from: its source field, a block's list or what its cases ask, or 'Festwert'."""
        if self.one_of:
            return ", ".join(dict.fromkeys(when.path.text for case in self.rules for when in case.asked)) or "Festwert"
        path = self.each if self.is_block else self.source
        return path.text if path else "Festwert"


@dataclass(frozen=True, slots=True)
class ItemSource:
    """How an item is read, and what shape it has: the name of a table or a schema, empty where it is open."""

    kind: Literal["json", "xml", "table"] = "json"
    shape: str = ""

    @classmethod
    def parse(cls, text: str) -> ItemSource:
        """`json`, `xml`, `table <name>`, `json <name>`, `<standard> <version> <element>`; raises ValueError."""
        match text.split():
            case ["json" | "xml" as kind]:
                return cls(kind)
            case ["json" | "table" as kind, name] if _SHAPE.fullmatch(name):
                return cls(kind, name)
            case [standard, version, _] as words if _SHAPE.fullmatch(standard) and _SHAPE.fullmatch(version):
                return cls("xml", " ".join(words))
        raise ValueError("no source")

    def __str__(self) -> str:
        return self.shape if self.kind == "xml" and self.shape else f"{self.kind} {self.shape}".strip()


class GroupUse(NamedTuple):
    """What a group is about in one use: the name for it, the path that it stands for, whether for its members."""

    name: str
    path: SourcePath
    listed: bool


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are written once, where their name stands, and whether some block uses them.

    `about`: by what name they speak of which paths, each use from outside of the group once; of a list its members.
    """

    place: Place
    rules: tuple[Rule, ...]
    used: bool = False
    about: tuple[GroupUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole mapping file, read and well-formed; what its paths mean is checked elsewhere."""

    name: str
    version: int
    direction: Direction
    reads: tuple[str, ...]
    source: ItemSource
    roots: tuple[str, ...]
    target: str
    rules: tuple[Rule, ...]
    places: Mapping[str, Place] = field(repr=False)
    title: str = ""
    note: str = ""
    extends: str = ""  # the mapping that this one lies upon
    abstract: bool = False  # a base that is no whole mapping
    prefix: str | None = None  # of the root's namespace, instead of the standard's name; "" for none
    unused: tuple[str, ...] = ()  # source fields that are left out on purpose
    bases: tuple[str, ...] = ()  # once merged: the mappings below it, the nearest first
    groups: Mapping[str, RuleGroup] = field(default_factory=dict)  # as they stand there, before anybody uses them
    levels: Mapping[str, str] = field(default_factory=dict)  # members of a group's deeper uses: as they are written

    @property
    def file(self) -> str:
        """The file it stands in, as findings name it."""
        return self.places["name"].file
