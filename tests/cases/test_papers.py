"""What a Drucksache proves, and when a note says that it does not fit."""

from __future__ import annotations

from datetime import date

import pytest

from kiezbruecke.cases.papers import numbers_of, proof_of
from kiezbruecke.records import Decision, Outcome, Paper

LINE = Decision(
    origin="0:2",
    sheet="april.csv",
    row=2,
    process_id="kk-tk-2026",
    area_id="090416",
    decided_on=date(2026, 4, 24),
    reference_number="P-1",
    outcome=Outcome.ACCEPTED,
    paper_reference="X/0815",
)
PAPER = Paper(source="ris-tk", external_id="https://ris.example/4711", process_id="kk-tk-2026", reference="X/0815")


def note(*papers: Paper, line: Decision = LINE, any_known: bool = True) -> str:
    found = proof_of(line, papers, any_known=any_known)
    assert found is not None
    return found.note


@pytest.mark.parametrize("written", ["Drs. X/0815", "Drucksache Nr. X/0815", "drs X/0815", "X/0815"])
def test_a_clerks_word_before_the_number_is_none_of_it(written: str) -> None:
    assert "X/0815" in numbers_of(written)


def test_a_number_that_begins_with_letters_stays_whole() -> None:
    """`DS/0815/X` is how other councils number."""
    assert numbers_of("DS/0815/X") == {"DS/0815/X"}


@pytest.mark.parametrize("result", ["Abgelehnt", "mehrheitlich abgelehnt", "nicht beschlossen", "Antrag zurückgezogen"])
def test_a_refusal_does_not_fit_a_grant(result: str) -> None:
    refused = PAPER.model_copy(update={"result": result})

    assert "nicht beschlossen worden" in note(refused)
    assert note(refused, line=LINE.model_copy(update={"outcome": Outcome.REJECTED})) == ""


@pytest.mark.parametrize("result", ["Geändert beschlossen", "ohne Änderungen beschlossen", "zur Kenntnis genommen"])
def test_other_words_are_no_contradiction(result: str) -> None:
    """Free text of a stranger: only a refusal is understood."""
    assert note(PAPER.model_copy(update={"result": result})) == ""


def test_a_number_that_two_bear_says_so() -> None:
    """Which of them is meant, a person sees."""
    assert "2 Drucksachen" in note(PAPER, PAPER)


def test_one_that_is_missing_means_something_only_where_there_are_others() -> None:
    """Without a server nothing was fetched, and nothing is missing."""
    assert "keine mit dieser Nummer" in note()
    assert note(any_known=False) == ""


def test_a_deleted_one_gives_way_to_a_living_one() -> None:
    living = PAPER.model_copy(update={"result": "Beschlossen"})
    gone = PAPER.model_copy(update={"deleted": True})

    assert note(living, gone) == ""
    assert "gelöscht" in note(gone)
