"""The SFTP line: whose host key is another is not talked to, and what was cut is told honestly."""

from __future__ import annotations

import logging
from dataclasses import replace

import asyncssh
import pytest

from connectors.hkr_file.probe import probe
from kiezbruecke.connector import Found, NotThere
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected, SourceError
from kiezbruecke.sandbox import start
from kiezbruecke.troubles import Cause

from .conftest import PROCESS, ROOT


def told(error: BaseException) -> str:
    return f"{error} {error.__cause__!r} {error.__context__!r}"


def restarted_with_another_key(desk):
    """Somebody else answers at the address, or the server was set up anew."""
    key = desk.server["host_key"]
    desk.running.kill()
    (desk.running.state / "host_key").unlink()
    again = start(
        "connectors.hkr_file.sandbox:create",
        desk.running.state,
        options=(*desk.options, f"sftp_port={desk.server['port']}"),
    )
    desk.running.process = again.process
    return replace(desk, running=again).with_(host_key=key)


def test_a_changed_host_key_is_refused_in_one_line(open_desk, pair):
    """Before a password or a byte of an order has left; the line says what helps."""
    desk = open_desk("sftp")
    desk.send(pair[0])
    other = restarted_with_another_key(desk)
    with pytest.raises(NotSent) as raised:
        other.send(pair[1], id="KK26-S-0002")

    assert str(raised.value) == (
        "connection hkr-datei, 127.0.0.1: the host key of the SFTP server is not the one that we know; nothing was "
        "sent; ask its operator for the new key over another way, and set host_key or known_hosts"
    )
    assert pair[1].reference not in other.received()


def test_a_host_that_no_file_knows_is_refused(open_desk, pair, tmp_path):
    """Nothing is added by itself."""
    known = tmp_path / "known_hosts"
    known.write_text("other.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bh0eUtE8pTkUuK7Yfm2eJjWcZ1pLzqVsmYXvTqbcd\n")
    desk = open_desk("sftp").with_(host_key="", known_hosts=str(known))
    with pytest.raises(NotSent, match="host key"):
        desk.send(*pair)

    assert "127.0.0.1" not in known.read_text()


def test_a_known_hosts_file_is_as_good(open_desk, pair, tmp_path):
    """The form that ssh keeps, with the port."""
    desk, known = open_desk("sftp"), tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{desk.server['port']} {desk.server['host_key']}\n")
    desk = desk.with_(host_key="", known_hosts=str(known))
    desk.send(*pair)

    assert desk.events()[pair[1].reference] == "GEBUCHT"


def test_a_key_of_our_own_logs_in(open_desk, pair, tmp_path):
    """With its passphrase; without it there is one clear line."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    file = tmp_path / "id"
    key.write_private_key(str(file), passphrase="wort", rounds=50)
    (tmp_path / "authorized").write_bytes(key.export_public_key())
    desk = replace(open_desk("sftp", f"authorized={tmp_path}/authorized"), password="")
    with pytest.raises(ConfigurationError, match="key_file cannot be read"):
        desk.with_(key_file=str(file)).send(*pair)
    desk.with_(key_file=str(file), private_key_passphrase="wort").send(*pair)

    assert desk.events()[pair[1].reference] == "GEBUCHT"


def test_a_wrong_password_is_told_without_it(open_desk, pair):
    """IT operations reads which account; the secret stands nowhere."""
    desk = replace(open_desk("sftp"), password="falsch-kanari")
    with pytest.raises(NotSent) as raised:
        desk.send(*pair)
    target = desk.target

    assert raised.value.trouble.cause is Cause.PASSWORD
    assert "kanari" not in told(raised.value) + repr(target) + repr(vars(target)) + repr(target.settings)


def test_a_session_is_not_logged(open_desk, pair, caplog):
    """Logs are read by more people than know the account; and a line per file and step helps nobody."""
    desk = open_desk("sftp")
    with caplog.at_level(logging.INFO):
        desk.send(*pair)

    assert caplog.text == ""


def test_nobody_there_was_not_sent(open_desk, pair):
    """Not one byte has left."""
    desk = open_desk("sftp")
    batch = desk.batch(*pair)
    target = desk.target
    desk.running.kill()
    with pytest.raises(NotSent) as raised:
        target.send(batch, pair)

    assert raised.value.trouble.cause is Cause.UNREACHABLE


@pytest.mark.parametrize(
    ("fault", "sure", "there"),
    [
        ("cut_in_write", True, False),
        ("cut_before_rename", False, False),
        ("cut_after_rename", False, False),
        ("cut_after_marker", False, True),
    ],
)
def test_a_line_that_is_cut_says_what_is_certain(open_desk, pair, fault, sure, there):
    """Before the rename it is certain that nobody reads the file; later it is doubt, and the folder tells."""
    desk = open_desk("sftp")
    batch = desk.batch(*pair)
    desk.arm(fault)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - what it may be is looked at
        desk.send(*pair)
    said = desk.look_up(batch, *pair)
    desk.send(*pair)

    assert isinstance(raised.value, NotSent) == sure
    assert not isinstance(raised.value, Rejected)
    assert all(isinstance(one, Found if there else NotThere) for one in said)
    assert desk.batches()["KK26-S-0001"] == {"id": "KK26-S-0001", "code": "", "times": 1}


def test_a_client_that_was_closed_opens_anew(open_desk, pair):
    """The engine closes at a stage's end."""
    desk = open_desk("sftp")
    target = desk.target
    target.send(desk.batch(pair[0]), [pair[0]])
    target.close()
    target.close()
    target.send(desk.batch(pair[1], id="KK26-S-0002"), [pair[1]])
    target.close()

    assert set(desk.batches()) == {"KK26-S-0001", "KK26-S-0002"}


def test_the_probe_logs_in_and_leaves_nothing(desk):
    """A person presses Test; nothing of it stays."""
    said = probe(desk.connection, ROOT, [PROCESS])

    assert said.endswith("die Ordner sind da, der für Stapel lässt sich beschreiben")
    assert list((desk.files / "eingang").iterdir()) == []


def test_the_probe_names_a_folder_that_is_missing(open_desk):
    """On the server as here."""
    desk = open_desk("sftp").with_(path="/fehlt")
    with pytest.raises(SourceError, match="connection hkr-datei"):
        probe(desk.connection, ROOT, [PROCESS])
