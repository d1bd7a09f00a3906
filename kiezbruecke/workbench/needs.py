"""What a place of a target needs: nothing, because it writes itself; or something that leads back to its like."""

from __future__ import annotations

from kiezbruecke.mapping.schema.tree import Group, Node, nodes

DEEPEST = 60


def nodes_of(part: Node | Group) -> list[Node]:
    """The node itself, or all nodes of a group."""
    return list(nodes(part)) if isinstance(part, Group) else [part]


def holds_elements(node: Node) -> bool:
    """Whether text is a mere by-thing: elements that must be there stand beside it."""
    return node.leaf is not None and any(not child.name.startswith("@") for child in node.children.values())


def writes_itself(part: Node | Group, above: tuple[tuple[str, ...], ...] = ()) -> bool:
    """Whether nothing must be said about it: optional, fixed, or made only of such."""
    if part.minimum == 0:
        return True
    if isinstance(part, Group):
        combine = any if part.kind == "choice" else all
        return combine(writes_itself(inner, above) for inner in part.parts)
    if part.leaf is not None or part.name.startswith("@"):
        return part.fixed is not None
    here = signature(part)
    if here in above:
        return False
    inside: tuple[Node | Group, ...] = (*part.content.attributes, part.content.group)
    return all(writes_itself(inner, (*above, here)) for inner in inside)


def signature(node: Node) -> tuple[str, ...]:
    """What tells that a place stands in its like; the tree makes a new node each time."""
    return node.name, node.namespace, *node.children


def recursive(part: Node | Group, above: tuple[tuple[str, ...], ...], depth: int = 0) -> bool:
    """Whether what must be there leads back to where it stands."""
    if depth > DEEPEST or part.minimum == 0:
        return depth > DEEPEST
    if isinstance(part, Group):
        combine = all if part.kind == "choice" else any
        return combine(recursive(inner, above, depth + 1) for inner in part.parts)
    if not part.children:
        return False
    here = signature(part)
    return here in above or recursive(part.content.group, (*above, here), depth + 1)
