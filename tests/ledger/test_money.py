"""Budgets and commitments: held before it is asked for, booked when they say so, never more than the area has."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from kiezbruecke.errors import Overtaken
from kiezbruecke.ledger import Ledger, MessageState, money, reading
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.drafts import add_messages
from kiezbruecke.records import BudgetStatus, ReceiptOutcome

from .conftest import AREA, HKR, MONEY, PROCESS, YEAR, Desk, draft

BOOK, CHANGE, CANCEL = "commitment.book", "commitment.change", "commitment.cancel"
CONFIRMED, REFUSED = ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED


@dataclass(frozen=True)
class _Sum:
    area: str
    committed: Decimal
    paid: Decimal
    refunded: Decimal = Decimal(0)


def test_a_prepared_booking_holds_its_money(desk: Desk) -> None:
    """Between asking and their answer the money must not be promised to somebody else."""
    desk.grant("1000")
    case = desk.decide()
    desk.book(case, "850")

    assert desk.commitment(case) == ("requested", 0, 85000)
    assert desk.committed() == 85000


def test_a_confirmed_booking_is_booked(desk: Desk) -> None:
    """Only their FESTGELEGT makes it true."""
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, "850")
    desk.deliver(order)
    desk.answer(order, CONFIRMED)

    assert desk.commitment(case) == ("booked", 85000, 85000)
    assert desk.state(order) is MessageState.CONFIRMED


def test_a_refused_booking_gives_its_money_back(desk: Desk) -> None:
    """Otherwise a refusal would eat the area's budget."""
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, "850")
    desk.deliver(order)
    desk.answer(order, REFUSED)

    assert desk.commitment(case) == ("refused", 0, 0)
    assert desk.committed() == 0


@pytest.mark.parametrize(("total", "held"), [("950", 95000), ("700", 85000)])
def test_a_change_holds_the_larger_of_both_sums(desk: Desk, total: str, held: int) -> None:
    """Until they answer, either total may be the true one."""
    case = _booked(desk, "850")
    desk.book(case, total, 2, CHANGE)

    assert desk.commitment(case) == ("requested", 85000, held)
    assert desk.committed() == held


@pytest.mark.parametrize("total", ["950", "700"])
def test_a_confirmed_change_counts_with_its_new_total(desk: Desk, total: str) -> None:
    """A change carries the total, never a difference."""
    case = _booked(desk, "850")
    order = desk.book(case, total, 2, CHANGE)
    desk.deliver(order)
    desk.answer(order, CONFIRMED, 2)
    cents = int(total) * 100

    assert desk.commitment(case) == ("booked", cents, cents)
    assert desk.committed() == cents


@pytest.mark.parametrize("total", ["950", "700"])
def test_a_refused_change_leaves_the_old_total(desk: Desk, total: str) -> None:
    """The booking before it still stands in their books."""
    case = _booked(desk, "850")
    order = desk.book(case, total, 2, CHANGE)
    desk.deliver(order)
    desk.answer(order, REFUSED, 2)

    assert desk.commitment(case) == ("booked", 85000, 85000)
    assert desk.committed() == 85000


def test_a_cancellation_frees_the_money_only_when_they_say_so(desk: Desk) -> None:
    """AUFGEHOBEN is the only proof that the money is free again."""
    case = _booked(desk, "850")
    order = desk.book(case, "850", 2, CANCEL)
    asked = desk.commitment(case), desk.committed()
    desk.deliver(order)
    desk.answer(order, CONFIRMED, 2)

    assert asked == (("cancel_requested", 85000, 85000), 85000)
    assert desk.commitment(case) == ("cancelled", 0, 0)
    assert desk.committed() == 0


def test_a_refused_cancellation_leaves_it_booked(desk: Desk) -> None:
    """The money is still bound, whatever the assembly says."""
    case = _booked(desk, "850")
    order = desk.book(case, "850", 2, CANCEL)
    desk.deliver(order)
    desk.answer(order, REFUSED, 2)

    assert desk.commitment(case) == ("booked", 85000, 85000)
    assert [point.kind for point in desk.points()] == ["refused"]


def test_without_money_nothing_is_prepared(desk: Desk) -> None:
    """The message must not exist, or it would be sent in the next run."""
    desk.grant("1000")
    desk.book(desk.decide("P-1", 1), "850")
    without = desk.prepare(draft(desk.decide("P-2", 2), BOOK, 1, "150.01"))

    assert without == 1
    assert len(reading.list_messages(desk.ledger)) == 1
    assert [point.reason.partition(": ")[2] for point in desk.points()] == ["Das Budget der Bezirksregion reicht nicht"]
    assert desk.committed() == 85000


