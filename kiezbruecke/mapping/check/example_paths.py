"""The paths that a mapping's examples hold, and the answers that were accepted: the proof of what an open source is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping.language.definition import Definition
from kiezbruecke.mapping.schema.sources import own_root
from kiezbruecke.standards.store import parse

_LARGEST = 500_000
_DEEPEST = 40


def seen_paths(definition: Definition, content: Path, roots: set[str]) -> dict[str, set[str]]:
    """By root, every path below it that some example or accepted answer holds; a root that no example has is empty.

    Examples that cannot be read are `mapping test`'s.
    """
    found: dict[str, set[str]] = {root: set() for root in roots}
    homes = [content / "mappings" / definition.direction / name for name in (definition.name, *definition.bases)]
    own = own_root(definition)
    files = (file for home in homes for file in sorted(home.glob("examples/**/*")))
    for file in (file for file in files if roots and _readable(file, own)):
        body = _body(file, own)
        for root in roots & body.keys():
            found[root] |= set(_paths(body[root], root))
    if found.get(own):
        found[own] |= {path for home in homes for path in _accepted(home / "fingerprint.yaml", own)}
    return found


def _accepted(file: Path, own: str) -> Iterator[str]:
    """The places of the answers that `drift accept` has written down; what is wrong with them is `drift`'s."""
    body = _body(file, own).get("source") if file.is_file() and file.stat().st_size <= _LARGEST else None
    fields = body.get("fields") if isinstance(body, dict) else None
    for path in fields if isinstance(fields, dict) else ():
        yield ".".join([own, *str(path).split("/")])


def item_forms(definition: Definition, content: Path) -> set[str]:
    """What the items of its own examples are: 'xml', 'table' (a sheet's line), or 'any' where nobody knows."""
    folder = content / "mappings" / definition.direction / definition.name / "examples"
    own = own_root(definition)
    bodies = [_body(file, own) for file in sorted(folder.glob("**/*")) if _readable(file, own)]
    return {_form(body[own]) for body in bodies if own in body}


def _form(item: Any) -> str:
    if etree.iselement(item):
        return "xml"
    return "table" if isinstance(item, dict) and item.keys() >= {"sheet", "row"} else "any"


def _readable(file: Path, own: str) -> bool:
    name = file.name.rpartition(".input.")[2] if ".input." in file.name else file.name
    inputs = {"input.yaml", "input.json", "yaml", "json", f"{own}.xml"}
    return (name in inputs or file.name.endswith(f".{own}.xml")) and file.is_file() and file.stat().st_size <= _LARGEST


def _body(file: Path, own: str) -> dict[str, Any]:
    try:
        if file.suffix == ".xml":
            return {own: parse(file.read_bytes(), file.name)}
        text = file.read_text("utf-8")
        body = json.loads(text) if file.suffix == ".json" else YAML(typ="safe", pure=True).load(text)
    except (OSError, ValueError, RecursionError, YAMLError, KiezbrueckeError):
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
