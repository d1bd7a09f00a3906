"""Log-in and required action with a real Airflow: server, scheduler and worker in processes of their own."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiezbruecke.ledger import Ledger, MessageState, upgrade
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.draft import Draft
from tests.airflow.test_roles import Airflow, _free_port, _wait
from tests.ledger.conftest import AREA, Desk, draft
from tests.world import ROOT, change_route

from .conftest import ROUTE, Office, house_on, say

pytestmark = pytest.mark.airflow
USERS = {"muster": "fachkraft", "anders": "leitung", "kunz": "leitung", "chefin": "administration"}
SIGNS = "may: {dag: [read], dag.hitl_detail: [read, edit]}, routes: [kk-tk-*]"
ROLES = f"""
fachkraft: {{title: bescheinigt, {SIGNS}}}
leitung: {{title: ordnet an, {SIGNS}}}
administration: {{title: Administration, may: everything}}
"""
DAG = f"{ROUTE}-freigabe"
DONE = {"success", "skipped"}  # Airflow runs a task again that was answered too soon: it finds nothing more to do
PREPARE = "import sys; from pathlib import Path; from demo import control; control.prepare(Path(sys.argv[1]), {})"
COMMAND = "from kiezbruecke.cli import main; main()"
AIRFLOW = "import sys; from airflow.__main__ import main; sys.argv = ['airflow', *sys.argv[1:]]; main()"


@dataclass
class Town:
    """An office whose people log in at a real Airflow."""

    airflow: Airflow
    office: Office
    environment: dict[str, str]
    state: Path
    count: int = 0
    dag: str = DAG

    def held(self) -> Draft:
        """A message that waits for its marks; it pays nobody, so no vault is asked."""
        self.count += 1
        case = self.office.desk.decide(f"P-{self.count}", self.count)
        one = draft(
            case, "commitment.book", 1, "20", reference=f"KK26-{AREA}-P{self.count:04d}-F1", state=MessageState.HELD
        )
        assert self.office.desk.prepare(one) == 0
        return one

    def call(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """One command in a process of its own."""
        command = [sys.executable, "-c", COMMAND, *words]
        given_ = {"env": self.environment, "cwd": ROOT, "timeout": 120}
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False, **given_)

    def log_in(self, user: str) -> subprocess.CompletedProcess[str]:
        password = json.loads(self.airflow.passwords.read_text("utf-8"))[user]
        return self.call("login", "--url", self.airflow.address, "--user", user, given=f"{password}\n")

    def shown(self, kind: str) -> str:
        return str(json.loads(self.call("release", "show", ROUTE, "--kind", kind, "--json").stdout)["shown"])

    def ask(self) -> str:
        """Start the DAG that asks; its run."""
        status, body = self.airflow.call("chefin", "POST", f"/api/v2/dags/{self.dag}/dagRuns", {"logical_date": None})
        assert status == 200, body
        return str(body["dag_run_id"])

    def waits(self, run: str, task: str, tries: int = 1) -> None:
        """Until a task asks people; a little longer, because Airflow loses answers that come within a second."""
        self.until(run, task, {"awaiting_input"}, tries)
        time.sleep(2)

    def until(self, run: str, task: str, states: set[str], tries: int = 1) -> int:
        """The try in which a task has one of these states."""
        deadline, path = time.monotonic() + 180, f"/api/v2/dags/{self.dag}/dagRuns/{run}/taskInstances/{task}"
        while time.monotonic() < deadline:
            found = self.airflow.call("chefin", "GET", path)[1]
            if found["state"] in states and found["try_number"] >= tries:
                return int(found["try_number"])
            assert found["state"] != "failed", (found, self.airflow.log[-2000:])
            time.sleep(0.3)
        raise AssertionError((found, states, (self.airflow.home / "scheduler.log").read_text("utf-8")[-3000:]))

    def answer(self, user: str, run: str, task: str, option: str, **more: str) -> int:
        path = f"/api/v2/dags/{self.dag}/dagRuns/{run}/taskInstances/{task}/-1/hitlDetails"
        return self.airflow.call(user, "PATCH", path, {"chosen_options": [option], "params_input": more})[0]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Its DAGs are those of a content in which one route needs four eyes."""

    def prepare(content: Path) -> None:
        change_route(content, ROUTE, release="four_eyes", mode="live")
        say(content, orderers=["leitung"])
        (content / "mappings/roles.yaml").write_text(ROLES, "utf-8")

    with open_town(tmp_path_factory.mktemp("airflow"), prepare, USERS, DAG) as found:
        found.office.desk.grant("100000")
        yield found


