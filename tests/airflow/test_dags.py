"""Every route is a DAG; a broken route file takes no other route away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from kiezbruecke.airflow import verdicts
from kiezbruecke.airflow.dags import EVENING, HOUSEKEEPING, BrokenRoutes, asks, pools, report_broken_routes, route_dags
from kiezbruecke.content.routes import CollectingRoute, SendingRoute, routes
from tests.world import change_route

HEAVY = ("lxml", "zeep", "requests", "openpyxl", "typst", "shapely", "kiezbruecke.pipeline", "kiezbruecke.ledger")


def bag_of(content: Path) -> BundleDagBag:
    known = {"default_pool", *pools(content)}
    return BundleDagBag(dag_folder=content, bundle_path=content, bundle_name="kb", known_pools=known)


def _with_four_eyes(content: Path) -> list[str]:
    found = (route for route in routes(content).values() if isinstance(route, SendingRoute) and route.mode == "live")
    return [route.name for route in found if route.release == "four_eyes"]


def write_route(content: Path, name: str, changes: dict[str, object] | None = None) -> None:
    """A copy of the route that reads budget sheets, with some keys changed (None removes)."""
    body: dict[str, object] = {
        "name": name,
        "process": "kk-tk-2026",
        "collect": "budgets-tk",
        "mapping": "budget-sheet",
        "schedule": "0 6 * * *",
        "owner": "test",
    } | (changes or {})
    file = content / "mappings" / "routes" / f"{name}.yaml"
    file.write_text(json.dumps({key: value for key, value in body.items() if value is not None}), "utf-8")


def test_every_route_is_a_dag(root: Path) -> None:
    bag = bag_of(root)

    assert bag.import_errors == {}
    assert bag.dag_warnings == set()
    assert set(bag.dags) == {*routes(root), HOUSEKEEPING, EVENING, *map(asks, _with_four_eyes(root))}


def test_what_needs_four_eyes_is_asked_for_when_it_is_prepared(root: Path) -> None:
    """Beside its route, which does not wait for an answer; the second question whatever became of the first."""
    dags = route_dags(root)
    for name in _with_four_eyes(root):
        tasks = dags[asks(name)].topological_sort()
        timetable = json.dumps(DagSerialization.serialize_dag(dags[asks(name)])["timetable"])
        assert [(task.task_id, task.trigger_rule) for task in tasks] == [("certify", "all_done"), ("order", "all_done")]
        assert f"kb-route-{name}-freigabe" in timetable
        assert [asset.name for asset in dags[name].get_task("prepare").outlets] == [f"kb-route-{name}-freigabe"]
    assert _with_four_eyes(root)


def test_every_dag_can_be_serialised(root: Path) -> None:
    for dag in bag_of(root).dags.values():
        assert DagSerialization.serialize_dag(dag)["dag_id"] == dag.dag_id


def test_no_dag_has_a_deadline_of_airflows(root: Path) -> None:
    """With one, `dag.test()` and `airflow dags test` fail at the end of a good run (Airflow 3.3, apache/airflow#73428).

    What is late is told by housekeeping.
    """
    assert [dag.dag_id for dag in bag_of(root).dags.values() if dag.deadline] == []


def test_the_steps_stand_in_the_order_of_the_pipeline(root: Path) -> None:
    dags = route_dags(root)

    assert [task.task_id for task in dags["kk-tk-budgets"].topological_sort()] == ["collect"]
    assert [task.task_id for task in dags["kk-tk-hkr"].topological_sort()] == ["prepare", "deliver", "reconcile"]


def test_a_route_never_runs_twice_at_once_and_uses_the_pool_of_its_destination(root: Path) -> None:
    dags = route_dags(root)

    assert {dag.max_active_runs for dag in dags.values()} == {1}
    assert {task.pool for task in dags["kk-tk-eakte"].tasks} == {"kb-eakte-tk"}
    assert {task.pool for task in dags["kk-tk-eakte-postfach"].tasks} == {"kb-eakte-tk"}


def test_the_clock_is_berlins(root: Path) -> None:
    """Airflow's cron strings mean UTC: 6:15 would be 8:15 in summer."""
    for name, route in routes(root).items():
        timetable = DagSerialization.serialize_dag(route_dags(root)[name])["timetable"]
        off = isinstance(route, SendingRoute) and route.mode == "off"  # it has no clock
        assert off or route.schedule is None or "Europe/Berlin" in json.dumps(timetable), name


def test_a_route_wakes_up_after_the_routes_it_names(root: Path) -> None:
    timetable = DagSerialization.serialize_dag(route_dags(root)["kk-tk-hkr-rueckmeldungen"])["timetable"]

    assert "kb-route-kk-tk-hkr" in json.dumps(timetable)
    assert "*/10" in json.dumps(timetable)  # the net: Airflow can lose a wake-up


def test_a_broken_route_takes_no_other_route_away(content: Path) -> None:
    write_route(content, "whole")
    write_route(content, "broken", {"owner": None})
    (content / "mappings/routes/not-yaml.yaml").write_text("a: [", "utf-8")

    bag = bag_of(content)

    assert {"whole", "broken", "not-yaml", "kk-tk-eakte"} <= set(bag.dags)
    assert "defekt" in bag.dags["broken"].tags
    assert "defekt" not in bag.dags["whole"].tags
    assert bag.dags["kk-tk-eakte"].task_ids == ["prepare", "deliver", "reconcile"]


def test_all_broken_routes_are_one_import_error(content: Path) -> None:
    write_route(content, "broken", {"owner": None})
    write_route(content, "worse", {"schedule": "every morning"})

    errors = bag_of(content).import_errors

    assert [Path(file).name for file in errors] == ["broken_routes.py"]
    text = next(iter(errors.values()))
    assert "mappings/routes/broken.yaml:1:1: owner" in text
    assert "mappings/routes/worse.yaml" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedule": "61 * * * *"}, "schedule"),
        ({"after": ["nobody"]}, "no route 'nobody'"),
        ({"owner": None}, "owner"),
        ({"unknown": 1}, "unknown"),
        ({"name": "another"}, "another"),
    ],
)
def test_the_reason_names_file_and_key(content: Path, changes: dict[str, object], reason: str) -> None:
    write_route(content, "broken", changes)

    with pytest.raises(BrokenRoutes) as caught:
        report_broken_routes(content)

    assert "mappings/routes/broken.yaml" in str(caught.value)
    assert reason in str(caught.value)
    assert str(content) not in str(caught.value)  # an absolute path would make a new DAG version each time


