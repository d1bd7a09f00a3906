"""Drift says "breaking" where the next message would be refused, and nowhere else: the validator is the judge."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiezbruecke.drift import as_written, breaking, fingerprint_file, look_at_mapping, read_fingerprint, render, take
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.standards import store
from tests.cli.conftest import Call, call

__all__ = ["call"]

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns:a="urn:a"
  elementFormDefault="qualified">
<xs:import namespace="urn:b" schemaLocation="b.xsd"/>
<xs:simpleType name="Kurz"><xs:restriction base="xs:string"><xs:maxLength value="20"/></xs:restriction></xs:simpleType>
<xs:simpleType name="Art"><xs:restriction base="xs:token"><xs:enumeration value="neu"/><xs:enumeration value="alt"/>
</xs:restriction></xs:simpleType>
<xs:element name="Meldung"><xs:complexType><xs:sequence>
<xs:element name="Titel" type="a:Kurz"/>
<xs:element name="Art" type="a:Art"/>
<xs:element name="Jahr" type="xs:int"/>
<xs:element name="Wort" type="xs:string" minOccurs="0"/>
<xs:element name="Tag" type="xs:date" minOccurs="0" nillable="true"/>
<xs:element name="Ort" type="xs:string" minOccurs="0" maxOccurs="3"/>
<xs:element name="Rest" type="xs:string" minOccurs="0"/>
<xs:element xmlns:b="urn:b" ref="b:Zusatz"/>
</xs:sequence><xs:attribute name="stand" use="required" type="xs:string"/></xs:complexType></xs:element></xs:schema>"""
OTHER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:b">
<xs:element name="Zusatz" type="xs:string"/></xs:schema>"""
MAPPING = """name: out
version: 1
direction: outbound
roots: [route]
target: probe 1 Meldung
rules:
  - {target: "@stand", from: route.stand}
  - {target: Titel, from: route.titel}
  - {target: Art, const: neu}
  - {target: Jahr, from: route.jahr}
  - {target: Wort, from: route.wort}
  - {target: Tag, from: route.tag, nil: true}
  - {target: Ort, each: route.orte, as: ort, from: ort}
  - {target: Zusatz, const: x}
"""
ROUTE = {"stand": "s", "titel": "Zwanzig Zeichen lang", "jahr": 40000, "wort": "zwei  Worte", "orte": ["A", "B", "C"]}
NEW = '<xs:element name="Neu" type="xs:int"{}/><xs:element name="Art"'
STAND, ART = '<xs:attribute name="stand"', '<xs:element name="Art" type="a:Art"'
SAID = "<xs:annotation><xs:documentation>Jahr</xs:documentation></xs:annotation>"
EDITS = {
    "a comment": ('<xs:element name="Titel"', '<!-- neu --><xs:element name="Titel"', False),
    "a documented element": ('"Jahr" type="xs:int"/>', f'"Jahr" type="xs:int">{SAID}</xs:element>', False),
    "another name of a type": ('Kurz"', 'Kurz2"', False),
    "an optional element more": ('<xs:element name="Art"', NEW.format(' minOccurs="0"'), False),
    "a mandatory element more": ('<xs:element name="Art"', NEW.format(""), True),
    "a mandatory attribute more": (STAND, f'<xs:attribute name="neu" use="required"/>{STAND}', True),
    "a fixed attribute more": (STAND, f'<xs:attribute name="neu" use="required" fixed="1"/>{STAND}', False),
    "an unused element gone": ('<xs:element name="Rest" type="xs:string" minOccurs="0"/>', "", False),
    "a used element gone": ('<xs:element name="Wort" type="xs:string" minOccurs="0"/>', "", True),
    "an attribute gone": (f'{STAND} use="required" type="xs:string"/>', "", True),
    "shorter": ('maxLength value="20"', 'maxLength value="19"', True),
    "longer": ('maxLength value="20"', 'maxLength value="21"', False),
    "an unused value gone": ('<xs:enumeration value="alt"/>', "", False),
    "a used value gone": ('<xs:enumeration value="neu"/>', "", True),
    "fewer places": ('maxOccurs="3"', 'maxOccurs="2"', True),
    "more places": ('maxOccurs="3"', 'maxOccurs="4"', False),
    "no longer nillable": (' nillable="true"', "", True),
    "a smaller number": ('type="xs:int"', 'type="xs:short"', True),
    "a larger number": ('type="xs:int"', 'type="xs:long"', False),
    "a text of another kind": ('name="Wort" type="xs:string"', 'name="Wort" type="xs:gYear"', True),
    "a word instead of a text": ('name="Wort" type="xs:string"', 'name="Wort" type="xs:NMTOKEN"', True),
    "a text instead of a day": ('type="xs:date"', 'type="xs:string"', False),
    "another fixed value": (ART, f'{ART} fixed="alt"', True),
    "its own fixed value": (ART, f'{ART} fixed="neu"', False),
}


@pytest.fixture
def root(content: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A content with one mapping whose fingerprint is accepted."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(content / "store"))
    shutil.rmtree(content / "mappings" / "outbound")
    folder = content / "mappings" / "outbound" / "out"
    folder.mkdir(parents=True)
    (folder / "mapping.yaml").write_text(MAPPING)
    _take(content, SCHEMA)
    mapping = load_mapping("out", content)
    fingerprint_file(mapping, content).write_text(render(take(mapping, content)))
    store.validate(content, "probe", "1", mapping.write({"route": ROUTE}))
    return content


def _take(content: Path, schema: str, other: str = OTHER) -> None:
    folder = content / "given"
    folder.mkdir(exist_ok=True)
    (folder / "a.xsd").write_text(schema)
    (folder / "b.xsd").write_text(other)
    store.add(content, folder, "probe", "1", force=True)


@pytest.mark.parametrize("case", EDITS)
def test_breaking_is_what_the_next_message_shows(root: Path, case: str) -> None:
    """The mapping as it stands there, upon the schema as it is now."""
    old, new, broken = EDITS[case]
    assert old in SCHEMA
    _take(root, SCHEMA.replace(old, new))

    assert _is_broken(root) is broken
    assert bool(_breaking(root)) is broken, _breaking(root)


def test_another_namespace_of_an_imported_part_breaks(root: Path) -> None:
    """An element keeps its name and is another one: who reads the message asks for both."""
    _take(root, SCHEMA.replace("urn:b", "urn:c"), OTHER.replace("urn:b", "urn:c"))

    assert _breaking(root) == ["breaking: target Zusatz: namespace urn:b became urn:c"]


def test_local_elements_without_a_namespace_break(root: Path) -> None:
    """`elementFormDefault` is one word in the file's first line."""
    _take(root, SCHEMA.replace(' elementFormDefault="qualified"', "").replace('\n  elementFormDefault="qualified"', ""))

    assert "breaking: target Titel: namespace of the root became none" in _breaking(root)
    assert not any("Zusatz" in line for line in _breaking(root))


