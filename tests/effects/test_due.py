"""What is due: read from the case and its messages, so that asking twice is harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kiezbruecke.cases.join import Standing
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.effects import Due, FollowUp, Lane, effect, rule_of
from kiezbruecke.effects.commitment import commitment as commitment_rule
from kiezbruecke.effects.file_create import file_creation
from kiezbruecke.effects.status_list import status_changed
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.states import UNSETTLED, WITHDRAWN
from kiezbruecke.records import BudgetStatus, CommitmentState, Outcome, ProposalStatus
from kiezbruecke.stages.preparing import outdated
from tests.builders import (
    GRUENAU,
    ROOT,
    a_budget,
    a_case,
    a_commitment,
    a_correction,
    a_lane,
    a_line,
    a_message,
    a_proposal,
    known,
    standing,
)

HKR = a_lane()
EAKTE = a_lane("eakte-tk", "file")
LISTE = a_lane("statusliste-tk", "status")


def accepted(**given: Any) -> Standing:
    """A case that the assembly has accepted with 850 €."""
    return standing(known(a_line(), **given))


def corrected(outcome: Outcome = Outcome.ACCEPTED_REDUCED, amount: str = "700.00", **given: Any) -> Standing:
    """The same, corrected later."""
    return standing(known(a_line(), a_correction(outcome, amount if outcome.grants else None), **given))


def booked(amount: str = "850.00", **message: Any) -> dict[str, Any]:
    """What a case holds after its commitment was confirmed."""
    return {"messages": (a_message(amount=amount, **message),), "commitment": a_commitment(amount)}


def filed(state: MessageState = MessageState.CONFIRMED, **given: Any) -> dict[str, Any]:
    """What a case holds after its file was sent."""
    basis = _due(file_creation, accepted(), EAKTE).basis
    return {"messages": (a_message("file.create", state, basis=basis, **given),)}


# --- the beginning


@pytest.mark.parametrize("rule", [file_creation, commitment_rule])
@pytest.mark.parametrize("status", list(ProposalStatus))
def test_a_platform_status_alone_makes_nothing_due(rule: Any, status: ProposalStatus) -> None:
    """Money and files follow the assembly, never a moderator's click."""
    assert rule(standing(a_case(proposal=a_proposal(status=status))), EAKTE) is None


def test_an_accepted_case_gets_a_file() -> None:
    """`accepted by decision, no file yet`."""
    due = _due(file_creation, accepted(), EAKTE)

    assert (due.effect.name, due.number, due.effect.letter, due.amount) == ("file.create", 1, "E", Decimal("850.00"))


def test_an_accepted_case_gets_a_commitment() -> None:
    """One Festlegung per accepted case."""
    due = _due(commitment_rule, accepted(), HKR)

    assert (due.effect.name, due.number, due.amount, due.related_reference) == (
        "commitment.book",
        1,
        Decimal("850.00"),
        None,
    )


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.grants])
@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_what_grants_nothing_makes_nothing_due(rule: Any, lane: Lane, outcome: Outcome) -> None:
    """Waiting lists wait, rejections end here."""
    assert rule(standing(known(a_line(outcome))), lane) is None


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_what_is_set_aside_makes_nothing_due(rule: Any, lane: Lane) -> None:
    """A person looks first."""
    assert rule(standing(known(a_line(amount="1200.00"))), lane) is None


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_decisions_before_the_go_live_line_were_typed_by_hand(rule: Any, lane: Lane) -> None:
    """Otherwise the first run would book last spring's assemblies again."""
    assert rule(accepted(), replace(lane, start_from=date(2026, 4, 25))) is None


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_a_decision_on_the_go_live_day_is_due(rule: Any, lane: Lane) -> None:
    """The line belongs to the new time."""
    assert isinstance(rule(accepted(), replace(lane, start_from=date(2026, 4, 24))), Due)


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_a_baseline_case_is_not_due(rule: Any, lane: Lane) -> None:
    """A clerk has said that it was typed by hand."""
    assert rule(accepted(baselines=frozenset({lane.name})), lane) is None


