"""Receiving: nothing is closed before it is stored, nothing stops the rest, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from connectors import _soap
from connectors.xta.client import META, OSCI, WSA, Content, Encrypted, Fetched, Listed, Listing, _read_listing
from connectors.xta.mailbox import Mailbox, read_item
from kiezbruecke.connector import Handled, Item
from kiezbruecke.errors import SourceError
from kiezbruecke.standards import xdomea

from .conftest import DOCUMENTS, NoCursor, Xta, a_message, connect, context, payload

NS = {"x": xdomea.NAMESPACE}


def _send(xta: Xta, number: int = 1) -> None:
    message = a_message(payload=payload(number))
    xta.target.send(message, xta.target.reserve(message))


def _said(body: object, path: str) -> list[str]:
    assert isinstance(body, bytes)
    return [node.text or "" for node in etree.fromstring(body).iterfind(path, NS)]


def test_the_answers_name_the_message_they_answer(xta: Xta) -> None:
    _send(xta)

    receipt, result = xta.items()

    (arrived,) = xta.received()
    assert (receipt.kind, result.kind) == ("0403", "0402")
    assert _said(result.body, "x:UUIDUrsprungsnachricht") == [arrived["message_uuid"]]
    assert _said(result.body, "x:AbgegebenesObjekt/x:xdomeaUUID") == [arrived["object_uuid"]]
    assert _said(result.body, ".//x:Erfolgreich") == ["1", "1"]
    assert xdomea.unpack(result.raw or b"").xml == result.body


def test_what_is_not_acknowledged_comes_again(xta: Xta) -> None:
    _send(xta)

    first, second = xta.items(), xta.items()

    assert [item.external_id for item in first] == [item.external_id for item in second]


def test_what_is_acknowledged_does_not_come_again(xta: Xta) -> None:
    _send(xta)

    assert len(xta.empty()) == 2
    assert xta.items() == []


def test_acknowledging_twice_is_harmless(xta: Xta) -> None:
    """After a crash the engine acknowledges again, in another process that knows no request ids."""
    _send(xta)
    items = xta.empty()

    xta.mailbox.acknowledge([Handled(item) for item in items])


def test_a_lost_close_is_repeated_without_harm(xta: Xta) -> None:
    _send(xta)
    items = [Handled(item) for item in xta.items()]
    xta.running.arm("close_lost")

    with pytest.raises(SourceError, match="known"):
        xta.mailbox.acknowledge(items)
    xta.mailbox.acknowledge(items)

    assert xta.items() == []


def test_a_long_list_comes_in_pages(start_xta: Callable[..., Xta]) -> None:
    """ItemsPending stands in a header that zeep loses; without it everything after page one would stay."""
    xta = start_xta(list_items=2)
    for number in range(3):
        _send(xta, number)

    items = xta.items()

    assert len({item.external_id for item in items}) == 6


def test_a_message_that_cannot_be_fetched_does_not_stop_the_others(xta: Xta) -> None:
    """The run says that something is missing, the rest is there, and next time all of it."""
    _send(xta)
    xta.running.arm("getmessage_lost")
    seen: list[str] = []

    with pytest.raises(SourceError):
        seen.extend(item.kind for item in xta.mailbox.fetch(NoCursor()))

    assert seen == ["0402"]
    assert len(xta.items()) == 2


def test_a_duplicate_receipt_comes_twice_with_two_ids(xta: Xta) -> None:
    """Telling them apart is the ledger's: the content is the same, the ids are not."""
    xta.running.arm("duplicate_ack")
    _send(xta)

    first, second = [item for item in xta.items() if item.kind == "0402"]

    assert first.body == second.body
    assert first.external_id != second.external_id


def test_a_receipt_for_nobody_comes_like_any_other(xta: Xta) -> None:
    xta.running.arm("unknown_ack")
    _send(xta)

    origins = {_said(item.body, "x:UUIDUrsprungsnachricht")[0] for item in xta.items()}

    assert len(origins) == 2


def test_a_delayed_receipt_comes_with_a_later_list(xta: Xta) -> None:
    xta.running.arm("ack_delayed")
    _send(xta)

    assert xta.items() == []
    assert len(xta.items()) == 2


def test_a_refused_import_says_why(xta: Xta) -> None:
    xta.running.arm("refuse_import")
    _send(xta)

    result = next(item for item in xta.items() if item.kind == "0402")

    assert set(_said(result.body, ".//x:Erfolgreich")) == {"0"}
    assert "Aktenplan unbekannt" in _said(result.body, "x:ErfolgOderMisserfolg/x:Fehlermeldung")[0]
    assert xta.received()[0]["imported"] is False


def test_a_changed_document_is_refused_by_the_e_file(xta: Xta) -> None:
    (name, _), other = DOCUMENTS
    message = a_message(payload=payload(documents=((name, b"changed"), other)))
    xta.target.send(message, xta.target.reserve(message))

    result = next(item for item in xta.items() if item.kind == "0402")

    assert f"Hashwert stimmt nicht: {name}" in _said(result.body, "x:ErfolgOderMisserfolg/x:Fehlermeldung")


