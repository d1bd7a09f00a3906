"""Texts that citizens read: whatever is wrong with one is a clear line before anybody reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiezbruecke.content.routes import Pace
from kiezbruecke.content.texts import read_texts, tried_examples
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger.database import now
from kiezbruecke.records.views import CaseState

EXAMPLE = "examples: [{given: {amount: 850.10}, lines: ['Bewilligt: 850,10 €']}]\n"


def in_a_set(folder: Path, **texts: str) -> Path:
    """A set of texts."""
    for name, body in texts.items():
        (folder / f"{name}.yaml").write_text(body, "utf-8")
    return folder


def test_two_states_that_mean_the_same_are_told_as_one(tmp_path: Path) -> None:
    """The money is booked: nothing new for the people."""
    texts = read_texts(
        in_a_set(tmp_path, granted=f"lines: ['Bewilligt: {{amount}}']\n{EXAMPLE}", committed="same_as: granted\n")
    )

    assert texts.told_as(CaseState.COMMITTED) is texts.told_as(CaseState.GRANTED) is CaseState.GRANTED
    assert texts.told_as(CaseState.REJECTED) is None
    assert [problem for _, _, problem in tried_examples(texts)] == [""]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"granted": f"lines: ['An {{iban}}']\n{EXAMPLE}"}, r"granted.yaml:1:1.*nothing is called '\{iban\}'.*amount"),
        ({"granted": f"lines: ['Bewilligt: {{amount']\n{EXAMPLE}"}, "a bracket stands alone"),
        ({"granted": f"lines: ['']\n{EXAMPLE}"}, "a line is empty"),
        ({"granted": f"lines: []\n{EXAMPLE}"}, "lines"),
        ({"granted": "lines: [a]\n"}, "examples"),
        ({"granted": f"lines: [a]\nstatus: ACCEPTED\n{EXAMPLE}"}, "granted.yaml:2:1: status"),
        ({"questioned": f"lines: [a]\n{EXAMPLE}"}, "no state with a decision is called 'questioned'"),
        ({"committed": "same_as: granted\n"}, "committed.yaml:1:1: there is no text 'granted'"),
        ({"granted": f"lines: [a]\nreviewed: {{by: ''}}\n{EXAMPLE}"}, "reviewed"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, texts: dict[str, str], told: str) -> None:
    """File, line, what was expected."""
    with pytest.raises(ConfigurationError, match=told):
        read_texts(in_a_set(tmp_path, **texts))


def test_an_example_that_says_something_else_fails(tmp_path: Path) -> None:
    """Whoever changes a word sees what people will read."""
    wrong = "lines: ['Nur {amount}', '{area_name}']\nexamples: [{given: {amount: 1.00}, lines: ['x']}]\n"
    [(_, _, problem)] = tried_examples(read_texts(in_a_set(tmp_path, granted=wrong)))

    assert "{area_name}" in problem


@pytest.mark.parametrize(
    ("quiet", "at", "is_quiet"),
    [
        ("20:00-07:00", "2026-07-01T04:59:00+00:00", True),
        ("20:00-07:00", "2026-07-01T05:00:00+00:00", False),
        ("20:00-07:00", "2026-12-01T05:59:00+00:00", True),
        ("20:00-07:00", "2026-12-01T19:00:00+00:00", True),
        ("12:00-13:00", "2026-12-01T11:30:00+00:00", True),
        ("12:00-13:00", "2026-12-01T12:00:00+00:00", False),
        ("", "2026-12-01T02:00:00+00:00", False),
    ],
)
def test_quiet_hours_are_those_of_berlin(quiet: str, at: str, is_quiet: bool) -> None:
    """In summer and in winter, over midnight and within a day."""
    assert Pace(quiet=quiet).is_quiet(now().fromisoformat(at)) is is_quiet


@pytest.mark.parametrize("quiet", ["20-7", "25:00-07:00", "07:00-07:00"])
def test_what_is_no_span_of_hours_is_refused(quiet: str) -> None:
    """It would be never, or always."""
    with pytest.raises(ValueError, match="quiet"):
        Pace(quiet=quiet)
