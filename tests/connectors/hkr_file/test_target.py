"""What is handed over arrives once, whole, and is booked; what is there of it can be told."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from kiezbruecke.connector import CannotTell, Found, NotThere
from kiezbruecke.errors import AlreadyUsed, ConfigurationError, NotSent, RecordError
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.troubles import Cause

from .conftest import MARKS, order


def test_a_batch_is_taken_and_booked(desk, pair):
    """Both orders are in their books; the payment stands on its commitment."""
    receipts = desk.send(*pair)

    assert {one.outcome for one in receipts.values()} == {ReceiptOutcome.DELIVERED}
    assert desk.events() == {pair[0].reference: "FESTGELEGT", pair[1].reference: "GEBUCHT"}
    assert sorted(file.name for file in (desk.files / "uebernommen").iterdir()) == [
        "KK26-S-0001.txt",
        "KK26-S-0001.txt.ok",
    ]


def test_the_csv_layout_is_taken_as_well(desk):
    """Another layout is another profile, nothing else."""
    desk = desk.with_(profile="kiezbruecke-csv")
    bound, paid = "KK26-090416-00001-F1", "KK26-090416-00001-Z1"
    desk.send(
        order(bound, "0.50", layout="kiezbruecke-csv"),
        order(paid, "0.50", layout="kiezbruecke-csv", art="20", bezug=bound, name='Ω "Verein"; Łódź'),
    )

    assert desk.events() == {bound: "FESTGELEGT", paid: "GEBUCHT"}


def test_the_same_file_twice_is_one_effect(desk, pair):
    """A name that is taken by the same bytes is a success, before and after it was taken."""
    desk.send(*pair)
    desk.received()
    desk.send(*pair)

    assert desk.batches()["KK26-S-0001"]["times"] == 1
    assert [one["times"] for one in desk.received().values()] == [1, 1]


def test_other_bytes_under_a_name_that_is_taken_stop(desk, pair):
    """The ledger has forgotten a batch: nothing is overwritten, nothing goes out."""
    desk.send(pair[0])
    desk.received()
    with pytest.raises(AlreadyUsed):
        desk.send(*pair)
    other = desk.batch(*pair)

    assert desk.events() == {pair[0].reference: "FESTGELEGT"}
    assert all(isinstance(one, CannotTell) for one in desk.look_up(other, *pair))


def test_a_second_order_of_one_fremdkennzeichen_is_refused_by_them(desk, pair):
    """Their own check: another batch with the same order books nothing."""
    desk.send(pair[0])
    desk.send(pair[0], id="KK26-S-0002")

    assert desk.received()[pair[0].reference]["batch"] == "KK26-S-0001"
    assert desk.events() == {pair[0].reference: "FESTGELEGT,ABGEWIESEN"}


def test_what_was_handed_over_is_found_by_name_and_hash(desk, pair):
    """Where it lies, and where they have moved it."""
    batch = desk.batch(*pair)
    before = desk.look_up(batch, *pair)
    desk.send(*pair)
    desk.received()

    assert before == [NotThere(), NotThere()]
    assert all(isinstance(one, Found) for one in desk.look_up(batch, *pair))


def test_a_file_that_they_delete_proves_nothing(desk, pair):
    """Nobody says where taken files go: NotThere would send a payment a second time."""
    desk = desk.with_(taken="")
    batch = desk.batch(*pair)
    desk.send(*pair)
    desk.received()

    assert all(isinstance(one, CannotTell) for one in desk.look_up(batch, *pair))


def test_the_marker_says_the_hash_as_sha256sum_does(open_desk, pair, tmp_path):
    """Operators check it with a tool that they have."""
    for name in ("hin", "her"):
        (tmp_path / name).mkdir()
    desk = open_desk().with_(path=f"{tmp_path}/hin", taken="", answers=f"{tmp_path}/her")
    batch = desk.batch(*pair)
    desk.send(*pair)

    said = (tmp_path / "hin" / "KK26-S-0001.txt.ok").read_text()
    assert said == f"{hashlib.sha256(batch.payload).hexdigest()}  KK26-S-0001.txt\n"
    assert sorted(file.name for file in (tmp_path / "hin").iterdir()) == ["KK26-S-0001.txt", "KK26-S-0001.txt.ok"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: replace(one, payload=one.payload[:-3] + b"\r\n"), "ist kein Satz nach dem Aufbau"),
        (lambda one: replace(one, payload=one.payload.replace(b"EUR", b"USD")), "ist kein Satz nach dem Aufbau"),
        (lambda one: replace(one, reference="KK26-090416-00009-F1"), "nicht das der Nachricht"),
        (lambda one: replace(one, marks=MARKS[:2]), "„angeordnet“ fehlt"),
        (lambda one: replace(one, marks=(*MARKS[:2], replace(MARKS[2], account="x" * 31))), "zu lang"),
    ],
)
def test_a_message_that_cannot_be_in_the_file_is_named(open_desk, pair, spoil, told):
    """One line with its Fremdkennzeichen; the others can go without it."""
    message = spoil(pair[1])
    with pytest.raises(RecordError, match=told) as raised:
        open_desk().batch(message)

    assert message.reference in str(raised.value)


def test_an_order_twice_in_a_batch_is_refused(open_desk, pair):
    """Their check is the second net, not the first."""
    with pytest.raises(RecordError, match="zweimal"):
        open_desk().batch(pair[0], pair[0])


def test_the_marks_stand_in_the_file_and_not_in_the_message(open_desk, pair):
    """They are given after the bytes were written."""
    batch = open_desk().batch(*pair)

    assert b"a.amt" not in pair[1].payload
    assert all(f"{mark.account:30}2026-11-23T06:30:00Zairflow".encode() in batch.payload for mark in MARKS)


def test_one_person_for_two_marks_is_refused_by_them(desk, pair):
    """Who orders has certified nothing."""
    alone = replace(pair[1], marks=(MARKS[0], MARKS[1], replace(MARKS[2], account="a.amt")))
    desk.send(pair[0], alone)

    assert desk.events()[alone.reference] == "ABGEWIESEN"


@pytest.mark.parametrize("fault", ["no_space", "short_write"])
def test_what_does_not_arrive_whole_was_not_sent(open_desk, pair, fault):
    """Before the file has its name a failure is certain, and the next run mends it."""
    desk = open_desk("sftp")
    desk.arm(fault)
    with pytest.raises(NotSent):
        desk.send(*pair)
    desk.send(*pair)

    assert desk.batches()["KK26-S-0001"] == {"id": "KK26-S-0001", "code": "", "times": 1}


def test_a_missing_folder_is_named_and_not_made(open_desk, pair, tmp_path):
    """It may be a share that is not mounted."""
    with pytest.raises(NotSent) as raised:
        open_desk().with_(path=f"{tmp_path}/fehlt").send(*pair)

    assert raised.value.trouble.cause is Cause.FOLDER
    assert not (tmp_path / "fehlt").exists()


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"host_key": ""}, "expected host_key or known_hosts, one of them"),
        ({"host_key": "ssh-ed25519 nonsense"}, "host_key is no public key"),
        ({"known_hosts": "/nirgends"}, "one of them"),
        ({"answers": "/eingang"}, "the same folder"),
        ({"profile": "status-list"}, "describes no batch file"),
        ({"profile": "hkr-rueckmeldung"}, "describes no batch file"),
        ({"no_host_key_check": True}, "extra.no_host_key_check"),
    ],
)
def test_a_connection_that_is_wrong_is_told_before_anybody_is_called(open_desk, extra, told):
    """There is no way to switch the check of the host key off."""
    with pytest.raises(ConfigurationError, match=told):
        _ = open_desk("sftp").with_(**extra).target
