"""Lists on the page: looked at before they count, taken over exactly once, by whom the evidence knows."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpx
import pytest
from openpyxl import load_workbook

from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.handed import who_handed_over
from kiezbruecke.ledger.people import Person
from tests.page.conftest import COOKIE, serving
from tests.world import BUDGET_HEADER, DECISION_HEADER, World, budget, line, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]
ROUTE, PATH = "kk-tk-beschluesse", "/listen/kk-tk-beschluesse"
TOKEN = re.compile(r'name="_token" value="([0-9a-f]{64})"')


@dataclass
class Office:
    """A small district with its page."""

    world: World
    address: str
    started: list[tuple[str, str]]

    @contextmanager
    def log_in(self, name: str) -> Iterator[Clerk]:
        with httpx.Client(base_url=self.address, cookies={COOKIE: name}, trust_env=False, timeout=30) as client:
            yield Clerk(client)


@dataclass
class Clerk:
    """Somebody's browser, without script."""

    client: httpx.Client

    def open(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def token(self) -> str:
        found = TOKEN.search(self.open("/faelle"))
        assert found
        return found[1]

    def look(self, raw: bytes, name: str = "april.csv", path: str = PATH) -> httpx.Response:
        sent = self.client.post(f"{path}/ansehen", data={"_token": self.token()}, files={"datei": (name, raw)})
        return self.client.get(sent.headers["location"]) if sent.status_code == 303 else sent

    def take(self, raw: bytes, path: str = PATH) -> httpx.Response:
        digest = hashlib.sha256(raw).hexdigest()
        return self.client.post(f"{path}/uebernehmen", data={"_token": self.token(), "look": digest})


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    world.run("kk-tk-budgets")
    started: list[tuple[str, str]] = []

    def start(route: str, person: Person) -> bool:
        started.append((route, person.account))
        return True

    with serving(lambda: world.house, start=start) as address:
        yield Office(world, address, started)


def sheet(*lines: str) -> bytes:
    return ("\n".join((DECISION_HEADER, *lines)) + "\n").encode("utf-8-sig")


def test_a_list_is_looked_at_taken_over_and_read(office: Office) -> None:
    """The whole way of a clerk: what would follow, whose it is, the run that was started, the report."""
    raw = sheet(line("P-1"), line("P-2", ""))
    with office.log_in("klara") as klara:
        shown = klara.look(raw)
        assert shown.status_code == 200
        assert "850,00 € werden festgelegt; frei bleiben 1.750,00 €" in shown.text
        assert "Was hilft: den bewilligten Betrag eintragen." in shown.text
        assert "1 von 2 Zeilen wartet auf Sie" in shown.text
        assert list(office.world.inbox.iterdir()) == []
        taken = klara.take(raw)
        assert taken.status_code == 303
        assert "Das Einlesen ist angestoßen" in klara.open(taken.headers["location"])
        assert (office.world.inbox / "april.csv").read_bytes() == raw
        office.world.run(ROUTE)
        after = klara.open(taken.headers["location"])
        assert "Die Liste ist eingelesen" in after
        assert "Klara Beispiel (Anmeldung: klara)" in after
        report = klara.client.get(f"{PATH}/bericht?liste={hashlib.sha256(raw).hexdigest()}")
    assert report.headers["content-disposition"].startswith("attachment")
    assert "geht in die E-Akte und ins HKR" in report.content.decode("utf-8-sig")
    assert office.started == [(ROUTE, "klara")]


def test_a_double_click_and_a_second_browser_are_one_list(office: Office) -> None:
    """Whoever comes second ends at the same page; the first one has handed it over; the route starts once."""
    raw = sheet(line("P-1"))
    with office.log_in("klara") as klara, office.log_in("karl") as karl:
        for one in (klara, karl):
            one.look(raw)
        ends = {one.take(raw).headers["location"].partition("&")[0] for one in (klara, klara, karl)}
    assert len(ends) == 1
    assert [file.name for file in office.world.inbox.iterdir()] == ["april.csv"]
    (by,) = who_handed_over(office.world.ledger, "beschluesse-tk", [hashlib.sha256(raw).hexdigest()]).values()
    assert by.person.account == "klara"
    assert len(office.started) == 1


def test_another_server_takes_over_what_one_has_shown(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Behind one address there may be several, each with memory of its own; only the ledger is the same."""
    raw, world = sheet(line("P-1")), office.world
    caplog.set_level(logging.DEBUG)
    with closing(Ledger(make_engine(world.ledger.engine.url.render_as_string(hide_password=False)))) as another:
        second = House(world.content, another, world.house.connect)
        with serving(lambda: second) as address, office.log_in("klara") as klara:
            klara.look(raw)
            with Office(world, address, []).log_in("klara") as there:
                shown = there.open(f"{PATH}/ansehen?liste={hashlib.sha256(raw).hexdigest()}")
                taken = there.take(raw)
    (by,) = who_handed_over(world.ledger, "beschluesse-tk", [hashlib.sha256(raw).hexdigest()]).values()

    assert "frei bleiben 1.750,00 €" in shown
    assert taken.status_code == 303
    assert (world.inbox / "april.csv").read_bytes() == raw
    assert by.person.account == "klara"
    assert "Bank am See" not in caplog.text


def test_what_was_not_looked_at_by_this_log_in_is_not_taken(office: Office) -> None:
    """A forged digest, another one's list, an hour later: nothing happens, and what helps is said."""
    raw = sheet(line("P-1"))
    with office.log_in("klara") as klara, office.log_in("karl") as karl:
        klara.look(raw)
        said = karl.take(raw)
    assert said.status_code == 422
    assert "noch einmal zum Ansehen" in said.text
    assert list(office.world.inbox.iterdir()) == []


def test_looking_has_an_address_for_this_log_in_alone(office: Office) -> None:
    """Reloading and the back button show it again, as things stand by then; nobody else sees it."""
    raw = sheet(line("P-1"))
    address = f"{PATH}/ansehen?liste={hashlib.sha256(raw).hexdigest()}"
    with office.log_in("klara") as klara, office.log_in("karl") as karl:
        klara.look(raw)
        assert "frei bleiben 1.750,00 €" in klara.open(address)
        office.world.drop(line("P-7", "2.000,00"), name="andere.csv")
        office.world.run(ROUTE)
        assert "übersteigen das Budget um 250,00 €" in klara.open(address)
        assert karl.client.get(address).status_code == 422


def test_an_upload_is_never_served_as_a_page(office: Office) -> None:
    """Names and cells of strangers are text."""
    raw = sheet(line("P-1").replace("Bank am See", "<script>alert(1)</script>"))
    with office.log_in("klara") as klara:
        shown = klara.look(raw, '"><img src=x onerror=alert(1)>.csv')
    assert "<script" not in shown.text
    assert "<img" not in shown.text
    assert "&lt;script&gt;" in shown.text


@pytest.mark.parametrize(("name", "status"), [("otto", 403), ("chefin", 403), ("fremd", 403)])
def test_only_whoever_may_read_and_answer_hands_lists_in(office: Office, name: str, status: int) -> None:
    """Operations and administration see neither lists nor reports."""
    raw = sheet(line("P-1"))
    with office.log_in("klara") as klara:
        token = klara.token()
    with office.log_in(name) as other:
        assert other.client.get("/listen").status_code == status
        assert other.client.get(PATH).status_code in (403, 404)
        answer = other.client.post(f"{PATH}/ansehen", data={"_token": token}, files={"datei": ("a.csv", raw)})
        assert answer.status_code == status


def test_a_list_without_a_file_and_one_that_cannot_be_read_say_so(office: Office) -> None:
    """No stack trace, no empty page."""
    with office.log_in("klara") as klara:
        nothing = klara.client.post(f"{PATH}/ansehen", data={"_token": klara.token()}, files={"x": ("", b"")})
        broken = klara.look(b"PK\x03\x04 not a workbook", "a.xlsx")
        big = klara.look(b"x" * (10 * 1024 * 1024 + 1), "a.csv")
    assert (nothing.status_code, big.status_code) == (422, 422)
    assert "Keine Datei ausgewählt" in nothing.text
    assert "kann nicht gelesen werden" in broken.text
    assert "übernehmen" not in broken.text.partition("<form")[2]
    assert "zu groß" in big.text


def test_a_budget_list_is_looked_at_as_well(office: Office) -> None:
    """The same page for each list."""
    raw = ("\n".join((BUDGET_HEADER, budget("3.000,00", why="erhöht"))) + "\n").encode("utf-8-sig")
    with office.log_in("klara") as klara:
        shown = klara.look(raw, "b.csv", "/listen/kk-tk-budgets")
    assert "gilt: 3.000,00 €, freigegeben; vergeben sind 0,00 €, frei bleiben 3.000,00 €" in shown.text


def test_a_pre_filled_list_can_be_downloaded(office: Office, tmp_path_factory: pytest.TempPathFactory) -> None:
    """For one area and day; a process that does not exist is not there."""
    with office.log_in("klara") as klara:
        assert "Müggelheim" in klara.open("/listen")
        query = "verfahren=kk-tk-2026&liste=decision-sheet&region=090517&tag=2026-04-24"
        made = klara.client.get(f"/listen/vorlage?{query}")
        assert klara.client.get("/listen/vorlage?verfahren=kk-xx-2026").status_code in (403, 404)
    file = tmp_path_factory.mktemp("liste") / "liste.xlsx"
    file.write_bytes(made.content)
    assert load_workbook(file).worksheets[0]["A1"].value == "Verfahren"
    assert "attachment" in made.headers["content-disposition"]
