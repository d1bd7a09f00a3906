"""What everybody may know: granted once, told once, no person, no contact."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from kiezbruecke.cases.join import Standing, subject_of
from kiezbruecke.cases.publishing import names_a_contact, public_of
from kiezbruecke.effects import Due
from kiezbruecke.effects.open_list import OPEN_LIST, open_data
from kiezbruecke.ledger import MessageState
from kiezbruecke.records import Outcome, ProposalStatus
from kiezbruecke.records.views import PublicState, PublicView
from tests.builders import (
    APRIL,
    JUNE,
    a_case,
    a_commitment,
    a_correction,
    a_lane,
    a_line,
    a_message,
    a_proposal,
    joined,
    known,
    standing,
)

LANE = a_lane("offene-daten-tk", "open")
SENT = a_message("file.create")


def public(one: Standing) -> PublicView:
    """What is published of it."""
    found = public_of(one)
    assert found is not None
    return found


def due(one: Standing, **lane: Any) -> Due | None:
    """The line that is due, if any."""
    answer = open_data(one, replace(LANE, **lane))
    assert answer is None or isinstance(answer, Due)
    return answer


def published(one: Standing, **given: Any) -> Any:
    """The message that has told this."""
    basis = OPEN_LIST.basis_of(one)
    return a_message("open.list", destination="offene-daten-tk", basis=basis, **given)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.grants])
def test_what_was_never_granted_is_nobodys_business(outcome: Outcome) -> None:
    """Nor is what nobody has decided."""
    for one in (standing(known(a_line(outcome))), standing(a_case(proposal=a_proposal()))):
        assert public_of(one) is None
        assert due(one) is None


def test_a_grant_is_told_with_its_sums_and_its_day() -> None:
    one = standing(known(a_line(Outcome.ACCEPTED_REDUCED, "850.00")))

    assert public(one) == PublicView(
        title="Sommerfest am Müggelseedamm",
        requested=Decimal("1000.00"),
        granted=Decimal("850.00"),
        decided_on=APRIL,
        key=PublicState.GRANTED,
        state="beschlossen, wird bearbeitet",
    )
    assert (due(one).number, due(one).amount) == (1, Decimal("850.00"))  # type: ignore[union-attr]


def test_bound_money_is_another_line() -> None:
    before = standing(known(a_line()))
    after = standing(known(a_line(), commitment=a_commitment(), messages=(published(before),)))

    assert public(after).key is PublicState.COMMITTED
    assert due(after).number == 2  # type: ignore[union-attr]


def test_the_same_is_told_once() -> None:
    """Neither a better description nor more comments make another line."""
    before = standing(known(a_line()))
    changed = a_proposal(description_text="noch schöner", feedback_text="geprüft", creator_name="Erika")

    assert due(standing(known(a_line(), proposal=changed, messages=(published(before),)))) is None


@pytest.mark.parametrize("state", [MessageState.WAITING, MessageState.IN_DOUBT, MessageState.CONFIRMED])
def test_what_is_on_its_way_is_not_due_again(state: MessageState) -> None:
    before = standing(known(a_line()))

    assert due(standing(known(a_line(), messages=(published(before, state=state),)))) is None


@pytest.mark.parametrize(
    ("outcome", "key", "words"),
    [
        (Outcome.REJECTED, PublicState.TAKEN_BACK, "bewilligt und später zurückgenommen"),
        (Outcome.DEFERRED, PublicState.TAKEN_BACK, "bewilligt und später zurückgenommen"),
        (Outcome.WITHDRAWN, PublicState.WITHDRAWN, "bewilligt und später zurückgezogen"),
    ],
)
def test_what_was_told_and_taken_back_says_so(outcome: Outcome, key: PublicState, words: str) -> None:
    """Nothing vanishes silently: the line stays, with nothing granted."""
    before = standing(known(a_line()))
    after = standing(known(a_line(), a_correction(outcome, None, decided_on=JUNE), messages=(published(before),)))

    assert (public(after).key, public(after).state, public(after).granted) == (key, words, Decimal("0.00"))
    assert public(after).decided_on == JUNE
    assert (due(after).number, due(after).amount) == (2, None)  # type: ignore[union-attr]


def test_a_mistake_that_nobody_was_told_is_none_of_everybodys_business() -> None:
    """The clerk has put it right before anything went out."""
    assert public_of(standing(known(a_line(), a_correction(Outcome.REJECTED, None)))) is None


def test_what_was_told_elsewhere_is_told_here_too_when_it_is_taken_back() -> None:
    """Also at a destination that was rebuilt since: the letter has gone out."""
    one = standing(known(a_line(), a_correction(Outcome.REJECTED, None), messages=(SENT,)))

    assert due(one).amount is None  # type: ignore[union-attr]


def test_a_test_and_a_refusal_have_told_nothing() -> None:
    for message in (replace(SENT, test=True), replace(SENT, state=MessageState.REFUSED)):
        assert public_of(standing(known(a_line(), a_correction(Outcome.REJECTED, None), messages=(message,)))) is None


def test_nothing_contradicted_is_published() -> None:
    """More than was asked for: a person looks first."""
    assert due(standing(known(a_line(amount="1200.00")))) is None


def test_while_something_contradicts_the_published_line_stays_as_it_is() -> None:
    """A stray line is set aside; neither is it told, nor does the money's booking go out meanwhile."""
    before = standing(known(a_line()))
    stray = a_line(sheet="liste-9", amount="300.00", decided_on=JUNE)
    after = standing(known(a_line(), stray, commitment=a_commitment(), messages=(published(before),)))

    assert after.disagreements
    assert due(after) is None


