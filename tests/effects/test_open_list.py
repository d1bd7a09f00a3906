"""Open data, from the vote to the files: what is due, and what lies in the folder."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world import World, budget, line, make_world, processes

__all__ = ["make_world", "processes"]
ROUTE = "kk-tk-offene-daten"
FACTS = {
    "title": "Kiezkassen Treptow-Köpenick 2026: bewilligte Projekte",
    "publisher": "Bezirksamt Treptow-Köpenick von Berlin",
    "contact": {"name": "Sozialraumorientierte Planungskoordination", "email": "spk@ba-tk.example"},
    "contributor_id": "http://dcat-ap.de/def/contributors/berlinOpenData",
    "url": "https://ba-tk.example/offene-daten",
}


@pytest.fixture
def office(content: Path, make_world: Callable[[Path], World]) -> World:
    world = make_world(content)
    folder = world.state / "offen"
    folder.mkdir()
    world.connections["offene-daten-tk"] = {
        "conn_type": "kb_folder",
        "extra": {"path": str(folder), "profile": "offene-daten"},
    }
    world.connect()
    world.route(ROUTE, mode="live", **{"with": {"publication": FACTS}})
    world.drop_budget(budget())
    return world


def rows(world: World, name: str = "kk-tk-2026") -> list[dict[str, str]]:
    """The lines of the CSV that is shown."""
    text = (shown(world, name) / f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def shown(world: World, name: str = "kk-tk-2026") -> Path:
    """What a web server shows under one address."""
    return world.state / "offen" / name


def lying(world: World) -> list[str]:
    """Everything in the folder, hidden things too."""
    return sorted(file.name for file in (world.state / "offen").iterdir())


def test_what_is_granted_is_published_and_nothing_else(office: World) -> None:
    """One set of files; what is refused or waits is nobody's business."""
    office.drop(line("P-1"), line("P-2", "", "abgelehnt"), line("P-3", "", "Warteliste"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE)

    assert [(one["titel"], one["bewilligt"], one["stand"]) for one in rows(office)] == [
        ("Vorschlag P-1", "850.00", "granted")
    ]
    assert sorted(file.name for file in shown(office).iterdir()) == [
        "datapackage.json", "dcat.jsonld", "kk-tk-2026.csv", "kk-tk-2026.json",
    ]  # fmt: skip


def test_two_runs_without_a_change_write_nothing(office: World) -> None:
    """No new set, no message, not even another time on the files."""
    office.drop(line("P-1"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE)
    before = [(name, (office.state / "offen" / name).stat().st_mtime_ns) for name in lying(office)]
    counts = office.run("kk-tk-beschluesse", ROUTE, ROUTE)

    assert [word for one in counts for word, many in one.items() if many] == []
    assert [(name, (office.state / "offen" / name).stat().st_mtime_ns) for name in lying(office)] == before
