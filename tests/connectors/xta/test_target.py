"""Sending: every fault of the line and of the server leaves one copy at the e-file, or a certain no."""

from __future__ import annotations

from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from connectors import _soap
from connectors.xta.client import XtaClient
from connectors.xta.probe import probe
from connectors.xta.target import ACCOUNT, REFUSALS, XtaTarget
from kiezbruecke.connector import CannotTell, Found, Ticket
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected, SourceError
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.standards import xdomea

from .conftest import DOCUMENTS, ROOT, Xta, a_message, connect, context, payload

LOST_AFTER_COMMIT = ["commit_then_lose", "reset", "truncated_answer", "html_answer", "empty_202"]


def test_a_message_arrives_once_with_its_amount(xta: Xta) -> None:
    message = a_message()

    receipt = xta.target.send(message, ticket := xta.target.reserve(message))

    (arrived,) = xta.received()
    assert receipt.outcome is ReceiptOutcome.DELIVERED
    assert (receipt.key, receipt.ticket, receipt.event) == (message.key, ticket.id, "XTA-Transportbericht")
    assert (arrived["message_id"], arrived["amount"], arrived["duplicate_of"]) == (ticket.id, "1500.00", None)
    assert (xta.running.state / ticket.id / message.file_name).read_bytes() == message.payload


def test_the_same_bytes_with_the_same_id_arrive_once(xta: Xta) -> None:
    """9024 (id already used) is the proof that the first try arrived: out of doubt we just send again."""
    message, ticket = a_message(), xta.target.reserve(a_message())

    receipts = [xta.target.send(message, ticket) for _ in range(2)]

    assert receipts[0] == receipts[1]
    assert len(xta.received()) == 1


def test_a_new_id_for_the_same_message_shows_as_a_duplicate(xta: Xta) -> None:
    """What must never happen must be seen if it happens."""
    for _ in range(2):
        xta.target.send(a_message(), xta.target.reserve(a_message()))

    first, second = xta.received()
    assert second["duplicate_of"] == first["message_id"]


@pytest.mark.parametrize("fault", LOST_AFTER_COMMIT)
def test_a_lost_answer_is_doubt_and_heals_with_the_same_id(xta: Xta, fault: str) -> None:
    message, target = a_message(), xta.target
    ticket = target.reserve(message)
    xta.running.arm(fault)

    with pytest.raises(_soap.CALL_FAILED) as raised:
        target.send(message, ticket)

    assert not isinstance(raised.value, NotSent | Rejected)
    assert isinstance(target.look_up(message, ticket), Found)
    assert target.send(message, ticket).outcome is ReceiptOutcome.DELIVERED
    assert len(xta.received()) == 1


def test_a_call_that_never_arrived_is_doubt_and_heals_with_the_same_id(xta: Xta) -> None:
    """From outside it looks like the faults above; only sending again makes it good."""
    message, target = a_message(), xta.target
    ticket = target.reserve(message)
    xta.running.arm("lose_before_commit")

    with pytest.raises(_soap.CALL_FAILED) as raised:
        target.send(message, ticket)

    assert not isinstance(raised.value, NotSent | Rejected)
    assert isinstance(target.look_up(message, ticket), CannotTell)  # 9070 proves nothing
    assert target.send(message, ticket).outcome is ReceiptOutcome.DELIVERED
    assert len(xta.received()) == 1


def test_one_byte_a_second_does_not_outlive_the_deadline(start_xta: Callable[..., Xta]) -> None:
    xta = start_xta("drip=0.1", deadline=1.5)
    ticket = xta.target.reserve(a_message())
    xta.running.arm("slow_drip")

    with pytest.raises(_soap.DeadlineExceeded):
        xta.target.send(a_message(), ticket)

    assert xta.target.send(a_message(), ticket).outcome is ReceiptOutcome.DELIVERED
    assert len(xta.received()) == 1


def test_a_technical_problem_is_doubt(xta: Xta) -> None:
    """903x: the server may have broken before or after it took the message."""
    ticket = xta.target.reserve(a_message())
    xta.running.arm("fault_903x")

    with pytest.raises(_soap.Fault) as raised:
        xta.target.send(a_message(), ticket)

    assert (raised.value.code, raised.value.kind) == ("9030", "XTAWSTechnicalProblemException")
    assert xta.received() == []
    assert xta.target.send(a_message(), ticket).outcome is ReceiptOutcome.DELIVERED


