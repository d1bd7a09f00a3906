"""What libyaml reads of a mapping file is what ruamel reads of it, place by place; else ruamel is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yaml.nodes import MappingNode, Node, ScalarNode

from kiezbruecke.mapping.language.careful import compose_carefully
from kiezbruecke.mapping.language.composing import MAX_DEPTH, NULL, composed
from kiezbruecke.mapping.language.findings import NotAMapping

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "mappings").glob("*bound/*/mapping.yaml"))
ODD = [
    *("\t", "\r\n", "\x85", "\u2028", "\ufeff", "\x00", "ä", "😀", "\n\n  ", " #", "- ", ": ", "? ", ",", ":"),
    *("'", '"', "|\n", ">+\n", "|2-\n", "{", "}", "[", "]", "&a ", "*a", "!!str ", "!", "---\n", "...\n"),
    *("%YAML 1.1\n", "<<: ", "~", "null", "no", "0401", "\\", '"\\x41"', "`", "@", "%", "=", "<"),
]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_our_own_mappings_are_plain(file: Path) -> None:
    """Else every command and every task would wait for the slow reader."""
    text = file.read_text("utf-8")
    assert _seen(composed(text)) == _seen(compose_carefully(text, "x"))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_not_read_alike_is_not_plain(data: st.DataObject) -> None:
    """A head of a file with something odd in it, once or twice."""
    text = data.draw(st.sampled_from(FILES)).read_text("utf-8")
    text = text[: data.draw(st.integers(20, 700))]
    for odd in data.draw(st.lists(st.sampled_from(ODD), min_size=1, max_size=2)):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + odd + text[at:]
    found = composed(text)
    if found is not None:
        assert _seen(found) == _seen(compose_carefully(text, "x"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "name:\nrules: []\n",
        "--- {a: b}\n",
        "a: b\n--- \nc: d\n",
        "a: &x b\n",
        "a: !!str b\n",
        "a:\tb\n",
        "a: b\r\n",
        "a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "a: [",
        "|\n# one",
    ],
)
def test_what_needs_a_second_look_is_not_plain(text: str) -> None:
    """What ruamel refuses, words or places otherwise."""
    assert composed(text) is None


def test_nothing_is_nothing_for_both() -> None:
    """What the slow reader hands on are the nodes that everybody asks for."""
    text = "a: [~, null, 'null', no, 0401]\n"
    slow = compose_carefully(text, "x")
    assert isinstance(slow, MappingNode)
    assert _seen(slow) == _seen(composed(text))
    assert [one.tag == NULL for one in slow.value[0][1].value] == [True, True, False, False, False]


def test_what_is_wrong_is_said_where_it_is() -> None:
    """A quote that is missing is found by the slow reader, with what helps."""
    with pytest.raises(NotAMapping) as caught:
        compose_carefully("a: {b: Feld[2], c: d}\n", "x.yaml")
    assert str(caught.value.findings[0].place).startswith("x.yaml:1:")
    assert "needs quotes" in caught.value.findings[0].helps


def _seen(node: Node | None) -> tuple[object, ...]:
    """All that is asked of nodes: place, kind, text, and whether it is nothing."""
    assert node is not None
    place = node.start_mark.line, node.start_mark.column
    if isinstance(node, ScalarNode):
        return place, node.value, node.tag == NULL
    if isinstance(node, yaml.SequenceNode):
        return place, [_seen(part) for part in node.value]
    return place, [(_seen(key), _seen(value)) for key, value in node.value], "keys"
