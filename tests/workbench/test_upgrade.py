"""A mapping goes to another version of its target: every rule has a fate, and nothing disappears."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.workbench.upgrade import RuleChange, Upgrade, upgrade

ROOT = Path(__file__).parents[2]
STANDARDS = ROOT.parent / "shared" / "standards"
FILES = (
    "xdomea/3.1.0/xdomea-Nachrichten-AbgabeDurchfuehren.xsd",
    "xdomea/3.1.0/xdomea-Typen-AbgabeDurchfuehren.xsd",
    "xdomea/3.1.0/xdomea-Baukasten.xsd",
    "xdomea/3.1.0/xdomea-Datentypen.xsd",
    "xdomea/xoev/xoev-code.xsd",
    "xdomea/xoev/latinchars.xsd",
)
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x-test:{0}" targetNamespace="urn:x-test:{0}"
  elementFormDefault="qualified"><xs:element name="Antrag"><xs:complexType><xs:sequence>{1}</xs:sequence>
  </xs:complexType></xs:element></xs:schema>"""
TEXT = '<xs:element name="{}" type="xs:string" minOccurs="0"/>'
SHORT = (
    '<xs:element name="{}" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">'
    '<xs:maxLength value="{}"/></xs:restriction></xs:simpleType></xs:element>'
)
TOLD = (
    '<xs:element name="{}" type="xs:string" minOccurs="0"><xs:annotation><xs:documentation>{}</xs:documentation>'
    "</xs:annotation></xs:element>"
)
BLOCK = (
    '<xs:element name="{}" minOccurs="0"><xs:complexType><xs:sequence>{}</xs:sequence></xs:complexType></xs:element>'
)
OLD = "".join(
    [
        TEXT.format("Titel"),
        TEXT.format("Weg"),
        TEXT.format("Alt"),
        TEXT.format("Zahl"),
        SHORT.format("Ort", 100),
        SHORT.format("Zeichen", 100),
        TOLD.format("Ansprache", "Wie jemand angeredet wird."),
        BLOCK.format("Block", TEXT.format("A") + TEXT.format("B")),
    ]
)
NEW = "".join(
    [
        TEXT.format("Titel"),
        TEXT.format("Neu"),
        '<xs:element name="Zahl" type="xs:integer" minOccurs="0"/>',
        SHORT.format("Ort", 20),
        SHORT.format("Zeichen", 20),
        BLOCK.format("Kopf", TOLD.format("Ansprache", "Wie jemand angeredet wird.")),
        BLOCK.format("Block", TEXT.format("A")),
        '<xs:element name="Pflicht" type="xs:string"/>',
    ]
)
MAPPING = """\
# A remark at the top.
name: antrag
version: 3
direction: outbound
roots: [route]
target: antrag 1.0 Antrag
rules:
  - {target: Titel, from: route.title}   # stays
  - target: Weg
    from: route.way
    note: Der Weg
  - {target: Alt, from: route.old}
  - {target: Zahl, from: route.number, steps: [text]}
  - {target: Ort, from: route.place}

  # Who
  - {target: Zeichen, from: route.sign, steps: [{clip: 20}]}
  - {target: Ansprache, from: route.salutation}
  - target: Block
    rules:
      - {target: A, from: route.a}
      - {target: B, from: route.b}
"""


@pytest.fixture
def antrag(content: Path) -> Path:
    """A small standard in two versions, with a moves table, and a mapping to the old one."""
    for version, body in (("1.0", OLD), ("2.0", NEW)):
        folder = content / "schemas/antrag" / version
        folder.mkdir(parents=True)
        (folder / "profile.xsd").write_text(XSD.format(version, body), "utf-8")
    (content / "schemas/antrag/2.0/moves.yaml").write_text("from: '1.0'\nmoves: {Alt: Neu}\n", "utf-8")
    file = content / "mappings/outbound/antrag/mapping.yaml"
    file.parent.mkdir()
    file.write_text(MAPPING, "utf-8")
    return content


def fates(found: Upgrade) -> dict[str, RuleChange]:
    return {change.old or change.new: change for change in found.changes}


def raised(antrag: Path) -> Upgrade:
    return upgrade(load_mapping("antrag", antrag), antrag, "antrag 2.0 Antrag", "antrag")


def test_every_rule_has_a_fate_with_its_reason(antrag: Path) -> None:
    """Kept, moved – by the table or as the only match –, broken: removed or narrower; and what is mandatory now."""
    found = fates(raised(antrag))

    assert {old: change.status for old, change in found.items()} == {
        "Titel": "kept",
        "Weg": "broken",
        "Alt": "moved",
        "Zahl": "broken",
        "Ort": "broken",
        "Zeichen": "kept",
        "Ansprache": "moved",
        "Block": "kept",
        "Block/A": "kept",
        "Block/B": "broken",
        "Pflicht": "missing",
    }
    assert (found["Alt"].new, found["Ansprache"].new) == ("Neu", "Kopf/Ansprache")
    assert "removed" in found["Weg"].reason
    assert found["Zahl"].reason == "narrower: integer now, text before"
    assert "at most 20 characters now, 100 before" in found["Ort"].reason
    assert (found["Weg"].rule, found["Weg"].line) == (2, 9)


def test_nothing_is_deleted(antrag: Path) -> None:
    """Every line of the old file is there: as it was, at a new place, or as a comment where it stood."""
    text = raised(antrag).text
    stripped = [line.lstrip(" #") for line in text.splitlines()]

    for line in MAPPING.splitlines()[7:]:
        same = line.replace("Alt,", "Neu,").replace("Ansprache,", "Kopf/Ansprache,")
        assert same.lstrip(" #") in stripped, line
    assert "  - {target: Titel, from: route.title}   # stays\n" in text
    assert "  # - target: Weg\n  #   from: route.way\n  #   note: Der Weg\n" in text
    assert "      # - {target: B, from: route.b}\n" in text


