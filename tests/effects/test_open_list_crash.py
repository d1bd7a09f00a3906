"""Open data in the crash matrix's own way: killed at every point, a reader sees the old set or the new one, whole."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiezbruecke import pipeline
from kiezbruecke.house import House
from kiezbruecke.ledger import evidence, reading, todo
from tests.crash.district import DECISIONS, District, decision
from tests.crash_points import count_points, die_at, in_child, points_to_kill
from tests.effects.test_open_list import FACTS, ROUTE
from tests.ledger.conftest import postgres
from tests.world import change_route

__all__ = ["postgres"]
NAME = "kk-tk-2026"
OLD = {"Vorschlag P-1": "850.00", "Vorschlag P-2": "1000.00"}
NEW = {"Vorschlag P-1": "700.00", "Vorschlag P-2": "0.00", "Vorschlag P-4": "300.50"}


@dataclass
class OpenOffice(District):
    """A district that publishes."""

    @property
    def shown(self) -> Path:
        """What a web server shows."""
        return self.state / "offen" / NAME

    def connect(self) -> None:
        """Write the connections; open data have a folder of their own."""
        folder = self.state / "offen"
        folder.mkdir(parents=True)
        extra = {"path": str(folder), "profile": "offene-daten"}
        self.connect_folders({"offene-daten-tk": {"conn_type": "kb_folder", "extra": extra}})

    def published(self) -> dict[str, str]:
        """Sums by title; the set must be of one piece, by its own package and by the mark of some set."""
        seen = {file.name: file.read_bytes() for file in self.shown.iterdir()}
        resources = json.loads(seen["datapackage.json"])["resources"]
        assert [one["hash"] for one in resources] == [
            f"sha256:{hashlib.sha256(seen[one['path']]).hexdigest()}" for one in resources
        ]
        lines = list(csv.DictReader(seen[f"{NAME}.csv"].decode().splitlines()))
        assert [one["id"] for one in lines] == [one["id"] for one in json.loads(seen[f"{NAME}.json"])]
        return {one["titel"]: one["bewilligt"] for one in lines}

    def problems(self) -> list[str]:
        """Every way in which this district is not as it must be."""
        lying = sorted(file.name for file in (self.state / "offen").iterdir() if not file.name.startswith("."))
        wrong = [] if len(lying) == 3 else [f"in the folder lie {lying}"]
        if (sums := self.published()) != NEW:
            wrong.append(f"published is {sums}")
        return wrong + in_child(self.inside(_wrong_in_the_ledger))


def _wrong_in_the_ledger(house: House) -> list[str]:
    states = {str(head.state) for head, _ in reading.list_messages(house.ledger)}
    points = [point.reason for point in todo.open_points(house.ledger)]
    left = pipeline.outstanding(house)[ROUTE]
    return [
        *evidence.verify(house.ledger).broken,
        *points,
        *([] if states == {"confirmed"} else [f"messages are {states}"]),
        *([f"{left} outstanding"] if left else []),
    ]


@pytest.fixture
def corrected(content: Path, tmp_path: Path, request: pytest.FixtureRequest) -> OpenOffice:
    """A first set is published, then decisions are corrected; this moment is saved."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.create_database() if server else f"sqlite:///{tmp_path}/state/ledger.sqlite3"
    change_route(content, ROUTE, mode="live", **{"with": {"publication": FACTS}})
    office = OpenOffice(tmp_path / "state", url, content=content, postgres=server)
    office.connect()
    office.upgrade()
    office.drop_sheets(1)
    for route in ("kk-tk-budgets", "kk-tk-beschluesse", ROUTE):
        office.run(route)
    office.drop_sheets(2)
    office.run("kk-tk-beschluesse")
    _warm(content, tmp_path)
    office.save(tmp_path / "saved")
    return office


def _warm(content: Path, tmp_path: Path) -> None:
    """All files are read once here."""
    state = tmp_path / "warm"
    warm = OpenOffice(state, f"sqlite:///{state}/ledger.sqlite3", content=content)
    warm.connect()
    warm.upgrade()
    warm.drop_sheet("beschluesse/april.csv", (*DECISIONS, decision("P-1", "angenommen", "1,-")))
    warm.warm(_publish)


@pytest.mark.parametrize("corrected", ["sqlite", "postgresql"], indirect=True)
def test_a_kill_at_any_point_leaves_one_whole_set(corrected: OpenOffice, tmp_path: Path) -> None:
    """Every commit and every rename of prepare, deliver and reconcile, before and after."""
    assert corrected.published() == OLD
    passed = count_points(corrected.inside(_publish))
    wrong = []
    for number, point in points_to_kill(passed)[0]:
        corrected.restore(tmp_path / "saved")
        die_at(number, corrected.inside(_publish))
        wrong += [] if corrected.published() in (OLD, NEW) else [f"point {number}, {point}: neither old nor new"]
        corrected.run(ROUTE)
        corrected.run(ROUTE)
        wrong += [f"point {number}, {point}: {problem}" for problem in corrected.problems()]

    assert wrong == []
    assert sum("rename" in point for point in passed) >= 2 * 7  # four files, their folder, the mark, the link


def _publish(house: House) -> object:
    return pipeline.run(house, ROUTE)
