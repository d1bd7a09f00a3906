"""Answer files: whole or not at all, each answer once, a damaged one in one German line that disturbs nothing."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from kiezbruecke.connector import Handled
from kiezbruecke.errors import ConfigurationError, SourceError

from .conftest import Bookmark, order

BOUND, PAID, CLAIM = "KK26-090416-00001-F1", "KK26-090416-00001-Z1", "KK26-090416-00001-R1"


def folder(desk, *below: str) -> list[str]:
    return sorted(file.name for file in (desk.files / "rueckmeldungen").joinpath(*below).iterdir() if file.is_file())


def read(desk) -> list:
    """A whole run: fetch, store, acknowledge."""
    source = desk.source
    items = list(source.fetch(Bookmark()))
    source.acknowledge([Handled(item) for item in items])
    source.close()
    return items


def words(items) -> list[tuple[str, str, str]]:
    return [(one.body["fremdkennzeichen"], one.body["ereignis"], one.body["betrag"]) for one in items]


def test_every_event_comes_back_by_file(desk, pair):
    """Booked, paid, bounced, claimed, received, cancelled, refused: one vocabulary."""
    desk.send(*pair)
    desk.received()
    first = read(desk)
    desk.post("pay")
    desk.post(f"bounce/{PAID}")
    second = read(desk)
    desk.send(
        order(CLAIM, "37.60", art="30", bezug=PAID),
        order("KK26-090416-00001-Z2", "850.00", art="20", bezug=BOUND),
        order("KK26-090416-00001-Z3", "850.00", art="21", bezug="KK26-090416-00001-Z2"),
        order("KK26-090416-00001-Z4", "850.01", art="20", bezug=BOUND),
        id="KK26-S-0002",
    )
    desk.received()
    third = read(desk)
    desk.post("pay")
    fourth = read(desk)

    assert words(first) == [(BOUND, "FESTGELEGT", "850,00"), (PAID, "GEBUCHT", "850,00")]
    assert words(second) == [(PAID, "BEZAHLT", "850,00"), (PAID, "RUECKLAEUFER", "850,00")]
    assert [event for _, event, _ in words(third)] == ["GEBUCHT", "GEBUCHT", "AUFGEHOBEN", "ABGEWIESEN"]
    assert third[3].body["grundcode"] == "FESTLEGUNG"
    assert words(fourth) == [(CLAIM, "EINGEGANGEN", "37,60")]


def test_two_runs_that_move_the_same_files_at_once_do_not_fail(desk):
    """The older one was overtaken, and asks nobody before it moves what it has stored."""
    for number in range(12):
        desk.send(order(f"KK26-090416-{number + 1:05}-F1", "850.00", art="10"), id=f"KK26-S-{number + 1:04}")
        desk.received()
    runs = [desk.source, desk.source]
    handled = [[Handled(item) for item in run.fetch(Bookmark())] for run in runs]
    before = folder(desk)

    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda run, some: run.acknowledge(some), runs, handled))
    for run in runs:
        run.close()

    assert len(before) == 24
    assert folder(desk) == []
    assert len(folder(desk, "gelesen")) == 24


def test_a_file_is_moved_when_all_of_it_is_stored(desk, pair):
    """Until then it is read again, and brings the same items."""
    desk.send(*pair)
    desk.received()
    source = desk.source
    items = list(source.fetch(Bookmark()))
    source.acknowledge([Handled(items[0])])
    still = folder(desk)
    source.acknowledge([Handled(items[1])])
    source.close()

    assert len(still) == 2
    assert folder(desk) == []
    assert len(folder(desk, "gelesen")) == 2
    assert desk.fetch() == []


def test_a_run_that_was_killed_reads_the_same_again(desk, pair):
    """The ledger knows the ids: twice read is once heard."""
    desk.send(*pair)
    desk.received()

    assert [one.external_id for one in desk.fetch()] == [one.external_id for one in desk.fetch()]
    assert len({one.external_id for one in desk.fetch()}) == 2


def test_the_same_answers_in_two_files_are_the_same(desk, pair):
    """A file that somebody copied."""
    desk.arm("doubled")
    desk.send(*pair)
    desk.received()
    items = read(desk)

    assert len(items) == 4
    assert len({one.external_id for one in items}) == 2
    assert folder(desk) == []


def test_the_order_of_the_lines_means_nothing(desk, pair):
    """Out of order or late: the same events."""
    desk.arm("late")
    desk.send(*pair)
    desk.received()
    nothing = read(desk)
    desk.arm("reordered")
    desk.post("pay")

    assert nothing == []
    assert words(read(desk)) == [
        (PAID, "BEZAHLT", "850,00"),
        (PAID, "GEBUCHT", "850,00"),
        (BOUND, "FESTGELEGT", "850,00"),
    ]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("half", "ihr Inhalt ist nicht der, den die Datei .ok nennt"),
        ("half_sealed", "nicht vollständig"),
        ("no_trailer", "der Nachsatz fehlt oder hat einen anderen Aufbau"),
        ("wrong_count", "die Anzahl stimmt nicht mit den Sätzen überein"),
        ("wrong_sum", "die Summe stimmt nicht mit den Sätzen überein"),
        ("wrong_hash", "die Prüfsumme SHA-256 stimmt nicht mit den Sätzen überein"),
    ],
)
def test_a_damaged_file_is_set_aside_whole(open_desk, pair, fault, told):
    """One German line, nothing of it is stored, and the file beside it is read."""
    desk = open_desk("folder")
    desk.arm(fault)
    desk.send(pair[0])
    desk.received()
    desk.send(pair[1], id="KK26-S-0002")
    desk.received()
    items = read(desk)
    damaged, good = [one for one in items if one.problem], [one for one in items if not one.problem]

    assert len(damaged) == 1
    assert told in damaged[0].problem
    assert damaged[0].problem.startswith("Rückmeldedatei rm-000001-1.csv: ")
    assert damaged[0].problem.endswith("bitte beim HKR-Verfahren eine unversehrte Datei anfordern")
    assert damaged[0].kind == "answer-file-problem"
    assert [one.body["fremdkennzeichen"] for one in good] == [PAID]
    assert len(folder(desk, "fehlerhaft")) == 2
    assert folder(desk) == []


def test_the_mended_file_closes_the_point(open_desk, pair):
    """Under the same name; its items bear it."""
    desk = open_desk("folder")
    desk.arm("wrong_count")
    desk.send(pair[0])
    desk.received()
    [damaged] = read(desk)
    [spoiled] = [one for one in folder(desk, "fehlerhaft") if one.endswith(".csv")]
    body = (desk.files / "rueckmeldungen" / "fehlerhaft" / spoiled).read_bytes().replace(b"ENDE;2;", b"ENDE;1;")
    where = desk.files / "rueckmeldungen"
    (where / "rm-000001-1.csv").write_bytes(body)
    (where / "rm-000001-1.csv.ok").write_text(f"{hashlib.sha256(body).hexdigest()}  rm-000001-1.csv\n")
    [good] = read(desk)

    assert set(damaged.names) & set(good.names)
    assert good.problem is None


def test_a_file_without_its_marker_waits(desk, pair):
    """It may still be growing."""
    desk.arm("no_marker")
    desk.send(*pair)
    desk.received()

    assert read(desk) == []
    assert folder(desk) == ["rm-000001-2.csv"]


def test_a_file_that_is_too_large_is_set_aside(open_desk, pair):
    """It is not read to its end."""
    desk = open_desk("folder").with_(max_bytes=50)
    desk.send(*pair)
    desk.received()
    [damaged] = read(desk)

    assert "größer als 50 Byte" in damaged.problem


def test_a_missing_folder_is_told(open_desk, tmp_path):
    """Nothing is lost; the next run tries again."""
    with pytest.raises(SourceError, match="Die Rückmeldedateien sind nicht lesbar"):
        open_desk("folder").with_(answers=f"{tmp_path}/fehlt").fetch()


def test_a_connection_without_that_folder_is_no_source(open_desk):
    """It may only send."""
    with pytest.raises(ConfigurationError, match=r"extra\.answers is empty"):
        _ = open_desk("folder").with_(answers="").source
