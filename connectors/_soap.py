"""SOAP for xta and hkr: zeep writes the requests, this module carries them and decides what an answer is.

    zeep (WSDL, envelope, WS-Addressing) ──▶ Line (deadline, size, what has left) ──▶ Answer

Answers are handed over as lxml trees, not as zeep's strict types: what goes out is strict, what comes in is
read leniently. The class of an error says what is known about the call:

    NotSent         no byte of the request has left (refused, name unknown, TLS handshake failed)
    Fault           the other side answered with a SOAP fault
    anything else   nobody knows: NoAnswer (a login page, half a document …), DeadlineExceeded, the system's own

zeep's clients are kept per process and only write; each port sends over the line of its own client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from lxml import etree
from zeep import Client, Settings, Transport
from zeep.exceptions import Error as ZeepError

from connectors import _mtom
from connectors._line import DeadlineExceeded, Line, NoAnswer, Response, Wire, shown_type
from kiezbruecke.errors import ConfigurationError, DeliveryError, shown
from kiezbruecke.standards.parse import in_utf8
from kiezbruecke.troubles import Cause, Trouble, is_permanent, of_status, trouble_of

__all__ = [
    "CALL_FAILED",
    "Answer",
    "DeadlineExceeded",
    "Fault",
    "Form",
    "Line",
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
_REPLY = f"{WSA}/reply"
_ADDRESSED = "wsa:MessageID"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_IN_ATTRIBUTES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_DECLARATION = re.compile(rb"^\xef\xbb\xbf|^\s*<\?xml[^>]*\?>")


class Fault(Exception):
    """The other side answered with a SOAP fault: `code` and `name` of the detail, `text` its reason.

    All five are theirs and may quote content. Its line holds what the standards name, and a code as `shown` lets it.
    """

    def __init__(self, *, code: str, name: str, text: str, kind: str, role: str, status: int = 0) -> None:
        self.code, self.name, self.text, self.kind, self.role = code, name, text, kind, role
        self.permanent = "" if code else _permanent(role, status)
        self.trouble = _trouble(role, status, self.permanent)
        known = kind if kind in _KINDS else ".".join(filter(None, _shown_role(role)))
        super().__init__(" ".join(filter(None, (known, shown(code)))) or "SOAP fault")


_KINDS = frozenset(  # XTA 2.1.1, XTA-Webservice-Exceptions
    f"{name}Exception"
    for name in (
        *("CancelDenied", "InvalidMessageID", "MessageSchemaViolation", "MessageVirusDetection"),
        *("ParameterIsNotValid", "PermissionDenied", "SyncAsync", "XTAWSTechnicalProblem"),
    )
)
_ROLES = frozenset(  # SOAP 1.2 and 1.1
    ("Sender", "Receiver", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown", "Client", "Server")
)


def _shown_role(role: str) -> tuple[str, str]:
    """`Client.SCHEMA`: a role of SOAP's, and what a server has put behind it (SOAP 1.1, 4.4.1)."""
    first, _, rest = role.partition(".")
    return (first, shown(rest)) if first in _ROLES else ("", "")


def _permanent(role: str, status: int) -> str:
    """What a fault without a code says of the request itself: it will be said again of the same bytes."""
    if is_permanent(status):
        return f"HTTP {status}"
    return f"SOAP {role}" if role in ("Sender", "Client") else ""


def _trouble(role: str, status: int, permanent: str) -> Trouble | None:
    if permanent:
        return of_status(status if is_permanent(status) else 0) or Trouble(Cause.NOT_ACCEPTED, permanent)
    return Trouble(Cause.SERVER) if role.partition(".")[0] in ("Receiver", "Server") else None


CALL_FAILED = (DeliveryError, Fault, NoAnswer, OSError)
"""Everything that a call raises when it fails: OSError holds the system's errors and DeadlineExceeded."""


def describe(error: BaseException) -> str:
    """An error in one line without content: our own text, else its class (others quote addresses) and what helps."""
    known = trouble_of(error)
    if isinstance(error, DeliveryError | DeadlineExceeded):
        return str(error)
    name = str(error) if isinstance(error, Fault | NoAnswer) else type(error).__name__
    return name if known is None else f"{name} – {known.english}; {known.english_helps}"


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