def test_the_last_cent_may_be_spent(desk: Desk) -> None:
    """Never exceeded does not mean never reached."""
    desk.grant("1000")
    desk.book(desk.decide("P-1", 1), "850")

    assert desk.prepare(draft(desk.decide("P-2", 2), BOOK, 1, "150")) == 0
    assert desk.committed() == 100000


@pytest.mark.parametrize("status", [BudgetStatus.PLANNED, BudgetStatus.BLOCKED, BudgetStatus.REVOKED])
def test_a_budget_that_is_not_released_pays_nothing(desk: Desk, status: BudgetStatus) -> None:
    """A Haushaltssperre stops new commitments."""
    desk.grant("1000", status)

    assert desk.prepare(draft(desk.decide(), BOOK, 1, "1")) == 1


def test_an_area_without_budget_pays_nothing(desk: Desk) -> None:
    """No budget sheet, no commitment."""
    assert desk.prepare(draft(desk.decide(), BOOK, 1, "1")) == 1


def test_a_budget_cut_below_its_commitments_blocks_only_new_ones(desk: Desk) -> None:
    """What is booked is booked; a cut must not make the ledger's own constraint burst."""
    case = _booked(desk, "850")
    desk.grant("500")
    less = desk.book(case, "600", 2, CHANGE)
    desk.deliver(less)
    desk.answer(less, CONFIRMED, 2)
    more = desk.prepare(draft(desk.decide("P-2", 2), BOOK, 1, "1"))

    assert desk.commitment(case) == ("booked", 60000, 60000)
    assert more == 1


def test_the_database_itself_refuses_too_much(desk: Desk, ledger: Ledger) -> None:
    """Whatever the code believes: the constraint is the last word."""
    desk.grant("1000")

    with pytest.raises(IntegrityError), ledger.write() as connection:
        connection.execute(update(t.budgets).values(committed_cents=100001))


def test_two_runs_cannot_both_spend_the_last_euro(desk: Desk, url: str) -> None:
    """Two lanes at once (two budget destinations of a process): the area's budget is one."""
    desk.grant("100")
    orders = [draft(desk.decide(f"P-{n}", n), BOOK, 1, "60") for n in (1, 2)]
    runs = [desk.run(f"{MONEY}-{n}") for n in (1, 2)]
    ready, without = threading.Barrier(2), []

    def spend(index: int) -> None:
        own = Ledger(make_engine(url))
        ready.wait(10)
        without.append(len(add_messages(own, runs[index], [orders[index]], "spk")))
        own.close()

    threads = [threading.Thread(target=spend, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(without) == [0, 1]
    assert desk.committed() == 6000


def test_a_test_message_moves_no_money(desk: Desk) -> None:
    """environment: test must be able to rehearse with real cases."""
    desk.grant("100")
    order = draft(desk.decide(), BOOK, 1, "60", test=True)
    desk.prepare(order)
    desk.deliver(order)
    desk.answer(order, CONFIRMED)

    assert desk.committed() == 0


def test_their_sums_replace_the_last_ones(desk: Desk) -> None:
    """An area that they do not name any more must not keep its old sum; several addresses of one area are added."""
    ledger, run = desk.ledger, desk.run(f"{HKR}|commitment")
    two = [_Sum(AREA, Decimal("1.10"), Decimal(0)), _Sum(AREA, Decimal(2), Decimal(0))]
    money.store_theirs(ledger, run, HKR, YEAR, [_Sum("090311", Decimal("5.00"), Decimal(0))])
    money.store_theirs(ledger, run, HKR, YEAR, two)

    assert money.theirs(ledger, YEAR) == {AREA: money.Sums(310, 0, 0)}


def test_an_older_run_stores_no_older_sums(desk: Desk) -> None:
    """It may have asked before the newer one: its answer is the older."""
    older = desk.run(f"{HKR}|commitment")
    desk.run(f"{HKR}|commitment")

    with pytest.raises(Overtaken):
        money.store_theirs(desk.ledger, older, HKR, YEAR, [_Sum(AREA, Decimal(5), Decimal(0))])
    assert money.theirs(desk.ledger, YEAR) == {}


def test_ours_is_told_per_area(desk: Desk) -> None:
    """Budget, held and booked are what `reconcile` shows."""
    _booked(desk, "850")
    desk.grant("77", area="090311")

    rows = [(row.area_id, row.amount, row.committed, row.booked) for row in money.balances(desk.ledger, PROCESS)]

    assert rows == [("090311", 7700, 0, 0), (AREA, 100000, 85000, 85000)]


def _booked(desk: Desk, euros: str) -> object:
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, euros)
    desk.deliver(order)
    desk.answer(order, CONFIRMED)
    return case
