"""How the sandbox reads and writes SOAP: calls are checked, refusals become faults of XTA 2.1.1."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from email.message import Message as MimeHeaders
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from lxml.builder import ElementMaker
from starlette.responses import Response

from connectors import _soap
from connectors.xta.client import META, OSCI, WSA, XTA

NS = {"xta": XTA, "osci": OSCI, "meta": META, "wsa": WSA, "env": _soap.SOAP_12}
_EXCEPTIONS = {  # XTA 2.1.1: which exception carries which code, and the code's name
    "9020": ("ParameterIsNotValidException", "Keine Parameter vorhanden"),
    "9022": ("ParameterIsNotValidException", "Ungültige Parameterkombination"),
    "9023": ("ParameterIsNotValidException", "Die Nachricht ist zu groß."),
    "9024": ("ParameterIsNotValidException", "MessageID ist bereits vergeben."),
    "9030": ("XTAWSTechnicalProblemException", "Interner Fehler beim XTA-Server bzw. XTA-Dienstleister"),
    "9050": ("MessageSchemaViolationException", "Fachnachricht ist nicht schemakonform"),
    "9070": ("InvalidMessageIDException", "MessageID für den Account nicht bekannt."),
}
_CARRIED = b"\r\n--parts\r\nContent-Type: application/zip\r\nContent-ID: <content@sandbox>\r\n\r\n%b"
env = ElementMaker(namespace=_soap.SOAP_12, nsmap={"env": _soap.SOAP_12})
wsa = ElementMaker(namespace=WSA, nsmap={"wsa": WSA})
osci = ElementMaker(namespace=OSCI, nsmap={"osci": OSCI})
xta = ElementMaker(namespace=XTA, nsmap={"xta": XTA})


class Refusal(Exception):
    """A call that is refused: with a code of XTA, or without one when SOAP itself is wrong."""

    def __init__(self, code: str, why: str = "") -> None:
        self.code, self.why = code, why
        super().__init__(code)


class Quoting(Refusal):
    """A call that is refused in words that quote somebody: code, name, kind of exception, reason and role."""

    def __init__(self, words: str) -> None:
        super().__init__(words, words)


@dataclass(frozen=True)
class Call:
    """A SOAP call, checked as far as all operations have it in common."""

    action: str
    message_id: str
    header: etree._Element
    body: etree._Element | None

    @property
    def party(self) -> str:
        """Who calls: the Author of the header. A real server knows it from the client certificate, too."""
        return text_of(self.header, "meta:Author/meta:Identifier")


@dataclass(frozen=True)
class Reply:
    """An answer's body and header blocks; `content` are bytes that MTOM would carry apart."""

    body: tuple[etree._Element, ...] = ()
    headers: tuple[etree._Element, ...] = ()
    spoil: str = ""
    relates_to: str = ""  # the request that it says to answer, if that is another


def read_call(content_type: str, content: bytes) -> Call:
    """SOAP 1.2 with WS-Addressing: the WSDL's policy demands both."""
    if not content_type.startswith(("application/soap+xml", "multipart/related")):
        raise Refusal("", "expected application/soap+xml or MTOM")
    envelope = _read_envelope(content_type, content)
    header, body = envelope.find("env:Header", NS), envelope.find("env:Body", NS)
    if envelope.tag != f"{{{_soap.SOAP_12}}}Envelope" or header is None or body is None:
        raise Refusal("", "expected a SOAP 1.2 envelope with header and body")
    action, message_id = text_of(header, "wsa:Action"), text_of(header, "wsa:MessageID")
    if not action or not message_id or not text_of(header, "wsa:To"):
        raise Refusal("", "WS-Addressing: Action, MessageID and To are mandatory")
    if "action=" in content_type and f'action="{action}"' not in content_type:
        raise Refusal("", "wsa:Action and the action of the content type differ")
    children = list(body.iterchildren("*"))
    if len(children) > 1:
        raise Refusal("", "more than one element in the body")
    return Call(action, message_id, header, children[0] if children else None)


