"""What a task does with errors and connections; one real DAG run."""

from __future__ import annotations

import os
import shutil
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.asset import AssetEvent, AssetModel
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)
from airflow.utils import db
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from sqlalchemy import func, select

from kiezbruecke import ledger, pipeline
from kiezbruecke.airflow.dags import asks
from kiezbruecke.airflow.resolver import airflow_connection
from kiezbruecke.airflow.tasks import perform, tell_failure
from kiezbruecke.content.routes import routes
from kiezbruecke.edge import local_connections
from kiezbruecke.errors import ConfigurationError, Differing, KiezbrueckeError, Overtaken, SourceError

CANARY = "Erika Kanarienvogel"


@pytest.fixture(autouse=True)
def _ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task opens its house before it does anything."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    monkeypatch.setenv("KIEZBRUECKE_LEDGER_URL", url)
    ledger.upgrade(url)


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (ConfigurationError("wrong"), AirflowFailException),  # trying again does not mend a file
        (Differing("Summen stimmen nicht"), AirflowFailException),  # asking once more gives the same sums
        (Overtaken("a newer run works"), AirflowSkipException),
        (SourceError("half a page"), AirflowException),  # tried again
    ],
)
def test_an_error_says_whether_airflow_tries_again(
    error: KiezbrueckeError, becomes: type[AirflowException], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "collect", _raiser(error))

    with pytest.raises(AirflowException) as caught:
        perform("collect", "some-route", root)

    assert type(caught.value) is becomes
    assert str(caught.value) == f"{error.code} {error}"


def test_the_text_of_a_foreign_error_reaches_no_log(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may quote what a person wrote; Airflow logs an exception with all that hangs on it."""
    monkeypatch.setattr(pipeline, "collect", _raiser(ValueError(f"cannot read '{CANARY}'")))

    with pytest.raises(AirflowException) as caught:
        perform("collect", "some-route", root)

    assert "ValueError" in str(caught.value)
    assert "test_tasks.py" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_missing_connection_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AirflowConnection, "get", _raiser(AirflowNotFoundException("none")))

    with pytest.raises(ConfigurationError, match="no connection is called 'nowhere'"):
        airflow_connection("nowhere")


def test_an_airflow_connection_becomes_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = SimpleNamespace(
        conn_type="kb_xta", host="xta.example", port=8443, schema=None, login=None, password="x", extra='{"party": "p"}'
    )
    monkeypatch.setattr(AirflowConnection, "get", lambda _: theirs)

    ours = airflow_connection("eakte")

    assert (ours.id, ours.type, ours.port, ours.schema) == ("eakte", "kb_xta", 8443, "")
    assert ours.extra == {"party": "p"}


def test_what_follows_an_overtaken_step_is_the_newer_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second try beside the first: its next task would take the lane back and end the newer run."""
    monkeypatch.setattr(pipeline, "prepare", lambda *_: {"overtaken": 1})

    with pytest.raises(AirflowSkipException, match="a newer run has taken over"):
        perform("prepare", "some-route", root)


@pytest.mark.airflow
def test_a_route_runs_as_a_real_dag_run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Budget sheet in the inbox, DAG run, budgets in the ledger, counts in XCom, sheet in done/."""
    inbox = tmp_path / "inbox"
    shutil.copytree(root / "demo" / "budgets", inbox)
    monkeypatch.setitem(
        os.environ,
        "AIRFLOW_CONN_BUDGETS-TK",
        f'{{"conn_type": "kb_folder", "extra": {{"path": "{inbox}", "profile": "budget-sheet", "settle_seconds": 0}}}}',
    )
    db.initdb()
    bag = BundleDagBag(dag_folder=root, bundle_path=root, bundle_name="kiezbruecke", known_pools=None)

    run = bag.dags["kk-tk-budgets"].test()

    assert run.state == DagRunState.SUCCESS
    task = run.get_task_instance("collect")
    assert task is not None
    assert task.xcom_pull(task_ids="collect")["new"] == 20
    assert list(inbox.glob("*.xlsx")) == []
    assert len(list((inbox / "done").rglob("*.xlsx"))) == 1
    assert _events("kk-tk-budgets") == 1

    assert bag.dags["kk-tk-budgets"].test().state == DagRunState.SUCCESS
    assert _events("kk-tk-budgets") == 1  # nothing was new: the routes that wait for it sleep on


@pytest.mark.airflow
def test_airflow_knows_which_tasks_produce_what_wakes_a_route(root: Path) -> None:
    """The asset view shows where a wake-up comes from; preparing wakes nobody but who asks for four eyes."""
    db.initdb()
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(BundleDagBag(dag_folder=root, bundle_path=root, bundle_name="kiezbruecke"), "kiezbruecke", None)

    with create_session() as session:
        assets = session.scalars(select(AssetModel).where(AssetModel.name.startswith("kb-route-"))).all()
        producers = {
            asset.name.removeprefix("kb-route-"): {(task.dag_id, task.task_id) for task in asset.producing_tasks}
            for asset in assets
        }

    signed = {asks(one.name) for one in routes(root).values() if getattr(one, "release", "none") == "four_eyes"}
    assert set(producers) == {*routes(root), *signed}
    assert producers[asks("kk-tk-zahlungen")] == {("kk-tk-zahlungen", "prepare")}
    assert producers["kk-tk-budgets"] == {("kk-tk-budgets", "collect")}
    assert producers["kk-tk-hkr"] == {("kk-tk-hkr", "deliver"), ("kk-tk-hkr", "reconcile")}


def _events(route: str) -> int:
    """How often a route has said that it brought or sent something."""
    query = select(func.count()).select_from(AssetEvent).where(AssetEvent.source_dag_id == route)
    with create_session() as session:
        return session.scalar(query) or 0


def _raiser(error: Exception) -> object:
    def raises(*_: object) -> None:
        raise error

    return raises


def test_a_task_that_has_failed_for_good_is_told_to_operations_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no mail server is named, as a file; every further failure of that day is no news."""
    monkeypatch.setenv("KIEZBRUECKE_STATE", str(tmp_path))
    monkeypatch.setattr("kiezbruecke.airflow.tasks.airflow_connection", local_connections(root))
    for _ in range(2):
        tell_failure({"dag": SimpleNamespace(dag_id="kk-tk-hkr"), "ti": SimpleNamespace(task_id="deliver")}, root)

    (file,) = (tmp_path / "post").glob("*.eml")
    letter = message_from_bytes(file.read_bytes(), policy=default)
    assert letter["To"] == "it-betrieb@bezirk.example"
    assert "Der Schritt „Zustellen“ ist fehlgeschlagen." in letter.get_content()
