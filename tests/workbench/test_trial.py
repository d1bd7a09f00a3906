"""Thousands of invented records: each becomes a valid message or is set aside with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.main import app
from kiezbruecke.mapping import load_mapping
from kiezbruecke.workbench.examples import find_examples, read_roots
from kiezbruecke.workbench.trial import invent, try_mapping

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


@pytest.mark.parametrize("name", WRITING)
def test_every_record_is_valid_or_set_aside_with_a_reason(root: Path, name: str) -> None:
    """Nothing is written that the schema refuses, and the engine never fails."""
    mapping = load_mapping(name, root)
    example = find_examples(name, root)[0]
    done = try_mapping(mapping, root, read_roots(mapping, root, example), records=1500, seed=7)

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


def test_what_the_schema_refuses_after_writing_is_found(tmp_path: Path) -> None:
    """Uniqueness is nothing a rule can see beforehand: the trial shows that such records will be refused at the end."""
    for file, text in {
        "schemas/liste/1/profile.xsd": UNIQUE,
        "mappings/outbound/liste/mapping.yaml": LIST,
        "mappings/outbound/liste/examples/full/input.yaml": "route: {words: [a, b]}\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, "utf-8")
    (tmp_path / "mappings/routes").mkdir()
    told = CliRunner().invoke(app, ["mapping", "try", "liste", "--content", str(tmp_path), "--records", "60", "--json"])

    assert told.exit_code == 1, told.output
    (row,) = json.loads(told.output)
    assert row["records"] == 60
    assert row["invalid"]
    assert "'a'" not in told.output
