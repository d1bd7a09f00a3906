"""What must stand in a message: the one judgement, for writers, checks, scaffolds and drift alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kiezbruecke.mapping.schema.tree import Group, Node, NodeContent, nodes


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
