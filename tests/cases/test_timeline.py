"""The one line that people see."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kiezbruecke.cases.timeline import booked, status_of
from kiezbruecke.records import CommitmentState, Outcome, ProposalStatus
from tests.builders import (
    APRIL,
    WHEN,
    a_case,
    a_commitment,
    a_line,
    a_proposal,
    known,
    standing,
)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (ProposalStatus.SUBMITTED, "eingereicht"),
        (ProposalStatus.UNDER_REVIEW, "in Prüfung"),
        (ProposalStatus.SHORTLISTED, "für die Versammlung vorgesehen"),
        (ProposalStatus.GONE, "auf der Plattform nicht mehr vorhanden"),
        (ProposalStatus.ACCEPTED, "noch nicht beschlossen"),
        (ProposalStatus.REJECTED, "noch nicht beschlossen"),
    ],
)
def test_without_a_decision_the_platform_is_told(status: ProposalStatus, word: str) -> None:
    """But never as a decision: only the assembly decides."""
    assert status_of(standing(a_case(proposal=a_proposal(status=status)))).state == word


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.grants])
def test_every_outcome_has_a_word(outcome: Outcome) -> None:
    """A new outcome without a word would stop the whole list."""
    status = status_of(standing(known(a_line(outcome))))

    assert status.state
    assert status.amount is None
    assert status.since == APRIL


def test_a_granted_case_tells_its_sum() -> None:
    """Before the money is bound."""
    status = status_of(standing(known(a_line())))

    assert (status.state, status.amount) == ("beschlossen, wird bearbeitet", Decimal("850.00"))


def test_bound_money_is_told() -> None:
    """Only when the budget system holds exactly this sum."""
    status = status_of(standing(known(a_line(), commitment=a_commitment())))

    assert status.state == "bewilligt, die Mittel sind vorgemerkt"


@pytest.mark.parametrize(
    "commitment",
    [None, a_commitment("700.00"), a_commitment(state=CommitmentState.REQUESTED)],
    ids=["none", "another sum", "only asked"],
)
def test_anything_else_is_not_bound(commitment: object) -> None:
    """Nobody is promised money that is not there."""
    assert not booked(standing(known(a_line(), commitment=commitment)))


def test_what_is_set_aside_is_told_without_its_reason() -> None:
    """The reason is for the clerk; the sum is not promised."""
    status = status_of(standing(known(a_line(amount="1200.00"))))

    assert (status.state, status.amount) == ("beraten, wird geklärt", None)


def test_twice_in_one_sheet_is_set_aside_too() -> None:
    """Although no line counts."""
    assert status_of(standing(known(a_line(), a_line(row=9)))).state == "beraten, wird geklärt"


def test_a_paper_without_a_counting_line_was_handed_in() -> None:
    """There is nothing else to say."""
    assert status_of(standing(a_case())).state == "eingereicht"


def test_since_is_the_platforms_last_change() -> None:
    """The day people remember."""
    assert status_of(standing(a_case(proposal=a_proposal()))).since == WHEN.date()
