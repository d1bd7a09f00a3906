"""The page inside a real Airflow: its log-in, its bar and frame, three people and a stranger."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page

from kiezbruecke import login, vault
from kiezbruecke.airflow import roles
from kiezbruecke.airflow.roles import RolesAuthManager
from kiezbruecke.connector import Item
from kiezbruecke.ledger import Ledger, upgrade
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.events import SHOWN, events_of
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.todo import Answer, Kind, Point, find_point, raise_point
from kiezbruecke.login import keep
from kiezbruecke.privacy import make_private
from kiezbruecke.records import Account, Application
from kiezbruecke.vault import Vault, new_keys, read_keys
from tests.airflow.test_roles import SECRET, SERVE, Airflow, _free_port, _wait
from tests.ledger.conftest import Desk
from tests.page.conftest import look
from tests.world import HOLDER, IBAN, ROOT

pytestmark = pytest.mark.airflow
PEOPLE = ("klara", "karl", "otto")
USERS = {"klara": "fachverwaltung", "karl": "fachverwaltung", "otto": "betrieb", "paula": "certifier"}
DESK = "/schreibtisch/"


@dataclass
class Place:
    """A running API server, and the ledger that its page shows."""

    airflow: Airflow
    ledger: Ledger
    url: str

    def apply(self, number: str) -> UUID:
        """A new case whose application names an account; its id."""
        case = Desk(self.ledger).decide(number, int(number.removeprefix("P-")))
        origin = f"{hashlib.sha256(number.encode()).hexdigest()}:2"
        application = Application(
            origin=origin,
            sheet="antraege.csv",
            row=2,
            process_id="kk-tk-2026",
            area_id="090416",
            reference_number=number,
            amount="850.00",
        )
        account = Account(origin=origin, holder=HOLDER, iban=IBAN)
        taken = Taken(Item("application-line", origin, {}), (application, account))
        Desk(self.ledger).store([taken], "antraege-tk")
        return case

    def point(self, subject: str) -> int:
        """A new point for the department."""
        case = Desk(self.ledger).decide("P-1", title="Bank am See")
        answers = (Answer.RELEASE, Answer.DISMISS)
        with self.ledger.write() as connection:
            raise_point(connection, Point(Kind.SET_ASIDE, subject, "kk-tk-2026", "spk-tk", "zu viel", answers, case))
        return next(one.id for one in Desk(self.ledger).points() if one.subject == subject)


@pytest.fixture(scope="module")
def place(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One server for all questions, in a process of its own."""
    home, port = tmp_path_factory.mktemp("airflow"), _free_port()
    (home / "var").mkdir()
    url = f"sqlite:///{home / 'var/ledger.sqlite3'}"
    upgrade(url)
    keys = home / "var" / vault.FILE
    make_private(keys)
    keys.write_text(new_keys(str(keys)).text())
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__AUTH_MANAGER": f"{roles.__name__}.{RolesAuthManager.__name__}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": "for this test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "for this test, and long enough to be one",
        "KIEZBRUECKE_CONTENT": str(root),
        "KIEZBRUECKE_STATE": str(home / "var"),
        "KIEZBRUECKE_LEDGER_URL": url,
    }
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-c", SERVE, str(home), SECRET]
        server = subprocess.Popen(
            command, cwd=root, env={**os.environ, **settings}, stdout=log, stderr=log, start_new_session=True
        )
        found = Airflow(f"http://127.0.0.1:{port}", home)
        try:
            _wait(found, server)
            ledger = Ledger(make_engine(url), Vault(lambda: read_keys(keys)))
            yield Place(found, ledger, url)
            ledger.close()
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(20)


@pytest.fixture
def log_in(chromium: Browser, place: Place) -> Iterator[Callable[[str], Page]]:
    """Opens the desk as a stranger, and logs in through Airflow's own form."""
    contexts = []

    def opened(name: str) -> Page:
        context = chromium.new_context()
        contexts.append(context)
        page = context.new_page()
        page.goto(place.airflow.address + DESK)
        assert page.get_by_text("Bitte melden Sie sich an").count() == 1
        page.get_by_role("link", name="Anmelden").click()
        page.locator('input[name="username"]').fill(name)
        page.locator('input[name="password"]').fill(json.loads(place.airflow.passwords.read_text("utf-8"))[name])
        page.locator('button[type="submit"]').click()
        page.wait_for_url(f"**{DESK}")
        return page

    yield opened
    for context in contexts:
        context.close()


def test_three_people_and_one_point(place: Place, log_in: Callable[[str], Page]) -> None:
    """The clerk decides, the second clerk is too late, operations sees no content."""
    number = place.point("three")
    klara, karl, otto = (log_in(name) for name in PEOPLE)
    for page in (klara, karl):
        page.goto(f"{place.airflow.address}{DESK}punkte/antwort?nr={number}")
        page.check("#answer-freigeben")
        page.fill("#text", f"von {page.inner_text('header')[-5:]}")
    look(klara)
    for page in (klara, karl):
        page.get_by_role("button", name="Entscheiden").click()
        page.wait_for_url("**/punkte/ergebnis?*")
    found = find_point(place.ledger, number)
    assert found is not None
    otto.goto(f"{place.airflow.address}{DESK}faelle/{found.case_id}")

    assert (found.answer, found.answered_account) == ("freigeben", "airflow:klara")
    assert "Entschieden: freigeben" in klara.inner_text("main")
    assert "Es gilt die Antwort von" in karl.inner_text("main")
    assert "P-1" in otto.inner_text("main")
    assert "Bank am See" not in otto.inner_text("main")


