"""The evening's run: files of the day for all processes, counts alone to Airflow, and a loud failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from kiezbruecke.desk.evening import close_the_day
from kiezbruecke.edge import REPORTS, open_house
from kiezbruecke.errors import Differing
from kiezbruecke.house import House
from tests.world import World, line, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]

EVENING = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)  # the next day in Berlin
NAMES = [f"abgleich-2026-11-30.{ending}" for ending in ("csv", "html", "txt", "xlsx")]


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    """One grant booked and fetched."""
    world.drop(line("P-1", "850,00"))
    world.run()
    world.run("kk-tk-hkr")
    return replace(world.house, reports=tmp_path / "berichte")


def test_the_files_of_the_day_lie_in_the_folder(house: House, tmp_path: Path) -> None:
    """All four, whole; a second run of the same day writes them anew; Airflow hears counts."""
    told = close_the_day(house, EVENING)
    again = close_the_day(house, EVENING)
    folder = tmp_path / "berichte"

    assert told == again == {"areas": 1, "hanging": 0, "late": 0, "unmatched": 0}
    assert sorted(file.name for file in folder.iterdir()) == NAMES
    assert load_workbook(folder / NAMES[3])["Summen"]["C2"].value == "Müggelheim"
    assert "Beide Seiten stimmen überein" in (folder / NAMES[1]).read_text("utf-8")


def test_different_sums_fail_loudly_when_the_files_are_there(house: House, world: World, tmp_path: Path) -> None:
    """Area and cents in one line; what is wrong can be read."""
    world.sandboxes["hkr"].arm("wrong_balance")
    world.run("kk-tk-hkr")

    with pytest.raises(Differing) as caught:
        close_the_day(house, EVENING)

    assert "Müggelheim 2026, gebucht: 850,00 € bei uns, 850,01 € im HKR, Unterschied 0,01 €" in caught.value.line()
    assert sorted(file.name for file in (tmp_path / "berichte").iterdir()) == NAMES
    assert "Unterschiede:" in (tmp_path / "berichte" / NAMES[2]).read_text("utf-8")


def test_the_folder_is_said_as_others_are(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its variable, else beside the state."""
    assert world.house.reports == world.state / "abgleich"
    monkeypatch.setenv(REPORTS, str(tmp_path / "anders"))
    other = open_house()
    assert other.reports == tmp_path / "anders"
    other.close()
