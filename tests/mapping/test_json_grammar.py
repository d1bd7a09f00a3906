"""Patterns of JSON Schemas mean what ECMA-262 says, whichever engine searches for them."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.schema.json_patterns import searching
from kiezbruecke.mapping.schema.json_schema import read_json_schema

FITS = [
    (r"^\d+$", ["12"], ["\u0663", "12\n"]),
    (r"^\w+$", ["ab_1"], ["ä"]),
    (r"^[^\d]+$", ["\u0663"], ["1"]),
    (r"^[\D]$", ["\u0663"], ["1"]),
    (r"^[\W1]$", ["1", "ä"], ["2"]),
    (r"^\s*$", ["\u00a0\ufeff"], ["\x85"]),
    (r"^\S+$", ["a"], ["\u00a0"]),
    (r"\bfoo\b", ["äfooä"], ["afoo"]),
    (r"^.$", ["a", "😀", "\x85"], ["\n", "\u2028"]),
    (r"^\p{Lu}\P{Lu}+$", ["Ämter"], ["ämter"]),
    (r"^[\p{L}\d ]+$", ["Straße 1"], ["\u0663"]),
    (r"^\p{Script=Latin}+$", ["ä"], ["я"]),
    (r"^(?!0)\d+$", ["12"], ["01", "1\u0663"]),
    (r"^(?<jahr>\d{4})-\d\d$", ["2026-01"], ["26-01"]),
    (r"^(a)\1$", ["aa"], ["ab"]),
    (r"^(?<a>a|b)\k<a>$", ["bb"], ["ab"]),
    (r"^\u00e4\x41\u{1F600}\ud83d\ude00\cI$", ["äA😀😀\t"], ["äA"]),
    (r"^a\/b\-c$", ["a/b-c"], ["a-b"]),
    (r"^[&&]$", ["&"], ["a"]),
    (r"^[a[]$", ["["], ["]"]),
    (r"^[\d-x]$", ["-"], ["y"]),
    (r"^[^]$", ["\n"], ["ab"]),
    (r"^[]$", [], ["", "a"]),
    (r"^a{,3}$", ["a{,3}"], ["aa"]),
    ("^[\u00a0]$", ["\u00a0"], [" "]),
    (r"^a|b$", ["ax", "xb"], ["xa"]),
]


@pytest.mark.parametrize(("pattern", "fit", "not_fit"), FITS)
def test_a_pattern_means_what_ecma_says(pattern: str, fit: list[str], not_fit: list[str]) -> None:
    """ASCII digits, the very end, names of scripts: where the engines by themselves would say otherwise."""
    search = searching(pattern)

    assert [text for text in fit if not search(text)] == []
    assert [text for text in not_fit if search(text)] == []


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"^\i\c*$", r"holds '\i', which ECMA-262 does not know"),
        (r"\Aabc\Z", r"holds '\A', which ECMA-262 does not know"),
        ("^[A-Z-[AEIOU]]+$", "takes one class from another or names one"),
        ("^[[:alpha:]]$", "takes one class from another or names one"),
        ("(?i)abc", "holds '(?i', which begins nothing that ECMA-262 knows"),
        ("a++", "repeats nothing with '+'"),
        ("[z-a]", "ends before it begins"),
        (r"^\p{IsBasicLatin}+$", "cannot be read"),
        ("[a", "holds '['"),
        (r"\u{110000}", "which is no sign"),
    ],
)
def test_what_ecma_does_not_know_is_refused_by_name(tmp_path: Path, pattern: str, told: str) -> None:
    """Patterns of XSD, Python and Perl look alike and mean something else."""
    file = tmp_path / "schemas" / "json" / "antrag.schema.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"properties": {"a": {"type": "string", "pattern": pattern}}}))
    with pytest.raises(ConfigurationError, match=rf"antrag\.schema\.json: the pattern .*{re.escape(told)}"):
        read_json_schema(tmp_path, "antrag")


SIGNS = st.sampled_from(
    [*r"ab01-^$.|()[]{}*+?,\\ =!<>:pLudwsDWSbBkiäx&~", "(?:", "(?=", "(?!", "[^", r"\p{L}", "{2}", "\u00a0"]
)


@given(pattern=st.lists(SIGNS, max_size=12).map("".join), text=st.text("ab01ä -", max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_pattern_is_read_or_refused(pattern: str, text: str) -> None:
    """No other exception, and no long search."""
    began = time.monotonic()
    with suppress(ValueError):
        searching(pattern)(text)
    assert time.monotonic() - began < 1


PLAIN = st.recursive(
    st.sampled_from(["a", "b", "0", "-", "[a-c]", "[^b]", r"\d", r"\w", "ä"]),
    lambda part: st.one_of(
        st.tuples(part, part).map("".join),
        st.tuples(part, part).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "{2}"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
    ),
    max_leaves=6,
)


@given(pattern=PLAIN, text=st.text("ab0-ä", max_size=8))
@settings(max_examples=200, deadline=None)
def test_where_the_grammars_are_one_python_agrees(pattern: str, text: str) -> None:
    """Python's engine is the judge of what both grammars mean alike."""
    assert searching(f"^{pattern}$")(text) is (re.fullmatch(pattern, text, re.ASCII) is not None)


@pytest.mark.parametrize(
    "name", ["$ref", "$id", "$defs", "a b", " a", "a.b", "enum", "properties", "ä", "a:b", "'", "1"]
)
def test_a_property_may_be_called_as_it_likes(tmp_path: Path, name: str) -> None:
    """A keyword's name, a dot or a blank: it is a target, and is written."""
    file = tmp_path / "schemas" / "json" / "antrag.schema.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"type": "object", "required": [name], "properties": {name: {"type": "string"}}}))
    mapping = tmp_path / "mappings" / "outbound" / "antrag" / "mapping.yaml"
    mapping.parent.mkdir(parents=True)
    head = "name: antrag\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: json antrag\n"
    mapping.write_text(f"{head}rules:\n  - {{target: {json.dumps(name)}, from: route.a, required: true}}\n")

    assert json.loads(load_mapping("antrag", tmp_path).write({"route": {"a": "x"}})) == {name: "x"}
