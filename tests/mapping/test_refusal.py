"""What is refused says in parts, for programs, what its sentence says: rule, target and source with numbers, reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kiezbruecke.mapping import Mapping, load_mapping
from kiezbruecke.mapping.interpret.draft import Unwritable
from kiezbruecke.mapping.interpret.sources import ReadFrom, read, read_members
from kiezbruecke.mapping.language.paths import SourcePath

Put = Callable[[str, str], Path]
NUMBER = {"type": "number", "minimum": 1}
DEBIT = {"type": "object", "required": ["amount"], "properties": {"amount": NUMBER, "word": {"maxLength": 5}}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "batch": {
            "type": "array",
            "items": {"type": "object", "properties": {"debit": {"type": "array", "items": DEBIT}}},
        },
        "words": {"type": "array", "items": {"type": "string", "maxLength": 3}},
        "kind": {"enum": ["a", "b"]},
    },
}
RULES = """\
- target: batch
  each: route.batches
  as: batch
  rules:
    - target: debit
      each: batch.debits
      as: debit
      rules:
        - {target: amount, from: debit.amount, steps: [decimal]}
        - {target: word, from: debit.note.word, when: {path: debit.kind, equals: "1"}}
- {target: words, from: route.words}
- {target: kind, const: a}
"""


@pytest.fixture
def mapping(content: Path, put: Put) -> Mapping:
    """Lists within lists, as a collection of direct debits has them."""
    put("schemas/json/sammlung.schema.json", json.dumps(SCHEMA))
    head = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: json sammlung\nrules:\n"
    put("mappings/outbound/m/mapping.yaml", head + RULES)
    return load_mapping("m", content)


def _refusal(mapping: Mapping, route: dict[str, Any]) -> Unwritable:
    with pytest.raises(Unwritable) as refused:
        mapping.write({"route": route})
    return refused.value


def _debits(*amounts: Any) -> dict[str, Any]:
    return {"debits": [{"amount": amount} for amount in amounts]}


def test_a_step_names_the_member_that_it_cannot_read(mapping: Mapping) -> None:
    """Of thousands of debits a person looks for one."""
    said = _refusal(mapping, {"batches": [_debits("1"), _debits("2", "3", "Mia Muster")]})

    assert (said.source, said.target) == ("route.batches[2].debits[3].amount", "batch[2]/debit[3]/amount")
    assert said.rule is not None
    assert said.rule.place.line == 15


def test_the_target_names_the_member_that_it_does_not_take(mapping: Mapping) -> None:
    """A value may be a fine number, and too small."""
    said = _refusal(mapping, {"batches": [_debits("1", "0.5")]})

    assert (said.source, said.target) == ("route.batches[1].debits[2].amount", "batch[1]/debit[2]/amount")


def test_a_missing_value_is_told_where_it_is_missing(mapping: Mapping) -> None:
    """The path leads to where something should stand."""
    silent = {"amount": "", "kind": "1", "note": {"word": "ab"}}
    said = _refusal(mapping, {"batches": [{"debits": [{"amount": "1"}, silent]}]})

    assert said.source == "route.batches[1].debits[2].amount"
    assert said.unusable.problem == "die Pflichtangabe fehlt"


def test_a_condition_that_cannot_be_judged_names_its_own_path(mapping: Mapping) -> None:
    """It is not the rule's value that is wrong."""
    debit = {"amount": "1", "kind": {"not": "text"}, "note": {"word": "ab"}}
    said = _refusal(mapping, {"batches": [{"debits": [debit]}]})

    assert (said.source, said.target) == ("route.batches[1].debits[1].kind", "batch[1]/debit[1]/word")


def test_one_of_several_values_is_named_by_its_number(mapping: Mapping) -> None:
    """Without an `each` nothing but the list itself counts them."""
    assert _refusal(mapping, {"words": ["ab", "abc", "abcd"]}).source == "route.words[3]"


def test_an_empty_value_is_left_out_and_still_counts(mapping: Mapping) -> None:
    """The number is that of the source, where somebody looks."""
    assert _refusal(mapping, {"words": ["ab", "", None, "abcd"]}).source == "route.words[4]"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("{target: words, from: route.batches.debits.name}", "route.batches[2].debits[3].name"),
        ("{target: words, from: route.batches.debits.name, codelist: kurz}", "route.batches[2].debits[3].name"),
        ("{target: words, from: route.text, steps: [{split: ','}]}", "route.text"),
        ("{target: words, each: route.batches, as: one, from: one.debits.name}", "route.batches[2].debits[3].name"),
    ],
)
def test_a_value_within_lists_is_named_with_every_number(content: Path, put: Put, rule: str, source: str) -> None:
    """A rule that reads through lists without `each` has no other way to say which value it was."""
    put("schemas/json/sammlung.schema.json", json.dumps(SCHEMA))
    put("mappings/codelists/kurz.csv", "from;to\na;a\nb;b\n")
    head = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: json sammlung\nrules:\n"
    put("mappings/outbound/m/mapping.yaml", f"{head}- {rule}\n- {{target: kind, const: a}}\n")
    many = [{"debits": [{"name": "a"}]}, {"debits": [{"name": "b"}, {}, {"name": "zu lang"}, {"name": "a"}]}]
    said = _refusal(load_mapping("m", content), {"batches": many, "text": "ab, zu lang"})

    assert said.source == source


