"""When a grant is paid, cancelled, paid again, claimed back – and when a person is asked instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kiezbruecke.cases.grants import grant_of
from kiezbruecke.cases.join import Standing
from kiezbruecke.effects import Due, FollowUp, Waits
from kiezbruecke.effects.commitment import commitment
from kiezbruecke.effects.payment import CANCEL, CLAIM, ORDER, overtaken, payment, refund
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.reading import StoredCase
from kiezbruecke.records import GrantState, OrderState, Outcome
from tests.builders import (
    GRUENAU,
    PROCESS,
    a_budget,
    a_commitment,
    a_correction,
    a_lane,
    a_line,
    a_message,
    a_settlement,
    an_application,
    an_order,
    known,
    standing,
)

TODAY = date(2026, 6, 1)


def test_a_final_grant_is_ordered() -> None:
    """Voted, announced, nobody can object any more, bound, an account: two people may look at it now."""
    due = _due(_case())

    assert isinstance(due, Due)
    assert (due.effect, due.amount, due.number) == (ORDER, Decimal("850.00"), 1)
    assert due.order is not None
    assert (due.order.account, due.order.channel, due.order.due_on) == ("a" * 64, "hkr", TODAY)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"notice_on": None, "waiver_on": None}, GrantState.VOTED),
        ({"waiver_on": None}, GrantState.GRANTED),
        ({"waiver_on": date(2026, 6, 1)}, GrantState.FINAL),
        ({"waiver_on": date(2026, 6, 2)}, GrantState.GRANTED),
        ({"waiver_on": None, "notice_on": date(2026, 4, 28)}, GrantState.FINAL),  # 34 days later
        ({"waiver_on": None, "notice_on": date(2026, 4, 29)}, GrantState.GRANTED),
    ],
)
def test_nothing_is_paid_before_it_is_final(given: dict[str, Any], state: GrantState) -> None:
    """The day itself counts, the day before does not."""
    one = standing(_case(applications=(an_application(**given),)))
    grant = grant_of(one, TODAY)

    assert grant is not None
    assert grant.state is state
    assert (payment(one, _lane()) is not None) == (state is GrantState.FINAL)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account": "", "account_hint": ""}, "fehlt die Bankverbindung"),
        ({"amount": Decimal("849.99")}, "beantragt sind 849,99 €, bewilligt 850,00 €"),
        ({"area_id": GRUENAU}, "die Bezirksregion ist eine andere"),
        ({"notice_on": date(2026, 4, 23)}, "liegt vor dem Beschluss"),
        ({"starts_on": date(2026, 5, 3)}, "vor dem Bescheid"),
    ],
)
def test_what_is_wrong_with_an_application_is_said_in_one_line(given: dict[str, Any], words: str) -> None:
    """The clerk mends the line, and the money goes by itself."""
    waits = _due(_case(applications=(an_application(**given),)))

    assert isinstance(waits, Waits)
    assert words in waits.text


def test_a_later_sheet_fills_in_what_was_open() -> None:
    """Clerks hand in the same list again, with one more column."""
    first = an_application(notice_on=None, waiver_on=None, account="", account_hint="")
    second = an_application(sheet="antraege-2")

    assert isinstance(_due(_case(applications=(first, second))), Due)


def test_a_later_sheet_changes_no_account_without_a_reason() -> None:
    """Whoever wants the money elsewhere says that it is a correction, and why."""
    first, other = an_application(), an_application(sheet="antraege-2", account="b" * 64)
    waits = _due(_case(applications=(first, other)))
    assert isinstance(waits, Waits)
    assert "antraege-2.xlsx, Zeile 2 ändert die Bankverbindung" in waits.text

    explained = other.model_copy(update={"correction": True, "reason": "Konto gewechselt"})
    due = _due(_case(applications=(first, explained)))

    assert isinstance(due, Due)
    assert due.order is not None
    assert due.order.account == "b" * 64


@pytest.mark.parametrize(
    ("today", "words"),
    [(date(2026, 12, 19), "Annahmeschluss der Kasse war am 18.12.2026"), (date(2027, 1, 1), "2026 ist vorbei")],
)
def test_nothing_crosses_the_cut_off_or_the_years_end(today: date, words: str) -> None:
    """A person does it by hand, or it is next year's money."""
    waits = _due(_case(), today)

    assert isinstance(waits, Waits)
    assert words in waits.text
    assert isinstance(_due(_case(), date(2026, 12, 18)), Due)


@pytest.mark.parametrize("amount", ["849.99", "850.01"])
def test_what_is_bound_to_the_cent_is_paid(amount: str) -> None:
    """A corrected decision waits for the commitment to follow."""
    assert _due(_case(commitment=a_commitment(amount))) is None


def test_there_is_one_payment_on_its_way() -> None:
    """Whatever its state, as long as it is live."""
    for state in (OrderState.ORDERED, OrderState.SENT, OrderState.IN_DOUBT, OrderState.BOOKED, OrderState.PAID):
        assert _due(_case(orders=(an_order(state),))) is None


def test_a_process_without_payments_pays_nothing() -> None:
    """Silence is no order."""
    one = standing(_case())
    assert payment(replace(one, process=PROCESS.model_copy(update={"payments": None})), _lane()) is None


def test_a_test_pays_nobody() -> None:
    """Not even in a file that looks like one."""
    assert payment(standing(_case()), a_lane(family="payment", today=TODAY, test=True)) is None


