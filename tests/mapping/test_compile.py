"""The compiled form writes or declines: what it writes is what the interpreter would have written (ADR 0009)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import BaseModel

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.bind import bind
from kiezbruecke.mapping.compile import Declined, Uncompilable, compile_mapping
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.language.reading import read_definition
from kiezbruecke.mapping.loading import Mapping, assemble, bound_anew
from kiezbruecke.mapping.schema.sources import ItemShape, source_types
from kiezbruecke.mapping.schema.targets import find_target
from kiezbruecke.records import Decision, Proposal
from kiezbruecke.records.views import CaseView, DocumentView, MessageView
from kiezbruecke.standards.store import NotValid
from kiezbruecke.workbench.examples import find_examples, read_roots

DATA = Path(__file__).parent / "data"
COMPILED = ("case-xdomea-0401", "commitment-hkr", "payment-hkr", "payment-pain")
HEAD = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: e 1 Root\nrules:\n"

# What rules may say about data/everything.xsd. Each example of the property takes some of them.
FIRM = (
    '{target: "@id", from: route.code}',
    "{target: Title, from: route.title, steps: [{clip: 12}]}",
    "{target: Empty/Maybe, const: vielleicht}",
)
RULES = (
    '{target: "@test", const: ja, when: route.flag}',
    "{target: Text, from: route.text, required: true}",
    "{target: Text, from: route.text, default: ohne & mit}",
    "{target: Text, from: route.deep.text, steps: [trim, {prefix: '<'}, {suffix: ' >'}]}",
    "{target: Code, from: route.code, steps: [upper]}",
    "{target: Colour, from: route.colour, codelist: farben}",
    "{target: Colour, const: blau}",
    '{target: Money, from: route.money} | {target: "Money/@Ccy", const: EUR}',
    '{target: Money, from: route.money, steps: [german_money]} | {target: "Money/@Ccy", from: route.code}',
    '{target: Money, const: "1"} | {target: "Money/@Ccy", const: EUR} | {target: "Money/@note", from: route.text}',
    "{target: Few, from: route.numbers}",
    '{target: "Few[1]", from: route.number} | {target: "Few[2]", const: "7"}',
    "{target: Flag, from: route.flag}",
    "{target: At, from: route.at}",
    "{target: Medium, code: {list: medium, value: '001'}}",
    "{target: Medium, code: {list: medium}, from: route.code}",
    "{target: Left, from: route.left}",
    "{target: Right, from: route.right} | {target: More, const: mehr}",
    "{target: Right, const: rechts} | {target: More, from: route.text}",
    "{target: One/Name, from: route.left} | {target: One/Born, from: route.day}",
    "{target: Other, from: route.title}",
    "{target: Other, const: anders}",
    "{target: From, from: route.left} | {target: To, const: dahin}",
    "{target: From, const: daher} | {target: To, const: dahin}",
    "{target: Item, each: route.people, as: o, rules: [{target: Name, from: o.name}, {target: Born, from: o.born}]}",
    "{target: Item, each: route.people, as: o, when: o.name, rules: [{target: Name, from: o.name}]}",
    "{target: Line, each: route.words, as: one, from: one}",
    "{target: Line, from: route.words}",
    "{target: Block/A, const: konstant}",
    "{target: Block, when: route.flag, rules: [{target: A, const: nur wenn}]}",
    "{target: Block/B/C, const: c} | {target: Block/B/D, from: route.left} | {target: 'Block/B/@k', const: k}",
    "{target: Block/B/D, from: route.right, default: d}",
    '{target: "Block/Field[1]/Name", const: eins} | {target: "Block/Field[1]/Value", from: route.text}',
    '{target: "Block/Field[2]/Name", const: zwei} | {target: "Block/Field[2]/Value", from: route.title}',
    "{target: Block/Field, each: route.words, as: w, rules: [{target: Name, const: n}, {target: Value, from: w}]}",
    "{target: Text, from: route.left, when: {path: route.flag, equals: 'true'}}",
    "{target: Text, from: route.right, when: {path: route.flag, equals: 'false'}}",
    "{target: Empty/Maybe, from: route.left}",
)  # fmt: skip

ORDINARY = {
    "title": "Bänke", "code": "A", "text": "Zwei\nZeilen & <mehr>", "colour": "blau", "money": Decimal("12.50"),
    "numbers": [1, 2], "number": 3, "flag": True, "at": datetime(2026, 4, 24, tzinfo=UTC), "left": "l", "right": "r",
    "day": date(2026, 4, 24), "people": [{"name": "Ada", "born": date(2000, 1, 2)}], "words": ["eins", "zwei"],
    "deep": {"text": "t"},
}  # fmt: skip

texts = st.one_of(
    st.sampled_from(["", " ", "a", "rot", "Blau ", "AB-12", "EUR", "001", "x" * 12, "x" * 13, "ä<&>\"'", "ja"]),
    st.text("ab &<>\"'\t\n\r\u0000\u00a0ß😀\ud800", max_size=14),
)
numbers = st.one_of(
    st.integers(-5, 130), st.booleans(), st.decimals(-2, 10**7, places=2), st.sampled_from([Decimal("0.005"), 1.5])
)
moments = st.sampled_from([datetime(2026, 4, 24, 10, 0, tzinfo=UTC), datetime(2026, 4, 24, 10, 0), date(2026, 4, 24)])  # noqa: DTZ001
values = st.one_of(st.none(), texts, numbers, moments, st.lists(texts, max_size=3))
people = st.lists(st.fixed_dictionaries({"name": values}, optional={"born": values}), max_size=3)
routes = st.fixed_dictionaries(
    {"title": st.one_of(texts, values), "code": st.sampled_from(["AB-12", "A", "ab", "001", "002", None, 7])},
    optional={
        "text": values, "colour": texts, "money": st.one_of(numbers, texts), "numbers": st.lists(values, max_size=4),
        "number": values, "flag": st.one_of(st.booleans(), values), "at": st.one_of(moments, values), "left": values,
        "right": values, "day": st.one_of(moments, values), "people": st.one_of(people, values),
        "words": values, "deep": st.one_of(st.none(), st.fixed_dictionaries({"text": values})), "deep.text": values,
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], Mapping]:
    """Makes mappings to data/everything.xsd, also ones that a check would complain about."""
    content = tmp_path_factory.mktemp("content")
    for folder in ("mappings/outbound/m", "mappings/codelists", "schemas/e/1"):
        (content / folder).mkdir(parents=True)
    copyfile(DATA / "everything.xsd", content / "schemas/e/1/profile.xsd")
    (content / "mappings/codelists/farben.csv").write_text("from;to\nrot;rot\nBLAU;blau\nx;zu lang\n;\n", "utf-8")
    (content / "mappings/codelists/medium.yaml").write_text(
        'uri: "urn:m&<"\nversion: "1"\nwrite_names: true\ncodes: {"001": "Ein <Name>", "002": "", A: B}\n', "utf-8"
    )
    file = content / "mappings/outbound/m/mapping.yaml"

    def make(rules: list[str]) -> Mapping:
        single = [part for rule in rules for part in rule.split(" | ")]
        file.write_text(HEAD + "".join(f"  - {rule}\n" for rule in single), "utf-8")
        return made(file, content)

    return make


def made(file: Path, content: Path, roots: tuple[str, ...] = ("route",)) -> Mapping:
    """The mapping in a file, whatever a check would say."""
    definition = replace(read_definition(file, "mapping.yaml", "outbound"), roots=roots)
    target, shape = find_target("e 1 Root", content), ItemShape()
    plan = bind(definition.rules, target.root, source_types(definition, shape))
    return assemble(definition, target, content, shape, plan)


def interpreted(mapping: Mapping, roots: dict[str, Any]) -> bytes | None:
    """The oracle's bytes, or None where it refuses."""
    try:
        return XmlWriter(mapping.goal.prefixes).write(mapping.draft(roots))
    except RecordError:
        return None


