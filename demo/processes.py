"""Knows which processes `make demo` and `make up` started: leftovers are ended, and nobody else's processes.

A leftover is ours if its number *and* its start time stand in `var/processes.json`, or if its environment
carries our token: that is so down to Airflow's workers, which outlive a killed scheduler.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil  # type: ignore[import-untyped]

from kiezbruecke.errors import ConfigurationError

TOKEN = "KIEZBRUECKE_STARTED_BY"  # noqa: S105 - the name of a variable; it proves origin, it opens nothing


@dataclass(frozen=True)
class Mark:
    """A process that cannot be mistaken for another: number and start time."""

    name: str
    pid: int
    started: float
    port: int | None = None

    @classmethod
    def of(cls, pid: int, name: str, port: int | None = None) -> Mark | None:
        """The mark of a living process."""
        with suppress(psutil.NoSuchProcess):
            return cls(name, pid, psutil.Process(pid).create_time(), port)
        return None

    def process(self) -> psutil.Process | None:
        """The very process, if it still lives."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) < 0.05 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


@dataclass
class Register:
    """`var/processes.json`: who holds the state folder, under which token, and what it started."""

    file: Path
    token: str = ""
    holder: Mark | None = None
    parent: Mark | None = None
    started: list[Mark] = field(default_factory=list)
    ended: int = 0  # how many leftovers of a predecessor were ended

    @classmethod
    def read(cls, state: Path) -> Register:
        """The register of a state folder; an unreadable one is an empty one."""
        register = cls(state / "processes.json")
        with suppress(OSError, ValueError, KeyError, TypeError):
            body = json.loads(register.file.read_text("utf-8"))
            register.token = str(body["token"])
            register.holder, register.parent = (_mark(body[key]) for key in ("holder", "parent"))
            register.started = [Mark(**mark) for mark in body["started"]]
        return register

    def take(self) -> None:
        """This process is the holder now; everything it starts inherits the token."""
        self.token = self.token or secrets.token_hex(16)
        self.holder, self.parent = Mark.of(os.getpid(), "holder"), Mark.of(os.getppid(), "parent")
        self.started = []
        self._write()
        os.environ[TOKEN] = self.token
        os.environ["SPT_NOENV"] = "1"  # setproctitle must leave the environment readable

    def note(self, process: subprocess.Popen[bytes], name: str, port: int | None = None) -> None:
        """Write down a process that was just started."""
        if mark := Mark.of(process.pid, name, port):
            self.started.append(mark)
            self._write()

    def orphaned(self) -> bool:
        """True if the holder lives, but whoever started it (make, a shell) was killed."""
        alive = self.holder is not None and self.holder.process() is not None
        return alive and (self.parent is None or self.parent.process() is None)

    def end_leftovers(self) -> None:
        """End everything that is provably ours: ask, wait a little, insist."""
        ours = list(self._ours())
        for process in ours:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, deaf = psutil.wait_procs(ours, timeout=3)
        for process in [*deaf, *self._ours()]:  # a dying parent may have left a child behind
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(deaf, timeout=5)
        self.ended += len(ours)

    def _ours(self) -> Iterator[psutil.Process]:
        marks = [mark for mark in (self.holder, *self.started) if mark]
        known = {process.pid for mark in marks if (process := mark.process())}
        for process in psutil.process_iter():
            if process.pid != os.getpid() and (process.pid in known or self._carries_token(process)):
                yield process

    def _carries_token(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            return bool(self.token) and process.environ().get(TOKEN) == self.token
        return False

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        body = {key: value for key, value in asdict(self).items() if key not in ("file", "ended")}
        part.write_text(json.dumps(body, indent=1), "utf-8")
        part.replace(self.file)


@contextmanager
def only_one(state: Path) -> Iterator[Register]:
    """Hold the state folder alone; what a killed predecessor left running is ended first.

    A predecessor whose `make` was killed lives on without anybody waiting for it: it is ended, too.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a") as lock:
        ended = _lock(lock, state)
        register = Register.read(state)
        register.ended = ended
        register.end_leftovers()
        register.take()
        yield register


def _lock(lock: IO[str], state: Path) -> int:
    """Take the lock, from an orphaned holder if need be; returns how many processes were ended for it."""
    if _locked(lock):
        return 0
    register = Register.read(state)
    if not register.orphaned():
        pid = register.holder.pid if register.holder else "?"
        raise ConfigurationError(
            "another 'make demo' or 'make up' is running here",
            where=str(state),
            helps=f"wait for it, or end process {pid}",
        )
    register.end_leftovers()
    deadline = time.monotonic() + 10
    while not _locked(lock):
        if time.monotonic() > deadline:
            raise ConfigurationError("the lock is not given back", where=str(state / "lock"))
        time.sleep(0.1)
    return register.ended


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mark(body: Any) -> Mark | None:
    return Mark(**body) if body else None


def end_all(state: Path) -> None:
    """For `make clean`: end what was left running here; refuses while somebody works with it."""
    if state.exists():
        with only_one(state):
            pass


if __name__ == "__main__":
    from demo import STATE

    try:
        end_all(STATE)
    except ConfigurationError as problem:
        raise SystemExit(f"{problem.code} {problem}") from None
