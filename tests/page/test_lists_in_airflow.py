"""A list handed in on the page inside a real Airflow: the run that it starts reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.release.test_airflow import Town, open_town
from tests.world import DECISION_HEADER, line

pytestmark = pytest.mark.airflow
ROUTE = "kk-tk-beschluesse"


@dataclass
class Hall:
    """A town whose sheets lie in a folder."""

    town: Town
    inbox: Path


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """Two servers, scheduler and worker know the folder as Airflow's connection."""
    home = tmp_path_factory.mktemp("airflow")
    inbox = home / "eingang"
    inbox.mkdir()
    extra = {"path": str(inbox), "profile": "decision-sheet", "settle_seconds": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_BESCHLUESSE-TK", json.dumps({"conn_type": "kb_folder", "extra": extra}))
        patch.setenv("AIRFLOW__API__WORKERS", "2")  # who looks and who takes over need not meet the same process
        with open_town(home, lambda _: None, {"klara": "fachverwaltung", "chefin": "administration"}, ROUTE) as town:
            pool = {"name": "kb-beschluesse-tk", "slots": 2, "include_deferred": False}
            assert town.airflow.call("chefin", "POST", "/api/v2/pools", pool)[0] == 201
            yield Hall(town, inbox)


def test_taking_a_list_over_starts_the_route_as_whoever_took_it(hall: Hall, chromium: Browser, tmp_path: Path) -> None:
    """Looked at, taken over, read by a run of Airflow's – without anybody else doing anything."""
    file = tmp_path / "april.csv"
    file.write_text(f"{DECISION_HEADER}\n{line('P-1')}\n", "utf-8-sig")
    airflow = hall.town.airflow
    page = chromium.new_context().new_page()
    page.goto(f"{airflow.address}/schreibtisch/listen/{ROUTE}")
    page.get_by_role("link", name="Anmelden").click()
    page.locator('input[name="username"]').fill("klara")
    page.locator('input[name="password"]').fill(json.loads(airflow.passwords.read_text("utf-8"))["klara"])
    page.locator('button[type="submit"]').click()
    page.wait_for_url("**/schreibtisch/")
    page.goto(f"{airflow.address}/schreibtisch/listen/{ROUTE}")
    page.get_by_label("Ausgefüllte Liste").set_input_files(file)
    page.get_by_role("button", name="Ansehen, was daraus folgt").click()
    page.get_by_role("button", name="Diese Liste übernehmen").click()
    page.get_by_text("Das Einlesen ist angestoßen").wait_for()

    deadline = time.monotonic() + 45
    while not (hall.inbox / "done" / "april.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.3)
    assert (hall.inbox / "done" / "april.csv").exists(), (airflow.home / "scheduler.log").read_text("utf-8")[-2000:]
    runs = airflow.call("chefin", "GET", f"/api/v2/dags/{ROUTE}/dagRuns")[1]["dag_runs"]
    assert "klara" in {one.get("triggering_user_name") for one in runs}
    page.reload()
    page.get_by_text("Die Liste ist eingelesen").wait_for()
    page.context.close()