def _read_envelope(content_type: str, content: bytes) -> etree._Element:
    """Read with nothing of the client's, so that a fault of its writer is not mirrored by its reader."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True)
    said = MimeHeaders()
    said["Content-Type"] = content_type
    try:
        if said.get_content_type() != "multipart/related":
            return etree.fromstring(content, parser)
        boundary = b"\r\n--" + str(said.get_param("boundary")).encode()
        parts = [part.partition(b"\r\n\r\n") for part in (b"\r\n" + content).split(boundary)[1:-1]]
        contents = {head.partition(b"Content-ID: <")[2].partition(b">")[0]: body for head, _, body in parts}
        envelope = etree.fromstring(parts[0][2], parser)
        for include in list(envelope.iter("{http://www.w3.org/2004/08/xop/include}Include")):
            node = include.getparent()
            assert node is not None
            node.remove(include)
            node.text = base64.b64encode(contents[include.get("href", "").removeprefix("cid:").encode()]).decode()
    except (etree.XMLSyntaxError, LookupError):
        raise Refusal("", "no SOAP envelope, or not a whole one") from None
    return envelope


def write_envelope(call: Call | None, reply: Reply) -> bytes:
    header = env.Header(*reply.headers)
    if call is not None:
        header.extend([wsa.Action(call.action), wsa.RelatesTo(reply.relates_to or call.message_id)])
    return etree.tostring(env.Envelope(header, env.Body(*reply.body)), xml_declaration=True, encoding="UTF-8")


def media_type(call: Call | None) -> str:
    action = f'; action="{call.action}"' if call else ""
    return f"application/soap+xml; charset=utf-8{action}"


def write_fault(refusal: Refusal) -> etree._Element:
    """A SOAP 1.2 fault; the detail's code and name are unqualified (XTA 2.1.1, ExceptionType)."""
    kind, name = _EXCEPTIONS.get(refusal.code, ("", ""))
    if isinstance(refusal, Quoting):
        kind, name = "".join(filter(str.isalpha, refusal.why)), refusal.why
    reason = env.Text(refusal.why or name or "refused")
    reason.set("{http://www.w3.org/XML/1998/namespace}lang", "de")
    fault = env.Fault(env.Code(env.Value(_role(refusal))))
    fault.append(env.Reason(reason))
    if kind:
        error = etree.Element(f"{{{XTA}}}errorCode")
        etree.SubElement(error, "code").text = refusal.code
        etree.SubElement(error, "name").text = name
        fault.append(env.Detail(etree.Element(f"{{{XTA}}}{kind}", nsmap={"xta": XTA})))
        fault[-1][0].append(error)
    return fault


def _role(refusal: Refusal) -> str:
    if isinstance(refusal, Quoting):
        return f"env:Sender.{refusal.why}"
    return "env:Sender" if refusal.code != "9030" else "env:Receiver"


def part(name: str, content: bytes, kind: str, file: str) -> etree._Element:
    """One content of a container: Message or Attachment."""
    node = xta(name, base64.b64encode(content).decode())
    node.set("contentType", kind)
    node.set("filename", file)
    return node


def write_mtom(content: bytes, *, twins: bool = False) -> Response:
    """The same answer with its content in a part of its own, as the WSDL's policy asks for."""
    envelope = etree.fromstring(content, etree.XMLParser(huge_tree=True, resolve_entities=False))
    message = envelope.find(".//xta:Message", NS)
    assert message is not None
    carried, message.text = base64.b64decode(message.text or ""), None
    etree.SubElement(message, "{http://www.w3.org/2004/08/xop/include}Include", href="cid:content@sandbox")
    kind = b'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"'
    body = (
        b"--parts\r\n" + kind + b"\r\nContent-ID: <root@sandbox>\r\n\r\n" + etree.tostring(envelope)
        + (_CARRIED % b"PK of another") * twins + _CARRIED % carried + b"\r\n--parts--\r\n"
    )  # fmt: skip
    outer = 'multipart/related; type="application/xop+xml"; boundary="parts"; start="<root@sandbox>"'
    return Response(body, headers={"Content-Type": outer})


def only(call: Call, name: str) -> etree._Element:
    if call.body is None or call.body.tag != name:
        raise Refusal("9020", f"expected {etree.QName(name).localname} in the body")
    return call.body


def read_container(container: etree._Element) -> tuple[bytes, str]:
    message = container.find("xta:ContentContainer/xta:Message", NS)
    if message is None or not message.get("filename"):
        raise Refusal("9020", "Message with filename is mandatory for xdomea")
    return base64.b64decode(message.text or ""), message.get("filename", "")


def text_of(node: etree._Element, path: str) -> str:
    found = node.find(path, NS)
    return "" if found is None else (found.text or "").strip()


# -- our profile as a schema -----------------------------------------------------------------------------------


@cache
def profile_schema(wsdl: Path) -> etree.XMLSchema:
    """The schemas inside the profile WSDL, compiled: they import one another by namespace, so places are added."""
    xs = "http://www.w3.org/2001/XMLSchema"
    schemas = {node.get("targetNamespace", ""): node for node in etree.parse(wsdl).iter(f"{{{xs}}}schema")}
    for node in (found for schema in schemas.values() for found in schema.iter(f"{{{xs}}}import")):
        node.set("schemaLocation", node.get("namespace", ""))
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    parser.resolvers.add(_Inside({space: etree.tostring(node) for space, node in schemas.items()}))
    driver = etree.Element(f"{{{xs}}}schema")
    for space in schemas:
        etree.SubElement(driver, f"{{{xs}}}import", namespace=space, schemaLocation=space)
    return etree.XMLSchema(etree.fromstring(etree.tostring(driver), parser))


class _Inside(etree.Resolver):
    """Finds a schema by its namespace inside the profile."""

    def __init__(self, schemas: dict[str, bytes]) -> None:
        super().__init__()
        self._schemas = schemas

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # noqa: ARG002
        return self.resolve_string(self._schemas[system_url or ""], context, base_url=system_url)