def test_a_bounced_payment_waits_for_another_account_or_a_person() -> None:
    """The same account would bounce again."""
    bounced = an_order(OrderState.BOUNCED)
    waits = _due(_case(orders=(bounced,)))
    assert isinstance(waits, Waits)
    assert "zurückgekommen" in waits.text

    other = an_application(sheet="antraege-2", account="b" * 64, correction=True, reason="Zahlendreher")
    assert isinstance(_due(_case(orders=(bounced,), applications=(an_application(), other))), Due)
    lane = a_lane(family="payment", today=TODAY, resend=(str(bounced.key),))
    assert isinstance(payment(standing(_case(orders=(bounced,))), lane), Due)


def test_what_is_booked_and_taken_back_is_cancelled_there() -> None:
    """Only their AUFGEHOBEN frees the money; the commitment follows after it."""
    case = _case(a_line(), a_correction(Outcome.WITHDRAWN), orders=(an_order(OrderState.BOOKED),))
    due = _due(case)

    assert isinstance(due, Due)
    assert (due.effect, due.related_reference) == (CANCEL, "KK26-090416-00001-Z1")
    assert commitment(standing(case), a_lane(today=TODAY)) is None


def test_a_sheet_that_contradicts_an_issued_order_is_told() -> None:
    """It stops nothing that has left, but somebody may stop it there."""
    other = an_application(sheet="antraege-2", account="b" * 64)
    case = _case(applications=(an_application(), other), orders=(an_order(OrderState.BOOKED),))

    answer = _due(case)

    assert isinstance(answer, FollowUp)
    assert "ändert die Bankverbindung" in answer.text


def test_what_is_paid_and_taken_back_is_a_persons() -> None:
    """A payment cannot be taken back, only claimed."""
    case = _case(a_line(), a_correction(Outcome.WITHDRAWN), orders=(an_order(),))

    answer = _due(case)

    assert isinstance(answer, FollowUp)
    assert "Ausgezahlt ist schon" in answer.text


@pytest.mark.parametrize("state", [MessageState.HELD, MessageState.WAITING])
def test_an_order_that_waits_follows_a_corrected_decision(state: MessageState) -> None:
    """It is taken back before anybody releases it, and written anew."""
    message = a_message("payment.order", state, key=an_order().key)
    ordered = an_order(OrderState.ORDERED)
    sound, taken_back = _case(orders=(ordered,)), _case(a_line(), a_correction(amount="800.00"), orders=(ordered,))

    assert not overtaken(standing(sound), message, _lane())
    assert overtaken(standing(taken_back), message, _lane())


@pytest.mark.parametrize(("spent", "back"), [("812.40", "37.60"), ("0.00", "850.00"), ("849.99", "0.01")])
def test_what_was_not_spent_is_claimed_back(spent: str, back: str) -> None:
    """To the cent, in the same year, of the order that paid it."""
    due = refund(standing(_case(orders=(an_order(),), settlements=(a_settlement(spent),))), _refunds())

    assert isinstance(due, Due)
    assert (due.effect, due.amount, due.related_reference) == (CLAIM, Decimal(back), "KK26-090416-00001-Z1")


@pytest.mark.parametrize("spent", ["850.00", "900.00"])
def test_nothing_is_claimed_where_all_was_spent(spent: str) -> None:
    """Own money beside the grant is nobody's business; the grant is settled."""
    one = standing(_case(orders=(an_order(),), settlements=(a_settlement(spent),)))

    assert refund(one, _refunds()) is None
    grant = grant_of(one, TODAY)
    assert grant is not None
    assert grant.state is GrantState.SETTLED


def test_nothing_is_claimed_before_it_was_paid() -> None:
    """A proof that comes early waits for the payment."""
    case = _case(orders=(an_order(OrderState.BOOKED),), settlements=(a_settlement("800.00"),))

    assert refund(standing(case), _refunds()) is None


def test_a_grant_is_settled_when_the_difference_is_back() -> None:
    """Not when it was asked for."""
    claimed = an_order(OrderState.BOOKED, kind="refund", amount=Decimal("37.60"), reference="KK26-090416-00001-R1")
    back = replace(claimed, state=OrderState.RECEIVED)
    states = [grant.state for one in (claimed, back) if (grant := grant_of(_settled_with(one), TODAY))]

    assert states == [GrantState.FINAL, GrantState.SETTLED]


def test_money_is_bound_when_the_grant_is_final_where_the_process_says_so() -> None:
    """`commit_at: final`: nothing is bound for what may still be objected to."""
    late = PROCESS.model_copy(update={"commit_at": "final"})
    open_, final = (
        replace(standing(_case(applications=(one,), commitment=None), budgets=(a_budget(),)), process=late)
        for one in (an_application(waiver_on=None, notice_on=date(2026, 5, 30)), an_application())
    )

    assert commitment(open_, a_lane(today=TODAY)) is None
    assert isinstance(commitment(final, a_lane(today=TODAY)), Due)


def _settled_with(order: Any) -> Standing:
    return standing(_case(orders=(an_order(), order), settlements=(a_settlement("812.40"),)))


def _case(*lines: Any, **given: Any) -> StoredCase:
    values: dict[str, Any] = {"commitment": a_commitment(), "applications": (an_application(),)}
    return known(*(lines or (a_line(),)), **{**values, **given})


def _due(case: StoredCase, today: date = TODAY) -> Due | FollowUp | Waits | None:
    return payment(standing(case), a_lane(family="payment", today=today))


def _lane() -> Any:
    return a_lane(family="payment", today=TODAY)


def _refunds() -> Any:
    return a_lane(family="refund", today=TODAY)
