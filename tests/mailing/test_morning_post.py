"""The morning's post: whose it is, what it says, once a day, over a real mail server or into a folder."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from kiezbruecke import mailing
from kiezbruecke.content.owners import owner_of, read_owners
from kiezbruecke.content.routes import route_places
from kiezbruecke.errors import ConfigurationError, NotSent
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import begin_run, evidence
from tests.mailing.conftest import Post, name_it
from tests.world import ROOT, World, line

SPK, IT = "kiezkasse-tk@bezirk.example", "it-betrieb@bezirk.example"
PAGE = "https://airflow.bezirk.example/schreibtisch"


def house_of(world: World) -> House:
    return replace(world.house, page=PAGE)


def send(world: World, at: datetime) -> dict[str, int]:
    return mailing.morning_post(house_of(world), at)


@pytest.fixture
def busy(world: World, post: Post) -> World:
    """One case went through, one waits."""
    world.drop(line("P-1"), line("P-2", "10,00", "abgelehnt"))
    world.run()
    return world


def text_of(post: Post, to: str) -> str:
    (letter,) = post.letters(to)
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def at_noon() -> datetime:
    """Of Berlin's today, whatever the clock says now: what was sent a moment ago is of the last day."""
    return datetime.now(BERLIN).replace(hour=12, minute=0)


def test_an_owner_reads_what_went_what_waits_and_what_is_theirs(busy: World, post: Post) -> None:
    """With a link to each point, and the list as a table for who likes that."""
    assert send(busy, at_noon())["mails"] >= 1
    text = text_of(post, SPK)
    assert "gesendet" in text
    (point,) = busy.points("set_aside")
    assert f"{point.id}  zurückgestellt, seit " in text
    assert f"{PAGE}/punkte/antwort?nr={point.id}" in text
    assert "P-2 (april.csv, Zeile 3)" in text
    (letter,) = post.letters(SPK)
    (table,) = letter.iter_attachments()
    rows = list(load_workbook(io.BytesIO(table.get_content())).worksheets[0].iter_rows(values_only=True))
    assert rows[1][0] == point.id
    assert (letter["From"], letter["Auto-Submitted"]) == ("kiezbruecke@bezirk.example", "auto-generated")


def test_what_waits_says_since_when_on_whom_and_how_much(busy: World, post: Post) -> None:
    """The e-file has not answered; the money is ordered and not confirmed."""
    busy.drop(line("P-3", "1.000,00"), name="mai.csv")
    busy.run("kk-tk-beschluesse", "kk-tk-hkr")
    send(busy, at_noon())
    text = text_of(post, SPK)
    first = next(one for one in text.splitlines() if "gesendet" in one)
    assert "1 wartet seit heute auf HKR" in first
    assert "1.000,00 € offen" in first