def straight(mapping: Mapping, roots: dict[str, Any]) -> bytes | None:
    """The compiled form's bytes, or None where it declines or the schema refuses what it wrote."""
    assert mapping.checker is not None
    try:
        written = compile_mapping(mapping.definition, mapping.plan, mapping.goal, mapping.lists).write(roots)
        mapping.checker.check(written)
    except (Declined, NotValid):
        return None
    return written


@pytest.mark.parametrize("name", COMPILED)
def test_every_example_is_written_straight_to_the_same_bytes(root: Path, name: str) -> None:
    """A compiled form that always declines would be right and useless."""
    mapping = load_mapping(name, root)
    for example in find_examples(name, root):
        roots = read_roots(mapping, root, example)

        assert straight(mapping, roots) == interpreted(mapping, roots), example.name


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(RULES), unique=True, max_size=9), st.lists(routes, min_size=1, max_size=4))
def test_what_is_written_straight_is_what_the_interpreter_writes(
    workshop: Callable[[list[str]], Mapping], rules: list[str], given_routes: list[dict[str, Any]]
) -> None:
    """Any rules, any record: the same bytes, or the interpreter decides; what the schema refuses, it refuses too."""
    mapping = workshop([*(rule for rule in FIRM if "Empty" not in rule or RULES[-1] not in rules), *rules])
    try:
        compiled = compile_mapping(mapping.definition, mapping.plan, mapping.goal, mapping.lists)
    except Uncompilable:
        return
    for route in given_routes:
        oracle = interpreted(mapping, {"route": route})
        try:
            written = compiled.write({"route": route})
        except Declined:
            continue
        try:
            mapping.checker.check(written)
        except NotValid:
            assert oracle is None
        else:
            assert written == oracle


