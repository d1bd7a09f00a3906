"""The made-up effect in the crash matrix's own way: killed at every point, run again, one letter, nothing in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from kiezbruecke import pipeline
from kiezbruecke.house import House
from kiezbruecke.ledger import MessageState, evidence, reading, todo
from tests.crash.district import DECISIONS, District, decision
from tests.crash_points import count_points, die_at, in_child, points_to_kill
from tests.effects.conftest import LETTER, content_with_letters
from tests.ledger.conftest import postgres

__all__ = ["postgres"]
ROUTE = "kk-tk-briefe"
LETTERS = [f"KK26-090416-P000{number}-B1.json" for number in (1, 2, 5)]
WINDOW = 2
VARIANTS = (("sqlite", 1), ("sqlite", 2), ("postgresql", 2))  # database, connections


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
        *evidence.verify(house.ledger).broken,
        *points,
        *([] if confirmed else [f"messages are {states}"]),
        *([f"{left} outstanding"] if left else []),
    ]


@pytest.fixture(scope="module")
def content(letter_effect: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content with letters. All of it is read once here."""
    content = content_with_letters(tmp_path_factory.mktemp("letters") / "content")
    state = tmp_path_factory.mktemp("warm") / "state"
    room = PostRoom(state, f"sqlite:///{state}/ledger.sqlite3", content=content)
    _decide(room)
    room.warm(_write)
    return content


def _decide(room: PostRoom) -> None:
    room.connect()
    room.upgrade()
    room.drop_sheets(1)
    room.drop_sheet("beschluesse/nachtrag.csv", (*DECISIONS, decision("P-5", "angenommen", "100,-")))
    for collecting in ("kk-tk-budgets", "kk-tk-beschluesse"):
        room.run(collecting)


@pytest.fixture(params=VARIANTS, ids=lambda given: f"{given[0]}-{given[1]}")
def decided(content: Path, tmp_path: Path, request: pytest.FixtureRequest) -> PostRoom:
    """Everything is decided, no letter is written; this moment is saved."""
    database, connections = request.param
    server = request.getfixturevalue("postgres") if database == "postgresql" else None
    url = server.create_database() if server else f"sqlite:///{tmp_path}/state/ledger.sqlite3"
    shipped = (LETTER / "content/mappings/routes" / f"{ROUTE}.yaml").read_text("utf-8")
    wanted = shipped.replace("window: 10", f"window: {WINDOW}\nconnections: {connections}")
    (content / "mappings/routes" / f"{ROUTE}.yaml").write_text(wanted, "utf-8")
    room = PostRoom(tmp_path / "state", url, content=content, postgres=server)
    _decide(room)
    room.save(tmp_path / "saved")
    return room


def test_a_kill_at_any_point_writes_each_letter_once(decided: PostRoom, tmp_path: Path) -> None:
    """Every commit and every rename of prepare, deliver and reconcile, before and after; over one line and two."""
    passed = count_points(decided.inside(_write))
    wrong = []
    for number, point in points_to_kill(passed)[0]:
        decided.restore(tmp_path / "saved")
        die_at(number, decided.inside(_write))
        on_the_way = in_child(decided.inside(_on_the_way))
        decided.run(ROUTE)
        decided.run(ROUTE)
        wrong += [f"point {number}, {point}: {problem}" for problem in decided.problems()]
        wrong += [f"point {number}, {point}: {on_the_way} in doubt"] if on_the_way > WINDOW else []

    assert wrong == []
    assert sum(point.startswith("before rename KK26") for point in passed) == 2 * len(LETTERS)


def _write(house: House) -> object:
    return pipeline.run(house, ROUTE)


def _on_the_way(house: House) -> int:
    """How many messages the run that died may have sent or not."""
    return sum(head.state is MessageState.SENDING for head, _ in reading.list_messages(house.ledger))
