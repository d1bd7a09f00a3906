"""What a target looks like: one tree for XSDs, records and tables, so that rules are checked and written alike.

    Node ── leaf: what its text must be
      └── content: attributes + Group (sequence | choice) of Nodes and Groups, expanded when it is asked for

A recursive schema has no finite list of paths; here a node makes its children only when somebody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    `codes` are the documented values of `enumeration`; of a union `words` may be known though it takes more than these.
    `formats` and `searched` are JSON's: what a text is by its name, and patterns that it holds somewhere.
    """

    kind: Kind = "text"
    max_length: int | None = None
    judge: Callable[[str], None] = field(default=_accept, repr=False)
    builtin: str = "string"
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    patterns: tuple[tuple[str, ...], ...] = ()
    enumeration: tuple[str, ...] = ()
    words: tuple[str, ...] = field(default=(), repr=False, compare=False)
    formats: tuple[str, ...] = field(default=(), repr=False, compare=False)
    searched: tuple[str, ...] = field(default=(), repr=False, compare=False)
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


def sure_nodes(content: NodeContent) -> Iterator[Node]:
    """The attributes and elements that stand wherever their owner does; the branches of a choice do not."""
    yield from (attribute for attribute in content.attributes if not attribute.optional)
    yield from _sure(content.group)


def can_be_empty(part: Node | Group) -> bool:
    """Whether nothing needs to stand there, as the writer sees it: it chooses no branch by itself."""
    if part.minimum == 0:
        return True
    if isinstance(part, Node):
        return False
    return (any if part.kind == "choice" else all)(map(can_be_empty, part.parts))


def written_alone(part: Node | Group) -> int | None:
    """How many places are written without any rule: what is fixed, or made only of such. None: a rule is needed.

    Nothing is written of what is optional; of a choice nobody else chooses. What could hold something and would stand
    there empty is not written: nobody can read it (`can_hold`).
    """
    return _alone(part, {})


def can_hold(node: Node) -> bool:
    """Whether a text or an element may stand in it: then it is not written with neither."""
    return node.leaf is not None or next(nodes(node.content.group), None) is not None


def _sure(group: Group) -> Iterator[Node]:
    if group.minimum == 0 or group.kind == "choice":
        return
    for part in group.parts:
        if isinstance(part, Group):
            yield from _sure(part)
        elif not part.optional:
            yield part


def _alone(part: Node | Group, known: dict[int, int | None]) -> int | None:
    """`known` are the contents seen so far: types that use each other ten times over would take for ever."""
    if part.minimum == 0:
        return 0
    if isinstance(part, Group):
        if part.kind == "choice":
            return 0 if can_be_empty(part) else None
        once = _all_alone(part.parts, known)
    else:
        once = _node_alone(part, known)
    return None if once is None else once * part.minimum


def _node_alone(node: Node, known: dict[int, int | None]) -> int | None:
    if node.abstract:
        return None
    if (node.leaf is not None and not node.mixed) or node.name.startswith("@"):
        return None if node.fixed is None else 1
    content = node.content
    if id(content) not in known:
        known[id(content)] = None  # a type that needs itself has no end
        known[id(content)] = _content_alone(node, known)
    below = known[id(content)]
    return None if below is None else below + 1


def _content_alone(node: Node, known: dict[int, int | None]) -> int | None:
    attributes, inside = _all_alone(node.content.attributes, known), _alone(node.content.group, known)
    if attributes is None or inside is None or (inside == 0 and can_hold(node)):
        return None
    return attributes + inside


def _all_alone(parts: Iterable[Node | Group], known: dict[int, int | None]) -> int | None:
    whole = 0
    for part in parts:
        alone = _alone(part, known)
        if alone is None:
            return None
        whole += alone
    return whole
