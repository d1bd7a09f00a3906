"""A real Airflow runs routes that end well and routes that fail; then all that it keeps is searched."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.canary.conftest import EVERYTHING, Aviary, write_her_words
from tests.needles import files_of, hits_in_file
from tests.world import ROOT

COLLECTING = (
    *("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin", "kk-tk-eakte-postfach"),
    *("kb-housekeeping", "kb-evening"),
)
KEPT = {"task_instance", "xcom", "log", "dag_run", "serialized_dag", "connection"}  # of these there must be rows


@pytest.mark.airflow
def test_airflow_keeps_nothing_of_her(aviary: Aviary) -> None:
    """Its database as it lies on the disk (with free pages and the log of writes), its tasks' logs, its servers' words.

    Rendered templates, XCom and import errors are rows of this database; nothing in it is packed but what the search
    opens. The e-file and the budget system quote her in a fault, so that tasks fail and are tried again.
    """
    write_her_words(aviary)
    aviary.world.sandboxes["xta"].arm("quoting_fault", 99)
    aviary.world.sandboxes["hkr"].arm("reject_line", 1)
    home = aviary.world.state / "airflow"
    _run(aviary.world.state)

    assert set(_rows(home / "airflow.db", KEPT)) == KEPT
    assert _failures(home / "airflow.db") > 0
    assert len(list(home.glob("logs/*/*/*/*.log"))) > 5
    assert {name: words for name, words in _found(home).items() if words} == {}
    assert aviary.leaks() == {}


def _run(state: Path) -> None:
    """In a process of its own, for Airflow reads its environment once; ended politely, so that it ends its own."""
    command = [sys.executable, "-m", "tests.canary.airflow_run", str(state), *COLLECTING]
    with (state / "airflow_run.log").open("wb") as said:
        running = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        try:
            assert running.wait(300) == 0, (state / "airflow_run.log").read_text("utf-8")[-2000:]
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGTERM)
                running.wait(60)


def _found(home: Path) -> dict[str, set[str]]:
    return {str(file.relative_to(home)): hits_in_file(file, EVERYTHING) for file in files_of(home)}


def _rows(database: Path, tables: set[str]) -> list[str]:
    """Those of the tables that hold something."""
    with closing(sqlite3.connect(database)) as opened:
        return [name for name in tables if opened.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]


def _failures(database: Path) -> int:
    """How many tasks have failed at least once."""
    query = "SELECT count(*) FROM task_instance WHERE try_number > 1 OR state IN ('failed', 'up_for_retry')"
    with closing(sqlite3.connect(database)) as opened:
        found: int = opened.execute(query).fetchone()[0]
        return found
