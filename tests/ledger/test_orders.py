"""Orders to pay and to collect: states made of all words, and an area's money to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from kiezbruecke.ledger import Ledger, MessageState, claims
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.records import BudgetStatus, OrderState, ReceiptOutcome
from tests.ledger.conftest import Desk, draft, lane_of

CONFIRMED, REFUSED, NOTED = ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED, ReceiptOutcome.NOTED
DAY = date(2026, 5, 4)
WORDS: dict[str, dict[str, Any]] = {
    "booked": {"outcome": CONFIRMED, "event": "GEBUCHT"},
    "paid": {"outcome": CONFIRMED, "event": "BEZAHLT", "occurred_on": DAY},
    "returned": {"outcome": NOTED, "event": "RUECKLAEUFER", "occurred_on": date(2026, 5, 9)},
}


def test_an_order_rests_on_a_booked_commitment(desk: Desk) -> None:
    """Money that nobody has bound is nobody's to pay."""
    desk.grant("1000")
    case = desk.decide()
    desk.book(case, "850")

    desk.pay(case, "850")

    assert desk.orders(case) == {}
    assert [point.reason.partition(": ")[2] for point in desk.points("set_aside")] == [
        "Die Festlegung ist nicht gebucht"
    ]


@pytest.mark.parametrize(("euros", "stored"), [("850", 1), ("850.01", 0)])
def test_nobody_is_paid_a_cent_more_than_is_bound(desk: Desk, euros: str, stored: int) -> None:
    """Exactly is enough; one cent more is none."""
    case = _bound(desk)

    desk.pay(case, euros)

    assert len(desk.orders(case)) == stored


def test_a_budget_that_is_blocked_pays_nothing(desk: Desk) -> None:
    """A freeze stops orders as it stops commitments."""
    case = _bound(desk)
    desk.grant("1000", BudgetStatus.BLOCKED)

    desk.pay(case, "850")

    assert desk.orders(case) == {}


def test_there_is_one_live_payment_whatever_its_channel(desk: Desk, ledger: Ledger) -> None:
    """Neither a second draft nor whoever writes into the table pays twice."""
    case = _bound(desk)
    order = desk.pay(case, "850")

    desk.pay(case, "850", 2, channel="pain")

    assert desk.orders(case) == {order.reference: OrderState.ORDERED}
    with ledger.read() as connection:
        row = connection.execute(select(t.orders)).one()
    other = desk.book(desk.decide("P-2", 2), "100")
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        connection.execute(insert(t.orders).values({**row._mapping, "key": other.identity.key, "channel": "pain"}))


@pytest.mark.parametrize("order_of_words", list(permutations(WORDS)), ids=" ".join)
def test_words_mean_the_same_in_any_order_and_twice(desk: Desk, order_of_words: tuple[str, ...]) -> None:
    """Cursor, file and bank statement come when they come; what has happened is the same."""
    case = _bound(desk)
    order = _delivered(desk, case)

    for number, word in enumerate([*order_of_words, *order_of_words]):
        desk.answer(order, number=f"{word}-{number % 2}", **WORDS[word])

    assert desk.orders(case) == {order.reference: OrderState.BOUNCED}
    assert desk.balance() == (15000, 85000, 0, 0)
    assert [point.kind for point in desk.points("bounced")] == ["bounced"]


def test_what_is_paid_is_bound_no_more(desk: Desk) -> None:
    """Budget = free + bound + paid - refunded, at every step."""
    case = _bound(desk)
    assert desk.balance() == (15000, 85000, 0, 0)
    order = _delivered(desk, case)
    desk.answer(order, number="1", **WORDS["booked"])
    assert desk.balance() == (15000, 85000, 0, 0)

    desk.answer(order, number="2", **WORDS["paid"])

    assert desk.balance() == (15000, 0, 85000, 0)
    assert desk.orders(case) == {order.reference: OrderState.PAID}


def test_another_sum_pays_nothing_and_is_told(desk: Desk) -> None:
    """One cent less was paid: nobody may take the order for done."""
    case = _bound(desk)
    order = _delivered(desk, case)

    desk.answer(order, number="1", **WORDS["paid"], amount=Decimal("849.99"))

    assert desk.orders(case) == {order.reference: OrderState.SENT}
    assert desk.balance() == (15000, 85000, 0, 0)
    assert [point.kind for point in desk.points()] == ["difference"]


def test_a_part_that_comes_back_is_a_persons(desk: Desk) -> None:
    """A fee was kept, or half of it came: the order stays paid, and nobody guesses."""
    case = _bound(desk)
    order = _paid(desk, case)

    desk.answer(order, number="2", **WORDS["returned"], amount=Decimal("840.00"))

    assert desk.orders(case) == {order.reference: OrderState.PAID}
    assert desk.balance() == (15000, 0, 85000, 0)
    assert [point.kind for point in desk.points()] == ["difference"]


def test_who_was_refused_and_is_paid_all_the_same_is_not_paid_again(desk: Desk) -> None:
    """The bank has paid, whatever it said before: the order is live, and a person is asked."""
    case = _bound(desk)
    order = _delivered(desk, case)
    desk.answer(order, number="1", outcome=REFUSED, event="ABGEWIESEN")
    assert desk.orders(case) == {order.reference: OrderState.REJECTED}

    desk.answer(order, number="2", **WORDS["paid"])
    desk.pay(case, "850", 2)

    assert desk.orders(case) == {order.reference: OrderState.PAID}
    assert "contradiction" in [point.kind for point in desk.points()]


