"""What a rule reads of a list – which column, and whether case matters – in every way a mapping is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.compile import Declined
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.workbench.doc import fields_of
from tests.mapping.conftest import Load, findings, loading

DATA = Path(__file__).parent / "data"
HEAD = """\
name: out
version: 1
direction: outbound
roots: [route]
target: formen 1 Formen
rules:
"""
COUNTRIES = "from;code;name\nDE;DEU;Deutschland\nAT;AUT;Österreich\n"
BOTH = """\
  - {target: Etwas, from: route.land, codelist: {list: land, column: name}, required: true}
  - {target: Kurz, from: route.land, codelist: {list: land, column: code, fold: false}}
"""
Lines = Callable[[str], list[str]]


@pytest.fixture
def load(content: Path, put: Callable[[str, str], Path]) -> Load:
    put("schemas/formen/1/profile.xsd", (DATA / "formen.xsd").read_text("utf-8"))
    put("mappings/codelists/land.csv", COUNTRIES)
    return loading(content, put, HEAD)


@pytest.fixture
def lines(load: Load, content: Path) -> Lines:
    """The findings about rules; lines count from the first rule."""

    def of(rules: str) -> list[str]:
        found = findings(load, content, rules)
        above = HEAD.count("\n")
        return [
            f"{one.place.line - above}:{one.place.column} {one.code} {one.message}; {one.expected}; {one.helps}"
            for one in found
        ]

    return of


def test_code_and_name_come_out_of_one_list(load: Load, lines: Lines) -> None:
    """And the digest of the mapping changes with that one file."""
    mapping = load(BOTH)

    message = etree.fromstring(mapping.write({"route": {"land": "AT"}}))

    assert lines(BOTH) == []
    assert {etree.QName(one).localname: one.text for one in message} == {"Kurz": "AUT", "Etwas": "Österreich"}
    assert [file.name for file in mapping.files if file.suffix == ".csv"] == ["land.csv"]
    assert [one.codelist for one in mapping.rule_lines] == ["land.name", "land.code"]
    assert [one.done for one in fields_of(mapping)] == [
        "übersetzt nach der Codeliste land, Spalte name",
        "übersetzt nach der Codeliste land, Spalte code, Groß- und Kleinschreibung genau",
    ]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(land=st.sampled_from(["DE", "de", " De ", "AT", "at", "XX", "", None, 1, ["AT"], True]))
def test_generated_code_and_interpreter_read_a_list_alike(load: Load, land: object) -> None:
    """One rule folds, the other does not: `de` has a name, and sets the record aside by its code."""
    mapping, roots = load(BOTH), {"route": {"land": land}}
    try:
        interpreted = XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))
    except RecordError:
        with pytest.raises(Declined):
            mapping.compiled.write(roots)
        assert land not in ("DE", "AT")
        return

    assert mapping.write(roots) == interpreted
    assert land in ("DE", "AT") or land == ["AT"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "{list: land, column: nmae}",
            "1:70 KB-M10 the code list 'land' has no column 'nmae'; code, name; did you mean 'name'?",
        ),
        (
            "land",
            "1:49 KB-M10 the code list 'land' has several columns of values; codelist: {list: land, column: code",
        ),
        ("{list: lnad, column: name}", "1:56 KB-M10 there is no code list 'lnad.csv'; land; did you mean 'land'?"),
        ("{column: name}", "1:49 KB-M03 'codelist' names no list; codelist: {list: name, column: name}; "),
        ("{list: land, colum: name}", "1:62 KB-M02 unknown key 'colum'; list, column, fold; did you mean 'column'?"),
        (
            "{list: land, column: name, fold: ja}",
            "1:82 KB-M03 'ja' is neither true nor false; true or false; ",
        ),
    ],
)
def test_a_slip_in_a_lookup_is_named_where_it_stands(lines: Lines, rule: str, said: str) -> None:
    assert said in "\n".join(lines(f"  - {{target: Etwas, from: route.land, codelist: {rule}}}\n"))


@pytest.mark.parametrize(
    ("lookup", "said"),
    [
        ("{list: land, column: name}", "KB-M22 'DE' and 'de' of the code list 'land' differ in case or blanks only"),
        ("{list: land, column: code}", ""),  # both say the same there
        ("{list: land, column: name, fold: false}", ""),
        ("paar", "KB-M22 'DE' and 'de' of the code list 'paar' differ in case or blanks only"),
    ],
)
def test_two_partners_but_for_their_case_are_told(
    lines: Lines, put: Callable[[str, str], Path], lookup: str, said: str
) -> None:
    """Whoever reads the column must know which is meant; one that is not read does not matter."""
    put("mappings/codelists/land.csv", "from;code;name\nDE;DEU;Deutschland\nde;DEU;deutsch\n")
    put("mappings/codelists/paar.csv", "from;to\nDE;DEU\nde;deu\n")
    found = [one for one in lines(f"  - {{target: Etwas, from: route.land, codelist: {lookup}}}\n") if "differ" in one]

    assert len(found) == bool(said)
    assert said in "".join(found)


def test_the_column_is_judged_by_the_target(lines: Lines) -> None:
    """What stands in another column does not matter."""
    rule = "  - {{target: Land, from: route.land, codelist: {{list: land, column: {}}}}}\n"

    assert any("KB-M10" in one for one in lines(rule.format("name")))


def test_an_inbound_mapping_reads_columns_straight(content: Path, put: Callable[[str, str], Path]) -> None:
    """Records are read by generated code as well, conditions that fold among them."""
    put("mappings/codelists/land.csv", COUNTRIES)
    text = """\
name: ein
version: 1
direction: inbound
reads: [area]
roots: [item]
target: record Area
rules:
  - {target: id, from: item.id, required: true}
  - target: name
    from: item.land
    codelist: {list: land, column: name}
    when: {path: item.art, equals: Land, fold: true}
"""
    put("mappings/inbound/ein/mapping.yaml", text)
    mapping = load_mapping("ein", content)

    assert "folded=True" in mapping.explain()
    record = mapping.read({"id": "1", "land": "at", "art": "LAND"}, {})
    assert record.model_dump()["name"] == "Österreich"
