"""The crash matrix: killed at every point of every visit, run again; all arrives once, nothing stays in doubt (F1, F3).

One test file per database calls this, so that two workers share the work.

A point "after X" that is directly followed by "before Y" is left out: commits, calls and renames are the only doors,
so between the two nothing outside the process has changed, but for a file that is not renamed yet – and that lies there
at "before Y". `KIEZBRUECKE_CRASH_POINTS=all` kills at these points, too, in twice the time. The platform, which knows
nothing here, is asked again only after a kill in its own route, and once at the end of every visit: half of a round is
asking it.
"""

from __future__ import annotations

import os

from kiezbruecke import pipeline
from tests.crash_points import ChildFailed, die_at

from .district import EXPECTED, PLATFORM, ROUTES, VISITS, Journey, World

NAMES = [f"{phase}-{route}" for phase, route in VISITS]


def kill_at_every_point(journey: Journey, visit: int) -> int:
    """A crash must cost time, never a second Vorgang, a second Festlegung or a lost case. Returns the points."""
    points = points_to_kill(journey.points[visit])

    wrong = [
        f"point {number}, {point}: {problem}"
        for number, point in points
        for problem in _die_and_recover(journey, visit, number, point)
    ]

    assert not wrong, "\n".join(wrong)
    assert points, f"{VISITS[visit][1]} passes no point at all"
    assert _sends_nothing_more(journey.world), "a further round has sent something again"
    return len(points)


def points_to_kill(passed: list[str]) -> list[tuple[int, str]]:
    """The points with their numbers, without those that are the same moment as the next one."""
    following = [*passed[1:], ""]
    everything = os.environ.get("KIEZBRUECKE_CRASH_POINTS") == "all"
    return [
        (number, point)
        for number, (point, after) in enumerate(zip(passed, following, strict=True), 1)
        if everything or not (point.startswith("after ") and after.startswith("before "))
    ]


def end_without_a_crash(journey: Journey) -> list[str]:
    """The problems of the whole journey: what every crash is compared with must itself be right."""
    world = journey.begin(len(VISITS) - 1)
    world.run(VISITS[-1][1])
    return world.problems(EXPECTED[2])


def _die_and_recover(journey: Journey, visit: int, number: int, point: str) -> list[str]:
    phase, route = VISITS[visit]
    world = journey.begin(visit)
    died_at = die_at(number, world.inside(lambda house: pipeline.run(house, route)))
    try:
        world.settle(routes=ROUTES if route == PLATFORM else [name for name in ROUTES if name != PLATFORM])
    except ChildFailed as failure:
        return [str(failure)]
    same = [] if died_at == point else [f"died at another point than was counted: {died_at}"]
    return same + world.problems(EXPECTED[phase])


def _sends_nothing_more(world: World) -> bool:
    before = [world.received(one) for one in (world.xta, world.hkr)]
    world.run_all()
    return before == [world.received(one) for one in (world.xta, world.hkr)]