def test_a_bounced_payment_makes_room_for_the_next(desk: Desk) -> None:
    """The commitment is open again, and the next order has the next number."""
    case = _bound(desk)
    first = _delivered(desk, case)
    desk.answer(first, number="1", **WORDS["paid"])
    desk.answer(first, number="2", **WORDS["returned"])

    second = desk.pay(case, "850", 2, account="n" * 64)

    assert desk.orders(case) == {first.reference: OrderState.BOUNCED, second.reference: OrderState.ORDERED}


def test_only_their_word_makes_a_cancelled_payment_free(desk: Desk) -> None:
    """Until HKR says AUFGEHOBEN the money may still leave."""
    case = _bound(desk)
    order = _delivered(desk, case)
    desk.answer(order, number="1", **WORDS["booked"])
    cancel = draft(case, "payment.cancel", 2, "850", related_reference=order.reference)
    desk.prepare(cancel)
    desk.deliver(cancel)
    assert desk.orders(case) == {order.reference: OrderState.BOOKED}

    desk.answer(cancel, CONFIRMED, 2, event="AUFGEHOBEN")

    assert desk.orders(case) == {order.reference: OrderState.CANCELLED}


def test_what_is_paid_after_its_commitment_was_cancelled_is_held(desk: Desk) -> None:
    """They have paid all the same: the area cannot bind the same money for somebody else."""
    case = _bound(desk)
    order = _delivered(desk, case)
    desk.answer(order, number="1", outcome=REFUSED, event="ABGEWIESEN")
    cancel = desk.book(case, "850", 2, "commitment.cancel")
    desk.deliver(cancel)
    desk.answer(cancel, CONFIRMED, 7, event="AUFGEHOBEN")
    assert desk.balance() == (100000, 0, 0, 0)

    desk.answer(order, number="2", **WORDS["paid"])

    assert desk.balance() == (15000, 0, 85000, 0)
    assert desk.commitment(case) == ("cancelled", 0, 85000)


def test_money_that_comes_back_is_free_again(desk: Desk) -> None:
    """37.60 were not spent."""
    case = _bound(desk)
    _paid(desk, case)
    claim = desk.pay(case, "37.60", 1, "refund.claim", kind="refund", account="")
    desk.deliver(claim)
    assert desk.balance() == (15000, 0, 85000, 0)

    desk.answer(claim, CONFIRMED, 9, event="EINGEGANGEN", occurred_on=DAY)

    assert desk.balance() == (18760, 0, 85000, 3760)


def test_money_of_the_next_year_refills_nothing(desk: Desk) -> None:
    """It is income of that year (§ 72 LHO)."""
    case = _bound(desk)
    _paid(desk, case)
    claim = desk.pay(case, "37.60", 1, "refund.claim", kind="refund", account="")
    desk.deliver(claim)

    desk.answer(claim, CONFIRMED, 9, event="EINGEGANGEN", occurred_on=date(2027, 1, 4))

    assert desk.balance() == (15000, 0, 85000, 0)


def test_nobody_claims_more_than_was_paid(desk: Desk) -> None:
    """Nor anything where nothing was paid."""
    case = _bound(desk)

    desk.pay(case, "0.01", 1, "refund.claim", kind="refund", account="")

    assert desk.orders(case) == {}


def test_a_payment_without_account_cannot_be_written(desk: Desk, ledger: Ledger) -> None:
    """A constraint, not an if."""
    case = _bound(desk)
    desk.pay(case, "850")
    with ledger.read() as connection:
        row = connection.execute(select(t.orders)).one()
    other = desk.book(desk.decide("P-2", 2), "100")

    values = {**row._mapping, "key": other.identity.key, "case_id": other.identity.case_id, "account": ""}
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        connection.execute(insert(t.orders).values(values))


def test_doubt_ends_where_the_destination_proves_that_nothing_arrived(desk: Desk) -> None:
    """The same bytes wait again; it is the same order."""
    case = _bound(desk)
    order = desk.pay(case, "850")
    run = desk.send(order.identity.key, lane=lane_of(order))
    claims.settle(desk.ledger, run, order.identity.key, MessageState.IN_DOUBT)
    assert desk.orders(case) == {order.reference: OrderState.IN_DOUBT}

    claims.settle_doubt(desk.ledger, run, order.identity.key, "nicht angekommen")

    assert desk.orders(case) == {order.reference: OrderState.ORDERED}


def _bound(desk: Desk) -> UUID:
    """A case with 850 of 1,000 euros bound."""
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, "850")
    desk.deliver(order)
    desk.answer(order, CONFIRMED, event="FESTGELEGT", number="festgelegt")
    return case


def _delivered(desk: Desk, case: UUID) -> Draft:
    order = desk.pay(case, "850")
    desk.deliver(order)
    return order


def _paid(desk: Desk, case: UUID) -> Draft:
    order = _delivered(desk, case)
    desk.answer(order, number="paid", **WORDS["paid"])
    return order
