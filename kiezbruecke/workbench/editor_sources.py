"""Which source paths an editor offers: the fields of typed roots and members; what is open takes any path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from kiezbruecke.mapping.schema.models import OPEN, Type
from kiezbruecke.mapping.schema.sources import NodeFields
from kiezbruecke.workbench.described import short, some
from kiezbruecke.workbench.editor_targets import MOST
from kiezbruecke.workbench.language_schema import Schema, constants

_DEPTH = 4
_MANY = "many"
_NUMBER = r"(\[[1-9][0-9]*\])?"


def source_paths(types: Mapping[str, Type], *more: Schema) -> Schema:
    """The paths below what a block sees; one list, as hovers read only one. What is too large stays open as well."""
    listed = {name: told_paths(name, found) for name, found in types.items()}
    paths = {path: words for found in listed.values() for path, words in (found or {}).items()}
    return {
        "anyOf": [
            *constants(sorted(paths.items())),
            *_numbered_sources(paths),
            *_open_sources(sorted(name for name, found in listed.items() if found is None)),
            *more,
        ]
    }


def other_names(types: Mapping[str, Type]) -> Schema:
    """In a block that the mapping does not have yet, a member may have any name that is no root's."""
    return {"type": "string", "pattern": rf"^(?!({'|'.join(map(re.escape, types))})(\.|\[|$))"}


def told_paths(name: str, found: Type) -> dict[str, str] | None:
    """Everything below a root with what stands there, as deep as there is room; None where it holds anything."""
    if found.below is None and found.kind == "any":
        return None
    own = {f"{name}.index": "integer, from 1"} if found.indexed else {}
    if found.below is None:
        return {name: found.means, **own}
    for depth in range(_DEPTH, 0, -1):
        paths = dict(islice(_fields(name, found, depth), MOST + 1))
        if len(paths) <= MOST:
            break
    return own | paths


def _fields(path: str, owner: Type, depth: int) -> Iterator[tuple[str, str]]:
    """The paths below a type with what stands there."""
    assert owner.below is not None
    for name in owner.below.names():
        found = owner.below.field(name) or OPEN
        many = owner.many or found.many
        yield f"{path}.{name}", _told(replace(found, many=many), _documentation(owner, name))
        if found.below is not None and depth > 1:
            yield from _fields(f"{path}.{name}", replace(found, many=many), depth - 1)


def _told(found: Type, documentation: str) -> str:
    kind = found.means if found.leaf is not None or found.below is None else found.below.title
    kind += " with fields" if found.below is not None else ""
    words = [f"{kind}, {_MANY}" if found.many else kind, *(["may be empty"] if found.nullable else [])]
    words += [f"one of: {some(list(found.values))}"] if found.values else []
    return short("; ".join([*words, *([documentation] if documentation else [])]))


def _documentation(owner: Type, name: str) -> str:
    if owner.model is not None:
        return owner.model.model_fields[name].description or ""
    return owner.fields.documentation(name) if isinstance(owner.fields, NodeFields) else ""


def _numbered_sources(paths: Mapping[str, str]) -> list[Schema]:
    """One of many: `case.documents[2].title`."""
    many = sorted(path for path, words in paths.items() if f", {_MANY}" in words)
    if not many:
        return []
    parts = (r"\.".join(re.escape(name) + _NUMBER for name in path.split(".")) for path in many)
    return [{"type": "string", "pattern": f"^({'|'.join(parts)})$"}]


def _open_sources(names: list[str]) -> list[Schema]:
    """What nobody has described: any path below, and the root itself."""
    if not names:
        return []
    return [{"type": "string", "pattern": rf"^({'|'.join(map(re.escape, names))})(\[[1-9][0-9]*\])?(\..+)?$"}]
