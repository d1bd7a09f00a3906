"""Speaks XTA 2.1.1 (XTA 2 v3): three ports, and the operations that a sender and a reader of a box need.

    createMessageId ─▶ sendMessage ─▶ getTransportReport          getStatusList ─▶ getMessage ─▶ close

Requests are built by zeep from our profile of the WSDL; sendMessage is built once and then filled. Answers are read by
known paths, because a server may use any optional element of the standard, and may answer with MTOM. Errors are those
of `connectors._soap`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from lxml import etree

from connectors import _soap
from connectors.xta.settings import Settings

XTA = "http://xoev.de/transport/xta/211"
OSCI = "http://www.osci.eu/ws/2008/05/transport"
META = "http://www.osci.eu/ws/2014/10/transport"
WSA = _soap.WSA
PROFILE = Path("schemas/xta/2.1.1/profile.wsdl")
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_NS = {"xta": XTA, "osci": OSCI, "meta": META, "wsa": WSA}


class Encrypted(Exception):
    """The container holds xenc:EncryptedData, for which we have no key."""


class NotOurs(Exception):
    """The box has given away another message than was asked for, or one for another reader."""


@dataclass(frozen=True)
class MessageType:
    """What kind of message is inside (Qualifier/MessageType); the defaults are xdomea 4.0.0's 0401."""

    code: str = "0401"
    list_uri: str = "urn:xoev-de:xdomea:codeliste:nachrichtentyp"
    list_version: str = "3.0"
    payload_schema: str = "urn:xoev-de:xdomea:schema:4.0.0"


@dataclass(frozen=True)
class Content:
    """A file inside a GenericContentContainer."""

    content: bytes = field(repr=False)
    media_type: str = "application/zip"
    file_name: str = ""


class Light(IntEnum):
    """MessageStatus/Status of a transport report."""

    OPEN = 0
    GREEN = 1
    YELLOW = 2
    RED = 3


@dataclass(frozen=True)
class Report:
    """A transport report: the state of the transport, and what it says about errors and warnings."""

    message_id: str
    code: str
    status: int
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error_codes: tuple[str, ...] = ()
    time: datetime | None = None


@dataclass(frozen=True)
class Listed:
    """One line of a box's list: MessageMetaData is fully present, this is what we need of it."""

    message_id: str
    code: str = ""


@dataclass(frozen=True)
class Listing:
    """A page of a box. `pending` are further messages, fetched with the same request id."""

    request_id: str
    messages: tuple[Listed, ...]
    pending: int


@dataclass(frozen=True)
class Fetched:
    """A message from a box: its Message and Attachments in their order, and the request id that closes it.

    `whole` gives the container as it came, for what nobody understands.
    """

    contents: tuple[Content, ...]
    request_id: str = ""
    whole: Callable[[], bytes] = field(default=bytes, repr=False)


# what stands in a form in the place of a message's own values
_MARKED = Content(b"kb:content", "kb:media-type", "kb:file-name")
_MARKED_ORIGIN = datetime(1901, 1, 2, 3, 4, 5, tzinfo=UTC)
_MARKED_SIZE = 190_102_030_405
_MARKS = {
    "message_id": "kb:id",
    "origin": "1901-01-02T03:04:05Z",
    "size": str(_MARKED_SIZE),
    "media_type": _MARKED.media_type,
    "file_name": _MARKED.file_name,
    "content": base64.b64encode(_MARKED.content).decode(),
}


