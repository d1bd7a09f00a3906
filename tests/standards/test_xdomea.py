"""xdomea's names and ZIP: same content, same bytes; and nothing that comes in can climb, burst or pretend."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbruecke.errors import RecordError
from kiezbruecke.standards import store, xdomea, zips

DATA = Path(__file__).parent / "data"
ID = UUID("0b0c5d0e-0000-5000-8000-000000000001")
XML_NAME = f"{ID}_0402_1.xml"
FILES = [(f"{ID}_Vorschlag.pdf", b"%PDF-1.4 a"), (f"{ID}_Beschluss.pdf", b"%PDF-1.4 b")]


def test_names_follow_the_standard() -> None:
    """xdomea 4.0.0: `<ProzessID>_<code>_<LfdNr>`, primary documents with a UUID of their own."""
    assert xdomea.message_name(ID, "0401") == f"{ID}_0401_1.xml"
    assert xdomea.message_name(ID, "0401", ending="zip") == f"{ID}_0401_1.zip"
    assert xdomea.document_name(ID, "Vorschlag 2026-00001") == f"{ID}_Vorschlag-2026-00001.pdf"
    assert xdomea.document_name(ID, "🎉") == f"{ID}.pdf"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Straßenfest in Köpenick", "Strassenfest-in-Koepenick"),
        ("Łódź, Þór & Škoda", "Lodz-or-Skoda"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\temp\\a.exe", "C-temp-a-exe"),
        ("a\x00b\nc", "a-b-c"),
        ("x" * 500, "x" * 60),
        ("", ""),
    ],
)
def test_a_name_is_safe_everywhere(text: str, name: str) -> None:
    """Umlauts are spelled out, so that a clerk still reads the name on any system."""
    assert xdomea.safe_name(text) == name


@settings(max_examples=200, deadline=None)
@given(text=st.text(), ending=st.text())
def test_every_name_fits_the_profile(text: str, ending: str) -> None:
    """Trap 2.6-2 on write: whatever people type, the name is one that our profile allows."""
    name = xdomea.document_name(ID, text, ending)

    assert re.fullmatch(r"[0-9a-f-]{36}(_[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)?\.[a-z0-9]{1,8}", name)
    assert len(name) <= 120


def test_a_package_comes_back_as_it_was() -> None:
    """First the message, then the files in their order."""
    unpacked = xdomea.unpack(xdomea.package(XML_NAME, b"<a/>", FILES))

    assert (unpacked.xml_name, unpacked.xml) == (XML_NAME, b"<a/>")
    assert list(unpacked.files.items()) == FILES


def test_the_same_content_gives_the_same_bytes_in_another_process() -> None:
    """A ZIP usually carries the time of its making; a stored message and its retry must not differ."""
    code = (
        "import sys; from kiezbruecke.standards import xdomea; "
        f"sys.stdout.buffer.write(xdomea.package({XML_NAME!r}, b'<a/>', {FILES!r}))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2]), "TZ": zone},
        ).stdout
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"))
    }

    assert runs == {xdomea.package(XML_NAME, b"<a/>", FILES)}


def test_a_package_has_no_bad_names() -> None:
    """Our own side makes no name that we would refuse."""
    for name in ("../a.xml", "a/b.xml", "", ".xml", "ä.xml"):
        with pytest.raises(ValueError, match="plain"):
            xdomea.package(name, b"<a/>")
    with pytest.raises(ValueError, match="same name"):
        xdomea.package("a.xml", b"<a/>", [("A.xml", b"")])


@pytest.mark.parametrize(
    "name",
    [
        "../evil.pdf",
        "/etc/passwd",
        f"{ID}/../../etc/passwd",
        "a/b.pdf",
        "a\\b.pdf",
        "..\\evil.pdf",
        "C:evil.pdf",
        "..",
        ".",
        "folder/",
        "line\nbreak.pdf",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """Trap 2.6-2 on unpack: the official pattern allows `<UUID>/../../etc/passwd`."""
    with pytest.raises(RecordError, match="Namen"):
        xdomea.unpack(_zip((XML_NAME, b"<a/>"), (name, b"x")))


def test_a_name_with_a_zero_byte_is_refused() -> None:
    """Python cuts such a name; others may not, and then it is another file."""
    data = _zip((XML_NAME, b"<a/>"), ("evilX.pdf", b"x")).replace(b"evilX.pdf", b"evil\x00.pdf")

    with pytest.raises(RecordError, match="Namen"):
        xdomea.unpack(data)


def test_two_files_of_one_name_are_refused() -> None:
    """Which of them would be meant? On some systems letters' case makes no difference either."""
    with pytest.warns(UserWarning, match="Duplicate"):
        same = _zip((XML_NAME, b"<a/>"), ("a.pdf", b"1"), ("a.pdf", b"2"))

    for data in (same, _zip((XML_NAME, b"<a/>"), ("a.pdf", b"1"), ("A.PDF", b"2"))):
        with pytest.raises(RecordError, match="demselben Namen"):
            xdomea.unpack(data)


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a.pdf"],
        ["a.xml", "b.xml"],
        [XML_NAME, "b.xml"],
        [XML_NAME, f"{ID}_0401_1.xml"],
        [f"{ID}_a.xml", f"{ID}_b.xml"],
    ],
)
def test_exactly_one_message(names: list[str]) -> None:
    """None or several: nobody can say which is the message."""
    with pytest.raises(RecordError, match="XML-Nachrichten"):
        xdomea.unpack(_zip(*((name, b"<a/>") for name in names)))


