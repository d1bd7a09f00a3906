"""Open data, from the vote to the files: what is due, and what lies in the folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kiezbruecke import desk
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import money
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.reading import read_previews
from kiezbruecke.sandbox import Running
from tests.world import ROOT, SEND, World, budget, found, line, make_world, open_sandboxes, processes, wipe

__all__ = ["make_world", "processes"]
ROUTE = "kk-tk-offene-daten"
FACTS = {
    "title": "Kiezkassen Treptow-Köpenick 2026: bewilligte Projekte",
    "publisher": "Bezirksamt Treptow-Köpenick von Berlin",
    "contact": {"name": "Sozialraumorientierte Planungskoordination", "email": "spk@ba-tk.example"},
    "contributor_id": "http://dcat-ap.de/def/contributors/TEST",
    "url": "https://ba-tk.example/offene-daten",
}


@pytest.fixture
def office(content: Path, make_world: Callable[[Path], World]) -> World:
    """A district that publishes: an empty folder, the facts of a publication."""
    world = make_world(content)
    open_office(world)
    world.drop_budget(budget())
    return world


def open_office(world: World) -> None:
    """Say live, and what is said of the data."""
    folder = world.state / "offen"
    folder.mkdir()
    world.connections["offene-daten-tk"] = {
        "conn_type": "kb_folder",
        "extra": {"path": str(folder), "profile": "offene-daten"},
    }
    world.connect()
    world.route(ROUTE, mode="live", **{"with": {"publication": FACTS}})


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


def test_a_correction_changes_exactly_one_line(office: World) -> None:
    """With its own day; all others stay byte for byte."""
    office.drop(line("P-1"), line("P-2", "400,00"), line("P-3", "120,00"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE)
    before = rows(office)
    office.drop(line("P-2", "350,00", why="Rechenfehler"), name="mai.csv")
    counts = office.run("kk-tk-beschluesse", ROUTE)[-1]
    after = rows(office)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]

    assert counts["prepared"] == 1
    assert [(one["titel"], one["bewilligt"], other["bewilligt"]) for one, other in changed] == [
        ("Vorschlag P-2", "400.00", "350.00")
    ]
    assert lying(office)[0] == "kk-tk-2026"
    assert len(lying(office)) == 3  # the old set is gone, so its sum is nowhere
    assert "400.00" not in (shown(office) / "kk-tk-2026.json").read_text("utf-8")


def test_what_is_withdrawn_stays_and_says_so(office: World) -> None:
    """Nothing granted any more, and everybody sees that it was."""
    office.drop(line("P-1"), line("P-2", "400,00"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE)
    office.drop(line("P-1", "", "zurückgezogen", why="Verein aufgelöst"), name="mai.csv")
    office.run("kk-tk-beschluesse", ROUTE)

    assert {one["titel"]: (one["bewilligt"], one["stand"], one["stand_text"]) for one in rows(office)} == {
        "Vorschlag P-1": ("0.00", "withdrawn", "bewilligt und später zurückgezogen"),
        "Vorschlag P-2": ("400.00", "granted", "beschlossen, wird bearbeitet"),
    }


def test_the_sums_are_those_of_the_ledger(office: World) -> None:
    """Granted as the evaluation counts it; committed as the budget system has confirmed it."""
    office.drop(line("P-1"), line("P-2", "400,05"), line("P-3", "", "abgelehnt"))
    office.run()
    office.drop(line("P-2", "350,10", why="Rechenfehler"), name="mai.csv")
    office.run()
    office.run(ROUTE)
    office.drop(line("P-4", "99,99"), name="juni.csv")
    office.run("kk-tk-beschluesse", ROUTE)
    found = rows(office)
    [area] = [one for one in desk.evaluate(office.house, "kk-tk-2026", now()).areas if one.area == "090416"]
    [balance] = money.balances(office.ledger, "kk-tk-2026")

    assert sum(Decimal(one["bewilligt"]) for one in found) == area.granted_sum == Decimal("1300.09")
    committed = sum(Decimal(one["bewilligt"]) for one in found if one["stand"] == "committed")
    assert committed == money.euros(balance.booked) == Decimal("1200.10")


@pytest.mark.parametrize("mode", ["off", "dry_run"])
def test_nothing_is_published_unless_the_district_says_live(office: World, mode: str) -> None:
    """Not a file; a dry run shows what would be."""
    office.route(ROUTE, mode=mode)
    office.drop(line("P-1"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE)

    assert lying(office) == []
    assert len(read_previews(office.ledger, ROUTE)) == (1 if mode == "dry_run" else 0)


def test_as_shipped_it_is_off(make_world: Callable[[Path], World]) -> None:
    """Although the district's sending routes are live."""
    world = make_world(ROOT)
    [route] = [one for one in desk.routes(world.house) if one.route == ROUTE]

    assert route.mode == "off"
    assert world.run(ROUTE) == [{}]


