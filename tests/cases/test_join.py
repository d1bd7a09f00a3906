"""Which line counts, and when a person must look. Nothing here needs a ledger: `join` is a pure function."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbruecke.cases.join import (
    WAIVABLE,
    Reason,
    budgets_that_count,
    decision_that_counts,
    subject_of,
    unexplained_budget_lines,
)
from kiezbruecke.ledger.reading import StoredCase
from kiezbruecke.records import BudgetStatus, Decision, Outcome, ProposalStatus
from tests.builders import (
    APRIL,
    GRUENAU,
    JUNE,
    MUEGGELHEIM,
    PROCESS,
    REFERENCE,
    WHEN,
    a_budget,
    a_case,
    a_correction,
    a_line,
    a_message,
    a_proposal,
    joined,
    known,
    reasons,
    standing,
    the_only,
)

UNDECIDED = [Outcome.WAITING_LIST, Outcome.DEFERRED]
DECIDED_AGAINST = [Outcome.REJECTED, Outcome.NOT_ELIGIBLE, Outcome.FORWARDED, Outcome.WITHDRAWN]
NOTHING_FINAL = [ProposalStatus.SUBMITTED, ProposalStatus.UNDER_REVIEW, ProposalStatus.SHORTLISTED]


# --- what the platform says


@pytest.mark.parametrize("status", list(ProposalStatus))
def test_a_platform_status_alone_grants_nothing(status: ProposalStatus) -> None:
    """No tool's API knows the approved sum: a platform status alone never moves money."""
    one = standing(a_case(proposal=a_proposal(status=status)))

    assert not one.grants
    assert one.amount == 0
    assert not one.disagreements


@pytest.mark.parametrize("status", NOTHING_FINAL)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_where_the_platform_says_nothing_final_the_sheet_decides(outcome: Outcome, status: ProposalStatus) -> None:
    """Moderators set the status after the assembly, if at all."""
    assert reasons(known(a_line(outcome), proposal=a_proposal(status=status))) == []


@pytest.mark.parametrize("outcome", DECIDED_AGAINST)
def test_sheet_against_and_platform_for_contradict(outcome: Outcome) -> None:
    """One of the two was typed wrongly, and nobody but a person knows which."""
    case = known(a_line(outcome), proposal=a_proposal(status=ProposalStatus.ACCEPTED))

    assert reasons(case) == [Reason.PLATFORM_CONTRADICTS]


@pytest.mark.parametrize("outcome", UNDECIDED)
def test_a_waiting_list_contradicts_no_platform(outcome: Outcome) -> None:
    """The assembly has not said its last word."""
    assert reasons(known(a_line(outcome), proposal=a_proposal(status=ProposalStatus.ACCEPTED))) == []


def test_sheet_for_and_platform_against_contradict() -> None:
    """The other way round."""
    case = known(a_line(), proposal=a_proposal(status=ProposalStatus.REJECTED))

    assert reasons(case) == [Reason.PLATFORM_CONTRADICTS]


def test_both_accept_and_nothing_contradicts() -> None:
    """The usual case."""
    assert reasons(known(a_line(), proposal=a_proposal(status=ProposalStatus.ACCEPTED))) == []


def test_a_proposal_that_is_gone_needs_a_person() -> None:
    """Somebody deleted it after the vote."""
    assert reasons(known(a_line(), proposal=a_proposal(status=ProposalStatus.GONE))) == [Reason.GONE]


def test_a_proposal_that_is_gone_and_rejected_needs_nobody() -> None:
    """Nothing would be sent."""
    assert reasons(known(a_line(Outcome.REJECTED), proposal=a_proposal(status=ProposalStatus.GONE))) == []


# --- sums


def test_more_approved_than_asked_needs_a_person() -> None:
    """A digit too many is the likeliest mistake on a sheet."""
    assert reasons(known(a_line(amount="1000.01"))) == [Reason.MORE_THAN_ASKED]