def test_an_answer_with_mtom_is_read(start_xta: Callable[..., Xta]) -> None:
    """The WSDL's policy lets servers answer with MTOM: the ZIP then travels in a part of its own."""
    xta = start_xta("mtom=1")
    _send(xta)

    assert [item.kind for item in xta.items()] == ["0403", "0402"]


def test_a_box_that_cannot_be_listed_is_a_source_error(start_xta: Callable[..., Xta]) -> None:
    xta = start_xta()
    mailbox = xta.mailbox
    xta.running.stop()

    with pytest.raises(SourceError):
        list(mailbox.fetch(NoCursor()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 broken", "kein lesbares ZIP"),
        (b"<a", "kein lesbares XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE"),
        (b"<a/>", "keine xdomea-Nachricht"),
        (b'<x:Abgabe.ImportBestaetigen.0402 xmlns:x="urn:xoev-de:xdomea:schema:3.1.0"/>', "3.1.0"),
        (b'<x:Information.Information.0101 xmlns:x="urn:xoev-de:xdomea:schema:4.0.0"/>', "0101"),
        (b"", "XML"),
    ],
)
def test_what_cannot_be_understood_is_kept_with_a_reason(content: bytes, reason: str) -> None:
    item = read_item("urn:id", Content(content))

    assert item.kind == "unknown"
    assert reason in str(item.problem)
    assert item.raw == content


def test_a_bare_xml_is_read_like_a_zip() -> None:
    xml = b'<x:Abgabe.ImportBestaetigen.0402 xmlns:x="urn:xoev-de:xdomea:schema:4.0.0"/>'

    assert read_item("urn:id", Content(xml, "application/xml")).kind == "0402"


def _answer(body: str, header: str = "") -> _soap.Answer:
    names = f'xmlns:e="{_soap.SOAP_12}" xmlns:o="{OSCI}" xmlns:m="{META}" xmlns:w="{WSA}"'
    raw = f"<e:Envelope {names}><e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>".encode()
    return _soap.Answer(etree.fromstring(raw), raw)


def test_both_forms_of_a_list_are_read() -> None:
    """MsgStatusListType allows MsgAttributes beside MessageMetaData."""
    short = "<o:MsgAttributes><w:MessageID>urn:1</w:MessageID><o:MsgSize>7</o:MsgSize></o:MsgAttributes>"
    long = "<m:MessageMetaData><m:MsgIdentification><w:MessageID>urn:2</w:MessageID></m:MsgIdentification>"
    listing = _read_listing(_answer(f"<o:MsgStatusList>{short}{long}</m:MessageMetaData></o:MsgStatusList>"))

    assert {line.message_id for line in listing.messages} == {"urn:1", "urn:2"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        '<o:MsgBoxResponse MsgBoxRequestID="urn:r"/>',
        '<o:MsgBoxResponse MsgBoxRequestID="urn:r"><o:ItemsPending>0</o:ItemsPending></o:MsgBoxResponse>',
        '<o:MsgBoxResponse MsgBoxRequestID="urn:r"><o:NoMessageAvailable reason="urn:x"/></o:MsgBoxResponse>',
    ],
)
def test_an_empty_box_may_be_said_without_a_list(header: str) -> None:
    listing = _read_listing(_answer("", header))

    assert (listing.messages, listing.pending) == ((), 0)


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("<o:SomethingElse/>", ""),
        ("", "<o:MsgBoxResponse><o:ItemsPending>3</o:ItemsPending></o:MsgBoxResponse>"),
    ],
)
def test_what_is_no_list_does_not_count_as_an_empty_box(body: str, header: str) -> None:
    with pytest.raises(_soap.NoAnswer):
        _read_listing(_answer(body, header))


class Stubborn:
    """A client of a box with one message that it never gives away, and one page that it never shows."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.closed: list[str] = []

    def status_list(self, items: int) -> Listing:
        return Listing("urn:list", (Listed("urn:bad"), Listed("urn:good")), 1)

    def next_status_list(self, request_id: str) -> Listing:
        raise _soap.Fault(code="9022", name="", text="", kind="", role="")

    def get_message(self, message_id: str) -> Fetched:
        if message_id == "urn:bad":
            raise self.error
        return Fetched(Content(b"<a/>"), "urn:fetch")

    def acknowledge(self, message_ids: list[str], request_id: str) -> None:
        if request_id == "urn:fetch":
            raise _soap.Fault(code="9070", name="", text="", kind="", role="")
        self.closed += message_ids


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (_soap.Fault(code="9070", name="", text="", kind="", role=""), "nicht heraus"),
        (Encrypted(), "verschlüsselt"),
        (ValueError(), "Base64"),
    ],
)
def test_what_could_not_be_had_is_shown_but_never_closed(error: Exception, reason: str) -> None:
    """Its id is its own: when the message can be read one day, it must not count as known."""
    mailbox = Mailbox(connect("http://127.0.0.1:1"), context())
    mailbox._client = stubborn = Stubborn(error)  # type: ignore[assignment]
    items: list[Item] = []

    with pytest.raises(SourceError):  # the second page
        items.extend(mailbox.fetch(NoCursor()))
    mailbox.acknowledge([Handled(item) for item in items])

    assert [item.external_id for item in items] == ["urn:bad#unread", "urn:good"]
    assert reason in str(items[0].problem)
    assert stubborn.closed == ["urn:good"]  # with the list's request id, after getMessage's did not work
