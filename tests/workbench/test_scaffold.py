"""`mapping new`: a mapping to begin with, that is right but for what only a person knows."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from lxml import etree
from ruamel.yaml import YAML
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.mapping.schema.models import root_models, root_types
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.workbench.examples import find_examples, read_roots, run_examples
from kiezbruecke.workbench.guessing import Guesser
from kiezbruecke.workbench.invented import input_text
from kiezbruecke.workbench.preview import preview, whole
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping

STANDARDS = Path(__file__).parents[2].parent / "shared" / "standards"
SHIPPED = [
    "xdomea 4.0.0 Abgabe.Abgabe.0401",
    "hkr 1.0 Anordnung",
    "table status-list",
    "record Proposal",
    "record Decision",
    "record Receipt",
]
OFFICIAL = [
    ("iso20022", "pain.001.001.09", "Document", "iso20022/pain.001.001.09.xsd"),
    ("iso20022", "camt.053.001.08", "Document", "iso20022/camt.053.001.08.xsd"),
    ("iso20022", "camt.055.001.08", "Document", "iso20022/camt.055.001.08.xsd"),
    ("xdomea-official", "4.0.0", "Abgabe.Abgabe.0401", "xdomea/4.0.0/xdomea-Nachrichten-AbgabeDurchfuehren.xsd"),
    ("xdomea-official", "3.1.0", "Abgabe.Abgabe.0401", "xdomea/3.1.0/xdomea-Nachrichten-AbgabeDurchfuehren.xsd"),
    ("xta-official", "2.1.1", "MessageMetaData", "xta/2.1.1/OSCI_MessageMetaData_V2.02.xsd"),
]
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:antrag" xmlns="urn:antrag"
  elementFormDefault="qualified">
  <xs:element name="Antrag"><xs:complexType><xs:sequence>
    <xs:element name="Betreff"><xs:annotation>
      <xs:documentation xml:lang="en">What it is about.</xs:documentation>
      <xs:documentation xml:lang="de">Worum es geht.</xs:documentation></xs:annotation>
      <xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="40"/></xs:restriction></xs:simpleType>
    </xs:element>
    <xs:element name="Fassung" fixed="1" type="xs:string"/>
    <xs:element name="Waehrung"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="EUR"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="Art"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="NEU"/><xs:enumeration value="ALT"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="Betrag" type="xs:decimal"/>
    <xs:choice><xs:element name="Gruppe" type="Gruppe"/><xs:element name="Farbe" type="xs:string"/></xs:choice>
    <xs:element name="Dokument" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="Dateiname" type="xs:string"/><xs:element name="Titel" type="xs:string"/>
    </xs:sequence><xs:attribute name="lfd" type="xs:int" use="required"/></xs:complexType></xs:element>
    <xs:element name="Bemerkung" type="xs:string" minOccurs="0"/>
    <xs:element name="Stelle" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="Zimmer" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="key" type="xs:string" use="required"/></xs:complexType></xs:element>
  <xs:complexType name="Gruppe"><xs:choice>
    <xs:element name="Gruppe" type="Gruppe"/><xs:element name="Blatt" type="xs:string"/>
  </xs:choice></xs:complexType>
</xs:schema>"""


def _own(content: Path, standard: str = "antrag", version: str = "1") -> Path:
    """The small schema above, as a profile."""
    folder = content / "schemas" / standard / version
    folder.mkdir(parents=True)
    (folder / "profile.xsd").write_text(XSD, "utf-8")
    return folder / "profile.xsd"


def _official(content: Path, standard: str, version: str, entry: str) -> Path:
    """Official files as a profile of a content that is thrown away; skips where there are none."""
    if not (STANDARDS / entry).is_file():
        pytest.skip(f"no official schema {STANDARDS / entry}")
    folder = content / "schemas" / standard / version
    folder.mkdir(parents=True)
    for file in [*(STANDARDS / entry).parent.glob("*.xsd"), *(STANDARDS / "xoev-code" / "1.0").glob("*.xsd")]:
        shutil.copy(file, folder)
    shutil.copy(STANDARDS / entry, folder / "profile.xsd")
    return folder / "profile.xsd"


def _new(
    content: Path, target: str, *, name: str = "neu", opened: tuple[str, ...] = (), optional: bool = False
) -> Path:
    return new_mapping(ScaffoldRequest(name, target, opened=opened, optional=optional), content)


