"""A small year: six funds of two districts, two on the platform, against books kept without the software."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from demo.year.__main__ import funds, play
from demo.year.books import keep
from demo.year.story import Day, Word, plan


@pytest.fixture
def surroundings() -> Iterator[None]:
    """The year says to the process where its state is."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("surroundings")
def test_a_year_ends_as_its_books_say(tmp_path: Path) -> None:
    """With faults at every sandbox on every day, a freeze, a cut, corrections and successors."""
    digital = [kasse for kasse in funds() if kasse.module][:2]
    paper = [kasse for kasse in funds() if not kasse.module]
    outcome = play(tmp_path / "jahr", [*digital, *paper[:2], *paper[-2:]], 8, lambda _: None)

    assert outcome.wrong == []
    assert outcome.points == len(outcome.books.corrected) > 0
    assert len(outcome.books.ideas) == 48


def test_the_story_has_everything_that_a_year_has() -> None:
    """A year in which nothing happens proves nothing."""
    days = plan(funds(), 20)
    books = keep(days)
    words = {word for word in books.counts() if word}

    assert len(books.ideas) == 400
    assert words == set(Word)
    assert {grant.status for day in days for grant in day.grants} == {"geplant", "freigegeben", "gesperrt"}
    assert any("Nachgerückt" in vote.reason for day in days for _, votes in day.sheets for vote in votes)


def test_the_books_find_a_story_that_spends_too_much() -> None:
    """They are worth something only if they can say no."""
    days = plan(funds()[:1], 5)
    first = next(day for day in days if day.grants)
    poor = Day(first.date, "", [type(one)(one.kasse, Decimal(1), one.status) for one in first.grants])
    with pytest.raises(AssertionError, match="of 1"):
        keep([*(day for day in days if not day.grants), poor])
