"""The e-file behind the sandbox: checks an xdomea 0401 as a receiver would, and writes the answers it owes.

Everything follows from the message: the same message gives the same answer, ids and times included.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from lxml import etree
from lxml.builder import ElementMaker

from kiezbruecke.errors import RecordError
from kiezbruecke.records import name_id
from kiezbruecke.standards import store, xdomea

NS = {"x": xdomea.NAMESPACE}
_X = ElementMaker(namespace=xdomea.NAMESPACE, nsmap={"xdomea": xdomea.NAMESPACE})
_HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_TYPES = {"0402": "Abgabe.ImportBestaetigen", "0403": "Abgabe.EmpfangBestaetigen"}


@dataclass(frozen=True)
class Submission:
    """A 0401 that can be read: ids, and the reasons why it would not be imported."""

    root: etree._Element
    process_id: str
    message_uuid: str
    object_uuids: tuple[str, ...]
    amount: str
    wants_receipt: bool
    problems: tuple[str, ...]


def read_submission(content: bytes, file_name: str, folder: Path) -> Submission:
    """Unpack and check a submission; raises RecordError where it violates its schema or its packaging."""
    unpacked = xdomea.unpack(content)
    if xdomea.message_type(unpacked.xml) != "0401":
        raise RecordError("ist keine Abgabe", where=unpacked.xml_name, expected="0401")
    store.validate(folder, "xdomea", xdomea.VERSION, unpacked.xml)
    root = store.parse(unpacked.xml)
    process_id = _text(root, "x:nachrichtenkopf/x:ProzessID")
    number = int(_text(root, "x:LfdNrNachrichtProTyp"))
    _check_names(process_id, number, file_name, unpacked.xml_name)
    return Submission(
        root,
        process_id,
        _text(root, "x:nachrichtenkopf/x:identifikation.nachricht/nachrichtenUUID"),
        tuple(_texts(root, "x:Schriftgutobjekt/*/x:Identifikation/x:xdomeaUUID")),
        _amount(root),
        _text(root, "x:Empfangsbestaetigung") in ("1", "true"),
        tuple(_document_problems(root, unpacked.files)),
    )


def answer(submission: Submission, code: str, problems: tuple[str, ...] = (), origin: str = "") -> bytes:
    """The ZIP with a 0402 (success or failure) or a 0403; `origin` replaces the id of the answered message."""
    origin = origin or submission.message_uuid
    root = etree.Element(
        f"{{{xdomea.NAMESPACE}}}{_TYPES[code]}.{code}",
        {
            "produkt": "Kiezbruecke-Sandbox",
            "produkthersteller": "Kiezbruecke",
            "standard": "xdomea",
            "version": "4.0.0",
        },
        nsmap={"xdomea": xdomea.NAMESPACE},
    )
    root.extend([_head(submission, code, origin), _X.UUIDUrsprungsnachricht(origin)])
    root.extend([_X.LfdNrNachrichtProTyp("1"), _X.GesamtanzahlNachrichtenProTyp("1")])
    if code == "0402":
        root.append(_result(problems))
        root.extend(_X.AbgegebenesObjekt(_X.xdomeaUUID(one), _result(problems)) for one in submission.object_uuids)
    xml = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return xdomea.package(xdomea.message_name(UUID(submission.process_id), code), xml)


def changed(packed: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The ZIP of an answer with its XML changed."""
    with zipfile.ZipFile(io.BytesIO(packed)) as source:
        (name,) = source.namelist()
        return xdomea.package(name, change(source.read(name)))


