"""What goes over the line: our requests and the sandbox's answers are valid against the official XTA 2.1.1 files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from lxml import etree

from connectors import _line, _soap
from connectors.xta.client import PROFILE, WSA, Content, MessageType
from connectors.xta.sandbox import profile_schema
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.standards import store, xdomea
from kiezbruecke.standards.validate import Validator

from .conftest import ROOT, TESTDATA, Xta, a_message, official_folder

SAMPLES = sorted((TESTDATA / "envelopes").glob("*.xml"))
Exchange = tuple[bytes, dict[str, str], bytes]


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """Every request that leaves, with its HTTP headers, and its answer."""
    seen: list[Exchange] = []
    post = _line.Line.post

    def watched(self: _line.Line, url: str, content: bytes, headers: dict[str, str]) -> _line.Response:
        response = post(self, url, content, headers)
        seen.append((content, dict(headers), response.content))
        return response

    monkeypatch.setattr(_line.Line, "post", watched)
    return seen


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Validator]:
    """The official schemas, where they are."""
    folder = official_folder()
    if folder is None:
        pytest.skip("the official schemas are not here: set KIEZBRUECKE_OFFICIAL, or install them")
    monkeypatch.setenv("KIEZBRUECKE_OFFICIAL", str(folder))

    def checker(standard: str, version: str) -> Validator:
        found = store.validator(ROOT, standard, version, official=True)
        assert found is not None
        return found

    return checker


def _everything(xta: Xta) -> None:
    """Use every operation, with answers full and empty, and faults."""
    client = xta.target._client
    client.service_is_available()
    xta.running.arm("transport_yellow")
    for _ in range(2):
        xta.target.send(a_message(), ticket := xta.target.reserve(a_message()))
        xta.target.send(a_message(), ticket)  # 9024
    page = client.status_list(1)
    client.next_status_list(page.request_id)
    xta.empty()
    client.status_list(1)


def _blocks(envelope: bytes) -> list[etree._Element]:
    """Header blocks and body elements, each a document of its own; WS-Addressing is the framework's."""
    root = etree.fromstring(envelope)
    blocks = [block for part in root for block in part if etree.QName(block).namespace not in (WSA, _soap.SOAP_12)]
    faults = root.findall(f".//{{{_soap.SOAP_12}}}Detail/*")
    return [etree.fromstring(etree.tostring(block)) for block in [*blocks, *faults]]


@pytest.mark.official
def test_requests_and_answers_are_valid_officially(
    xta: Xta, exchanges: list[Exchange], official: Callable[[str, str], Validator]
) -> None:
    checker = official("xta", "2.1.1")
    _everything(xta)

    problems = [
        (etree.QName(block).localname, checker.problems(block))
        for request, _, answer in exchanges
        for block in [*_blocks(request), *_blocks(answer)]
        if checker.problems(block)
    ]

    assert problems == []
    assert len(exchanges) > 10


@pytest.mark.official
@pytest.mark.parametrize("fault", ["", "refuse_import", "unknown_ack"])
def test_the_e_files_answers_are_valid_officially(
    xta: Xta, official: Callable[[str, str], Validator], fault: str
) -> None:
    if fault:
        xta.running.arm(fault)
    xta.target.send(a_message(), xta.target.reserve(a_message()))

    for item in xta.items():
        assert isinstance(item.body, bytes)
        assert official("xdomea", xdomea.VERSION).problems(etree.fromstring(item.body)) == []


@pytest.mark.official
def test_with_the_official_files_the_sandbox_takes_the_same_message(start_xta: Callable[..., Xta]) -> None:
    folder = official_folder()
    if folder is None:
        pytest.skip("the official schemas are not here: set KIEZBRUECKE_OFFICIAL, or install them")
    xta = start_xta(f"official={folder}")

    xta.target.send(a_message(), xta.target.reserve(a_message()))

    assert len(xta.received()) == 1


def test_requests_are_valid_against_our_profile(xta: Xta, exchanges: list[Exchange]) -> None:
    schema = profile_schema(ROOT / PROFILE)
    _everything(xta)

    for request, _, _ in exchanges:
        for block in _blocks(request):
            schema.assertValid(block)


def test_a_filled_form_is_what_zeep_would_have_written(xta: Xta, exchanges: list[Exchange]) -> None:
    """Escaped where it must be, an id of its own for each call, times and sizes as zeep writes them."""
    odd = 'Bestätigung "A&B" <1>.zip'
    message = a_message(created_at=datetime(2026, 3, 29, 2, 30, 0, 120000, tzinfo=UTC), file_name=odd)
    client = xta.target._client
    content = Content(message.payload, message.media_type, message.file_name)
    said = [client._message("urn:a&b", content, MessageType(), message.created_at, test, 77) for test in (False, True)]

    for by_zeep, test in zip(said, (False, True), strict=True):
        written, _ = client._sending._write("sendMessage", (), by_zeep)
        with pytest.raises(_soap.CALL_FAILED):  # the sandbox knows no such id
            client.send_message("urn:a&b", content, MessageType(), origin=message.created_at, test=test)
        filled = etree.fromstring(exchanges[-1][0])
        for envelope in (written, filled):
            envelope.find(f"*/{{{WSA}}}MessageID").text = "one of its own"  # type: ignore[union-attr]
            for size in envelope.xpath("//*[local-name() = 'MsgSize']"):  # type: ignore[union-attr]
                size.text = "77"  # type: ignore[union-attr]
            envelope.find(".//{*}Message").set("size", "77")  # type: ignore[union-attr]
        assert etree.tostring(filled, method="c14n") == etree.tostring(written, method="c14n")


