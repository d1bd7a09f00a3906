"""The one line that people see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import booked, status_of
from kiezbruecke.records import CommitmentState, Decision, Outcome, ProposalStatus
from tests.builders import (
    APRIL,
    GRUENAU,
    JUNE,
    MUEGGELHEIM,
    WHEN,
    a_case,
    a_commitment,
    a_line,
    a_list_line,
    a_message,
    a_proposal,
    joined,
    known,
    standing,
)

GEKLAERT = "beraten, wird geklärt"


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


# --- what was told stays told

OTHER = ("850.00", "300.00", "700.00", "1200.00", None)
TOLD = WHEN + timedelta(days=1)
STRAY = a_line(Outcome.REJECTED, sheet="liste-9", row=7, decided_on=JUNE)


def test_a_stray_line_takes_nothing_back() -> None:
    """A sheet of another area turned `bewilligt, 850,00` into `wird geklärt`."""
    told = {"messages": (a_list_line("850.00"),), "commitment": a_commitment()}
    stray = a_line(sheet="liste-9", area_id=GRUENAU, amount="300.00")

    assert status_of(standing(known(a_line(), stray, **told))) == status_of(standing(known(a_line(), **told)))


def test_a_rejection_that_was_told_stays_told() -> None:
    """It names no sum; that it went out is seen by the time."""
    lines = a_line(Outcome.REJECTED), a_line(sheet="liste-9", amount="300.00")
    heard = {lines[0].origin: WHEN, lines[1].origin: TOLD + timedelta(days=1)}
    one = standing(known(*lines, heard=heard, messages=(a_list_line(created_at=TOLD),)))

    assert one.disagreements
    assert status_of(one).state == "abgelehnt"


def test_what_contradicted_before_it_was_told_is_not_told() -> None:
    """Nothing is guessed: two sheets came together."""
    lines = a_line(Outcome.REJECTED), a_line(sheet="liste-9", amount="300.00")
    heard = {line.origin: WHEN for line in lines}

    assert status_of(standing(known(*lines, heard=heard, messages=(a_list_line(created_at=TOLD),)))).state == GEKLAERT
    assert status_of(standing(known(a_line(), STRAY))).state == GEKLAERT


def test_a_test_tells_nothing() -> None:
    """Nobody outside has seen it."""
    one = standing(known(a_line(), STRAY, messages=(a_message("file.create", test=True),)))

    assert status_of(one).state == GEKLAERT


def test_another_cases_line_takes_nothing_back() -> None:
    """It brings the area over its budget: nothing more goes out, but what was told was told."""
    told = known(a_line(), messages=(a_list_line("850.00"),))
    other = known(a_line(reference_number="2026-00002", amount="2600.00"), proposal=a_proposal(asked="2600.00"))
    one, new = joined(told, other)

    assert one.disagreements
    assert new.disagreements
    assert status_of(one) == status_of(standing(told))
    assert status_of(new).state == GEKLAERT


@st.composite
def _lines(draw: st.DrawFn, number: int) -> Decision:
    """Any line: of the same sheet or another, of this area or another, earlier or later, sound or not."""
    return a_line(
        draw(st.sampled_from(Outcome)),
        draw(st.sampled_from(OTHER)),
        sheet=f"liste-{draw(st.integers(1, 4))}",
        row=number + 2,
        decided_on=draw(st.sampled_from([APRIL, JUNE, JUNE.replace(year=2062), APRIL.replace(year=2025)])),
        area_id=draw(st.sampled_from([MUEGGELHEIM, MUEGGELHEIM, GRUENAU])),
        correction=draw(st.booleans()),
        reason=draw(st.sampled_from(["", "Protokoll berichtigt"])),
    )


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_single_line_lowers_what_was_told(data: st.DataObject) -> None:
    """Unless it says that it corrects, and why. After each line the public list is written, as a run does."""
    case, clock = a_case(proposal=a_proposal()), WHEN + timedelta(days=80)
    for number in range(data.draw(st.integers(1, 5))):
        clock += timedelta(hours=2)
        line = data.draw(_lines(number))
        before = standing(case)
        case = replace(case, decisions=(*case.decisions, line), heard={**case.heard, line.origin: clock})
        after = standing(case)
        if not (line.correction and line.reason):
            _nothing_is_lower(before, after)
        told = status_of(after).amount
        message = a_list_line(
            None if told is None else str(told), number=number + 1, created_at=clock.replace(minute=30)
        )
        case = replace(case, messages=(*case.messages, message))


def _nothing_is_lower(before: Standing, after: Standing) -> None:
    was, now = status_of(before), status_of(after)
    assert not before.grants or was.state == GEKLAERT or (now.state, now.amount) == (was.state, was.amount)
    assert before.decision is None or was.state == GEKLAERT or now.state != GEKLAERT
    assert was.state == GEKLAERT or before.amount <= after.amount


def test_a_paper_without_a_counting_line_was_handed_in() -> None:
    """There is nothing else to say."""
    assert status_of(standing(a_case())).state == "eingereicht"


def test_since_is_the_platforms_last_change() -> None:
    """The day people remember."""
    assert status_of(standing(a_case(proposal=a_proposal()))).since == WHEN.date()
