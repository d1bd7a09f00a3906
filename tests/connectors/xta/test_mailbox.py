"""Receiving: nothing is closed before it is stored, nothing stops the rest, nothing is lost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from lxml import etree

from connectors import _soap
from connectors.xta.client import META, OSCI, WSA, Content, Encrypted, Fetched, Listed, Listing, NotOurs, _read_listing
from connectors.xta.mailbox import Mailbox, read_item, read_items
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

    xta.mailbox.acknowledge(items)

    assert xta.items() == []


def test_a_box_that_closes_nothing_is_said(start_xta: Callable[..., Xta]) -> None:
    """The messages come again in the next list, and are closed then."""
    xta = start_xta()
    _send(xta)
    mailbox = xta.mailbox
    items = [Handled(item) for item in mailbox.fetch(NoCursor())]
    xta.running.stop()

    with pytest.raises(SourceError, match="could not be closed"):
        mailbox.acknowledge(items)


def test_a_long_list_comes_in_pages(start_xta: Callable[..., Xta]) -> None:
    """ItemsPending stands in a header that zeep loses; without it everything after page one would stay."""
    xta = start_xta(list_items=2)
    for number in range(3):
        _send(xta, number)

    items = xta.items()

    assert len({item.external_id for item in items}) == 6


def test_a_message_that_cannot_be_fetched_is_asked_for_behind_the_others(xta: Xta) -> None:
    _send(xta)
    xta.running.arm("getmessage_lost")

    assert [item.kind for item in xta.items()] == ["0402", "0403"]


def test_a_message_that_cannot_be_fetched_does_not_stop_the_others(xta: Xta) -> None:
    """The run says that something is missing, the rest is there, and next time all of it."""
    _send(xta)
    _send(xta, 2)
    xta.running.arm("getmessage_lost", 11)  # two rounds over all four, and three of the last
    seen: list[str] = []

    with pytest.raises(SourceError):
        seen.extend(item.kind for item in xta.mailbox.fetch(NoCursor()))

    assert seen == ["0402"]
    assert len(xta.items()) == 4


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
        return Fetched((Content(b"<a/>"),), "urn:fetch")

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
        (NotOurs(), "fremde Nachricht"),
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


@dataclass
class Memory(NoCursor):
    """A cursor that knows what is stored."""

    known: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def stored(self, external_ids: Collection[str]) -> Collection[str]:
        self.asked |= {*external_ids}
        return self.known & {*external_ids}


def test_what_is_stored_is_not_fetched_again_but_closed(xta: Xta) -> None:
    """A close that was lost costs one call in the next run, not the message once more."""
    _send(xta)
    first, second = xta.items()
    memory = Memory(known={first.external_id})

    assert [item.external_id for item in xta.mailbox.fetch(memory)] == [second.external_id]
    assert memory.asked == {first.external_id, second.external_id}
    assert [item.external_id for item in xta.items()] == [second.external_id]


def test_several_messages_are_closed_in_one_call(xta: Xta) -> None:
    for number in range(3):
        _send(xta, number)
    mailbox = xta.mailbox
    items = list(mailbox.fetch(NoCursor()))
    calls: list[list[str]] = []
    closing = mailbox._client.acknowledge

    def listen(ids: list[str], request_id: str) -> None:
        calls.append(ids)
        closing(ids, request_id)

    mailbox._client.acknowledge = listen  # type: ignore[method-assign]

    mailbox.acknowledge([Handled(item) for item in items])

    assert [len(call) for call in calls] == [6]
    assert xta.items() == []


def test_a_server_that_closes_only_the_first_of_several_is_emptied_all_the_same(xta: Xta) -> None:
    """What it lists again although it is stored is closed one by one."""
    _send(xta)
    _send(xta, 2)
    xta.running.arm("first_only")
    stored = {item.external_id for item in xta.empty()}
    left = list(xta.mailbox.fetch(Memory(known=stored)))

    assert left == []
    assert xta.items() == []


def test_with_faults_on_every_sixth_call_every_answer_is_home_after_three_rounds(
    start_xta: Callable[..., Xta],
) -> None:
    """150 answers, 17 % of all calls go wrong: busy, refused, lost before or after; the luck is seeded."""
    quiet = start_xta()
    for number in range(75):
        _send(quiet, number)
    quiet.running.stop()
    flaky = start_xta("flaky=17:4", state=quiet.running.state)
    stored: set[str] = set()
    for _ in range(3):
        mailbox = flaky.mailbox
        with suppress(SourceError):
            for item in mailbox.fetch(Memory(known=stored)):
                stored.add(item.external_id)
                with suppress(SourceError):
                    mailbox.acknowledge([Handled(item)])

    flaky.running.stop()
    assert len(stored) == 150
    assert start_xta(state=quiet.running.state).items() == []


def test_an_answer_in_an_attachment_is_found_and_the_container_is_kept(xta: Xta) -> None:
    """The standard leaves open in which part an answer travels."""
    _send(xta)
    xta.running.arm("answer_in_attachment")

    item = xta.items()[0]

    assert (item.kind, item.problem) == ("0403", None)
    assert b"anschreiben.txt" in (item.raw or b"")


def test_two_answers_in_one_message_are_two(xta: Xta) -> None:
    """Both are handed over before the message is closed: the last of them bears its id."""
    _send(xta)
    xta.running.arm("two_answers")
    mailbox = xta.mailbox
    items = list(mailbox.fetch(NoCursor()))
    mailbox.acknowledge([Handled(items[0])])

    assert [item.kind for item in items[:2]] == ["0402", "0403"]
    assert items[0].external_id == f"{items[1].external_id}#2"
    assert len(xta.items()) == 2


def test_what_nobody_understands_is_kept_with_its_whole_container() -> None:
    """It is closed: what is not kept then is gone."""
    parts = (Content(b"siehe Anlage", "text/plain"), Content(b"%PDF-1.7", "application/pdf"))
    [item] = read_items("urn:id", Fetched(parts, whole=lambda: b"<GenericContentContainer/>"))

    assert (item.kind, item.raw) == ("unknown", b"<GenericContentContainer/>")
    assert item.problem


def test_a_message_in_an_odd_charset_is_set_aside_alone(xta: Xta) -> None:
    """UTF-7 and its kin stopped whole runs."""
    xta.running.arm("odd_charset")
    _send(xta)
    _send(xta, 2)

    items = xta.items()

    assert sorted(item.kind for item in items) == ["0402", "0403", "0403", "unknown"]
    assert "Zeichenkodierung" in next(str(item.problem) for item in items if item.problem)


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("application/xml; charset=iso-8859-1", "iso-8859-1"),
        ('text/xml; charset="UTF-16"', "utf-16"),
        ("text/xml", "utf-8"),
    ],
)
def test_a_bare_message_is_read_in_the_charset_of_its_type(kind: str, encoding: str) -> None:
    xml = (
        '<x:Abgabe.ImportBestaetigen.0402 xmlns:x="urn:xoev-de:xdomea:schema:4.0.0">ü</x:Abgabe.ImportBestaetigen.0402>'
    )

    item = read_item("urn:id", Content(xml.encode(encoding), kind))

    assert isinstance(item.body, bytes)
    assert etree.fromstring(item.body).text == "ü"


@pytest.mark.parametrize("fault", ["other_message", "other_reader"])
def test_what_is_not_ours_is_neither_taken_nor_closed(xta: Xta, fault: str) -> None:
    """Somebody else is waiting for it."""
    _send(xta)
    xta.running.arm(fault)

    items = xta.empty()

    assert items[0].external_id.endswith("#unread")
    assert "fremde Nachricht" in str(items[0].problem)
    assert items[0].raw is None
    assert len(xta.items()) == 1


@pytest.mark.parametrize("fault", ["other_request", "twin_parts"])
def test_an_answer_that_is_none_is_not_taken(xta: Xta, fault: str) -> None:
    """It is said in an error and as a point per message, and neither is closed."""
    _send(xta)
    xta.running.arm(fault, 6)
    items: list[Item] = []
    mailbox = xta.mailbox

    with pytest.raises(SourceError):
        items.extend(mailbox.fetch(NoCursor()))
    mailbox.acknowledge([Handled(item) for item in items])

    assert [item.external_id.endswith("#unread") for item in items] == [True, True]
    assert len(xta.items()) == 2


def _zip(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files:
            target.writestr(name, content)
    return buffer.getvalue()


XML_0402 = b'<x:Abgabe.ImportBestaetigen.0402 xmlns:x="urn:xoev-de:xdomea:schema:4.0.0"/>'


@pytest.mark.parametrize(
    "files",
    [
        [("antwort/", b""), ("antwort/a_0402_1.xml", XML_0402)],
        [("a_0402_1.xml", XML_0402), ("__MACOSX/", b""), ("__MACOSX/._a_0402_1.xml", b"\0\5\x16\7")],
        [("antwort\\", b""), ("antwort\\a_0402_1.xml", XML_0402), ("antwort\\.DS_Store", b"x")],
    ],
    ids=["folders", "macOS", "backslashes"],
)
def test_what_archivers_leave_in_a_zip_is_harmless(files: list[tuple[str, bytes]]) -> None:
    item = read_item("urn:id", Content(_zip(*files)))

    assert (item.kind, item.body) == ("0402", XML_0402)


@pytest.mark.parametrize("name", ["..\\a.xml", "a/../../b.xml", "/etc/a.xml", "C:\\a.xml"])
def test_a_zip_that_leads_elsewhere_is_still_refused(name: str) -> None:
    item = read_item("urn:id", Content(_zip((name, XML_0402))))

    assert "anderen Ordner" in str(item.problem)
