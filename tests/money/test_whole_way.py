"""From the vote to the settlement, against a real budget system: to the cent, once, and only with four eyes."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest

from kiezbruecke import clock
from kiezbruecke.ledger import MessageState
from kiezbruecke.records import OrderState
from tests.money.conftest import ANSWERS, PAY, Till
from tests.world import application, budget, line, settlement

DAYS = ("20.04.2026", "10.05.2026", "04.05.2026", "06.05.2026")  # applied, begins, Bescheid, waiver
OTHER = "DE66999999990000000002"
FIRST, SECOND = "KK26-090416-P0001-Z1", "KK26-090416-P0001-Z2"


def test_a_grant_is_paid_and_settled_to_the_cent(till: Till) -> None:
    """850 granted, ordered by two people, paid; 812.40 proven, 37.60 come back and are free again."""
    apply_for(till)
    till.round()
    assert till.orders() == {FIRST: OrderState.ORDERED}
    assert till.balance() == _euros("1750", "850", "0", "0")

    assert till.release() == 1
    till.round()
    assert till.orders() == {FIRST: OrderState.BOOKED}
    till.cash_day("2026-06-03")
    till.round()
    assert till.orders() == {FIRST: OrderState.PAID}
    assert till.balance() == _euros("1750", "0", "850", "0")

    till.world.settle(settlement(day="28.05.2026"))
    till.round()
    assert till.release("kk-tk-erstattungen") == 1
    till.round()
    till.cash_day("2026-07-20")
    till.round()
    assert till.orders()["KK26-090416-P0001-R1"] is OrderState.RECEIVED
    assert till.balance() == _euros("1787.60", "0", "850", "37.60")
    sums = till.hkr_sums()
    assert (sums["committed"], sums["paid"], sums["refunded"]) == _euros("850", "850", "37.60")


def test_nothing_leaves_without_two_people(till: Till) -> None:
    """However often it runs."""
    apply_for(till)
    for _ in range(3):
        till.round()

    assert till.orders() == {FIRST: OrderState.ORDERED}
    assert [one.state for one in till.world.messages() if one.effect == "payment.order"] == [MessageState.HELD]
    assert not [one for one in till.world.received("hkr") if one["Art"] == "AUSZAHLUNG"]


def test_a_bounced_payment_is_paid_once_to_the_other_account(till: Till) -> None:
    """Not again to the same one, and not twice to the new one."""
    apply_for(till)
    till.round()
    till.release()
    till.round()
    till.cash_day("2026-06-03", bounces=(FIRST,))
    till.cash_day("2026-06-08")
    for _ in range(2):
        till.round()
    assert till.orders() == {FIRST: OrderState.BOUNCED}
    assert till.balance() == _euros("1750", "850", "0", "0")
    assert len(till.world.points("bounced")) == 1

    apply_for(till, iban=OTHER, why="Zahlendreher in der IBAN", name="mai.csv")
    till.round()
    assert till.world.points("bounced") == []  # another order has taken its place: nobody is needed
    till.release()
    till.round()
    till.cash_day("2026-06-10")
    till.round()

    assert till.orders() == {FIRST: OrderState.BOUNCED, SECOND: OrderState.PAID}
    assert till.balance() == _euros("1750", "0", "850", "0")
    assert till.hkr_sums()["paid"] == Decimal("850.00")


def test_a_decision_taken_back_cancels_what_is_booked(till: Till) -> None:
    """The payment first, then the commitment: only their words free the money."""
    apply_for(till)
    till.round()
    till.release()
    till.round()
    assert till.orders() == {FIRST: OrderState.BOOKED}

    till.world.drop(line("P-1", "", "abgelehnt", why="Fest fällt aus"), name="mai.csv")
    till.round()
    till.release()
    for _ in range(2):
        till.round()

    assert till.orders() == {FIRST: OrderState.CANCELLED}
    assert till.balance() == _euros("2600", "0", "0", "0")
    assert till.hkr_sums()["committed"] == Decimal("0.00")


def test_an_order_that_waits_follows_a_corrected_decision(till: Till) -> None:
    """It is written anew with the other sum; nobody can release the old one."""
    apply_for(till)
    till.round()
    till.world.drop(line("P-1", "800,-", why="Angebot günstiger"), name="mai.csv")
    for _ in range(2):
        till.round()

    assert till.orders() == {FIRST: OrderState.CANCELLED, SECOND: OrderState.ORDERED}
    till.release()
    till.round()
    [paid] = [one for one in till.world.received("hkr") if one["Art"] == "AUSZAHLUNG"]
    assert (paid["Fremdkennzeichen"], paid["Betrag"]) == (SECOND, "800.00")


def test_a_frozen_budget_orders_nothing_and_lets_nothing_out(till: Till) -> None:
    """Also what two people have released already."""
    apply_for(till)
    till.round()
    till.release()
    till.world.drop_budget(budget(status="gesperrt", why="Haushaltssperre"), name="sperre.csv")
    till.round()

    assert till.orders() == {FIRST: OrderState.ORDERED}
    assert not [one for one in till.world.received("hkr") if one["Art"] == "AUSZAHLUNG"]


def test_a_notice_becomes_final_on_its_day(till: Till) -> None:
    """Nothing is heard of the case in between; the day wakes it."""
    apply_for(till, days=("20.04.2026", "10.05.2026", "04.05.2026", ""))
    till.round()
    assert till.orders() == {}

    clock.say(date(2026, 6, 6))
    till.round()
    assert till.orders() == {}
    clock.say(date(2026, 6, 7))
    till.round()
    assert till.orders() == {FIRST: OrderState.ORDERED}


@pytest.mark.parametrize("fault", ["duplicate_ack", "replayed_ack", "reordered_ack", "commit_then_lose", "reset"])
def test_faults_of_the_budget_system_pay_nobody_twice(till: Till, fault: str) -> None:
    """Doubled, replayed, reordered, lost: once, to the cent."""
    apply_for(till)
    till.round()
    till.release()
    till.world.sandboxes["hkr"].arm(fault)
    for _ in range(3):
        with suppress(Exception):  # a run may fail; the next one must know better
            till.world.run(PAY)
        till.world.run(ANSWERS)
    till.cash_day("2026-06-03")
    till.round()

    assert till.orders() == {FIRST: OrderState.PAID}
    assert till.hkr_sums()["paid"] == Decimal("850.00")
    assert till.balance() == _euros("1750", "0", "850", "0")


def apply_for(till: Till, iban: str = "", why: str = "", name: str = "april.csv", days: tuple[str, ...] = DAYS) -> None:
    """A clerk hands in the application for P-1."""
    more = {"iban": iban} if iban else {}
    till.world.apply_for(application(days=days, why=why, **more), name=name)  # type: ignore[arg-type]


def _euros(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(one).quantize(Decimal("0.01")) for one in amounts)
