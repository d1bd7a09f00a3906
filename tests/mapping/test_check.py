"""Known before sending: paths, types, lists, cardinality and mandatory places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import Finding, check_mapping

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
        return [one for one in check_mapping("out", content) if not one.message.startswith("no rule reads")]

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

    found = [one for one in check_mapping("out", content) if one.code == "KB-M12"]

    assert [one.message for one in found] == ["no rule for one of Mail, Phone"]


def test_a_choice_is_made_by_a_rule_though_its_branches_need_nothing(
    content: Path, put: Callable[[str, str], Path]
) -> None:
    """The writer chooses no branch by itself (camt.055: Assgnr); a type that needs itself has no end."""
    put(
        "schemas/e/1/profile.xsd",
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
          <xs:complexType name="P"><xs:sequence><xs:element name="N" minOccurs="0"/></xs:sequence></xs:complexType>
          <xs:complexType name="E"><xs:sequence><xs:element name="Again" type="E"/></xs:sequence></xs:complexType>
          <xs:element name="Root"><xs:complexType><xs:sequence>
            <xs:element name="T" type="xs:string"/>
            <xs:element name="Who"><xs:complexType><xs:choice>
              <xs:element name="Pty" type="P"/><xs:element name="Agt" type="P"/><xs:element name="End" type="E"/>
            </xs:choice></xs:complexType></xs:element>
          </xs:sequence></xs:complexType></xs:element>
        </xs:schema>""",
    )
    head = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: e 1 Root\n"
    put("mappings/outbound/m/mapping.yaml", f"{head}rules:\n- {{target: T, from: route.t}}\n")

    [finding] = check_mapping("m", content)

    assert finding.code == "KB-M12"
    assert "no rule fills the mandatory 'Who'" in finding.message


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


@pytest.fixture
def choices(content: Path, put: Callable[[str, str], Path], findings: Findings) -> Findings:
    """Checks rules for the small schema, in which one of Mail and Phone is mandatory, and so are two Tags."""
    schema = (DATA / "tree.xsd").read_text("utf-8").replace('<xs:choice minOccurs="0">', "<xs:choice>")
    schema = schema.replace('type="t:Short" minOccurs="0" maxOccurs="3"', 'type="t:Short" minOccurs="2" maxOccurs="3"')
    findings("")
    put("schemas/tree/1.0/profile.xsd", schema)

    def of(rules: str) -> list[Finding]:
        tags = "" if "Tag" in rules else "- {target: Tag, const: a}\n- {target: 'Tag[2]', const: b}\n"
        return findings(rules + tags)

    return of


@pytest.mark.parametrize(
    ("mail", "phone", "severity"),
    [
        ('{path: decision.correction, equals: "true"}', '{path: decision.correction, equals: "1"}', "error"),
        ("case.documents", "case.documents", "error"),
        ("case.documents", "proposal.url", "warning"),
        ("{path: message.effect, equals: a}", "case.documents", "warning"),
    ],
)
def test_branches_under_conditions_that_may_hold_together_are_not_kept_apart(
    findings: Findings, mail: str, phone: str, severity: str
) -> None:
    """The same question twice is no choice; a receiver refuses a message with both."""
    found = findings(f"- {{target: Mail, const: m, when: {mail}}}\n- {{target: Phone, const: p, when: {phone}}}\n")

    assert [(one.code, one.severity, one.place.line) for one in found] == [("KB-M17", severity, 10)]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            (
                "- {target: Mail, const: m, when: {path: budget.status, equals: planned}}\n"
                "- {target: Phone, const: p, when: {path: budget.status, equals: blocked}}\n"
            ),
            "where 'budget.status' is 'released'",
        ),
        ("- {target: Mail, const: m, when: {path: message.test, equals: 'true'}}\n", "where 'message.test' is 'false'"),
        ("- {target: Mail, const: m, when: proposal.url}\n", "where 'proposal.url' is missing"),
        ("- {target: Mail, from: proposal.url}\n", "where 'proposal.url' is missing"),
        ("- {target: Mail, const: m, when: {path: message.effect, equals: a}}\n", "'message.effect' is anything else"),
    ],
)
def test_a_mandatory_choice_that_may_stay_empty_is_a_warning(choices: Findings, rules: str, said: str) -> None:
    """The message for the other words would be set aside, and its error does not name the cause."""
    found = choices(rules)

    assert [(one.code, one.severity) for one in found] == [("KB-M13", "warning")], [one.line() for one in found]
    assert said in found[0].message


