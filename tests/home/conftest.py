"""A district whose answers go home: mein.berlin's sandbox as a process, four proposals, decision sheets, a ledger."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.meinberlin._platform import NEW
from connectors.meinberlin._recorded import USERS
from kiezbruecke import pipeline
from kiezbruecke.sandbox import Running, start
from kiezbruecke.sandbox.faults import Faults
from tests.world import ROOT, World, budget, change_route, found

LOGIN, PASSWORD = "middleware-kiezkasse@example.org", "sandkasten-2026"
ROUTE = "kk-tk-antworten"
MODULE = {
    "id": 11,
    "type": "budgeting",
    "slug": "kiezkasse-mueggelheim-2026",
    "title": "Kiezkasse Müggelheim 2026",
    "access": "public",
    "support": False,
    "categories": [],
    "labels": [],
    "tasks": [[1, "Förderfähigkeit geprüft"], [2, "Kostenplan liegt vor"]],
}


@dataclass
class Home(World):
    """The world with its platform."""

    @property
    def platform(self) -> Running:
        """mein.berlin."""
        return self.sandboxes["meinberlin"]

    def collect(self) -> pipeline.Counts:
        """Read the proposals."""
        return self.run("kk-tk-meinberlin")[0]

    def decide(self, *lines: str, name: str = "april.csv") -> None:
        """A sheet is dropped and read."""
        self.drop(*lines, name=name)
        self.run("kk-tk-beschluesse")

    def answer(self) -> pipeline.Counts:
        """One run of the route that tells people."""
        return self.run(ROUTE)[0]

    def put(self, *rows: dict[str, Any]) -> None:
        """People write at the platform."""
        requests.put(f"{self.platform.url}/_sandbox/proposals", json=list(rows), timeout=10).raise_for_status()

    def row(self, pk: int) -> dict[str, Any]:
        """A proposal as the platform has it."""
        rows = requests.get(f"{self.platform.url}/_sandbox/proposals", timeout=10).json()
        return next(dict(one) for one in rows if one["pk"] == pk)

    def mails(self) -> list[dict[str, Any]]:
        """Every mail that a citizen got."""
        found: list[dict[str, Any]] = requests.get(f"{self.platform.url}/_sandbox/mails", timeout=10).json()
        return found

    def requests(self) -> list[str]:
        """Every request to the platform."""
        asked: list[str] = requests.get(f"{self.platform.url}/_sandbox/requests", timeout=10).json()
        return asked

    def arm(self, fault: str, times: int = 1) -> None:
        """The platform goes wrong."""
        Faults(self.platform.state / "faults.json", (fault,)).arm(fault, times)


def proposal(pk: int, **given: Any) -> dict[str, Any]:
    """A proposal with an address for mails."""
    return {
        "pk": pk,
        "module": 11,
        "name": "Bank am See",
        "budget": 900,
        "creator": "Person 1",
        "contact_email": f"person{pk}@example.org",
        **given,
    }


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One platform for all tests of a worker; it reads its file at every call."""
    folder = tmp_path_factory.mktemp("platform")
    data = folder / "data.json"
    data.write_text(json.dumps(state_with()), "utf-8")
    running = start("connectors.meinberlin.sandbox:create", folder / "state", options=[f"data={data}"])
    yield running
    running.kill()


def state_with(*rows: dict[str, Any]) -> dict[str, Any]:
    """The platform's file with these proposals."""
    return {"users": USERS, "projects": [], "modules": [MODULE], "proposals": [{**NEW, **row} for row in rows]}


@pytest.fixture
def content_with_answers(tmp_path: Path) -> Path:
    """The shipped content; the district has reviewed the texts and turned the route on."""
    copy = tmp_path / "content"
    for folder in ("mappings", "schemas"):
        shutil.copytree(ROOT / folder, copy / folder)
    process = copy / "mappings/processes/kk-tk-2026.yaml"
    process.write_text(only_one_module(process.read_text("utf-8")), "utf-8")
    for file in (copy / "mappings/texts/kiezkasse").glob("*.yaml"):
        if "same_as" not in file.read_text("utf-8"):
            file.write_text(file.read_text("utf-8") + 'reviewed: {by: "A. Muster, SPK", on: 2026-03-01}\n', "utf-8")
    change_route(copy, ROUTE, mode="live", pace={"per_hour": 1000, "quiet": ""})
    return copy


def only_one_module(process: str) -> str:
    """The process reads Müggelheim alone."""
    return "\n".join(one for one in process.splitlines() if "{id: 1" not in one or "{id: 11" in one) + "\n"


@pytest.fixture
def home(
    platform: Running, content_with_answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    """Four proposals, no decision yet."""
    (platform.state / "faults.json").unlink(missing_ok=True)
    (platform.state / "platform.json").write_text(json.dumps(state_with()), "utf-8")
    world = found(tmp_path / "var", {"meinberlin": platform}, content_with_answers, monkeypatch)
    made = Home(**vars(world))
    made.connections["meinberlin-tk"].update(login=LOGIN, password=PASSWORD)
    made.connect(meinberlin_tk={"export": False})
    with closing(made):
        made.put(*(proposal(pk) for pk in (1, 2, 3, 4)))
        made.drop_budget(budget("5.000,00 €"))
        made.run("kk-tk-budgets", "kk-tk-meinberlin")
        yield made
