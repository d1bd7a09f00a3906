"""The crash matrix on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .district import VISITS, Journey
from .matrix import NAMES, end_without_a_crash, kill_and_run_again


@pytest.mark.parametrize("visit", range(len(VISITS)), ids=NAMES)
def test_a_kill_at_any_point_is_healed_by_running_again(
    visit: int, journeys: Callable[[str], Journey], record_property: Callable[[str, object], None]
) -> None:
    """Every kind of commit, of call and of rename, before and after."""
    record_property("points", kill_and_run_again(journeys("postgresql"), visit))


def test_the_journey_without_a_crash_ends_as_expected(journeys: Callable[[str], Journey]) -> None:
    """Both phases, all sums."""
    assert end_without_a_crash(journeys("postgresql")) == []