EACH_NAME = "- {{target: Gemeinde/Name, each: case.documents, as: one, {}from: one.title}}\n"
GEMEINDE = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="E"><xs:complexType><xs:sequence>'
    '<xs:element name="Gemeinde"><xs:complexType><xs:sequence><xs:element name="Name" type="xs:string" minOccurs="0" '
    'maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element><xs:element name="Marke"><xs:complexType/>'
    '</xs:element><xs:element name="A" type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", ("KB-M12", "no rule fills the mandatory 'Gemeinde'")),
        ("- {target: Gemeinde/Name, from: proposal.url}\n", ("KB-M13", "everything in it may be empty")),
        ("- {target: Gemeinde/Name, from: proposal.url, required: true}\n", None),
        ("- {target: Gemeinde/Name, const: Treptow}\n", None),
        (EACH_NAME.format(""), ("KB-M13", "everything in it may be empty")),
        (EACH_NAME.format("at_least: 1, "), None),
    ],
)
def test_a_mandatory_block_is_not_written_empty(
    content: Path, put: Callable[[str, str], Path], rule: str, said: tuple[str, str] | None
) -> None:
    """`<Gemeinde/>` would be valid; a type that can hold nothing is written by itself."""
    put("schemas/e/1/profile.xsd", GEMEINDE)
    head = "name: m\nversion: 1\ndirection: outbound\nroots: [case, proposal]\ntarget: e 1 E\nrules:\n"
    put("mappings/outbound/m/mapping.yaml", f"{head}- {{target: A, from: case.title}}\n{rule}")
    found = [one for one in check_mapping("m", content) if not one.message.startswith("no rule reads")]

    assert [one.code for one in found] == ([said[0]] if said else [])
    assert all(said and said[1] in one.message for one in found)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            (
                "- {target: Mail, const: m, when: {path: budget.status, equals: planned}}\n"
                "- {target: Phone, const: p, when: {path: budget.status, equals: blocked}}\n"
            ),
            "for one of Mail, Phone where 'budget.status' is 'released'",
        ),
        (
            (
                "- {target: plain, const: m, when: {path: budget.status, equals: planned}}\n"
                "- {target: plain, const: p, when: {path: budget.status, equals: released}}\n"
            ),
            "for 'plain' where 'budget.status' is 'blocked'",
        ),
        ("- {target: plain, const: m, when: {path: budget.status, equals: planned}}\n", ""),
        (
            (
                "- {target: plain, const: m, when: {path: message.effect, equals: a}}\n"
                "- {target: plain, const: p, when: {path: message.effect, equals: b}}\n"
            ),
            "",
        ),
    ],
)
def test_a_known_word_that_no_branch_is_for_is_a_warning(findings: Findings, rules: str, said: str) -> None:
    """Two of four words have a branch: somebody forgot the others. One alone is meant, and free texts nobody knows."""
    found = findings(rules)

    assert [(one.code, one.severity) for one in found] == ([("KB-M25", "warning")] if said else [])
    assert all(said in one.message and one.rule for one in found)


@pytest.mark.parametrize(
    "rules",
    [
        "- {target: Mail, from: case.title}\n",
        "- {target: Mail, from: proposal.url, required: true}\n",
        "- {target: Mail, from: proposal.url, default: keine}\n",
        (
            "- {target: Mail, const: m, when: {path: message.test, equals: 'true'}}\n"
            "- {target: Phone, const: p, when: {path: message.test, equals: 'false'}}\n"
        ),
        "".join(
            f"- {{target: {target}, const: m, when: {{path: budget.status, equals: {word}}}}}\n"
            for word, target in zip(
                ("planned", "released", "blocked", "revoked"), ("Mail", "Phone", "Mail", "Phone"), strict=True
            )
        ),
    ],
)
def test_a_mandatory_choice_with_a_branch_for_every_case_has_no_finding(choices: Findings, rules: str) -> None:
    """Every known word of the source has its branch."""
    assert [one.line() for one in choices(rules)] == []


def test_a_list_that_may_be_shorter_than_the_schema_wants_is_a_warning(choices: Findings) -> None:
    """One document is one too few here, and the error at run time would name no rule."""
    rule = "- {target: Tag, each: case.documents, as: one, from: one.title, steps: [{clip: 9}]}\n"
    found = [one for one in choices(f"- {{target: Mail, const: m}}\n{rule}") if one.code == "KB-M13"]

    assert [one.severity for one in found] == ["warning"]
    assert "'Tag' must stand 2 times, but 'case.documents' may hold fewer" in found[0].message
    assert found[0].place.line == 10


