"""A proposal that no module and no point places: a person says where it belongs, once, and that stays."""

from __future__ import annotations

from typing import Any

import pytest

from kiezbruecke.connector import Item
from kiezbruecke.ledger import evidence, history
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.runs import begin_run
from kiezbruecke.ledger.todo import Answer
from kiezbruecke.records import Point, ProposalStatus
from tests.builders import a_proposal
from tests.cli.conftest import Call, call
from tests.world import World, line

__all__ = ["call"]
WHO = ("--name", "SPK 1", "--reason", "Anruf beim Verein")
ALEXANDERPLATZ = Point(lon=13.4132, lat=52.5219)
CASE = "2026-00001"


def collected(world: World, **given: Any) -> None:
    """A collection has brought the proposal, without an area as far as nobody knows one."""
    proposal = a_proposal(**{"area_id": None, "area_origin": "unknown", "point": ALEXANDERPLATZ, **given})
    name = "meinberlin-tk"
    run = begin_run(world.ledger, f"{name}|collect|kk-tk-2026", "kk-tk-meinberlin", "collect")
    origin = history.Origin(name, "kk-tk-2026", "spk-tk")
    history.store(world.ledger, run, origin, [Taken(Item("proposal", CASE, {}), (proposal,))], "")


@pytest.fixture
def waiting(world: World) -> World:
    """One proposal outside the district, seen by a sending route."""
    collected(world)
    world.run("kk-tk-budgets", "kk-tk-hkr")
    return world


def test_outside_of_all_it_waits_with_what_helps(waiting: World) -> None:
    """Nothing is guessed, and no map is asked: the text holds no address."""
    [point] = waiting.points()

    assert point.reason == (
        f"{CASE}: Bezirksregion fehlt. Der Vorschlag liegt in keiner Bezirksregion oder auf einer Grenze. "
        "Was hilft: zuordnen mit --area"
    )
    assert (point.answers, point.owner, "http" in point.reason) == ((Answer.ASSIGN,), "spk-tk", False)


def test_a_persons_word_is_chained_and_outlives_the_next_collection(waiting: World, call: Call) -> None:
    """The platform brings the proposal again, as it was."""
    [point] = waiting.points()
    said = call("todo", "decide", str(point.id), "zuordnen", "--area", "müggelheim", *WHO)
    assert (said.code, said.err) == (0, "")
    collected(waiting, title="Bank am See, neu")
    waiting.run("kk-tk-hkr")

    assert waiting.points() == []
    assert call("sheet", "new", "--process", "kk-tk-2026", "--area", "Müggelheim", "-o", str(waiting.state / "l.xlsx"),
                "--json").json["proposals"] == 1  # fmt: skip
    assert evidence.verify(waiting.ledger).broken == ()
    shown = call("case", "show", CASE, "--json").json
    assert "090416" in str(shown)


def test_a_proposal_that_nobody_decides_any_more_asks_nobody(world: World) -> None:
    """Withdrawn or archived: its area is no question."""
    collected(world, status=ProposalStatus.WITHDRAWN)
    world.run("kk-tk-budgets", "kk-tk-hkr")

    assert world.points() == []


def test_a_decision_sheet_is_a_word_as_well(waiting: World) -> None:
    """Its column Bezirksregion says it; the point heals."""
    waiting.drop(line(CASE))
    waiting.run("kk-tk-beschluesse", "kk-tk-hkr")

    assert waiting.points() == []
    assert [mark for mark, _, _ in waiting.orders()] == ["KK26-090416-00001-F1"]


def test_a_sheet_of_another_area_than_a_person_said_waits(waiting: World, call: Call) -> None:
    """One of two people is wrong, and money of an area is at stake."""
    [point] = waiting.points()
    call("todo", "decide", str(point.id), "zuordnen", "--area", "Grünau", *WHO)
    waiting.drop(line(CASE))
    waiting.run("kk-tk-beschluesse", "kk-tk-hkr")

    [question] = waiting.points()
    assert "andere Bezirksregion (Müggelheim) als die, der er zugeordnet wurde (Grünau)" in question.reason
    assert question.answers == (Answer.RELEASE, Answer.DISMISS)
    assert waiting.orders() == []

    assert call("todo", "decide", str(question.id), "freigeben", *WHO).code == 0
    waiting.run("kk-tk-hkr")
    assert [mark for mark, _, _ in waiting.orders()] == ["KK26-090416-00001-F1"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("zuordnen",), "zuordnen --area NAME"),
        (("zuordnen", "--area", "Potsdam"), "Diese Bezirksregion gibt es in dem Verfahren nicht"),
        (("erledigt",), "gibt es hier nicht"),
    ],
)
def test_what_is_no_answer_changes_nothing(waiting: World, call: Call, words: tuple[str, ...], expected: str) -> None:
    """One clear line."""
    [point] = waiting.points()
    said = call("todo", "decide", str(point.id), *words, *WHO)

    assert said.code == 2
    assert expected in said.err
    assert [one.id for one in waiting.points()] == [point.id]
