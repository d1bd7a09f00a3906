"""The environment of all tests: Airflow reads it once, at its first import, so it is set here and not in a fixture."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.sample import DOOR

pytest_plugins = ["tests.shared"]
ROOT = Path(__file__).resolve().parents[1]
AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="kiezbruecke-airflow-"))
atexit.register(shutil.rmtree, AIRFLOW_HOME, ignore_errors=True)

FIRST = (  # what takes longest, so that neither worker is left with one at the end
    "crash/test_matrix_postgresql.py",
    "cli/test_any_machine.py",
    "money/test_crash.py",
    "effects/test_made_up_effect_crash.py",
    "test_process_docs.py",
    "crash/test_matrix_sqlite.py",
    "release/test_airflow.py",
    "home/test_crash.py",
    "effects/test_open_list_crash.py",
    "recovery/test_restored.py",
    "stages/test_change_driven.py",
    "canary/test_airflow.py",
    "canary/test_commands.py",
    "demo/test_paying.py",
    "page/test_lists_in_airflow.py",
    "demo/test_year.py",
    "test_tutorial.py",
)
SAMPLE = os.environ.get(DOOR) or date.today().isoformat()  # noqa: DTZ011 - any day will do; workers inherit this one
for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "KIEZBRUECKE_"))]:
    del os.environ[name]  # a developer's own ledger or Airflow must not be touched
os.environ.update(
    {
        "AIRFLOW_HOME": str(AIRFLOW_HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME / 'airflow.db'}",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": (
            '[{"name": "kiezbruecke", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",'
            f' "kwargs": {{"path": "{ROOT}"}}}}]'
        ),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        DOOR: SAMPLE,
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first."""
    turn = {(ROOT / "tests" / name).resolve(strict=True): number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: turn.get(item.path, len(turn)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How to try once more what failed."""
    terminalreporter.write_line(f"crash points and odd machines: {DOOR}={SAMPLE}")


@pytest.fixture(autouse=True)
def _same_umask() -> Iterator[None]:
    """Entry points keep what they write to themselves; here they are called inside this process."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the content with a state folder of its own, to break things in."""
    copy = tmp_path / "content"
    for folder in ("dags", "mappings", "schemas"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".airflowignore", copy)
    return copy