def test_what_is_missing_stops_the_run_before_anything_is_written(office: World) -> None:
    """One line that names the fact."""
    office.route(ROUTE, **{"with": {"publication": {"url": None}}})
    office.drop(line("P-1"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse")

    with pytest.raises(ConfigurationError, match="the publication cannot be described, missing: url"):
        office.run(ROUTE)
    assert lying(office) == []
    office.route(ROUTE, **{"with": {"publication": {"url": FACTS["url"]}}})
    office.run(ROUTE)
    assert len(rows(office)) == 1


def test_an_area_over_its_budget_is_not_published(office: World) -> None:
    """Nobody may be told yet; what was published before stays as it was."""
    office.drop(line("P-1"))
    office.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE)
    office.drop(line("P-2", "2.500,00"), name="mai.csv")
    office.run("kk-tk-beschluesse", ROUTE)

    assert [one["titel"] for one in rows(office)] == ["Vorschlag P-1"]


# --- with a platform

TITLES = {
    4: "Lampen am Weg",
    7: "=1+1 Bänke",
    8: "Grillfest, Fragen an Erika 030 1234567",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A small platform with three ideas."""
    base = tmp_path_factory.mktemp("platform")
    data = json.loads((ROOT / "demo/proposals.json").read_text("utf-8"))
    data["proposals"] = [
        {**one, "name": TITLES[one["pk"]], "budget": 500, "description": "<p>Von Erika Mustermann</p>"}
        for one in data["proposals"]
        if one["pk"] in TITLES
    ]
    (base / "data.json").write_text(json.dumps(data), "utf-8")
    started = open_sandboxes(base, ("meinberlin",), meinberlin=[f"data={base / 'data.json'}"])
    yield started
    for running in started.values():
        running.kill()


def test_titles_are_the_platforms_and_harmless(
    platform: dict[str, Running],
    processes: dict[str, Running],
    content: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As they stand there; one that names a contact not at all, one that looks like a formula as text."""
    wipe(processes)
    world = found(tmp_path / "var", {**processes, **platform}, content, monkeypatch)
    open_office(world)
    world.drop_budget(budget("6.000,00 €", area="Johannisthal"))
    world.drop(*(line(f"2026-0000{pk}", "100,00 €", area="Johannisthal") for pk in TITLES))
    world.run("kk-tk-budgets", "kk-tk-meinberlin", "kk-tk-beschluesse", *SEND, ROUTE)
    everything = b"".join(file.read_bytes() for file in shown(world).iterdir()).decode()
    world.close()

    assert sorted((one["titel"], one["beantragt"], one["bezirksregion"]) for one in rows(world)) == [
        ("'=1+1 Bänke", "500.00", "Johannisthal"),
        ("Lampen am Weg", "500.00", "Johannisthal"),
        ("Vorschlag 2026-00008", "500.00", "Johannisthal"),
    ]
    assert not any(word in everything for word in ("Erika", "1234567", "Mustermann"))