class XtaClient:
    """One account at one XTA server."""

    def __init__(self, settings: Settings, content: Path = Path()) -> None:
        self._settings = settings
        self._line = _soap.Line(settings.wire)
        self._forms: dict[tuple[MessageType, bool], _soap.Form] = {}
        profile = content / PROFILE
        self._management = self._port(profile, "management", settings.management_url)
        self._sending = self._port(profile, "sendXTA", settings.send_url)
        self._box = self._port(profile, "msgBox", settings.msgbox_url)

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    def check_account(self) -> None:
        """checkAccountActive: returning means that the server knows the account and lets it in."""
        self._management.call("checkAccountActive", _soapheaders=self._author())

    def service_is_available(self) -> bool | None:
        """lookupService: whether the receiver offers the service; None if the server does not know."""
        lookup = {"Reader": self._receiver(), "ServiceType": self._settings.service}
        answer = self._management.call(
            "lookupService", LookupServiceRequestList=[{"LookupService": lookup}], _soapheaders=self._author()
        )
        said = _text(_body(answer, f"{{{XTA}}}LookupServiceResponse"), ".//xta:ServiceIsAvailable")
        return None if not said else said in ("true", "1")

    def create_message_id(self) -> str:
        """A new MessageID of the server's. One that is never used is harmless."""
        answer = self._management.call("createMessageId", _soapheaders=self._author())
        message_id = (_body(answer, f"{{{WSA}}}MessageID").text or "").strip()
        if not _ID.fullmatch(message_id):
            raise _soap.NoAnswer("createMessageId without an id that could be one")
        return message_id

    def send_message(
        self, message_id: str, content: Content, kind: MessageType, *, origin: datetime, test: bool
    ) -> None:
        """Hand a message over. Returning means that the server has taken it; an empty body is its yes."""
        size = len(content.content)
        said: dict[str, str | bytes] = {
            "message_id": message_id,
            "origin": origin.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "size": str(size),
            "media_type": content.media_type,
            "file_name": content.file_name,
            "content": base64.b64encode(content.content),
        }
        if self._sending.mtom:
            answer = self._sending.call("sendMessage", **self._message(message_id, content, kind, origin, test, size))
        else:
            answer = self._sending.post_form(self._form(kind, test), said)
        if answer.body is not None:
            raise _soap.NoAnswer("sendMessage with an answer that the standard does not know")

    def transport_report(self, message_id: str) -> Report:
        """What became of a message. Raises a Fault with 9070 where the server does not know the id."""
        answer = self._management.call("getTransportReport", message_id, _soapheaders=self._author())
        report = _read_report(_body(answer, f"{{{XTA}}}TransportReport"))
        if report.message_id != message_id:
            raise _soap.NoAnswer("a transport report of another message")
        return report

    def status_list(self, items: int) -> Listing:
        """The first page of the box."""
        answer = self._box.call(
            "getStatusList", maxListItems=items, ListForm="MessageMetaData", _soapheaders=self._author()
        )
        return _read_listing(answer)

    def next_status_list(self, request_id: str) -> Listing:
        """The next page. LastMsgReceived is left out: it would acknowledge what is not stored yet."""
        answer = self._box.call("getNextStatusList", MsgBoxRequestID=request_id, _soapheaders=self._author())
        return _read_listing(answer)

    def get_message(self, message_id: str) -> Fetched:
        """A message of the box; it stays there until `close`. Raises Encrypted, NotOurs; ValueError for bad base64."""
        answer = self._box.call(
            "getMessage",
            MsgPart="Envelope",
            MsgSelector={"MessageID": [message_id]},
            _soapheaders=self._author(),
        )
        container = _body(answer, f"{{{XTA}}}GenericContentContainer")
        self._refuse_what_is_not_ours(answer.header(f"{{{META}}}MessageMetaData"), message_id)
        response = answer.header(f"{{{OSCI}}}MsgBoxResponse")
        request_id = "" if response is None else response.get("MsgBoxRequestID", "")
        return Fetched(tuple(_read_contents(container)), request_id, lambda: etree.tostring(container))

    def acknowledge(self, message_ids: list[str], request_id: str) -> None:
        """XTA's operation `close`: the server may now forget these messages."""
        self._box.call("close", LastMsgReceived=message_ids, MsgBoxRequestID=request_id, _soapheaders=self._author())

    def _refuse_what_is_not_ours(self, meta: etree._Element | None, message_id: str) -> None:
        """What the answer says of itself must be what was asked for; a server may leave it out."""
        if meta is None:
            return
        said = _text(meta, "meta:MsgIdentification/wsa:MessageID")
        reader = _text(meta, "meta:Destinations/meta:Reader/meta:Identifier")
        if said not in ("", message_id) or reader not in ("", self._settings.party):
            raise NotOurs

    def _port(self, profile: Path, name: str, url: str) -> _soap.Port:
        mtom = (f"{{{XTA}}}Message",) if self._settings.mtom else ()
        return _soap.Port(profile, f"{{{XTA}}}{name}HttpsBinding", url, self._line, huge=True, mtom=mtom)

    # -- what every request says about us --------------------------------------------------------------------

    def _form(self, kind: MessageType, test: bool) -> _soap.Form:
        """sendMessage with marks for what differs between messages."""
        if (kind, test) not in self._forms:
            arguments = self._message("kb:id", _MARKED, kind, _MARKED_ORIGIN, test, _MARKED_SIZE)
            self._forms[kind, test] = self._sending.form("sendMessage", _MARKS, **arguments)
        return self._forms[kind, test]

    def _message(
        self, message_id: str, content: Content, kind: MessageType, origin: datetime, test: bool, size: int
    ) -> dict[str, Any]:
        container = {
            "_value_1": content.content,
            "contentType": content.media_type,
            "filename": content.file_name,
            "size": size,
        }
        meta = self._meta(message_id, kind, origin, size=size, test=test)
        return {"ContentContainer": {"Message": container}, "_soapheaders": {"MessageMetaData": meta}}

    def _author(self) -> dict[str, Any]:
        return {"AuthorIdentifier": self._party()}

    def _party(self) -> dict[str, Any]:
        return _identifier(self._settings.party, self._settings.identifier_type, self._settings.party_name)

    def _receiver(self) -> dict[str, Any]:
        settings = self._settings
        return _identifier(settings.receiver, settings.identifier_type, settings.receiver_name)

    def _meta(self, message_id: str, kind: MessageType, origin: datetime, *, size: int, test: bool) -> dict[str, Any]:
        """MessageMetaData of OSCI 2.02 with all its mandatory parts."""
        message_type = {
            "code": kind.code,
            "listURI": kind.list_uri,
            "listVersionID": kind.list_version,
            "payloadSchema": kind.payload_schema,
        }
        return {
            "DeliveryAttributes": {"Origin": origin.astimezone(UTC)},
            "Originators": {"Author": self._party()},
            "Destinations": {"Reader": self._receiver()},
            "MsgIdentification": {"MessageID": message_id},
            "Qualifier": {
                "Service": self._settings.service,
                "BusinessScenario": {"Undefined": self._settings.business_scenario},
                "MessageType": message_type,
            },
            "MsgSize": size,
            "TestMsg": test,
        }


