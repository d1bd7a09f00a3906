"""What only a process of its own can show: a cold start, one parse of the routes by Airflow.

Each function starts `python -c …` and reads one JSON line back; the program's text stands beside it.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import workload
from benchmarks.clock import Measured, middle, timed_child
from benchmarks.workload import ROOT
from kiezbruecke import ledger
from kiezbruecke.content.routes import routes as read_routes
from kiezbruecke.sandbox import Running, start

COLD_CASES = 30
COLD_ROUTES = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin", "kk-tk-eakte", "kk-tk-hkr")
_MUEGGELHEIM = 11  # the platform's module
_NOT_OURS = ("AIRFLOW_", "KIEZBRUECKE_", "PYTHONDONTWRITEBYTECODE")

_COLD = """
import json, sys
from time import perf_counter, process_time
cpu, wall, spent = process_time(), perf_counter(), {}
def lap(name):
    global cpu, wall
    spent[name] = [process_time() - cpu, perf_counter() - wall]
    cpu, wall = process_time(), perf_counter()
from kiezbruecke import pipeline
from kiezbruecke.edge import open_house
lap("import")
house = open_house()
lap("open the ledger")
for route in sys.argv[1:]:
    pipeline.run(house, route)
    lap(route)
print(json.dumps(spent))
"""

_PARSE = """
import json, runpy, sys
from time import perf_counter, process_time
import airflow.sdk, airflow.sdk.exceptions, croniter
airflow.sdk.DAG, airflow.sdk.task, airflow.sdk.AssetOrTimeSchedule, airflow.sdk.CronTriggerTimetable
before = set(sys.modules)
cpu, wall = process_time(), perf_counter()
found = runpy.run_path(sys.argv[1])
spent = [process_time() - cpu, perf_counter() - wall]
dags = [value for value in found.values() if isinstance(value, airflow.sdk.DAG)]
dags = [dag for dag in dags if not dag.dag_id.endswith(("-freigabe", "-punkte"))]  # a route's own questions
lazy = ("lxml", "zeep", "requests", "kiezbruecke.pipeline", "kiezbruecke.mapping", "connectors.xta.client")
heavy = [name for name in lazy if name in sys.modules and name not in before]
print(json.dumps({"seconds": spent, "dags": len(dags), "heavy": heavy}))
"""


class Unexpected(AssertionError):
    """A program did something else than what is to be measured."""


def parse_seconds(routes: int, rounds: int) -> list[Measured]:
    """Seconds of our own for one parse of dags/routes.py with so many routes, Airflow being imported before."""
    with TemporaryDirectory() as folder:
        content = _content(Path(folder), routes)
        environment = {"AIRFLOW_HOME": f"{folder}/airflow", "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        found = []
        for _ in range(rounds + 1):
            said = _json(_python(_PARSE, [str(content / "dags" / "routes.py")], environment))
            if said["dags"] != routes or said["heavy"]:
                raise Unexpected(f"{said['dags']} DAGs of {routes} routes; imported: {', '.join(said['heavy'])}")
            found.append(Measured(*said["seconds"]))
    return found[1:]  # the first compiles what it imports


def cold_seconds(rounds: int) -> dict[str, Measured]:
    """Seconds from process start to 30 cases delivered to e-file and budget system, and of each part.

    Cold is the process, not the disk: the first round, which compiles what it imports, does not count.
    """
    found = [_cold_once() for _ in range(rounds + 1)][1:]
    return {name: middle([one[name] for one in found]) for name in found[0]}


def _cold_once() -> dict[str, Measured]:
    with TemporaryDirectory() as name, ExitStack() as stack:
        state = Path(name)
        environment = {
            "KIEZBRUECKE_STATE": name,
            "KIEZBRUECKE_CONTENT": str(ROOT),
            "KIEZBRUECKE_LEDGER_URL": f"sqlite:///{state / 'ledger.sqlite3'}",
        }
        ledger.upgrade(environment["KIEZBRUECKE_LEDGER_URL"])
        _fill(state)
        sandboxes = {name: stack.enter_context(_Sandbox(name, state)) for name in ("xta", "hkr", "meinberlin")}
        (state / "connections.json").write_text(json.dumps(_connections(state, sandboxes)), "utf-8")
        said: list[str] = []
        spent = timed_child(lambda: said.append(_python(_COLD, COLD_ROUTES, environment)))
        _check_delivered(environment["KIEZBRUECKE_LEDGER_URL"])
    return {"delivered": spent, **{name: Measured(*one) for name, one in _json(said[0]).items()}}


def _check_delivered(url: str) -> None:
    from kiezbruecke.ledger.reading import list_messages  # noqa: PLC0415 - beside its only use

    opened = ledger.open_ledger(url)
    states = [head.state.value for head, _ in list_messages(opened)]
    opened.close()
    if len(states) != 2 * COLD_CASES or not set(states) <= {"delivered", "confirmed"}:
        raise Unexpected(f"{len(states)} messages of {2 * COLD_CASES}: {', '.join(sorted(set(states)))}")


class _Sandbox:
    """A sandbox while the block lasts."""

    def __init__(self, name: str, state: Path) -> None:
        self._name, self._state = name, state

    def __enter__(self) -> Running:
        option = f"data={self._state / 'proposals.json'}" if self._name == "meinberlin" else f"content={ROOT}"
        self._running = start(
            f"connectors.{self._name}.sandbox:create", self._state / "sandbox" / self._name, options=[option]
        )
        return self._running

    def __exit__(self, *_: object) -> None:
        self._running.kill()


def _fill(state: Path) -> None:
    """Thirty proposals of one module, a decision for each, and money enough."""
    for folder in ("eingang/beschluesse", "eingang/budgets"):
        (state / folder).mkdir(parents=True)
    platform = json.loads((ROOT / "demo" / "proposals.json").read_text("utf-8"))
    first = {**platform["proposals"][0], "module": _MUEGGELHEIM, "category": "", "labels": []}
    numbers = range(1, COLD_CASES + 1)
    platform["proposals"] = [{**first, "pk": number, "name": workload.title(number)} for number in numbers]
    (state / "proposals.json").write_text(json.dumps(platform), "utf-8")
    lines = [
        f"kk-tk-2026;Müggelheim;24.04.2026;2026-{number:05d};;angenommen;100,00;12;3;1;;;Protokoll 1;SPK 1;;"
        for number in numbers
    ]
    _sheet(state / "eingang" / "beschluesse" / "liste.csv", _DECISIONS, lines)
    budget = "kk-tk-2026;2026;Müggelheim;99.000,00;5950;97113;freigegeben;01.01.2026;;SPK 1"
    _sheet(state / "eingang" / "budgets" / "budget.csv", _BUDGETS, [budget])


_BUDGETS = "Verfahren;Haushaltsjahr;Bezirksregion;Betrag (€);Kapitel;Titel;Status;Gültig ab;Grund;Erfasst von"
_DECISIONS = (
    "Verfahren;Bezirksregion;Sitzung am;Referenznummer;Titel;Ergebnis;Bewilligt (€);Ja;Nein;Enthaltung;Rang;Auflagen;"
    "Protokoll;Erfasst von;Korrektur;Begründung"
)


def _sheet(file: Path, header: str, lines: Sequence[str]) -> None:
    file.write_text("\n".join((header, *lines)) + "\n", "utf-8-sig")


def _connections(state: Path, sandboxes: dict[str, Running]) -> dict[str, Any]:
    folder: dict[str, Any] = {"settle_seconds": 0}
    return {
        "budgets-tk": _connection("folder", path=str(state / "eingang/budgets"), profile="budget-sheet", **folder),
        "beschluesse-tk": _connection(
            "folder", path=str(state / "eingang/beschluesse"), profile="decision-sheet", **folder
        ),
        "meinberlin-tk": _connection("meinberlin", sandboxes["meinberlin"].url),
        "eakte-tk": _connection(
            "xta", sandboxes["xta"].url, party="xyz:110090090000", receiver="abc:110090090001", deadline=20
        ),
        "hkr-tk": _connection(
            "hkr", sandboxes["hkr"].url, dienststelle="BA-TK", vorverfahren="KIEZBRUECKE", deadline=20
        ),
    }


def _connection(kind: str, host: str = "", **extra: Any) -> dict[str, Any]:
    return {"conn_type": f"kb_{kind}", "host": host, "extra": extra}


def _content(folder: Path, routes: int) -> Path:
    """The checkout's content with its routes copied under other names until there are so many."""
    content = folder / "content"
    for part in ("dags", "mappings", "schemas"):
        shutil.copytree(ROOT / part, content / part, ignore=shutil.ignore_patterns("__pycache__"))
    place = content / "mappings" / "routes"
    originals = list(read_routes(content).values())
    for number in range(routes - len(originals)):
        route = originals[number % len(originals)]
        copy = route.model_copy(update={"name": f"{route.name}-{number // len(originals) + 1:03d}"})
        body = copy.model_dump_json(by_alias=True, exclude_defaults=True, indent=1)  # JSON is YAML
        (place / f"{copy.name}.yaml").write_text(body, "utf-8")
    return content


def _python(program: str, arguments: Sequence[str], environment: dict[str, str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**kept, "PYTHONPYCACHEPREFIX": _bytecode(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unexpected(done.stderr[-2000:])
    return done.stdout


@cache
def _bytecode() -> str:
    """Where compiled modules are kept, as pip leaves them behind: else a start would compile two thousand files."""
    folder = TemporaryDirectory(prefix="kb-bytecode-")
    atexit.register(folder.cleanup)
    return folder.name


def _json(text: str) -> dict[str, Any]:
    """Airflow may greet before our line."""
    found: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return found