def test_a_baseline_of_one_destination_says_nothing_about_another() -> None:
    """The e-file may have it while the budget system has not."""
    assert isinstance(commitment_rule(accepted(baselines=frozenset({EAKTE.name})), HKR), Due)


# --- once


@pytest.mark.parametrize("state", [state for state in MessageState if state is not MessageState.REFUSED])
def test_a_file_is_created_once(state: MessageState) -> None:
    """In whatever state the message is: there is one."""
    assert file_creation(accepted(**filed(state)), EAKTE) is None


def test_a_booked_commitment_is_not_booked_again() -> None:
    """Running twice sends once."""
    assert commitment_rule(accepted(**booked()), HKR) is None


@pytest.mark.parametrize("state", sorted(UNSETTLED))
def test_nothing_new_while_a_commitment_message_is_unsettled(state: MessageState) -> None:
    """The order within a case is the ledger's: a change may not overtake its booking."""
    case = corrected(messages=(a_message(state=state),), commitment=a_commitment(state=CommitmentState.REQUESTED))

    assert commitment_rule(case, HKR) is None


def test_what_other_destinations_got_does_not_count() -> None:
    """Each destination is asked for itself."""
    other = a_message("file.create", destination="eakte-alt")

    assert isinstance(file_creation(accepted(messages=(other,)), EAKTE), Due)


# --- after sending


def test_a_new_sum_changes_the_commitment_to_the_new_total() -> None:
    """A changed sum travels as the new total, so repeating it is harmless."""
    due = _due(commitment_rule, corrected(**booked()), HKR)

    assert (due.effect.name, due.number, due.amount) == ("commitment.change", 2, Decimal("700.00"))
    assert due.related_reference == a_commitment().reference


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.WITHDRAWN, Outcome.NOT_ELIGIBLE])
def test_a_decision_taken_back_cancels_the_commitment(outcome: Outcome) -> None:
    """The cancellation names the total that was booked."""
    due = _due(commitment_rule, corrected(outcome, **booked()), HKR)

    assert (due.effect.name, due.amount, due.related_reference) == (
        "commitment.cancel",
        Decimal("850.00"),
        a_commitment().reference,
    )


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED_REDUCED, Outcome.REJECTED, Outcome.WITHDRAWN])
def test_the_file_of_a_corrected_decision_is_a_persons(outcome: Outcome) -> None:
    """xdomea's Abgabe has no message that takes a file back."""
    point = file_creation(corrected(outcome, **filed()), EAKTE)

    assert isinstance(point, FollowUp)
    assert point.text.startswith("2026-00001: Der Beschluss ")


def test_a_waiting_cancellation_waits_for_its_answer() -> None:
    """The money is free only when HKR says AUFGEHOBEN."""
    case = corrected(
        Outcome.REJECTED, messages=(a_message(),), commitment=a_commitment(state=CommitmentState.CANCEL_REQUESTED)
    )

    assert commitment_rule(case, HKR) is None


def test_a_cancelled_commitment_is_done() -> None:
    """Nothing more happens."""
    cancel = a_message("commitment.cancel", number=2)
    gone = a_commitment("0.00", CommitmentState.CANCELLED)

    assert commitment_rule(corrected(Outcome.REJECTED, messages=(a_message(), cancel), commitment=gone), HKR) is None


def test_money_granted_again_after_a_cancellation_is_a_persons() -> None:
    """There is one booking per case; saying nothing would leave the applicant without money."""
    cancel = a_message("commitment.cancel", number=2)
    gone = a_commitment("0.00", CommitmentState.CANCELLED)
    point = commitment_rule(accepted(messages=(a_message(), cancel), commitment=gone), HKR)

    assert isinstance(point, FollowUp)
    assert "von Hand" in point.text


def test_an_area_over_budget_lets_sent_lines_be() -> None:
    """Nothing is taken back because others want more."""
    cut = [a_budget(), a_budget("100.00", row=3, reason="Haushaltssperre")]
    case = standing(known(a_line(), **booked()), budgets=cut)

    assert case.disagreements == ()
    assert commitment_rule(case, HKR) is None


