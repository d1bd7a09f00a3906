"""SOAP for xta and hkr: zeep writes the requests, this module carries them and decides what an answer is.

    zeep (WSDL, envelope, WS-Addressing) ──▶ Line (one connection per call, deadline, size) ──▶ Answer

Answers are handed over as lxml trees, not as zeep's strict types: what goes out is strict, what comes in is
read leniently. The class of an error says what is known about the call:

    NotSent         no byte of the request has left (refused, name unknown, TLS handshake failed)
    Fault           the other side answered with a SOAP fault
    anything else   nobody knows: NoAnswer (a login page, half a document …), DeadlineExceeded, requests' own
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from lxml import etree
from urllib3.exceptions import HTTPError
from zeep import Client, Settings, Transport
from zeep.exceptions import Error as ZeepError

from connectors import _mtom
from connectors._line import DeadlineExceeded, Line, NoAnswer, Response, Wire
from kiezbruecke.errors import ConfigurationError, DeliveryError

__all__ = [
    "CALL_FAILED",
    "Answer",
    "DeadlineExceeded",
    "Fault",
    "NoAnswer",
    "Port",
    "Response",
    "Wire",
    "describe",
    "parse_xml",
    "read_answer",
    "read_envelope",
]

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
_SOAP_TYPES = ("application/soap+xml", "text/xml", "application/xml")
_DECLARATION = re.compile(rb"^\xef\xbb\xbf|^\s*<\?xml[^>]*\?>")


class Fault(Exception):
    """The other side answered with a SOAP fault: `code` and `name` of the detail, `text` its reason.

    Its line holds neither `name` nor `text`: both are theirs and may quote content.
    """

    def __init__(self, *, code: str, name: str, text: str, kind: str, role: str) -> None:
        self.code, self.name, self.text, self.kind, self.role = code, name, text, kind, role
        super().__init__(" ".join(part for part in (kind or role, code) if part) or "SOAP fault")


CALL_FAILED = (DeliveryError, Fault, NoAnswer, OSError, HTTPError)
"""Everything that a call raises when it fails: OSError holds requests' errors and DeadlineExceeded."""


def describe(error: BaseException) -> str:
    """An error in one line without content: our own text, else only its class (others quote addresses)."""
    if isinstance(error, Fault | NoAnswer | DeadlineExceeded | DeliveryError):
        return str(error)
    return type(error).__name__


@dataclass(frozen=True)
class Answer:
    """A whole SOAP answer without fault."""

    envelope: etree._Element
    raw: bytes = field(repr=False)

    @property
    def body(self) -> etree._Element | None:
        """The first element inside Body; None if the body is empty, as XTA's positive answers are."""
        return next(_soap_child(self.envelope, "Body").iterchildren("*"), None)

    def header(self, name: str) -> etree._Element | None:
        """A header block by its `{namespace}name`."""
        header = next((child for child in self.envelope if _local(child) == "Header"), None)
        return None if header is None else header.find(name)


class Port:
    """One port of a WSDL at one address. Its methods raise NotSent, Fault, or anything else for doubt."""

    def __init__(self, wsdl: Path, binding: str, url: str, wire: Wire) -> None:
        self.url, self.wire = url, wire
        self._client = _client(wsdl.resolve(), wire)
        self._service = self._client.create_service(binding, url)  # else wsa:To is the WSDL's placeholder
        self._binding: Any = self._client.wsdl.bindings[binding]

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Answer:
        """Call an operation with zeep's arguments (`_soapheaders=` included)."""
        try:
            response = self._service[operation](*args, **kwargs)
        except ZeepError as error:  # raised while the envelope is built: our values do not fit the WSDL
            where = ".".join(map(str, getattr(error, "path", None) or ()))
            raise ConfigurationError(
                f"{operation}: {type(error).__name__}{f' at {where}' if where else ''}", where=self.url
            ) from None
        return read_answer(response, huge=self.wire.huge)

    def post_body(
        self, operation: str, body: bytes, *, headers: tuple[bytes, ...] = (), addressing: bool | None = None
    ) -> Answer:
        """Post prebuilt body bytes, unchanged, with the operation's HTTP headers.

        `addressing`: WS-Addressing headers; by default where the WSDL names an action for the operation.
        """
        described = self._binding.get(operation)
        action = described.abstract.wsa_action
        if action is None and addressing:
            action = described.soapaction
        if action and addressing is not False:
            headers = (*headers, _addressing(action, self.url))
        namespace = self._binding.nsmap["soap-env"]
        envelope = _envelope(namespace, headers, body)
        response = self._client.transport.post(self.url, envelope, _http_headers(namespace, described.soapaction))
        return read_answer(response, huge=self.wire.huge)


