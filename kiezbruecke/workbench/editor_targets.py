"""Which places of a target an editor offers: all of a profile, of an official schema what is used and opened.

Paths stand without numbers, as the schema knows them; patterns add the numbers of what repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.language.walking import walk
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.workbench.scaffold_limits import signature

MOST = 1500  # open places; more would make the file larger than an editor likes
_NUMBER = r"(\[[1-9][0-9]*\])?"


@dataclass(frozen=True)
class Places:
    """The open places by their path without numbers, in document order; `whole` where there are no others."""

    nodes: Mapping[str, Node]
    whole: bool


def open_places(root: Node, doors: set[str], depth: int, most: int = MOST) -> Places:
    """Everything where that is little; else the doors with `depth` levels below each, or fewer where they are many."""
    spoken_of = dict(_below_doors(root, "", doors, (0, 0)))  # is never closed, however deep it stands in its like
    found = dict(islice(_all(root, "", ()), most + 1))
    if len(found) <= most:
        return Places(found | spoken_of, whole=True)
    for levels in range(depth, 0, -1):
        found = dict(islice(_below_doors(root, "", doors, (levels, levels)), most + 1))
        if len(found) <= most:
            return Places(found, whole=False)
    return Places(spoken_of, whole=False)


def _all(node: Node, path: str, above: tuple[object, ...]) -> Iterator[tuple[str, Node]]:
    """Every place; one that stands in its like is not entered again."""
    for name, child in children_of(node).items():
        below = f"{path}/{name}" if path else name
        like = signature(child)
        yield below, child
        if not child.children or like not in above:
            yield from _all(child, below, (*above, like))


def _below_doors(node: Node, path: str, doors: set[str], levels: tuple[int, int]) -> Iterator[tuple[str, Node]]:
    """The doors and the places at most so many levels below one; `levels` are those left and those of a door."""
    left, depth = levels
    for name, child in children_of(node).items():
        below = f"{path}/{name}" if path else name
        if left > 0 or below in doors:
            yield below, child
            yield from _below_doors(child, below, doors, (depth if below in doors else left - 1, depth))


def doors_of(rules: tuple[Rule, ...]) -> Iterator[str]:
    """Every place that the mapping speaks about, and all above it."""
    for one in walk(rules):
        yield from _prefixes(one.plain)


def opened_doors(root: Node, path: str) -> Iterator[str]:
    """The place that shall be open and all above it; raises ConfigurationError."""
    node = root
    for part in path.split("/"):
        if part not in children_of(node):
            known = list(children_of(node))
            raise ConfigurationError(
                f"'{node.name}' has no '{part}'", expected=", ".join(known[:15]), helps=nearest(part, known)
            )
        node = children_of(node)[part]
    yield from _prefixes(path)


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts) + 1))


def children_of(node: Node) -> dict[str, Node]:
    """What may stand in a place, also where a derived type is chosen for it."""
    found = dict(node.children)
    if node.leaf is not None and not found:
        return found
    for derived in node.derived().values():
        for name, child in derived.children.items():
            found.setdefault(name, child)
    return found


def node_at(node: Node, names: Iterable[str]) -> Node | None:
    for name in names:
        if name not in children_of(node):
            return None
        node = children_of(node)[name]
    return node


def repeats(path: str, below: Mapping[str, Node]) -> bool:
    return any(below[prefix].repeats for prefix in _prefixes(path) if prefix in below)


def tree_pattern(paths: list[str], below: Mapping[str, Node], above: str = "") -> str:
    """One pattern for many paths; what begins alike stands there once."""
    heads: dict[str, list[str]] = {}
    for path in paths:
        head, _, rest = path.partition("/")
        heads.setdefault(head, []).append(rest)
    parts = []
    for head, rests in heads.items():
        whole = f"{above}/{head}" if above else head
        inner = tree_pattern([rest for rest in rests if rest], below, whole)
        number = _NUMBER if whole in below and below[whole].repeats else ""
        parts.append(f"{re.escape(head)}{number}" + (f"(/{inner})?" if inner else ""))
    return f"({'|'.join(parts)})" if parts else ""


def exact_pattern(places: list[tuple[str, Node]], below: Mapping[str, Node]) -> str:
    return "|".join(
        "/".join(
            re.escape(prefix.rpartition("/")[2]) + (_NUMBER if prefix in below and below[prefix].repeats else "")
            for prefix in _prefixes(path)
        )
        for path, _ in places
    )
