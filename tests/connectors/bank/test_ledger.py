"""What the bank says, told to the ledger by the shipped mappings: the order, the money, and who must look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from kiezbruecke.connector import Item
from kiezbruecke.ledger import Ledger, evidence, upgrade
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import OrderState, Receipt, ReceiptOutcome
from tests.ledger.conftest import HKR, VAULT, Desk

from .conftest import ROOT, Counter, message


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk at a ledger of its own; what was written must be sealed."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    upgrade(url)
    ledger = Ledger(make_engine(url), VAULT)
    yield Desk(ledger)
    assert evidence.verify(ledger).broken == ()
    ledger.close()


def sent(desk: Desk, bank: Counter) -> tuple[UUID, Draft]:
    """An order of 850 of 1,000 euros, handed over."""
    desk.grant("1000")
    case = desk.decide()
    bound = desk.book(case, "850")
    desk.deliver(bound)
    desk.answer(bound, ReceiptOutcome.CONFIRMED, event="FESTGELEGT", number="festgelegt")  # type: ignore[arg-type]
    order = desk.pay(case, "850")
    desk.deliver(order)
    bank.send(message(order.reference, "850.00"))
    return case, order


def hear(desk: Desk, items: list[Item]) -> None:
    """As a collecting route does; the connection of these tests is called as the desk's destination."""
    for item in items:
        name = {"zahlungsstatus": "bank-zahlungsstatus", "umsatz": "bank-umsatz"}[item.kind]
        envelope = {"source": HKR, "external_id": item.external_id, "kind": item.kind, "raw_ref": item.raw_ref}
        read = load_mapping(name, ROOT).read(item, {"envelope": envelope})
        assert isinstance(read, Receipt)
        desk.hear(read)


def test_paid_and_come_back_to_the_cent(desk: Desk, gateway: Counter) -> None:
    """Accepted is not paid; what was paid is bound no more; what came back is bound again."""
    case, order = sent(desk, gateway)
    gateway.ask("returns", "PUT", {order.reference: 1})
    hear(desk, gateway.fetch())
    assert desk.orders(case) == {order.reference: OrderState.SENT}
    assert desk.balance() == (15000, 85000, 0, 0)

    gateway.day()
    hear(desk, gateway.fetch())
    assert desk.orders(case) == {order.reference: OrderState.PAID}
    assert desk.balance() == (15000, 0, 85000, 0)
    assert desk.points() == []

    gateway.day()
    hear(desk, gateway.fetch())
    assert desk.orders(case) == {order.reference: OrderState.BOUNCED}
    assert desk.balance() == (15000, 85000, 0, 0)
    assert [point.kind for point in desk.points()] == ["bounced"]


@pytest.mark.parametrize("backwards", [False, True])
def test_everything_twice_and_backwards_means_the_same(desk: Desk, gateway: Counter, *, backwards: bool) -> None:
    """Whatever comes first, and however often."""
    case, order = sent(desk, gateway)
    gateway.ask("returns", "PUT", {order.reference: 1})
    items = gateway.fetch()
    for _ in range(2):
        gateway.day()
        items += gateway.fetch()
    assert len(items) == 3

    hear(desk, [*items, *items][:: -1 if backwards else 1])
    assert desk.orders(case) == {order.reference: OrderState.BOUNCED}
    assert desk.balance() == (15000, 85000, 0, 0)


def test_what_the_bank_refuses_is_refused(desk: Desk, gateway: Counter) -> None:
    """A person decides."""
    gateway.arm("reject_file")
    case, order = sent(desk, gateway)
    hear(desk, gateway.fetch())

    assert desk.orders(case) == {order.reference: OrderState.REJECTED}
    assert [point.kind for point in desk.points()] == ["refused"]
    assert "AM10" in desk.points()[0].reason


def test_a_cent_more_is_no_payment(desk: Desk, gateway: Counter) -> None:
    """Nobody takes the order for done, and nobody pays again."""
    case, order = sent(desk, gateway)
    gateway.arm("wrong_amount")
    gateway.day()
    hear(desk, gateway.fetch())

    assert desk.orders(case) == {order.reference: OrderState.SENT}
    assert [point.kind for point in desk.points()] == ["difference"]


@pytest.mark.parametrize(("fault", "code"), [("unknown_status", "XYZ1"), ("vop", "")])
def test_what_a_person_should_look_at_is_on_the_list(desk: Desk, gateway: Counter, fault: str, code: str) -> None:
    """A status that nobody knows, a name that the bank did not confirm: nothing moves."""
    gateway.arm(fault)
    case, order = sent(desk, gateway)
    hear(desk, gateway.fetch())

    assert desk.orders(case) == {order.reference: OrderState.SENT}
    assert [point.kind for point in desk.points()] == ["warning"]
    assert code in desk.points()[0].reason


def test_movements_of_others_come_to_clearing_without_names(desk: Desk, gateway: Counter) -> None:
    """They change nothing of ours."""
    case, order = sent(desk, gateway)
    gateway.arm("foreign_entries")
    gateway.day()
    hear(desk, gateway.fetch())

    assert desk.orders(case) == {order.reference: OrderState.PAID}
    clearing = desk.points("clearing")
    assert len(clearing) == len(desk.points()) == 1
    assert not [word for word in ("Musterfrau", "RE 2026") if word in clearing[0].reason]
