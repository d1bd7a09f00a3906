"""Known before sending: paths, types, lists, cardinality and mandatory places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import Finding, check

DATA = Path(__file__).parent / "data"
HEAD = (
    "name: out\nversion: 1\ndirection: outbound\n"
    "roots: [case, proposal, decision, message, budget, route]\ntarget: tree 1.0 Leaf\nrules:\n"
)
MUST = '- {target: "@kind", const: k}\n- {target: Title, const: T}\n'
Findings = Callable[..., list[Finding]]


@pytest.fixture
def findings(content: Path, put: Callable[[str, str], Path]) -> Findings:
    """Checks rules for the small schema."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))
    put("mappings/codelists/farben.csv", "from;to\nRED;rot\n")
    put("mappings/codelists/falsch.csv", "from;to\nGREEN;gruen\n")
    put("mappings/codelists/colours.yaml", 'uri: urn:c\nversion: "1"\ncodes: {rot: Rot}\n')

    def of(rules: str, must: str = MUST, head: str = HEAD) -> list[Finding]:
        put("mappings/outbound/out/mapping.yaml", head + must + rules)
        # roots are declared for all of the rules here, and no rule reads all of them: test_mistakes.py looks at that
        return [one for one in check("out", content) if not one.message.startswith("no rule reads")]

    return of


@pytest.mark.parametrize(
    ("rule", "code", "helps"),
    [
        ("{target: Titel, from: route.a}", "KB-M07", "did you mean 'Title'?"),
        ("{target: Title/x, from: route.a}", "KB-M07", ""),
        ("{target: Field, from: route.a}", "KB-M07", ""),
        ("{target: Colour, rules: [{target: x, from: route.a}]}", "KB-M07", ""),
        ("{target: plain, from: proposal.titel}", "KB-M08", "did you mean 'title'?"),
        ("{target: plain, from: propsal.title}", "KB-M08", "did you mean 'proposal'?"),
        ("{target: plain, from: area.name}", "KB-M08", "name it under roots"),
        ("{target: plain, from: proposal.title.x}", "KB-M08", ""),
        ("{target: Mail, from: route.a, when: case.refrence}", "KB-M08", "did you mean 'reference'?"),
        ("{target: Mail, from: route.a, steps: [trimm]}", "KB-M09", "did you mean 'trim'?"),
        ("{target: Mail, from: route.a, steps: [clip]}", "KB-M09", ""),
        ("{target: Mail, from: route.a, steps: [{clip: x}]}", "KB-M09", ""),
        ("{target: Mail, from: route.a, steps: [{trim: 2}]}", "KB-M09", ""),
        ("{target: Mail, from: proposal.labels, steps: [trim]}", "KB-M09", ""),
        ("{target: Colour, from: route.a, codelist: farbe}", "KB-M10", "did you mean 'farben'?"),
        ("{target: Colour, from: route.a, codelist: falsch}", "KB-M10", ""),
        ("{target: Colour, code: {list: colour, value: rot}}", "KB-M10", "did you mean 'colours'?"),
        ("{target: Colour, code: {list: colours, value: rott}}", "KB-M10", "did you mean 'rot'?"),
        ('{target: "Title[2]", const: x}', "KB-M11", ""),
        ("{target: Title, const: x}", "KB-M11", "give both a 'when', or number the targets: X[2]"),
        ("{target: Mail, from: proposal.labels}", "KB-M11", "steps: [{join: ', '}], or each"),
        (
            "{target: plain, each: case.documents, as: one, from: one.title, steps: [{clip: 9}]}",
            "KB-M11",
            "put 'each' on a block",
        ),
        ("{target: Leaf, rules: [{target: Title, from: route.a}]}", "KB-M12", ""),
        ("{target: Field/Value, from: route.a}", "KB-M12", ""),
        ("{target: Field/Name, from: proposal.url}", "", ""),
        ("{target: Day, from: proposal.title}", "KB-M14", ""),
        ("{target: Day, from: message.created_at}", "KB-M14", ""),
        ("{target: Share, from: decision.approved_amount}", "KB-M14", ""),
        ("{target: Sum, from: budget.amount}", "", ""),
        ("{target: Sum, from: budget.fiscal_year}", "", ""),
        ("{target: Day, from: route.day}", "", ""),
        ("{target: plain, const: elf Zeichen!}", "KB-M14", ""),
        ("{target: Colour, from: route.a, default: gelb}", "KB-M14", ""),
        ("{target: Mail, from: case}", "KB-M14", ""),
        ("{target: Tag, each: proposal.title, as: one, from: one, steps: [{clip: 9}]}", "KB-M14", ""),
        ("{target: Field, each: proposal.labels, as: one, rules: [{target: Name, from: one}]}", "", ""),
        ("{target: Field, each: proposal.labels, as: one, rules: [{target: Name, from: one.index}]}", "", ""),
        ("{target: Field, each: case.documents, as: one, rules: [{target: Name, from: one.index}]}", "", ""),
        ("{target: Field, each: case.documents, as: case, rules: [{target: Name, from: case.index}]}", "KB-M03", ""),
        ("{target: Tag, each: case.documents, as: one, from: one.index}", "KB-M11", "one rule for each that is wanted"),
        ("{target: Tag, from: proposal.labels}", "KB-M11", "one rule for each that is wanted"),
        ("{target: Tag, from: proposal.labels, steps: [first, {clip: 10}]}", "", ""),
        ("{target: Tag, each: route.x, as: one, from: one.a.b, steps: [{clip: 10}]}", "", ""),
        ("{target: plain, from: route.a, steps: [{clip: 20}]}", "KB-M14", ""),
        ("{target: Field, rules: [{target: Name, const: A}]}", "KB-M15", "give one of them a source"),
        ("{target: plain, const: x, when: message.test}", "KB-M16", "when: {path: …, equals: true}"),
    ],
)
def test_a_rule_is_checked_before_anything_is_sent(findings: Findings, rule: str, code: str, helps: str) -> None:
    """Every finding has a stable code, and where it can a hint that helps."""
    found = findings(f"- {rule}\n")

    assert [one.code for one in found] == ([code] if code else []), [one.line() for one in found]
    assert all(one.helps.startswith(helps) for one in found)
    assert all(one.place.line == 9 for one in found)


