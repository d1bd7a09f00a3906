"""Finds the target path that somebody may have meant: near in spelling, or the same name somewhere else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from kiezbruecke.mapping.language.findings import meant
from kiezbruecke.mapping.schema.tree import Node

_DEEP = 4
_MOST = 4000  # official schemas unroll to hundreds of thousands of paths


def helping(root: Node, node: Node, above: str, name: str) -> tuple[str, str]:
    """What helps where `node` (at the path `above`) has no `name`, and the whole path that is meant: a child's near
    name, or the path where it stands.
    """
    below = meant(name, node.children) or _path_to(node, name) or (f"@{name}" if f"@{name}" in node.children else "")
    if below:
        return f"did you mean '{below}'?", f"{above}/{below}" if above else below
    path = _path_to(root, name)
    return f"it stands in '{path}'" if path else "", path


def _path_to(root: Node, name: str) -> str:
    """The shortest path below a node that ends with this name, exactly or but for case."""
    folded = ""
    for path, node in _walk(root):
        if node.name == name:
            return path
        if not folded and node.name.casefold() == name.casefold():
            folded = path
    return folded


def _walk(root: Node) -> Iterator[tuple[str, Node]]:
    """Nodes below, nearest first, as deep and as many as is quick."""
    waiting = deque((child.name, child, 1) for child in root.children.values())
    for _ in range(_MOST):
        if not waiting:
            return
        path, node, depth = waiting.popleft()
        yield path, node
        if depth < _DEEP:
            waiting += ((f"{path}/{child.name}", child, depth + 1) for child in node.children.values())
