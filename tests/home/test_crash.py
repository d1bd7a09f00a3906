"""Killed at every point of a run, run again: exactly one mail for every real change, and nothing waits for anybody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke import pipeline
from kiezbruecke.house import House
from kiezbruecke.ledger import evidence, reading, todo
from kiezbruecke.sandbox import Running
from tests.crash.district import BUDGETS, District
from tests.crash_points import count_points, die_at, in_child, points_to_kill
from tests.home.conftest import LOGIN, PASSWORD, ROUTE, content_with_answers, platform, proposal, state_with
from tests.ledger.conftest import postgres
from tests.world import DECISION_HEADER, line

__all__ = ["content_with_answers", "platform", "postgres"]
TOLD = {1: "wird umgesetzt"}


@dataclass
class Hall(District):
    """A district with its platform."""

    meinberlin: Running

    def connect(self) -> None:
        """Write the connections."""
        party = {"conn_type": "kb_meinberlin", "host": self.meinberlin.url, "login": LOGIN, "password": PASSWORD}
        self.connect_folders({"meinberlin-tk": {**party, "extra": {"export": False}}})

    def begin(self) -> None:
        """One proposal, decided, told nobody."""
        self.connect()
        self.upgrade()
        self.forget()
        self.drop_sheet("budgets/budget.csv", (*BUDGETS, _BUDGET))
        self.drop_sheet("beschluesse/april.csv", (DECISION_HEADER, line("2026-00001")))
        for route in ("kk-tk-budgets", "kk-tk-meinberlin", "kk-tk-beschluesse"):
            self.run(route)

    def forget(self) -> None:
        """The platform as it was before anybody wrote."""
        file = self.meinberlin.state / "platform.json"
        file.write_text(json.dumps(state_with(proposal(1))), "utf-8")

    def problems(self) -> list[str]:
        """Every way in which this is not as it must be."""
        rows = json.loads((self.meinberlin.state / "platform.json").read_text("utf-8"))
        mails = sorted((mail["pk"], mail["status"]) for mail in rows.get("mails", []))
        found = [] if mails == sorted(TOLD.items()) else [f"mails are {mails}"]
        return [*found, *in_child(self.inside(_wrong_in_the_ledger))]


_BUDGET = "kk-tk-2026;2026;Müggelheim;2.600,00 €;5950;97113;freigegeben;01.01.2026;;SPK 1"


def _wrong_in_the_ledger(house: House) -> list[str]:
    states = sorted((head.reference[-8:], str(head.state)) for head, _ in reading.list_messages(house.ledger))
    wanted = [("00001-A1", "confirmed")]
    points = [point.reason for point in todo.open_points(house.ledger)]
    return [*evidence.verify(house.ledger).broken, *points, *([] if states == wanted else [f"messages are {states}"])]


def _answer(house: House) -> Any:
    return pipeline.run(house, ROUTE)


@pytest.fixture(params=["sqlite", "postgresql"])
def hall(request: pytest.FixtureRequest, platform: Running, content_with_answers: Path, tmp_path: Path) -> Hall:
    """On both databases; this moment is saved."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.create_database() if server else f"sqlite:///{tmp_path}/state/ledger.sqlite3"
    (platform.state / "faults.json").unlink(missing_ok=True)
    state = tmp_path / "warm"
    once = Hall(state, f"sqlite:///{state}/ledger.sqlite3", platform, content=content_with_answers)
    once.begin()
    once.warm(_answer)
    made = Hall(tmp_path / "state", url, platform, content=content_with_answers, postgres=server)
    made.begin()
    made.save(tmp_path / "saved")
    return made


def test_a_kill_at_any_point_mails_once(hall: Hall, tmp_path: Path) -> None:
    """Between GET, POST and read-back, before and after every commit."""
    passed = count_points(hall.inside(_answer))
    wrong = []
    for number, point in points_to_kill(passed)[0]:
        hall.restore(tmp_path / "saved")
        hall.forget()
        die_at(number, hall.inside(_answer))
        hall.run(ROUTE)
        wrong += [f"point {number}, {point}: {problem}" for problem in hall.problems()]

    assert wrong == []
    assert sum("POST /budgeting" in point or "moderate" in point for point in passed) >= 2
