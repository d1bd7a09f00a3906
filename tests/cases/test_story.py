"""A case's story for everyone: every step once, in plain German, nothing that may not be told."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from kiezbruecke import plugins
from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.story import story_of
from kiezbruecke.ledger import MessageState
from kiezbruecke.records import BudgetStatus, Outcome, ProposalStatus
from kiezbruecke.records.views import StoryKind
from tests.builders import (
    APRIL,
    GRUENAU,
    JUNE,
    WHEN,
    a_budget,
    a_case,
    a_commitment,
    a_correction,
    a_line,
    a_message,
    a_proposal,
    joined,
    known,
    standing,
)

LATE = datetime(2026, 6, 19, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
INNER = re.compile(
    r"HKR|Festlegung|Fremdkennzeichen|Nachricht|Strecke|Hauptbuch|SPK|xdomea|None|Korrektur = |\.xlsx|Zeile|\{"
)


def told(one: Standing) -> list[tuple[StoryKind, str]]:
    """Kinds and sentences, in order."""
    return [(event.kind, event.text) for event in story_of(one)]


def kinds(one: Standing) -> list[StoryKind]:
    return [event.kind for event in story_of(one)]


def test_an_idea_is_a_beginning() -> None:
    """The platform's day, in Berlin, and what is asked for."""
    (event,) = story_of(standing(a_case(proposal=a_proposal(created_at=LATE))))

    assert (event.kind, event.day) == (StoryKind.HANDED_IN, date(2026, 6, 20))
    assert event.text == "Der Vorschlag wurde eingereicht; beantragt sind 1.000,00 €."


def test_the_whole_way() -> None:
    """Handed in, commented, decided, filed, bound."""
    proposal = a_proposal(created_at=datetime(2026, 3, 1, tzinfo=UTC), modified_at=datetime(2026, 4, 1, tzinfo=UTC))
    proposal = proposal.model_copy(update={"feedback_text": "Geprüft."})
    messages = (a_message("file.create"), a_message("commitment.book", updated_at=LATE))
    one = standing(known(a_line(), proposal=proposal, messages=messages, commitment=a_commitment()))

    assert [(event.day, event.kind, event.text) for event in story_of(one)] == [
        (date(2026, 3, 1), "handed_in", "Der Vorschlag wurde eingereicht; beantragt sind 1.000,00 €."),
        (date(2026, 4, 1), "statement", "Die Verwaltung hat auf der Plattform Stellung genommen."),
        (APRIL, "decided", "Die Versammlung hat 850,00 € bewilligt."),
        (WHEN.date(), "filed", "Der Vorgang liegt in der elektronischen Akte."),
        (date(2026, 6, 20), "bound", "850,00 € sind für das Projekt vorgemerkt."),
    ]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_sentence(outcome: Outcome) -> None:
    """A new one without would stop the view of a case."""
    *_, event = story_of(standing(known(a_line(outcome))))

    assert (event.kind, event.day) == (StoryKind.DECIDED, APRIL)
    assert event.text.endswith(".")
    assert not INNER.search(event.text)


def test_a_reduced_sum_says_so() -> None:
    one = standing(known(a_line(Outcome.ACCEPTED_REDUCED, "850.00")))

    assert told(one)[-1] == ("decided", "Die Versammlung hat 850,00 € bewilligt, weniger als beantragt.")


def test_a_correction_is_an_event_on_the_day_it_became_known() -> None:
    """And the first sum stays in the story: it was told."""
    lines = a_line(), a_correction(amount="700.00")
    heard = {lines[0].origin: WHEN, lines[1].origin: LATE}
    messages = (
        a_message("commitment.book"),
        a_message("commitment.change", amount="700.00", number=2, updated_at=LATE),
    )
    one = standing(known(*lines, heard=heard, messages=messages, commitment=a_commitment("700.00")))

    assert told(one)[1:] == [
        ("decided", "Die Versammlung hat 850,00 € bewilligt."),
        ("bound", "850,00 € sind für das Projekt vorgemerkt."),
        ("corrected", "Der Beschluss wurde berichtigt. Jetzt gilt: Die Versammlung hat 700,00 € bewilligt."),
        ("changed", "Für das Projekt sind jetzt 700,00 € vorgemerkt."),
    ]
    assert [event.day for event in story_of(one)][-2:] == [date(2026, 6, 20)] * 2


def test_a_withdrawal_frees_the_money() -> None:
    lines = a_line(), a_correction(Outcome.WITHDRAWN, None, decided_on=JUNE)
    messages = (a_message("commitment.book"), a_message("commitment.cancel", number=2, updated_at=LATE))
    one = standing(known(*lines, messages=messages))

    assert told(one)[-2:] == [
        ("corrected", "Der Beschluss wurde berichtigt. Jetzt gilt: Der Vorschlag wurde zurückgezogen."),
        ("freed", "Das vorgemerkte Geld ist wieder frei."),
    ]