def test_a_frozen_budget_still_lets_go_of_money() -> None:
    """A cancellation needs no budget."""
    frozen = [a_budget(status=BudgetStatus.BLOCKED)]
    case = standing(known(a_line(), a_correction(Outcome.REJECTED, None), **booked()), budgets=frozen)

    assert _due(commitment_rule, case, HKR).effect.name == "commitment.cancel"


def test_a_booked_case_that_moves_to_another_area_is_a_persons() -> None:
    """A change on the new area's budget would free money there that was never bound there."""
    point = commitment_rule(_moved(**booked()), HKR)

    assert isinstance(point, FollowUp)
    assert "von Hand umzubuchen" in point.text


def test_a_refused_case_that_moves_to_another_area_is_booked_there() -> None:
    """Nothing is held, so nothing has to be moved by hand."""
    refused = a_message(state=MessageState.REFUSED, basis=_due(commitment_rule, accepted(), HKR).basis)
    case = _moved(messages=(refused,), commitment=a_commitment("0.00", CommitmentState.REFUSED))

    assert _due(commitment_rule, case, HKR).number == 2


def test_a_case_that_moves_to_an_area_without_budget_breaks_nothing() -> None:
    """The rule stopped the whole run with an assertion; what is missing is told when the message is written."""
    case = _moved(budgets=[a_budget()], messages=(a_message("file.create"),))

    assert case.budget is None
    assert _due(commitment_rule, case, HKR).effect.name == "commitment.book"


def test_nothing_follows_while_two_answers_contradict() -> None:
    """Whether the money is bound there is what nobody knows; a change or a new booking would guess."""
    case = corrected(**booked())
    blocked = replace(HKR, blocked={str(case.case.messages[0].key)})

    assert commitment_rule(case, blocked) is None
    assert isinstance(commitment_rule(case, HKR), Due)


# --- corrected while it waits


def test_what_waits_with_another_sum_is_outdated() -> None:
    """It has not left; sending it first and correcting it afterwards would put a wrong sum on record."""
    case = corrected(messages=(a_message(state=MessageState.WAITING),))

    assert outdated(case, HKR) == [case.case.messages[0].key]


def test_what_may_have_left_is_not_outdated() -> None:
    """Under an id of theirs it may be there already, so it is corrected like what was sent."""
    waiting = a_message(state=MessageState.WAITING, ticket="urn:1")

    assert outdated(corrected(messages=(waiting,)), HKR) == []


@pytest.mark.parametrize("given", [{"batch_id": "KB26-1"}, {"state": MessageState.CLAIMED}])
def test_what_is_on_a_carrier_or_in_a_hand_is_for_the_ledger_to_judge(given: dict[str, Any]) -> None:
    """It knows whether the carrier has ever left (`ledger/carriers.py`), and that the hand was an older run's."""
    waiting = a_message(**{"state": MessageState.WAITING, **given})

    assert outdated(corrected(messages=(waiting,)), HKR) == [waiting.key]


def test_what_waits_with_the_right_sum_stays() -> None:
    """A correction of a word is none of the sum."""
    assert outdated(accepted(messages=(a_message(state=MessageState.WAITING),)), HKR) == []


@pytest.mark.parametrize(
    ("rule", "lane", "effect"),
    [(file_creation, EAKTE, "file.create"), (commitment_rule, HKR, "commitment.book")],
)
def test_what_was_taken_back_here_is_refused_by_nobody(rule: Any, lane: Lane, effect: str) -> None:
    """Rejected and granted again, with the old sum: there is no point on the list that could ask for it anew."""
    basis = _due(rule, accepted(), lane).basis
    case = accepted(messages=(a_message(effect, MessageState.REFUSED, basis=basis, note=WITHDRAWN),))

    assert _due(rule, case, lane).number == 2


# --- refused