@pytest.mark.parametrize("amount", ["0.01", "1000.00"])
def test_as_much_as_asked_or_less_is_fine(amount: str) -> None:
    """Cutting is what assemblies do."""
    assert reasons(known(a_line(amount=amount))) == []


def test_where_no_sum_was_asked_none_can_be_exceeded() -> None:
    """The platform's badge often says `keine Angabe`."""
    assert reasons(known(a_line(amount="2600.00"), proposal=a_proposal(asked=None))) == []


@pytest.mark.parametrize("amount", [None, "0.00"])
def test_accepted_without_a_sum_is_set_aside(amount: str | None) -> None:
    """Nothing can be committed, and the requested sum is no answer."""
    assert reasons(known(a_line(amount=amount))) == [Reason.NO_SUM]


@pytest.mark.parametrize("outcome", DECIDED_AGAINST)
def test_a_sum_without_a_grant_is_set_aside(outcome: Outcome) -> None:
    """Either the sum or the word is wrong."""
    assert reasons(known(a_line(outcome, "100.00"))) == [Reason.SUM_WITHOUT_GRANT]


@pytest.mark.parametrize("outcome", UNDECIDED)
def test_a_waiting_list_may_note_a_sum(outcome: Outcome) -> None:
    """It is the sum that would be granted; it moves nothing."""
    one = standing(known(a_line(outcome, "100.00")))

    assert not one.disagreements
    assert one.amount == 0


# --- reference numbers


def test_an_unknown_reference_number_is_set_aside() -> None:
    """A typing mistake would pay for somebody else's proposal."""
    assert reasons(a_case(a_line())) == [Reason.UNKNOWN_REFERENCE]


def test_an_unknown_reference_heals_when_the_proposal_arrives() -> None:
    """The sheet may be faster than the platform; nobody has to answer anything."""
    assert reasons(a_case(a_line(), proposal=a_proposal())) == []


def test_paper_needs_no_platform() -> None:
    """`P-1` is a number of the sheet's own."""
    assert reasons(a_case(a_line(reference_number="P-1"))) == []


def test_the_same_paper_number_in_two_areas_is_two_cases() -> None:
    """Every assembly counts its own papers."""
    here = a_case(a_line(reference_number="P-1"))
    there = a_case(a_line(reference_number="P-1", area_id=GRUENAU, sheet="liste-2"))
    both = joined(here, there, budgets=[a_budget(), a_budget(area_id=GRUENAU, row=3)])

    assert here.id != there.id
    assert [one.disagreements for one in both] == [(), ()]


def test_the_same_number_twice_in_one_sheet_is_set_aside() -> None:
    """Nobody can say which line was meant."""
    one = standing(known(a_line(row=2), a_line(row=9, amount="300.00")))

    assert the_only(one).reason is Reason.TWICE
    assert one.decision is None


def test_twice_the_same_words_in_one_sheet_are_still_twice() -> None:
    """Perhaps the second line should have had another number."""
    assert reasons(known(a_line(row=2), a_line(row=9))) == [Reason.TWICE]


def test_a_corrected_sheet_settles_what_stood_twice() -> None:
    """The way out that the sentence promises."""
    one = standing(known(a_line(row=2), a_line(row=9, amount="300.00"), a_correction(amount="300.00")))

    assert not one.disagreements
    assert one.amount == Decimal("300.00")


def test_another_area_than_the_platform_is_set_aside() -> None:
    """The money would come out of another assembly's budget."""
    case = known(a_line(area_id=GRUENAU), proposal=a_proposal(area_id=MUEGGELHEIM))

    assert Reason.AREA_DIFFERS in reasons(case, budgets=[a_budget(), a_budget(area_id=GRUENAU, row=3)])


def test_a_proposal_without_area_takes_the_sheets() -> None:
    """The assembly knows for which area it has decided."""
    one = standing(known(a_line(), proposal=a_proposal(area_id=None, area_origin="unknown")))

    assert one.area_id == MUEGGELHEIM
    assert not one.disagreements


def test_an_area_outside_the_process_is_set_aside() -> None:
    """There is no budget it could come from."""
    assert reasons(a_case(a_line(reference_number="P-1", area_id="110101"))) == [Reason.AREA_UNKNOWN]