class Form:
    """An envelope that zeep wrote once, with places to fill: for a large content zeep needs ten times as long.

    `marks` are the texts that stand in the envelope in the place of values, by the values' names.
    """

    def __init__(self, written: bytes, headers: Mapping[str, str], marks: Mapping[str, str]) -> None:
        names = {mark.encode(): name for name, mark in marks.items()}
        pieces = re.split(b"(%b)" % b"|".join(map(re.escape, names)), written)
        self.headers = headers
        self._fixed, self._names = pieces[::2], [names[mark] for mark in pieces[1::2]]
        assert {*self._names} == {*marks}  # every value has its place

    def fill(self, values: Mapping[str, str | bytes]) -> bytes:
        """The envelope with these values: text is escaped, bytes (base64) are joined as they are."""
        written = {name: value if isinstance(value, bytes) else _escaped(value) for name, value in values.items()}
        pieces = [self._fixed[0]]
        for name, fixed in zip(self._names, self._fixed[1:], strict=True):
            pieces += (written[name], fixed)
        return b"".join(pieces)


class Port:
    """One port of a WSDL at one address. Its methods raise NotSent, Fault, or anything else for doubt.

    `huge`: answers may hold text nodes beyond 10 MB (inline base64); the line's size limit still holds.
    `mtom`: elements (`{namespace}name`) whose base64 travels in MIME parts; empty = requests without MTOM.
    """

    def __init__(
        self, wsdl: Path, binding: str, url: str, line: Line, *, huge: bool = False, mtom: tuple[str, ...] = ()
    ) -> None:
        self.url, self.mtom = url, mtom
        self._line, self._huge = line, huge
        client = _client(wsdl.resolve())
        with _WRITING:
            self._writer = client.create_service(binding, url)  # else wsa:To is the WSDL's placeholder
        self._binding: Any = client.wsdl.bindings[binding]

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Answer:
        """Call an operation with zeep's arguments (`_soapheaders=` included)."""
        envelope, headers = self._write(operation, args, kwargs)
        if self.mtom:
            kind, message = _mtom.join(envelope, headers["Content-Type"], self.mtom)
            return self._post(message, {**headers, "Content-Type": kind}, _asked(envelope))
        message = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        return self._post(message, headers, _asked(envelope))

    def form(self, operation: str, marks: Mapping[str, str], **kwargs: Any) -> Form:
        """The envelope of an operation, written by zeep with marks where `post_form` puts values."""
        envelope, headers = self._write(operation, (), kwargs)
        addressed = {**marks, _ADDRESSED: f"urn:uuid:{uuid4()}"}
        header = envelope.find(f"*/{{{WSA}}}MessageID")
        assert header is not None
        header.text = addressed[_ADDRESSED]
        return Form(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"), headers, addressed)

    def post_form(self, form: Form, values: Mapping[str, str | bytes]) -> Answer:
        """Post a form with its values, and an id of its own for this call."""
        asked = f"urn:uuid:{uuid4()}"
        return self._post(form.fill({**values, _ADDRESSED: asked}), form.headers, asked)

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
        asked = ""
        if action and addressing is not False:
            asked = f"urn:uuid:{uuid4()}"
            headers = (*headers, _addressing(action, self.url, asked))
        namespace = self._binding.nsmap["soap-env"]
        return self._post(_envelope(namespace, headers, body), _http_headers(namespace, described.soapaction), asked)

    def _write(self, operation: str, args: Any, kwargs: Any) -> tuple[etree._Element, dict[str, str]]:
        try:
            with _WRITING:  # nobody promises that a client of zeep's may be used by two threads at once
                written: tuple[etree._Element, dict[str, str]] = self._writer[operation](*args, **kwargs)
                return written
        except ZeepError as error:  # our values do not fit the WSDL
            where = ".".join(map(str, getattr(error, "path", None) or ()))
            raise ConfigurationError(
                f"{operation}: {type(error).__name__}{f' at {where}' if where else ''}", where=self.url
            ) from None

    def _post(self, message: bytes, headers: Mapping[str, str], asked: str) -> Answer:
        """`asked` is the id of this request, where it has one: an answer to another is no answer to it."""
        answer = read_answer(self._line.post(self.url, message, headers), huge=self._huge)
        if asked and (answered := _answered(answer.envelope)) and asked not in answered:
            raise NoAnswer("an answer to another request")
        return answer


def parse_xml(content: bytes, *, huge: bool = False, charset: str | None = None) -> etree._Element:
    """Parse foreign XML: a whole document, no DTD, no entities, no network. Raises etree.XMLSyntaxError.

    `charset` is that of the Content-Type. Raises LookupError and UnicodeDecodeError as `in_utf8` does.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=huge, remove_comments=True
    )
    root = etree.fromstring(in_utf8(content, charset), parser)
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
        raise _fault(first, response.status_code)
    if response.status_code != 200:
        raise NoAnswer("an envelope without fault", response.status_code)
    return Answer(envelope, response.content)


# -- what came back ------------------------------------------------------------------------------------------


def _read_envelope(response: Response, huge: bool) -> etree._Element:
    status, kind = response.status_code, response.headers.get("Content-Type", "")
    media_type, parameters = _mtom.media_type(kind)
    if not response.content:
        raise NoAnswer("an empty answer", status)
    content, charset, parts = response.content, parameters.get("charset"), None
    if media_type == "multipart/related":
        content, charset, parts = _mtom.split(response.content, parameters, status)
    elif media_type not in _SOAP_TYPES:
        raise NoAnswer(f"expected a SOAP answer, not {shown_type(media_type)}", status)
    try:
        envelope = parse_xml(content, huge=huge, charset=charset)
    except (etree.XMLSyntaxError, UnicodeDecodeError):
        raise NoAnswer("not a whole XML document", status) from None  # the parser's text would quote content
    except LookupError:
        raise NoAnswer("XML in a charset that is not read here", status) from None
    if envelope.tag not in (f"{{{SOAP_12}}}Envelope", f"{{{SOAP_11}}}Envelope"):
        raise NoAnswer("XML, but no SOAP envelope", status)
    if not any(_local(child) == "Body" for child in envelope):
        raise NoAnswer("an envelope without body", status)
    if parts is not None:
        _mtom.inline(envelope, parts, status)
    return envelope


def _fault(node: etree._Element, status: int) -> Fault:
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
        status=status,
    )


def _asked(envelope: etree._Element) -> str:
    """The id that a request bears; empty where its WSDL asks for none."""
    return (envelope.findtext(f"*/{{{WSA}}}MessageID") or "").strip()


def _answered(envelope: etree._Element) -> set[str]:
    """The requests that an answer names; servers may leave that out."""
    relations = envelope.iterfind(f"*/{{{WSA}}}RelatesTo")
    return {(one.text or "").strip() for one in relations if one.get("RelationshipType", _REPLY) == _REPLY} - {""}


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


def _addressing(action: str, to: str, asked: str) -> bytes:
    header = etree.Element("header")
    for name, text in (("Action", action), ("MessageID", asked), ("To", to)):
        etree.SubElement(header, f"{{{WSA}}}{name}", nsmap={"wsa": WSA}).text = text
    return b"".join(etree.tostring(child) for child in header)


def _escaped(text: str) -> bytes:
    """Text as it may stand between tags and in an attribute; raises ConfigurationError for what XML cannot hold."""
    if _NO_XML.search(text):
        raise ConfigurationError("a value holds a character that XML cannot", where="a prebuilt envelope")
    return escape(text, _IN_ATTRIBUTES).encode()


def _http_headers(namespace: str, action: str) -> dict[str, str]:
    if namespace == SOAP_12:
        return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    return {"SOAPAction": f'"{action}"', "Content-Type": "text/xml; charset=utf-8"}


# -- zeep's client, once per process ---------------------------------------------------------------------------

_WRITING = Lock()


@cache
def _client(wsdl: Path) -> Any:
    """Reading a WSDL costs about 22 ms: kept per process and file."""
    if not wsdl.is_file():
        raise ConfigurationError("the WSDL is missing", where=str(wsdl), helps="is the content complete?")
    settings = Settings(
        strict=True,
        raw_response=True,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        force_https=False,
    )
    return Client(str(wsdl), transport=_Writing(wsdl), settings=settings)  # type: ignore[no-untyped-call]


class _Writing(Transport):
    """In the place of zeep's transport: loads nothing but the given WSDL, and hands over what zeep would post."""

    def __init__(self, wsdl: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._wsdl = wsdl

    def load(self, url: str) -> bytes:
        """The WSDL from the disk; anything else it may name is not loaded."""
        if Path(url) != self._wsdl:
            raise ConfigurationError(f"the WSDL wants to load {url}", where=str(self._wsdl))
        return self._wsdl.read_bytes()

    def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> Any:  # noqa: ARG002 - the port knows it
        """The envelope and its HTTP headers: with `raw_response` they are what the call returns."""
        return envelope, headers
