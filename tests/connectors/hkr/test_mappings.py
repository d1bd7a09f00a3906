"""The mappings of this connector, and the whole way: case to order, order to books, answer to receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.hkr.contract import Order
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.workbench.examples import find_examples, read_roots, run_examples

from .conftest import marks

ROOT = Path(__file__).parents[3]
NAMES = ("commitment-hkr", "payment-hkr", "hkr-rueckmeldung")


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_what_the_mapping_writes(name):
    """Golden files; `kiezbruecke mapping test --update` writes them."""
    results = run_examples(load_mapping(name, ROOT), ROOT)

    assert len(results) >= 5
    assert [(result.example, result.problem) for result in results if not result.passed] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_check_finds_nothing(name):
    """Known before sending."""
    assert [finding.line() for finding in check_mapping(name, ROOT)] == []


def test_a_case_goes_to_the_books_and_its_answer_comes_home(desk, make):
    """Mapping, batch, sandbox, answer, mapping: the receipt is about the same order, to the cent."""
    payload = _written("commitment-hkr", "full")
    order = Order.parse(payload, "example")
    message = replace(make(order.reference, "850.00"), payload=payload)
    desk.send(message)
    item = desk.fetch()[0]
    receipt = load_mapping("hkr-rueckmeldung", ROOT).read(item, {"envelope": {"source": "hkr-tk"}})

    assert receipt == Receipt(
        source="hkr-tk",
        external_id="1",
        outcome=ReceiptOutcome.CONFIRMED,
        event="FESTGELEGT",
        reference=message.reference,
        amount=Decimal("850.00"),
        remote_id="B000000001",
        occurred_on=date(2026, 11, 23),
    )


def test_the_three_kinds_of_one_case_fit_each_other(desk, make):
    """Book, change, cancel as the mapping writes them: their books follow, and end at zero."""
    for name in ("full", "aenderung", "aufhebung"):
        payload = _written("commitment-hkr", name)
        order = Order.parse(payload, name)
        desk.send(replace(make(order.reference, "1.00"), payload=payload), id=f"S-{name}")

    assert [(event, amount) for _, event, amount in desk.events()] == [
        ("FESTGELEGT", "850.00"),
        ("FESTGELEGT", "700.00"),
        ("AUFGEHOBEN", "700.00"),
    ]
    assert desk.target.balances(2026)[0].committed == Decimal("0.00")


def test_a_grant_is_paid_comes_back_is_paid_again_and_the_rest_claimed(desk, make):
    """Commitment, order, another account, claim as the mappings write them; every answer becomes its receipt."""
    desk.control("bounces", "PUT", {"IBAN": ["DE89370400440532013000"]})
    _send(desk, make, "commitment-hkr", "full")
    _send(desk, make, "payment-hkr", "full")
    desk.day("2026-11-30")
    desk.day("2026-12-02")
    _send(desk, make, "payment-hkr", "neue-bankverbindung")
    desk.day("2026-12-03")
    _send(desk, make, "payment-hkr", "rueckforderung", b"-Z1</hkr:Bezug", b"-Z2</hkr:Bezug")
    desk.day("2026-12-29")
    mapping = load_mapping("hkr-rueckmeldung", ROOT)
    receipts = [mapping.read(item, {"envelope": {"source": "hkr-tk"}}) for item in desk.fetch()]

    assert [(one.reference[-2:], one.event, one.outcome.value, one.verdict) for one in receipts] == [
        ("F1", "FESTGELEGT", "confirmed", ReceiptOutcome.CONFIRMED),
        ("Z1", "GEBUCHT", "confirmed", ReceiptOutcome.CONFIRMED),
        ("Z1", "BEZAHLT", "confirmed", ReceiptOutcome.CONFIRMED),
        ("Z1", "RUECKLAEUFER", "noted", ReceiptOutcome.NOTED),
        ("Z2", "GEBUCHT", "confirmed", ReceiptOutcome.CONFIRMED),
        ("Z2", "BEZAHLT", "confirmed", ReceiptOutcome.CONFIRMED),
        ("R1", "GEBUCHT", "confirmed", ReceiptOutcome.CONFIRMED),
        ("R1", "EINGEGANGEN", "confirmed", ReceiptOutcome.CONFIRMED),
    ]
    assert (receipts[3].code, receipts[3].occurred_on) == ("AC04", date(2026, 12, 2))
    assert [one.amount for one in receipts[-2:]] == [Decimal("37.60")] * 2
    [balance] = desk.target.balances(2026)
    assert (balance.committed, balance.paid, balance.refunded) == (
        Decimal("850.00"),
        Decimal("850.00"),
        Decimal("37.60"),
    )


def test_an_event_that_nobody_knows_is_set_aside(desk, make):
    """It moves no money: only words of the contract become receipts."""
    desk.arm("unknown_event")
    _send(desk, make, "commitment-hkr", "full")
    with pytest.raises(RecordError, match="hkr-ereignis"):
        load_mapping("hkr-rueckmeldung", ROOT).read(desk.fetch()[0], {"envelope": {"source": "hkr-tk"}})


def _send(desk, make, mapping, name, *changed):
    """What an example's expected bytes are, sent with marks where it pays."""
    payload = _written(mapping, name)
    payload = payload.replace(*changed) if changed else payload
    order = Order.parse(payload, name)
    message = replace(make(order.reference, "1.00"), payload=payload, marks=marks() if order.moves_money else ())
    return desk.send(message, id=f"S-{order.reference}")


def _written(name, example_name):
    mapping = load_mapping(name, ROOT)
    example = next(found for found in find_examples(name, ROOT) if found.name == example_name)
    return mapping.write(read_roots(mapping, ROOT, example))