OF_RECORDS = (
    "{target: Text, from: proposal.url}",
    "{target: Text, from: proposal.url, when: proposal.url}",
    "{target: Text, from: proposal.url, when: {path: proposal.title, missing: true}}",
    '{target: Money, from: decision.approved_amount, default: "1"} | {target: "Money/@Ccy", const: EUR}',
    "{target: Few, from: case.documents.index}",
    "{target: Flag, from: message.test}",
    "{target: At, from: message.created_at}",
    "{target: Left, from: case.reference, when: {path: message.test, equals: 'true'}}",
    "{target: Item, each: case.documents, as: d, when: d.title, rules: [{target: Name, from: d.title}]}",
    "{target: Item, each: case.documents, as: d, rules: [{target: Name, from: d.index}]}",
    "{target: Block/A, from: case.title, when: proposal.url}",
    "{target: Block/B, rules: [{target: C, from: case.documents.id, steps: [first]}, {target: D, from: case.title}]}",
)
ANYTHING = (None, "", " ", "x<ä", 5, False, Decimal("0.005"), date(2026, 4, 24), uuid4(), ("a", "b"), {"title": "x"})


def odd(model: type[BaseModel], **good: object) -> st.SearchStrategy[BaseModel]:
    """Records of these values, now and then with one that nobody has asked whether it fits."""
    fields = {name: st.one_of(*[st.just(value)] * 8, st.sampled_from(ANYTHING)) for name, value in good.items()}
    return st.fixed_dictionaries(fields).map(lambda values: model.model_construct(**values))


documents = st.lists(odd(DocumentView, id=uuid4(), index=1, title="t"), max_size=3).map(tuple)
lists = st.one_of(documents, st.sampled_from([None, [{"id": "i", "index": 1, "title": "t"}], ("t", None)]))
records = st.fixed_dictionaries({
    "route": st.just({"code": "A"}),
    "proposal": st.one_of(st.none(), st.just({"url": "u"}), odd(Proposal, url="https://x.invalid/?a&b", title="ä")),
    "decision": odd(Decision, approved_amount=Decimal("12.50")),
    "message": odd(MessageView, test=True, created_at=datetime(2026, 4, 24, tzinfo=UTC)),
    "case": st.builds(
        lambda case, listed: case.model_copy(update={"documents": listed}),
        odd(CaseView, title="t", reference="r"),
        lists,
    ),
})  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(OF_RECORDS), unique=True, max_size=6), st.lists(records, min_size=1, max_size=6))
def test_records_are_read_straight_or_not_at_all(
    workshop: Callable[[list[str]], Mapping], rules: list[str], given_roots: list[dict[str, Any]]
) -> None:
    """What the plan knows of a field holds for good records; of any other the interpreter decides."""
    title = "{target: Title, from: case.title, steps: [{clip: 12}]}"
    content = workshop([FIRM[0], title, FIRM[2], "{target: Other, const: x}", *rules]).content
    roots = ("route", "proposal", "decision", "message", "case")
    mapping = made(content / "mappings/outbound/m/mapping.yaml", content, roots)
    compiled = compile_mapping(mapping.definition, mapping.plan, mapping.goal, mapping.lists)
    for given_root in given_roots:
        try:
            written = compiled.write(given_root)
            mapping.checker.check(written)
        except (Declined, NotValid):
            continue
        assert written == interpreted(mapping, given_root)


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_alone_has_a_straight_way(workshop: Callable[[list[str]], Mapping], rule: str) -> None:
    """Declining is for odd records, not for ordinary rules."""
    other = [] if "Other" in rule or "One" in rule else ["{target: Other, const: x}"]
    mapping = workshop([*(FIRM[:2] if "Empty" in rule else FIRM), rule, *other])
    route = {**ORDINARY, "money": "12,50"} if "german" in rule else dict(ORDINARY)
    oracle = interpreted(mapping, {"route": route})

    assert oracle is not None
    assert straight(mapping, {"route": route}) == oracle


