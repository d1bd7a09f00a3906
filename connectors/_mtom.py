"""MTOM for the SOAP connectors: contents beside the envelope (W3C MTOM and XOP 1.0). zeep cannot write it.

multipart/related ─▶ envelope + parts ─▶ envelope with base64 inside            (what comes in)
envelope with base64 inside ─▶ envelope with xop:Include + parts                (what goes out)
"""

from __future__ import annotations

import base64
import binascii
import quopri
from collections.abc import Callable, Mapping
from email.message import Message as MimeHeaders
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from lxml import etree
from requests_toolbelt.multipart.decoder import (  # type: ignore[import-untyped]
    ImproperBodyPartContentException,
    MultipartDecoder,
)

from connectors._line import NoAnswer

_ENCODINGS: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"base64": base64.b64decode,
    b"quoted-printable": quopri.decodestring,
}
XOP = "http://www.w3.org/2004/08/xop/include"
_BINARY = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"


def media_type(kind: str) -> tuple[str, Mapping[str, str]]:
    """The media type of a Content-Type header, and its parameters in lower case."""
    if not kind:
        return "", {}
    headers = MimeHeaders()
    headers["Content-Type"] = kind
    _, *parameters = headers.get_params() or [("", "")]
    return headers.get_content_type(), {name.lower(): value for name, value in parameters}


def split(content: bytes, kind: str, parameters: Mapping[str, str], status: int) -> tuple[bytes, str | None, list[Any]]:
    """The root document, its charset, and the other parts of an MTOM answer; without its last boundary it was cut.

    MIME allows a preamble before the first boundary: a note to readers that know no MIME, which is left out.
    """
    boundary = parameters.get("boundary", "").encode()
    if not boundary or b"--" + boundary + b"--" not in content[-len(boundary) - 64 :]:
        raise NoAnswer("a multipart answer that is not whole", status)
    try:
        _, _, body = (b"\r\n" + content).partition(b"\r\n--" + boundary)
        parts = list(MultipartDecoder(b"--" + boundary + body, kind).parts)
    except ImproperBodyPartContentException:
        raise NoAnswer("a multipart answer that cannot be read", status) from None
    start = parameters.get("start", "").encode()
    root = next((part for part in parts if start and part.headers.get(b"Content-ID") == start), parts[0])
    _, described = media_type(root.headers.get(b"Content-Type", b"").decode("latin-1"))
    return _decoded(root, status), described.get("charset"), [part for part in parts if part is not root]


def inline(envelope: etree._Element, parts: list[Any], status: int) -> None:
    """Put the parts back where an xop:Include names them, as base64."""
    by_id = {part.headers.get(b"Content-ID", b"").decode("latin-1").strip("<>"): part for part in parts}
    for include in list(envelope.iter(f"{{{XOP}}}Include")):
        part = by_id.get(unquote(include.get("href", "").removeprefix("cid:")))
        parent = include.getparent()
        if part is None or parent is None:
            raise NoAnswer("a multipart answer without the part it names", status)
        parent.remove(include)
        parent.text = base64.b64encode(_decoded(part, status)).decode()


def _decoded(part: Any, status: int) -> bytes:
    """A part's bytes as they were meant (RFC 2045, section 6); an encoding that nobody knows proves no content."""
    content: bytes = part.content
    encoding = part.headers.get(b"Content-Transfer-Encoding", b"binary").strip().lower()
    if encoding in (b"binary", b"8bit", b"7bit"):
        return content
    try:
        return _ENCODINGS[encoding](content)
    except (KeyError, binascii.Error):
        raise NoAnswer("a multipart answer with a part that cannot be decoded", status) from None


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