def test_each_filled_form_has_an_id_of_its_own(xta: Xta, exchanges: list[Exchange]) -> None:
    """wsa:MessageID is the envelope's own: two calls with one id are one to a server that watches for replays."""
    target, ticket = xta.target, xta.target.reserve(a_message())
    target.send(a_message(), ticket)
    target.send(a_message(), ticket)

    ids = [etree.fromstring(request).findtext(f"*/{{{WSA}}}MessageID") for request, _, _ in exchanges]
    assert len({*ids}) == len(ids) > 4


def test_a_value_that_xml_cannot_hold_never_leaves(xta: Xta, exchanges: list[Exchange]) -> None:
    ticket = xta.target.reserve(a_message())

    with pytest.raises(ConfigurationError, match="character that XML cannot"):
        xta.target.send(a_message(file_name="a\x00.zip"), ticket)

    assert len(exchanges) == 1


def test_every_call_says_its_action_twice(xta: Xta, exchanges: list[Exchange]) -> None:
    """Several operations share one body, so servers tell them apart by the action; wsa:To is the real address."""
    _everything(xta)

    for request, headers, _ in exchanges:
        root = etree.fromstring(request)
        action, to = (root.findtext(f".//{{{WSA}}}{name}") or "" for name in ("Action", "To"))
        assert headers["Content-Type"] == f'application/soap+xml; charset=utf-8; action="{action}"'
        assert to.startswith(xta.running.url)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name.removesuffix(".xml"))
def test_the_sandbox_understands_the_sample_envelopes(xta: Xta, sample: Path) -> None:
    """Written by another hand: the sandbox must not only understand our own client."""
    envelope = sample.read_bytes()
    action = etree.fromstring(envelope).findtext(f".//{{{WSA}}}Action")
    request = Request(
        xta.running.url, envelope, {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    )

    try:
        with urlopen(request, timeout=5) as answer:
            said = answer.read()
    except HTTPError as error:
        said = error.read()

    codes = etree.fromstring(said).xpath("//errorCode/code/text() | //*[local-name() = 'errorCode']/code/text()")
    needs_a_message = any(name in sample.name for name in ("close", "getMessage", "getTransport", "sendMessage"))
    assert codes == (["9070"] if needs_a_message else [])


def test_the_order_of_headers_does_not_matter(xta: Xta, exchanges: list[Exchange]) -> None:
    xta.target.send(a_message(), xta.target.reserve(a_message()))
    request, headers, _ = next(each for each in exchanges if b"CreateMessageID" in each[0])
    root = etree.fromstring(request)
    root[0][:] = list(reversed(root[0]))

    with urlopen(Request(xta.running.url, etree.tostring(root), headers), timeout=5) as answer:
        assert b"MessageID" in answer.read()


def test_a_call_without_addressing_is_refused(xta: Xta, exchanges: list[Exchange]) -> None:
    """The WSDL's policy: wsam:Addressing is not optional."""
    xta.target.reserve(a_message())
    root = etree.fromstring(exchanges[0][0])
    for block in root[0].findall(f"{{{WSA}}}*"):
        root[0].remove(block)

    with pytest.raises(HTTPError) as raised:
        urlopen(Request(xta.running.url, etree.tostring(root), exchanges[0][1]), timeout=5)

    assert b"WS-Addressing" in raised.value.read()


def test_the_manifest_names_what_there_is() -> None:
    from kiezbruecke.connector import read_manifest

    manifest = read_manifest("connectors.xta")

    assert manifest.can.dedupes
    assert manifest.can.look_up
    assert json.loads(manifest.model_dump_json())["item_kinds"] == ["0402", "0403", "unknown"]


@pytest.mark.official
@pytest.mark.parametrize("option", ["mtom=", "mtom=1"])
def test_a_foreign_client_with_the_official_wsdl_can_use_the_sandbox(
    start_xta: Callable[..., Xta], option: str
) -> None:
    """zeep with the official WSDL and its strict types: whoever is not us must be able to read the answers."""
    import requests
    import zeep

    folder = official_folder()
    if folder is None:
        pytest.skip("the official schemas are not here: set KIEZBRUECKE_OFFICIAL, or install them")
    xta = start_xta(option)
    xta.target.send(a_message(), ticket := xta.target.reserve(a_message()))
    session = requests.Session()
    session.trust_env = False
    client = zeep.Client(
        str(folder / "xta/2.1.1-renamed/XTA.wsdl"), transport=zeep.Transport(session=session, operation_timeout=10)
    )
    ports = {
        name: client.create_service(f"{{http://xoev.de/transport/xta/211}}{name}HttpsBinding", xta.running.url)
        for name in ("management", "msgBox")
    }
    author = {"AuthorIdentifier": {"Identifier": {"_value_1": "xyz:110090090000", "type": "xoev"}}}

    report = ports["management"].getTransportReport(ticket.id, _soapheaders=author)
    page = ports["msgBox"].getStatusList(maxListItems=5, ListForm="MessageMetaData", _soapheaders=author)
    first = page.body.MessageMetaData[0].MsgIdentification.MessageID["_value_1"]
    fetched = ports["msgBox"].getMessage(MsgSelector={"MessageID": [first]}, _soapheaders=author)
    with pytest.raises(zeep.exceptions.Fault) as unknown:
        ports["management"].getTransportReport("urn:nobody", _soapheaders=author)
    session.close()

    assert report.MessageStatus.Status == 1
    assert xdomea.message_type(xdomea.unpack(fetched.body.ContentContainer.Message["_value_1"]).xml) == "0403"
    assert unknown.value.detail.find(".//code").text == "9070"
