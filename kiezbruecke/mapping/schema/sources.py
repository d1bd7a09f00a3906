"""What `source:` names: the shape of an item, so that `item.…` is checked before an item exists.

    json, xml                        open: nobody knows what stands there
    table <name>                     a line of a sheet; cells arrive as text
    json <name>                      an object of schemas/json/<name>.schema.json
    <standard> <version> <element>   an XML answer, read below its root; texts arrive as text. `Root/Part` leads on.

An inbound mapping calls what it reads `item`. An outbound one reads our cases and has no `source`; with one, it takes
records of anybody's to any target, and the one of its roots that is none of ours is such a record.

A shape says what may be there. It refuses nothing that arrives: a value that is missing is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.definition import Definition, ItemSource
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.language.paths import is_name
from kiezbruecke.mapping.schema.json_schema import JsonNode, read_json_schema
from kiezbruecke.mapping.schema.models import OPEN, Type, is_root, root_types
from kiezbruecke.mapping.schema.tables import read_table, table_file
from kiezbruecke.mapping.schema.targets import find_target
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, NodeContent, sure_nodes
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import Instead, Why


def _filled(text: str) -> None:
    if not text.strip():
        raise Unusable(Why.MISSING(), Instead.VALUE())


_CENTS = -2  # the exponent of a sum
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
    """The types of a mapping's roots, what its source speaks of as its shape says."""
    own = own_roots(definition)
    return root_types(definition.roots) | dict.fromkeys(own, OPEN) | dict.fromkeys(own[:1], shape.item)


def own_root(definition: Definition) -> str:
    """The root that `source` speaks of: an item's, or that of a record of one's own; empty where there is none."""
    return next(iter(own_roots(definition)), "")


def own_roots(definition: Definition) -> list[str]:
    """What may be meant by `source`; a mapping that is right has one at most."""
    if definition.direction == "inbound":
        return ["item"] if "item" in definition.roots else []
    if "source" not in definition.places:
        return []
    return [name for name in definition.roots if name == "item" or not is_root(name)]


def named_root(source: ItemSource) -> str:
    """What a record of one's own is called unless somebody says otherwise: as its schema, or `item`."""
    last = re.split("[ /.]", source.shape)[-1].replace("-", "_")
    name = last[:1].lower() + last[1:]
    return name if is_name(name) and not is_root(name) else "item"


def roots_of(record: Any, definition: Definition, shape: ItemShape, *, number: int = 1) -> dict[str, Any]:
    """What an outbound mapping with a source reads of one record: an object, a line by its header, an XML element.

    Fractions come as `fraction` makes them. `number` counts the records; it is what an envelope knows of one.
    """
    found = {own_root(definition): shape.keyed(record)}
    if "envelope" not in definition.roots:
        return found
    kind = definition.source.shape or definition.source.kind
    return {**found, "envelope": {"external_id": str(number), "kind": kind, "source": "", "raw_ref": ""}}


def fraction(number: Decimal) -> Decimal | float:
    """A number of somebody else's record: a sum where it may be one, else a float that is written as it was read.

    Sums are never finer than a cent; quantities and rates are. What no float holds stays what it is.
    """
    _, _, exponent = number.as_tuple()
    if not isinstance(exponent, int) or exponent >= _CENTS or Decimal(repr(float(number))) != number:
        return number
    return float(number)


def _sheet(name: str, content: Path) -> ItemShape:
    table = read_table(content, name)
    nodes = table.tree().children
    judges = {column.key: _filled if column.required else _anything for column in table.fields}
    cells = tuple(
        replace(nodes[column.key], leaf=Leaf("text", column.max_length, judges[column.key])) for column in table.fields
    )
    line = Node(name, expand=lambda: NodeContent(group=Group("sequence", (*_OF_EVERY_LINE, *cells))))
    columns = {name: column.key for column in table.fields for name in column.headers}
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

    def documentation(self, path: str) -> str:
        """What the schema says of the place at a path below; nothing where it is silent or has no such place."""
        for name, node in self._nodes.items():
            if path == name:
                return node.documentation
            if path.startswith(f"{name}.") and (found := NodeFields(node).documentation(path[len(name) + 1 :])):
                return found
        return ""

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

    def _lists(self, node: JsonNode, inner: JsonNode) -> Type:
        """A list of lists: its members are lists, and a path leads through all of them."""
        last = inner
        while last.inner is not None:
            last = last.inner
        sure = node.name in self._sure
        return Type("any", many=True, nullable=not sure, sure=sure, fields=NodeFields(last), inner=self._type(inner))

    def _type(self, node: Node) -> Type:
        if isinstance(node, JsonNode) and node.inner is not None:
            return self._lists(node, node.inner)
        found = self._of(node)
        if not found.many or (node.in_repeated_group and not isinstance(node, JsonNode)):
            return found
        return replace(found, least=node.minimum if node.name in self._sure else 0, most=node.maximum)

    def _of(self, node: Node) -> Type:
        holding = node.children or any(one.children for one in node.derived().values())  # texts have derived types, too
        below = NodeFields(node, self.as_text) if holding else None
        leaf = node.leaf or (Leaf() if below is None and not isinstance(node, JsonNode) else None)
        if leaf is None:  # what holds parts, and in JSON lists of lists and objects that nobody has described
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
            leaf=leaf,
        )


def _anything(text: str) -> None:
    """A cell that may be empty."""


def _may_be_nothing(node: Node, leaf: Leaf) -> bool:
    """Whether what must be there may be empty: an empty text is nothing."""
    if node.nillable or (isinstance(node, JsonNode) and node.nullable):
        return True
    return leaf.kind in {"text", "any"} and not leaf.refusal("")
