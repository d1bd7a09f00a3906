"""From a decided case to the bytes for the e-file and from its answers to receipts; every golden file is valid."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import xmlschema

from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import find_route
from kiezbruecke.documents import Document, Setting, documents_for, find_templates
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.records import Decision, Outcome, Receipt, ReceiptOutcome
from kiezbruecke.records.views import CaseView, MessageView
from kiezbruecke.standards import store, xdomea
from kiezbruecke.workbench.examples import run_examples
from tests.pdf_words import metadata_of

ROOT = Path(__file__).parents[2]
PLACES = (ROOT.parent / "shared" / "standards", ROOT / "var" / "schemas")
OFFICIAL = next((place for place in PLACES if (place / "xdomea" / "4.0.0").is_dir()), None)
MAPPINGS = ("case-xdomea-0401", "xdomea-0402", "xdomea-0403")
GOLDEN = sorted((ROOT / "mappings/outbound/case-xdomea-0401/examples").glob("*/expected.xml"))
ANSWERS = sorted((ROOT / "mappings/inbound").glob("xdomea-040[23]/examples/*/item.xml"))
PROCESS = UUID("0b0c5d0e-0000-5000-8000-000000000002")
KEY = UUID("0b0c5d0e-0000-5000-8000-000000000001")
NS = {"x": xdomea.NAMESPACE}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without official files, unless a test asks for them."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The official files; skips where there are none."""
    if OFFICIAL is None:
        pytest.skip(f"no official schemas of xdomea 4.0.0 in {' or '.join(map(str, PLACES))}")
    monkeypatch.setenv("KIEZBRUECKE_OFFICIAL", str(OFFICIAL))
    return OFFICIAL / "xdomea" / "4.0.0"


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_mapping_is_right_before_anything_is_sent(name: str) -> None:
    """`kiezbruecke mapping check` finds nothing."""
    assert check_mapping(name, ROOT) == []


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_examples_come_out_as_they_stand(name: str) -> None:
    """Input and expected output beside the mapping are its documentation too."""
    results = run_examples(load_mapping(name, ROOT), ROOT)

    assert [result.problem for result in results if not result.passed] == []
    assert {"full", "minimal"} <= {result.example for result in results}


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.parent.name)
def test_golden_messages_are_valid_against_our_profile(file: Path) -> None:
    """Asked of libxml2 and of xmlschema."""
    store.validate(ROOT, "xdomea", "4.0.0", file.read_bytes())
    xmlschema.XMLSchema(store.profile(ROOT, "xdomea", "4.0.0")).validate(file)


@pytest.mark.official
@pytest.mark.parametrize("file", [*GOLDEN, *ANSWERS], ids=lambda file: f"{file.parents[2].name}-{file.parent.name}")
def test_golden_messages_are_officially_valid(official: Path, file: Path) -> None:
    """Asked of libxml2 and of xmlschema; the answers that we read are legal ones too."""
    checker = store.validator(ROOT, "xdomea", "4.0.0", official=True)
    assert checker is not None

    assert checker.problems(store.parse(file.read_bytes())) == []
    second_opinion(official).validate(file)


@pytest.mark.official
def test_the_bytes_are_the_same_with_profile_and_official_schema(
    official: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installing official files later changes no message (design §6)."""
    with_official = written()
    store.validate(ROOT, "xdomea", "4.0.0", with_official)
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL")

    assert written() == with_official


def test_another_process_writes_the_same_package() -> None:
    """Same record, same bytes: message, documents and ZIP, whatever the hash seed and the zone."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_xdomea as t; print(t.digest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": zone, "PATH": os.environ["PATH"]},
        ).stdout.strip()
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"))
    }

    assert digests == {digest()}


def test_a_real_case_becomes_a_whole_package() -> None:
    """What the message says of its files – name, format, hash – is true of the ZIP."""
    unpacked = xdomea.unpack(package())
    root = store.parse(unpacked.xml)
    names = root.xpath("//x:Dateiname/text()", namespaces=NS)
    hashes = root.xpath("//x:Hash/x:Wert/text()", namespaces=NS)
    formats = root.xpath("//x:Format/x:Name/code/text() | //x:Format/x:Version/text()", namespaces=NS)

    assert xdomea.message_type(unpacked.xml) == "0401"
    assert unpacked.xml_name == f"{PROCESS}_0401_1.xml"
    assert names == list(unpacked.files)
    assert formats == ["044", "2a"] * 2  # the archival PDF of the code list
    for content in unpacked.files.values():
        assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in metadata_of(content)
    assert hashes == [hashlib.sha512(content).hexdigest() for content in unpacked.files.values()]
    store.validate(ROOT, "xdomea", "4.0.0", unpacked.xml)


def test_the_prefix_is_literally_xdomea() -> None:
    """The specification (4.2) asks for the prefix itself; our own elements inside stay without one."""
    message = written()

    assert message.count(b"<xdomea:Abgabe.Abgabe.0401 ") == 1
    assert b"<nachrichtenUUID>" in message


@pytest.mark.parametrize("title", ["]]>", "a & b < c", "🎉 Fest", "שלום", "Tab\tund\r\nZeile", "x" * 10_000])
def test_strange_titles_stay_valid(title: str) -> None:
    """Fault F32: whatever residents write comes through, or is cut where a subject ends."""
    message = written(title)
    subject = store.parse(message).xpath("//x:Vorgang/x:AllgemeineMetadaten/x:Betreff/text()", namespaces=NS)[0]

    store.validate(ROOT, "xdomea", "4.0.0", message)
    assert subject == " ".join(title.split())[:200]