# --- later lines


def test_moving_up_from_the_waiting_list_needs_no_correction() -> None:
    """Nachrücker: a later assembly decides what an earlier one had left open."""
    waiting, later = a_line(Outcome.WAITING_LIST), a_line(sheet="liste-2", decided_on=JUNE)
    one = standing(known(waiting, later))

    assert one.decision == later
    assert not one.disagreements


def test_the_older_waiting_list_read_later_changes_nothing() -> None:
    """Files are picked up in the order of their names, not of the assemblies."""
    waiting, later = a_line(Outcome.WAITING_LIST), a_line(sheet="liste-2", decided_on=JUNE)
    one = standing(known(later, waiting))

    assert one.decision == later
    assert not one.disagreements


def test_the_corrected_line_read_later_changes_nothing() -> None:
    """Both sheets lay in the folder; the correction was read first and says itself that it changes a line."""
    correction = a_correction(amount="700.00")
    one = standing(known(correction, a_line()))

    assert one.decision == correction
    assert not one.disagreements


def test_a_correction_explains_one_line_only() -> None:
    """A further line that says something else is again unexplained."""
    case = known(a_correction(amount="700.00"), a_line(), a_line(sheet="liste-3", amount="600.00"))

    assert reasons(case) == [Reason.UNEXPLAINED_CHANGE]


def test_a_second_waiting_list_on_the_same_day_needs_a_correction() -> None:
    """Only a later assembly may go on where an earlier one stopped."""
    case = known(a_line(Outcome.WAITING_LIST), a_line(sheet="liste-2"))

    assert reasons(case) == [Reason.UNEXPLAINED_CHANGE]


def test_a_later_line_without_korrektur_needs_a_person() -> None:
    """A later sheet adds; it changes nothing by itself."""
    one = standing(known(a_line(), a_line(sheet="liste-2", amount="700.00", decided_on=JUNE)))

    assert the_only(one).reason is Reason.UNEXPLAINED_CHANGE
    assert one.amount == Decimal("850.00")


def test_a_reason_alone_is_no_correction() -> None:
    """The column Begründung also explains refusals."""
    case = known(a_line(), a_line(Outcome.REJECTED, sheet="liste-2", reason="zu teuer"))

    assert reasons(case) == [Reason.UNEXPLAINED_CHANGE]


def test_a_correction_without_reason_needs_a_person() -> None:
    """Who changes money says why."""
    assert reasons(known(a_line(), a_correction(amount="700.00", reason=""))) == [Reason.NO_REASON]


def test_a_correction_with_reason_counts() -> None:
    """The way it should be."""
    one = standing(known(a_line(), a_correction(Outcome.ACCEPTED_REDUCED, "700.00")))

    assert one.amount == Decimal("700.00")
    assert not one.disagreements


def test_a_correction_settles_an_unexplained_change() -> None:
    """The clerk mends the second sheet with a third one."""
    second = a_line(sheet="liste-2", amount="700.00")
    third = a_correction(sheet="liste-3", amount="700.00")

    assert reasons(known(a_line(), second, third)) == []


def test_the_same_line_again_in_another_sheet_is_harmless() -> None:
    """Clerks send the whole list again with new lines below."""
    assert reasons(known(a_line(), a_line(sheet="liste-2", row=7))) == []


def test_a_repeated_line_keeps_the_first_origin() -> None:
    """The evidence names the sheet that decided."""
    first = a_line()

    assert decision_that_counts(a_case(first, a_line(sheet="liste-2"))) == (first, ())


def test_no_line_is_no_decision() -> None:
    """Most proposals of most days."""
    assert decision_that_counts(a_case()) == (None, ())


# --- a line that contradicts what stands


