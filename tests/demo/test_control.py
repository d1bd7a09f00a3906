"""What a killed Airflow leaves behind must not stand in the way of the next demonstration; a real Airflow database."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.models import DagModel, TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import select, update

from demo import control
from kiezbruecke.airflow.dags import asks

pytestmark = pytest.mark.airflow
ROUTE, OTHER = "kk-tk-budgets", "kk-tk-beschluesse"
PAY, CLAIM = "kk-tk-zahlungen", "kk-tk-erstattungen"


def test_what_was_left_running_is_closed_and_what_was_finished_stays(tmp_path: Path) -> None:
    """Without it the route's one active run would be taken for minutes, and the scheduler would start none."""
    control.prepare(tmp_path, {})
    before = control.last_number()
    for route in (ROUTE, OTHER):
        control.trigger(route)
    dangling, finished = control.runs_after(before)
    _set_tasks(dangling, TaskInstanceState.RUNNING)
    _set_tasks(finished, TaskInstanceState.SUCCESS)
    with create_session() as session:
        run = session.get(control.DagRun, finished.number)
        assert run is not None
        run.state = DagRunState.SUCCESS
        session.execute(update(DagModel).where(DagModel.dag_id == ROUTE).values(exceeds_max_non_backfill=True))

    closed = control.close_dangling(asking=True), control.close_dangling(asking=True)

    assert closed == ([ROUTE], [])
    assert [run.state for run in control.runs_after(before)] == [DagRunState.FAILED, DagRunState.SUCCESS]
    assert control.failed_task(dangling) == "collect"
    assert control.failed_task(finished) == ""
    with create_session() as session:
        assert session.scalars(select(DagModel.dag_id).where(DagModel.exceeds_max_non_backfill)).all() == []


def test_questions_about_a_release_rest_where_nobody_would_answer(tmp_path: Path) -> None:
    """The demonstration answers by itself: a question would wait for a day, and with it the demonstration."""
    control.prepare(tmp_path, {})
    before = control.last_number()
    for route in (PAY, asks(PAY)):
        control.trigger(route)

    closed = control.close_dangling(asking=False)
    control.awaken(asking=False)
    resting = _paused()
    control.awaken(asking=True)

    assert len(control.runs_after(before)) == 2
    assert closed == [PAY]
    assert resting == {asks(PAY), asks(CLAIM)}
    assert _paused() == set()


def _paused() -> set[str]:
    with create_session() as session:
        return set(session.scalars(select(DagModel.dag_id).where(DagModel.is_paused, DagModel.is_stale.is_(False))))


def _set_tasks(run: control.Run, state: TaskInstanceState) -> None:
    with create_session() as session:
        tasks = update(TaskInstance).where(TaskInstance.run_id == run.run_id, TaskInstance.dag_id == run.route)
        assert session.execute(tasks.values(state=state)).rowcount == 1
