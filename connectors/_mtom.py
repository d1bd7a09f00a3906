"""MTOM for the SOAP connectors: contents beside the envelope (W3C MTOM and XOP 1.0). zeep cannot write it.

multipart/related ─▶ envelope + parts ─▶ envelope with base64 inside            (what comes in)
envelope with base64 inside ─▶ envelope with xop:Include + parts                (what goes out)
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message as MimeHeaders
from email.parser import BytesHeaderParser
from itertools import pairwise
from urllib.parse import unquote
from uuid import uuid4

from lxml import etree

from connectors._line import NoAnswer

_BLANKS = b" \t\r\n"
_NO_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(?:\r?\n|$))")
XOP = "http://www.w3.org/2004/08/xop/include"
_BINARY = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"


@dataclass(frozen=True)
class BodyPart:
    """One part of a multipart body: its headers, and its bytes as they travelled."""

    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The Content-ID without its brackets; empty where it has none."""
        return self.headers.get("content-id", "").strip().strip("<>")


def media_type(kind: str) -> tuple[str, Mapping[str, str]]:
    """The media type of a Content-Type header, and its parameters in lower case."""
    if not kind:
        return "", {}
    headers = MimeHeaders()
    headers["Content-Type"] = " ".join(kind.split())
    _, *parameters = headers.get_params() or [("", "")]
    return headers.get_content_type(), {name.lower(): str(value) for name, value in parameters}


def split(content: bytes, parameters: Mapping[str, str], status: int) -> tuple[bytes, str | None, Sequence[BodyPart]]:
    """The root document, its charset, and the other parts of an MTOM answer; without its last boundary it was cut.

    MIME allows a preamble before the first boundary: a note to readers that know no MIME, which is left out.
    """
    parts = _parts(content, parameters.get("boundary", "").encode("utf-8", "replace"), status)
    ids = [part.id for part in parts if part.id]
    if len(set(ids)) != len(ids):
        raise NoAnswer("a multipart answer with two parts of the same Content-ID", status)
    start = parameters.get("start", "").strip().strip("<>")
    root = next((part for part in parts if start and part.id == start), parts[0])
    _, described = media_type(root.headers.get("content-type", ""))
    return _decoded(root, status), described.get("charset"), [part for part in parts if part is not root]


def inline(envelope: etree._Element, parts: Sequence[BodyPart], status: int) -> None:
    """Put the parts back where an xop:Include names them, as base64."""
    by_id = {part.id: part for part in parts if part.id}
    for include in list(envelope.iter(f"{{{XOP}}}Include")):
        part = by_id.get(unquote(include.get("href", "").removeprefix("cid:")))
        parent = include.getparent()
        if part is None or parent is None:
            raise NoAnswer("a multipart answer without the part it names", status)
        parent.remove(include)
        parent.text = base64.b64encode(_decoded(part, status)).decode()


def _parts(content: bytes, boundary: bytes, status: int) -> list[BodyPart]:
    """What stands between the boundaries (RFC 2046, 5.1.1); bytes are bytes, whatever line ends they hold."""
    line = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|$)")
    found = list(line.finditer(content)) if boundary else []
    end = next((number for number, one in enumerate(found) if one[1]), 0)
    if not end:
        raise NoAnswer("a multipart answer that is not whole", status)
    return [_part(content[one.end() : other.start()], status) for one, other in pairwise(found[: end + 1])]


def _part(text: bytes, status: int) -> BodyPart:
    """A part begins with the line break of its boundary; without headers a second one follows."""
    head, blank, content = text.partition(b"\r\n\r\n") if b"\r\n\r\n" in text else text.partition(b"\n\n")
    if not blank:
        raise NoAnswer("a multipart answer that cannot be read", status)
    headers = BytesHeaderParser().parsebytes(head.lstrip(b"\r\n"))
    return BodyPart({name.lower(): str(value) for name, value in headers.items()}, content)


def _decoded(part: BodyPart, status: int) -> bytes:
    """A part's bytes as they were meant (RFC 2045, section 6); an encoding that nobody knows proves no content."""
    encoding = part.headers.get("content-transfer-encoding", "binary").strip().lower()
    if encoding in ("binary", "8bit", "7bit"):
        return part.content
    try:
        if encoding == "base64":
            return base64.b64decode(part.content.translate(None, _BLANKS), validate=True)
        if encoding == "quoted-printable" and not _NO_ESCAPE.search(part.content):
            return quopri.decodestring(part.content)
    except binascii.Error:
        pass
    raise NoAnswer("a multipart answer with a part that cannot be decoded", status)


def join(envelope: etree._Element, kind: str, names: tuple[str, ...]) -> tuple[str, bytes]:
    """Content type and body of a request whose contents travel in parts of their own."""
    boundary, contents = f"kb-{uuid4().hex}", []
    for node in list(envelope.iter(*names)):
        contents.append(base64.b64decode(node.text or ""))
        node.text = None
        etree.SubElement(node, f"{{{XOP}}}Include", href=f"cid:{len(contents)}@kiezbruecke", nsmap={"xop": XOP})
    soap, _, action = kind.partition("; charset=utf-8; ")
    root = f'Content-Type: application/xop+xml; charset=UTF-8; type="{soap}"\r\nContent-ID: <0@kiezbruecke>'
    parts = [(root, etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))]
    for number, content in enumerate(contents, 1):
        parts.append((f"{_BINARY}Content-ID: <{number}@kiezbruecke>", content))
    body = b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), head.encode(), part) for head, part in parts)
    outer = f'multipart/related; type="application/xop+xml"; boundary="{boundary}"; start="<0@kiezbruecke>"'
    return f'{outer}; start-info="{soap}"; {action}', body + f"--{boundary}--\r\n".encode()
