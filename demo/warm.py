"""`python -m demo.warm scheduler …`: Airflow, with everything that a task needs imported before.

Airflow's LocalExecutor forks its tasks from the scheduler, so each of them starts about a second earlier. Only for
one machine: a worker of its own imports for itself.
"""

from __future__ import annotations

import sys
from importlib import import_module

import kiezbruecke.pipeline  # noqa: F401 - imported for those who are forked from here
from kiezbruecke.connector import manifests


def main() -> None:
    """Import the clients, then do what `airflow` would do."""
    for manifest in manifests().values():
        for path in filter(None, (manifest.source, manifest.target)):
            import_module(path.partition(":")[0])
    airflow = import_module("airflow.__main__")
    sys.argv[0] = "airflow"
    airflow.main()


if __name__ == "__main__":
    main()