STRAYS = {
    "another area": a_line(sheet="liste-9", row=7, area_id=GRUENAU, amount="300.00"),
    "the same words, another area": a_line(sheet="liste-9", row=7, area_id=GRUENAU),
    "an earlier meeting": a_line(Outcome.REJECTED, sheet="liste-9", row=7, decided_on=APRIL.replace(month=3)),
    "a later meeting": a_line(Outcome.REJECTED, sheet="liste-9", row=7, decided_on=JUNE),
    "a waiting list after the grant": a_line(Outcome.WAITING_LIST, sheet="liste-9", row=7, decided_on=JUNE),
    "a sum without a grant": a_line(Outcome.REJECTED, "300.00", sheet="liste-9", row=7),
    "no sum": a_line(amount=None, sheet="liste-9", row=7),
    "a correction without reason": a_correction(amount="700.00", sheet="liste-9", row=7, reason=""),
}


@pytest.mark.parametrize("stray", STRAYS.values(), ids=STRAYS)
def test_a_stray_line_is_set_aside_with_both_places(stray: Decision) -> None:
    """Who has to decide looks at both sheets."""
    one = standing(known(a_line(), stray, proposal=a_proposal()))

    assert one.amount == Decimal("850.00")
    assert "liste-9.xlsx, Zeile 7" in the_only(one).text
    assert "es gilt weiter liste-1.xlsx, Zeile 2: angenommen, 850,00 €" in the_only(one).text


@pytest.mark.parametrize("stray", STRAYS.values(), ids=STRAYS)
def test_a_stray_line_that_is_thrown_away_leaves_nothing(stray: Decision) -> None:
    """A person has looked; the case goes on as if the line had never come."""
    case = known(a_line(), stray, proposal=a_proposal())
    thrown = subject_of(case, the_only(standing(case)))

    assert standing(case, dismissed=[thrown]).disagreements == ()
    assert standing(case, dismissed=[thrown]).decision == case.decisions[0]


def test_a_stray_line_that_came_first_is_thrown_away_for_the_right_one() -> None:
    """Nothing was guessed while both were there: the platform knows the area, and a person says which sheet erred."""
    case = known(STRAYS["another area"], a_line(), proposal=a_proposal())
    one = standing(case, budgets=[a_budget(), a_budget(area_id=GRUENAU, row=3)])
    thrown = next(subject_of(case, found) for found in one.disagreements if found.reason is Reason.AREA_DIFFERS)

    assert {found.reason for found in one.disagreements} == {Reason.AREA_DIFFERS, Reason.OTHER_AREA}
    assert any("dagegen steht liste-9.xlsx, Zeile 7" in found.text for found in one.disagreements)
    assert standing(case, dismissed=[thrown]).decision == case.decisions[1]
    assert standing(case, dismissed=[thrown]).disagreements == ()


def test_a_correction_does_not_settle_what_another_area_has_sent() -> None:
    """In Grünau's sheet stands a wrong number; whoever is meant by it still waits for the money."""
    case = known(a_line(), STRAYS["another area"], a_correction(amount="700.00"), proposal=a_proposal())
    one = standing(case)

    assert one.amount == Decimal("700.00")
    assert the_only(one).reason is Reason.OTHER_AREA


def test_every_stray_line_has_its_own_point() -> None:
    """The second one hid the first."""
    strays = STRAYS["another area"], STRAYS["a later meeting"]
    case = known(a_line(), strays[0], strays[1].model_copy(update={"origin": "x:1"}), proposal=a_proposal())

    assert reasons(case) == [Reason.OTHER_AREA, Reason.UNEXPLAINED_CHANGE]


@pytest.mark.parametrize("wrong", [a_line(amount=None), a_line(amount="1200.00")], ids=["no sum", "more than asked"])
def test_a_faulty_line_does_not_move_up(wrong: Decision) -> None:
    """The waiting list stands until a line is sound that ends it."""
    faulty = wrong.model_copy(update={"origin": "liste-2:2", "decided_on": JUNE})
    one = standing(known(a_line(Outcome.WAITING_LIST), faulty))

    assert one.decision is not None
    assert one.decision.outcome is Outcome.WAITING_LIST
    assert len(one.disagreements) == 1