def test_a_lost_id_is_not_sent_and_harmless(xta: Xta) -> None:
    xta.running.arm("create_id_lost")

    with pytest.raises(NotSent):
        xta.target.reserve(a_message())

    xta.target.send(a_message(), xta.target.reserve(a_message()))
    assert len(xta.received()) == 1


def test_a_server_that_is_down_means_not_sent(start_xta: Callable[..., Xta]) -> None:
    xta = start_xta()
    target, ticket = xta.target, xta.target.reserve(a_message())
    xta.running.stop()

    with pytest.raises(NotSent):
        target.send(a_message(), ticket)
    assert isinstance(target.look_up(a_message(), ticket), CannotTell)  # never NotSent: it may have been sent before


def test_a_lost_report_changes_nothing(xta: Xta) -> None:
    """sendMessage's yes is the delivery; the report only adds to it."""
    ticket = xta.target.reserve(a_message())
    xta.running.arm("report_lost")

    receipt = xta.target.send(a_message(), ticket)

    assert (receipt.outcome, receipt.warning) == (ReceiptOutcome.DELIVERED, False)


def test_a_red_report_refuses_with_its_reason(xta: Xta) -> None:
    ticket = xta.target.reserve(a_message())
    xta.running.arm("transport_red")

    receipt = xta.target.send(a_message(), ticket)

    assert (receipt.outcome, receipt.text) == (ReceiptOutcome.REFUSED, "Empfänger nicht erreichbar")
    assert (xta.received(), xta.items()) == ([], [])


def test_a_yellow_report_delivers_with_a_warning(xta: Xta) -> None:
    ticket = xta.target.reserve(a_message())
    xta.running.arm("transport_yellow")

    receipt = xta.target.send(a_message(), ticket)

    assert (receipt.outcome, receipt.warning) == (ReceiptOutcome.DELIVERED, True)
    assert receipt.text == "Zustellung verzögert"