def contradict(xml: bytes) -> bytes:
    """The message was imported, its objects were not."""
    root = etree.fromstring(xml)
    for result in root.iterfind("x:AbgegebenesObjekt/x:ErfolgOderMisserfolg", NS):
        result[:] = _result(("Hashwert stimmt nicht",))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def name_another_process(xml: bytes) -> bytes:
    """The head is that of an answer to somebody else."""
    root = etree.fromstring(xml)
    for process in root.iterfind("x:nachrichtenkopf/x:ProzessID", NS):
        process.text = str(name_id("sandbox", "another process"))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def declare_utf_7(xml: bytes) -> bytes:
    """Legal by its name, and read by nobody."""
    return b'<?xml version="1.0" encoding="UTF-7"?>' + xml.partition(b"?>")[2]


def _head(submission: Submission, code: str, origin: str) -> etree._Element:
    """The head turned round: who wrote now reads. The time is the message's own, so that answers repeat."""
    theirs = submission.root.find("x:nachrichtenkopf", NS)
    assert theirs is not None
    identification = _X("identifikation.nachricht")
    kind = etree.SubElement(
        identification,
        "nachrichtentyp",
        listURI="urn:xoev-de:xdomea:codeliste:nachrichtentyp",
        listVersionID="3.0",
    )
    etree.SubElement(kind, "code").text = code
    etree.SubElement(kind, "name").text = _TYPES[code]
    uuid = etree.Element("nachrichtenUUID")
    uuid.text = str(name_id("sandbox", code, origin, submission.message_uuid))
    time = etree.SubElement(identification, "erstellungszeitpunkt")
    time.text = _text(theirs, "x:identifikation.nachricht/erstellungszeitpunkt")
    identification.insert(0, uuid)
    head = _X.nachrichtenkopf(identification)
    for now, before in (("leser", "autor"), ("autor", "leser")):
        head.append(_X(now, *map(deepcopy, theirs.iterfind(f"x:{before}/*", NS))))
    head.append(_X.ProzessID(submission.process_id))
    return head


def _result(problems: tuple[str, ...]) -> etree._Element:
    success = _X.Erfolgreich("0" if problems else "1")
    return _X.ErfolgOderMisserfolg(success, *(_X.Fehlermeldung(problem) for problem in problems))


def _check_names(process_id: str, number: int, file_name: str, xml_name: str) -> None:
    """xdomea 4.0.0: `<ProzessID>_0401_<LfdNr>` with .zip and .xml."""
    for ending, name in (("zip", file_name), ("xml", xml_name)):
        if name != (expected := xdomea.message_name(UUID(process_id), "0401", number, ending)):
            raise RecordError("heißt nicht wie ihre Nachricht", where=name, expected=expected)


def _document_problems(root: etree._Element, files: Mapping[str, bytes]) -> list[str]:
    """Missing, surplus and changed primary documents."""
    problems, named = [], set()
    for document in root.iterfind(".//x:Primaerdokument", NS):
        name = _text(document, "x:Dateiname")
        named.add(name)
        if name not in files:
            problems.append(f"Primärdokument fehlt: {name}")
        elif not _hash_fits(document, files[name]):
            problems.append(f"Hashwert stimmt nicht: {name}")
    return problems + [f"Datei gehört zu keinem Dokument: {name}" for name in sorted(set(files) - named)]


def _hash_fits(document: etree._Element, content: bytes) -> bool:
    """A hash is optional; where there is one, it must fit."""
    if document.find("x:Hash", NS) is None:
        return True
    algorithm = _HASHES.get(_text(document, "x:Hash/x:Algorithmus/code"))
    given = _text(document, "x:Hash/x:Wert").lower()
    return algorithm is not None and hashlib.new(algorithm, content).hexdigest() == given


def _amount(root: etree._Element) -> str:
    for entry in root.iterfind(".//x:AnwendungsspezifischeErweiterung/x:Feld", NS):
        if _text(entry, "x:Name") == "BewilligterBetragEUR":
            return _text(entry, "x:Wert")
    return ""


def _texts(node: etree._Element, path: str) -> list[str]:
    return [(found.text or "").strip() for found in node.iterfind(path, NS)]


def _text(node: etree._Element, path: str) -> str:
    return next(iter(_texts(node, path)), "")
