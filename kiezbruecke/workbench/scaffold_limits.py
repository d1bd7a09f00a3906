"""What a place of a target needs: nothing, because it writes itself; or something that leads back to its like."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.tree import Group, Node, nodes, written_alone

DEEPEST = 60
MOST_PLACES = 2_000  # a mapping with more rules is larger than what may be read
_MOST_LOOKS = 10 * MOST_PLACES
MOST_TIMES = 200  # numbered rules for one place


def too_many(place: str) -> ConfigurationError:
    """A target that nobody can write rules for."""
    what = f"too many mandatory places to write them down: more than {MOST_PLACES:,}, those in '{place}' among them"
    return ConfigurationError(what, expected="a schema with optional parts")


def _too_many_in(part: Node | Group) -> ConfigurationError:
    return too_many(next((node.name for node in nodes(part)), "a group"))


def _looks(place: Node | Group, left: Iterator[int] | None) -> Iterator[int]:
    """Takes one of the looks that are left; raises ConfigurationError after the last."""
    left = iter(range(_MOST_LOOKS)) if left is None else left
    if next(left, None) is None:
        raise _too_many_in(place)
    return left


def holds_elements(node: Node) -> bool:
    """Whether text is a mere by-thing: elements that must be there stand beside it."""
    return node.leaf is not None and any(not child.name.startswith("@") for child in node.children.values())


def writes_itself(part: Node | Group) -> bool:
    """Whether nothing must be said about it; raises ConfigurationError where that would be more than anybody sends."""
    alone = written_alone(part)
    if alone is not None and alone > _MOST_LOOKS:
        raise _too_many_in(part)
    return alone is not None


def signature(node: Node) -> tuple[str, ...]:
    """What tells that a place stands in its like; the tree makes a new node each time."""
    return node.name, node.namespace, *node.children


def recursive(
    part: Node | Group, above: tuple[tuple[str, ...], ...], depth: int = 0, left: Iterator[int] | None = None
) -> bool:
    """Whether what must be there leads back to where it stands; raises ConfigurationError."""
    left = _looks(part, left)
    if depth > DEEPEST or part.minimum == 0:
        return depth > DEEPEST
    if isinstance(part, Group):
        combine = all if part.kind == "choice" else any
        return combine(recursive(inner, above, depth + 1, left) for inner in part.parts)
    if not part.children:
        return False
    here = signature(part)
    return here in above or recursive(part.content.group, (*above, here), depth + 1, left)
