"""Killed at every point, run again: all arrives once, and nothing stays in doubt that could be asked (F1, F3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiezbruecke import pipeline
from kiezbruecke.testing.crash import ChildFailed, die_at

from .conftest import EXPECTED, VISITS, Journey, World


@pytest.mark.parametrize("visit", range(len(VISITS)), ids=[f"{phase}-{route}" for phase, route in VISITS])
def test_a_kill_at_any_point_is_healed_by_running_again(
    visit: int, database: str, journeys: Callable[[str], Journey], record_property: Callable[[str, object], None]
) -> None:
    """A crash must cost time, never a second Vorgang, a second Festlegung or a lost case."""
    journey = journeys(database)
    route = VISITS[visit][1]
    points = journey.points[visit]

    wrong = [
        f"point {number}, {point}: {problem}"
        for number, point in enumerate(points, 1)
        for problem in _die_and_recover(journey, visit, number, point)
    ]
    record_property("points", len(points))

    assert not wrong, "\n".join(wrong)
    assert points, f"{route} passes no point at all"
    assert _sends_nothing_more(journey.world), "a further round has sent something again"


def test_the_journey_without_a_crash_ends_as_expected(database: str, journeys: Callable[[str], Journey]) -> None:
    """What every crash is compared with must itself be right."""
    journey = journeys(database)
    world = journey.begin(len(VISITS) - 1)
    world.run(VISITS[-1][1])

    assert world.problems(EXPECTED[2]) == []


def _die_and_recover(journey: Journey, visit: int, number: int, point: str) -> list[str]:
    phase, route = VISITS[visit]
    world = journey.begin(visit)
    died_at = die_at(number, world.inside(lambda: pipeline.run(route)))
    try:
        world.settle()
    except ChildFailed as failure:
        return [str(failure)]
    same = [] if died_at == point else [f"died at another point than was counted: {died_at}"]
    return same + world.problems(EXPECTED[phase])


def _sends_nothing_more(world: World) -> bool:
    before = [world.received(one) for one in (world.xta, world.hkr)]
    world.run_all()
    return before == [world.received(one) for one in (world.xta, world.hkr)]
