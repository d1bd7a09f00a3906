"""The contract: schema, WSDL and Python agree, and sums are exact to the cent."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.hkr import contract
from connectors.hkr.contract import Order
from kiezbruecke.connector import BatchHead, read_manifest

from .conftest import IBAN, payment

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "schemas" / "hkr" / "1.0"
XS = "{http://www.w3.org/2001/XMLSchema}"
SOAP = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
QUESTIONS = {
    "FrageStapelStatus": "<StapelId>KK26-S-0001</StapelId>",
    "HoleRueckmeldungen": "<NachLaufenderNummer>0</NachLaufenderNummer><HoechstAnzahl>9</HoechstAnzahl>",
    "HoleSalden": "<Haushaltsjahr>2026</Haushaltsjahr>",
}
CENTS = st.integers(1, 99_999_999_999)


def test_the_wsdl_carries_the_schema_of_the_profile():
    """One contract, one source: run `python tools/write_hkr_wsdl.py` after a change of profile.xsd."""
    spec = importlib.util.spec_from_file_location("write_hkr_wsdl", ROOT / "tools" / "write_hkr_wsdl.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    wsdl, profile = (FOLDER / "service.wsdl").read_text("utf-8"), (FOLDER / "profile.xsd").read_text("utf-8")

    assert tool.service(wsdl, profile) == wsdl
    assert _bare(etree.fromstring(profile.encode())) == _bare(etree.fromstring(wsdl.encode()).find(f".//{XS}schema"))


def _bare(schema):
    for element in [*schema.iter(f"{XS}annotation"), *schema.iter(etree.Comment)]:
        element.getparent().remove(element)
    for element in schema.iter():
        element.text = element.tail = None
    return etree.tostring(schema, method="c14n2", strip_text=True)


def test_every_element_and_type_is_documented_in_german():
    """The contract is read by finance offices."""
    schema = etree.parse(FOLDER / "profile.xsd")
    named = schema.iter(f"{XS}element", f"{XS}complexType", f"{XS}simpleType", f"{XS}enumeration")
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    silent = [
        node.get("name") or node.get("value")
        for node in named
        if (node.get("name") or node.get("value"))
        and not any(part.get(lang) == "de" for part in node.iterfind(f"{XS}annotation/{XS}documentation"))
    ]

    assert silent == []


def test_the_answers_of_the_sandbox_follow_the_contract(desk, two):
    """An integrator who develops against it develops against the contract."""
    desk.arm("reject_line")
    bodies = [desk.batch(*two).payload.partition(b"\n")[2].decode()]
    bodies += [f'<{name} xmlns="{contract.NAMESPACE}">{inner}</{name}>' for name, inner in QUESTIONS.items()]
    answers = [_post(desk, SOAP.format(body)) for body in bodies]

    assert [etree.QName(answer).localname for answer in answers] == [
        "UebermittleAnordnungenAntwort",
        *(f"{name}Antwort" for name in QUESTIONS),
    ]
    assert [contract.first_violation(ROOT, answer) for answer in answers] == [None] * 4


@pytest.mark.parametrize("body", ["", "<x/>", '<HoleSalden xmlns="urn:x-kiezbruecke:hkr:anordnung:1.0"/>'])
def test_a_request_against_the_contract_gets_a_fault_with_a_code(desk, body):
    """Client.SCHEMA: nothing has happened."""
    fault = _post(desk, SOAP.format(body))

    assert fault.findtext("faultcode") == "soap:Client.SCHEMA"
    assert fault.findtext(f"detail/{contract.tag('Fehler')}/{contract.tag('Code')}") == "SCHEMA"
    assert contract.first_violation(ROOT, fault.find("detail")[0]) is None


def test_a_fault_names_the_element_and_quotes_nothing(desk):
    """Whoever writes an adapter must find it; what stands in it is nobody's."""
    body = desk.batch(payment("KK26-090416-00001-Z1", "1.00")).payload.partition(b"\n")[2].decode()
    fault = _post(desk, SOAP.format(body.replace(IBAN, f"{IBAN}-")))

    assert fault.findtext("faultstring") == "Die Anfrage verletzt den Vertrag: IBAN"