def test_what_the_schema_refuses_is_refused_with_rule_and_source(workshop: Callable[[list[str]], Mapping]) -> None:
    """The generated code asks nobody about a single text: the whole message is refused, the interpreter says why."""
    mapping = workshop([FIRM[0], FIRM[2], "{target: Title, from: route.title}", "{target: Other, const: x}"])
    roots = {"route": {"title": "x" * 13, "code": "A"}}

    assert b"x" * 13 in mapping.compiled.write(roots)
    for write in (mapping.write, mapping.write_traced):
        with pytest.raises(RecordError, match=r"'Title' \(Quelle: route.title\): der Text ist zu lang"):
            write(roots)


def test_the_same_mapping_gives_the_same_source(root: Path) -> None:
    """Deterministic to the letter, whatever the process's hash seed."""
    code = (
        "import sys; from pathlib import Path; from kiezbruecke.mapping import load_mapping;"
        "sys.stdout.write(load_mapping('case-xdomea-0401', Path(sys.argv[1])).explain())"
    )
    sources = {
        subprocess.run(
            [sys.executable, "-c", code, str(root)], check=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip

    assert len(sources) == 1
    assert b"def write(scope, trace):" in sources.pop()


@pytest.mark.parametrize("name", COMPILED)
def test_both_ways_give_the_same_trace(root: Path, name: str) -> None:
    """Lineage must not depend on how a message was written."""
    mapping = load_mapping(name, root)
    for example in find_examples(name, root):
        roots = read_roots(mapping, root, example)
        if interpreted(mapping, roots) is None:
            continue
        payload, trace = mapping.write_traced(roots)
        slow = sorted(((one.rule, one.text) for one in mapping.lineage_of(roots) if one.read), key=lambda pair: pair[0])

        assert list(trace) == slow
        assert payload == interpreted(mapping, roots)
        assert trace


def test_a_default_is_any_text(workshop: Callable[[list[str]], Mapping]) -> None:
    """What stands in for a number may need references in XML, though no number does."""
    rule = "{target: Text, from: decision.approved_amount, default: ohne & mit}"
    content = workshop([*FIRM, rule, "{target: Other, const: x}"]).content
    mapping = made(content / "mappings/outbound/m/mapping.yaml", content, ("route", "decision"))
    roots = {"route": {"title": "T", "code": "A"}, "decision": Decision.model_construct(approved_amount=None)}

    assert b"ohne &amp; mit" in (straight(mapping, roots) or b"")


def test_a_code_is_traced_as_it_is_looked_up(workshop: Callable[[list[str]], Mapping]) -> None:
    """Blanks around a code do not make another hash in the one way than in the other."""
    mapping = workshop(['{target: "@id", const: A}', *FIRM[1:], RULES[15], "{target: Other, const: x}"])
    roots = {"route": {"title": "T", "code": " 001 "}}
    payload, trace = mapping.write_traced(roots)
    slow = sorted(((one.rule, one.text) for one in mapping.lineage_of(roots) if one.read), key=lambda pair: pair[0])

    assert list(trace) == slow
    assert payload == interpreted(mapping, roots)


GROUPS = (
    '<xs:sequence maxOccurs="9"><xs:element name="A" type="xs:string" {a}/></xs:sequence>',
    '<xs:choice maxOccurs="9"><xs:element name="A" type="xs:string" {a}/><xs:element name="B"/></xs:choice>',
    '<xs:sequence maxOccurs="9"><xs:sequence {a}><xs:element name="A" type="xs:string"/></xs:sequence></xs:sequence>',
)


def small(content: Path, inside: str, *rules: str) -> Mapping:
    """A mapping to a root of this content."""
    for folder in ("mappings/outbound/m", "mappings/codelists", "schemas/e/1"):
        (content / folder).mkdir(parents=True)
    element = f'<xs:element name="Root"><xs:complexType>{inside}</xs:complexType></xs:element>'
    schema = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{element}</xs:schema>'
    (content / "schemas/e/1/profile.xsd").write_text(schema, "utf-8")
    file = content / "mappings/outbound/m/mapping.yaml"
    file.write_text(HEAD + "".join(f"  - {rule}\n" for rule in rules), "utf-8")
    return made(file, content)


@pytest.mark.parametrize("occurs", ["", 'minOccurs="2" maxOccurs="2"', 'minOccurs="2" maxOccurs="4"', 'maxOccurs="3"'])
@pytest.mark.parametrize("group", GROUPS)
def test_repeated_groups_are_written_alike_or_declined(tmp_path: Path, group: str, occurs: str) -> None:
    """A round of a group that needs two elements is not one that needs one."""
    mapping = small(tmp_path, group.format(a=occurs), "{target: A, from: route.words}")
    valid = etree.XMLSchema(etree.parse(tmp_path / "schemas/e/1/profile.xsd"))
    for count in range(1, 13):
        roots = {"route": {"words": ["w"] * count}}
        try:
            written = straight(mapping, roots)
        except Uncompilable:
            return
        if written is not None:
            assert written == interpreted(mapping, roots)
            valid.assertValid(etree.fromstring(written))


@dataclass(frozen=True, slots=True)
class LouderRule(Rule):
    """A rule with a key that the language learns later."""

    loud: bool = False


@dataclass(frozen=True, slots=True)
class LouderWhen(When):
    """A condition with one."""

    loud: bool = False


def _louder(one: Rule | When, into: type[Any], *, loud: bool = True) -> Any:
    return into(**{part.name: getattr(one, part.name) for part in fields(one)}, loud=loud)


@pytest.mark.parametrize("part", ["rule", "condition", "neither"])
def test_a_rule_that_says_more_than_the_code_knows_is_left_to_the_interpreter(
    workshop: Callable[[list[str]], Mapping], part: str
) -> None:
    """A key that no line is written for must not be left out in silence."""
    mapping = workshop([*FIRM[:2], "{target: Text, from: route.text, when: route.flag}"])
    *others, last = mapping.definition.rules
    when = tuple(_louder(one, LouderWhen, loud=part == "condition") for one in last.when)
    rules = (*others, _louder(replace(last, when=when), LouderRule, loud=part == "rule"))
    odd = bound_anew(replace(mapping.definition, rules=rules), mapping.goal, mapping.content)
    roots = {"route": {"title": "T", "code": "A", "text": "laut", "flag": "1"}}

    if part == "neither":
        assert compile_mapping(odd.definition, odd.plan, odd.goal, odd.lists).source
    else:
        with pytest.raises(Uncompilable, match="'loud' is read by the interpreter"):
            compile_mapping(odd.definition, odd.plan, odd.goal, odd.lists)
        with pytest.raises(Declined):
            odd.compiled.write(roots)


def test_nothing_mandatory_is_written_empty(workshop: Callable[[list[str]], Mapping]) -> None:
    """`<Empty/>` would be valid, and nobody could read anything in it: the record is set aside, whoever writes."""
    mapping = workshop([*FIRM[:2], RULES[-1], "{target: Other, const: x}"])
    roots = {"route": {"title": "T", "code": "A", "left": " "}}

    assert straight(mapping, roots) is None
    with pytest.raises(RecordError, match=r"'Empty' \(Quelle: route.left\): die Pflichtangabe fehlt"):
        mapping.write(roots)


ATTRIBUTES = '<xs:complexType>{}<xs:attribute name="k" use="required"/></xs:complexType>'
ONLY_ATTRIBUTES = (
    '<xs:sequence><xs:element name="A" maxOccurs="9">'
    + ATTRIBUTES.format('<xs:sequence><xs:element name="B" minOccurs="0"/></xs:sequence>')
    + '</xs:element><xs:element name="C">'
    + ATTRIBUTES.format("")
    + "</xs:element></xs:sequence>"
)


def test_an_element_of_attributes_alone_is_written_straight(tmp_path: Path) -> None:
    """It could hold something, or nothing at all: its attributes were read, so it is not empty."""
    listed = '{target: A, each: route.words, as: word, rules: [{target: "@k", from: word}]}'
    mapping = small(tmp_path, ONLY_ATTRIBUTES, listed, '{target: "C/@k", const: c}')

    written = straight(mapping, {"route": {"words": ["a", "b"]}})

    assert written == interpreted(mapping, {"route": {"words": ["a", "b"]}})
    assert written is not None
    assert b'<A k="a"/><A k="b"/><C k="c"/>' in written


@pytest.mark.parametrize(("needed", "written"), [("", True), ('minOccurs="0"', False)])
def test_a_condition_keeps_alive_what_only_mandatory_parts_stand_around(
    tmp_path: Path, needed: str, written: bool
) -> None:
    """A constant may stand deeper than the block that asks: what the schema demands in between is no choice."""
    folder = f'<xs:sequence><xs:element name="Folder" {needed}>{ATTRIBUTES.format("")}</xs:element></xs:sequence>'
    place = f'<xs:element name="Place" minOccurs="0"><xs:complexType>{folder}</xs:complexType></xs:element>'
    rule = '{target: Place, when: route.a, rules: [{target: "Folder/@k", const: c}]}'
    mapping = small(tmp_path, f"<xs:sequence>{place}</xs:sequence>", rule)
    roots = {"route": {"a": "x"}}

    message = interpreted(mapping, roots)

    assert message is not None
    assert (b'<Place><Folder k="c"/></Place>' in message) is written
    assert straight(mapping, roots) in ([message] if written else [None, message])


def test_one_value_by_its_schema_is_one_for_a_place_that_repeats(tmp_path: Path) -> None:
    """The place has an attribute of its own: for one value that is straight, for several the interpreter decides."""
    text = '<xs:simpleContent><xs:extension base="xs:string"><xs:attribute name="k" use="required"/></xs:extension>'
    hashed = f"<xs:complexType>{text}</xs:simpleContent></xs:complexType>"
    inside = f'<xs:sequence><xs:element name="A" maxOccurs="9">{hashed}</xs:element></xs:sequence>'
    small(tmp_path, inside, "{target: A, from: route.a}", '{target: "A/@k", const: c}')
    (tmp_path / "schemas/json").mkdir()
    shape = '{"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 1}}}'
    (tmp_path / "schemas/json/r.schema.json").write_text(shape, "utf-8")
    head = "name: m\nversion: 1\ndirection: outbound\nsource: json r\nroots: [r]\ntarget: e 1 Root\nrules:\n"
    rules = '  - {target: A, from: r.a}\n  - {target: "A/@k", const: c}\n'
    (tmp_path / "mappings/outbound/m/mapping.yaml").write_text(head + rules, "utf-8")
    mapping = load_mapping("m", tmp_path)

    assert straight(mapping, {"r": {"a": "x"}}) == interpreted(mapping, {"r": {"a": "x"}}) is not None
    assert straight(mapping, {"r": {"a": ["x", "y"]}}) is None


def test_a_refusal_names_the_rule_not_the_generated_code(root: Path) -> None:
    """The interpreter finds the words: target, source field, file and line – never the value."""
    mapping = load_mapping("case-xdomea-0401", root)
    example = next(one for one in find_examples(mapping.name, root) if one.name == "no-sum")
    with pytest.raises(RecordError) as refused:
        mapping.write(read_roots(mapping, root, example))

    assert "decision.approved_amount" in refused.value.line()
    assert "mapping.yaml:" in refused.value.line()


def test_generated_code_is_valid_against_the_schema(workshop: Callable[[list[str]], Mapping]) -> None:
    """The straight way is checked by libxml2 as every message is."""
    mapping = workshop([*FIRM, *RULES[7:8], "{target: Other, const: x}", RULES[22]])
    written = straight(mapping, {"route": {"title": "T", "code": "A", "money": 3, "left": "l"}})

    assert written is not None
    etree.XMLSchema(etree.parse(DATA / "everything.xsd")).assertValid(etree.fromstring(written))
