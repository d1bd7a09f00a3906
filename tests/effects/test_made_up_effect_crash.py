"""The made-up effect in the crash matrix's own way: killed at every point, run again, one letter, nothing in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiezbruecke import pipeline
from kiezbruecke.house import House
from kiezbruecke.ledger import events, reading, todo
from tests.crash.district import DATABASES, District
from tests.crash.matrix import points_to_kill
from tests.crash_points import count_points, die_at, in_child
from tests.effects.conftest import content_with_letters
from tests.ledger.conftest import postgres

__all__ = ["postgres"]
ROUTE = "kk-tk-briefe"
LETTERS = ["KK26-090416-P0001-B1.json", "KK26-090416-P0002-B1.json"]


@dataclass
class PostRoom(District):
    """A district that writes letters."""

    def connect(self) -> None:
        """Write the connections; the letters have a folder of their own."""
        folder = self.state / "briefe"
        folder.mkdir(parents=True)
        extra = {"path": str(folder), "profile": "files"}
        self.connect_folders({"briefe-tk": {"conn_type": "kb_folder", "extra": extra}})

    def problems(self) -> list[str]:
        """Every way in which this district is not as it must be."""
        names = sorted(file.name for file in (self.state / "briefe").iterdir() if not file.name.startswith("."))
        ours = in_child(self.inside(_wrong_in_the_ledger))
        return ours + ([] if names == _with_marks(LETTERS) else [f"in the folder lie {names}"])


def _with_marks(names: list[str]) -> list[str]:
    return sorted([*names, *(f"{name}.ok" for name in names)])


def _wrong_in_the_ledger(house: House) -> list[str]:
    states = [(head.reference, str(head.state)) for head, _ in reading.list_messages(house.ledger)]
    points = [point.reason for point in todo.open_points(house.ledger)]
    left = pipeline.outstanding(house)[ROUTE]
    confirmed = sorted(states) == [(name.removesuffix(".json"), "confirmed") for name in LETTERS]
    return [
        *events.verify_chains(house.ledger).broken,
        *points,
        *([] if confirmed else [f"messages are {states}"]),
        *([f"{left} outstanding"] if left else []),
    ]


@pytest.fixture(params=DATABASES)
def decided(letter_effect: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PostRoom]:
    """Everything is decided, no letter is written; this moment is saved."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.create_database() if server else f"sqlite:///{tmp_path}/state/ledger.sqlite3"
    content = content_with_letters(tmp_path / "content")
    room = PostRoom(tmp_path / "state", url, content=content, postgres=server)
    room.connect()
    room.upgrade()
    room.drop_sheets(1)
    for route in ("kk-tk-budgets", "kk-tk-beschluesse"):
        room.run(route)
    room.save(tmp_path / "saved")
    return room


def test_a_kill_at_any_point_writes_each_letter_once(decided: PostRoom, tmp_path: Path) -> None:
    """Every commit and every rename of prepare, deliver and reconcile, before and after (F1, F3)."""
    passed = count_points(decided.inside(_write))
    wrong = []
    for number, point in points_to_kill(passed):
        decided.restore(tmp_path / "saved")
        die_at(number, decided.inside(_write))
        decided.run(ROUTE)
        decided.run(ROUTE)
        wrong += [f"point {number}, {point}: {problem}" for problem in decided.problems()]

    assert wrong == []
    assert sum(point.startswith("before rename KK26") for point in passed) == 2 * len(LETTERS)


def _write(house: House) -> object:
    return pipeline.run(house, ROUTE)
