"""xdomea 4.0.0 on the way: names of files, the ZIP around a message, and which message an XML is.

    <ProzessID>_0401_1.zip
    ├── <ProzessID>_0401_1.xml
    ├── <UUID>_Vorschlag.pdf
    └── <UUID>_Beschluss.pdf

The names follow the specification of xdomea 4.0.0, as cited in the README of lavnrw/xdomea-examples.
The schema's pattern for a primary document (`stringDateinameType`) lets `/../../etc/passwd` through after
the UUID: we neither write such a name nor read one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.records.views import MessageView
from kiezbruecke.standards import zips
from kiezbruecke.standards.packing import Packed
from kiezbruecke.standards.parse import parse

VERSION: Final = "4.0.0"
NAMESPACE: Final = "urn:xoev-de:xdomea:schema:4.0.0"
MEDIA_TYPE: Final = "application/zip"
MAX_NAME: Final = 60  # of the readable part; with UUID and ending no file system minds

_FAMILY = "urn:xoev-de:xdomea:schema:"
_CODE = re.compile(r"\.(\d{4})$")
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MESSAGE_NAME = re.compile(_UUID + r"_\d{4}_\d+\.xml")
_DOCUMENT_NAME = re.compile(_UUID + r"[_.].*")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*")
_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS"}
_STROKED = {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i"}
_JOINED = {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe"}
_LATIN = str.maketrans({**_SPELLED, **_STROKED, **_JOINED})


@dataclass(frozen=True)
class Unpacked:
    """A message as it came: its XML and the files beside it, by name."""

    xml_name: str
    xml: bytes
    files: Mapping[str, bytes]


def pack(message: MessageView, xml: bytes, files: Sequence[tuple[str, bytes]]) -> Packed:
    """The message as it travels: a ZIP of its XML and its primary documents, named as the specification asks."""
    code = message_type(xml)
    payload = package(message_name(message.process_id, code), xml, files)
    objects = [str(one) for one in object_ids(xml)]
    facts = {"message_type": {"code": code}, "process_id": str(message.process_id), "objects": objects}
    return Packed(payload, message_name(message.process_id, code, ending="zip"), MEDIA_TYPE, facts)


def xml_of(payload: bytes) -> bytes:
    """The XML of a packed message; raises RecordError (German)."""
    return unpack(payload).xml


def object_ids(xml: bytes) -> list[UUID]:
    """The ids of all objects in a message: its answers may name these and no others."""
    named = parse(xml, "xdomea-Nachricht").iter(f"{{{NAMESPACE}}}xdomeaUUID")
    return [UUID(text) for node in named if re.fullmatch(_UUID, text := (node.text or "").strip())]


def message_name(process_id: UUID, code: str, number: int = 1, ending: str = "xml") -> str:
    """The name of a message or of its ZIP: `<ProzessID>_<code>_<LfdNr>.<ending>` (xdomea 4.0.0)."""
    if not re.fullmatch(r"\d{4}", code):
        raise ValueError(f"a message code has four digits, not {code!r}")
    return f"{process_id}_{code}_{number}.{ending}"


def document_name(document_id: UUID, name: str, ending: str = "pdf") -> str:
    """The name of a primary document: `<UUID>_<name>.<ending>`, the UUID its own, the name safe anywhere."""
    plain_ending = re.sub(r"[^a-z0-9]", "", ending.lower())[:8] or "bin"
    plain_name = safe_name(name)
    return f"{document_id}_{plain_name}.{plain_ending}" if plain_name else f"{document_id}.{plain_ending}"


def safe_name(text: str, length: int = MAX_NAME) -> str:
    """Letters A to Z, digits, `-`; umlauts spelled out, accents dropped, else a hyphen; may be empty."""
    spelled = unicodedata.normalize("NFC", text).translate(_LATIN)
    plain = re.sub(r"[^A-Za-z0-9]+", "-", _without_marks(spelled))
    return plain.strip("-")[:length].rstrip("-")


def package(xml_name: str, xml: bytes, files: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """The ZIP of a message: its XML, then the files in the given order; same content, same bytes."""
    names = [xml_name, *(name for name, _ in files)]
    for name in names:
        if not _PLAIN.fullmatch(name):
            raise ValueError(f"not a plain file name: {name!r}")
    if len({name.casefold() for name in names}) != len(names):
        raise ValueError("two files of one message have the same name")
    return zips.write([(xml_name, xml), *files])


def unpack(
    data: bytes, what: str = "xdomea-ZIP", limits: zips.Limits | None = None, *, lenient: bool = False
) -> Unpacked:
    """The XML and the files of a foreign ZIP; raises RecordError (German) for anything suspicious.

    `lenient`: the message may lie in a folder, and what archivers leave beside it is passed over.
    """
    files = dict(zips.read_lenient(data, what, limits) if lenient else zips.read(data, what, limits))
    messages = _messages(files)
    if len(messages) != 1:
        raise RecordError(f"enthält {len(messages)} XML-Nachrichten", where=what, expected="genau eine XML-Nachricht")
    return Unpacked(messages[0], files.pop(messages[0]), files)


def message_type(xml: bytes, what: str = "xdomea-Nachricht") -> str:
    """The four digits of the message, e.g. `0402`, from the root element; only xdomea 4.0.0 is read."""
    name = etree.QName(parse(xml, what))
    code = _CODE.search(name.localname)
    if name.namespace == NAMESPACE and code:
        return code[1]
    raise RecordError(_why_foreign(name.namespace), where=what, expected=f"eine Nachricht nach xdomea {VERSION}")


def _messages(names: Iterable[str]) -> list[str]:
    """The names that may be the message. A primary document may be an XML too, if it is named like one."""
    xmls = [name for name in names if name.lower().endswith(".xml")]
    if len(xmls) == 1:
        return xmls
    plain = {name: PurePosixPath(name).name for name in xmls}
    return [name for name in xmls if _MESSAGE_NAME.fullmatch(plain[name]) or not _DOCUMENT_NAME.fullmatch(plain[name])]


def _why_foreign(namespace: str | None) -> str:
    version = (namespace or "").removeprefix(_FAMILY)
    if version != VERSION and re.fullmatch(r"\d+(\.\d+){1,2}", version):
        return f"ist nach xdomea {version} geschrieben"
    return "ist keine xdomea-Nachricht"


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
