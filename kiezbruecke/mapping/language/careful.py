"""Reads what is not plain, or no YAML at all: slower by far than libyaml, and it knows what is wrong where.

Anchors and tags are refused, and so is a file that is nested too deeply: none can grow while it is read.
"""

from __future__ import annotations

import re
from typing import Any

import yaml.nodes
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.mapping.language.composing import MAX_DEPTH, not_readable, place_of
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.unreadable import explain

# Not compiled before a file cannot be read: that takes longer than to read one.
_UNQUOTED = r"(?:^|[{,:\[]\s*)(?P<path>@[\w.:-]*|[^\s{}\[\],\"':]+\[[0-9]+\][^\s{}\[\],\"']*)"


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


def compose_carefully(text: str, shown: str) -> yaml.nodes.Node | None:
    """The nodes of a file, None where it holds none; raises NotAMapping."""
    parser = YAML(typ="rt", pure=True)
    parser.Composer = _Composer
    try:
        root = parser.compose(text)
    except YAMLError as error:
        why = explain(error, text)
        place = Place(shown, why.line, why.column)
        raise not_readable(place, why.message, why.expected, _quotes_missing(text, place) or why.helps) from None
    if root is None:
        return None
    _refuse_more_than_data(root, shown)
    return _as_libyaml_gives_it(root)


def _refuse_more_than_data(root: Node, shown: str) -> None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.anchor:
            raise not_readable(place_of(shown, node), "anchors and aliases are not used here", "the value itself")
        if isinstance(node, MappingNode):
            waiting += reversed([part for pair in node.value for part in pair])
        elif isinstance(node, SequenceNode):
            waiting += reversed(node.value)


def _quotes_missing(text: str, place: Place) -> str:
    """What helps where a path such as `Feld[2]` in `{…}`, or `@art`, stands without quotes at this place."""
    line = text.splitlines()[place.line - 1 : place.line]
    found = re.finditer(_UNQUOTED, line[0]) if line else iter(())
    path = next((one["path"] for one in found if one.start("path") < place.column <= one.end("path") + 1), "")
    return f'this path needs quotes: "{path}"' if path else ""


def _as_libyaml_gives_it(node: Node) -> yaml.nodes.Node:
    mark = node.start_mark
    if isinstance(node, SequenceNode):
        return yaml.SequenceNode(node.tag, [_as_libyaml_gives_it(one) for one in node.value], mark)
    if isinstance(node, MappingNode):
        pairs = [(_as_libyaml_gives_it(key), _as_libyaml_gives_it(value)) for key, value in node.value]
        return yaml.MappingNode(node.tag, pairs, mark)
    return yaml.ScalarNode(node.tag, node.value, mark)
