"""`otherwise`, `one_of` and `at_least`: what a department says, in every way a mapping is run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import Mapping
from kiezbruecke.mapping.compile import Declined
from kiezbruecke.mapping.interpret.xml import XmlWriter
from tests.mapping.conftest import Load, findings, loading

DATA = Path(__file__).parent / "data"
HEAD = """\
name: out
version: 1
direction: outbound
roots: [route]
target: formen 1 Formen
rules:
  - {target: Etwas, from: route.title}
"""
Lines = Callable[[str], list[str]]


@pytest.fixture
def load(content: Path, put: Callable[[str, str], Path]) -> Load:
    """A mapping with these rules, for the schema of forms."""
    put("schemas/formen/1/profile.xsd", (DATA / "formen.xsd").read_text("utf-8"))
    return loading(content, put, HEAD)


@pytest.fixture
def lines(load: Load, content: Path) -> Lines:
    """The findings about rules."""

    def of(rules: str) -> list[str]:
        found = [one for one in findings(load, content, rules) if not one.message.startswith("no rule reads")]
        return [f"{one.place.line}:{one.place.column} {one.code} {one.message}" for one in found]

    return of


def written(mapping: Mapping, route: dict[str, Any]) -> dict[str, str]:
    """The leaves of the message, by the generated code and by the interpreter."""
    roots = {"route": {"title": "Fest", **route}}
    interpreted = XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))
    try:
        assert mapping.compiled.write(roots) == interpreted
    except Declined:
        pytest.fail("the generated code has no way")
    assert mapping.write(roots) == interpreted
    return {etree.QName(one).localname: one.text or "" for one in etree.fromstring(interpreted).iter() if one.text}


def refusal(mapping: Mapping, route: dict[str, Any]) -> str:
    """Why a record is set aside; the generated code must not write it."""
    roots = {"route": {"title": "Fest", **route}}
    with pytest.raises(Declined):
        mapping.compiled.write(roots)
    with pytest.raises(RecordError) as raised:
        mapping.write(roots)
    return raised.value.line()


OTHERWISE = """\
  - {target: Alles, const: eins, when: {path: route.art, equals: a}}
  - {target: Alles, const: zwei, when: {path: route.art, equals: [b, c]}}
  - {target: Alles, from: route.rest, otherwise: true}
"""


@pytest.mark.parametrize(
    ("art", "stands"), [("a", "eins"), ("b", "zwei"), ("c", "zwei"), ("d", "Rest"), ("", "Rest"), (None, "Rest")]
)
def test_otherwise_speaks_where_no_rule_above_does(load: Load, lines: Lines, art: str | None, stands: str) -> None:
    assert lines(OTHERWISE) == []
    assert written(load(OTHERWISE), {"art": art, "rest": "Rest"})["Alles"] == stands


def test_several_rules_may_say_otherwise(load: Load) -> None:
    """Both belong to the same questions; a new question begins a new row."""
    mapping = load(
        "  - {target: Alles, const: ja, when: route.a}\n"
        "  - {target: Alles, const: nein, otherwise: true}\n"
        "  - {target: Latein, const: nein, otherwise: true}\n"
        "  - {target: Wort, const: ja, when: route.b}\n"
        "  - {target: Kurz, const: kein b, otherwise: true}\n"
    )

    assert written(mapping, {"a": "x"}) == {"Etwas": "Fest", "Alles": "ja", "Kurz": "kein b"}
    assert written(mapping, {"b": "x"}) == {"Etwas": "Fest", "Alles": "nein", "Latein": "nein", "Wort": "ja"}


def test_it_answers_its_own_target_where_that_is_asked_about(load: Load) -> None:
    """What a rule for another place asks, right above, is no case of it; where none is about its place, all are."""
    mapping = load(
        "  - {target: Wort, const: ja, when: route.b}\n"
        "  - {target: Alles, const: ja, when: route.a}\n"
        "  - {target: Alles, const: nein, otherwise: true}\n"
        "  - {target: Kurz, const: weder noch, otherwise: true}\n"
    )

    assert written(mapping, {"b": "x"}) == {"Etwas": "Fest", "Alles": "nein", "Wort": "ja"}
    assert written(mapping, {"a": "x"}) == {"Etwas": "Fest", "Alles": "ja"}
    assert written(mapping, {}) == {"Etwas": "Fest", "Alles": "nein", "Kurz": "weder noch"}


def test_a_block_may_say_otherwise(load: Load) -> None:
    mapping = load(
        "  - {target: Wahl/A, from: route.a, when: route.a}\n"
        "  - {target: Wahl, otherwise: true, rules: [{target: B, const: sonst}]}\n"
    )

    assert written(mapping, {"a": "x"}) == {"Etwas": "Fest", "A": "x"}
    assert written(mapping, {}) == {"Etwas": "Fest", "B": "sonst"}


CASES = """\
  - target: Wahl
    one_of:
      - {target: A, from: route.a, when: route.a}
      - {target: B, from: route.b, when: route.b}