def test_mandatory_places_without_a_rule_are_named(findings: Findings) -> None:
    """The commonest mistake, found at the desk and not by the receiver."""
    found = findings("", must="- {target: plain, from: route.a}\n")

    assert {(one.code, one.rule) for one in found} == {("KB-M12", "@kind"), ("KB-M12", "Title")}
    assert {str(one.place) for one in found} == {"mappings/outbound/out/mapping.yaml:7:1"}


def test_a_parent_that_no_rule_opens_needs_nothing(findings: Findings) -> None:
    """`Field/Name` is mandatory only where there is a Field."""
    assert findings("") == []


def test_a_source_that_may_be_empty_is_a_warning_at_a_mandatory_place(findings: Findings) -> None:
    """A paper proposal has no platform's title; then every such message would be set aside."""
    must = '- {target: "@kind", const: k}\n- {target: Title, from: proposal.title%s}\n'
    warned = findings("", must=must % "")

    assert [(one.code, one.severity) for one in warned] == [("KB-M13", "warning")]
    assert findings("", must=must % ", required: true") == []
    assert findings("", must=must % ", default: ohne Titel") == []


def test_conditions_allow_two_rules_for_one_place(findings: Findings) -> None:
    """The effect decides which constant is written."""
    rule = "- {target: Colour, const: rot, when: {path: message.effect, equals: %s}}\n"

    assert findings(rule % "a" + rule % "b") == []


def test_a_choice_needs_one_of_its_branches(content: Path, put: Callable[[str, str], Path], findings: Findings) -> None:
    """A mandatory choice is a mandatory place too."""
    schema = (DATA / "tree.xsd").read_text("utf-8").replace('<xs:choice minOccurs="0">', "<xs:choice>")
    findings("")
    put("schemas/tree/1.0/profile.xsd", schema)

    found = [one for one in check("out", content) if one.code == "KB-M12"]

    assert [one.message for one in found] == ["no rule for one of Mail, Phone"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("tree 1.0 Laef", "tree 1.0 has no root element 'Laef'"),
        ("tree 2.0 Leaf", ""),
        ("record Propsal", "there is no record 'Propsal'"),
        ("table nichts", "there is no table 'nichts'"),
        ("tree ../../x Leaf", "'tree ../../x Leaf' is no target"),
        ("record Area", "an outbound mapping does not make this"),
    ],
)
def test_an_unknown_target_is_named_where_it_stands(findings: Findings, target: str, said: str) -> None:
    """The header is checked like the rules."""
    found = findings("", head=HEAD.replace("tree 1.0 Leaf", target))[0]

    assert (found.code, found.place.line) == ("KB-M06", 5)
    assert said in found.message


def test_a_finding_is_machine_readable(findings: Findings) -> None:
    """Editors and CI want fields, not sentences."""
    found = findings("- {target: Titel, from: route.a}\n")[0].as_dict()

    assert found["file"] == "mappings/outbound/out/mapping.yaml"
    assert (found["line"], found["column"], found["severity"]) == (9, 12, "error")
    assert set(found) == {"file", "line", "column", "rule", "code", "severity", "message", "expected", "helps"}
