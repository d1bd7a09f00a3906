"""Airflow's own processes: started together, watched together, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from demo import ROOT
from demo.processes import Register
from kiezbruecke.errors import KiezbrueckeError

Commands = tuple[tuple[str, ...], ...]
LEAN: Commands = (("api-server", "--apps", "execution"), ("scheduler", "--skip-serve-logs"))
WHOLE: Commands = (
    ("api-server",),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),  # no route waits for it, but the web interface shows red where it is missing
)


class ServerEndedError(KiezbrueckeError):
    """A process that must run has ended by itself."""

    code = "KB-901"


@dataclass
class Servers:
    """Airflow's processes of one demonstration; each in a session of its own."""

    home: Path
    register: Register
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    interrupted: list[str] = field(default_factory=list)  # routes whose runs a killed Airflow left; they run again

    def start(self, commands: Commands) -> None:
        """Start them, to import and then wait for `release`; their words go to var/airflow/<name>.log."""
        for command in commands:
            name = command[0]
            with (self.home / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [sys.executable, "-m", "demo.warm", *command],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.running[name] = process
            self.register.note(process, f"airflow {name}", self.port if name == "api-server" else None)

    def release(self, within: float = 180.0) -> None:
        """Airflow's database is ready: let them work, and wait until they answer.

        The first request to the execution API takes seconds: we ask it, so that no task has to.
        """
        for process in self.running.values():
            assert process.stdin
            with suppress(BrokenPipeError), process.stdin as word:  # who has ended is found by `check`
                word.write(b"\n")
        opener = build_opener(ProxyHandler({}))
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self.check()
            with suppress(OSError):
                opener.open(f"http://127.0.0.1:{self.port}/execution/health", timeout=within).close()
                return
            time.sleep(0.1)

    def check(self) -> None:
        """Raise ServerEndedError if one of them has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise ServerEndedError(
                    f"airflow {name} has ended with {process.returncode}",
                    where=str(self.home / f"{name}.log"),
                )

    def stop(self, within: float = 20.0) -> None:
        """Ask each to end, wait, then end its session: Airflow's workers ignore a polite request."""
        for process in reversed(self.running.values()):
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + within
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
            if process.stdin:
                process.stdin.close()
        self.running.clear()