def _fill(file: Path, answers: dict[str, str]) -> None:
    """Answers every TODO by its target; fails where one is left or an answer has no question."""
    text = file.read_text("utf-8")
    for target, answer in answers.items():
        text, count = re.subn(rf'(target: "?{re.escape(target)}"?, )(from|const): TODO', rf"\g<1>{answer}", text)
        assert count == 1, target
    assert "from: TODO" not in text
    assert "const: TODO" not in text
    file.write_text(text, "utf-8")


def _lines_without_todo(file: Path, content: Path) -> list[str]:
    lines = file.read_text("utf-8").splitlines()
    return [finding.line() for finding in check_mapping("neu", content) if "TODO" not in lines[finding.place.line - 1]]


@pytest.mark.parametrize("target", SHIPPED)
def test_what_check_finds_is_what_says_todo(content: Path, target: str) -> None:
    """Whoever starts with a scaffold has a list of what is left, and no finding that they did not cause."""
    file = _new(content, target)
    findings = check_mapping("neu", content)

    assert findings
    assert _lines_without_todo(file, content) == []
    unknown = [line for line in file.read_text("utf-8").splitlines() if "from: TODO" in line or "const: TODO" in line]
    assert len({finding.place.line for finding in findings}) >= len(unknown)


@pytest.mark.official
@pytest.mark.parametrize(("standard", "version", "root", "entry"), OFFICIAL)
def test_official_schemas_give_scaffolds_too(content: Path, standard: str, version: str, root: str, entry: str) -> None:
    """Schemas that nobody here has written: every mandatory place has a rule, nothing else is wrong."""
    _official(content, standard, version, entry)
    file = _new(content, f"{standard} {version} {root}")

    assert "TODO" in file.read_text("utf-8")
    assert _lines_without_todo(file, content) == []


def test_a_filled_scaffold_gives_valid_bytes(content: Path) -> None:
    """From a schema to a valid message: fill the TODOs, look, write."""
    xsd = _own(content)
    file = _new(content, "antrag 1 Antrag")
    _fill(file, {"@key": "from: case.reference", "Art": "const: NEU", "Gruppe/Blatt": "const: Linde"})
    mapping = load_mapping("neu", content)
    roots = {one.name: read_roots(mapping, content, one) for one in find_examples("neu", content)}
    written = {name: etree.fromstring(mapping.write(body)) for name, body in roots.items()}

    assert sorted(written) == ["full", "minimal"]
    assert [row.problem for row in preview(mapping, roots["full"]) if row.problem] == []
    assert whole(mapping, roots["full"]) == ""
    etree.XMLSchema(etree.parse(xsd)).assertValid(written["full"])
    assert written["full"].findtext("{urn:antrag}Betreff") == "Sommerfest am Wasser"


@pytest.mark.official
def test_a_payment_is_filled_and_valid(content: Path) -> None:
    """pain.001 has 1,295 places; a dozen are mandatory."""
    xsd = _official(content, "iso20022", "pain.001.001.09", "iso20022/pain.001.001.09.xsd")
    file = _new(content, "iso20022 pain.001.001.09 Document")
    paid = "CstmrCdtTrfInitn/PmtInf"
    _fill(
        file,
        {
            "CstmrCdtTrfInitn/GrpHdr/NbOfTxs": 'const: "1"',
            "CstmrCdtTrfInitn/GrpHdr/InitgPty/Nm": "const: Bezirksamt",
            f"{paid}/Dbtr/Nm": "const: Bezirkskasse",
            f"{paid}/DbtrAgt/FinInstnId/BICFI": "const: COBADEFFXXX",
            f"{paid}/PmtMtd": "const: TRF",
            f"{paid}/DbtrAcct/Id/IBAN": "const: DE02120300000000202051",
            f"{paid}/CdtTrfTxInf/Amt/InstdAmt/@Ccy": "const: EUR",
        },
    )
    mapping = load_mapping("neu", content)
    results = run_examples(mapping, content, update=True)
    example = next(one for one in find_examples("neu", content) if one.name == "full")

    assert [result.problem for result in results] == ["", ""]
    etree.XMLSchema(etree.parse(xsd)).assertValid(etree.parse(example.beside("expected.xml")))


