"""Reads a mapping file into positioned nodes, and refuses what is more than data.

    text ──▶ libyaml's events ──▶ nodes            plain YAML, as nearly all files are
               └─▶ ruamel (`careful`) ──▶ nodes, or what is wrong where

The two parsers do not read everything alike. What they read alike is plain; all else is ruamel's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.mapping.language.findings import Finding, NotAMapping, Place
from kiezbruecke.plain_yaml import Loader

MAX_BYTES = 500_000
MAX_DEPTH = 60
NULL = "tag:yaml.org,2002:null"
_NOTHING = frozenset({"~", "null", "Null", "NULL"})  # YAML 1.2.2, 10.3.2, but for the empty one
_NOT_PLAIN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def read_bytes(file: Path, shown: str) -> bytes:
    """The bytes of a file that is small enough to be a mapping; raises NotAMapping."""
    try:
        state = file.stat()
        if state.st_size > MAX_BYTES:
            raise not_readable(Place(shown), "the file is too large", f"at most {MAX_BYTES} bytes")
        if S_ISREG(state.st_mode):  # a pipe or a device would be read for ever
            return file.read_bytes()
    except OSError:
        pass
    raise not_readable(Place(shown), "the file cannot be read", "a mapping.yaml")


def compose(raw: bytes, shown: str) -> MappingNode:
    """The keys of the file as nodes that know where they stand; raises NotAMapping."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start)
        raise not_readable(Place(shown, line, column), "the file is not UTF-8", "UTF-8") from None
    root = composed(text)
    if root is None:
        from kiezbruecke.mapping.language.careful import compose_carefully  # noqa: PLC0415 - ruamel takes its time

        root = compose_carefully(text, shown)
    if not isinstance(root, MappingNode):
        raise not_readable(Place(shown), "the file holds no keys", "name, version, direction, …")
    return root


def composed(text: str) -> Node | None:
    """The nodes of a plain text; None where it is none."""
    if _NOT_PLAIN.search(text):
        return None
    try:
        events = yaml.parse(text, Loader)
        next(events)
        document = next(events)
        if not isinstance(document, yaml.DocumentStartEvent) or document.explicit:  # perhaps another version of YAML
            return None
        first = next(events)
        if not isinstance(first, yaml.MappingStartEvent):  # no mapping; of a text alone the two see other ends
            return None
        root = _node(first, events, 0)
        next(events)
        return root if isinstance(next(events), yaml.StreamEndEvent) else None
    except (yaml.YAMLError, _NotPlain):
        return None


class _NotPlain(Exception):
    """Something that ruamel has to look at."""


def _node(event: Any, events: Iterator[Any], depth: int) -> Node:
    if depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
        raise _NotPlain
    if isinstance(event, yaml.ScalarEvent):
        plain = event.implicit[0]
        if plain and not event.value:  # where nothing stands: each has its own idea of the place
            raise _NotPlain
        return ScalarNode(NULL if plain and event.value in _NOTHING else "", event.value, event.start_mark)
    parts: list[Node] = []
    while not isinstance(part := next(events), yaml.CollectionEndEvent):
        parts.append(_node(part, events, depth + 1))
    if isinstance(event, yaml.SequenceStartEvent):
        return SequenceNode("", parts, event.start_mark)
    return MappingNode("", list(zip(parts[::2], parts[1::2], strict=True)), event.start_mark)


def not_readable(place: Place, message: str, expected: str, helps: str = "") -> NotAMapping:
    """The one finding of a file that holds no rules."""
    return NotAMapping([Finding(place, "KB-M01", message, expected=expected, helps=helps)])


def place_of(shown: str, node: Any) -> Place:
    """Where a node begins."""
    return Place(shown, node.start_mark.line + 1, node.start_mark.column + 1)
