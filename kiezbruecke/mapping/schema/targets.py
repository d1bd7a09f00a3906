"""Finds what `target:` names: a record, a table, or a root element of a standard's profile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.models import record_tree
from kiezbruecke.mapping.schema.tables import Table, read_table
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.schema.xsd import Schemas
from kiezbruecke.records import RECORDS, Record
from kiezbruecke.standards.store import profile

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Target:
    """A target's tree and what writes it. `files` are the files that decide its shape."""

    kind: Literal["record", "table", "standard"]
    root: Node
    files: tuple[Path, ...] = ()
    model: type[Record] | None = None
    table: Table | None = None
    prefixes: dict[str, str] = field(default_factory=dict)


def find_target(text: str, content: Path) -> Target:
    """`record Proposal`, `table status-list` or `xdomea 4.0.0 Abgabe.Abgabe.0401`; raises ConfigurationError."""
    words = text.split()
    if not all(_NAME.fullmatch(word) for word in words):
        raise _unknown(text)
    match words:
        case ["record", name]:
            return _record(name)
        case ["table", name]:
            table = read_table(content, name)
            return Target("table", table.tree(), (table.file,), table=table)
        case [standard, version, root]:
            return _standard(content, standard, version, root)
        case _:
            raise _unknown(text)


def _record(name: str) -> Target:
    if name not in RECORDS:
        raise ConfigurationError(
            f"there is no record '{name}'", expected=", ".join(RECORDS), helps=nearest(name, RECORDS)
        )
    return Target("record", record_tree(RECORDS[name], name), model=RECORDS[name])


def _standard(content: Path, standard: str, version: str, root: str) -> Target:
    schemas = Schemas.read(profile(content, standard, version))
    try:
        node = schemas.root(root)
    except KeyError:
        raise ConfigurationError(
            f"{standard} {version} has no root element '{root}'",
            expected=", ".join(schemas.roots()),
            helps=nearest(root, schemas.roots()),
        ) from None
    return Target("standard", node, schemas.files, prefixes={standard: node.namespace} if node.namespace else {})


def _unknown(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"'{text}' is no target", expected="record <Name>, table <name> or <standard> <version> <root element>"
    )