def test_the_rules_say_what_the_schema_says(content: Path) -> None:
    """German documentation, length and codes; a constant where only one is allowed; nothing about fixed values."""
    _own(content)
    text = _new(content, "antrag 1 Antrag").read_text("utf-8")

    assert "  # Worum es geht.\n  # text, at most 40 characters\n  - {target: Betreff, from: case.title" in text
    assert "What it is about" not in text
    assert "{target: Waehrung, const: EUR}" in text
    assert "  # one of: NEU, ALT\n  - {target: Art, const: TODO}" in text
    assert "target: Fassung" not in text
    assert "target: Betrag, from: decision.approved_amount, required: true}  # TODO guess: please check" in text


def test_a_choice_takes_a_branch_that_ends(content: Path) -> None:
    """A group holds a group or a leaf: only the leaf comes to an end."""
    _own(content)
    text = _new(content, "antrag 1 Antrag").read_text("utf-8")

    assert "# A choice: Gruppe – or Farbe" in text
    assert "# A choice: Blatt – or Gruppe" in text
    assert "target: Gruppe/Blatt" in text
    assert "Gruppe/Gruppe" not in text


def test_what_repeats_goes_through_a_list_of_that_name(content: Path) -> None:
    """Dokument and case.documents share a meaning; in the block the members' fields are guessed."""
    _own(content)
    file = _new(content, "antrag 1 Antrag")
    block = next(
        rule for rule in YAML(typ="safe").load(file.read_text("utf-8"))["rules"] if rule["target"] == "Dokument"
    )

    assert (block["each"], block["as"]) == ("case.documents", "document")
    assert {rule["target"]: rule["from"] for rule in block["rules"]} == {
        "@lfd": "document.index",
        "Dateiname": "document.file",
        "Titel": "document.title",
    }


def test_optional_places_are_listed_or_opened(content: Path) -> None:
    """`--optional` lists them as comments, `--open` writes one like a mandatory place."""
    _own(content)
    listed = _new(content, "antrag 1 Antrag", optional=True).read_text("utf-8")
    opened = _new(content, "antrag 1 Antrag", name="anders", opened=("Stelle",)).read_text("utf-8")

    assert "  # optional: - {target: Bemerkung, from: TODO}  # text" in listed
    assert "  - {target: Stelle/Zimmer" not in listed
    assert "  - {target: Stelle/Zimmer, from: TODO}" in opened
    assert "Bemerkung" not in opened


def test_comments_are_not_counted_as_to_do(content: Path) -> None:
    """81 lines to fill in frighten, where three are left."""
    _own(content)
    counts = []
    for name, more in (("kurz", []), ("lang", ["--optional"])):
        command = ["new", name, "--target", "antrag 1 Antrag", "--json", "--content", str(content), *more]
        counts.append(json.loads(CliRunner().invoke(app, command).stdout)[0]["todo"])

    assert counts[0] == counts[1] > 0


def test_the_same_target_gives_the_same_files(content: Path, tmp_path: Path) -> None:
    """A scaffold is compared and reviewed like any file."""
    _own(content)
    other = tmp_path / "other"
    shutil.copytree(content, other)
    first, second = _new(content, "antrag 1 Antrag").parent, _new(other, "antrag 1 Antrag").parent
    files = [file.relative_to(first) for file in sorted(first.rglob("*.yaml"))]

    assert len(files) == 3
    assert [(first / file).read_bytes() for file in files] == [(second / file).read_bytes() for file in files]