def test_without_broken_routes_nothing_is_reported(root: Path) -> None:
    report_broken_routes(root)


def test_a_route_that_is_off_has_no_schedule(content: Path) -> None:
    change_route(content, "kk-tk-hkr", mode="off")

    dag = route_dags(content)["kk-tk-hkr"]

    assert isinstance(dag, DAG)
    assert dag.schedule is None
    assert dag.is_paused_upon_creation is True


def test_parsing_imports_no_client_and_no_pipeline(root: Path, tmp_path: Path) -> None:
    """The dag-processor parses all the time, and every task parses once: that must stay cheap."""
    script = f"""
import json, sys
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag(dag_folder={str(root)!r}, bundle_path={str(root)!r}, bundle_name="kb", known_pools=set())
assert not bag.import_errors, bag.import_errors
print(json.dumps([len(bag.dags), [name for name in {HEAVY!r} if name in sys.modules]]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)

    count, heavy = json.loads(done.stdout.splitlines()[-1])
    assert count == len(routes(root)) + 2 + len(_with_four_eyes(root))
    assert heavy == []


def test_pools_are_named_after_the_party(root: Path) -> None:
    parties = {
        route.collect if isinstance(route, CollectingRoute) else route.destination for route in routes(root).values()
    }

    assert pools(root) == {f"kb-{party}": 2 for party in parties}


def test_a_mapping_that_cannot_work_breaks_its_routes_with_the_finding(content: Path) -> None:
    """The finding stands in Airflow before any run; routes with other mappings go on."""
    file = content / "mappings/outbound/commitment-hkr/mapping.yaml"
    file.write_text(file.read_text("utf-8").replace("from: budget.chapter", "from: budget.chaptr"), "utf-8")

    with pytest.raises(BrokenRoutes) as caught:
        report_broken_routes(content)
    dags = route_dags(content)

    assert "commitment-hkr/mapping.yaml:" in str(caught.value)
    assert "did you mean 'chapter'?" in str(caught.value)
    assert "defekt" in dags["kk-tk-hkr"].tags
    assert "KB-M08" in str(dags["kk-tk-hkr"].doc_md)
    assert "defekt" not in dags["kk-tk-eakte"].tags


def test_a_mended_mapping_runs_again(content: Path) -> None:
    """A verdict counts only as long as no file has changed."""
    file = content / "mappings/outbound/commitment-hkr/mapping.yaml"
    whole = file.read_text("utf-8")
    file.write_text(whole.replace("from: budget.chapter", "from: budget.chaptr"), "utf-8")
    with pytest.raises(BrokenRoutes):
        report_broken_routes(content)
    file.write_text(whole, "utf-8")

    assert "defekt" not in route_dags(content)["kk-tk-hkr"].tags
    report_broken_routes(content)


def test_a_file_saved_during_the_check_is_not_judged_by_its_older_text(
    content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict of the text before would have counted for the text after, until somebody saved again."""
    file = content / "mappings/outbound/commitment-hkr/mapping.yaml"
    check = verdicts._checked

    def checked_while_somebody_saves(name: str, root: Path) -> str:
        said = check(name, root)
        file.write_text(file.read_text("utf-8").replace("from: budget.chapter", "from: budget.chaptr"), "utf-8")
        return said

    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "_checked", checked_while_somebody_saves)
        verdicts.examine(content, ["mapping: commitment-hkr"])

    assert verdicts.known(content) == {}
    assert "KB-M08" in verdicts.examine(content, ["mapping: commitment-hkr"])["mapping: commitment-hkr"]


def test_two_processes_that_check_at_once_do_not_share_a_file(content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One moved the file away that the other was about to move, and its DAGs broke."""
    replace = Path.replace

    def replaced_after_the_other(self: Path, target: Path) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            verdicts._write(content, "theirs", {"other": ""})
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replaced_after_the_other)
    found = verdicts.examine(content, ["mapping: commitment-hkr"])

    assert verdicts.known(content) == found == {"mapping: commitment-hkr": ""}
    assert [path.name for path in (content / "var").iterdir()] == ["mappings-checked.json"]


def test_a_link_that_leads_nowhere_stops_no_check(content: Path) -> None:
    """An editor's lock file is one, and a file may vanish while we look."""
    (content / "mappings/.#mapping.yaml").symlink_to("somebody@host.4711")

    assert (
        verdicts.examine(content, ["mapping: commitment-hkr"])
        == {"mapping: commitment-hkr": ""}
        == verdicts.known(content)
    )