def test_a_blocked_budget_publishes_nothing() -> None:
    """Its votes may not be told yet."""
    (one,) = joined(known(a_line()), budgets=())

    assert due(one) is None


@pytest.mark.parametrize("day", [JUNE, APRIL.replace(day=25)])
def test_what_was_decided_before_the_go_live_line_is_not_published(day: Any) -> None:
    assert due(standing(known(a_line())), start_from=day) is None
    assert due(standing(known(a_line())), start_from=APRIL) is not None
    assert due(standing(known(a_line(), baselines=frozenset({LANE.name})))) is None


def test_a_grant_of_before_stays_unpublished_when_it_is_taken_back() -> None:
    """Nobody has read it here."""
    one = standing(known(a_line(), a_correction(Outcome.REJECTED, None, decided_on=JUNE), messages=(SENT,)))

    assert due(one, start_from=JUNE) is None


# --- titles


def test_a_title_from_paper_is_not_published() -> None:
    """A clerk has written it for colleagues; it stood nowhere in public."""
    assert (
        public(standing(a_case(a_line(reference_number="P-1", title="Fest der Familie K.")))).title == "Vorschlag P-1"
    )


def test_a_title_that_is_no_longer_on_its_platform_is_not_published() -> None:
    """Its author may have taken it away on purpose."""
    case = known(a_line(), proposal=a_proposal(status=ProposalStatus.GONE))
    released = standing(case, waived=[subject_of(case, one) for one in standing(case).disagreements])

    assert not released.disagreements
    assert public(released).title == "Vorschlag 2026-00001"


@pytest.mark.parametrize(
    "title",
    [
        "Bank, Fragen an erika@example.org",
        "Bank, erika (at) example.org",
        "Bank, erika[ät]example.org",
        "Folgt uns: @kiezfest",
        "Grillen? 030 1234567",
        "Grillen? 0171/1234567",
        "Grillen? +49 30 123 45 67",
        "Grillen? (030) 12 34 567",
        "Spenden an DE12 1001 0010 0123 4567 89",
    ],
)
def test_a_title_with_a_contact_is_withheld_whole(title: str) -> None:
    """What stands beside an address may be its owner's name."""
    assert names_a_contact(title)
    assert public(standing(known(a_line(), proposal=a_proposal(title=title)))).title == "Vorschlag 2026-00001"


@pytest.mark.parametrize(
    "title",
    [
        "Sommerfest am 24.04.2026",
        "Straßenfest 01.05.2026 bis 02.05.2026",
        "Kiezfest 2026/2027",
        "10 Bänke für 1.500 Euro",
        "Spielplatz in der Straße 614, 12559 Berlin",
        "=1+1 Bänke",
        "Rollator-Treff für 80–90-Jährige",
    ],
)
def test_days_sums_and_house_numbers_are_no_contact(title: str) -> None:
    assert not names_a_contact(title)


def test_a_title_is_one_line() -> None:
    """Signs that nobody sees act on programs."""
    one = standing(known(a_line(), proposal=a_proposal(title="Bank\u202e am\n See")))

    assert public(one).title == "Bank am See"
