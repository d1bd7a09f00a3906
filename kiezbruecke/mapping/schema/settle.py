"""The last touch on an element's content: names that tell namesakes apart, and which nodes may come again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain

from kiezbruecke.mapping.schema.tree import Group, Node, NodeContent, nodes

_Key = tuple[str, str]  # namespace, local name
_ENDLESS = 1 << 30


def settled(content: NodeContent, prefixes: Mapping[str, str]) -> NodeContent:
    """The content as rules see it.

    Of two namespaces with one local name both write their prefix; what xs:any adds a second time is left out; a name
    that stands several times (A, B, A), or in a group that does, repeats.
    """
    group = _without_echoes(content.group)
    spaces: dict[str, set[str]] = {}
    for node in chain(content.attributes, nodes(group)):
        spaces.setdefault(node.name, set()).add(node.namespace)

    def named(node: Node) -> Node:
        if len(spaces[node.name]) == 1 or not node.namespace:
            return node
        mark = "@" if node.name.startswith("@") else ""
        return replace(node, name=f"{mark}{prefixes.get(node.namespace, 'ns')}:{node.local}")

    counts = _counts(group)

    def told(node: Node) -> Node:
        most = _ENDLESS if node.maximum is None else node.maximum
        again = not node.in_repeated_group and counts[_key(node)] > most
        return named(replace(node, in_repeated_group=True) if again else node)

    return NodeContent(tuple(map(named, content.attributes)), _mapped(_repeated(group), told))


def _mapped(group: Group, change: Callable[[Node], Node]) -> Group:
    return replace(
        group, parts=tuple(_mapped(part, change) if isinstance(part, Group) else change(part) for part in group.parts)
    )


def _repeated(group: Group, *, again: bool = False) -> Group:
    """Each node of a group that may come again says so."""
    again = again or group.maximum != 1
    parts = (
        _repeated(part, again=again)
        if isinstance(part, Group)
        else (replace(part, in_repeated_group=True) if again else part)
        for part in group.parts
    )
    return replace(group, parts=tuple(parts))


def _without_echoes(group: Group) -> Group:
    """What xs:any lets in, without the elements that the same content declares itself or has let in before."""
    if not any(node.wildcard for node in nodes(group)):
        return group
    return _filtered(group, {_key(node) for node in nodes(group) if not node.wildcard})


def _filtered(group: Group, seen: set[_Key]) -> Group:
    parts: list[Node | Group] = []
    for part in group.parts:
        if isinstance(part, Group):
            parts.append(_filtered(part, seen))
        elif not part.wildcard or _key(part) not in seen:
            seen.add(_key(part))
            parts.append(part)
    return replace(group, parts=tuple(parts))


def _counts(part: Node | Group) -> dict[_Key, int]:
    """How often each name may stand there at most."""
    if isinstance(part, Node):
        return {_key(part): _ENDLESS if part.maximum is None else part.maximum}
    found: dict[_Key, int] = {}
    for inner in part.parts:
        for key, count in _counts(inner).items():
            found[key] = max(found.get(key, 0), count) if part.kind == "choice" else found.get(key, 0) + count
    times = _ENDLESS if part.maximum is None else part.maximum
    return {key: min(count * times, _ENDLESS) for key, count in found.items()}


def _key(node: Node) -> _Key:
    return node.namespace, node.local