def test_a_title_that_xml_cannot_carry_is_set_aside() -> None:
    """A control character: a readable line for the administration, without the title."""
    with pytest.raises(RecordError) as caught:
        written("Erika\x01")

    assert "Steuerzeichen" in caught.value.line()
    assert "Erika" not in caught.value.line()


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("1", ReceiptOutcome.CONFIRMED),
        ("true", ReceiptOutcome.CONFIRMED),
        (" true\n", ReceiptOutcome.CONFIRMED),
        ("0", ReceiptOutcome.REFUSED),
        ("false", ReceiptOutcome.REFUSED),
    ],
)
def test_every_legal_spelling_of_success_is_read(word: str, outcome: ReceiptOutcome) -> None:
    """Trap 2.6-1: xs:boolean has four spellings; inbound none of them may be taken for the other."""
    receipt = answer("0402", "Erfolgreich>0<", f"Erfolgreich>{word}<")

    assert receipt.outcome == outcome
    assert receipt.key == KEY


@pytest.mark.parametrize("word", ["", "2", "ja", "Kanarienvogel"])
def test_an_unreadable_success_is_set_aside(word: str) -> None:
    """Money may hang on it: nothing is guessed."""
    with pytest.raises(RecordError) as caught:
        answer("0402", "Erfolgreich>0<", f"Erfolgreich>{word}<")

    assert "Kanarienvogel" not in caught.value.line()


@pytest.mark.parametrize("code", ["0402", "0403"])
def test_an_answer_without_our_id_is_set_aside(code: str) -> None:
    """A receipt is matched by id and by nothing else."""
    with pytest.raises(RecordError, match="UUIDUrsprungsnachricht"):
        answer(code, f"UUIDUrsprungsnachricht>{KEY}<", "UUIDUrsprungsnachricht><")


def test_an_answer_may_hold_more_than_we_know() -> None:
    """A receiver may use any legal optional element (design §6)."""
    receipt = answer("0402", "</xdomea:nachrichtenkopf>", "<xdomea:Hinweis>x</xdomea:Hinweis></xdomea:nachrichtenkopf>")

    assert receipt.outcome == ReceiptOutcome.REFUSED
    assert receipt.text == "Der Hashwert stimmt nicht.; Bitte neu senden."


def test_an_arrival_changes_nothing() -> None:
    """0403 may be left out by the receiver, so it is noted and no more."""
    assert answer("0403", "x", "x").outcome == ReceiptOutcome.NOTED


@cache
def second_opinion(folder: Path) -> xmlschema.XMLSchema:
    """The official schema in xmlschema: slow to compile, and written by other people than libxml2."""
    return xmlschema.XMLSchema(
        folder / "xdomea-Nachrichten-AbgabeDurchfuehren.xsd",
        allow="local",
        uri_mapper=lambda uri: str(folder / uri.rpartition("/")[2]) if "//xoev.de/" in uri else uri,
    )


def answer(code: str, old: str, new: str) -> Receipt:
    """The receipt from an answer in which one thing is changed."""
    xml = (ROOT / f"mappings/inbound/xdomea-{code}/examples/full/item.xml").read_bytes()
    assert old.encode() in xml
    envelope = {"source": "eakte-tk", "external_id": "urn:example:1", "kind": code, "raw_ref": ""}
    record = load_mapping(f"xdomea-{code}", ROOT).read(
        xml.replace(old.encode(), new.encode(), 1), {"envelope": envelope}
    )
    assert isinstance(record, Receipt)
    return record


def written(title: str = "Sommerfest am Müggelseedamm") -> bytes:
    """The message of a real case."""
    return load_mapping("case-xdomea-0401", ROOT).write(roots(title, documents()))


def package() -> bytes:
    """The ZIP of a real case."""
    files = [(document.view.file, document.content) for document in documents()]
    return xdomea.package(xdomea.message_name(PROCESS, "0401"), written(), files)


def digest() -> str:
    """SHA-256 of the ZIP of a real case."""
    return hashlib.sha256(package()).hexdigest()


def documents() -> tuple[Document, ...]:
    """The documents of a proposal from paper."""
    setting = Setting("Friedrichshagen", "Kiezkassen 2026", "Bezirksamt", "KK26-090517-P0001-E1")
    return documents_for(UUID(int=7), None, decision(), setting, find_templates(ROOT))


def decision() -> Decision:
    """A decided line of a sheet."""
    return Decision(
        origin="0:5",
        sheet="beschluesse.xlsx",
        row=5,
        process_id="kk-tk-2026",
        area_id="090517",
        decided_on=date(2026, 4, 24),
        reference_number="P-1",
        title="Sommerfest am Müggelseedamm",
        outcome=Outcome.ACCEPTED,
        approved_amount=Decimal("850.00"),
    )


def roots(title: str, files: tuple[Document, ...]) -> dict[str, Any]:
    """What the engine gives the mapping for this case and the real route."""
    case = CaseView(
        id=UUID(int=7),
        process_id="kk-tk-2026",
        area_id="090517",
        area_name="Friedrichshagen",
        reference="P-1",
        title=title,
        documents=tuple(document.view for document in files),
    )
    message = MessageView(
        id=KEY,
        process_id=PROCESS,
        created_at=datetime(2026, 4, 27, 4, 15, tzinfo=UTC),
        effect="file.create",
        number=1,
        reference="KK26-090517-P0001-A1",
        voucher="00000001",
    )
    route = find_route(ROOT, "kk-tk-eakte").options
    given = {"case": case, "decision": decision(), "proposal": None, "message": message}
    return {**given, "process": read_process(ROOT, "kk-tk-2026"), "route": route}
