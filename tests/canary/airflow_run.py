"""A real Airflow in a process of its own: `python -m tests.canary.airflow_run STATE ROUTE…`.

api-server (execution) ─ scheduler with LocalExecutor ─ tasks as processes, all with Airflow's home below STATE; the
connections are those of STATE/connections.json, as somebody would type them into Airflow's form. The routes wake each
other; it ends when nothing runs any more, or when all that still runs waits for another try, or when time is up.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import demo

PATIENCE = 75.0  # seconds for the runs, on a busy machine


def main(state: Path, routes: list[str]) -> None:
    """Start Airflow, start the routes, wait, end everything."""
    demo.STATE = state
    from demo import home, processes, servers, world

    signal.signal(signal.SIGTERM, world.interrupted)
    with processes.only_one(state / "running") as register:
        started = servers.Servers(state / "airflow", register, home.enter())
        try:
            started.start(servers.LEAN)
            from demo import control
            from kiezbruecke.airflow.dags import pools

            control.prepare(state / "airflow", pools(demo.ROOT))
            control.store_connections(json.loads((state / "connections.json").read_text("utf-8")))
            control.awaken(asking=False)
            started.release()
            for route in routes:
                control.trigger(route)
            _wait(control, started)
        finally:
            started.stop()


def _wait(control: Any, started: Any) -> None:
    until, quiet = time.monotonic() + PATIENCE, 0
    while time.monotonic() < until and quiet < 3:  # between a run and the one it wakes nothing runs
        time.sleep(1)
        started.check()
        waiting = {route for route, _, _ in control.retrying(0)}
        running = {run.route for run in control.runs_after(0) if not run.finished}
        quiet = quiet + 1 if running <= waiting else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
