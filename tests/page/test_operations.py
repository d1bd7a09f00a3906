"""Nachrichten, Betrieb, Zuordnungen: what each right shows, who pauses, what is sent again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from kiezbruecke.connector import Connection
from kiezbruecke.desk.operations import certificate_end, next_run, operations
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.chains import journal_of
from kiezbruecke.ledger.events import events_of
from kiezbruecke.ledger.pauses import paused
from tests.mailing.conftest import make_certificate
from tests.page.conftest import COOKIE, serving
from tests.world import World, line, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]
TOKEN = re.compile(r'name="_token" value="([0-9a-f]{64})"')


@pytest.fixture
def office(world: World) -> Iterator[tuple[World, str]]:
    """One case went the whole way."""
    world.drop(line("P-1"))
    world.run()
    with serving(lambda: world.house) as address:
        yield world, address


@contextmanager
def logged_in(address: str, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, cookies={COOKIE: name}, trust_env=False, timeout=30) as client:
        yield client


def token(client: httpx.Client) -> str:
    found = TOKEN.search(client.get("/faelle").text)
    assert found
    return found[1]


def test_a_message_shows_every_stage_and_no_value(office: tuple[World, str]) -> None:
    """From the source's field over the rule to the place in the bytes; the steps; the way to the documents."""
    world, address = office
    (head,) = world.messages("hkr-tk")
    with logged_in(address, "klara") as klara:
        listed = klara.get("/nachrichten?stand=alle").text
        shown = klara.get(f"/nachrichten/{head.key}").text
    assert head.reference in listed
    assert f"/nachrichten/{head.key}" in listed
    for told in (head.sha256, "Woher jeder Wert kam", "commitment.amount", "mapping.yaml", "zugestellt", "850,00"):
        assert told in shown
    assert f"/faelle/{head.case_id}/dokumente/{head.key}" in shown


def test_operations_sees_messages_without_their_content(office: tuple[World, str]) -> None:
    """No sum, no words that came back, no lineage."""
    world, address = office
    (head,) = world.messages("hkr-tk")
    with logged_in(address, "otto") as otto:
        listed, shown = (otto.get(path).text for path in ("/nachrichten?stand=alle", f"/nachrichten/{head.key}"))
    assert head.reference in listed
    assert head.sha256 in shown
    for text in (listed, shown):
        assert "850,00" not in text
    assert "Woher jeder Wert kam" not in shown


def test_filters_have_addresses(office: tuple[World, str]) -> None:
    """By state, route and mapping; what was made by a mapping is found from its page."""
    world, address = office
    (head,) = world.messages("hkr-tk")
    with logged_in(address, "klara") as klara:
        by_route = klara.get("/nachrichten?stand=alle&strecke=kk-tk-hkr").text
        other = klara.get("/nachrichten?stand=alle&strecke=kk-tk-eakte").text
        by_mapping = klara.get("/nachrichten?stand=alle&zuordnung=commitment-hkr").text
        odd = klara.get("/nachrichten?stand=x&strecke=%27--&zuordnung=%25").status_code
    assert head.reference in by_route
    assert head.reference not in other
    assert head.reference in by_mapping
    assert odd == 200


def test_sending_again_is_guarded(office: tuple[World, str]) -> None:
    """A reason, the right, what was shown; the destination that has it already gets nothing twice."""
    world, address = office
    (head,) = world.messages("hkr-tk")
    path, before = f"/nachrichten/{head.key}", world.orders()
    with logged_in(address, "klara") as klara:
        seen = {"_token": token(klara), "seen": world.messages("hkr-tk")[0].updated_at.isoformat()}
        bare = klara.post(path, data=seen)
        stale = klara.post(path, data={**seen, "seen": "2026-01-01", "text": "fehlt dort"})
        there = klara.post(path, data={**seen, "text": "fehlt dort"})
    assert [one.status_code for one in (bare, stale, there)] == [422, 422, 422]
    assert "Bitte geben Sie eine Begründung an" in bare.text
    assert "inzwischen weiter" in stale.text
    assert "Es ist nichts geschehen" in there.text
    world.run("kk-tk-hkr")
    assert world.orders() == before


def test_whoever_operates_pauses_and_resumes_with_a_reason(office: tuple[World, str]) -> None:
    """Twice is once; the department sees it and cannot do it."""
    world, address = office
    with logged_in(address, "otto") as otto, logged_in(address, "klara") as klara:
        data = {"_token": token(otto), "name": "kk-tk-hkr", "soll": "anhalten"}
        assert otto.post("/betrieb/strecke", data=data).status_code == 422
        for _ in range(2):
            done = otto.post("/betrieb/strecke", data={**data, "text": "HKR wird gewartet"})
            assert done.status_code == 303
        assert "Die Strecke ist angehalten" in otto.get(done.headers["location"]).text
        assert paused(world.ledger, "kk-tk-hkr", "hkr-tk")
        assert "HKR wird gewartet" in klara.get("/betrieb").text
        assert klara.get("/betrieb/strecke?name=kk-tk-hkr").status_code == 403
        no = klara.post("/betrieb/strecke", data={**data, "_token": token(klara), "soll": "weiter", "text": "x"})
        assert no.status_code == 403
        otto.post("/betrieb/strecke", data={**data, "soll": "weiter", "text": "fertig"})
    assert not paused(world.ledger, "kk-tk-hkr", "hkr-tk")