def test_it_stands_in_airflows_bar_and_works_in_its_frame(place: Place, log_in: Callable[[str], Page]) -> None:
    """No pop-up, no script: a form in the sandboxed frame is answered as on the page's own address."""
    number = place.point("frame")
    page = log_in("klara")
    page.goto(f"{place.airflow.address}/plugin/schreibtisch")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name=f"Punkt {number} entscheiden").click()
    frame.locator("#answer-verwerfen").check()
    frame.locator("#text").fill("im Rahmen")
    frame.get_by_role("button", name="Entscheiden").click()
    frame.get_by_text("Entschieden: verwerfen").wait_for()

    found = find_point(place.ledger, number)
    assert found is not None
    assert found.answer == "verwerfen"
    assert page.get_by_role("link", name="Schreibtisch").count() >= 1


@pytest.mark.parametrize("framed", [False, True], ids=["own address", "Airflow's frame"])
def test_whoever_logs_out_is_logged_out_of_airflow(place: Place, log_in: Callable[[str], Page], framed: bool) -> None:
    """In both places: the token is worth nothing any more, whoever has kept it, and one logs in again from there."""
    page = log_in("klara")
    kept = next(one["value"] for one in page.context.cookies() if one["name"] == "_token")
    if framed:
        page.goto(f"{place.airflow.address}/plugin/schreibtisch")
    desk = page.frame_locator("iframe") if framed else page.locator("body")
    desk.get_by_role("link", name="Abmelden").click()
    desk.get_by_text("Bitte melden Sie sich an").wait_for()
    context = page.context
    assert not [one for one in context.cookies() if one["name"] == "_token"]
    context.add_cookies([{"name": "_token", "value": kept, "url": place.airflow.address}])
    assert context.request.get(place.airflow.address + DESK).status == 401
    assert context.request.get(f"{place.airflow.address}/api/v2/dags").status == 401
    context.clear_cookies(name="_token")
    desk.get_by_role("link", name="Anmelden").click()
    desk.locator('input[name="username"]').wait_for()


def test_a_token_that_is_none_opens_nothing(place: Place, chromium: Browser) -> None:
    """Neither a made-up token nor one of Airflow's other servers' making."""
    context = chromium.new_context()
    for token in ("x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJrbGFyYSJ9."):
        context.add_cookies([{"name": "_token", "value": token, "url": place.airflow.address}])
        answer = context.request.get(place.airflow.address + DESK)
        assert answer.status == 401
    context.close()


@pytest.mark.parametrize(("name", "number", "shown"), [("paula", "P-61", True), ("klara", "P-62", False)])
def test_a_command_shows_an_account_to_whom_airflow_gives_the_role(
    place: Place, name: str, number: str, shown: bool
) -> None:
    """The same right, the same function and the same evidence as on the page; the account is said there alone."""
    case, state = place.apply(number), place.airflow.home / "var"
    password = json.loads(place.airflow.passwords.read_text("utf-8"))[name]
    keep(state, login.log_in(place.airflow.address, name, password))
    command = [str(Path(sys.executable).with_name("kiezbruecke")), "case", "account", number]
    where = {"KIEZBRUECKE_CONTENT": str(ROOT), "KIEZBRUECKE_STATE": str(state), "KIEZBRUECKE_LEDGER_URL": place.url}
    done = subprocess.run(
        [*command, "--reason", "Vergleich mit dem Antrag"],
        env={**os.environ, **where},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = [one.body for one in events_of(place.ledger, case) if one.kind == SHOWN]

    assert (IBAN in done.stdout, HOLDER in done.stdout) == (shown, shown)
    assert IBAN not in done.stderr
    if shown:
        assert (done.returncode, [(one["account"], one["how"]) for one in told]) == (0, [("paula", "airflow")])
    else:
        assert (done.returncode, told) == (2, [])
        assert "nicht das Recht" in done.stderr


def test_a_server_logs_nothing_of_what_was_typed(place: Place, log_in: Callable[[str], Page]) -> None:
    """Addresses are logged by Airflow and by whatever stands before it."""
    place.point("typed")
    page = log_in("klara")
    page.goto(f"{place.airflow.address}{DESK}faelle")
    page.fill("#text-suche", "Bank am See")
    page.get_by_role("button", name="Suchen").click()
    assert page.get_by_role("link", name="P-1").count() == 1

    assert "faelle" in place.airflow.log
    assert "Bank" not in place.airflow.log


def test_a_worker_loads_no_page() -> None:
    """The plugin is imported by every task: FastAPI would cost each of them half a second."""
    told = (
        "import sys, airflow.plugins_manager; before = 'fastapi' in sys.modules;"
        "import kiezbruecke.airflow.plugin;"
        "print(before, 'fastapi' in sys.modules, any(name.startswith('kiezbruecke.page') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=120)
    before, after, page = done.stdout.split()

    assert (after, page) == (before, "False")
