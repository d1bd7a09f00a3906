"""Invents records of one's own from their schema: an object, a line of a sheet, an XML element.

What the schema demands is there, and what the rules read; with `full` what is optional as well, as deep as an example
can be read. Of a choice the first branch stands, or one that is read. A text that no simple rule makes valid is a plain
word: people replace it, and `mapping test` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from lxml import etree

from kiezbruecke.mapping.language.definition import ItemSource
from kiezbruecke.mapping.schema.columns import LayoutColumn
from kiezbruecke.mapping.schema.json_judge import as_json
from kiezbruecke.mapping.schema.json_schema import JsonNode
from kiezbruecke.mapping.schema.sources import NodeFields, find_shape
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, nodes
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.workbench.invented import invented_text

_FULL = (4, 3, 2, 1)  # levels whose optional parts a full record has: the first that is not too much
_MOST = 300  # parts of a record that people can read
_DEEPEST = 30
_TIMES = 200
_CELLS: Mapping[str, Any] = {
    "money": Decimal("850.00"),
    "number": Decimal("1.5"),
    "integer": 1,
    "date": date(2026, 4, 24),
    "yes_no": True,
}


def invented_record(source: ItemSource, content: Path, read: Iterable[str], *, full: bool) -> Any:
    """A record for an example: JSON's values, cells by their keys, or the bytes of an XML document.

    `read` are the paths that rules read, below the record. An open source gives nothing (None). Raises
    ConfigurationError where there is no such schema.
    """
    if not source.shape:
        return None
    if source.kind == "table":
        wanted = set(read)
        columns = read_table(content, source.shape).fields
        return {column.key: _cell(column) for column in columns if full or column.required or column.key in wanted}
    fields = find_shape(source, content).item.fields
    assert isinstance(fields, NodeFields)
    paths = frozenset(read)
    for levels in _FULL if full else ():
        with suppress(_TooMuch):
            return _record(source, fields.node, _Inventor(paths, levels, _MOST))
    return _record(source, fields.node, _Inventor(paths))


class _TooMuch(Exception):
    """The record has more parts than people can read."""


def _record(source: ItemSource, node: Node, inventor: _Inventor) -> Any:
    if source.kind == "json":
        return inventor.object(node)
    element = inventor.element(node)
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _cell(column: LayoutColumn) -> str:
    leaf = Leaf("text", column.limit)
    return column.cell(_CELLS[column.type] if column.type in _CELLS else invented_text(column.key, leaf))


@dataclass
class _Inventor:
    """Walks a schema; `read` are paths below the record that must have a value, `levels` those whose optional parts
    have one, `left` how many parts there may still be; None: as many as must be.
    """

    read: frozenset[str]
    levels: int = 0
    left: int | None = None

    def object(self, node: Node, path: str = "", depth: int = 0) -> dict[str, Any]:
        """An object of JSON with the parts that are wanted."""
        found: dict[str, Any] = {}
        for child, below in self._parts(node, path, depth):
            value = self._value(cast("JsonNode", child), below, depth)
            found[child.name] = [value] * _times(child) if cast("JsonNode", child).array else value
        return found

    def element(self, node: Node, path: str = "", depth: int = 0) -> etree._Element:
        """An element with its attributes and the parts that are wanted."""
        space = {None: node.namespace} if node.namespace else None
        element = etree.Element(_tag(node), nsmap=space)
        for child, below in self._parts(node, path, depth):
            if child.name.startswith("@"):
                element.set(_tag(child), _text(child))
                continue
            for _ in range(_times(child)):
                element.append(self.element(child, below, depth + 1))
        if node.leaf is not None and not node.mixed:
            element.text = _text(node)
        return element

    def _value(self, node: JsonNode, path: str, depth: int) -> Any:
        if node.children:
            return self.object(node, path, depth + 1)
        if node.leaf is None:  # an object or a list that its schema says nothing of
            return {} if "object" in node.types else []
        text = _text(node)
        try:
            return as_json(node.types - {"null"}, text)
        except Unusable:  # no text that is known here will do
            return text

    def _parts(self, node: Node, path: str, depth: int) -> Iterator[tuple[Node, str]]:
        if depth > _DEEPEST:
            return
        for child in (*node.content.attributes, *self._group(node.content.group, path, depth)):
            below = _below(path, child)
            if child.minimum or _demanded(child) or self._wanted(child, path, depth):
                self._count()
                yield child, below

    def _count(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise _TooMuch

    def _group(self, group: Group, path: str, depth: int) -> Iterator[Node]:
        """The nodes of a group that may stand together."""
        wanted = any(self._wanted(node, path, depth) for node in nodes(group))
        if group.minimum == 0 and not wanted:
            return
        parts = group.parts
        if group.kind == "choice":
            read = [part for part in parts if any(self._is_read(_below(path, node)) for node in nodes(part))]
            parts = (*read, *parts)[:1]
        for part in parts:
            if isinstance(part, Group):
                yield from self._group(part, path, depth)
            else:
                yield part

    def _wanted(self, node: Node, path: str, depth: int) -> bool:
        """Whether something optional stands there: a rule reads it, or it is near the top of a full record."""
        return (depth < self.levels and not node.wildcard) or self._is_read(_below(path, node))

    def _is_read(self, path: str) -> bool:
        return any(one == path or one.startswith(f"{path}.") for one in self.read)


def _times(node: Node) -> int:
    return min(max(node.minimum, 1), _TIMES)


def _demanded(node: Node) -> bool:
    return isinstance(node, JsonNode) and node.demanded


def _below(path: str, node: Node) -> str:
    """The path of a part, as rules read it."""
    name = f"@{node.local}" if node.name.startswith("@") else node.local
    return f"{path}.{name}" if path else name


def _text(node: Node) -> str:
    return node.fixed if node.fixed is not None else invented_text(node.local, node.leaf or Leaf())


def _tag(node: Node) -> str:
    return f"{{{node.namespace}}}{node.local}" if node.namespace else node.local