def test_who_moves_up_was_decided_twice() -> None:
    """The waiting list first, then another assembly; nothing was corrected."""
    lines = a_line(Outcome.WAITING_LIST), a_line(sheet="liste-2", decided_on=JUNE)

    assert kinds(standing(known(*lines)))[1:] == ["decided", "decided"]


def test_the_same_line_in_another_sheet_is_no_event() -> None:
    assert kinds(standing(known(a_line(), a_line(sheet="liste-2"))))[1:] == ["decided"]


def test_what_is_questioned_and_was_never_told_is_not_told_here() -> None:
    """Neither the sum nor that it was granted; only that something is to be cleared."""
    one = standing(known(a_line(amount="1200.00")))

    assert told(one)[1:] == [("questioned", "Zum Beschluss ist noch etwas zu klären.")]
    assert "1.200" not in repr(story_of(one))


def test_a_stray_line_takes_nothing_out_of_the_story() -> None:
    told_before = {"messages": (a_message("file.create"),), "commitment": a_commitment()}
    stray = a_line(sheet="liste-9", area_id=GRUENAU, amount="300.00")

    assert told(standing(known(a_line(), stray, **told_before))) == told(standing(known(a_line(), **told_before)))


def test_a_correction_that_is_questioned_leaves_what_was_told() -> None:
    one = standing(known(a_line(), a_correction(amount="1200.00"), messages=(a_message("file.create"),)))

    assert [kind for kind, _ in told(one)] == ["handed_in", "decided", "filed", "questioned"]
    assert "1.200" not in repr(story_of(one))


def test_a_line_that_a_person_has_thrown_away_never_happened() -> None:
    case = known(a_line(), a_line(row=9, amount="300.00"))
    (one,) = joined(case, dismissed=_subjects(case))

    assert len(kinds(one)) == 2


def _subjects(case: Any) -> list[str]:
    from kiezbruecke.cases.join import subject_of

    return [subject_of(case, one) for one in standing(case).disagreements]


@pytest.mark.parametrize("status", list(BudgetStatus))
def test_a_frozen_budget_is_told(status: BudgetStatus) -> None:
    """Those who asked see why nothing happens; as soon as the money is bound it is none of theirs."""
    budgets = (a_budget(status=status),)
    waiting = standing(known(a_line()), budgets=budgets)
    bound = standing(known(a_line(), commitment=a_commitment()), budgets=budgets)

    assert (StoryKind.BLOCKED in kinds(waiting)) is (status is BudgetStatus.BLOCKED)
    assert StoryKind.BLOCKED not in kinds(bound)


def test_what_is_not_confirmed_has_not_happened() -> None:
    """Nor has a test."""
    states = [state for state in MessageState if state is not MessageState.CONFIRMED]
    messages = tuple(a_message("commitment.book", state, number=number) for number, state in enumerate(states, 1))

    assert "bound" not in kinds(standing(known(a_line(), messages=messages)))
    assert "bound" not in kinds(standing(known(a_line(), messages=(a_message(test=True),))))


def test_what_is_gone_from_the_platform_says_so() -> None:
    one = standing(a_case(proposal=a_proposal(status=ProposalStatus.GONE)))

    assert told(one)[-1] == ("gone", "Der Vorschlag steht nicht mehr auf der Plattform.")


def test_a_paper_proposal_begins_without_a_day() -> None:
    first, second = story_of(standing(a_case(a_line(reference_number="P-1", title="Fest der Familie K."))))

    assert (first.kind, first.day, second.kind) == ("handed_in", None, "decided")
    assert "Familie" not in first.text + second.text


def test_no_effect_speaks_in_inner_words() -> None:
    """Whoever adds one reads this list."""
    sentences = [one.happened[1].format(amount="850,00 €") for one in plugins.effects().values() if one.happened]

    assert len(sentences) >= 4
    assert [text for text in sentences if INNER.search(text) or not text.endswith(".")] == []


def test_no_name_stands_in_a_story() -> None:
    """Whatever a clerk or a citizen has written."""
    line = a_line(
        title="Erika", conditions="Erika", recorded_by="Erika", reason="Erika", protocol_ref="Erika", sheet="Erika"
    )
    proposal = a_proposal(title="Erika", description_text="Erika", feedback_text="Erika", creator_name="Erika")

    assert "Erika" not in repr(story_of(standing(known(line, proposal=proposal))))


def test_the_mapping_reads_it_of_the_case() -> None:
    """As `case.story[1].text`."""
    from kiezbruecke.mapping.schema.models import root_model

    model = root_model("case")
    assert model is not None
    assert "story" in model.model_fields


def test_sums_are_those_of_the_lines() -> None:
    """To the cent, as people write them."""
    one = standing(known(a_line(amount="1234.05"), proposal=a_proposal(asked="2000.00")))

    assert told(one)[-1][1] == "Die Versammlung hat 1.234,05 € bewilligt."
    assert one.amount == Decimal("1234.05")
