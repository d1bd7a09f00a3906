"""The environment in which `make demo` and `make up` run Airflow: everything under var/, all on 127.0.0.1.

Airflow reads its environment once, at its first import, so `enter` comes before that. What the caller's
environment says about Airflow or Kiezbrücke is taken out: a demonstration must never reach a real ledger.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from demo import ROOT, STATE
from demo.processes import TOKEN
from kiezbruecke import clock

OURS = ("AIRFLOW_", "KIEZBRUECKE_")
TODAY = date(2026, 7, 1)  # to the demonstration: it plays the same in every year
USERS = {  # roles: mappings/roles.yaml
    "spk": "fachverwaltung",
    "muster": "certifier",
    "anders": "orderer",
    "betrieb": "betrieb",
    "admin": "administration",
}


def enter() -> int:
    """Set this process's environment, and so its children's; returns the port for Airflow's server."""
    port = free_port()
    for name in [name for name in os.environ if name.startswith(OURS) and name != TOKEN]:
        del os.environ[name]
    os.environ.update(_kiezbruecke())
    os.environ.update(_airflow(port))
    _keep_proxies_away()
    _write_configuration()
    return port


@contextmanager
def quiet() -> Iterator[None]:
    """Airflow, imported inside, says only errors in this process; its children write whole logs."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    yield
    del os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"]


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def passwords_file() -> Path:
    """Where the log-ins for the web interface lie, in plain text; made up by Airflow's first start."""
    return STATE / "airflow" / "passwords.json"


def _kiezbruecke() -> dict[str, str]:
    return {
        "KIEZBRUECKE_CONTENT": str(ROOT),
        "KIEZBRUECKE_STATE": str(STATE),
        "KIEZBRUECKE_LEDGER_URL": f"sqlite:///{STATE / 'ledger.sqlite3'}",
        clock.VARIABLE: TODAY.isoformat(),
    }


def _airflow(port: int) -> dict[str, str]:
    base = f"http://127.0.0.1:{port}"
    bundle = {
        "name": "kiezbruecke",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(ROOT)},
    }
    users = ",".join(f"{user}:{role}" for user, role in USERS.items())
    settings = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "3",  # default 32 = 32 idle processes at once; a finished task holds one for up to 1 s
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "CORE__TEST_CONNECTION": "Enabled",
        "CORE__AUTH_MANAGER": "kiezbruecke.airflow.roles.RolesAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": users,
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file()),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{STATE / 'airflow' / 'airflow.db'}",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "API__HOST": "127.0.0.1",  # the default is every interface
        "API__PORT": str(port),
        "API__BASE_URL": base,
        "API__SECRET_KEY": secrets.token_hex(32),  # must be the same in all processes, else tasks fail unseen
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # default 5 s: so long a task that has ended may hold its slot
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",  # default 300 s until a killed worker is noticed
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",  # default 300 s after a power cut
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        "AIRFLOW_HOME": str(STATE / "airflow"),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
    }


def _write_configuration() -> None:
    """Before the processes, which start at once, do it: each would write a file, and a key, of its own."""
    file = STATE / "airflow" / "airflow.cfg"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"[core]\nfernet_key = {urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n", "utf-8")


def _keep_proxies_away() -> None:
    """Tasks talk to Airflow over HTTP; a proxy of the house cannot reach this machine's 127.0.0.1."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