@pytest.mark.parametrize(
    ("rule", "code", "severity", "said"),
    [
        ('{target: plain, from: "message.effect[2]"}', "KB-M08", "error", "'message.effect' is no list"),
        ('{target: plain, const: x, when: "proposal.url[2]"}', "KB-M08", "error", "'proposal.url' is no list"),
        ("{target: Sum, from: budget.amount, steps: [cents]}", "KB-M14", "warning", "'cents' writes 85000"),
        ("{target: Version, from: case.title}", "KB-M14", "warning", "fixes 'Version' to '1'"),
        ("{target: Pin, from: message.number}", "KB-M14", "error", "such as '1', '12' does not fit 'Pin'"),
        ("{target: Colour, from: case.id, code: {list: colours}}", "KB-M22", "error", "'case.id' is a UUID"),
        ("{target: Colour, from: case.id, codelist: farben}", "KB-M22", "error", "a UUID has no partner"),
        (
            "{target: Colour, from: message.number, codelist: farben}",
            "KB-M22",
            "error",
            "a whole number has no partner",
        ),
        ("{target: Mail, from: case.id, steps: [iban]}", "KB-M09", "error", "expected an IBAN such as"),
        ('{target: Mail, from: case.id, steps: [{before: ":"}]}', "KB-M09", "error", "expected a text with ':'"),
        ("{target: Mail, from: decision.votes, steps: [trim]}", "KB-M14", "error", "is a whole Votes"),
        ('{target: Mail, const: x, when: {path: decision.votes, equals: "3"}}', "KB-M16", "error", "is a whole Votes"),
        ("{target: Mail, code: {list: colours, value: rot}}", "KB-M19", "warning", "takes any text and names no list"),
        (
            "{target: Field, required: true, rules: [{target: Name, from: case.title}]}",
            "KB-M19",
            "warning",
            "on a block",
        ),
        ("{target: Colour, code: {list: farben, value: rot}}", "KB-M10", "error", "'farben' is a translation"),
        ("{target: Mail, from: case.title, codelist: colours}", "KB-M10", "error", "code: {list: colours}"),
        ("{target: Mail, from: case.title, codelist: farben.csv}", "KB-M10", "error", "no code list 'farben.csv'; "),
        ("{target: Mail, from: budget.status, steps: [integer]}", "KB-M09", "error", "expected a whole number"),
        ("{target: Mail, from: budget.status, steps: [digits]}", "KB-M09", "error", "expected a text with digits"),
        ("{target: Mail, from: proposal.labels, steps: [collapse_space, {join: ', '}]}", "KB-M09", "error", "join or"),
    ],
)
def test_what_types_tell_is_found_without_an_example(
    findings: Findings, rule: str, code: str, severity: str, said: str
) -> None:
    """One finding, at the rule, before a record of this kind exists."""
    found = findings(f"- {rule}\n")

    assert [(one.code, one.severity) for one in found] == [(code, severity)], [one.line() for one in found]
    assert said in found[0].line()


@pytest.mark.parametrize(
    "rule",
    [
        '{target: Tag, from: "proposal.labels[2]", steps: [{clip: 10}]}',
        '{target: Mail, from: "process.areas[2].name"}',
        "{target: Share, from: decision.approved_amount, steps: [cents]}",
    ],
)
def test_what_may_well_be_meant_has_no_finding(findings: Findings, rule: str) -> None:
    """A number on a list, and cents for a whole number."""
    found = findings(f"- {rule}\n", head=HEAD.replace("[case", "[process, case"))

    assert [one.line() for one in found if one.code != "KB-M14" or "cents" in one.message] == []


def test_a_block_of_constants_with_a_condition_that_always_holds_is_clean(findings: Findings) -> None:
    """It is the one way to have such a block written in any case; KB-M15 names it."""
    block = "- {target: Field, %srules: [{target: Name, const: A}]}\n"
    [found] = findings(block % "")
    clean = findings(block % "when: message.id, ")

    assert (found.code, "'when: message.id'" in found.helps) == ("KB-M15", True)
    assert [one.line() for one in clean] == []


def test_a_condition_that_always_holds_changes_nothing_where_something_is_read(findings: Findings) -> None:
    """There the block is written anyway."""
    found = findings("- {target: Field, when: message.id, rules: [{target: Name, from: case.title}]}\n")

    assert [one.code for one in found] == ["KB-M16"]


def test_a_rule_beside_a_block_with_each_writes_one_more(findings: Findings) -> None:
    """It does not speak of the members, though it looks so."""
    block = "- {target: Field, each: case.documents, as: one, rules: [{target: Name, from: one.title}]}\n"
    found = findings(f"{block}- {{target: Field/Name, from: case.title}}\n")
    own = findings(f"{block}- {{target: Field, rules: [{{target: Name, from: case.title}}]}}\n")

    assert [(one.code, one.severity, one.place.line) for one in found] == [("KB-M11", "warning", 10)]
    assert [one.line() for one in own] == []


