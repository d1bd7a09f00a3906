"""Who may do what in Airflow: a real API server, asked over HTTP with the log-in of each role."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.common.types import MenuItem

from kiezbruecke.airflow import fab, hooks, people, roles
from kiezbruecke.airflow.dags import EVENING, HOUSEKEEPING
from kiezbruecke.airflow.roles import MENU, RolesAuthManager, thing_of
from kiezbruecke.content.roles import Guarded, Role, read_roles
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger.people import How, Person

pytestmark = pytest.mark.airflow
USERS = {"spk": "fachverwaltung", "it": "betrieb", "chefin": "administration"}
SECRET = "streng-geheim"
ROUTE = "kk-tk-hkr"
SERVE = """
import sys
from pathlib import Path
from demo import control
control.prepare(Path(sys.argv[1]), {"kb-hkr-tk": 2})
control.store_connections({"hkr-tk": {
    "conn_type": "kb_hkr", "host": "http://127.0.0.1", "port": 1, "login": "kb", "password": sys.argv[2],
    "extra": {"dienststelle": "TK-SPK", "key_password": sys.argv[2]}}})
sys.argv = ["airflow", "api-server"]
from airflow.__main__ import main
main()
"""


@dataclass
class Airflow:
    """A running API server, and the tokens of who has logged in."""

    address: str
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, user: str | None, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one call, asked again where the answer is 500.

        On SQLite, Airflow says so where its scheduler holds the database for more than five seconds; nothing was done.
        """
        for _ in range(5):
            status, said = self._once(user, method, path, body)
            if status != 500:
                break
        return status, said

    def _once(self, user: str | None, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if user is not None:
            headers["Authorization"] = f"Bearer {self._token(user)}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.address}{path}", data, headers, method=method)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
                text, status = answer.read(), answer.status
        except HTTPError as error:
            text, status = error.read(), error.code
        with suppress(ValueError):
            return status, json.loads(text)
        return status, text.decode()

    @property
    def passwords(self) -> Path:
        return self.home / "passwords.json"

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text("utf-8")

    def _token(self, user: str) -> str:
        if user not in self.tokens:
            password = json.loads(self.passwords.read_text("utf-8"))[user]
            status, body = self.call(None, "POST", "/auth/token", {"username": user, "password": password})
            assert status == 201, body
            self.tokens[user] = body["access_token"]
        return self.tokens[user]


@pytest.fixture(scope="module")
def airflow(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """One server for all questions, in a process of its own: Airflow reads its settings once."""
    home, port = tmp_path_factory.mktemp("airflow"), _free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__AUTH_MANAGER": f"{roles.__name__}.{RolesAuthManager.__name__}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__SECRET_KEY": "for this test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "for this test, and long enough to be one",
        "KIEZBRUECKE_CONTENT": str(root),
        "KIEZBRUECKE_STATE": str(home / "var"),
    }
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-c", SERVE, str(home), SECRET]
        server = subprocess.Popen(
            command, cwd=root, env={**os.environ, **settings}, stdout=log, stderr=log, start_new_session=True
        )
        found = Airflow(address, home)
        try:
            _wait(found, server)
            yield found
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, 15)
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(server.pid, 9)
            server.wait(5)


