"""Thousands of invented records: each becomes a valid message or is set aside with a reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.main import app
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import Decision
from kiezbruecke.workbench.examples import find_examples, read_roots
from kiezbruecke.workbench.trial import Trial, invent, try_mapping

WRITING = ("case-xdomea-0401", "commitment-hkr", "case-statusliste")
UNIQUE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="Root"><xs:complexType><xs:sequence>
    <xs:element name="Wort" type="xs:string" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType>
  <xs:unique name="einmal"><xs:selector xpath="Wort"/><xs:field xpath="."/></xs:unique></xs:element>
</xs:schema>"""
LIST = """name: liste
version: 1
direction: outbound
roots: [route]
target: liste 1 Root
rules:
  - {target: Wort, from: route.words, required: true}
"""


CHOICE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="Root"><xs:complexType><xs:sequence>
    <xs:choice><xs:element name="Gebiet" type="xs:string"/><xs:element name="Landesweit" type="xs:string"/></xs:choice>
    <xs:element name="Art" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
WORDS = """name: liste
version: 1
direction: outbound
roots: [decision, route]
target: liste 1 Root
rules:
  - {target: Gebiet, const: a, when: {path: decision.outcome, equals: accepted}}
  - {target: Landesweit, const: b, when: {path: decision.outcome, equals: rejected}}
  - {target: Art, from: route.kind, codelist: arten, when: {path: decision.correction, equals: "false"}}
"""


def _content(folder: Path, schema: str, mapping: str, example: str) -> Path:
    for file, text in {
        "schemas/liste/1/profile.xsd": schema,
        "mappings/codelists/arten.csv": "from;to\neins;1\nzwei;2\ndrei;3\n",
        "mappings/outbound/liste/mapping.yaml": mapping,
        "mappings/outbound/liste/examples/full/input.yaml": example,
    }.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, "utf-8")
    (folder / "mappings/routes").mkdir()
    return folder


def test_every_word_has_its_turn(tmp_path: Path) -> None:
    """A word that no rule knows leaves a mandatory place empty, and chance alone seldom meets it."""
    example = "route: {kind: eins}\ndecision: {outcome: accepted, correction: false}\n"
    content = _content(tmp_path, CHOICE, WORDS, example)
    mapping = load_mapping("liste", content)
    roots = read_roots(mapping, content, find_examples("liste", content)[0])
    made = list(invent(mapping, roots, records=60, seed=1))
    done = try_mapping(mapping, roots, records=60)

    assert len(made) == 60
    assert {one["decision"]["outcome"] for one in made} >= set(get_args(Decision.model_fields["outcome"].annotation))
    assert {one["decision"]["correction"] for one in made} >= {True, False}
    assert {one["route"]["kind"] for one in made} >= {"eins", "zwei", "drei"}
    assert any("eine Pflichtangabe fehlt" in reason for reason in done.set_aside)


def test_what_may_be_missing_is_missing_in_some_record(root: Path) -> None:
    """A field that is empty, a proposal that stands on paper only."""
    mapping = load_mapping("case-xdomea-0401", root)
    made = list(invent(mapping, read_roots(mapping, root, find_examples(mapping.name, root)[0]), records=60, seed=1))

    assert any("proposal" not in one for one in made)
    assert any("proposal" in one and not one["proposal"].url for one in made)


@pytest.mark.parametrize("name", WRITING)
def test_every_record_is_valid_or_set_aside_with_a_reason(root: Path, name: str) -> None:
    """Nothing is written that the schema refuses, and the engine never fails."""
    mapping = load_mapping(name, root)
    example = find_examples(name, root)[0]
    done = try_mapping(mapping, read_roots(mapping, root, example), records=1500, seed=7)

    assert not done.invalid
    assert done.passed
    assert done.valid > done.records / 3
    assert all("mapping.yaml:" in reason for reason in done.set_aside)
    if mapping.goal.kind == "standard":
        assert done.straight > 0.9 * done.valid, "the compiled form declines too often"


def test_the_same_seed_gives_the_same_records(root: Path) -> None:
    """What a trial found must be found again after mending."""
    mapping = load_mapping("commitment-hkr", root)
    roots = read_roots(mapping, root, find_examples(mapping.name, root)[0])
    first, again, other = ([repr(one) for one in invent(mapping, roots, records=50, seed=seed)] for seed in (3, 3, 4))

    assert first == again
    assert first != other


def test_a_trial_in_which_nothing_could_be_written_has_failed() -> None:
    """A reason for each of a thousand records is one mistake in the mapping."""
    assert not Trial(2, set_aside=Counter({"m.yaml:3": 2})).passed
    assert Trial(2, valid=1, set_aside=Counter({"m.yaml:3": 1})).passed


def test_what_the_schema_refuses_after_writing_is_set_aside_with_its_rule(tmp_path: Path) -> None:
    """Uniqueness is nothing a rule can see beforehand; the record is set aside all the same, as in a run."""
    _content(tmp_path, UNIQUE, LIST, "route: {words: [a, b]}\n")
    told = CliRunner().invoke(app, ["mapping", "try", "liste", "--content", str(tmp_path), "--records", "60", "--json"])

    assert told.exit_code == 0, told.output
    (row,) = json.loads(told.output)
    assert row["records"] == row["valid"] + sum(row["set_aside"].values()) == 60
    told_twice = "mapping.yaml:7: 'Wort' (Quelle: route.words): der Wert steht doppelt"
    assert any(told_twice in why for why in row["set_aside"])
    assert not row["invalid"]
    assert "'a'" not in told.output