@contextmanager
def open_town(home: Path, prepare: Callable[[Path], None], users: Mapping[str, str], dag: str) -> Iterator[Town]:
    """Prepared, served and scheduled; of its DAGs only `dag` runs."""
    port = _free_port()
    content, address = home / "content", f"http://127.0.0.1:{port}"
    for folder in ("dags", "mappings", "schemas"):
        shutil.copytree(ROOT / folder, content / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".airflowignore", content)
    prepare(content)
    (home / "var").mkdir()
    bundle = {"path": str(content)}
    where = "airflow.dag_processing.bundles.local.LocalDagBundle"
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [{"name": "kb", "classpath": where, "kwargs": bundle}]
        ),
        "AIRFLOW__CORE__AUTH_MANAGER": "kiezbruecke.airflow.roles.RolesAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in users.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__SECRET_KEY": "for this test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "for this test, and long enough to be one",
        "KIEZBRUECKE_CONTENT": str(content),
        "KIEZBRUECKE_STATE": str(home / "var"),
        "KIEZBRUECKE_TODAY": "2026-05-04",
    }
    environment = {**os.environ, **settings}
    url = f"sqlite:///{home / 'var' / 'ledger.sqlite3'}"
    upgrade(url)
    subprocess.run(
        [sys.executable, "-c", PREPARE, str(home)],
        env=environment,
        cwd=ROOT,
        check=True,
        timeout=240,
        capture_output=True,
    )
    running = []
    try:
        for name, more in (("api-server", ()), ("scheduler", ("--skip-serve-logs",))):
            with (home / ("server.log" if name == "api-server" else f"{name}.log")).open("wb") as log:
                command = [sys.executable, "-c", AIRFLOW, name, *more]
                running.append(
                    subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
                )
        found = Airflow(address, home)
        _wait(found, running[0])
        with closing(Ledger(make_engine(url))) as ledger:
            town = Town(found, Office(house_on(content, ledger), Desk(ledger)), environment, home / "var", dag=dag)
            others = [one["dag_id"] for one in found.call("chefin", "GET", "/api/v2/dags")[1]["dags"]]
            for other in {*others} - {dag}:  # they would run by the clock
                assert found.call("chefin", "PATCH", f"/api/v2/dags/{other}", {"is_paused": True})[0] == 200
            yield town
    finally:
        for one in running:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGTERM)
        for one in running:
            with suppress(subprocess.TimeoutExpired):
                one.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait(5)


def test_the_password_is_asked_for_without_echo(town: Town) -> None:
    """At a terminal: what is typed stands nowhere, and what is kept is for this account alone."""
    password = json.loads(town.airflow.passwords.read_text("utf-8"))["muster"]
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-c", COMMAND, "login", "--url", town.airflow.address, "--user", "muster"]
        os.execve(sys.executable, command, town.environment)  # in the parent's folder: the checkout
    said = _read_until(terminal, b"Kennwort: ")  # the blank comes when the echo is off
    os.write(terminal, f"{password}\n".encode())
    said += _read_until(terminal, None)
    os.waitpid(pid, 0)
    file = town.state / "login.json"

    assert "Angemeldet als muster" in said.decode()
    assert "fachkraft" in said.decode()
    assert password not in said.decode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert password not in file.read_text("utf-8")


def test_a_wrong_password_is_one_line(town: Town) -> None:
    done = town.call("login", "--url", town.airflow.address, "--user", "muster", given="falsch\n")

    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].endswith("Name oder Kennwort stimmen nicht")


def test_who_is_logged_in_says_the_server(town: Town) -> None:
    """Nobody who is not, and nothing to whom no token was given."""
    assert town.airflow.call(None, "GET", "/kiezbruecke/me")[0] == 401
    assert town.airflow.call("anders", "GET", "/kiezbruecke/me") == (
        200,
        {"account": "anders", "name": "anders", "roles": ["leitung"]},
    )


@pytest.mark.parametrize("token", ["eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhbmRlcnMiLCJyb2xlIjoibGVpdHVuZyJ9.x", "", "x"])
def test_a_token_that_holds_no_more_is_one_line(town: Town, token: str) -> None:
    """Run out, made up, or of another server: it is never looked into here."""
    file = town.state / "login.json"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps({"url": town.airflow.address, "token": token}), "utf-8")
    done = town.call("release", "order", ROUTE, "--shown", "egal", "--reason", "geprüft")

    assert done.returncode == 2
    assert done.stderr.strip().endswith("Die Anmeldung gilt nicht mehr; bitte neu anmelden: kiezbruecke login")