def parse_xml(content: bytes, *, huge: bool = False) -> etree._Element:
    """Parse foreign XML: a whole document, no DTD, no entities, no network. Raises etree.XMLSyntaxError."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=huge, remove_comments=True
    )
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise etree.XMLSyntaxError("a document type declaration is not allowed", 0, 0, 0)
    return root


def read_envelope(content_type: str, content: bytes) -> etree._Element:
    """The SOAP envelope in a body, MTOM parts put back where they belong; raises NoAnswer."""
    return _read_envelope(Response(0, {"Content-Type": content_type}, content), huge=True)


def read_answer(response: Response, *, huge: bool = False) -> Answer:
    """The answer in an HTTP response; raises Fault, or NoAnswer for whatever only looks like success."""
    envelope = _read_envelope(response, huge)
    body = _soap_child(envelope, "Body")
    first = next(body.iterchildren("*"), None)
    if first is not None and first.tag in (f"{{{SOAP_12}}}Fault", f"{{{SOAP_11}}}Fault"):
        raise _fault(first)
    if response.status_code != 200:
        raise NoAnswer("an envelope without fault", response.status_code)
    return Answer(envelope, response.content)


# -- what came back ------------------------------------------------------------------------------------------


def _read_envelope(response: Response, huge: bool) -> etree._Element:
    status, kind = response.status_code, response.headers.get("Content-Type", "")
    media_type, parameters = _mtom.media_type(kind)
    if not response.content:
        raise NoAnswer("an empty answer", status)
    content, parts = response.content, None
    if media_type == "multipart/related":
        content, parts = _mtom.split(response.content, kind, parameters, status)
    elif media_type not in _SOAP_TYPES:
        raise NoAnswer(f"expected a SOAP answer, not '{media_type or 'no content type'}'", status)
    try:
        envelope = parse_xml(content, huge=huge)
    except etree.XMLSyntaxError:
        raise NoAnswer("not a whole XML document", status) from None  # the parser's text would quote content
    if envelope.tag not in (f"{{{SOAP_12}}}Envelope", f"{{{SOAP_11}}}Envelope"):
        raise NoAnswer("XML, but no SOAP envelope", status)
    if not any(_local(child) == "Body" for child in envelope):
        raise NoAnswer("an envelope without body", status)
    if parts is not None:
        _mtom.inline(envelope, parts, status)
    return envelope


def _fault(node: etree._Element) -> Fault:
    """Code and name stand unqualified in the detail's errorCode (XTA 2.1.1, ExceptionType).

    Servers put stack traces beside the exception: the entry that holds an errorCode counts, else the first.
    """
    texts = {_local(child): child for child in node.iterdescendants("*")}
    detail = next((child for child in node if _local(child) in ("Detail", "detail")), None)
    entries = [] if detail is None else list(detail.iterchildren("*"))
    entry, error = next(
        ((entry, code) for entry in entries for code in entry.iter("*") if _local(code) == "errorCode"),
        (entries[0], entries[0]) if entries else (None, None),
    )
    inside = {} if error is None else {_local(child): (child.text or "").strip() for child in error.iter("*")}
    reason = texts.get("Text", texts.get("faultstring"))
    role = texts.get("Value", texts.get("faultcode"))
    return Fault(
        code=inside.get("code", ""),
        name=inside.get("name", ""),
        text="" if reason is None else " ".join((reason.text or "").split()),
        kind="" if entry is None else _local(entry),
        role="" if role is None else (role.text or "").strip().rpartition(":")[2],
    )


def _soap_child(envelope: etree._Element, name: str) -> etree._Element:
    return next(child for child in envelope if _local(child) == name)


def _local(node: etree._Element) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


# -- prebuilt bodies -----------------------------------------------------------------------------------------


def _envelope(namespace: str, headers: tuple[bytes, ...], body: bytes) -> bytes:
    """The envelope around bytes that must not change: joined, never parsed and written again."""
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<soap-env:Envelope xmlns:soap-env="',
            namespace.encode(),
            b'"><soap-env:Header>',
            *headers,
            b"</soap-env:Header><soap-env:Body>",
            _DECLARATION.sub(b"", _DECLARATION.sub(b"", body)),
            b"</soap-env:Body></soap-env:Envelope>",
        )
    )


def _addressing(action: str, to: str) -> bytes:
    header = etree.Element("header")
    for name, text in (("Action", action), ("MessageID", f"urn:uuid:{uuid4()}"), ("To", to)):
        etree.SubElement(header, f"{{{WSA}}}{name}", nsmap={"wsa": WSA}).text = text
    return b"".join(etree.tostring(child) for child in header)


def _http_headers(namespace: str, action: str) -> dict[str, str]:
    if namespace == SOAP_12:
        return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    return {"SOAPAction": f'"{action}"', "Content-Type": "text/xml; charset=utf-8"}


# -- the client, once per process ----------------------------------------------------------------------------


@cache
def _client(wsdl: Path, wire: Wire) -> Any:
    """Reading a WSDL costs about 22 ms: kept per process, file and wire."""
    if not wsdl.is_file():
        raise ConfigurationError("the WSDL is missing", where=str(wsdl), helps="is the content complete?")
    settings = Settings(
        strict=True,
        raw_response=True,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        force_https=False,
        xml_huge_tree=wire.huge,
    )
    transport = _LocalTransport(wire, wsdl)
    return Client(str(wsdl), transport=transport, settings=settings)  # type: ignore[no-untyped-call]


class _LocalTransport(Transport):
    """zeep's transport: loads nothing but the given WSDL, posts over our line, logs no content."""

    def __init__(self, wire: Wire, wsdl: Path) -> None:
        self._line, self._wsdl = Line(wire), wsdl
        super().__init__(session=self._line.session)  # type: ignore[no-untyped-call]

    def load(self, url: str) -> bytes:
        """The WSDL from the disk; anything else it may name is not loaded."""
        if Path(url) != self._wsdl:
            raise ConfigurationError(f"the WSDL wants to load {url}", where=str(self._wsdl))
        return self._wsdl.read_bytes()

    def post_xml(self, address: str, envelope: etree._Element, headers: dict[str, str]) -> Response:
        """Post what zeep built; as MTOM, which zeep cannot write, where the wire says so."""
        if not self._line.wire.mtom:
            return self.post(address, etree.tostring(envelope, xml_declaration=True, encoding="utf-8"), headers)
        kind, message = _mtom.join(envelope, headers["Content-Type"], self._line.wire.mtom)
        return self.post(address, message, {**headers, "Content-Type": kind})

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Response:
        """Post an envelope; see `Line.post`."""
        return self._line.post(address, message, headers)