def test_a_member_whose_name_is_misspelt_is_one_finding(findings: Findings) -> None:
    """Not one for each rule that reads it."""
    rules = "[{target: Name, from: document.title}, {target: Value, from: document.file}]"
    [found] = findings(f"- {{target: Field, each: case.documents, as: documnt, rules: {rules}}}\n")

    assert (found.code, found.expected) == ("KB-M08", "as: document")


def test_a_condition_that_cannot_be_read_is_one_finding(findings: Findings) -> None:
    """That two rules now speak for one place is only what follows."""
    found = findings(
        "- {target: Colour, const: rot, when: {path: message.effect}}\n"
        "- {target: Colour, const: blau, when: {path: message.effect, equals: b}}\n"
    )

    assert [(one.code, one.place.line) for one in found] == [("KB-M03", 9)]


@pytest.mark.parametrize("root", ["case", "decision", "message", "area"])
def test_an_inbound_mapping_has_no_case(content: Path, put: Callable[[str, str], Path], root: str) -> None:
    """While items are read there is none, so every value read from it would be nothing."""
    text = "name: in\nversion: 1\ndirection: inbound\nreads: [a]\nroots: [item, {root}]\ntarget: record Budget\n"
    text += "rules:\n- {target: origin, from: item.a}\n- {target: chapter, from: {root}.id}\n"
    put("mappings/inbound/in/mapping.yaml", text.replace("{root}", root))
    found = [
        (one.severity, str(one.place))
        for one in check_mapping("in", content)
        if "outbound mappings only" in one.message
    ]

    assert found == [("error", "mappings/inbound/in/mapping.yaml:5:15")]


def _replaced(content: Path, old: str, new: str) -> None:
    """The small schema with another declaration in it."""
    file = content / "schemas/tree/1.0/profile.xsd"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_nil_beside_required_changes_nothing(content: Path, findings: Findings) -> None:
    """`required` sets the record aside before anything is written."""
    findings("")
    _replaced(content, 'name="plain"', 'name="plain" nillable="true"')
    nil = "- {target: plain, from: proposal.url, nil: true, %ssteps: [{clip: 10}]}\n"
    found = findings(nil % "required: true, ")
    alone = findings(nil % "")

    assert [(one.code, one.severity) for one in found] == [("KB-M19", "warning")]
    assert "'nil' changes nothing" in found[0].message
    assert alone == []


@pytest.mark.parametrize(
    ("builtin", "expected"),
    [
        ("gYear", "a year such as 2026"),
        ("time", "a time such as 10:00:00"),
        ("duration", "a duration such as P30D"),
        ("language", "a language such as de or en-GB"),
        ("ID", "a name that begins with a letter or _, such as a-1; each once in a message"),
        ("byte", "a whole number from -128 to 127"),
        ("unsignedInt", "a whole number from 0 to 4294967295"),
    ],
)
def test_what_a_type_expects_is_said_with_an_example(
    content: Path, findings: Findings, builtin: str, expected: str
) -> None:
    """'another value' helps nobody, and 70000 digits are a whole number too."""
    findings("")
    _replaced(content, 'name="plain" type="t:Short"', f'name="plain" type="xs:{builtin}"')
    [found] = findings("- {target: plain, const: '99999999999 ä'}\n")

    assert (found.code, found.expected) == ("KB-M14", expected)


@pytest.mark.parametrize(
    ("content_of_plain", "expected"),
    [
        ('<xs:element name="Eins" type="xs:string"/>', "- {target: plain/Eins, from: …}"),
        (
            (
                '<xs:element name="A"><xs:complexType><xs:sequence><xs:element name="B" type="xs:string"/>'
                "</xs:sequence></xs:complexType></xs:element>"
            ),
            "- {target: plain/A/B, from: …}",
        ),
        (
            '<xs:element name="code" type="xs:string"/></xs:sequence><xs:attribute name="listURI"/><!--',
            "- {target: plain, code: {list: …, value: …}}",
        ),
    ],
)
def test_a_mandatory_block_without_a_rule_is_shown_with_what_stands_in_it(
    content: Path, findings: Findings, content_of_plain: str, expected: str
) -> None:
    """A rule for the block itself would be the next mistake: it takes no value."""
    findings("")
    end = "-->" if content_of_plain.endswith("<!--") else ""
    closing = "" if end else "</xs:sequence>"
    body = f'name="plain"><xs:complexType><xs:sequence>{content_of_plain}{end}{closing}</xs:complexType></xs:element>'
    _replaced(content, 'name="plain" type="t:Short" minOccurs="0" form="unqualified"/>', body)
    [found] = findings("")

    assert (found.code, found.expected) == ("KB-M12", expected)


