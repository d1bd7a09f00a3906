"""Our profile of xdomea 4.0.0: never wider than the official schema, and narrower where that is safer."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.standards import store
from kiezbruecke.standards.validate import Validator

DATA = Path(__file__).parent / "data"
NARROWER = {
    "a file name that climbs out of its folder (trap 2.6-2)": ("_Vorschlag.pdf<", "/../../etc/passwd<"),
    "a moment without milliseconds (trap 2.6-3)": ("06:15:00.000Z", "06:15:00Z"),
    "a moment without a zone (trap 2.6-3)": ("06:15:00.000Z", "06:15:00.000"),
    "a field that says nothing": ("<xdomea:Wert>850.00</xdomea:Wert></xdomea:Feld>", "</xdomea:Feld>"),
    "an empty subject": ("Sommerfest am Müggelseedamm", ""),
    "a file without its hash": ("77aea1f1", "77AEA1F1"),
    "a code without its list": (' listURI="urn:xoev-de:xdomea:codeliste:medium"', ""),
}
NEITHER = {
    "letters beyond DIN 91379 in an attribute": ('produkt="Kiezbrücke"', 'produkt="Мост"'),
    "another version": (' version="4.0.0">', ' version="3.1.0">'),
    "an id that is no UUID": ("0b0c5d0e-0000-5000-8000-000000000002", "0815"),
    "a code that the list has not": ("<code>001<", "<code>009<"),
    "an element in the wrong place": ("<xdomea:Typ>", "<xdomea:ZdADatum>2026-01-01</xdomea:ZdADatum><xdomea:Typ>"),
}


@pytest.mark.parametrize("code", ["0401", "0402", "0403"])
def test_the_profile_takes_our_messages(content: Path, code: str) -> None:
    """Every element of the profile stands in these files."""
    store.validate(content, "xdomea", "4.0.0", (DATA / f"{code}.xml").read_bytes())


@pytest.mark.official
@pytest.mark.parametrize("code", ["0401", "0402", "0403"])
def test_the_official_schema_takes_them_too(content: Path, official: Path, code: str) -> None:
    """What the profile takes, the official schema takes: asked of libxml2 and of xmlschema."""
    checker = store.validator(content, "xdomea", "4.0.0", official=True)
    second = _second_opinion(official / "xdomea/4.0.0")

    assert checker is not None
    assert checker.problems(store.parse((DATA / f"{code}.xml").read_bytes())) == []
    assert second.is_valid(DATA / f"{code}.xml")


@pytest.mark.official
@pytest.mark.parametrize("case", NARROWER)
def test_narrower_than_the_standard_on_purpose(content: Path, official: Path, message: bytes, case: str) -> None:
    """These are officially valid, and we still do not send them."""
    payload = _changed(message, *NARROWER[case])

    assert _problems(content, payload, official=True) == []
    assert _problems(content, payload, official=False) != []


@pytest.mark.official
@pytest.mark.parametrize("case", NEITHER)
def test_never_wider_than_the_standard(content: Path, official: Path, message: bytes, case: str) -> None:
    """What the official schema refuses, the profile refuses."""
    payload = _changed(message, *NEITHER[case])

    assert _problems(content, payload, official=True) != []
    assert _problems(content, payload, official=False) != []


def test_true_is_not_written_for_a_fixed_one(content: Path, message: bytes) -> None:
    """Trap 2.6-1: libxml2 rejects `true` for fixed="1", xmlschema takes it. With the profile both refuse it."""
    payload = _changed(message, "Importbestaetigung>1<", "Importbestaetigung>true<")

    assert _problems(content, payload, official=False) != []
    assert not xmlschema.XMLSchema(store.profile(content, "xdomea", "4.0.0")).is_valid(etree.fromstring(payload))


def test_a_test_message_is_marked_by_presence(content: Path, message: bytes) -> None:
    """xdomea 4.0.0: the mere presence of @test makes a test, so a live message must not carry it at all."""
    root = store.parse(message)
    del root.attrib["test"]

    assert _problems(content, etree.tostring(root), official=False) == []


def test_a_broken_rule_is_named_without_the_value(content: Path, message: bytes) -> None:
    """Values may be personal data; the administration gets path, line and rule instead."""
    payload = _changed(message, "2026-04-24T06:15:00.000Z", "Erika Kanarienvogel")

    with pytest.raises(RecordError) as caught:
        store.validate(content, "xdomea", "4.0.0", payload)

    assert "erstellungszeitpunkt, Zeile 7" in caught.value.line()
    assert "Typ" in caught.value.line()
    assert "Erika" not in caught.value.line()


@cache
def _second_opinion(folder: Path) -> xmlschema.XMLSchema:
    """The official schema in xmlschema: slow to compile, and written by other people than libxml2."""
    return xmlschema.XMLSchema(
        folder / "xdomea-Nachrichten-AbgabeDurchfuehren.xsd",
        allow="local",
        uri_mapper=lambda uri: str(folder / uri.rpartition("/")[2]) if "//xoev.de/" in uri else uri,
    )


def _problems(content: Path, payload: bytes, *, official: bool) -> list[str]:
    checker = store.validator(content, "xdomea", "4.0.0", official=official)
    assert checker is not None
    return checker.problems(store.parse(payload))


def _changed(message: bytes, old: str, new: str) -> bytes:
    text = message.decode()
    assert old in text
    return text.replace(old, new).encode()


def test_a_schema_at_which_the_validator_gives_up_sets_the_record_aside() -> None:
    """libxml2 raises at an ambiguous pattern; that ended whole runs."""
    schema = etree.XMLSchema(
        etree.fromstring(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>'
            '<xs:restriction base="xs:string"><xs:pattern value="(a|aa)+b"/></xs:restriction>'
            "</xs:simpleType></xs:element></xs:schema>"
        )
    )
    root = etree.fromstring(f"<a>{'a' * 5000}c</a>")
    with pytest.raises(etree.XMLSchemaValidateError):
        schema.validate(root)

    [problem] = Validator("Probe", schema).problems(root)

    assert "lässt sich nicht prüfen" in problem
