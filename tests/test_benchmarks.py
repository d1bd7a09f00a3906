"""The benchmark's peers do the same work as we do; how long it takes is never a test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("xsdata")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # benchmarks/ is no part of the wheel

from benchmarks import offline, report, ways


@pytest.mark.parametrize("name", ["xdomea", "pain"])
def test_all_ways_write_the_same_valid_message(name: str) -> None:
    """A peer that does less work would make every ratio a lie. Record 0 has no address, 7 payments no street."""
    assert ways.prove(ways.job(name), (0, 1, 5, 11)) == 4


def test_a_way_that_writes_something_else_stops_the_suite() -> None:
    """Else the proof above could hold for nothing."""
    one = ways.job("xdomea")
    liar = ways.Job(
        one.name,
        one.mapping,
        {**one.ways, "liar": lambda roots: one.ways[ways.LXML]({**roots, "proposal": None})},
        one.roots,
        one.entries,
        one.schemas,
        one.xsdata_writer,
    )

    with pytest.raises(ways.NotTheSame, match="liar"):
        ways.prove(liar, (1,))


def test_all_chains_end_in_the_same_message() -> None:
    """From JSON bytes on, with and without the inbound mapping."""
    offline.prove_chains(offline.pieces(2))


def test_every_goal_has_one_key() -> None:
    """results.json has one place for each."""
    keys = [goal.key for goal in report.GOALS]

    assert len(keys) == len(set(keys))
    assert not set(keys) & set(report.NOT_MEASURED)
