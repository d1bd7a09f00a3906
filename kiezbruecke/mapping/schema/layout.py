"""Reads small YAML descriptions of shapes safely, and knows where each of their values stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text

MAX_BYTES = 500_000
MAX_DEPTH = 8


@dataclass(frozen=True)
class Located:
    """A YAML file's body and the places of its parts."""

    file: Path
    body: Any
    _root: Node | None = field(repr=False)

    def where(self, path: Sequence[int | str], *, key: bool = False) -> str:
        """`file:line:column` of the part at a path (or of its key), or of the nearest part above it."""
        node = self._root
        for step in path:
            below = _below(node, step)
            if below is None:
                break
            node = (_key_of(node, step) if key and step == path[-1] else None) or below
        if node is None:
            return str(self.file)
        return f"{self.file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def read_layout(file: Path) -> Located:
    """Read a YAML file; raises ConfigurationError for one that is too large, too deep, or not plain YAML.

    A file is parsed once, and again when it changes. What comes back is shared; nobody changes it.
    """
    try:
        state = file.stat()
        return _located(file, state.st_mtime_ns, state.st_size)
    except (OSError, ValueError):  # a day or a number that is none
        raise ConfigurationError("the file cannot be read", where=str(file), expected="YAML in UTF-8") from None
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        what = (error.problem if isinstance(error, MarkedYAMLError) else None) or "the file is not YAML"
        raise ConfigurationError(str(what), where=where, expected="YAML, each key once") from None


@lru_cache(maxsize=256)
def _located(file: Path, changed_ns: int, size: int) -> Located:  # noqa: ARG001 - a changed file is another one
    if size > MAX_BYTES:
        raise ConfigurationError("the file is too large", where=str(file), expected=f"at most {MAX_BYTES} bytes")
    text = read_text(file)
    _refuse_tricks(file, text)
    return Located(file, _yaml().load(text), _yaml().compose(text))


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


def _refuse_tricks(file: Path, text: str) -> None:
    """Anchors can grow a file while it is read, and nesting costs the scanner minutes: neither is needed here."""
    depth = 0
    for event in _yaml().parse(text):
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            where = f"{file}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
            raise ConfigurationError("anchors and aliases are not used here", where=where, expected="the value itself")
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigurationError("the file is nested too deeply", where=str(file), expected="a flat description")


def _key_of(node: Node | None, step: int | str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((key for key, _ in pairs if isinstance(key, ScalarNode) and key.value == step), None)


def _below(node: Node | None, step: int | str) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: Node = node.value[step]
        return found
    if isinstance(node, MappingNode):
        pairs = ((key, value) for key, value in node.value if isinstance(key, ScalarNode) and key.value == step)
        return next((value for _, value in pairs), None)
    return None
