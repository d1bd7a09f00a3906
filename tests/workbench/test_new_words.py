"""What people are told of `one_of`, `at_least`, `type`, `nil` and of numbered places: on the page, and when refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.mapping.schema.sources import roots_of
from kiezbruecke.workbench.doc import fields_of
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping

_LINE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "minLength": 1}}}
_RECORD = {
    "type": "object",
    "required": ["number", "sender", "lines"],
    "properties": {
        "number": {"type": "string", "minLength": 1},
        "sender": _LINE,
        "due": {"type": "string", "format": "date"},
        "mail": {"type": "string", "minLength": 1},
        "phone": {"type": "string", "minLength": 1},
        "payer": {"type": "string", "minLength": 1},
        "lines": {"type": "array", "items": _LINE},
    },
}
_SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:n" xmlns="urn:n"
    elementFormDefault="qualified">
  <xs:simpleType name="Kurz"><xs:restriction base="xs:string"><xs:maxLength value="9"/></xs:restriction></xs:simpleType>
  <xs:complexType name="Kontakt" abstract="true"/>
  <xs:complexType name="Post"><xs:complexContent><xs:extension base="Kontakt">
    <xs:sequence><xs:element name="Adresse" type="xs:string"/></xs:sequence>
  </xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="Partei">
    <xs:choice><xs:element name="Mail" type="xs:string"/><xs:element name="Telefon" type="xs:string"/></xs:choice>
  </xs:complexType>
  <xs:complexType name="Zeile"><xs:sequence><xs:element name="Nr" type="xs:string"/></xs:sequence></xs:complexType>
  <xs:element name="Brief"><xs:complexType><xs:sequence>
    <xs:element name="Frist" type="xs:date" nillable="true"/>
    <xs:element name="Partei" type="Partei"/>
    <xs:element name="Name" maxOccurs="3"><xs:complexType>
      <xs:sequence><xs:element name="Text" type="xs:string"/></xs:sequence>
    </xs:complexType></xs:element>
    <xs:element name="Kontakt" type="Kontakt" minOccurs="0"/>
    <xs:element name="Zeile" type="Zeile" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
_MAPPING = """name: brief
version: 1
direction: outbound
source: json bill
roots: [bill]
target: brief 1 Brief
rules:
  - {target: Frist, from: bill.due, nil: true}
  - target: Partei
    one_of:
      - {target: Mail, from: bill.mail, when: bill.mail}
      - {target: Telefon, from: bill.phone, when: bill.phone}
  - {target: Name/Text, from: bill.number}
  - {target: "Name[2]/Text", from: bill.payer}
  - target: Kontakt
    when: bill.mail
    type: Post
    rules:
      - {target: Adresse, from: bill.mail}
  - target: Zeile
    each: bill.lines
    as: line
    at_least: 1
    rules:
      - {target: Nr, from: line.id}