def test_a_message_that_breaks_its_schema_is_rejected(xta: Xta) -> None:
    unpacked = xdomea.unpack(payload())
    xml = unpacked.xml.replace(b"xdomea:Typ>", b"xdomea:Tip>")
    broken = a_message(payload=xdomea.package(unpacked.xml_name, xml, DOCUMENTS))

    with pytest.raises(Rejected, match="9050") as raised:
        xta.target.send(broken, xta.target.reserve(broken))

    assert raised.value.receipt_code == "XTA 9050"
    assert xta.received() == []


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_refusal_carries_nothing_that_they_wrote(xta: Xta, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """What is rejected enters events and lists; a server's text may quote the message."""
    _answer_with_fault(monkeypatch, "send_message", code)

    with pytest.raises(Rejected) as raised:
        xta.target.send(a_message(), Ticket("any"))

    assert "Kanarienvogel" not in raised.value.line()
    assert raised.value.receipt_code == f"XTA {code}"


@pytest.mark.parametrize("code", sorted(ACCOUNT))
@pytest.mark.parametrize("operation", ["create_message_id", "send_message"])
def test_a_shut_account_refuses_no_message(
    xta: Xta, monkeypatch: pytest.MonkeyPatch, code: str, operation: str
) -> None:
    """It says nothing about the message: when the certificate is renewed, everything that waits goes out."""
    _answer_with_fault(monkeypatch, operation, code)

    with pytest.raises(NotSent, match=f"XTA {code}.*IT-Betrieb") as raised:
        xta.target.send(a_message(), xta.target.reserve(a_message()))

    assert "Kanarienvogel" not in raised.value.line()


def _answer_with_fault(monkeypatch: pytest.MonkeyPatch, operation: str, code: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise _soap.Fault(code=code, name="Erika Kanarienvogel", text="Kanarienvogel", kind="X", role="Sender")

    monkeypatch.setattr(XtaClient, operation, refuse)


def test_too_large_for_the_server_is_rejected(start_xta: Callable[..., Xta]) -> None:
    xta = start_xta("max_bytes=1000")

    with pytest.raises(Rejected, match="9023"):
        xta.target.send(a_message(), xta.target.reserve(a_message()))


def test_too_large_for_us_never_leaves(start_xta: Callable[..., Xta]) -> None:
    xta = start_xta(max_message_bytes=1000)

    with pytest.raises(Rejected, match="höchstens 1000"):
        xta.target.send(a_message(), Ticket("any"))


def test_an_id_that_the_server_does_not_know_is_doubt(xta: Xta) -> None:
    """9070 may follow a restored backup of theirs: it proves nothing about ours."""
    with pytest.raises(_soap.Fault) as raised:
        xta.target.send(a_message(), Ticket("urn:de:xta:messageid:nobody:1"))

    assert raised.value.code == "9070"


def test_a_message_beyond_ten_megabytes_arrives(xta: Xta) -> None:
    """Inline base64 over 10,000,000 characters needs libxml2's huge tree on both sides."""
    large = (*DOCUMENTS, ("3f8d0021-30b0-572c-b73d-49c9fc0fb45f_gross.bin", bytes(9_000_000)))
    message = a_message(payload=payload(documents=large))

    receipt = xta.target.send(message, xta.target.reserve(message))

    assert receipt.outcome is ReceiptOutcome.DELIVERED


def test_a_request_with_mtom_is_understood(start_xta: Callable[..., Xta]) -> None:
    """Where a server insists on the WSDL's policy, every request is MTOM, those without content too."""
    xta = start_xta(mtom=True)
    ticket = xta.target.reserve(a_message())

    xta.target.send(a_message(), ticket)

    assert (xta.running.state / ticket.id / a_message().file_name).read_bytes() == payload()


def test_a_test_message_says_so(xta: Xta) -> None:
    message = a_message(test=True)
    xta.target.send(message, xta.target.reserve(message))

    assert xta.received()[0]["test"] is True


def test_the_refusals_never_name_what_proves_nothing() -> None:
    """Technical problems, unknown ids, used ids and unspecified errors stay doubt."""
    assert not {"9000", "9024", "9030", "9031", "9032", "9070"} & REFUSALS.keys()


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"party": "me"}, "party: .*three letters"),
        ({"receiver": "xyz:1100900900001"}, "receiver: .*three letters"),
        ({"identifier_type": "other", "party": " "}, "party"),
        ({"client_cert": "a.pem"}, "belong together"),
        ({"reciever": "abc:110090090001"}, "receiver"),
        ({"deadline": "soon"}, "deadline"),
    ],
)
def test_a_wrong_setting_is_named(extra: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        XtaTarget(connect("https://xta.example/ws", **extra), context())


def test_identifiers_of_another_type_have_another_form() -> None:
    """Only keys of the DVDV are three letters and twelve digits."""
    target = XtaTarget(connect("https://xta.example", identifier_type="safe", party="DE.Berlin.4711"), context())

    assert target._settings.party == "DE.Berlin.4711"


def test_the_ports_can_be_anywhere() -> None:
    target = XtaTarget(connect("https://xta.example/ws/", send_url="https://send.example/x"), context())

    settings = target._settings
    assert settings.management_url == "https://xta.example/ws/ManagementPort"
    assert settings.send_url == "https://send.example/x"


def test_a_foreign_post_is_refused_politely(xta: Xta) -> None:
    """The sandbox is a server: nonsense gets a SOAP fault, not a stack trace."""
    request = Request(f"{xta.running.url}/", b"<a/>", {"Content-Type": "application/soap+xml"})

    with pytest.raises(HTTPError) as raised:
        urlopen(request, timeout=5)

    assert b"Fault" in raised.value.read()


def test_the_probe_asks_whether_the_receiver_takes_our_messages(start_xta: Callable[..., Xta]) -> None:
    """With a wrong identifier every message would be refused, one by one."""
    there = start_xta("receiver=abc:110090090001")

    assert "der Empfänger bietet den Dienst an" in probe(there.connection, ROOT, [])
    with pytest.raises(SourceError, match="the receiver does not offer the service"):
        probe(connect(there.running.url, receiver="abc:110090090002"), ROOT, [])
