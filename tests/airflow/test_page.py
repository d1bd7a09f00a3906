"""What the web interface shows about a route is what its file says, in German."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from kiezbruecke.airflow import page
from kiezbruecke.airflow.dags import EVENING, HOUSEKEEPING, evening_dag, housekeeping_dag, route_dags
from kiezbruecke.content.routes import find_route, routes


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("15 6 * * 1-5", "montags bis freitags um 6:15 Uhr"),
        ("5 0 * * *", "täglich um 0:05 Uhr"),
        ("30 7 * * 1", "montags um 7:30 Uhr"),
        ("*/10 * * * *", "täglich alle 10 Minuten"),
        ("*/30 6-20 * * *", "täglich alle 30 Minuten zwischen 6 und 21 Uhr"),
    ],
)
def test_a_usual_clock_is_told_in_words(root: Path, cron: str, words: str) -> None:
    assert page.starts(find_route(root, "kk-tk-budgets").model_copy(update={"schedule": cron})) == words


@pytest.mark.parametrize("cron", ["*/7 * * * *", "0 6 1 * *", "0 6,18 * * *", "0 6 * 2 *", "@daily", "*/10 6 * * *"])
def test_a_clock_that_is_not_simple_is_shown_as_it_stands(root: Path, cron: str) -> None:
    """A phrase that is nearly right would be wrong: `*/7` also runs at 56 and then at 0."""
    assert f"`{cron}`" in page.starts(find_route(root, "kk-tk-budgets").model_copy(update={"schedule": cron}))


def test_the_page_of_a_route_says_what_it_does_and_shows_its_file(root: Path) -> None:
    dag = route_dags(root)["kk-tk-eakte"]
    text = str(dag.doc_md)

    for fact in (
        "Verbindung `eakte-tk`",
        "`mappings/outbound/case-xdomea-0401/mapping.yaml`",
        "montags bis freitags um 6:15 Uhr und nach kk-tk-meinberlin, kk-tk-beschluesse, kk-tk-budgets",
        "`live` (sendet)",
        "it-betrieb-tk",
        (root / "mappings/routes/kiezkasse/eakte.yaml").read_text("utf-8").rstrip(),
        (root / "mappings/processes/kk-tk-2026.yaml").read_text("utf-8").rstrip(),
    ):
        assert fact in text
    assert str(root) not in text  # it differs from version to version


def test_the_mappings_that_a_page_names_are_there(root: Path) -> None:
    dags = route_dags(root)
    for route in routes(root):
        names = [part for part in str(dags[route].doc_md).split("`") if part.endswith("/mapping.yaml")]
        assert names
        assert [name for name in names if not (root / name).exists()] == []


def test_people_read_german_names(root: Path) -> None:
    """Ids are for files and logs."""
    shown = json.dumps(DagSerialization.serialize_dag(route_dags(root)["kk-tk-hkr"]), ensure_ascii=False)
    own = (housekeeping_dag(root), evening_dag(root))
    tasks = [task for dag in (*route_dags(root).values(), *own) for task in dag.tasks]

    assert '"Festlegungen an das HKR-Verfahren geben"' in shown
    asked_for = {name for step, (name, _) in page.STEPS.items() if step != "answer"}  # of a route that says `ask`
    assert {task.task_display_name for task in tasks} == asked_for
    assert all(task.doc_md for task in tasks)
    assert {dag.dag_display_name for dag in own}.isdisjoint({HOUSEKEEPING, EVENING})


def test_a_file_that_quotes_a_fence_does_not_end_its_own(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "kk-tk-hkr.yaml"
    file.write_text("# ```` in a comment\nname: kk-tk-hkr\n", "utf-8")

    assert page.route_page(find_route(root, "kk-tk-hkr"), {file.name: file}).endswith("\n`````\n")