@pytest.mark.parametrize(
    ("rule", "lane", "effect"),
    [(file_creation, EAKTE, "file.create"), (commitment_rule, HKR, "commitment.book")],
)
def test_a_refused_message_waits_for_a_person(rule: Any, lane: Lane, effect: str) -> None:
    """Sending it again and again would help nobody."""
    case = _refused(rule, lane, effect)

    assert rule(case, lane) is None


@pytest.mark.parametrize(
    ("rule", "lane", "effect"),
    [(file_creation, EAKTE, "file.create"), (commitment_rule, HKR, "commitment.book")],
)
def test_a_person_may_send_a_refused_message_anew_under_a_new_number(rule: Any, lane: Lane, effect: str) -> None:
    """The refused one is proven not to have happened; the new one is another message."""
    case = _refused(rule, lane, effect)
    due = _due(rule, case, replace(lane, resend={str(case.case.messages[0].key)}))

    assert (due.effect.name, due.number) == (effect, 2)


def test_a_refused_change_waits_for_a_person() -> None:
    """The commitment stands as it was booked."""
    change = _due(commitment_rule, corrected(**booked()), HKR)
    refused = a_message("commitment.change", MessageState.REFUSED, "700.00", number=2, basis=change.basis)
    case = corrected(messages=(a_message(), refused), commitment=a_commitment())

    assert commitment_rule(case, HKR) is None
    assert _due(commitment_rule, case, replace(HKR, resend={str(refused.key)})).number == 3


def test_after_a_refusal_another_sum_is_another_question() -> None:
    """The basis has changed: the corrected sheet is the person's answer."""
    refused = a_message(state=MessageState.REFUSED, basis=_due(commitment_rule, accepted(), HKR).basis)
    case = corrected(messages=(refused,), commitment=a_commitment("0.00", CommitmentState.REFUSED))

    assert _due(commitment_rule, case, HKR).amount == Decimal("700.00")


# --- generation and test


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_a_reset_destination_gets_everything_anew(rule: Any, lane: Lane) -> None:
    """A person has said that it was really rebuilt."""
    case = accepted(**(filed() if lane is EAKTE else booked()))
    due = _due(rule, case, replace(lane, generation=2))

    assert (due.effect.name in ("file.create", "commitment.book"), due.number) == (True, 1)


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_what_was_sent_for_test_is_not_sent_for_real(rule: Any, lane: Lane) -> None:
    """A test leaves no trace in the real order of a case."""
    test = replace(lane, test=True)
    due = _due(rule, accepted(), test)
    case = accepted(messages=(a_message(due.effect.name, test=True, basis=due.basis),))

    assert rule(case, test) is None
    assert _due(rule, case, lane).effect is due.effect


@pytest.mark.parametrize(("rule", "lane"), [(file_creation, EAKTE), (commitment_rule, HKR)])
def test_the_number_of_a_test_is_used_up(rule: Any, lane: Lane) -> None:
    """A message's key does not say test: the same number would be the same message, and never leave."""
    due = _due(rule, accepted(), lane)
    case = accepted(messages=(a_message(due.effect.name, test=True, basis=due.basis),))

    assert _due(rule, case, lane).number == 2


def test_a_settled_test_commitment_is_not_sent_again_and_again() -> None:
    """A test books nothing in the ledger, so there is no commitment that would stop it."""
    case = corrected(messages=(a_message(test=True),))

    assert commitment_rule(case, replace(HKR, test=True)) is None


# --- the status list


def test_every_case_stands_on_the_status_list() -> None:
    """Also what nobody has decided yet."""
    due = _due(status_changed, standing(a_case(proposal=a_proposal())), LISTE)

    assert (due.effect.name, due.number, due.effect.letter) == ("status.list", 1, "S")


def test_an_unchanged_line_is_not_written_again() -> None:
    """The list is written only when something changed."""
    due = _due(status_changed, accepted(), LISTE)
    written = a_message("status.list", basis=due.basis)

    assert status_changed(accepted(messages=(written,)), LISTE) is None