"""


def test_exactly_one_case_speaks(load: Load, lines: Lines) -> None:
    mapping = load(CASES)

    assert lines(CASES) == []
    assert written(mapping, {"a": "x"}) == {"Etwas": "Fest", "A": "x"}
    assert written(mapping, {"b": "y"}) == {"Etwas": "Fest", "B": "y"}


@pytest.mark.parametrize("route", [{}, {"a": "geheim", "b": "geheim"}, {"a": ""}])
def test_none_or_several_set_the_record_aside(load: Load, route: dict[str, str]) -> None:
    """With the conditions that were asked, and no value."""
    said = refusal(load(CASES), route)

    assert "'Wahl'" in said
    assert "genau einer der Fälle: route.a; route.b" in said
    assert "geheim" not in said


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (CASES.replace("when: route.b", "when: route.a"), "never speaks alone"),
        (
            CASES.replace("when: route.a", "when: {path: route.k, equals: [x, y]}").replace(
                "when: route.b", "when: {path: route.k, equals: y}"
            ),
            "never speaks alone",
        ),
        (
            CASES.replace("one_of:", "when: {path: route.k, equals: x}\n    rules:").replace(
                "when: route.a", "when: {path: route.k, equals: y}"
            ),
            "this rule never speaks",
        ),
    ],
)
def test_what_can_never_speak_is_found(lines: Lines, rules: str, says: str) -> None:
    """No record is needed for it, and no example."""
    assert any("KB-M16" in line and says in line for line in lines(rules))


def test_several_cases_beside_an_otherwise_are_told_by_name(load: Load) -> None:
    both = CASES + "      - {target: B, const: sonst, otherwise: true}\n"

    assert "genau einer der Fälle: route.a; route.b; otherwise" in refusal(load(both), {"a": "x", "b": "y"})


def test_a_case_may_say_otherwise(load: Load) -> None:
    mapping = load(CASES.replace("from: route.b, when: route.b", "const: sonst, otherwise: true"))

    assert written(mapping, {"a": "x"}) == {"Etwas": "Fest", "A": "x"}
    assert written(mapping, {}) == {"Etwas": "Fest", "B": "sonst"}


PARTS = """\
  - target: Gruppe
    rules:
      - target: Teil
        each: route.teile
        as: teil
        at_least: 2
        rules:
          - {target: "@art", const: x}
          - {target: Eins, from: teil.eins, required: true}
          - {target: Zwei, from: teil.zwei, required: true}
"""


def test_a_list_has_so_many_members_or_is_set_aside(load: Load) -> None:
    mapping, part = load(PARTS), {"eins": "1", "zwei": "2"}

    assert written(mapping, {"teile": [part, part]})
    for few in ([], [part], None):
        said = refusal(mapping, {"teile": few})
        assert "es sind zu wenige Werte da; erwartet: mindestens 2" in said
        assert "route.teile" in said or "teil" in said.lower()


MEMBER = """\
  - {target: Zeile, each: route.x, as: x, when: x.a, from: x.b}
  - {target: Alles, const: x, otherwise: true}
"""


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ("  - {target: Alles, const: x, otherwise: true}\n", "'otherwise' has no conditions above it"),
        (MEMBER, "'otherwise' has no conditions above it"),
        (OTHERWISE.replace("otherwise: true", "otherwise: true, when: route.b"), "'otherwise' beside 'when'"),
        (CASES.replace(", when: route.a", ""), "a case of 'one_of' asks nothing"),
        (
            CASES.replace("    one_of", "    rules: [{target: A, const: x}]\n    one_of"),
            "a rule needs exactly one origin",
        ),
        ("  - {target: Alles, from: route.a, at_least: 1}\n", "'at_least' counts the members of 'each'"),
        (PARTS.replace("at_least: 2", "at_least: viele"), "'viele' is no count"),
    ],
)
def test_what_makes_no_sense_is_a_finding(lines: Lines, rules: str, found: str) -> None:
    assert any(found in line for line in lines(rules)), lines(rules)


VALUES = st.sampled_from([None, "", "a", "b", "c"])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({"art": VALUES, "a": VALUES, "b": VALUES, "rest": VALUES}), st.booleans())
def test_generated_code_and_interpreter_agree_about_cases(load: Load, route: dict[str, Any], whole: bool) -> None:
    """Whatever is asked: the same bytes, or the record is set aside by both."""
    mapping = load(OTHERWISE + CASES if whole else CASES)
    roots = {"route": {"title": "Fest", **route}}
    try:
        interpreted: bytes | None = XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))
    except RecordError:
        interpreted = None
    with suppress(Declined):
        assert mapping.compiled.write(roots) == interpreted