def test_a_faulty_line_moves_up_when_a_person_has_released_it() -> None:
    """More than was asked, and meant so."""
    case = known(a_line(Outcome.WAITING_LIST), a_line(amount="1200.00", sheet="liste-2", decided_on=JUNE))
    one = standing(case, waived=[_waiver(case)])

    assert one.amount == Decimal("1200.00")
    assert one.disagreements == ()


def test_moving_up_in_another_area_is_a_stray_line() -> None:
    """Another assembly does not decide about this one's waiting list."""
    case = known(a_line(Outcome.WAITING_LIST), a_line(sheet="liste-2", decided_on=JUNE, area_id=GRUENAU))

    assert reasons(case) == [Reason.OTHER_AREA]


def test_what_stood_before_a_sheet_that_says_two_things_stands() -> None:
    """The waiting list is not forgotten because the next sheet was filled in badly."""
    twice = [a_line(sheet="liste-2", row=row, amount=f"{row}00.00", decided_on=JUNE) for row in (2, 9)]
    one = standing(known(a_line(Outcome.WAITING_LIST), *twice))

    assert one.decision is not None
    assert one.decision.outcome is Outcome.WAITING_LIST
    assert the_only(one).reason is Reason.TWICE


def test_two_corrections_in_one_sheet_correct_nothing() -> None:
    """The last one won, silently."""
    twice = [a_correction(row=row, amount=f"{row}00.00") for row in (2, 7, 8)]
    one = standing(known(a_line(), *twice))

    assert one.amount == Decimal("850.00")
    assert {found.reason for found in one.disagreements} == {Reason.TWICE}


def test_a_sheet_may_repeat_a_line_and_correct_it() -> None:
    """Clerks go on writing in the same list."""
    case = known(a_line(), a_line(sheet="liste-2", row=2), a_correction(row=9, amount="700.00"))

    assert standing(case).amount == Decimal("700.00")
    assert reasons(case) == []


# --- days


def _heard(line: Decision, day: datetime) -> StoredCase:
    return known(line, heard={line.origin: day})


@pytest.mark.parametrize("day", [date(2062, 5, 12), date(2025, 5, 12), date(2026, 5, 5), date(2027, 1, 8)], ids=str)
def test_a_meeting_on_an_impossible_day_holds_the_line(day: date) -> None:
    """A year that was mistyped was filed and booked. The line came on the 4th of May 2026."""
    one = standing(_heard(a_line(decided_on=day), WHEN))

    assert the_only(one).reason is Reason.IMPOSSIBLE_DATE
    assert the_only(one).text.endswith("erwartet: ein Tag vom 01.09.2025 bis zum 04.05.2026")


@pytest.mark.parametrize("day", [date(2025, 9, 1), date(2026, 5, 4)], ids=str)
def test_a_meeting_may_be_in_the_autumn_before_and_today(day: date) -> None:
    """Both ends of the span count."""
    assert reasons(_heard(a_line(decided_on=day), WHEN)) == []


def test_today_is_berlins() -> None:
    """At half past ten in the evening in UTC it is tomorrow here."""
    assert reasons(_heard(a_line(decided_on=date(2026, 5, 5)), WHEN.replace(hour=22, minute=30))) == []


# --- budgets


def test_an_area_over_budget_holds_all_its_lines() -> None:
    """Which of them is too much is for people to say."""
    cases = [known(a_line(reference_number=f"2026-0000{n}", amount="900.00", row=n)) for n in (1, 2, 3)]

    assert [the_only(one).reason for one in joined(*cases)] == [Reason.OVER_BUDGET] * 3


@pytest.mark.parametrize(("test", "held"), [(True, [Reason.OVER_BUDGET]), (False, [])])
def test_a_test_message_does_not_count_as_sent(test: bool, held: list[Reason]) -> None:
    """What was only tried out stands under its area's budget like everything that has not left."""
    case = known(a_line(), messages=(a_message("file.create", test=test),))

    assert reasons(case, budgets=[a_budget("100.00")]) == held


