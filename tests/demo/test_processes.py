"""Leftovers of a killed demonstration are ended, and nobody else's processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.processes import TOKEN, Mark, Register, only_one
from kiezbruecke.errors import ConfigurationError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
]
HOLD = """
import sys, time
from pathlib import Path
from demo.processes import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "")
    monkeypatch.setenv("SPT_NOENV", "")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process."""
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def test_a_noted_process_is_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    register = Register(tmp_path / "processes.json")
    register.note(sleeper, "sandbox")

    Register.read(tmp_path).end_leftovers()

    assert not psutil.pid_exists(sleeper.pid)


def test_a_process_that_took_over_the_number_is_left_alone(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """Numbers are used again; the start time tells them apart."""
    register = Register(tmp_path / "processes.json")
    register.note(sleeper, "sandbox")
    mark = register.started[0]
    register.started = [Mark(mark.name, mark.pid, mark.started - 100)]

    register.end_leftovers()

    assert sleeper.poll() is None


def test_what_carries_the_token_is_ended_even_if_it_is_deaf_and_was_never_noted(tmp_path: Path) -> None:
    """Airflow's workers ignore SIGTERM and outlive a killed scheduler; nobody noted them."""
    with only_one(tmp_path):
        worker = subprocess.Popen(DEAF, stdout=subprocess.PIPE, start_new_session=True)
        assert worker.stdout is not None
        worker.stdout.readline()

        Register.read(tmp_path).end_leftovers()

        assert not psutil.pid_exists(worker.pid)
        worker.wait()
        worker.stdout.close()


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with (
        _holder(tmp_path) as holder,
        pytest.raises(ConfigurationError, match=f"process {holder.pid}"),
        only_one(tmp_path),
    ):
        pass


def test_a_killed_holder_is_simply_followed(tmp_path: Path) -> None:
    with _holder(tmp_path) as holder:
        holder.kill()
        holder.wait()

        with only_one(tmp_path) as register:
            assert register.holder is not None
            assert register.holder.pid == os.getpid()


def test_a_holder_whose_starter_was_killed_is_ended(tmp_path: Path) -> None:
    """Somebody kills `make`; the demonstration lives on, and nobody waits for it."""
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}, {str(tmp_path)!r}])",
        ]
    )
    orphan = _until_held(tmp_path)
    starter.kill()
    starter.wait()

    with only_one(tmp_path):
        assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE


def test_an_unreadable_register_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "processes.json").write_text('{"token": "a', "utf-8")

    assert Register.read(tmp_path).started == []


class _holder:  # noqa: N801 - used like a function
    def __init__(self, state: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", HOLD, str(state)], stdout=subprocess.PIPE)

    def __enter__(self) -> subprocess.Popen[bytes]:
        assert self.process.stdout is not None
        self.process.stdout.readline()
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _until_held(state: Path) -> psutil.Process:
    for _ in range(100):
        holder = Register.read(state).holder
        if holder and (process := holder.process()):
            return process
        time.sleep(0.1)
    raise AssertionError("never held")
