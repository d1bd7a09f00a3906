"""Two runs of one lane at once, and one that sleeps in the middle of sending: each case arrives once (F4, F5)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kiezbruecke import pipeline
from kiezbruecke.house import House
from tests.crash_points import beside, stop_at

from .district import EXPECTED, VISITS, Journey, World


@pytest.mark.parametrize("route", ["kk-tk-eakte", "kk-tk-hkr", "kk-tk-statusliste"])
def test_two_runs_at_once_send_each_case_once(database: str, route: str, journeys: Callable[[str], Journey]) -> None:
    """Two schedulers, the same DAG twice, an impatient Enter: the receiver must not notice (F5, F29)."""
    world = journeys(database).begin(VISITS.index((1, route)))
    at = time.monotonic() + 0.2

    def run(house: House) -> dict[str, int]:
        time.sleep(max(0.0, at - time.monotonic()))
        return dict(pipeline.run(house, route))

    both = [beside(world.inside(run)) for _ in range(2)]
    counts = [child.result() for child in both]
    world.settle()

    assert world.problems(EXPECTED[1]) == [], counts


@pytest.mark.parametrize(("route", "call"), [("kk-tk-eakte", "/SendXtaPort"), ("kk-tk-hkr", "/hkr")])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_sleeps_while_sending_is_overtaken(
    database: str, route: str, call: str, moment: str, journeys: Callable[[str], Journey]
) -> None:
    """It wakes up with an answer in its hand, and the lane has long been another's: it changes nothing (F4)."""
    journey = journeys(database)
    visit = VISITS.index((1, route))
    number = journey.points[visit].index(f"{moment} call {call}") + 1
    world = journey.begin(visit)

    sleeper = stop_at(number, world.inside(lambda house: dict(pipeline.run(house, route))))
    world.settle()
    before = world.problems(EXPECTED[1])
    sleeper.wake()
    counts = sleeper.result()

    assert before == []
    assert counts.get("overtaken") == 1
    assert world.problems(EXPECTED[1]) == []
    assert _nothing_more(world)


def _nothing_more(world: World) -> bool:
    before = world.received(world.xta)
    world.run_all()
    return before == world.received(world.xta)