def test_a_changed_line_is_written_under_the_next_number() -> None:
    """Each version of a line is a message of its own."""
    written = a_message("status.list", basis=_due(status_changed, accepted(), LISTE).basis)
    due = _due(status_changed, corrected(messages=(written,)), LISTE)

    assert (due.number, due.amount) == (2, Decimal("700.00"))


def test_a_refused_line_waits_for_a_person() -> None:
    """The folder was shut: writing it again in every run would only repeat the refusal."""
    assert status_changed(_refused_line(), LISTE) is None


def test_a_person_may_write_a_refused_line_anew() -> None:
    """The same line counted as written, so `neu_senden` did nothing."""
    case = _refused_line()
    due = _due(status_changed, case, replace(LISTE, resend={str(case.case.messages[0].key)}))

    assert due.number == 2


# --- names


def test_an_unknown_effect_names_the_known_ones() -> None:
    """The integrator reads what the route file may say."""
    with pytest.raises(ConfigurationError, match=r"commitment\.book.*file\.create.*status\.list"):
        effect("everything.do")


def test_a_rule_belongs_to_its_effect() -> None:
    """A route whose rule leads to another effect would do what nobody meant."""
    route = find_route(ROOT, "kk-tk-hkr")
    assert isinstance(route, SendingRoute)

    assert rule_of(route) is commitment_rule
    with pytest.raises(ConfigurationError, match=r"due: file_creation does not lead to commitment\.book"):
        rule_of(route.model_copy(update={"due": "file_creation"}))


def test_the_comment_count_is_no_basis() -> None:
    """Only what matters for an effect makes it due again."""
    quiet = accepted(proposal=a_proposal())
    loud = accepted(proposal=a_proposal(counts={"comments": 99}, title="Neuer Titel"))

    assert _due(commitment_rule, quiet, HKR).basis == _due(commitment_rule, loud, HKR).basis


def _due(rule: Any, case: Standing, lane: Lane) -> Due:
    due = rule(case, lane)
    assert isinstance(due, Due)
    return due


def _moved(**given: Any) -> Standing:
    """The accepted case, whose correction names another area; no platform says where it lies."""
    budgets = given.pop("budgets", [a_budget(), a_budget(area_id=GRUENAU, row=3)])
    proposal = a_proposal(area_id=None, area_origin="unknown")
    return standing(known(a_line(), a_correction(area_id=GRUENAU), proposal=proposal, **given), budgets=budgets)


def _refused_line() -> Standing:
    basis = _due(status_changed, accepted(), LISTE).basis
    return accepted(messages=(a_message("status.list", MessageState.REFUSED, basis=basis),))


def _refused(rule: Any, lane: Lane, effect: str) -> Standing:
    message = a_message(effect, MessageState.REFUSED, basis=_due(rule, accepted(), lane).basis)
    money = a_commitment("0.00", CommitmentState.REFUSED) if effect == "commitment.book" else None
    return accepted(messages=(message,), commitment=money)


# --- a stray line beside a decision that was corrected

STRAY = a_line(sheet="liste-9", row=7, area_id=GRUENAU, amount="300.00")


def with_stray(**given: Any) -> Standing:
    """Granted, corrected, and then another area's sheet names the number."""
    lines = a_line(), a_correction(Outcome.ACCEPTED_REDUCED, "700.00"), STRAY
    return standing(known(*lines, proposal=a_proposal(), **given))


def test_a_stray_line_makes_nothing_new_due() -> None:
    """Neither a beginning nor a change may rest on what is contradicted."""
    assert file_creation(with_stray(), EAKTE) is None
    assert commitment_rule(with_stray(**booked()), HKR) is None


def test_a_stray_line_takes_no_follow_up_off_the_list() -> None:
    """The file still says 850; it healed without anybody having mended it."""
    assert isinstance(file_creation(with_stray(**filed()), EAKTE), FollowUp)


def test_a_stray_line_keeps_no_outdated_message_on_its_way() -> None:
    """The sum was corrected in time; whatever else came, the old one must not leave."""
    waits = a_message(state=MessageState.WAITING)

    assert outdated(with_stray(messages=(waits,)), HKR) == [waits.key]