def test_a_restart_or_a_second_run_sends_nothing_twice(busy: World, post: Post) -> None:
    """On the next day the next letter goes."""
    send(busy, at_noon())
    before = len(post.letters())
    assert send(busy, at_noon()) == {}
    threads = [threading.Thread(target=send, args=(busy, at_noon())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(post.letters()) == before
    send(busy, at_noon() + timedelta(days=1))
    assert len(post.letters(SPK)) == 2
    assert evidence.verify(busy.ledger).broken == ()


def test_two_runs_at_once_send_one_letter(busy: World, post: Post) -> None:
    """The scheduler has died and come back: two tries beside each other."""
    threads = [threading.Thread(target=send, args=(busy, at_noon())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(post.letters(SPK)) == 1


def test_nothing_is_sent_where_there_is_nothing(world: World, post: Post) -> None:
    """No empty letters."""
    assert send(world, at_noon()) == {}
    assert post.letters() == []


def test_nobody_is_written_to_at_night(busy: World, post: Post) -> None:
    """The hour is Berlin's."""
    assert send(busy, datetime(2026, 7, 1, 2, 59, tzinfo=UTC)) == {}
    assert send(busy, datetime(2026, 7, 1, 3, 1, tzinfo=UTC)) != {}
    assert post.letters() != []


def test_a_server_that_refuses_is_asked_again_the_next_hour(busy: World, post: Post) -> None:
    """Certain: nothing has arrived. Others are not kept back, and the reason quotes nothing."""
    post.switch("refuse")
    with pytest.raises(NotSent, match="the server refuses an address"):
        send(busy, at_noon())
    assert post.letters() == []
    post.switch("refuse", on=False)
    send(busy, at_noon())
    assert len(post.letters(SPK)) == 1


def test_what_nobody_knows_is_not_sent_again_that_day(busy: World, post: Post) -> None:
    """The server has taken it and has not said so: a second letter would be one too many."""
    post.switch("hang-up")
    send(busy, at_noon())
    post.switch("hang-up", on=False)
    send(busy, at_noon())
    assert len(post.letters(SPK)) == 1
    send(busy, at_noon() + timedelta(days=1))
    assert len(post.letters(SPK)) == 2


def test_tls_and_the_log_in_come_from_airflows_connection(world: World, start_post: Callable[..., Post]) -> None:
    """STARTTLS with a certificate that is checked; the letter goes over the secured line only."""
    secure = start_post(tls=True)
    name_it(world, secure)
    world.drop(line("P-2", "10,00", "abgelehnt"))
    world.run()
    send(world, at_noon())
    assert len(secure.letters(SPK)) == 1
    assert all(one["secure"] for one in secure.envelopes())


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(world: World, start_post: Callable[..., Post]) -> None:
    """Nothing is sent to whoever has answered."""
    secure = start_post(tls=True)
    name_it(world, secure)
    del world.connections["smtp_default"]["extra"]["ca_file"]
    world.connect()
    world.drop(line("P-2", "10,00", "abgelehnt"))
    world.run()
    with pytest.raises(NotSent, match="not reached"):
        send(world, at_noon())
    assert secure.letters() == []


def test_without_a_mail_server_the_letters_lie_in_a_folder(world: World) -> None:
    """One file per owner and day."""
    world.drop(line("P-2", "10,00", "abgelehnt"))
    world.run()
    send(world, at_noon())
    files = sorted((world.state / "post").glob("*.eml"))
    assert [file.name.endswith("-spk-tk.eml") for file in files].count(True) == 1
    assert send(world, at_noon()) == {}


def test_an_owner_without_address_is_told_to_it_operations(odd_world: World, start_post: Callable[..., Post]) -> None:
    """By name and number of points; the others have their post."""
    post = start_post()
    name_it(odd_world, post)
    file = odd_world.content / "mappings/owners.yaml"
    file.write_text("it-betrieb*: {title: IT-Betrieb, to: it-betrieb@bezirk.example}\n", "utf-8")
    odd_world.drop(line("P-2", "10,00", "abgelehnt"))
    odd_world.run()
    send(odd_world, at_noon())
    assert "spk-tk: 1 Punkt" in text_of(post, IT)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("spk-tk: {title: SPK, to: 'a@b.example, c@d.example'}", "spk-tk.to"),
        ("spk-tk: {title: SPK, to: ['a@b.example\\nBcc: c@d.example']}", "spk-tk.to"),
        ("spk-tk: {title: SPK}", "spk-tk.to"),
        ("spk-tk: {title: SPK, to: a@b.example, lists: true}", "spk-tk.lists"),
    ],
)
def test_a_wrong_line_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    """No address smuggles in another header."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/owners.yaml").write_text(f"{text}\n", "utf-8")
    with pytest.raises(ConfigurationError, match=place) as wrong:
        read_owners(tmp_path)
    assert "owners.yaml:1" in str(wrong.value)


def test_every_owner_of_a_route_in_use_has_an_address() -> None:
    """Or the first letter would be about that."""
    owners = read_owners(ROOT)
    found = []
    for place in route_places(ROOT):
        with suppress(ConfigurationError):
            found.append(place.read())
    names = {name for route in found for name in (route.owner, route.operations)}
    assert len(names) > 1
    assert {name for name in names if owner_of(owners, name) is None} == set()


def test_a_step_that_has_not_ended_in_hours_is_told(world: World, post: Post) -> None:
    """It hangs, or it was killed and nobody has gone on; a newer step of the route says that all is well."""
    begin_run(world.ledger, "hkr-tk|commitment|kk-tk-2026", "kk-tk-hkr", "deliver")
    late = datetime.now(UTC) + timedelta(hours=5)
    assert mailing.tell_late(world.house, datetime.now(UTC)) == 0
    assert mailing.tell_late(world.house, late) == 1
    assert mailing.tell_late(world.house, late) == 0
    assert "länger als 4 Stunden" in text_of(post, IT)
    world.run("kk-tk-hkr")
    assert mailing.tell_late(world.house, late + timedelta(days=1)) == 0


def test_a_route_that_fails_is_told_to_operations_once_a_day(world: World, post: Post) -> None:
    """The same failure in every run of a night is one letter."""
    assert mailing.alarm(world.house, "kk-tk-hkr", "Der Schritt „Zustellen“ ist fehlgeschlagen.")
    assert not mailing.alarm(world.house, "kk-tk-hkr", "Der Schritt „Zustellen“ ist fehlgeschlagen.")
    assert mailing.alarm(world.house, "kk-tk-eakte", "Der Schritt „Zustellen“ ist fehlgeschlagen.")
    assert [str(one["Subject"]).startswith("Kiezbrücke: kk-tk-hkr") for one in post.letters(IT)] == [True, False]
