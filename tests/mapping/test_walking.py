"""The one way through a mapping's rules, on which check, trial, editor, documentation and drift all stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiezbruecke.drift.answers import read_paths
from kiezbruecke.mapping.bind import bind
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.reading import read_definition
from kiezbruecke.mapping.language.walking import walk
from kiezbruecke.mapping.plan import Plan
from kiezbruecke.mapping.schema.models import record_tree, root_types
from kiezbruecke.records import Proposal

MAPPING = """\
name: in
version: 1
direction: inbound
reads: [test]
source: json
roots: [item]
target: record Proposal
rules:
- {target: title, from: item.title, when: item.open}
- target: documents[2]
  each: item.teile
  as: teil
  rules:
  - {target: name, from: teil.name, required: true}
  - {target: number, from: teil.index, required: true}
- {target: areas, each: item.orte, as: ort, from: ort.kennung, required: true}
"""


@pytest.fixture
def rules(tmp_path: Path) -> tuple[Rule, ...]:
    file = tmp_path / "in/mapping.yaml"
    file.parent.mkdir()
    file.write_text(MAPPING, "utf-8")
    return read_definition(file, "mapping.yaml", "inbound").rules


@pytest.fixture
def plan(rules: tuple[Rule, ...]) -> Plan:
    """Bound to a record that has some of its places only."""
    return bind(rules, record_tree(Proposal, "Proposal"), root_types(("item",)))


def test_rules_are_walked_with_their_whole_paths(rules: tuple[Rule, ...]) -> None:
    """Blocks come before what stands in them; the number is people's, the plain path the schema's."""
    walked = list(walk(rules))

    assert [one.target for one in walked] == [
        "title", "documents[2]", "documents[2]/name", "documents[2]/number", "areas",
    ]  # fmt: skip
    assert [(one.block, one.plain) for one in walked[1:3]] == [("", "documents"), ("documents", "documents/name")]


def test_members_are_read_by_the_path_of_their_list(plan: Plan) -> None:
    """Whoever compares what is read with what is there knows no names of members; a member's number is no field."""
    assert [(one.key, one.path.names, one.index) for one in plan.reads] == [
        ("from", "item.title", False),
        ("when", "item.open", False),
        ("each", "item.teile", False),
        ("from", "item.teile.name", False),
        ("from", "item.teile", True),
        ("each", "item.orte", False),
        ("from", "item.orte.kennung", False),
    ]


def test_drift_sees_what_a_rule_reads_of_its_own_members(plan: Plan) -> None:
    """A rule may go through a list itself: a field that then is missing from its members breaks it."""
    assert read_paths(plan) == {
        ("title",): False,
        ("open",): False,
        ("teile",): False,
        ("teile", "name"): True,
        ("orte",): False,
        ("orte", "kennung"): True,
    }