def test_a_log_in_that_others_can_read_is_none(town: Town) -> None:
    town.log_in("anders")
    (town.state / "login.json").chmod(0o644)
    done = town.call("release", "order", ROUTE, "--shown", "egal", "--reason", "geprüft")

    assert "können auch andere lesen" in done.stderr


def test_two_people_release_with_commands(town: Town) -> None:
    """Each with the own log-in; the first one cannot do the second one's part."""
    message = town.held()
    who = town.log_in("muster")
    town.call("release", "certify", ROUTE, "--shown", town.shown("bescheinigen"), "--reason", "geprüft")
    refused = town.call("release", "order", ROUTE, "--shown", town.shown("anordnen"), "--reason", "geprüft")
    town.log_in("anders")
    done = town.call("release", "order", ROUTE, "--shown", town.shown("anordnen"), "--reason", "geprüft")
    listed = json.loads(town.call("release", "list", ROUTE, "--json").stdout)

    assert "Angemeldet als muster" in who.stdout
    assert "keine Rolle" in refused.stderr
    assert "1 Anordnung angeordnet: anders" in done.stdout, done.stderr
    assert [(one["what"], one["person"]) for one in listed[:2]] == [
        ("angeordnet", "anders"),
        ("sachlich und rechnerisch richtig", "muster"),
    ]
    assert town.office.state(message) is MessageState.WAITING


def test_two_people_release_with_the_required_action(town: Town) -> None:
    """Whoever may not is asked again; a cleared task finds nothing to do; a second answer is none."""
    message, before = town.held(), len(town.office.acts())
    run = town.ask()
    town.waits(run, "certify")
    told = town.airflow.call("muster", "GET", f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances/certify/-1/hitlDetails")
    assert town.answer("muster", run, "certify", "Sachlich und rechnerisch richtig") == 200
    assert town.answer("muster", run, "certify", "Sachlich und rechnerisch richtig") == 409
    town.waits(run, "order")
    assert town.answer("muster", run, "order", "Anordnen") == 200  # of whom Airflow takes it, and we do not
    town.waits(run, "order", 2)
    between = len(town.office.acts()) - before
    assert town.answer("anders", run, "order", "Anordnen") == 200
    tries = town.until(run, "order", DONE, 2)
    cleared = {"dry_run": False, "dag_run_id": run, "only_failed": False, "task_ids": ["certify", "order"]}
    assert town.airflow.call("chefin", "POST", f"/api/v2/dags/{DAG}/clearTaskInstances", cleared)[0] == 200
    town.until(run, "order", {"skipped"}, tries + 1)

    assert "Nachricht" in told[1]["body"]
    assert "20,00 €" in told[1]["body"]
    assert between == 1
    assert [one[:2] for one in town.office.acts()[before:]] == [
        ("bescheinigen", "airflow:muster"),
        ("anordnen", "airflow:anders"),
    ]
    assert town.office.state(message) is MessageState.WAITING


def test_both_ways_at_once_are_one_act(town: Town) -> None:
    """Asked in Airflow, ordered with a command meanwhile, answered in Airflow afterwards."""
    town.held()
    town.log_in("muster")
    town.call("release", "certify", ROUTE, "--shown", town.shown("bescheinigen"), "--reason", "geprüft")
    run, before = town.ask(), len(town.office.acts())
    town.waits(run, "order")
    town.log_in("kunz")
    done = town.call("release", "order", ROUTE, "--shown", town.shown("anordnen"), "--reason", "geprüft")
    assert town.answer("anders", run, "order", "Anordnen") == 200
    town.until(run, "order", DONE, 2)

    assert done.returncode == 0, done.stderr
    assert [one[:2] for one in town.office.acts()[before:]] == [("anordnen", "airflow:kunz")]


def test_no_token_and_no_password_stands_in_a_log(town: Town) -> None:
    """Of the server, the scheduler and the tasks."""
    secrets = {*json.loads(town.airflow.passwords.read_text("utf-8")).values()}
    secrets.add(json.loads((town.state / "login.json").read_text("utf-8"))["token"])
    logs = [file for file in town.airflow.home.rglob("*.log") if file.is_file()]

    assert logs
    assert not [file for file in logs if any(secret in file.read_text("utf-8", "replace") for secret in secrets)]


def _read_until(terminal: int, word: bytes | None) -> bytes:
    """What a terminal shows, until a word or until nobody writes any more."""
    said = b""
    while word is None or word not in said:
        try:
            more = os.read(terminal, 1000)
        except OSError:  # the other side has ended
            break
        if not more:
            break
        said += more
    return said
