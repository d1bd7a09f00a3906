"""Airflow's database from outside: prepare it, start runs, watch them. Import only after `home.enter`.

One process does what six `airflow …` commands would do at three seconds each.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import airflow
from airflow.api.client import get_current_api_client
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models import Connection, DagModel, DagRun, Pool, TaskInstance
from airflow.models.asset import AssetDagRunQueue
from airflow.models.xcom import XComModel
from airflow.utils import db
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, State, TaskInstanceState
from sqlalchemy import case, delete, false, func, select, update

from kiezbruecke.airflow.dags import asks

UNFINISHED = (DagRunState.QUEUED, DagRunState.RUNNING)


@dataclass(frozen=True)
class Run:
    """One run of a route, and how it stands."""

    number: int
    route: str
    run_id: str
    state: str

    @property
    def finished(self) -> bool:
        """True if nothing more will happen in it."""
        return self.state not in UNFINISHED

    @property
    def failed(self) -> bool:
        """True if a task gave up."""
        return self.state == DagRunState.FAILED


def prepare(home: Path, pools: Mapping[str, int]) -> None:
    """Migrated database, pools, serialised DAGs. What was interrupted while it was built is built anew."""
    ready = home / "ready"
    if not ready.exists():
        for file in home.glob("airflow.db*"):
            file.unlink()
    db.initdb()
    ready.write_text(airflow.__version__, "utf-8")
    for name, slots in pools.items():
        Pool.create_or_update_pool(name, slots, "how many tasks work with it at once", include_deferred=False)
    manager = DagBundlesManager()  # type: ignore[no-untyped-call]
    manager.sync_bundles_to_db()
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        sync_bag_to_db(bag, bundle.name, bundle_version=None)  # a folder has no version


def store_connections(connections: Mapping[str, Mapping[str, Any]]) -> None:
    """Put connections (Airflow's JSON form, by id) in place of older ones; people see them in the web interface."""
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id.in_(connections)))
        for name, body in connections.items():
            session.add(Connection(name, **{**body, "extra": json.dumps(body["extra"], ensure_ascii=False)}))


def close_dangling(*, asking: bool) -> list[str]:
    """Set to failed what a killed Airflow left as running: it would block its route for minutes. The routes, by name.

    Whoever closes a run owes it another: what it had not come to, such as their sums, nobody else would fetch. But for
    the questions about a release, unless somebody is there (`asking`): they rest, and a run of them would never end.
    """
    now = datetime.now(UTC)
    with create_session() as session:
        runs = session.execute(select(DagRun.id, DagRun.dag_id).where(DagRun.state.in_(UNFINISHED))).all()
        dangling = [run.id for run in runs]
        open_tasks = [state for state in TaskInstanceState if state not in State.finished]
        session.execute(
            update(TaskInstance)
            .where(TaskInstance.state.in_(open_tasks))
            .values(state=TaskInstanceState.FAILED, end_date=now)
        )
        session.execute(update(DagRun).where(DagRun.id.in_(dangling)).values(state=DagRunState.FAILED, end_date=now))
        session.execute(update(DagModel).values(exceeds_max_non_backfill=False))  # else no route ever wakes up
    return sorted({run.dag_id for run in runs if asking or not run.dag_id.endswith(asks(""))})


def awaken(*, asking: bool) -> None:
    """No route is paused: somebody may have done that in the web interface, and it would wait for ever.

    Without `asking` the questions about a release rest: nobody is there who would answer them.
    """
    rests = DagModel.dag_id.endswith(asks("")) if not asking else false()
    with create_session() as session:
        session.execute(
            update(DagModel).where(DagModel.is_stale.is_(False)).values(is_paused=case((rests, True), else_=False))
        )


def trigger(route: str) -> None:
    """Start one run of a route."""
    get_current_api_client().trigger_dag(route, logical_date=None)


def last_number() -> int:
    """The number of the newest run; what comes later is ours."""
    with create_session() as session:
        return session.scalar(select(func.max(DagRun.id))) or 0


def runs_after(number: int) -> list[Run]:
    """All runs that began after this number, oldest first."""
    query = select(DagRun.id, DagRun.dag_id, DagRun.run_id, DagRun.state).where(DagRun.id > number)
    with create_session() as session:
        return [Run(*row) for row in session.execute(query.order_by(DagRun.id))]


def title_of(route: str) -> str:
    """What the route does, in a German line."""
    with create_session() as session:
        found = session.get(DagModel, route)
        return found.dag_display_name if found else route


def counts_of(run: Run) -> dict[str, int]:
    """The counts of all steps of a run, added up."""
    query = select(XComModel.value).where(XComModel.dag_run_id == run.number, XComModel.key == "return_value")
    counts: Counter[str] = Counter()
    with create_session() as session:
        for value in session.scalars(query):
            counts.update(json.loads(value) if isinstance(value, str) else value)
    return dict(counts)


def retrying(number: int) -> list[tuple[str, str, int]]:
    """Route, step and try of the tasks that failed and wait for their next try, in runs after this number."""
    query = (
        select(TaskInstance.dag_id, TaskInstance.task_id, TaskInstance.try_number)
        .join(DagRun, (DagRun.run_id == TaskInstance.run_id) & (DagRun.dag_id == TaskInstance.dag_id))
        .where(DagRun.id > number, TaskInstance.state == TaskInstanceState.UP_FOR_RETRY)
    )
    with create_session() as session:
        return [(route, step, attempt) for route, step, attempt in session.execute(query)]


def failed_task(run: Run) -> str:
    """The first task of a run that gave up."""
    query = select(TaskInstance.task_id).where(
        TaskInstance.run_id == run.run_id,
        TaskInstance.dag_id == run.route,
        TaskInstance.state == TaskInstanceState.FAILED,
    )
    with create_session() as session:
        return session.scalar(query.order_by(TaskInstance.end_date)) or ""


def wakeups_pending() -> bool:
    """True if an asset event waits for the scheduler to turn it into a run."""
    with create_session() as session:
        return bool(session.scalar(select(func.count()).select_from(AssetDagRunQueue)))
