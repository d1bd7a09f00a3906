"""What a target looks like: one tree for XSDs, records and tables, so that rules are checked and written alike.

    Node ── leaf: what its text must be
      └── content: attributes + Group (sequence | choice) of Nodes and Groups, expanded when it is asked for

A recursive schema has no finite list of paths; here a node makes its children only when somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from kiezbruecke.mapping.values import Kind


def _accept(text: str) -> None:
    """Any text will do."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the text of a node must be. `judge` raises Unusable where a text breaks the schema's rule."""

    kind: Kind = "text"
    max_length: int | None = None
    judge: Callable[[str], None] = field(default=_accept, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Nodes in order, or one of several."""

    kind: Literal["sequence", "choice"]
    parts: tuple[Node | Group, ...] = ()
    minimum: int = 1
    maximum: int | None = 1


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What stands in a node: its attributes (names with @) and its elements, fields or columns."""

    attributes: tuple[Node, ...] = ()
    group: Group = Group("sequence")


EMPTY = Content()


@dataclass(frozen=True, eq=False)
class Node:
    """One element, attribute, field or column. `maximum` None means without end."""

    name: str
    minimum: int = 1
    maximum: int | None = 1
    namespace: str = ""
    leaf: Leaf | None = None
    fixed: str | None = None
    in_repeated_group: bool = False
    expand: Callable[[], Content] = field(default=lambda: EMPTY, repr=False)

    @cached_property
    def content(self) -> Content:
        """The content, made when it is first asked for."""
        return self.expand()

    @cached_property
    def children(self) -> dict[str, Node]:
        """Attributes and elements by name; of two of one name the first."""
        found: dict[str, Node] = {}
        for node in (*self.content.attributes, *nodes(self.content.group)):
            found.setdefault(node.name, node)
        return found

    @property
    def repeats(self) -> bool:
        """Whether there may be more than one."""
        return self.maximum != 1 or self.in_repeated_group

    @property
    def optional(self) -> bool:
        """Whether the schema can do without it."""
        return self.minimum == 0


def nodes(group: Group) -> Iterator[Node]:
    """All nodes of a group in document order, through nested groups."""
    for part in group.parts:
        if isinstance(part, Group):
            yield from nodes(part)
        else:
            yield part