def test_an_element_of_a_list_that_the_schema_refuses_as_a_whole_is_named(content: Path, put: Put) -> None:
    """What stands twice is found in the message, and told of the value that wrote it."""
    put("schemas/doppelt/1/profile.xsd", TWICE)
    head = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: doppelt 1 L\nrules:\n"
    put("mappings/outbound/m/mapping.yaml", f"{head}- {{target: N, from: route.words}}\n")

    assert _refusal(load_mapping("m", content), {"words": ["ab", "", "cd", "ab"]}).source == "route.words[4]"


@pytest.mark.parametrize(
    ("members", "target", "source"),
    [
        ([{"nr": "1"}, {"nr": "2"}, {"nr": "1"}], "N[3]/@nr", "route.members[3].nr"),
        ([{"nr": "1"}, {"nr": "2", "id": "A"}, {"nr": "3", "id": "A"}], "N[3]/Id", "route.members[3].id"),
        ([{"nr": "1", "ref": "9"}, {"nr": "2", "ref": "3"}, {"nr": "3"}], "N[1]/@ref", "route.members[1].ref"),
        ([{"nr": "1"}, {"nr": "1", "lfd": "1"}], "N[2]/@nr", "route.members[2].nr"),
    ],
    ids=["attribute", "element inside", "reference", "an attribute of the same value beside"],
)
def test_what_breaks_a_rule_over_several_values_is_named_by_its_own_rule(
    content: Path, put: Put, members: list[dict[str, str]], target: str, source: str
) -> None:
    """Not by the first rule of the element around it, which is right."""
    put("schemas/schluessel/1/profile.xsd", KEYS)
    head = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: schluessel 1 L\nrules:\n"
    rules = "".join(f'    - {{target: "{one}", from: member.{one.strip("@").lower()}}}\n' for one in KEYED)
    put(
        "mappings/outbound/m/mapping.yaml", f"{head}- target: N\n  each: route.members\n  as: member\n  rules:\n{rules}"
    )
    said = _refusal(
        load_mapping("m", content), {"members": [{"art": "x", "id": str(i), **m} for i, m in enumerate(members)]}
    )

    assert (said.target, said.source) == (target, source)


KEYED = ("Art", "Id", "@lfd", "@nr", "@ref")
KEYS = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:u="urn:u" targetNamespace="urn:u"
  elementFormDefault="qualified"><xs:element name="L">
    <xs:complexType><xs:sequence><xs:element name="N" maxOccurs="9"><xs:complexType><xs:sequence>
      <xs:element name="Art" type="xs:string"/><xs:element name="Id" type="xs:string"/></xs:sequence>
      <xs:attribute name="lfd" type="xs:string"/><xs:attribute name="nr" type="xs:integer"/>
      <xs:attribute name="ref" type="xs:integer"/></xs:complexType></xs:element></xs:sequence></xs:complexType>
    <xs:key name="nr"><xs:selector xpath="u:N"/><xs:field xpath="@nr"/></xs:key>
    <xs:unique name="id"><xs:selector xpath="u:N"/><xs:field xpath="u:Art"/><xs:field xpath="u:Id"/></xs:unique>
    <xs:keyref name="ref" refer="u:nr"><xs:selector xpath="u:N"/><xs:field xpath="@ref"/></xs:keyref>
  </xs:element>
</xs:schema>"""
TWICE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="L">
    <xs:complexType><xs:sequence><xs:element name="N" type="xs:string" maxOccurs="9"/></xs:sequence></xs:complexType>
    <xs:unique name="once"><xs:selector xpath="N"/><xs:field xpath="."/></xs:unique>
  </xs:element>
</xs:schema>"""


def test_no_part_of_a_refusal_holds_a_value(mapping: Mapping) -> None:
    """It is written into files that travel."""
    said = _refusal(mapping, {"batches": [_debits("Mia Muster")]})

    assert "Mia" not in repr((said.line(), said.target, said.source, str(said.unusable)))


@pytest.mark.parametrize(
    ("each", "path", "found"),
    [
        ("item.a", "one.b.c", ["item.a[1].b.c", "item.a[2].b.c"]),
        ("item.a.b.c", "one", ["item.a[1].b.c", "item.a[2].b.c"]),
        ("item.x", "one.@k", ["item.x[1].@k", "item.x[2].@k"]),
        ("item.a[2].b", "one.c", ["item.a[2].b.c"]),
        ("item.Nr.1", "one", ["item.Nr.1"]),
        ("item.a", "one.index", ["item.a[1].index", "item.a[2].index"]),
    ],
)
def test_a_place_is_written_as_the_source_has_it(each: str, path: str, found: list[str]) -> None:
    """Objects, names with points, elements and attributes."""
    xml = etree.fromstring("<r><x k='1'/><x k='2'/></r>")
    body = {"a": [{"b": {"c": 1}}, {"b": {"c": 2}}], "Nr.1": "x", "x": list(xml)}
    members = read_members(SourcePath.parse(each), {"item": body})

    assert [str(ReadFrom(SourcePath.parse(path), member)) for member in members] == found
    assert all(read(SourcePath.parse(path), {"one": member}) is not None for member in members)
