"""Reads a mapping file into positioned nodes, and refuses what is more than data.

Anchors and tags are refused, and so is a file that is too large or nested too deeply: none can grow while it is read.
"""

from __future__ import annotations

import re
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.mapping.language.findings import Finding, NotAMapping, Place
from kiezbruecke.mapping.language.unreadable import explain

MAX_BYTES = 500_000
MAX_DEPTH = 60
# Not compiled before a file cannot be read: that takes longer than to read one.
_UNQUOTED = r"(?:^|[{,:\[]\s*)(?P<path>@[\w.:-]*|[^\s{}\[\],\"':]+\[[0-9]+\][^\s{}\[\],\"']*)"


def read_bytes(file: Path, shown: str) -> bytes:
    """The bytes of a file that is small enough to be a mapping; raises NotAMapping."""
    try:
        state = file.stat()
        if state.st_size > MAX_BYTES:
            raise _not_readable(Place(shown), "the file is too large", f"at most {MAX_BYTES} bytes")
        if S_ISREG(state.st_mode):  # a pipe or a device would be read for ever
            return file.read_bytes()
    except OSError:
        pass
    raise _not_readable(Place(shown), "the file cannot be read", "a mapping.yaml")


class _Composer(Composer):
    """Stops at tags, which a scalar that is a text does not need, and at nesting that no rule needs: reading
    thousands of brackets takes the scanner minutes.
    """

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Any:
        event = self.parser.peek_event()
        if self.depth > MAX_DEPTH:
            raise MarkedYAMLError(problem="the file is nested too deeply", problem_mark=event.start_mark)
        if getattr(event, "ctag", None) is not None:
            raise MarkedYAMLError(problem="tags are not used here", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, ScalarNode) and node.style == ">":
            node.value = node.value.replace("\a", "")  # ruamel's own marks of where the text was folded
        return node


def compose(raw: bytes, shown: str) -> MappingNode:
    """The keys of the file as nodes that know where they stand; raises NotAMapping."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Composer = _Composer
    try:
        root = yaml.compose(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line, column = raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start)
        raise _not_readable(Place(shown, line, column), "the file is not UTF-8", "UTF-8") from None
    except YAMLError as error:
        why = explain(error, raw.decode("utf-8-sig"))
        place = Place(shown, why.line, why.column)
        helps = _quotes_missing(raw, place) or why.helps
        raise _not_readable(place, why.message, why.expected, helps) from None
    _refuse_more_than_data(root, shown)
    if not isinstance(root, MappingNode):
        raise _not_readable(Place(shown), "the file holds no keys", "name, version, direction, …")
    return root


def _refuse_more_than_data(root: Node | None, shown: str) -> None:
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if node.anchor:
            raise _not_readable(place_of(shown, node), "anchors and aliases are not used here", "the value itself")
        if isinstance(node, MappingNode):
            waiting += reversed([part for pair in node.value for part in pair])
        elif isinstance(node, SequenceNode):
            waiting += reversed(node.value)


def _not_readable(place: Place, message: str, expected: str, helps: str = "") -> NotAMapping:
    return NotAMapping([Finding(place, "KB-M01", message, expected=expected, helps=helps)])


def _quotes_missing(raw: bytes, place: Place) -> str:
    """What helps where a path such as `Feld[2]` in `{…}`, or `@art`, stands without quotes at this place."""
    line = raw.decode("utf-8-sig").splitlines()[place.line - 1 : place.line]
    found = re.finditer(_UNQUOTED, line[0]) if line else iter(())
    path = next((one["path"] for one in found if one.start("path") < place.column <= one.end("path") + 1), "")
    return f'this path needs quotes: "{path}"' if path else ""


def place_of(shown: str, node: Node) -> Place:
    """Where a node begins."""
    return Place(shown, node.start_mark.line + 1, node.start_mark.column + 1)
