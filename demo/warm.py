"""`python -m demo.warm scheduler …`: Airflow, with everything imported while its database is still being made.

Airflow's LocalExecutor forks its tasks from the scheduler, so each of them starts about a second earlier, too. Only for
one machine: a worker of its own imports for itself. A line on standard input says go; its end says that nobody waits.
"""

from __future__ import annotations

import sys
from importlib import import_module

from kiezbruecke.connector import manifests

NEEDED = {
    "api-server": ("airflow.cli.commands.api_server_command", "airflow.api_fastapi.execution_api.app"),
    "scheduler": (
        "airflow.cli.commands.scheduler_command",
        "airflow.executors.local_executor",
        "airflow.sdk.execution_time.supervisor",
        "airflow.sdk.execution_time.task_runner",
        "airflow.providers.standard.decorators.python",
        "kiezbruecke.airflow.dags",
        "kiezbruecke.airflow.resolver",
        "kiezbruecke.pipeline",
    ),
}


def main(command: str) -> None:
    """Import, wait for the word, then do what `airflow` would do."""
    for module in (*NEEDED.get(command, ()), *(_clients() if command == "scheduler" else ())):
        import_module(module)
    airflow = import_module("airflow.__main__")
    if sys.stdin.readline():
        sys.argv[0] = "airflow"
        airflow.main()


def _clients() -> list[str]:
    paths = (path for manifest in manifests().values() for path in (manifest.source, manifest.target))
    return [path.partition(":")[0] for path in paths if path]


if __name__ == "__main__":
    main(sys.argv[1])
