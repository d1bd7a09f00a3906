"""Two runs of one route beside each other: the older one stops everywhere, and what it has done stays."""

from __future__ import annotations

from typing import Any

import pytest

from kiezbruecke import pipeline
from kiezbruecke.content.routes import find_route
from kiezbruecke.errors import Overtaken
from kiezbruecke.ledger import Run, begin_run
from kiezbruecke.ledger.runs import stop_if_overtaken
from kiezbruecke.stages import preparing
from kiezbruecke.stages.running import Steps
from kiezbruecke.stages.work import Counts, Sending, lane_of
from tests.ledger.conftest import Desk
from tests.world import World, line

from .test_collecting import Box, answer, collect

ROUTE = "kk-tk-eakte"


def newer(world: World, name: str = ROUTE) -> Run:
    """Another run takes the lane."""
    route = find_route(world.content, name)
    return begin_run(world.ledger, lane_of(route), route.name, "test")


def test_prepare_keeps_what_it_has_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that are stored stay, nothing after them is stored, and the next run looks at all of it once more."""
    world.drop(line("P-1"), line("P-2", "100,-"), line("P-3", "50,-"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    monkeypatch.setattr(preparing, "CHUNK", 1)
    keep, kept = preparing.keep, list[Any]()

    def keep_and_be_overtaken(*arguments: Any) -> None:
        keep(*arguments)
        kept.append(arguments)
        if len(kept) == 1:
            newer(world)

    monkeypatch.setattr(preparing, "keep", keep_and_be_overtaken)
    first = pipeline.prepare(world.house, ROUTE)
    stored = len(world.messages("eakte-tk"))
    second = pipeline.prepare(world.house, ROUTE)

    assert (first["overtaken"], first["prepared"], stored) == (1, 1, 1)
    assert second["prepared"] == 2
    assert len({head.case_id for head in world.messages("eakte-tk")}) == len(world.messages("eakte-tk")) == 3


def test_the_older_run_does_not_take_the_lane_back_with_its_next_step(world: World) -> None:
    """Between two steps nothing is written that would tell it; its next step would have ended the newer run."""
    others: list[Run] = []
    called: list[str] = []

    def deliver(_work: Sending, _counts: Counts) -> None:
        called.append("deliver")
        others.append(newer(world))

    def reconcile(_work: Sending, _counts: Counts) -> None:
        called.append("reconcile")

    counts = Steps({}, {"deliver": deliver, "reconcile": reconcile}).run(world.house, ROUTE)

    assert called == ["deliver"]
    assert counts["overtaken"] == 1
    stop_if_overtaken(world.ledger, others[0])


def test_reconcile_reminds_nobody_for_an_older_run(world: World) -> None:
    def remind_late(work: Sending, counts: Counts) -> None:
        newer(world)
        pipeline.reconciling.remind(work, counts)

    counts = Steps({}, {"reconcile": remind_late}).run(world.house, ROUTE)

    assert counts["overtaken"] == 1


def test_collect_stops_between_chunks_also_where_nothing_is_new(desk: Desk) -> None:
    """Where all is as before nothing is written, so nothing told the older run that it was one."""
    box = Box([answer(number) for number in range(3)])
    collect(desk, box, listing="full")
    heard = len(box.heard)
    fetch = box.fetch

    def fetch_while_another_begins(cursor: Any) -> Any:
        yield from fetch(cursor)
        desk.run("eakte-tk|collect", "kk-tk-eakte-postfach")

    box.fetch = fetch_while_another_begins  # type: ignore[method-assign]
    with pytest.raises(Overtaken):
        collect(desk, box, listing="full")

    assert len(box.heard) == heard