def _identifier(value: str, kind: str, name: str) -> dict[str, Any]:
    named = {"name": name} if name else {}
    return {"Identifier": {"_value_1": value, "type": kind, **named}}


# -- reading answers -----------------------------------------------------------------------------------------


def _body(answer: _soap.Answer, name: str) -> etree._Element:
    if answer.body is None or answer.body.tag != name:
        raise _soap.NoAnswer(f"an answer without {etree.QName(name).localname}")
    return answer.body


def _text(node: etree._Element, path: str) -> str:
    found = node.find(path, _NS)
    return "" if found is None else " ".join((found.text or "").split())


def _read_report(node: etree._Element) -> Report:
    """TransportReport: MessageMetaData, ReportTime, MessageStatus with its three lists of records."""
    status = _text(node, "xta:MessageStatus/xta:Status")
    if status not in {str(light.value) for light in Light}:
        raise _soap.NoAnswer("a transport report without a status that the standard knows")
    errors = node.findall("xta:MessageStatus/xta:ErrorList/xta:Error", _NS)
    warnings = node.findall("xta:MessageStatus/xta:WarnList/xta:Warning", _NS)
    return Report(
        message_id=_text(node, "meta:MessageMetaData/meta:MsgIdentification/wsa:MessageID"),
        code=_text(node, "meta:MessageMetaData/meta:Qualifier/meta:MessageType/code"),
        status=int(status),
        errors=tuple(_text(error, "xta:Reason") for error in errors),
        warnings=tuple(_text(warning, "xta:Reason") for warning in warnings),
        error_codes=tuple(_text(error, "xta:Code/code") for error in errors),
        time=_moment(_text(node, "xta:ReportTime")),
    )


def _moment(text: str) -> datetime | None:
    """A time with zone; anything else is no time to us."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _read_listing(answer: _soap.Answer) -> Listing:
    """MsgStatusList in the body; what is pending stands in the MsgBoxResponse header (zeep loses it).

    A server that has nothing may leave the list out; one that leaves it out and says that more waits is not believed.
    """
    response = answer.header(f"{{{OSCI}}}MsgBoxResponse")
    request_id = "" if response is None else response.get("MsgBoxRequestID", "")
    pending = "" if response is None else _text(response, "osci:ItemsPending")
    waiting = int(pending) if pending.isdecimal() else 0
    if answer.body is None and not waiting:
        return Listing(request_id, (), 0)
    status_list = _body(answer, f"{{{OSCI}}}MsgStatusList")
    listed = [
        Listed(
            _text(meta, "meta:MsgIdentification/wsa:MessageID"),
            _text(meta, "meta:Qualifier/meta:MessageType/code"),
        )
        for meta in status_list.findall("meta:MessageMetaData", _NS)
    ]
    # the standard's other form, which a server may choose although MessageMetaData was asked for
    listed += [Listed(_text(line, "wsa:MessageID")) for line in status_list.findall("osci:MsgAttributes", _NS)]
    return Listing(request_id, tuple(line for line in listed if line.message_id), waiting)


def _read_contents(container: etree._Element) -> Iterator[Content]:
    """Message and Attachment: the standard leaves open in which of them an answer travels."""
    parts = container.findall("xta:ContentContainer/xta:Message", _NS)
    parts += container.findall("xta:ContentContainer/xta:Attachment", _NS)
    if not parts:
        raise Encrypted
    for part in parts:
        try:
            content = base64.b64decode("".join((part.text or "").split()), validate=True)
        except binascii.Error:
            raise ValueError("not base64") from None
        yield Content(content, part.get("contentType", ""), part.get("filename", ""))