def test_an_area_within_budget_is_not_held_by_another_one() -> None:
    """Each area has its own purse."""
    here = known(a_line(amount="900.00"), proposal=a_proposal())
    there = a_case(a_line(reference_number="P-1", area_id=GRUENAU, amount="900.00", sheet="liste-2"))
    both = joined(here, there, budgets=[a_budget(), a_budget("899.99", area_id=GRUENAU, row=3)])

    assert [len(one.disagreements) for one in both] == [0, 1]


def test_to_the_last_cent_is_within_budget() -> None:
    """Müggelheim spends exactly what it has."""
    assert reasons(a_case(a_line(reference_number="P-1", amount="2600.00"))) == []


def test_what_grants_nothing_is_not_held_by_its_area() -> None:
    """A rejection can be told whatever the budget is."""
    case = known(a_line(Outcome.REJECTED))
    other = a_case(a_line(reference_number="P-1", amount="2600.01"))

    assert joined(case, other)[0].disagreements == ()


def test_no_budget_holds_the_line() -> None:
    """Nothing is granted out of nothing."""
    assert reasons(known(a_line()), budgets=[]) == [Reason.NO_BUDGET]


@pytest.mark.parametrize("status", [BudgetStatus.PLANNED, BudgetStatus.BLOCKED, BudgetStatus.REVOKED])
def test_a_budget_that_is_not_released_holds_the_line(status: BudgetStatus) -> None:
    """Geplant, gesperrt, widerrufen."""
    assert reasons(known(a_line()), budgets=[a_budget(status=status)]) == [Reason.NOT_RELEASED]


def test_next_years_budget_pays_for_nothing_this_year() -> None:
    """In December both years' sheets lie in the folder."""
    lines = [a_budget("100.00"), a_budget("5000.00", row=3, fiscal_year=PROCESS.fiscal_year + 1, reason="neues Jahr")]

    assert reasons(known(a_line()), budgets=lines) == [Reason.OVER_BUDGET]


def test_a_later_budget_line_with_its_reason_counts() -> None:
    """Budgets change during the year."""
    lines = [a_budget("100.00"), a_budget("2600.00", row=3, reason="Aufstockung")]

    assert reasons(known(a_line()), budgets=lines) == []


def test_a_budget_change_without_reason_does_not_count() -> None:
    """It is put on the list instead."""
    lines = [a_budget("100.00"), a_budget("2600.00", row=3)]

    assert budgets_that_count(lines)[MUEGGELHEIM].amount == Decimal("100.00")
    assert unexplained_budget_lines(lines) == [lines[1]]


def test_a_repeated_budget_line_needs_no_reason() -> None:
    """It changes nothing."""
    assert unexplained_budget_lines([a_budget(), a_budget(row=3)]) == []


def test_an_explained_line_settles_an_unexplained_one() -> None:
    """The clerk sends the sheet again, with a reason."""
    lines = [a_budget("100.00"), a_budget("2600.00", row=3), a_budget("2600.00", row=4, reason="Aufstockung")]

    assert unexplained_budget_lines(lines) == []


# --- waivers


def test_every_waivable_reason_can_be_waived() -> None:
    """A person has looked, and says that it is right so."""
    cases = {
        Reason.MORE_THAN_ASKED: known(a_line(amount="1200.00")),
        Reason.PLATFORM_CONTRADICTS: known(a_line(), proposal=a_proposal(status=ProposalStatus.REJECTED)),
        Reason.GONE: known(a_line(), proposal=a_proposal(status=ProposalStatus.GONE)),
        Reason.ASSIGNED_DIFFERS: known(a_line(), proposal=a_proposal(area_id=None), assigned=GRUENAU),
    }

    assert cases.keys() == WAIVABLE
    assert all(reasons(case, waived=[_waiver(case)]) == [] for case in cases.values())


def test_a_waiver_holds_for_its_case_only() -> None:
    """Not for the next one with the same mistake."""
    waiver = _waiver(known(a_line(amount="1200.00")))
    other = known(a_line(reference_number="2026-00002", amount="1200.00"))

    assert reasons(other, waived=[waiver]) == [Reason.MORE_THAN_ASKED]