RUN = f"/api/v2/dags/{ROUTE}/dagRuns"
NEW = {"connection_id": "neu", "conn_type": "kb_hkr", "host": "http://127.0.0.1"}
MANY = {"actions": [{"action": "create", "entities": [NEW]}]}
CALLS: dict[str, tuple[str, str, Any, str]] = {  # what, how, and who may: [c]lerk, [o]perator, [a]dministrator
    "see the routes": ("GET", "/api/v2/dags", None, "coa"),
    "see one route": ("GET", f"/api/v2/dags/{ROUTE}/details", None, "coa"),
    "see the page of routes": ("GET", "/ui/dags?dag_runs_limit=1", None, "coa"),
    "see the grid of a route": ("GET", f"/ui/grid/runs/{ROUTE}", None, "coa"),
    "see housekeeping": ("GET", f"/api/v2/dags/{HOUSEKEEPING}", None, "oa"),
    "start a route": ("POST", RUN, {"logical_date": None}, "coa"),
    "start housekeeping": ("POST", f"/api/v2/dags/{HOUSEKEEPING}/dagRuns", {"logical_date": None}, "oa"),
    "see the runs": ("GET", RUN, None, "coa"),
    "see the tasks of a run": ("GET", f"{RUN}/{{run}}/taskInstances", None, "coa"),
    "see the results": ("GET", f"{RUN}/{{run}}/taskInstances/prepare/xcomEntries", None, "coa"),
    "read a task's log": ("GET", f"{RUN}/{{run}}/taskInstances/prepare/logs/1", None, "oa"),
    "run again": ("POST", f"{RUN}/{{run}}/clear", {"dry_run": True}, "oa"),
    "say that a run has failed": ("PATCH", f"{RUN}/{{run}}", {"state": "failed"}, "oa"),
    "write a result": (
        "POST",
        f"{RUN}/{{run}}/taskInstances/prepare/xcomEntries",
        {"key": "x", "value": 1, "map_index": -1},
        "a",
    ),
    "pause a route": ("PATCH", f"/api/v2/dags/{ROUTE}", {"is_paused": False}, "oa"),
    "pause all routes": ("PATCH", "/api/v2/dags?dag_id_pattern=kk", {"is_paused": False}, "oa"),
    "delete a run": ("DELETE", f"{RUN}/{{run}}", None, "a"),
    "read the code": ("GET", f"/api/v2/dagSources/{ROUTE}", None, "oa"),
    "read the audit log": ("GET", "/api/v2/eventLogs", None, "oa"),
    "read import errors": ("GET", "/api/v2/importErrors", None, "oa"),
    "see the connections": ("GET", "/api/v2/connections", None, "oa"),
    "see one connection": ("GET", "/api/v2/connections/hkr-tk", None, "oa"),
    "make a connection": ("POST", "/api/v2/connections", NEW, "a"),
    "change a connection": ("PATCH", "/api/v2/connections/neu", NEW, "a"),
    "make many connections": ("PATCH", "/api/v2/connections", MANY, "a"),
    "press Test": ("POST", "/api/v2/connections/test", NEW, "a"),
    "press Test for a worker": ("POST", "/api/v2/connections/enqueue-test", NEW, "a"),
    "delete a connection": ("DELETE", "/api/v2/connections/neu", None, "a"),
    "make the default connections": ("POST", "/api/v2/connections/defaults", None, "a"),
    "see the variables": ("GET", "/api/v2/variables", None, "a"),
    "make a variable": ("POST", "/api/v2/variables", {"key": "x", "value": "y"}, "a"),
    "see the pools": ("GET", "/api/v2/pools", None, "oa"),
    "make a pool": ("POST", "/api/v2/pools", {"name": "x", "slots": 1}, "a"),
    "wake up a route": ("POST", "/api/v2/assets/events", {"asset_id": 1, "extra": {}}, "a"),
    "see the plugins": ("GET", "/api/v2/plugins", None, "coa"),
    "delete a route's history": ("DELETE", "/api/v2/dags/kk-tk-gone", None, "a"),
}


@pytest.mark.parametrize("what", CALLS)
def test_each_role_may_do_what_it_is_for(airflow: Airflow, what: str) -> None:
    """The right to edit connections was everybody's, and the button told which ports were open."""
    method, path, body, allowed = CALLS[what]
    for user, letter in zip(USERS, "coa", strict=True):
        status, answer = airflow.call(user, method, path.format(run=_run(airflow)) if "{run}" in path else path, body)
        assert status not in (401, 500), answer
        assert (status != 403) == (letter in allowed), (user, status, answer)
    assert airflow.call(None, method, path.format(run="any"), body)[0] == 401


@pytest.mark.parametrize("user", USERS)
def test_nobody_starts_ten_years_of_runs(airflow: Airflow, user: str) -> None:
    """Airflow takes a backfill from whoever may start a run; it would keep the route busy for weeks."""
    years = {"dag_id": ROUTE, "from_date": "2016-01-01T00:00:00Z", "to_date": "2026-01-01T00:00:00Z"}
    status, said = airflow.call(user, "POST", "/api/v2/backfills", years)

    assert (status, "does not allow backfill" in said["detail"]) == (400, True)
    assert airflow.call("chefin", "GET", f"/api/v2/backfills?dag_id={ROUTE}")[1]["total_entries"] == 0


