"""Which rule gave which value: the trace says it, the seal keeps it without the values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.lineage import Trace, matches, opened, seal
from kiezbruecke.workbench.examples import find_examples, read_roots

ROOT = Path(__file__).parents[2]
OUTBOUND = sorted(file.parent.name for file in (ROOT / "mappings/outbound").glob("*/mapping.yaml"))
TRACES = st.lists(st.tuples(st.integers(1, 90_000), st.text(max_size=30)), max_size=20).map(tuple)


@pytest.mark.parametrize("name", OUTBOUND)
def test_a_traced_message_has_the_same_bytes_and_every_text_stands_in_it(name: str) -> None:
    """A trace that told of another message would be worse than none."""
    mapping, count = load_mapping(name, ROOT), 0
    for example in find_examples(name, ROOT):
        roots = read_roots(mapping, ROOT, example)
        try:
            payload, trace = mapping.write_traced(roots)
        except RecordError:
            continue
        count += len(trace)

        assert payload == mapping.write(roots)
        said = _as_text(payload)
        for number, text in trace:
            assert 1 <= number <= len(mapping.rule_lines)
            as_xml = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            assert as_xml in said or text.replace('"', '""') in said  # the latter in a table
    assert count > 5


def _as_text(payload: bytes) -> str:
    """Fixed-length records are in ISO-8859-15, everything else in UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("iso-8859-15")


def test_the_number_of_a_rule_leads_to_its_line() -> None:
    """Whoever reads number 9 in the ledger must find the rule in the file."""
    mapping = load_mapping("commitment-hkr", ROOT)
    lines = (ROOT / mapping.file).read_text("utf-8").splitlines()
    roots = read_roots(mapping, ROOT, find_examples("commitment-hkr", ROOT)[0])

    for one in mapping.lineage_of(roots):
        meant = mapping.rule_lines[one.rule - 1]
        assert (meant.rule, meant.target) == (one.rule, one.target)
        assert f"target: {meant.target}" in lines[meant.line - 1]


SAYS = """\
name: gruppe
version: 1
direction: outbound
roots: [route]
target: formen 1 Formen
rules:
  - target: Wahl
    one_of:
      - {target: A, from: route.a, when: route.a}
      - {target: B, from: route.b, otherwise: true}
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
  - {target: Etwas, from: route.etwas, nil: true}
"""


def test_what_sets_a_record_aside_stands_in_the_list(content: Path) -> None:
    """How many members there must be, and that one case must apply; blocks that say nothing are left out."""
    schema = (ROOT / "tests/mapping/data/formen.xsd").read_text("utf-8")
    schema = schema.replace('element name="Etwas"', 'element name="Etwas" nillable="true"')
    for place, text in (("schemas/formen/1/profile.xsd", schema), ("mappings/outbound/gruppe/mapping.yaml", SAYS)):
        (content / place).parent.mkdir(parents=True)
        (content / place).write_text(text, "utf-8")
    said = CliRunner().invoke(app, ["lineage", "gruppe", "--content", str(content)], env={"COLUMNS": "200"})
    rules = json.loads(CliRunner().invoke(app, ["lineage", "gruppe", "--json", "--content", str(content)]).output)

    assert said.exit_code == 0, said.output
    assert "exactly one of its cases" in said.output
    assert "at least 2 of route.teile" in said.output
    assert "nil where there is nothing" in said.output
    assert [one["target"] for one in rules if one["nil"]] == ["Etwas"]
    assert [(one["target"], one["at_least"], one["one_of"]) for one in rules if one["block"]] == [
        ("Wahl", 0, True),
        ("Gruppe/Teil", 2, False),
    ]


def test_blocks_count_in_the_numbering() -> None:
    """One rule, one number, in the file's order: people count from the top."""
    rules = load_mapping("case-xdomea-0401", ROOT).plan.rules

    assert [one.number for one in rules] == list(range(1, len(rules) + 1))
    assert [one.rule.place for one in rules] == sorted(one.rule.place for one in rules)
    assert any(one.rule.rules for one in rules)


@given(TRACES, st.binary(max_size=200))
def test_a_sealed_trace_matches_its_own_texts(trace: Trace, payload: bytes) -> None:
    """Whoever holds the bytes can verify every value."""
    sealed = seal(trace, payload)

    assert [number for number, _ in opened(sealed)] == [number for number, _ in trace]
    assert matches(sealed, payload, lambda _: {text for _, text in trace}) == [(number, True) for number, _ in trace]


@given(TRACES, st.binary(max_size=200))
def test_without_the_bytes_nothing_can_be_tried(trace: Trace, payload: bytes) -> None:
    """Once the bytes are erased, the hashes say nothing: not even whoever knows the text finds it."""
    sealed = seal(trace, payload)

    assert not any(held for _, held in matches(sealed, b"erased", lambda _: {text for _, text in trace}) if trace)


def test_another_text_or_another_rule_does_not_match() -> None:
    """The hash knows both."""
    sealed = seal(((3, "850.00"),), b"<a/>")

    assert matches(sealed, b"<a/>", lambda _: ["850.01"]) == [(3, False)]
    assert opened(sealed)[0][1] != opened(seal(((4, "850.00"),), b"<a/>"))[0][1]


def test_what_is_no_seal_is_refused() -> None:
    """Half a seal is a broken ledger, not a shorter message."""
    with pytest.raises(ValueError, match="not a sealed trace"):
        opened(b"12345")
