"""What is only sampled is tried all the same, some day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.crash_points import points_to_kill
from tests.sample import DOOR

FIRST = [
    "before commit a",
    "after commit a",
    "before call /x/1",
    "after call /x/1",
    "before commit a",
    "after commit a",
]
SECOND = [
    "before commit a",
    "after commit a",
    "before call /x/22",
    "after call /x/22",
    "before rename b",
    "after rename b",
]
MOMENTS = {  # "after" with "before" behind it is no moment of its own
    (0, 1), (0, 3), (0, 5), (0, 6),
    (1, 1), (1, 3), (1, 5), (1, 6),
}  # fmt: skip


def _on(day: str, patch: pytest.MonkeyPatch) -> set[tuple[int, int]]:
    patch.setenv(DOOR, day)
    return {(visit, number) for visit, kills in enumerate(points_to_kill(FIRST, SECOND)) for number, _ in kills}


def test_a_day_has_one_moment_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginning and the call are in both visits; what follows the call, and the end, are other kinds in each."""
    assert _on("2026-11-29", monkeypatch) - {(0, 1), (0, 3), (1, 1), (1, 3)} == {(0, 5), (0, 6), (1, 5), (1, 6)}
    assert len(_on("2026-11-29", monkeypatch)) == 6


def test_after_as_many_days_as_a_kind_has_moments_all_have_been_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [(date(2026, 12, 31) + timedelta(days=number)).isoformat() for number in range(2)]

    assert set.union(*(_on(day, monkeypatch) for day in days)) == MOMENTS


def test_a_day_that_is_asked_for_again_has_the_same_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _on("2026-11-29", monkeypatch) == _on("2026-11-29", monkeypatch) != _on("2026-11-30", monkeypatch)


def test_all_is_every_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those too that are the same moment as the next one."""
    assert len(_on("all", monkeypatch)) == len(FIRST) + len(SECOND)