@pytest.mark.parametrize(("version", "taken"), [("3.0", True), ("2.0", False)])
def test_a_code_list_is_taken_in_the_version_that_the_schema_fixes(content: Path, version: str, taken: bool) -> None:
    """A list of another version has other codes, and `check` would refuse it at once."""
    file = _own(content, "nachricht")
    file.write_text(
        f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="R"><xs:complexType><xs:sequence>
        <xs:element name="Typ"><xs:complexType><xs:sequence><xs:element name="code" type="xs:token"/></xs:sequence>
        <xs:attribute name="listURI" use="required" fixed="urn:xoev-de:xdomea:codeliste:nachrichtentyp"/>
        <xs:attribute name="listVersionID" use="required" fixed="{version}"/></xs:complexType></xs:element>
        </xs:sequence></xs:complexType></xs:element></xs:schema>""",
        "utf-8",
    )
    text = _new(content, "nachricht 1 R").read_text("utf-8")

    assert ("code: {list: xdomea-nachrichtentyp, value: TODO}" in text) is taken
    assert ("{target: Typ/code, from: TODO}" in text) is not taken


@pytest.mark.parametrize(
    "path",
    ["Kopf/Erstellungszeitpunkt", "Kopf/Erstellt", "Kopf/Sendezeitpunkt", "Header/timestamp", "erstellungszeitpunkt"],
)
def test_a_moment_of_a_message_is_guessed_from_its_clock(path: str) -> None:
    """There is one clock that a mapping has, and every head of a message asks for it."""
    guess = Guesser(root_types(("case", "decision", "message"))).guess(path, Leaf("moment"))

    assert guess is not None
    assert guess.path == "message.created_at"


@pytest.mark.parametrize("path", ["Beschluss/Zeitpunkt", "Frist", "Antrag/Eingang"])
def test_another_moment_is_left_to_a_person(path: str) -> None:
    """When something else happened, no clock of ours knows."""
    assert Guesser(root_types(("case", "decision", "message"))).guess(path, Leaf("moment")) is None


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (ScaffoldRequest("case-statusliste", "table status-list"), "already a mapping"),
        (ScaffoldRequest("Neu", "table status-list"), "small letters"),
        (ScaffoldRequest("../neu", "table status-list"), "small letters"),
        (ScaffoldRequest("neu", "table status-lst"), "status-l"),
        (ScaffoldRequest("neu", "table status-list", roots=("cases",)), "did you mean 'case'"),
        (ScaffoldRequest("neu", "table status-list", direction="inbound"), "outbound"),
        (ScaffoldRequest("neu", "hkr 1.0 Anordnung", opened=("Empfaenger/Nam",)), "did you mean 'Name'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_line(content: Path, order: ScaffoldRequest, told: str) -> None:
    """And nothing is written."""
    before = sorted((content / "mappings").rglob("*"))
    with pytest.raises(ConfigurationError) as refused:
        new_mapping(order, content)

    assert told in refused.value.line()
    assert sorted((content / "mappings").rglob("*")) == before


@pytest.mark.parametrize("name", sorted(root_models()))
@pytest.mark.parametrize("full", [True, False])
def test_invented_roots_are_valid(name: str, full: bool) -> None:
    """A preview begins with them; a value that its own model refuses would be the first thing to stumble over."""
    body = YAML(typ="base").load(input_text((name,), [f"{name}.title"], full=full))

    assert root_models()[name].model_validate(body[name])


def test_an_abstract_type_becomes_a_block_with_one_of_its_types(content: Path) -> None:
    """Nothing can be written below an abstract type before one that stands for it is chosen."""
    file = _own(content, "person")
    file.write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="R"><xs:complexType><xs:sequence>
        <xs:element name="P" type="Person"/></xs:sequence></xs:complexType></xs:element>
        <xs:complexType name="Person" abstract="true"><xs:sequence><xs:element name="Wer" type="xs:string"/>
        </xs:sequence></xs:complexType>
        <xs:complexType name="Mensch">
        <xs:complexContent><xs:extension base="Person"/></xs:complexContent></xs:complexType>
        <xs:complexType name="Firma">
        <xs:complexContent><xs:extension base="Person"/></xs:complexContent></xs:complexType>
        </xs:schema>""",
        "utf-8",
    )
    written = _new(content, "person 1 R")
    block = YAML(typ="safe").load(written.read_text("utf-8"))["rules"][0]

    assert (block["target"], block["type"]) == ("P", "Mensch")
    assert "# A choice of type: Mensch – or Firma" in written.read_text("utf-8")
    assert _lines_without_todo(written, content) == []


def test_a_choice_with_a_fixed_branch_needs_a_rule(content: Path) -> None:
    """The writer chooses no branch by itself, so the scaffold must, as the check says."""
    file = _own(content, "wahl")
    file.write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="R"><xs:complexType><xs:choice>
        <xs:element name="Fest" type="xs:string" fixed="F"/><xs:element name="Frei" type="xs:string"/>
        </xs:choice></xs:complexType></xs:element></xs:schema>""",
        "utf-8",
    )
    written = _new(content, "wahl 1 R")

    assert "- {target: Fest, const: F}" in written.read_text("utf-8")
    assert [one.code for one in check_mapping("neu", content) if one.severity == "error"] == []


def test_what_yaml_cannot_carry_does_not_reach_a_comment(content: Path) -> None:
    """Patterns and texts of official schemas hold control characters; a comment with one breaks the whole file."""
    file = _own(content)
    file.write_text(XSD.replace("Worum es geht.", "Worum\u0085es \u2028geht."), "utf-8")

    assert "# Worum es geht." in _new(content, "antrag 1 Antrag").read_text("utf-8")