def test_configuration_is_shown_to_nobody(airflow: Airflow) -> None:
    """Not even where the right is there: Airflow's own setting is off, and stays so."""
    assert [airflow.call(user, "GET", "/api/v2/config")[0] for user in USERS] == [403, 403, 403]


def test_a_clerk_sees_the_routes_of_her_district_alone(airflow: Airflow) -> None:
    """Lists, too, are made of what the role covers."""
    seen = {user: {one["dag_id"] for one in airflow.call(user, "GET", "/api/v2/dags")[1]["dags"]} for user in USERS}

    assert ROUTE in seen["spk"]
    assert all(name.startswith("kk-tk-") for name in seen["spk"])
    assert seen["it"] == seen["chefin"] == seen["spk"] | {HOUSEKEEPING, EVENING}


def test_the_menu_leads_where_one_may_go(airflow: Airflow) -> None:
    """What is refused is not offered."""
    menus = {user: airflow.call(user, "GET", "/ui/auth/menus")[1]["authorized_menu_items"] for user in USERS}

    assert "Connections" not in menus["spk"]
    assert {"Dags", "Connections"} <= set(menus["it"])
    assert {"Config", "Variables"} <= set(menus["chefin"])


def test_who_may_look_at_a_connection_sees_no_secret(airflow: Airflow) -> None:
    """Neither a password nor what stands in its further fields."""
    for user in ("it", "chefin"):
        status, body = airflow.call(user, "GET", "/api/v2/connections/hkr-tk")

        assert (status, body["login"]) == (200, "kb")
        assert SECRET not in json.dumps(body)
        assert SECRET not in json.dumps(airflow.call(user, "GET", "/api/v2/connections")[1])


def test_the_button_says_no_more_than_whether_it_works(airflow: Airflow, tmp_path: Path) -> None:
    """A closed port, one that is silent, an unknown name, a file, nothing at all: one text."""
    (tmp_path / "file").touch()
    quick = {"dienststelle": "X", "connect_timeout": 1, "read_timeout": 1, "deadline": 2}
    said = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for host, port in (("127.0.0.1", 1), ("127.0.0.1", silent.getsockname()[1]), ("no-such-name.invalid", 443)):
            scheme = "https" if host.endswith("invalid") else "http"
            body = {"conn_type": "kb_hkr", "host": f"{scheme}://{host}", "port": port, "extra": json.dumps(quick)}
            said.append(_test(airflow, body))
    for place in (tmp_path / "missing", tmp_path / "file", Path("/etc/shadow")):
        extra = json.dumps({"path": str(place), "profile": "budget-sheet"})
        said.append(_test(airflow, {"conn_type": "kb_folder", "extra": extra}))

    assert {json.dumps(one) for one in said} == {json.dumps({"status": False, "message": hooks.FAILS})}
    assert airflow.call("chefin", "GET", "/api/v2/connections/probe")[0] == 404


def test_a_password_stands_in_its_file_alone(airflow: Airflow) -> None:
    """Airflow prints those that it makes up into its log."""
    known = json.loads(airflow.passwords.read_text("utf-8"))

    assert known.keys() == USERS.keys()
    assert stat.S_IMODE(airflow.passwords.stat().st_mode) == 0o600
    assert not any(password in airflow.log for password in known.values())


def test_a_run_that_somebody_has_started_names_the_log_in(airflow: Airflow) -> None:
    """Whoever acts through Airflow acts under the log-in that Airflow has asked a password of."""
    status, run = airflow.call("spk", "POST", RUN, {"logical_date": None})

    assert status == 200, run
    assert people.by_user("M. Beispiel", run["triggering_user_name"]) == Person("M. Beispiel", "spk", How.AIRFLOW)


