"""A case's account in full: for whoever has the right and says why, once, and never without a trace."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from kiezbruecke.ledger import evidence
from kiezbruecke.ledger.events import SHOWN, events_of
from kiezbruecke.ledger.reading import find_case
from tests.needles import files_of, hits_in_file
from tests.page.conftest import COOKIE, serving
from tests.world import HOLDER, IBAN, World, application, line, make_world, processes, world

__all__ = ["make_world", "processes", "world"]
TOKEN = re.compile(r'name="_token" value="([0-9a-f]{64})"')
MASKED = f"{IBAN[:4]}…{IBAN[-4:]}"


@dataclass
class Office:
    """A district with one case and its account."""

    world: World
    address: str
    path: str

    @contextmanager
    def log_in(self, name: str) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.address, cookies={COOKIE: name}, trust_env=False, timeout=30) as client:
            yield client

    def ask(self, client: httpx.Client, reason: str) -> httpx.Response:
        found = TOKEN.search(client.get("/faelle").text)
        assert found
        return client.post(f"{self.path}/konto", data={"_token": found[1], "text": reason})

    @property
    def shown(self) -> list[tuple[str, str]]:
        """To whom, and why."""
        (case,) = find_case(self.world.ledger, "P-1")
        found = [one.body for one in events_of(self.world.ledger, case.id) if one.kind == SHOWN]
        return [(one["account"], one["note"]) for one in found]


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    world.give_keys()
    world.drop(line("P-1"), line("P-2"))
    world.apply_for(application("P-1"))
    world.run("kk-tk-beschluesse", "kk-tk-antraege")
    (case,) = find_case(world.ledger, "P-1")
    with serving(lambda: world.house) as address:
        yield Office(world, address, f"/faelle/{case.id}")


def test_whoever_may_and_says_why_is_shown_it_once(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """In the answer to the form; at no address, in no log, in no file – and who asks twice is written down twice."""
    caplog.set_level(logging.DEBUG)
    before = number_of(office.world)
    with office.log_in("paula") as paula:
        case = paula.get(office.path).text
        form = paula.get(f"{office.path}/konto").text
        shown = office.ask(paula, "Vergleich mit dem Antrag")
        again = paula.get(f"{office.path}/konto").text
        office.ask(paula, f"noch einmal, es war {IBAN}")
        after = paula.get(office.path).text

    assert shown.status_code == 200
    assert all(word in shown.text for word in (IBAN, HOLDER, "antraege.csv, Zeile 2"))
    assert (shown.headers["cache-control"], shown.history) == ("no-store", [])
    for page in (case, form, again, after):
        assert IBAN not in page
        assert HOLDER not in page
    assert MASKED in case
    assert "Konto gezeigt" in after
    assert "Vergleich mit dem Antrag, Paula Prüft (Anmeldung: paula)" in after
    assert office.shown == [("paula", "Vergleich mit dem Antrag"), ("paula", f"noch einmal, es war {IBAN[:4]}…")]
    assert IBAN not in caplog.text
    files = [file for file in files_of(office.world.state) if "eingang" not in file.parts]
    assert [file for file in files if hits_in_file(file, (IBAN, HOLDER))] == []
    assert number_of(office.world) == before
    assert evidence.verify(office.world.ledger).broken == ()


@pytest.mark.parametrize("name", ["klara", "anders", "otto", "chefin"])
def test_nobody_else_is_shown_it(office: Office, name: str) -> None:
    """Neither who reads the case nor who orders the payment, operates or administers: it is a right of its own."""
    with office.log_in(name) as other:
        asked, shown = other.get(f"{office.path}/konto"), office.ask(other, "neugierig")
        case = other.get(office.path).text

    assert (asked.status_code, shown.status_code) == (403, 403)
    assert "ein Konto ganz zu sehen" in shown.text
    assert "Konto ganz ansehen" not in case
    assert IBAN not in shown.text + case
    assert office.shown == []


def test_without_a_reason_nothing_is_shown_and_nothing_written(office: Office) -> None:
    with office.log_in("paula") as paula:
        said = office.ask(paula, "  ")

    assert said.status_code == 422
    assert "Bitte geben Sie eine Begründung an" in said.text
    assert IBAN not in said.text
    assert office.shown == []


def test_a_case_without_an_account_says_so(office: Office) -> None:
    (case,) = find_case(office.world.ledger, "P-2")
    with office.log_in("paula") as paula:
        said = Office(office.world, office.address, f"/faelle/{case.id}").ask(paula, "Vergleich")

    assert said.status_code == 422
    assert "Zu diesem Fall ist kein Konto bekannt" in said.text


def number_of(world: World) -> int:
    """The process's change number."""
    with world.ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT max(number) FROM changes").scalar_one())
