"""The paths that a mapping's examples hold, and the answers that were accepted: the proof of what an open source is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping.language.definition import Definition
from kiezbruecke.mapping.schema.sources import own_root
from kiezbruecke.plain_yaml import read_yaml
from kiezbruecke.standards.store import parse

_LARGEST = 500_000
_DEEPEST = 40


Bodies = list[dict[str, Any]]


def read_bodies(definition: Definition, content: Path, names: Iterable[str]) -> Bodies:
    """What the examples of mappings give it by root; what cannot be read is `mapping test`'s."""
    own, folder = own_root(definition), content / "mappings" / definition.direction
    files = (file for name in names for file in sorted((folder / name).glob("examples/**/*")))
    return [_body(file, own) for file in files if _readable(file, own)]


def seen_paths(definition: Definition, content: Path, bodies: Bodies, root: str) -> set[str]:
    """Every path below a root that some example or accepted answer holds; nothing where no example has the root."""
    found = {path for body in bodies if root in body for path in _paths(body[root], root)}
    if found and root == own_root(definition):
        folder = content / "mappings" / definition.direction
        files = [folder / name / "fingerprint.yaml" for name in (definition.name, *definition.bases)]
        found |= {path for file in files for path in _accepted(file, root)}
    return found


def _accepted(file: Path, own: str) -> Iterator[str]:
    """The places of the answers that `drift accept` has written down; what is wrong with them is `drift`'s."""
    body = _body(file, own).get("source") if file.is_file() and file.stat().st_size <= _LARGEST else None
    fields = body.get("fields") if isinstance(body, dict) else None
    for path in fields if isinstance(fields, dict) else ():
        yield ".".join([own, *str(path).split("/")])


def form_of(item: Any) -> str:
    """What an example's item is: XML, the line of a sheet, or JSON."""
    if etree.iselement(item):
        return "XML"
    return "lines of a sheet" if isinstance(item, dict) and item.keys() >= {"sheet", "row"} else "JSON"


def _readable(file: Path, own: str) -> bool:
    name = file.name.rpartition(".input.")[2] if ".input." in file.name else file.name
    inputs = {"input.yaml", "input.json", "yaml", "json", f"{own}.xml"}
    return (name in inputs or file.name.endswith(f".{own}.xml")) and file.is_file() and file.stat().st_size <= _LARGEST


def _body(file: Path, own: str) -> dict[str, Any]:
    try:
        if file.suffix == ".xml":
            return {own: parse(file.read_bytes(), file.name)}
        body = json.loads(file.read_text("utf-8")) if file.suffix == ".json" else read_yaml(file)
    except (OSError, ValueError, RecursionError, KiezbrueckeError):
        return {}
    return body if isinstance(body, dict) else {}


def _paths(value: Any, path: str, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if etree.iselement(value):
        yield from _xml_paths(value, path, depth)
    elif isinstance(value, list):
        for part in value:
            yield from _paths(part, path, depth + 1)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield f"{path}.{name}"
            yield from _paths(part, f"{path}.{name}", depth + 1)


def _xml_paths(element: etree._Element, path: str, depth: int) -> Iterator[str]:
    for name in element.attrib:
        yield f"{path}.@{etree.QName(name).localname}"
    for child in element:
        if isinstance(child.tag, str):
            below = f"{path}.{etree.QName(child).localname}"
            yield below
            yield from _paths(child, below, depth + 1)
