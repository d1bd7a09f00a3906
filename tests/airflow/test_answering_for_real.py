"""A point answered on Airflow's own page of required actions, with its server, scheduler and worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from kiezbruecke import attention
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.todo import Answer, Kind, Point, find_point, open_points, raise_point
from tests.release.test_airflow import DONE, Town, open_town
from tests.world import change_route

pytestmark = pytest.mark.airflow
ROUTE = "kk-tk-meinberlin"
USERS = {"otto": "betrieb", "klara": "fachverwaltung", "chefin": "administration"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Its DAGs are those of a content in which one route asks."""

    def prepare(content: Path) -> None:
        change_route(content, ROUTE, ask=True)
        roles = content / "mappings/roles.yaml"
        before = "    dag.hitl_detail: [read]\n    dag.xcom"
        text = roles.read_text("utf-8")
        assert before in text
        roles.write_text(text.replace(before, "    dag.hitl_detail: [read, edit]\n    dag.xcom"), "utf-8")

    with open_town(tmp_path_factory.mktemp("airflow"), prepare, USERS, f"{ROUTE}-punkte") as found:
        yield found


def asked(town: Town) -> str:
    """The run that asks: behind each quarter of an hour the clock begins one, too, and there is one at a time."""
    town.ask()
    runs = f"/api/v2/dags/{town.dag}/dagRuns"
    for _ in range(360):
        for run in [one["dag_run_id"] for one in town.airflow.call("chefin", "GET", runs)[1]["dag_runs"]]:
            found = town.airflow.call("chefin", "GET", f"{runs}/{quote(run)}/taskInstances/answer")[1]
            if found["state"] == "awaiting_input":
                town.waits(run, "answer")
                return str(run)
        time.sleep(0.5)
    pytest.fail(f"no run of {town.dag} asks")


def stop(town: Town, reason: str) -> int:
    """A point that stops the route; its number."""
    answers = (Answer.REALLY_GONE, Answer.DONE)
    with town.office.desk.ledger.write() as connection:
        raise_point(connection, Point(Kind.VANISHED, reason, ROUTE, "it-betrieb", reason, answers))
    return next(one.id for one in open_points(town.office.desk.ledger) if one.subject == reason)


def test_the_answer_of_a_required_action_is_the_ledgers(town: Town) -> None:
    """By whoever is logged in at Airflow, with the reason that was typed; a foreign word is refused by Airflow."""
    number = stop(town, "Mehr als die Hälfte fehlt")
    run = asked(town)
    assert town.answer("otto", run, "answer", "storniert", begruendung="x") == 400
    assert town.answer("klara", run, "answer", "erledigt", begruendung="x") == 403
    assert town.answer("otto", run, "answer", "erledigt", begruendung="angerufen") == 200
    town.until(run, "answer", DONE)
    closed = find_point(town.office.desk.ledger, number)
    assert closed is not None
    assert (closed.answer, closed.answered_account, closed.answer_reason) == ("erledigt", "airflow:otto", "angerufen")


def test_a_question_that_comes_too_late_changes_nothing(town: Town) -> None:
    """The desk's page was faster; Airflow's task ends as skipped."""
    number = stop(town, "Wieder fehlt die Hälfte")
    run = asked(town)
    ledger = town.office.desk.ledger
    point = find_point(ledger, number)
    assert point is not None
    attention.decide(ledger, point, "wirklich_weg", person=Person("Erika", "erika", How.AIRFLOW), reason="so")
    assert town.answer("otto", run, "answer", "erledigt", begruendung="x") == 200
    town.until(run, "answer", {"skipped"})
    time.sleep(0.1)
    closed = find_point(ledger, number)
    assert closed is not None
    assert (closed.answer, closed.answered_account) == ("wirklich_weg", "airflow:erika")
