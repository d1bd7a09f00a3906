"""Reads routes, processes, manifests: values by YAML 1.2's core schema, and on demand the place where a key stands.

Every parse of the DAG folder reads all of them, so libyaml's C parser does (twenty times faster than one in Python).
Its own idea of plain words is YAML 1.1's, where `no` is false and 010 is 8: words are understood here. What begins with
a zero that counts nothing (0815) is a number of somebody's list, so a text; what a code list holds is all text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text

_Base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # without libyaml slower, never different
_SHALLOW, _DEEPEST = 2_000, 100  # so many characters are never too deep; so many levels are no route
MOST_VALUES, MAX_BYTES = 200_000, 5_000_000  # aliases repeat what they name, and that what it names
_TAG = "tag:yaml.org,2002:"


class Loader(_Base):  # type: ignore[misc]
    """Tells plain words apart; makes no values itself."""


_WORDS: dict[str, tuple[str, str, Callable[[str], Any]]] = {  # kind: pattern, first letters, what the word means
    "null": (r"~|null|Null|NULL|", "~nN", lambda _: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    "int": (r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789", lambda text: int(text, _base(text))),
    "float": (
        r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
        lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    ),
    "timestamp": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789", date.fromisoformat),  # no core schema, but days are days
}
for _kind, (_pattern, _first, _) in _WORDS.items():
    Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_pattern})$"), [*_first, *([""] * (_kind == "null"))])


def read_yaml(file: Path) -> dict[str, Any]:
    """The keys of a file; raises ConfigurationError with line and column.

    A file is parsed once, and again when it changes. What comes back is shared; nobody changes it.
    """
    return _parsed(*_state(file))


def read_texts(file: Path) -> dict[str, Any]:
    """The keys of a file with every word as the text that stands there (1.10, 0815, no, 2026-01-01); nothing is None.

    Raises ConfigurationError with line and column.
    """
    root = _composed(*_state(file))
    if not isinstance(root, MappingNode):
        raise ConfigurationError("the file holds no keys", where=str(file), expected="key: value")
    body: dict[str, Any] = _TextReader(file).value(root)
    return body


def place_of(file: Path, path: Sequence[str | int], *, value: bool = False) -> str:
    """`file:line:column` of the key, its value or the entry at this path, or of the last one on its way."""
    node, mark = _composed(*_state(file)), None
    for step in path:
        found = _below(node, step)
        if found is None:
            break
        at, node = found
        mark = (node if value else at).start_mark
    return f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else f"{file}:1:1"


def holds(file: Path, path: Sequence[str | int]) -> bool:
    """Whether the file says anything at this path."""
    node: Node | None = _composed(*_state(file))
    for step in path:
        found = _below(node, step) if node is not None else None
        if found is None:
            return False
        node = found[1]
    return True


@lru_cache(maxsize=2048)
def _parsed(file: Path, changed_ns: int, size: int) -> dict[str, Any]:  # a changed file is another one
    root = _composed(file, changed_ns, size)
    if not isinstance(root, MappingNode):
        raise ConfigurationError("the file holds no keys", where=str(file), expected="key: value")
    body: dict[str, Any] = _Reader(file).value(root)
    return body


@lru_cache(maxsize=4)  # findings ask for one place after the other
def _composed(file: Path, changed_ns: int, size: int) -> Node | None:  # noqa: ARG001 - a changed file is another one
    try:
        if size > MAX_BYTES:
            raise ConfigurationError("the file is too large", where=str(file), expected=f"at most {MAX_BYTES} bytes")
        text = read_text(file)
        if len(text) > _SHALLOW:
            _refuse_deep(text)
        node: Node | None = Loader(text).get_single_node()
    except FileNotFoundError:
        raise ConfigurationError("the file is missing", where=str(file)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigurationError(getattr(error, "problem", None) or "not YAML", where=where) from None
    return node


def _state(file: Path) -> tuple[Path, int, int]:
    try:
        state = file.stat()
    except (OSError, ValueError):
        raise ConfigurationError("the file is missing", where=str(file)) from None
    return file, state.st_mtime_ns, state.st_size


def is_deep(text: str) -> bool:
    """Whether a text is nested too deeply for other parsers, which need minutes or endless calls; they say the rest."""
    try:
        return len(text) > _SHALLOW and _deep_at(text) is not None
    except yaml.YAMLError:
        return False


def _refuse_deep(text: str) -> None:
    """The C parser calls itself once per level and would end the process, not the file."""
    if mark := _deep_at(text):
        raise yaml.MarkedYAMLError(problem="the file is nested too deeply", problem_mark=mark)


def _deep_at(text: str) -> Any:
    """Where it goes too deep; None where it does not."""
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return event.start_mark
    return None


def _below(node: Node | None, step: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


class _Reader:
    """Makes values of one file's nodes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: set[int] = set()
        self._made = 0

    def value(self, node: Node) -> Any:
        """A node as text, number, truth, day, list or dictionary."""
        self._made += 1
        if self._made > MOST_VALUES:
            raise self._wrong(node, "the file grows by its aliases", f"at most {MOST_VALUES} values")
        if isinstance(node, ScalarNode):
            return self._word(node)
        if node.tag not in (f"{_TAG}seq", f"{_TAG}map"):
            raise self._wrong(node, "tags are not used here", "a plain value")
        if id(node) in self._open:
            raise self._wrong(node, "this refers to itself", "a value")
        if len(self._open) > _DEEPEST:
            raise self._wrong(node, "the file is nested too deeply", f"at most {_DEEPEST} levels")
        self._open.add(id(node))
        found = self._keys(node) if isinstance(node, MappingNode) else [self.value(one) for one in node.value]
        self._open.discard(id(node))
        return found

    def _keys(self, node: MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = self.value(key)
            if not isinstance(name, str):
                raise self._wrong(key, "this key is no word", "a word; quote what looks like a number or a truth")
            if name == "<<":
                raise self._wrong(key, "YAML 1.2 has no merge key", "the keys themselves, or a set of routes")
            if name in found:
                raise self._wrong(key, f"the key '{name}' stands here twice", "once")
            found[name] = self.value(value)
        return found

    def _word(self, node: ScalarNode) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return node.value
        if kind not in _WORDS:
            raise self._wrong(node, "tags are not used here", "a plain value")
        try:
            return _WORDS[kind][2](node.value)
        except ValueError:
            raise self._wrong(node, f"this is no {kind}", "a value, or a text in quotes") from None

    def _wrong(self, node: Node, what: str, expected: str) -> ConfigurationError:
        mark = node.start_mark
        return ConfigurationError(what, where=f"{self._file}:{mark.line + 1}:{mark.column + 1}", expected=expected)


class _TextReader(_Reader):
    """Takes every word as it stands."""

    def _word(self, node: ScalarNode) -> Any:
        if node.tag not in {_TAG + kind for kind in ("str", *_WORDS)}:
            raise self._wrong(node, "tags are not used here", "a plain value")
        is_nothing = node.value == "" and node.tag == f"{_TAG}null"
        return None if is_nothing else node.value


def _base(text: str) -> int:
    return {"0o": 8, "0x": 16}.get(text[:2], 10)
