"""Whoever wants money twice, elsewhere or unseen: strange answers, odd sheets, corrections at the worst moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from kiezbruecke.attention import decide
from kiezbruecke.effects import Due, FollowUp
from kiezbruecke.effects.payment import CANCEL, overtaken, payment
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.records import OrderState
from tests.builders import (
    GRUENAU,
    a_budget,
    a_commitment,
    a_lane,
    a_line,
    a_message,
    an_application,
    an_order,
    known,
    standing,
)
from tests.money.conftest import ANSWERS, CLAIM, TODAY, Till
from tests.money.test_whole_way import DAYS, FIRST, OTHER, SECOND, _euros, apply_for
from tests.world import IBAN, application, settlement

BACK, BACK_AGAIN = "KK26-090416-P0001-R1", "KK26-090416-P0001-R2"
CLERK = Person("Erika Muster", "erika", How.AIRFLOW)


def test_who_is_paid_after_a_cancellation_is_not_paid_again(till: Till) -> None:
    """They cancel by hand, a person orders anew – and then they have paid the first one all the same."""
    _book(till)
    _say(till, FIRST, "AUFGEHOBEN")
    for _ in range(2):
        till.round()
    assert till.orders() == {FIRST: OrderState.CANCELLED}  # nobody orders anew what they have cancelled, but a person

    _answer(till, "refused", "neu_senden")
    till.round()
    assert till.orders()[SECOND] is OrderState.ORDERED
    _say(till, FIRST, "BEZAHLT")
    till.round()

    assert till.orders() == {FIRST: OrderState.PAID, SECOND: OrderState.CANCELLED}
    assert till.balance() == _euros("1750", "0", "850", "0")


def test_two_orders_that_are_both_carried_out_are_counted_and_told(till: Till) -> None:
    """The second has left already: nothing crashes, the sums are what has happened, and a person hears at once."""
    _book(till)
    _say(till, FIRST, "AUFGEHOBEN")
    till.round()
    _answer(till, "refused", "neu_senden")
    till.round()
    till.release()
    till.round()
    assert till.orders()[SECOND] is OrderState.BOOKED

    _say(till, FIRST, "BEZAHLT")
    till.round()
    assert "anhalten" in _told(till, "contradiction")
    assert till.balance()[2] == Decimal("850.00")

    _say(till, SECOND, "AUFGEHOBEN")
    till.round()
    assert till.orders() == {FIRST: OrderState.PAID, SECOND: OrderState.CANCELLED}
    assert till.balance() == _euros("1750", "0", "850", "0")


def test_a_bounced_payment_goes_again_because_a_person_says_so(till: Till) -> None:
    """To the same account, once; that the first one lies there is no reason against it."""
    _book(till)
    till.cash_day("2026-06-03", bounces=(FIRST,))
    till.cash_day("2026-06-08")
    till.round()
    _answer(till, "bounced", "neu_senden")
    for _ in range(2):
        till.round()
    till.release()
    till.round()
    till.cash_day("2026-06-10")
    till.round()

    assert till.orders() == {FIRST: OrderState.BOUNCED, SECOND: OrderState.PAID}
    assert till.balance() == _euros("1750", "0", "850", "0")


def test_strange_words_move_no_money_and_are_told(till: Till) -> None:
    """What is said of another kind, sum, order or with an unknown word; and a return before its payment."""
    _book(till)
    for reference, event, cents in (
        (FIRST, "EINGEGANGEN", 85000),
        (FIRST, "EINGEGANGEN", 3760),
        (FIRST, "BEZAHLT", 85001),
        (FIRST, "STORNIERT", 85000),
        ("XX99-090416-P0009-Z1", "BEZAHLT", 85000),
        ("KK26-090416-P0001-F1", "BEZAHLT", 85000),
    ):
        _say(till, reference, event, cents)
    till.round()
    assert till.orders() == {FIRST: OrderState.BOOKED}
    assert till.balance() == _euros("1750", "850", "0", "0")
    kinds = [point.kind for point in till.world.points()]
    assert sorted(kinds) == ["clearing", "difference", "difference", "difference", "set_aside"]

    for event, cents in (("RUECKLAEUFER", 85000), ("BEZAHLT", 85000), ("RUECKLAEUFER", 85000), ("RUECKLAEUFER", 42500)):
        _say(till, FIRST, event, cents)
    till.world.run(ANSWERS)
    assert till.orders() == {FIRST: OrderState.BOUNCED}
    assert till.balance() == _euros("1750", "850", "0", "0")


def test_a_claim_that_waits_follows_a_corrected_proof(till: Till) -> None:
    """And what is said of it counts only where it is about a claim, with its sum, and in its year."""
    _book(till)
    till.cash_day("2026-06-03")
    till.round()
    till.world.settle(settlement(day="28.05.2026"))
    till.round()
    assert till.orders()[BACK] is OrderState.ORDERED
    till.world.settle(settlement(spent="840,-", day="28.05.2026", why="Beleg nachgereicht"), name="zwei.csv")
    till.round()
    assert till.orders()[BACK] is OrderState.CANCELLED
    assert till.orders()[BACK_AGAIN] is OrderState.ORDERED

    till.release(CLAIM)
    till.round()
    for event, cents in (("BEZAHLT", 1000), ("EINGEGANGEN", 999)):
        _say(till, BACK_AGAIN, event, cents)
    till.world.run(ANSWERS)
    assert till.orders()[BACK_AGAIN] is OrderState.BOOKED
    assert till.balance() == _euros("1750", "0", "850", "0")

    for day in ("2027-01-04", "2026-12-30", "2027-01-05"):
        _say(till, BACK_AGAIN, "EINGEGANGEN", 1000, day)
        till.world.run(ANSWERS)
    assert till.orders()[BACK_AGAIN] is OrderState.RECEIVED
    assert till.balance() == _euros("1760", "0", "850", "10")


def test_two_sheets_that_contradict_each_other_pay_nobody(till: Till) -> None:
    """Also not while the order waits: it is taken back, until one of them says why."""
    apply_for(till)
    till.round()
    apply_for(till, iban=OTHER, name="mai.csv")
    till.round()

    assert till.orders() == {FIRST: OrderState.CANCELLED}
    assert "ändert die Bankverbindung" in _told(till, "set_aside")


def test_another_account_after_the_payment_is_told(till: Till) -> None:
    """Whoever corrects an account must hear that the money went to the old one."""
    _book(till)
    till.cash_day("2026-06-03")
    till.world.run(ANSWERS)
    apply_for(till, iban=OTHER, why="Zahlendreher in der IBAN", name="mai.csv")
    till.round()

    assert till.orders() == {FIRST: OrderState.PAID}
    assert "die Bankverbindung ist eine andere" in _told(till, "follow_up")


@pytest.mark.parametrize("state", [OrderState.ORDERED, OrderState.BOOKED, OrderState.PAID])
def test_no_area_pays_for_another(state: OrderState) -> None:
    """The decision moves while its money stands in the first area: nothing is ordered there, and a person hears."""
    moved = a_line(area_id=GRUENAU)
    case = known(moved, commitment=a_commitment(), applications=(an_application(area_id=GRUENAU),))
    lane = a_lane(family="payment", today=TODAY)
    budgets = (a_budget(), a_budget(area_id=GRUENAU))
    assert payment(standing(case, budgets=budgets), lane) is None

    one = standing(replace(case, orders=(an_order(state),)), budgets=budgets)
    answer = payment(one, lane)
    assert overtaken(one, a_message("payment.order", MessageState.HELD, key=an_order().key), lane)
    if state is OrderState.BOOKED:
        assert isinstance(answer, Due)
        assert answer.effect is CANCEL
    if state is OrderState.PAID:
        assert isinstance(answer, FollowUp)


def test_an_account_in_the_wrong_column_stands_nowhere(till: Till) -> None:
    """Every column of an application in turn; also the free text."""
    applied, begins, _, waiver = DAYS
    lines = [
        application(days=(applied, begins, IBAN, waiver)),
        application(amount=IBAN, days=DAYS),
        application(iban=f"{IBAN[:-1]}2", days=DAYS),
        application(bic=IBAN, days=DAYS),
        application(area=IBAN, days=DAYS),
        application(reference=IBAN, days=DAYS),
        application(holder="", days=DAYS),
        application(days=DAYS, why=f"statt {IBAN[:4]} {IBAN[4:8]} {IBAN[8:12]} {IBAN[12:]} und"),
        application(days=DAYS, why=f"war {IBAN}"),
    ]
    for number, one in enumerate(lines):
        till.world.apply_for(one, name=f"{number}.csv")
    till.round()

    assert IBAN not in "".join(point.reason for point in till.world.points())
    stored = b"".join(file.read_bytes() for file in till.world.state.glob("ledger.sqlite3*")).replace(b" ", b"")
    assert IBAN[2:].encode() not in stored


def _say(till: Till, reference: str, event: str, cents: int = 85000, day: str = "2026-06-03") -> None:
    """Their bookkeeping says something, whatever it means."""
    with closing(sqlite3.connect(till.world.sandboxes["hkr"].state / "books.sqlite3")) as books, books:
        [number] = books.execute("select coalesce(max(number), 0) + 1 from answers").fetchone()
        values = (number, reference, event, cents, day, f"B{number:09d}", "", "")
        if event == "AUFGEHOBEN":
            books.execute("update payments set state = 'cancelled' where reference = ?", (reference,))
        books.execute("insert into answers values (?, ?, ?, ?, ?, ?, ?, ?)", values)


def _book(till: Till) -> None:
    """Up to the booked order."""
    apply_for(till)
    till.round()
    till.release()
    till.round()
    assert till.orders() == {FIRST: OrderState.BOOKED}


def _answer(till: Till, kind: str, word: str) -> None:
    """A person decides the only open point of a kind."""
    [point] = till.world.points(kind)
    decide(till.world.ledger, point, word, person=CLERK, reason="mit der Kasse geklärt")


def _told(till: Till, kind: str) -> str:
    return "\n".join(point.reason for point in till.world.points(kind))