def test_what_a_token_says_of_a_role_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token lasts a day: a right that was taken away is gone at once."""
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "spk:fachverwaltung")
    token = {"role": "administration", "teams": None}

    assert RolesAuthManager().deserialize_user({"sub": "spk", **token}).role == "fachverwaltung"
    gone = RolesAuthManager().deserialize_user({"sub": "gone", **token})
    assert gone.role is None
    assert not RolesAuthManager().is_authorized_dag(method="GET", user=gone)


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [("USERS", "spk:admin", "no role 'admin'"), ("ALL_ADMINS", "True", "everybody do everything")],
)
def test_a_server_without_roles_does_not_start(
    root: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, says: str
) -> None:
    """Airflow's own names of roles would be typed out of habit."""
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(root))
    monkeypatch.setenv(f"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_{setting}", value)

    with pytest.raises(ConfigurationError, match=says):
        RolesAuthManager().init()


def test_the_file_has_a_word_for_everything_that_airflow_asks() -> None:
    """A newer Airflow may ask for more: then somebody decides who gets it; until then nobody does."""
    asked = {thing_of(None), *map(thing_of, DagAccessEntity), *map(thing_of, AccessView)}

    assert asked == {thing for thing in Guarded if thing.startswith(("dag", "view."))}
    assert MENU.keys() == set(MenuItem)
    assert fab.RESOURCES.keys() == set(Guarded)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("x: {title: X, may: {dag: [fly]}}", r"roles\.yaml:1:\d+.*"),
        ("x: {title: X, may: {dags: [read]}}", r"x\.may"),
        ("x: {may: everything}", r"x\.title: Field required"),
        ("x: {title: X, may: everything, admin: true}", r"x\.admin"),
    ],
)
def test_a_right_that_is_none_is_named_with_its_place(content: Path, wrong: str, says: str) -> None:
    """A typing mistake must not become a right, nor silently take one away."""
    (content / "mappings/roles.yaml").write_text(wrong, "utf-8")

    with pytest.raises(ConfigurationError) as refused:
        read_roles(content)
    assert re.search(says, refused.value.line())


def test_the_same_roles_reach_fab(root: Path) -> None:
    """In the form of `airflow roles export`; there whoever may start a route may edit it, which FAB asks for."""
    done = subprocess.run(
        [sys.executable, "-m", "kiezbruecke.airflow.fab"], cwd=root, capture_output=True, check=True, timeout=120
    )
    rights = {(one["name"], one["resource"]): one["action"] for one in json.loads(done.stdout)}

    assert rights["fachverwaltung", f"DAG:{ROUTE}"] == "can_edit,can_read"
    assert rights["fachverwaltung", "DAG Runs"] == "can_create,can_read"
    assert ("fachverwaltung", "DAGs") in rights  # the menu, and no right
    assert rights["fachverwaltung", "DAGs"] == "menu_access"
    assert rights["betrieb", "Connections"] == "can_read,menu_access"
    assert not any(name == "fachverwaltung" and "Connection" in resource for name, resource in rights)
    assert not any(name == "administration" for name, _ in rights)


def test_a_role_covers_its_routes() -> None:
    role = Role(title="x", may={Guarded.DAG: frozenset({"read"})}, routes=("kk-tk-*",))  # type: ignore[arg-type]

    assert [role.covers(name) for name in ("kk-tk-hkr", "kk-mitte-hkr")] == [True, False]


def _test(airflow: Airflow, body: dict[str, Any]) -> Any:
    status, said = airflow.call("chefin", "POST", "/api/v2/connections/test", {"connection_id": "probe", **body})
    assert status == 200, said
    return said


def _run(airflow: Airflow) -> str:
    """A run that is there; a new one where somebody has deleted the last."""
    found = airflow.call("chefin", "GET", f"{RUN}?limit=1")[1]["dag_runs"]
    return str((found or [airflow.call("chefin", "POST", RUN, {"logical_date": None})[1]])[0]["dag_run_id"])


def _wait(airflow: Airflow, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert server.poll() is None, airflow.log[-3000:]
        with suppress(OSError):
            if airflow.call(None, "GET", "/api/v2/version")[0] == 200:
                return
        time.sleep(0.2)
    raise AssertionError(airflow.log[-3000:])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
