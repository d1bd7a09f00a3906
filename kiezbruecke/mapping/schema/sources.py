"""What `source:` names: the shape of an item, so that `item.…` is checked before an item exists.

    json, xml                        open: nobody knows what stands there
    table <name>                     a line of a sheet; cells arrive as text
    json <name>                      an object of schemas/json/<name>.schema.json
    <standard> <version> <element>   an XML answer, read below its root; texts arrive as text. `Root/Part` leads on.

A shape says what may be there. It refuses nothing that arrives: a value that is missing is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.definition import Definition, ItemSource
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.duty import sure_nodes
from kiezbruecke.mapping.schema.json_schema import JsonNode, read_json_schema
from kiezbruecke.mapping.schema.models import OPEN, Type, root_types
from kiezbruecke.mapping.schema.tables import read_table, table_file
from kiezbruecke.mapping.schema.targets import find_target
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, NodeContent
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import Instead, Why


def _filled(text: str) -> None:
    if not text.strip():
        raise Unusable(Why.MISSING(), Instead.VALUE())


_OF_EVERY_LINE = (  # what the folder connector tells of a line beside its cells
    Node("sheet", minimum=0, leaf=Leaf("text")),
    Node("row", minimum=0, leaf=Leaf("integer")),
)


@dataclass(frozen=True)
class ItemShape:
    """The type of an item; `files` decide it, `columns` are a sheet's keys by the names in its header."""

    item: Type = OPEN
    files: tuple[Path, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    def keyed(self, body: Any) -> Any:
        """The item with a sheet's header names as keys; everything else as it is."""
        if not self.columns or not isinstance(body, Mapping):
            return body
        return {self.columns.get(name, name): value for name, value in body.items()}


def find_shape(source: ItemSource, content: Path) -> ItemShape:
    """The shape that a mapping's source has; raises ConfigurationError."""
    if not source.shape:
        return ItemShape()
    if source.kind == "table":
        return _sheet(source.shape, content)
    if source.kind == "json":
        schema = read_json_schema(content, source.shape)
        return ItemShape(Type("any", fields=NodeFields(schema.root)), (schema.file,))
    return _answer(source.shape, content)


def source_types(definition: Definition, shape: ItemShape) -> dict[str, Type]:
    """The types of a mapping's roots, the item as its shape says."""
    types = root_types(definition.roots)
    return types | ({"item": shape.item} if "item" in types else {})


def _sheet(name: str, content: Path) -> ItemShape:
    table = read_table(content, name)
    nodes = table.tree().children
    judges = {column.key: _filled if column.required else _anything for column in table.fields}
    cells = tuple(
        replace(nodes[column.key], leaf=Leaf("text", column.max_length, judges[column.key])) for column in table.fields
    )
    line = Node(name, expand=lambda: NodeContent(group=Group("sequence", (*_OF_EVERY_LINE, *cells))))
    columns = {column.name: column.key for column in table.fields}
    return ItemShape(Type("any", fields=NodeFields(line)), (table_file(content, name),), columns)


def _answer(shape: str, content: Path) -> ItemShape:
    """An element of a standard, as its root or below it."""
    standard, version, path = shape.split()
    root, *below = path.split("/")
    target = find_target(f"{standard} {version} {root}", content)
    node = target.root
    for name in below:
        known = {one.local: one for one in node.children.values() if not one.name.startswith("@")}
        if name not in known:
            raise ConfigurationError(
                f"'{node.local}' has no element '{name}'", expected=", ".join(known), helps=nearest(name, known)
            )
        node = known[name]
    return ItemShape(Type("any", fields=NodeFields(node, as_text=True)), target.files)


@dataclass(frozen=True)
class NodeFields:
    """The fields of an element, an object or a line. `as_text`: XML and cells carry texts, whatever they mean."""

    node: Node
    as_text: bool = False

    @property
    def title(self) -> str:
        """What it is called."""
        return self.node.local

    def names(self) -> list[str]:
        """The names below it, as a path reads them."""
        return list(self._nodes)

    def field(self, name: str) -> Type | None:
        """The type of a field; None where there is none."""
        if name in self._nodes:
            return self._type(self._nodes[name])
        return OPEN if any(node.wildcard for node in self._nodes.values()) else None

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        """By local name, as they are read; with what types derived from its own may add."""
        found: dict[str, Node] = {}
        for owner in (self.node, *self.node.derived().values()):
            for node in owner.children.values():
                mark = "@" if node.name.startswith("@") else ""
                found.setdefault(f"{mark}{node.local}", node)
        return found

    @cached_property
    def _sure(self) -> set[str]:
        """The names of what is there in any case."""
        return {node.name for node in sure_nodes(self.node.content)}

    def _type(self, node: Node) -> Type:
        below = NodeFields(node, self.as_text) if node.children or node.derived() else None
        leaf = node.leaf or (Leaf() if below is None else None)
        if leaf is None:
            sure = node.name in self._sure
            return Type("any", many=node.repeats, nullable=not sure, sure=sure, fields=below)
        textual = self.as_text or leaf.kind in {"date", "moment"}  # JSON writes days as texts
        return Type(
            "text" if textual else leaf.kind,
            many=node.repeats,
            nullable=node.name not in self._sure or _may_be_nothing(node, leaf),
            values=leaf.enumeration,
            max_length=leaf.max_length,
            sure=node.name in self._sure and node.fixed is None,
            fields=below,
        )


def _anything(text: str) -> None:
    """A cell that may be empty."""


def _may_be_nothing(node: Node, leaf: Leaf) -> bool:
    """Whether what must be there may be empty: an empty text is nothing."""
    if node.nillable or (isinstance(node, JsonNode) and node.nullable):
        return True
    try:
        leaf.judge("")
    except Unusable:
        return False
    return leaf.kind in {"text", "any"}
