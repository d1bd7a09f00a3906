"""Schemas as standards write them: several documents, WSDL types, groups that repeat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.schema.xsd import Schemas

Put = Callable[[str, str], Path]
XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
HEAD = "name: out\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: s 1 Root\nrules:\n"
WSDL = f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/"><w:types>
<xs:schema {XS} xmlns:a="urn:a" xmlns:b="urn:b" targetNamespace="urn:a" elementFormDefault="qualified">
  <xs:import namespace="urn:b"/>
  <xs:element name="Root"><xs:complexType><xs:sequence>
    <xs:element name="Own" type="b:Four"/><xs:element ref="b:Other" minOccurs="0"/>
  </xs:sequence><xs:attributeGroup ref="b:Marks"/></xs:complexType></xs:element>
</xs:schema>
<xs:schema {XS} xmlns:b="urn:b" targetNamespace="urn:b">
  <xs:simpleType name="Four"><xs:restriction base="xs:string"><xs:length value="4"/></xs:restriction></xs:simpleType>
  <xs:attribute name="mark" type="b:Four"/>
  <xs:attributeGroup name="Marks"><xs:attribute ref="b:mark" use="required"/></xs:attributeGroup>
  <xs:element name="Other" type="xs:string"/>
</xs:schema></w:types></w:definitions>"""


def _schema(body: str) -> str:
    return f'<xs:schema {XS} xmlns="urn:s" targetNamespace="urn:s" elementFormDefault="qualified">{body}</xs:schema>'


def _root(content: str) -> str:
    return _schema(f'<xs:element name="Root"><xs:complexType>{content}</xs:complexType></xs:element>')


@pytest.fixture
def write(content: Path, put: Put) -> Callable[..., etree._Element]:
    """Writes with the given rules against the given schema, and validates the result."""

    def with_schema(schema: str, rules: str, **route: Any) -> etree._Element:
        file = put("schemas/s/1/profile.xsd", schema)
        put("mappings/outbound/out/mapping.yaml", HEAD + rules)
        root = etree.fromstring(load_mapping("out", content).write({"route": route}))
        etree.XMLSchema(file=file).assertValid(root)
        return root

    return with_schema


def _tags(root: etree._Element) -> str:
    return " ".join(etree.QName(child).localname for child in root)


def test_a_sequence_that_repeats_keeps_its_pairs_together(write: Callable[..., etree._Element]) -> None:
    """A B A B, not A A B B."""
    schema = _root(
        '<xs:sequence maxOccurs="unbounded"><xs:element name="A" type="xs:string"/>'
        '<xs:element name="B" type="xs:string"/></xs:sequence>'
    )
    rules = '- {target: A, from: route.a}\n- {target: "A[2]", from: route.a}\n'
    rules += '- {target: B, from: route.b}\n- {target: "B[2]", from: route.b}\n'

    assert _tags(write(schema, rules, a="1", b="2")) == "A B A B"


def test_a_choice_that_repeats_takes_every_branch(write: Callable[..., etree._Element]) -> None:
    """Nothing that a rule gave may get lost."""
    schema = _root(
        '<xs:choice maxOccurs="unbounded"><xs:element name="A" type="xs:string"/>'
        '<xs:element name="B" type="xs:string"/></xs:choice>'
    )

    assert _tags(write(schema, "- {target: B, from: route.b}\n- {target: A, from: route.a}\n", a="1", b="2")) == "A B"


def test_a_list_and_a_union_are_judged_as_the_schema_says(write: Callable[..., etree._Element]) -> None:
    """Text rules stay with libxml2."""
    schema = _schema(
        '<xs:simpleType name="Word"><xs:restriction base="xs:token"><xs:enumeration value="x"/></xs:restriction>'
        '</xs:simpleType><xs:simpleType name="Any"><xs:union memberTypes="xs:int Word"/></xs:simpleType>'
        '<xs:element name="Root"><xs:complexType><xs:sequence><xs:element name="U" type="Any"/><xs:element name="L">'
        '<xs:simpleType><xs:list itemType="Any"/></xs:simpleType></xs:element></xs:sequence></xs:complexType>'
        "</xs:element>"
    )
    rules = "- {target: U, from: route.u}\n- {target: L, from: route.l}\n"

    assert write(schema, rules, u="x", l="1 x 2")[0].text == "x"
    with pytest.raises(RecordError, match="'U'"):
        write(schema, rules, u="y", l="1")


def test_schemas_of_a_wsdl_import_one_another_by_namespace(tmp_path: Path) -> None:
    """A WSDL profile has no schemaLocation at all."""
    file = tmp_path / "profile.wsdl"
    file.write_text(WSDL, "utf-8")

    root = Schemas.read(file).root("Root")

    assert {name: node.namespace for name, node in root.children.items()} == {
        "@mark": "urn:b",
        "Own": "urn:a",
        "Other": "urn:b",
    }
    assert root.children["Own"].leaf is not None
    assert root.children["Own"].leaf.max_length == 4


def test_an_included_file_takes_the_namespace_of_its_host(write: Callable[..., etree._Element], put: Put) -> None:
    """A chameleon, as standards like them."""
    put(
        "schemas/s/1/parts.xsd",
        f'<xs:schema {XS}><xs:complexType name="Part"><xs:sequence><xs:element name="A" type="Own" form="qualified"/>'
        '</xs:sequence></xs:complexType><xs:simpleType name="Own"><xs:restriction base="xs:string"/></xs:simpleType>'
        "</xs:schema>",
    )
    schema = _schema('<xs:include schemaLocation="parts.xsd"/><xs:element name="Root" type="Part"/>')

    assert write(schema, "- {target: A, from: route.a}\n", a="1")[0].tag == "{urn:s}A"


def test_a_fixed_value_is_nobody_elses(write: Callable[..., etree._Element]) -> None:
    """A source that says otherwise cannot become this message."""
    schema = _root('<xs:sequence><xs:element name="A" type="xs:string" fixed="EUR"/></xs:sequence>')

    assert write(schema, "- {target: A, from: route.a}\n", a="EUR")[0].text == "EUR"
    with pytest.raises(RecordError, match="erwartet: EUR"):
        write(schema, "- {target: A, from: route.a}\n", a="USD")
    with pytest.raises(ConfigurationError, match="the schema fixes 'A'"):
        write(schema, "- {target: A, const: USD}\n")


def test_a_name_that_is_nowhere_defined_stops_the_run(tmp_path: Path) -> None:
    """Half a schema would let half a message through."""
    file = tmp_path / "profile.xsd"
    file.write_text(_schema('<xs:element name="Root" type="Nowhere"/>'), "utf-8")

    with pytest.raises(ConfigurationError, match="'Nowhere', which is nowhere defined"):
        Schemas.read(file).root("Root")