def test_the_sandbox_hands_out_the_wsdl(desk):
    """As integrators expect of a SOAP service."""
    with urlopen(f"{desk.running.url}/hkr?wsdl", timeout=5) as answer:
        assert answer.read() == (FOLDER / "service.wsdl").read_bytes()


def _post(desk, envelope):
    request = Request(f"{desk.running.url}/hkr", envelope.encode(), {"Content-Type": "text/xml"})
    try:
        with urlopen(request, timeout=5) as answer:
            content = answer.read()
    except HTTPError as error:
        content = error.read()
    return etree.fromstring(content)[0][0]


# -- money ---------------------------------------------------------------------------------------------------


@given(CENTS)
def test_cents_and_euros_are_the_same_amount(amount):
    """Text to cents and back, without a float in between."""
    assert contract.cents(contract.euros(amount)) == amount
    assert contract.money(amount) == Decimal(contract.euros(amount))
    assert contract.money(amount).as_tuple().exponent == -2


@given(st.text(alphabet="0123456789.,-+eE ", max_size=16))
def test_what_is_read_as_an_amount_is_an_amount(text):
    """Anything but digits and at most two places is refused, never guessed."""
    try:
        cents = contract.cents(text)
    except ValueError:
        return
    assert Decimal(cents).scaleb(-2) == Decimal(text)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(CENTS, st.sampled_from(["FESTLEGUNG", "FESTLEGUNG_AENDERUNG", "AUSZAHLUNG", "ANNAHME_AUFHEBUNG"])),
        min_size=1,
        max_size=40,
    )
)
def test_the_sums_of_a_batch_are_exact_in_cents(lines):
    """Count and sums of the head are those of the orders, whatever their size and number."""
    orders = [_order(f"R-{n}", kind, contract.euros(cents)) for n, (cents, kind) in enumerate(lines)]
    head = BatchHead("S-1", "hkr-tk", datetime(2026, 11, 23, tzinfo=UTC), 2026)
    body = contract.write_batch(head, orders, dienststelle="D", vorverfahren="V")
    root = etree.fromstring(body)

    for name in ("Auszahlung", "Annahme", "Festlegung"):
        expected = sum(cents for cents, kind in lines if kind.startswith(name.upper()))
        assert contract.text(root, f"Kopf/Summe{name}") == f"{expected // 100}.{expected % 100:02d}"
    assert contract.text(root, "Kopf/Anzahl") == str(len(lines))
    assert [order.cents for order in contract.read_batch(body).values()] == [cents for cents, _ in lines]
    assert body == contract.write_batch(head, orders, dienststelle="D", vorverfahren="V")


def _order(reference, kind, amount):
    fields = {"Fremdkennzeichen": reference, "Art": kind, "Betrag": amount}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return Order.parse(f'<Anordnung xmlns="{contract.NAMESPACE}">{inner}</Anordnung>'.encode(), reference)


def test_a_moment_is_written_in_utc_with_milliseconds():
    """One spelling, so the same batch has the same bytes."""
    berlin = timezone(timedelta(hours=1))

    assert contract.moment(datetime(2026, 11, 23, 7, 30, 0, 1500, berlin)) == "2026-11-23T06:30:00.001Z"


# -- manifest ------------------------------------------------------------------------------------------------


def test_the_manifest_says_what_the_target_can_do():
    """It is read when Airflow parses, without importing the client."""
    manifest = read_manifest("connectors.hkr")

    assert manifest.connection_type == "kb_hkr"
    assert (manifest.can.batch, manifest.can.dedupes, manifest.can.look_up) == (True, True, True)
    assert list(manifest.effects) == [
        "commitment.book",
        "commitment.change",
        "commitment.cancel",
        "payment.order",
        "payment.cancel",
        "refund.claim",
    ]
    assert manifest.item_kinds == ("rueckmeldung",)


def test_the_registry_opens_both_ends(paper):
    """By the connection's type; the engine knows no connector by name."""
    from kiezbruecke.connector import BatchTarget, Context, open_source, open_target
    from kiezbruecke.records import Process

    process = Process(id="p", name="T", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
    context = Context(process, content=ROOT)

    assert isinstance(open_target(paper.connection, context), BatchTarget)
    assert open_source(paper.connection, context).settings.dienststelle == "BA-TK-SPK"
