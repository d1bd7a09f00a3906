"""The crash matrix: killed at a point of a visit, run again: all arrives once, nothing stays in doubt (F1, F3).

One test file per database calls this, so that two workers share the work. `tests.crash_points.points_to_kill` says at
which points, of the whole journey. The platform, which knows nothing here, is asked again only after a kill in its own
route, and once at the end of every visit: half of a round is asking it.
"""

from __future__ import annotations

import pytest

from kiezbruecke import pipeline
from tests.crash_points import ChildFailed, die_at, points_to_kill

from .district import EXPECTED, PLATFORM, ROUTES, VISITS, Journey, World

NAMES = [f"{phase}-{route}" for phase, route in VISITS]


def kill_and_run_again(journey: Journey, visit: int) -> int:
    """A crash must cost time, never a second Vorgang, a second Festlegung or a lost case. Returns the points."""
    assert journey.points[visit], f"{VISITS[visit][1]} passes no point at all"
    points = points_to_kill(*journey.points)[visit]
    if not points:
        pytest.skip("none of this visit's points is in today's sample")

    wrong = [
        f"point {number}, {point}: {problem}"
        for number, point in points
        for problem in _die_and_recover(journey, visit, number, point)
    ]

    assert not wrong, "\n".join(wrong)
    assert _sends_nothing_more(journey.world), "a further round has sent something again"
    return len(points)


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