def test_a_fingerprint_of_an_older_version_does_not_cry_wolf(root: Path) -> None:
    """It says neither types nor namespaces below the root; what it says is compared."""
    file = root / "mappings" / "outbound" / "out" / "fingerprint.yaml"
    lines = file.read_text().splitlines()
    older = [line.replace(', "namespace": "urn:b"', "") for line in lines]
    for kind in ("string", "token", "int", "date"):
        older = [line.replace(f', "type": "{kind}"', "").replace(f'"type": "{kind}"', "") for line in older]
    assert older != lines
    file.write_text("\n".join(older) + "\n")
    _take(root, SCHEMA.replace("<xs:sequence>", "<!-- neu --><xs:sequence>"))

    assert _breaking(root) == []


def test_one_broken_schema_leaves_the_other_mappings(root: Path, call: Call) -> None:
    """Each says what is wrong with it; what can be compared is compared, also where a mapping's check fails."""
    copy = root / "mappings" / "outbound" / "zweite"
    shutil.copytree(root / "mappings" / "outbound" / "out", copy)
    (copy / "mapping.yaml").write_text(MAPPING.replace("name: out", "name: zweite").replace("probe 1", "weg 1"))
    _take(root, SCHEMA.replace('<xs:element name="Wort" type="xs:string" minOccurs="0"/>', ""))

    done = call("drift", "check", "--content", str(root), "out", "zweite")

    assert done.code == 2
    assert "breaking: out: target Wort: is gone" in done.out
    assert "KB-100 zweite: mappings/outbound/zweite/mapping.yaml:5:9: KB-M06 no schema of weg 1" in done.err
    assert call("drift", "check", "--content", str(root), "out").code == 1


def _breaking(content: Path) -> list[str]:
    mapping = as_written("out", content)
    accepted = read_fingerprint(mapping, content)
    assert accepted is not None
    return [change.line() for change in breaking(look_at_mapping(mapping, content, accepted))]


def _is_broken(content: Path) -> bool:
    """Whether the mapping can no longer be loaded, or writes what the validator refuses."""
    try:
        store.validate(content, "probe", "1", load_mapping("out", content).write({"route": ROUTE}))
    except KiezbrueckeError:
        return True
    return False
