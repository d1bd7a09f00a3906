"""Finds what `target:` names: a record, a table, a JSON Schema, or a root element of a standard's schema.

And what somebody may have meant who named a path that is not there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import meant, nearest
from kiezbruecke.mapping.language.paths import is_prefix
from kiezbruecke.mapping.schema.json_schema import JsonSchema, read_json_schema
from kiezbruecke.mapping.schema.models import record_tree
from kiezbruecke.mapping.schema.tables import TableLayout, read_table, table_file
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.schema.xsd import Schemas
from kiezbruecke.records import RECORDS, Record
from kiezbruecke.standards.files import check as check_official
from kiezbruecke.standards.files import manifest, not_held, own_profile

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_STANDARD = 2  # so many words name a standard, the next its root element
_ROOT = re.compile(r"[^\W\d][\w.:-]{0,199}")
_DEEP = 4
_MOST = 4000  # places that are looked at: official schemas unroll to hundreds of thousands of paths


@dataclass(frozen=True)
class TargetSchema:
    """A target's tree and what writes it. `files` are the files that decide its shape.

    `prefixes` gives the root's namespace by its prefix; `spaces` a prefix for every namespace of the schema.
    """

    kind: Literal["record", "table", "json", "standard"]
    root: Node
    files: tuple[Path, ...] = ()
    model: type[Record] | None = None
    table: TableLayout | None = None
    json: JsonSchema | None = None
    prefixes: dict[str, str] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """How the name of a file with such a message ends."""
        if self.table is not None:
            return "txt" if self.table.format == "fixed" else "csv"
        return "xml" if self.kind == "standard" else "json"

    @property
    def media_type(self) -> str:
        """The internet media type of such a message."""
        return {"txt": "text/plain", "csv": "text/csv"}.get(self.suffix, f"application/{self.suffix}")


def find_target(text: str, content: Path) -> TargetSchema:
    """`record Proposal`, `table zahlsatz`, `json metadata` or `xdomea 4.0.0 Abgabe.Abgabe.0401`.

    Raises ConfigurationError.
    """
    words = text.split()
    if not all((_NAME if place < _STANDARD else _ROOT).fullmatch(word) for place, word in enumerate(words)):
        raise _unknown(text)
    match words:
        case ["record", name]:
            return _record(name)
        case ["table", name]:
            table = read_table(content, name)
            return TargetSchema("table", table.tree(), (table_file(content, name),), table=table)
        case ["json", name]:
            schema = read_json_schema(content, name)
            return TargetSchema("json", schema.root, (schema.file,), json=schema)
        case [standard, version, root]:
            return _standard(content, standard, version, root)
        case _:
            raise _unknown(text)


def _record(name: str) -> TargetSchema:
    if name not in RECORDS:
        raise ConfigurationError(
            f"there is no record '{name}'", expected=", ".join(RECORDS), helps=nearest(name, RECORDS)
        )
    return TargetSchema("record", record_tree(RECORDS[name], name), model=RECORDS[name])


def _standard(content: Path, standard: str, version: str, root: str) -> TargetSchema:
    schemas = read_standard(content, standard, version)
    try:
        node = schemas.root(root)
    except KeyError:
        raise ConfigurationError(
            f"{standard} {version} has no root element '{root}'",
            expected=", ".join(schemas.roots()),
            helps=nearest(root, schemas.roots()),
        ) from None
    prefix = standard if is_prefix(standard) else schemas.prefixes.get(node.namespace, "")
    prefixes = {prefix: node.namespace} if node.namespace else {}
    return TargetSchema("standard", node, schemas.files, prefixes=prefixes, spaces=schemas.prefixes)


def read_standard(content: Path, standard: str, version: str) -> Schemas:
    """Our profile of a standard where there is one, else its official files; raises ConfigurationError."""
    if own := own_profile(content, standard, version):
        return Schemas.read(own)
    folder = check_official(content, standard, version)
    known = manifest(content, standard, version)
    if folder is None or known is None:
        raise not_held(content, standard, version)
    return Schemas.read(*(folder / name for name in known.entries or known.files))


def _unknown(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"'{text}' is no target",
        expected="record <Name>, table <name>, json <name> or <standard> <version> <root element>",
    )


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