@pytest.mark.parametrize(
    "changed",
    [
        known(a_line(amount="1200.00"), a_correction(amount="1300.00")),
        known(a_line(amount="1200.00"), proposal=a_proposal(asked="900.00")),
        known(a_line(amount="1200.00", conditions="nur bei Regen")),
    ],
    ids=["another sum is approved", "another sum was asked", "the line says something else"],
)
def test_a_waiver_is_void_when_what_it_rests_on_changes(changed: StoredCase) -> None:
    """The person has looked at other facts."""
    waiver = _waiver(known(a_line(amount="1200.00")))

    assert reasons(changed, waived=[waiver]) == [Reason.MORE_THAN_ASKED]


def test_a_waiver_is_void_when_the_platform_changes_its_mind() -> None:
    """Released against `wird nicht umgesetzt`; now the proposal is gone."""
    waiver = _waiver(known(a_line(), proposal=a_proposal(status=ProposalStatus.REJECTED)))

    assert reasons(known(a_line(), proposal=a_proposal(status=ProposalStatus.GONE)), waived=[waiver]) == [Reason.GONE]


def test_what_is_not_the_persons_to_release_stays() -> None:
    """Only those reasons offer the answer; a subject of another kind opens nothing by accident."""
    case = a_case(a_line())
    others = [f"case:{case.id}:{reason}:" for reason in Reason]

    assert reasons(case, waived=others) == [Reason.UNKNOWN_REFERENCE]


def test_every_reason_has_a_german_sentence_with_its_place() -> None:
    """The clerk finds the line by sheet and row."""
    assert the_only(standing(a_case(a_line()))).text == (
        f"{REFERENCE} (liste-1.xlsx, Zeile 2) steht in der Liste, aber keine Plattform kennt diese Referenznummer"
    )


def test_the_excess_is_said_in_euros() -> None:
    """German figures for German readers."""
    case = a_case(a_line(reference_number="P-1", amount="4000.50"))

    assert the_only(standing(case)).text == "P-1: Die Beschlüsse in Müggelheim übersteigen das Budget um 1.400,50 €"


# --- for any sheets at all

MONEY = st.decimals(min_value=0, max_value=3000, places=2).map(str)


@st.composite
def _lines(draw: st.DrawFn) -> Decision:
    outcome = draw(st.sampled_from(Outcome))
    return a_line(
        outcome,
        draw(st.none() | MONEY),
        sheet=f"liste-{draw(st.integers(1, 3))}",
        row=draw(st.integers(2, 40)),
        reference_number=draw(st.sampled_from([REFERENCE, "2026-00002", "P-1", "P-2"])),
        decided_on=draw(st.sampled_from([JUNE, JUNE.replace(month=4)])),
        area_id=draw(st.sampled_from([MUEGGELHEIM, GRUENAU])),
        correction=draw(st.booleans()),
        reason=draw(st.sampled_from(["", "Protokoll berichtigt"])),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(_lines(), max_size=10), st.tuples(MONEY, MONEY))
def test_no_sheets_ever_grant_more_than_an_area_has(lines: list[Decision], amounts: tuple[str, str]) -> None:
    """What may be sent never exceeds the budget in total, whatever clerks write."""
    areas = (MUEGGELHEIM, GRUENAU)
    budgets = [
        a_budget(amount, area_id=area, row=n) for n, (amount, area) in enumerate(zip(amounts, areas, strict=True))
    ]
    by_case: dict[object, list[Decision]] = {}
    for line in lines:
        by_case.setdefault(a_case(line).id, []).append(line)
    free = [one for one in joined(*(known(*of) for of in by_case.values()), budgets=budgets) if not one.disagreements]

    for area, amount in zip(areas, amounts, strict=True):
        assert sum(one.amount for one in free if one.area_id == area) <= Decimal(amount)


def _waiver(case: StoredCase) -> str:
    one = standing(case)
    return subject_of(case, the_only(one))