@pytest.mark.parametrize(
    ("code", "helps"), [("rto", "did you mean 'rot'?"), ("2792", "did you mean '2729'?"), ("2730", "")]
)
def test_a_number_that_is_near_is_not_proposed(
    put: Callable[[str, str], Path], findings: Findings, code: str, helps: str
) -> None:
    """'009' and '003' mean different things; only digits in another order are a slip."""
    findings("")
    put("mappings/codelists/zahlen.yaml", 'uri: urn:z\nversion: "1"\ncodes: {rot: Rot, "2729": a}\n')
    found = findings(f"- {{target: Colour, code: {{list: zahlen, value: '{code}'}}}}\n")

    assert [(one.code, one.helps) for one in found] == [("KB-M10", helps)]


def test_a_list_without_uri_is_an_error_where_the_message_must_name_it(
    content: Path, put: Callable[[str, str], Path], findings: Findings
) -> None:
    """Else every message is refused for an attribute that no rule speaks about."""
    findings("")
    put("mappings/codelists/namenlos.yaml", 'version: "1"\ncodes: {a: A}\n')
    body = (
        'name="plain" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="code" type="xs:string"/>'
        '</xs:sequence><xs:attribute name="listURI" use="required"/></xs:complexType></xs:element>'
    )
    _replaced(content, 'name="plain" type="t:Short" minOccurs="0" form="unqualified"/>', body)
    [found] = findings("- {target: plain, code: {list: namenlos, value: a}}\n")

    assert (found.code, found.severity) == ("KB-M10", "error")
    assert "has no 'uri', so 'plain/@listURI' is missing" in found.message


INBOUND = """\
name: in
version: 1
direction: inbound
reads: [a]
source: %s
roots: [item]
target: record Decision
rules:
- {target: origin, from: item.sheet}
"""


@pytest.mark.parametrize(
    ("source", "file", "example", "found"),
    [
        ("xml", "full.input.yaml", "item: {sheet: a.xlsx, row: 2}\n", ["KB-M03"]),
        ("json", "full/item.xml", "<a><sheet>b</sheet></a>", ["KB-M03"]),
        ("json", "full.input.yaml", "item: {sheet: a.xlsx, row: 2}\n", []),
        ("xml", "full.input.yaml", "item: {sheet: a.xlsx}\n", ["KB-M03"]),
        ("xml", "full/item.xml", "<a><sheet>b</sheet></a>", []),
    ],
)
def test_a_source_of_another_form_than_its_examples_is_an_error(
    content: Path, put: Callable[[str, str], Path], source: str, file: str, example: str, found: list[str]
) -> None:
    """Every path would be empty, or the item could not be read at all."""
    put(f"mappings/inbound/in/examples/{file}", example)
    put("mappings/inbound/in/mapping.yaml", INBOUND % source)

    assert [one.code for one in check_mapping("in", content) if one.place.line == 5] == found


@pytest.mark.parametrize(("kind", "found"), [("table", ["KB-M14"]), ("json", [])])
def test_a_cell_without_a_codelist_is_a_risk_for_a_records_words(
    content: Path, put: Callable[[str, str], Path], kind: str, found: list[str]
) -> None:
    """People write 'angenommen', a record says 'accepted'."""
    put("schemas/tables/zeilen.yaml", "name: zeilen\ntitle: Z\ncolumns:\n  - {name: E, key: ergebnis, type: text}\n")
    source = "table zeilen" if kind == "table" else "json"
    put("mappings/inbound/in/mapping.yaml", INBOUND % source + "- {target: outcome, from: item.ergebnis}\n")
    said = [one for one in check_mapping("in", content) if one.rule == "outcome" and "may hold texts" in one.message]

    assert [one.code for one in said] == found
    assert all(one.expected.startswith("accepted, ") for one in said)


def test_a_constant_that_is_none_of_a_records_words_names_them(content: Path, put: Callable[[str, str], Path]) -> None:
    """'What the schema allows there' sends people to the source code."""
    put("mappings/inbound/in/mapping.yaml", INBOUND % "json" + "- {target: outcome, const: acepted}\n")
    [found] = [one for one in check_mapping("in", content) if one.code == "KB-M14"]

    assert found.expected.startswith("accepted, ")
    assert found.helps == "did you mean 'accepted'?"
