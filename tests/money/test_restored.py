"""Yesterday's ledger is put back in the middle of a payment: what was paid there is known again, and paid once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from kiezbruecke import attention, clock, pipeline
from kiezbruecke.errors import Recovering
from kiezbruecke.ledger import recoveries
from kiezbruecke.ledger.todo import Answer, Kind
from kiezbruecke.records import OrderState
from kiezbruecke.stages import recovering
from tests.builders import by
from tests.money.conftest import PAY, TODAY, Till
from tests.money.test_whole_way import FIRST, apply_for
from tests.recovery.conftest import Yesterday

Move = Callable[[Till], object]


def _nothing(_till: Till) -> None:
    """The backup is from before anybody had applied."""


def _written(till: Till) -> None:
    apply_for(till)
    till.round()


def _released(till: Till) -> None:
    _written(till)
    till.release()


@pytest.mark.parametrize("before", [_nothing, _written, _released])
@pytest.mark.parametrize("paid", [True, False], ids=["paid", "booked"])
def test_a_payment_that_the_ledger_has_forgotten_is_not_made_again(till: Till, before: Move, paid: bool) -> None:
    """It stops, is led back, takes over what HKR has – and neither a run nor two people can pay once more."""
    till.world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    before(till)
    day = Yesterday(till.world, None)
    day.back_up()
    if before is _nothing:
        _written(till)
    if before is not _released:
        till.release()
    till.round()
    if paid:
        till.cash_day("2026-06-03")
        till.round()
    day.restore()
    clock.say(TODAY)

    with pytest.raises(Recovering):
        pipeline.run(till.world.house, PAY)
    _lead_back(till)
    for _ in range(2):
        till.round()

    assert till.orders() == {FIRST: OrderState.PAID if paid else OrderState.BOOKED}
    assert [one for one in till.world.messages() if one.effect == "payment.order" and one.reference != FIRST] == []
    if not paid:
        till.cash_day("2026-06-03")
        till.round()
    assert till.orders() == {FIRST: OrderState.PAID}
    assert till.hkr_sums()["paid"] == Decimal("850.00")
    assert till.balance() == (Decimal("1750.00"), Decimal("0.00"), Decimal("850.00"), Decimal("0.00"))


def _lead_back(till: Till) -> None:
    """Every destination that stands still is asked, and let go on; the platform is not there to be read again."""
    house, somebody = till.world.house, by("A. Muster")
    for destination in recoveries.recovering(till.world.ledger):
        pipeline.recover(house, destination)
        for point in till.world.points(Kind.PRESENT):  # the e-file was never asked to file anything
            attention.decide(house.ledger, point, Answer.NOT_THERE, person=somebody, reason="nachgesehen")
        found = pipeline.recover(house, destination)
        assert (found.questions, found.differences, found.unread) == (0, (), ("kk-tk-meinberlin",))
        recovering.end(house, destination, person=somebody, reason="abgeglichen", despite=True)