def test_whoever_operates_rests_a_connection_with_all_its_routes(office: tuple[World, str]) -> None:
    """As `destination pause` does: with a reason, once; the pause of one of its routes is another one and stays."""
    world, address = office
    with logged_in(address, "otto") as otto, logged_in(address, "klara") as klara:
        path, data = "/betrieb/verbindung", {"_token": token(otto), "name": "hkr-tk", "soll": "anhalten"}
        pause_route = {**data, "name": "kk-tk-hkr", "text": "nur diese"}
        otto.post("/betrieb/strecke", data=pause_route)
        assert otto.post(path, data=data).status_code == 422
        for _ in range(2):
            done = otto.post(path, data={**data, "text": "Wartung des HKR"})
            assert done.status_code == 303
        assert "Die Verbindung ist angehalten" in otto.get(done.headers["location"]).text
        listed = klara.get("/betrieb").text
        assert "Wartung des HKR" in listed
        assert "hkr-tk weiterlaufen lassen" not in listed
        assert "hkr-tk weiterlaufen lassen" in otto.get("/betrieb").text
        for name, status in (("hkr-tk", 403), ("gibt-es-nicht", 404)):
            assert klara.get(f"{path}?name={name}").status_code == status
        no = klara.post(path, data={**data, "_token": token(klara), "soll": "weiter", "text": "x"})
        assert no.status_code == 403
        assert paused(world.ledger, "kk-tk-hkr-rueckmeldungen", "hkr-tk")
        otto.post(path, data={**data, "soll": "weiter", "text": "fertig"})
    assert not paused(world.ledger, "kk-tk-hkr-rueckmeldungen", "hkr-tk")
    assert paused(world.ledger, "kk-tk-hkr", "hkr-tk")
    told = [one.kind for one in events_of(world.ledger, journal_of("destination:hkr-tk"))]
    assert told.count("destination.paused") == told.count("destination.resumed") == 1


def test_betrieb_says_what_ran_what_runs_next_and_what_is_stuck(office: tuple[World, str]) -> None:
    """The reason in words, whose it is, how many wait since when."""
    world, address = office
    world.drop(line("P-2"), name="mai.csv")
    world.connect(hkr_tk={"deadline": 1})
    world.connections["hkr-tk"]["host"] = "http://127.0.0.1:9"
    world.connect()
    with pytest.raises(Exception, match="hkr-tk"):
        world.run("kk-tk-beschluesse", "kk-tk-hkr")
    found = {one.route: one for one in operations(world.house, datetime.now(UTC)).routes}
    assert found["kk-tk-hkr"].stuck == 1
    assert found["kk-tk-hkr"].why
    assert found["kk-tk-beschluesse"].last_run is not None
    assert found["kk-tk-beschluesse"].next_run is not None
    with logged_in(address, "otto") as otto:
        shown = otto.get("/betrieb").text
    assert "Strecke kommt nicht weiter" in shown
    assert world.messages("hkr-tk")[-1].state is not MessageState.CONFIRMED


def test_the_clock_is_berlins_also_where_it_changes() -> None:
    """Six o'clock stays six o'clock."""
    for day, hour in ((datetime(2026, 3, 28, 12, tzinfo=UTC), 6), (datetime(2026, 3, 29, 12, tzinfo=UTC), 6)):
        found = next_run("0 6 * * *", day)
        assert found is not None
        assert found.hour == hour
    assert next_run(None, datetime.now(UTC)) is None
    assert next_run("no clock", datetime.now(UTC)) is None


def test_a_certificate_that_ends_soon_is_told(tmp_path: Path) -> None:
    """Ours, of the connection; one that cannot be read here is not known."""
    file = make_certificate(tmp_path / "own.pem", ends=datetime(2030, 5, 31, 22, 30, tzinfo=UTC))
    party = Connection("eakte-tk", "kb_xta", extra={"client_cert": str(file)})
    assert certificate_end(party) == date(2030, 6, 1), "the day is Berlin's"
    assert certificate_end(Connection("x", "kb_xta", extra={"client_cert": "/nirgends.pem"})) is None
    assert certificate_end(Connection("x", "kb_xta")) is None


def test_a_mapping_is_the_departments_table(office: tuple[World, str]) -> None:
    """The same words as `mapping doc`; searched by a word; what does not exist is not there."""
    _, address = office
    with logged_in(address, "klara") as klara:
        listed = klara.get("/zuordnungen").text
        shown = klara.get("/zuordnungen/commitment-hkr").text
        fewer = klara.get("/zuordnungen/commitment-hkr?wort=Betrag").text
        nothing = klara.get("/zuordnungen/commitment-hkr?wort=gibtesnicht").text
        unknown = klara.get("/zuordnungen/..%2f..%2fetc").status_code
    assert "/zuordnungen/commitment-hkr" in listed
    assert "Personenbezogen" in shown
    assert fewer.count("<tr") < shown.count("<tr")
    assert "Dazu gibt es keine Regel" in nothing
    assert unknown == 404