def test_what_comes_out_has_no_error_but_what_is_missing(antrag: Path) -> None:
    """A person goes on from a file that can be checked."""
    said = CliRunner().invoke(
        app, ["upgrade", "antrag", "--to", "antrag 2.0 Antrag", "--out", "antrag-2", "--content", str(antrag)]
    )
    errors = [finding.code for finding in check_mapping("antrag-2", antrag) if finding.severity == "error"]

    assert said.exit_code == 1
    assert errors == ["KB-M12"]
    assert "# - {target: Pflicht, from: …}" in (antrag / "mappings/outbound/antrag-2/mapping.yaml").read_text("utf-8")


def test_a_dry_run_writes_nothing(antrag: Path) -> None:
    """Looking is free."""
    words = ["upgrade", "antrag", "--to", "antrag 2.0 Antrag", "--dry-run", "--json", "--content", str(antrag)]
    said = CliRunner().invoke(app, words)

    assert (antrag / "mappings/outbound/antrag/mapping.yaml").read_text("utf-8") == MAPPING
    assert len(json.loads(said.output)["changes"]) == 11


def test_in_place_the_version_grows(antrag: Path) -> None:
    """A new target is a new meaning."""
    assert "version: 4\n" in raised(antrag).text


def test_a_changed_code_list_breaks_the_rule(antrag: Path) -> None:
    """The schema fixes the list's version; ours is another one."""
    code = (
        '<xs:element name="Art" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="code" type="xs:string"/>'
        '</xs:sequence><xs:attribute name="listURI" fixed="urn:x" use="required"/>'
        '<xs:attribute name="listVersionID" fixed="{}" use="required"/></xs:complexType></xs:element>'
    )
    for version, number, body in (("1.0", "1", OLD), ("2.0", "2", NEW)):
        file = antrag / "schemas/antrag" / version / "profile.xsd"
        file.write_text(XSD.format(version, body + code.format(number)), "utf-8")
    (antrag / "mappings/codelists/art.yaml").write_text('uri: urn:x\nversion: "1"\ncodes: {"a": A}\n', "utf-8")
    file = antrag / "mappings/outbound/antrag/mapping.yaml"
    file.write_text(MAPPING + "  - target: Art\n    code: {list: art, value: a}\n", "utf-8")

    assert fates(raised(antrag))["Art"].reason == "code list changed: listVersionID is '2' now, 'art' says '1'"


@pytest.mark.official
@pytest.mark.skipif(not STANDARDS.joinpath(FILES[0]).is_file(), reason="no official schemas here")
def test_our_file_message_goes_to_the_old_standard_and_back(
    content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most rules find their place both ways; what 3.1.0 does not know is told, and stands there as a comment."""
    store = tmp_path / "store/xdomea/3.1.0"
    store.mkdir(parents=True)
    lines = ["standard: xdomea", "version: 3.1.0", "title: t", "namespace: urn:xoev-de:xdomea:schema:3.1.0"]
    lines += ["publisher: p", "place: p", "licence: l", f"entries: [{Path(FILES[0]).name}]", "files:"]
    for file in FILES:
        shutil.copy(STANDARDS / file, store)
        lines.append(f"  {Path(file).name}: {hashlib.sha256((STANDARDS / file).read_bytes()).hexdigest()}")
    manifest = content / "schemas/xdomea/3.1.0/manifest.yaml"
    manifest.parent.mkdir()
    manifest.write_text("\n".join(lines) + "\n", "utf-8")
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    there = upgrade(load_mapping("case-xdomea-0401", content), content, "xdomea 3.1.0 Abgabe.Abgabe.0401", "alt")
    told = fates(there)
    broken = {old for old, change in told.items() if change.status == "broken"}

    assert told["nachrichtenkopf/autor/NameInstitution/Name"].new == "Kopf/Absender/Institution/Name"
    assert told["Schriftgutobjekt/Vorgang/Identifikation/xdomeaUUID"].new.endswith("Identifikation/ID")
    assert told["Schriftgutobjekt/Vorgang/DokumentOderDokumentMitSchriftstueck"].new.endswith("Vorgang/Dokument")
    assert "listVersionID is '2.0' now" in told["nachrichtenkopf/identifikation.nachricht/nachrichtentyp"].reason
    assert {"@test", "nachrichtenkopf/identifikation.nachricht/nachrichtenUUID"} <= broken
    assert len(broken) < len(told) / 4

    home = content / "mappings/outbound/alt/mapping.yaml"
    home.parent.mkdir()
    lost = "  # - {target: Kopf/Nachrichtentyp, from: …}"
    assert lost in there.text
    found = "  - {target: Kopf/Nachrichtentyp/code, const: '0401'}"
    home.write_text(there.text.replace(lost, found), "utf-8")
    returned = upgrade(load_mapping("alt", content), content, "xdomea 4.0.0 Abgabe.Abgabe.0401", "neu")
    back = fates(returned)
    assert back["Kopf/Absender/Institution/Name"].new == "nachrichtenkopf/autor/NameInstitution/Name"
    assert "nachrichtenkopf/identifikation.nachricht/nachrichtenUUID" in str(back)
    homes = [one.new for one in returned.changes if one.old == "Schriftgutobjekt/Vorgang/Dokument"]
    assert homes[0].endswith("/DokumentOderDokumentMitSchriftstueck")
    assert [old.rpartition("/")[2] for old, change in back.items() if change.status == "broken"] == ["Dateiname"]