"""


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """A content folder with one mapping that says each of the words."""
    for name, text in (
        ("schemas/json/bill.schema.json", json.dumps(_RECORD)),
        ("schemas/brief/1/profile.xsd", _SCHEMA),
        ("mappings/outbound/brief/mapping.yaml", _MAPPING),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(text, "utf-8")
    return tmp_path


def _findings(content: Path) -> list[str]:
    found = check_mapping("brief", content)
    return [f"{one.place.line} {one.code} {one.message}; expected {one.expected}" for one in found]


def test_the_page_says_what_each_word_does(letter: Path) -> None:
    """A clerk signs for it: what is written for nothing, and what sets the record aside."""
    fields = {one.target: one for one in fields_of(load_mapping("brief", letter))}

    assert fields["Frist"].done == "wenn leer: ausdrücklich als leer gekennzeichnet"
    cases = "genau einer der Fälle, sonst wird der Vorgang zurückgestellt"
    assert fields["Partei/Mail"].condition == f"{cases}; nur wenn angegeben: bill.mail"
    assert fields["Kontakt/Adresse"].condition == "als „Post“; nur wenn angegeben: bill.mail"
    least = "(mindestens 1, sonst wird der Vorgang zurückgestellt)"
    assert fields["Zeile/Nr"].condition == f"je Eintrag von bill.lines {least}"


def test_a_duty_is_that_of_the_place(letter: Path) -> None:
    """Of a chosen type its children; of several of one name those that must be there."""
    duties = {one.target: one.duty for one in fields_of(load_mapping("brief", letter))}

    assert duties["Name/Text"] == "ja, laut Schema"
    assert duties["Name[2]/Text"] == "laut Schema, wenn der Abschnitt da ist"
    assert duties["Kontakt/Adresse"] == "laut Schema, wenn der Abschnitt da ist"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"number": "1", "mail": "m", "lines": []}, "'Zeile' (Quelle: bill.lines): es sind zu wenige Werte da"),
        ({"number": "1", "lines": [{"id": "1"}]}, "'Partei' (Quelle: bill.mail, bill.phone): keiner der vorgesehenen"),
    ],
)
def test_a_block_that_refuses_names_what_it_reads(letter: Path, record: dict[str, object], told: str) -> None:
    """Nothing of it is a constant, so none is named as the source."""
    mapping = load_mapping("brief", letter)

    with pytest.raises(RecordError) as refused:
        mapping.write(roots_of(record, mapping.definition, mapping.shape))
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        ("    type: Post\n", "", "15 KB-M07 'Kontakt' holds no other targets; expected type: one of Post"),
        ("type: Post", "type: Past", "17 KB-M07 no type 'Past' may stand at 'Kontakt'; expected Post"),
    ],
)
def test_an_abstract_type_without_parts_asks_for_its_choice(letter: Path, line: str, instead: str, told: str) -> None:
    """One finding each; that it 'holds no other targets' alone would lead away from what is missing."""
    assert not [one for one in _findings(letter) if "KB-M07" in one or "KB-M12" in one]
    file = letter / "mappings/outbound/brief/mapping.yaml"
    file.write_text(_MAPPING.replace(line, instead), "utf-8")

    assert [one for one in _findings(letter) if "KB-M07" in one or "KB-M12" in one] == [told]


def test_a_text_whose_type_others_are_derived_from_is_a_text(letter: Path) -> None:
    """`xs:string` has derived types in every schema that restricts it; none of them gives it fields."""
    request = ScaffoldRequest("neu", "json bill", source="brief 1 Brief")
    text = new_mapping(request, letter).read_text("utf-8")

    assert "#   brief.Kontakt.Adresse: text; may be empty\n" in text
    assert "#   brief.Partei: Partei with fields\n" in text


@pytest.mark.parametrize(("word", "count"), [("    at_least: 1\n", 0), ("", 1)])
def test_who_says_at_least_has_decided(letter: Path, word: str, count: int) -> None:
    """The warning asks for a decision about shorter lists; the word is that decision, as `required` is for a value."""
    file = letter / "mappings/outbound/brief/mapping.yaml"
    file.write_text(_MAPPING.replace("    at_least: 1\n", word), "utf-8")

    assert sum("'bill.lines' may hold fewer" in one for one in _findings(letter)) == count


@pytest.mark.parametrize(("header", "lost"), [("", ["bill.sender"]), ("unused: [bill.sender.id]\n", [])])
def test_who_leaves_every_field_out_leaves_the_whole_out(letter: Path, header: str, lost: list[str]) -> None:
    """Field by field or as a whole: both say the same."""
    file = letter / "mappings/outbound/brief/mapping.yaml"
    file.write_text(_MAPPING.replace("rules:\n", f"{header}rules:\n", 1), "utf-8")

    told = [one.split(" ")[5].strip(",") for one in _findings(letter) if "KB-M20 no rule reads" in one]
    assert told == lost
