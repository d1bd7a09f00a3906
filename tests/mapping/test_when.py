"""What a condition may ask: presence, one of some texts, and the contrary of both – in every way a mapping is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.mapping.check.conditions import exclude
from kiezbruecke.mapping.interpret.interpreter import holds
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.mapping.language.definition import When
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.paths import SourcePath

DATA = Path(__file__).parent / "data"
HEAD = """\
name: out
version: 1
direction: outbound
roots: [case, route, budget, message]
target: formen 1 Formen
rules:
  - {target: Etwas, from: route.title}
"""
ALONE = HEAD.replace("case, route, budget, message", "route")  # the others are records, and none is given
Run = Callable[[str, dict[str, Any]], str]


@pytest.fixture
def forms(put: Callable[[str, str], Path]) -> None:
    put("schemas/formen/1/profile.xsd", (DATA / "formen.xsd").read_text("utf-8"))


@pytest.fixture
def run(forms: None, content: Path, put: Callable[[str, str], Path]) -> Run:
    """What stands at a place: by the generated code, with which the interpreter must agree."""

    def of(when: str, route: dict[str, Any]) -> str:
        put("mappings/outbound/out/mapping.yaml", f"{ALONE}  - {{target: Alles, const: da, when: {when}}}\n")
        mapping = load_mapping("out", content)
        roots = {"route": {"title": "Fest", **route}}
        interpreted = XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))
        assert mapping.compiled.write(roots) == interpreted == mapping.write(roots)
        return etree.fromstring(interpreted).findtext("{*}Alles", "")

    return of


@pytest.mark.parametrize(
    ("when", "speaks"),
    [
        ("route.art", {"a", "b", "c"}),
        ("{path: route.art, missing: true}", {None, ""}),
        ("{path: route.art, equals: a}", {"a"}),
        ("{path: route.art, equals: [a, b]}", {"a", "b"}),
        ("{path: route.art, not_equals: a}", {"b", "c", None, ""}),
        ("{path: route.art, not_equals: [a, b]}", {"c", None, ""}),
        ("{path: route.art, equals: [A, ' B ']}", set()),
        ("{path: route.art, equals: [A, ' B '], fold: true}", {"a", "b"}),
        ("{path: route.art, not_equals: A, fold: true}", {"b", "c", None, ""}),
        ("{path: route.art, equals: A, fold: false}", set()),
    ],
)
@pytest.mark.parametrize("value", ["a", "b", "c", "", None])
def test_a_condition_holds_as_its_words_say(run: Run, when: str, speaks: set[str | None], value: str | None) -> None:
    """What is missing equals nothing."""
    route = {} if value is None else {"art": value}

    assert run(when, route) == ("da" if value in speaks else "")


@pytest.fixture
def lines(forms: None, content: Path, put: Callable[[str, str], Path]) -> Callable[[str], list[str]]:
    """The findings about rules, in one line each."""

    def of(rules: str) -> list[str]:
        put("mappings/outbound/out/mapping.yaml", f"{HEAD}{rules}")
        found = [one for one in check_mapping("out", content) if not one.message.startswith("no rule reads")]
        return [f"{one.code} {one.severity} {one.message}" for one in found]

    return of


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ("{path: route.art, equals: a, missing: true}", "KB-M03 error 'when' asks for one thing about one path"),
        ("{path: route.art}", "KB-M03 error 'when' asks for one thing about one path"),
        ("{path: route.art, missing: false}", "KB-M03 error 'missing' says nothing but true"),
        ("{path: route.art, equals: [a, a]}", "KB-M03 error 'a' stands twice under 'equals'"),
        ("{path: case.title, missing: true}", "KB-M16 error 'case.title' is never missing"),
        ("{path: budget.status, not_equals: [planned, frei]}", "KB-M16 error 'budget.status' is never 'frei'"),
        ("{path: budget.status, equals: [planned, frei]}", "KB-M16 error 'budget.status' is never 'frei'"),
        ("{path: budget.status, equals: [PLANNED, Frei], fold: true}", "KB-M16 error 'budget.status' is never 'Frei'"),
        ("{path: budget.status, equals: PLANNED}", "KB-M16 error 'budget.status' is never 'PLANNED'"),
        (
            "{path: route.art, equals: [Amt, b, amt], fold: true}",
            "KB-M16 error 'Amt' and 'amt' are the same text under 'fold'",
        ),
        (
            "{path: budget.status, not_equals: [planned, Planned], fold: true}",
            "KB-M16 error 'planned' and 'Planned' are the same text under 'fold'",
        ),
        ("{path: route.art, missing: true, fold: true}", "KB-M03 error 'fold' is about texts"),
        ("{path: route.art, equals: a, fold: ja}", "KB-M03 error 'ja' is neither true nor false"),
        ("{path: route.art, equals: a, flod: true}", "KB-M02 error unknown key 'flod'"),
    ],
)
def test_a_condition_that_means_nothing_is_a_finding(lines: Callable[[str], list[str]], when: str, found: str) -> None:
    assert found in lines(f"  - {{target: Alles, const: da, when: {when}}}\n")


@pytest.mark.parametrize(
    ("one", "other", "clear"),
    [
        ("route.art", "{path: route.art, missing: true}", True),
        ("{path: route.art, equals: [a, b]}", "{path: route.art, not_equals: [a, b]}", True),
        ("{path: route.art, equals: [a, b]}", "{path: route.art, not_equals: a}", False),
        ("{path: route.art, equals: [a, b]}", "{path: route.art, equals: [b, c]}", False),
        ("{path: route.art, equals: a}", "{path: route.art, missing: true}", True),
        ("{path: route.art, not_equals: a}", "{path: route.art, missing: true}", False),
        ("{path: route.art, equals: a}", "{path: route.other, missing: true}", False),
        ("{path: route.art, equals: a, fold: true}", "{path: route.art, not_equals: A, fold: true}", True),
        ("{path: route.art, equals: a, fold: true}", "{path: route.art, equals: [b, C], fold: true}", True),
        ("{path: route.art, equals: a, fold: true}", "{path: route.art, equals: A}", False),
        ("{path: route.art, equals: a, fold: true}", "{path: route.art, not_equals: a}", False),
        ("{path: route.art, equals: a}", "{path: route.art, not_equals: A, fold: true}", True),
    ],
)
def test_two_rules_for_one_place_exclude_each_other(
    lines: Callable[[str], list[str]], one: str, other: str, clear: bool
) -> None:
    """Else some record gives two values for one place, and is set aside on that day."""
    found = lines(f"  - {{target: Alles, const: a, when: {one}}}\n  - {{target: Alles, const: b, when: {other}}}\n")

    assert [line for line in found if line.startswith("KB-M11")] == (
        [] if clear else ["KB-M11 warning a second rule for 'Alles', and both conditions may be met"]
    )


def test_a_word_in_another_case_is_one_that_the_source_may_hold(lines: Callable[[str], list[str]]) -> None:
    """An enumeration knows its words in one case; with `fold` they may be asked for in any."""
    rule = "  - {target: Alles, const: da, when: {path: budget.status, equals: PLANNED, fold: true}}\n"

    assert lines(rule) == []


ASKED = st.builds(
    When,
    path=st.just(SourcePath.parse("route.art")),
    texts=st.lists(st.sampled_from(["a", "A", "b", "a  b", "true"]), max_size=2, unique=True).map(tuple),
    place=st.just(Place("mapping.yaml")),
    negated=st.booleans(),
    fold=st.booleans(),
)


@given(
    one=ASKED,
    other=ASKED,
    value=st.sampled_from(["a", "A", " a ", "b", "B", "A B", "a  b", "true", "TRUE", "c", "", None]),
)
def test_what_is_said_to_exclude_each_other_never_meets(one: When, other: When, value: str | None) -> None:
    """The check reckons with texts, the interpreter with values; where it is sure, no value proves it wrong."""
    both = all(holds(when, {"route": {"art": value}}) for when in (one, other))

    assert not (both and exclude([one], [other]))


def test_a_value_without_a_text_is_no_answer_to_not_equals(run: Run) -> None:
    """A list is not one text, and guessing would be wrong both ways."""
    with pytest.raises(KiezbrueckeError, match="mehrere Werte"):
        run("{path: route.art, not_equals: a}", {"art": ["a", "b"]})
