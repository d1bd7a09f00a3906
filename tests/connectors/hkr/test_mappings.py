"""The mappings of this connector, and the whole way: case to order, order to books, answer to receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.hkr.contract import Order
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.workbench.examples import find_examples, read_roots, run_examples

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["commitment-hkr", "hkr-rueckmeldung"])
def test_the_examples_are_what_the_mapping_writes(name):
    """Golden files; `kiezbruecke mapping test --update` writes them."""
    results = run_examples(load_mapping(name, ROOT), ROOT)

    assert len(results) >= 5
    assert [(result.example, result.problem) for result in results if not result.passed] == []


@pytest.mark.parametrize("name", ["commitment-hkr", "hkr-rueckmeldung"])
def test_the_check_finds_nothing(name):
    """Known before sending."""
    assert [finding.line() for finding in check_mapping(name, ROOT)] == []


def test_a_case_goes_to_the_books_and_its_answer_comes_home(desk, make):
    """Mapping, batch, sandbox, answer, mapping: the receipt is about the same order, to the cent."""
    payload = _written("full")
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
        payload = _written(name)
        order = Order.parse(payload, name)
        desk.send(replace(make(order.reference, "1.00"), payload=payload), id=f"S-{name}")

    assert [(event, amount) for _, event, amount in desk.events()] == [
        ("FESTGELEGT", "850.00"),
        ("FESTGELEGT", "700.00"),
        ("AUFGEHOBEN", "700.00"),
    ]
    assert desk.target.balances(2026)[0].committed == Decimal("0.00")


def _written(name):
    mapping = load_mapping("commitment-hkr", ROOT)
    example = next(found for found in find_examples("commitment-hkr", ROOT) if found.name == name)
    return mapping.write(read_roots(mapping, ROOT, example))
