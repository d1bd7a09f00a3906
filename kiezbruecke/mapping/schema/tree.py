"""What a target looks like: one tree for XSDs, records and tables, so that rules are checked and written alike.

    Node ── leaf: what its text must be
      └── content: attributes + Group (sequence | choice) of Nodes and Groups, expanded when it is asked for

A recursive schema has no finite list of paths; here a node makes its children only when somebody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from kiezbruecke.mapping.values import Kind, Unusable, to_text


def _accept(text: str) -> None:
    """Any text will do."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the text of a node must be. `judge` raises Unusable where a text breaks the schema's rule.

    The rest says the same rules as data, for those who must know them beforehand: `builtin` is the local name of the
    innermost XSD type ('union', 'list' for those), `facets` hold the tightest values as they are written,
    `patterns` the alternatives of each step of derivation, innermost step first: a text matches one of every step.
    `codes` are the documented values of `enumeration`.
    """

    kind: Kind = "text"
    max_length: int | None = None
    judge: Callable[[str], None] = field(default=_accept, repr=False)
    builtin: str = "string"
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    patterns: tuple[tuple[str, ...], ...] = ()
    enumeration: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def refusal(self, value: object) -> Unusable | None:
        """Why a value cannot stand there; None where it can."""
        try:
            self.judge(to_text(value))
        except Unusable as unusable:
            return unusable
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Nodes in order, or one of several."""

    kind: Literal["sequence", "choice"]
    parts: tuple[Node | Group, ...] = ()
    minimum: int = 1
    maximum: int | None = 1


@dataclass(frozen=True, slots=True, eq=False)
class NodeContent:
    """What stands in a node: its attributes (names with @) and its elements, fields or columns."""

    attributes: tuple[Node, ...] = ()
    group: Group = Group("sequence")


EMPTY = NodeContent()


@dataclass(frozen=True, eq=False)
class Node:
    """One element, attribute, field or column. `maximum` None means without end.

    Of XSDs: `default` and `nillable` as the schema says; `mixed` – text may stand between the elements, or not;
    `wildcard` – it stands where the schema says xs:any; `abstract` – its type must be chosen among `derived()`, which
    gives the same place with each type that may stand for its own; `xsi_type` (namespace, local name) – it was chosen.
    `documentation` is the schema's text in one line, the German one where there are several.
    """

    name: str
    minimum: int = 1
    maximum: int | None = 1
    namespace: str = ""
    leaf: Leaf | None = None
    fixed: str | None = None
    in_repeated_group: bool = False
    expand: Callable[[], NodeContent] = field(default=lambda: EMPTY, repr=False)
    default: str | None = None
    nillable: bool = False
    mixed: bool = False
    wildcard: bool = False
    abstract: bool = False
    documentation: str = field(default="", repr=False)
    xsi_type: tuple[str, str] | None = None
    derived: Callable[[], Mapping[str, Node]] = field(default=dict, repr=False)

    @property
    def local(self) -> str:
        """The name without the mark of an attribute and without the prefix that tells namesakes apart."""
        return self.name.removeprefix("@").rpartition(":")[2]

    @cached_property
    def content(self) -> NodeContent:
        """The content, made when it is first asked for."""
        return self.expand()

    @cached_property
    def children(self) -> dict[str, Node]:
        """Attributes and elements by name; of two of one name the first."""
        found: dict[str, Node] = {}
        for node in (*self.content.attributes, *nodes(self.content.group)):
            found.setdefault(node.name, node)
        return found

    def typed(self, name: str) -> Node | None:
        """The same place with a derived type, or None where there is no such type."""
        found = self.derived().get(name)
        if found is None:
            return None
        kept = {key: getattr(self, key) for key in ("name", "minimum", "maximum", "in_repeated_group", "wildcard")}
        return replace(found, **kept)

    @property
    def repeats(self) -> bool:
        """Whether there may be more than one."""
        return self.maximum != 1 or self.in_repeated_group

    @property
    def optional(self) -> bool:
        """Whether the schema can do without it."""
        return self.minimum == 0


def nodes(part: Node | Group) -> Iterator[Node]:
    """The node itself, or all nodes of a group in document order, through nested groups."""
    for one in part.parts if isinstance(part, Group) else (part,):
        if isinstance(one, Group):
            yield from nodes(one)
        else:
            yield one


def recurring(group: Group) -> frozenset[str]:
    """The names that stand in several places of a group: A, B, A."""
    counts = Counter(node.name for node in nodes(group))
    return frozenset(name for name, count in counts.items() if count > 1)
