"""A restored backup has forgotten what was told: nobody is told it twice, and the platform stays a source."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke import pipeline
from kiezbruecke.edge import open_house
from kiezbruecke.errors import Recovering
from kiezbruecke.ledger import MessageState
from kiezbruecke.stages import recovering
from tests.builders import by
from tests.home.conftest import Home
from tests.world import line

PERSON: dict[str, Any] = {"person": by("A. Muster"), "reason": "Sicherung vom Vorabend zurückgespielt"}


@pytest.fixture
def put_back(home: Home, tmp_path: Path) -> Callable[[], None]:
    """Decided and not told: to this moment the ledger can be put back."""
    home.decide(line("2026-00001"), line("2026-00002", "", "abgelehnt"))
    home.close()
    shutil.copytree(home.state, tmp_path / "backup", ignore=shutil.ignore_patterns("witness.json", "eingang"))
    home.house = open_house()

    def restore() -> None:
        home.close()
        for file in home.state.glob("ledger.sqlite3*"):
            file.unlink()
        for file in (tmp_path / "backup").glob("ledger.sqlite3*"):
            shutil.copy(file, home.state)
        home.house = open_house()

    return restore


def test_what_was_told_is_not_told_again(home: Home, put_back: Callable[[], None]) -> None:
    """The witness knows of more sends; after the walk back the form itself says that it is there."""
    home.answer()
    put_back()
    with pytest.raises(Recovering):
        home.answer()
    found = pipeline.recover(home.house, "meinberlin-tk")
    recovering.end(home.house, "meinberlin-tk", **PERSON)
    posts = sum(one.startswith("POST /budgeting") for one in home.requests())
    home.answer()

    assert found.questions == 0
    assert len(home.mails()) == 2
    assert sum(one.startswith("POST /budgeting") for one in home.requests()) == posts
    assert {head.state for head in home.messages()} == {MessageState.CONFIRMED}
    assert [point for point in home.points() if point.kind != "recovering"] == []  # others were stopped with it


def test_what_was_moderated_meanwhile_is_a_persons(home: Home, put_back: Callable[[], None]) -> None:
    """Our mark in the note says that we have written there: somebody is asked before anything is written again."""
    home.answer()
    home.put({"pk": 1, "moderator_status": "CONSIDERATION", "feedback": "<p>Von der Moderation.</p>"})
    put_back()
    with pytest.raises(Recovering):
        home.answer()
    found = pipeline.recover(home.house, "meinberlin-tk")
    [point] = home.points("present")

    assert found.questions == 1
    assert point.case_reference == "2026-00001"
    assert home.row(1)["feedback"] == "<p>Von der Moderation.</p>"
    assert len(home.mails()) == 2


def test_a_platform_that_is_told_something_is_still_a_source(home: Home) -> None:
    """After a restored backup its proposals are read again, for every destination of the process."""
    for destination in ("eakte-tk", "meinberlin-tk"):
        _, sources, boxes = recovering._routes(home.house, destination)

        assert "kk-tk-meinberlin" in {route.name for route in sources}
        assert "kk-tk-meinberlin" not in {route.name for route in boxes}