def test_an_xml_may_be_a_primary_document() -> None:
    """A file that is named like one – a UUID and a name – is a document, whatever its ending."""
    unpacked = xdomea.unpack(_zip((XML_NAME, b"<a/>"), (f"{ID}_daten.xml", b"<b/>")))

    assert unpacked.xml_name == XML_NAME
    assert list(unpacked.files) == [f"{ID}_daten.xml"]


def test_bombs_are_refused_before_they_burst() -> None:
    """Number of entries, packing ratio, total size (fault F35)."""
    many = _zip(*((f"{n}.pdf", b"") for n in range(200)))
    packed = _zip((XML_NAME, b"<a/>"), ("a.pdf", b"0" * 3_000_000), deflated=True)
    large = _zip((XML_NAME, b"<a/>"), ("a.pdf", bytes(1000)))

    with pytest.raises(RecordError, match="200 Einträge"):
        xdomea.unpack(many)
    with pytest.raises(RecordError, match="ZIP-Bombe"):
        xdomea.unpack(packed)
    with pytest.raises(RecordError, match="zu groß"):
        xdomea.unpack(large, limits=zips.Limits(size=900))


def test_a_false_size_is_noticed() -> None:
    """What a ZIP says of its size is only a claim."""
    data = bytearray(_zip((XML_NAME, b"<a/>" + b" " * 5000), deflated=True))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature) + offset
        data[start : start + 4] = struct.pack("<I", 10)

    with pytest.raises(RecordError):
        xdomea.unpack(bytes(data))


def test_an_encrypted_zip_is_refused() -> None:
    """Nobody here knows a password; the flag alone is enough."""
    data = bytearray(_zip((XML_NAME, b"<a/>")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1

    with pytest.raises(RecordError, match="verschlüsselt"):
        xdomea.unpack(bytes(data))


def test_an_unusual_compression_is_refused() -> None:
    """Deflate is what everybody writes; every other method is one more parser for hostile bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as target:
        target.writestr(XML_NAME, b"<a/>")

    with pytest.raises(RecordError, match="unübliche Weise"):
        xdomea.unpack(buffer.getvalue())


def test_a_link_is_refused() -> None:
    """A symbolic link in a ZIP is a path in disguise."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(XML_NAME, b"<a/>")
        link = zipfile.ZipInfo("a.pdf")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        target.writestr(link, b"/etc/passwd")

    with pytest.raises(RecordError, match="gewöhnliche Datei"):
        xdomea.unpack(buffer.getvalue())


@pytest.mark.parametrize("cut", [0, 1, 10, 40, 100, -1, -30])
def test_a_cut_zip_is_refused(cut: int) -> None:
    """A file cut in half is told from a whole one."""
    whole = xdomea.package(XML_NAME, b"<a/>", FILES)

    with pytest.raises(RecordError, match="kein lesbares ZIP"):
        xdomea.unpack(whole[:cut])


def test_a_flipped_bit_is_refused() -> None:
    """ZIP carries a checksum of each file."""
    whole = xdomea.package(XML_NAME, b"<a/>", FILES).replace(b"%PDF-1.4 a", b"%PDF-1.4 c")

    with pytest.raises(RecordError, match="beschädigt"):
        xdomea.unpack(whole)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_readable_refusal(data: bytes) -> None:
    """Whatever a box delivers, a person gets one line and the run goes on."""
    for whole in (data, zips.write([(XML_NAME, b"<a/>")])[:60] + data):
        with pytest.raises(RecordError):
            xdomea.unpack(whole)


@pytest.mark.parametrize("code", ["0401", "0402", "0403"])
def test_the_root_says_which_message_it_is(code: str) -> None:
    """The root element decides, not the file's name."""
    assert xdomea.message_type((DATA / f"{code}.xml").read_bytes()) == code


@pytest.mark.parametrize("version", ["2.3.0", "3.0.0", "3.1.0"])
def test_another_version_is_named(version: str) -> None:
    """Fault F33: there is no compatibility between versions, so the line says which one came."""
    xml = (DATA / "0402.xml").read_bytes().replace(b"schema:4.0.0", f"schema:{version}".encode())

    with pytest.raises(RecordError, match=f"nach xdomea {version}"):
        xdomea.message_type(xml)


@pytest.mark.parametrize(
    "xml", [b"<a/>", b'<a xmlns="urn:other"/>', b'<Akte xmlns="urn:xoev-de:xdomea:schema:4.0.0"/>']
)
def test_what_is_no_message_is_refused(xml: bytes) -> None:
    """A clear reason instead of a guess."""
    with pytest.raises(RecordError, match="keine xdomea-Nachricht"):
        xdomea.message_type(xml)


@pytest.mark.official
def test_our_names_are_officially_valid(content: Path, official: Path, message: bytes) -> None:
    """A name that we make passes the official pattern."""
    name = xdomea.document_name(ID, "Straßenfest ../../etc/passwd")
    changed = message.replace(b"0b0c5d0e-0000-5000-8000-000000000005_Vorschlag.pdf", name.encode())

    store.validate(content, "xdomea", "4.0.0", changed)


def _zip(*files: tuple[str, bytes], deflated: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as target:
        for name, content in files:
            target.writestr(name, content)
    return buffer.getvalue()


def test_all_objects_of_a_message_are_named() -> None:
    """An answer may name the Vorgang or its documents, and nothing else."""
    xml = (Path(__file__).parent / "data/0401.xml").read_bytes()
    named = {UUID(text) for text in re.findall(r"xdomeaUUID>([0-9a-f-]{36})<", xml.decode())}

    assert {*xdomea.object_ids(xml)} == named
    assert len(named) > 1
