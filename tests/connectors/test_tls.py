"""What is wrong with certificates is said in a line of its own, before anything is sent (F39 to F41)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors._http import HttpSettings
from connectors._line import Line, Wire
from kiezbruecke import german
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError, NotSent
from kiezbruecke.troubles import Cause, Trouble, trouble_of
from tests.authority import Authority, tls_server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "Fremde Stelle")


def failure(url: str, wire: Wire) -> Exception:
    """What a call ends with."""
    with closing(Line(wire)) as line, pytest.raises(Exception) as raised:  # noqa: PT011 - each test says which
        line.post(url, b"request", {})
    return raised.value


def settings(**extra: str) -> HttpSettings:
    return HttpSettings.from_connection(Connection("eakte", "kb_x", host="https://name.example", extra=extra))


def test_tls_1_2_is_spoken_and_nothing_older(authority: Authority) -> None:
    wire = Wire(ca_file=str(authority.file), deadline=10)
    with tls_server(authority.issue(), newest="1.2") as url, closing(Line(wire)) as line:
        assert line.post(url, b"request", {}).content == b"yes"
    with tls_server(authority.issue(), newest="1.1") as url:
        error = failure(url, wire)

    assert isinstance(error, NotSent)
    assert error.trouble == Trouble(Cause.TLS_VERSION)
    assert "TLS 1.2" in error.helps


def test_a_certificate_for_another_name_is_called_so(authority: Authority) -> None:
    with tls_server(authority.issue("eakte.example")) as url:
        error = failure(url, Wire(ca_file=str(authority.file), deadline=10))

    assert isinstance(error, NotSent)
    assert error.trouble == Trouble(Cause.TLS_HOST)


def test_an_expired_certificate_is_called_so_with_its_day(authority: Authority) -> None:
    """Whoever has to renew it wants to know since when."""
    with tls_server(authority.issue(ends=-timedelta(days=2))) as url:
        error = failure(url, Wire(ca_file=str(authority.file), deadline=10))

    assert isinstance(error, NotSent)
    day = german.day(datetime.now(UTC) - timedelta(days=2))
    assert error.trouble is not None
    assert error.trouble.german == f"Zertifikat der Gegenstelle abgelaufen am {day}"


def test_an_unknown_authority_is_called_so(authority: Authority, stranger: Authority) -> None:
    with tls_server(authority.issue()) as url:
        error = failure(url, Wire(ca_file=str(stranger.file), deadline=10))

    assert isinstance(error, NotSent)
    assert error.trouble == Trouble(Cause.TLS_UNKNOWN)
    assert "ca_file" in error.helps


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
def test_a_server_that_wants_a_certificate_of_ours_is_understood(authority: Authority, newest: str) -> None:
    """With TLS 1.3 it says so only after the request was written: that stays doubt, but with its reason."""
    with tls_server(authority.issue(), clients=authority.file, newest=newest) as url:
        trouble = trouble_of(failure(url, Wire(ca_file=str(authority.file), deadline=10)))

    assert trouble is not None
    assert trouble.cause in (Cause.CERTIFICATE_MISSING, Cause.CUT)  # a reset may overtake the alert


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
def test_a_certificate_of_ours_that_they_do_not_know_is_called_so(
    authority: Authority, stranger: Authority, newest: str
) -> None:
    certificate, key = stranger.issue(name="client")
    wire = Wire(str(authority.file), str(certificate), str(key), deadline=10)
    with tls_server(authority.issue(), clients=authority.file, newest=newest) as url:
        trouble = trouble_of(failure(url, wire))

    assert trouble is not None
    assert trouble.cause in (Cause.CERTIFICATE_REFUSED, Cause.CUT)


def test_a_certificate_that_they_know_opens_the_door(authority: Authority) -> None:
    certificate, key = authority.issue(name="client")
    wire = Wire(str(authority.file), str(certificate), str(key), deadline=10)
    with tls_server(authority.issue(), clients=authority.file) as url, closing(Line(wire)) as line:
        assert line.post(url, b"request", {}).content == b"yes"


def test_keys_may_be_exchanged_between_two_steps(authority: Authority, tmp_path: Path) -> None:
    """The files are read when a client is opened, and every step opens its own (F41)."""
    for name in ("first", "second"):
        certificate, key = authority.issue(name=name)
        (tmp_path / "c.pem").write_bytes(certificate.read_bytes())
        (tmp_path / "k.pem").write_bytes(key.read_bytes())
        wire = Wire(str(authority.file), str(tmp_path / "c.pem"), str(tmp_path / "k.pem"), deadline=10)
        with tls_server(authority.issue(), clients=authority.file) as url, closing(Line(wire)) as line:
            assert line.post(url, b"request", {}).content == b"yes"


def test_a_port_without_tls_is_called_so(authority: Authority, unused: str) -> None:
    error = failure(unused, Wire(ca_file=str(authority.file), deadline=10))

    assert isinstance(error, NotSent)
    assert error.trouble == Trouble(Cause.UNREACHABLE)


@pytest.fixture
def unused() -> str:
    return "https://127.0.0.1:1"


@pytest.mark.parametrize("field", ["ca_file", "client_cert", "client_key"])
def test_a_missing_file_is_named_before_a_client_exists(authority: Authority, field: str, tmp_path: Path) -> None:
    """Not as a traceback at the first call."""
    certificate, key = authority.issue()
    files = {"ca_file": str(authority.file), "client_cert": str(certificate), "client_key": str(key)}
    with pytest.raises(ConfigurationError) as raised:
        settings(**{**files, field: str(tmp_path / "gone.pem")})

    assert raised.value.where == f"connection eakte, {field}, {tmp_path / 'gone.pem'}"
    assert raised.value.trouble is not None
    assert raised.value.trouble.cause is Cause.FILE


def test_files_that_do_not_fit_each_other_are_named(authority: Authority) -> None:
    (certificate, _), (_, key) = authority.issue(), authority.issue()

    with pytest.raises(ConfigurationError, match="client_key is not the key of client_cert"):
        settings(client_cert=str(certificate), client_key=str(key))


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("kein PEM")

    with pytest.raises(ConfigurationError, match="connection eakte, ca_file: no PEM"):
        settings(ca_file=str(tmp_path / "ca.pem"))


def test_an_expired_certificate_of_ours_is_named_before_it_is_shown(authority: Authority) -> None:
    certificate, key = authority.issue(ends=-timedelta(days=2))
    day = german.day(datetime.now(UTC) - timedelta(days=2))

    with pytest.raises(ConfigurationError, match="our certificate has expired") as raised:
        settings(client_cert=str(certificate), client_key=str(key))

    assert raised.value.trouble is not None
    assert raised.value.trouble.german == f"eigenes Zertifikat abgelaufen am {day}"


def test_a_key_with_a_password_asks_nobody(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL would ask the terminal, and a run would wait for ever."""
    from cryptography.hazmat.primitives import serialization as form

    certificate, key = authority.issue()
    secret = form.load_pem_private_key(key.read_bytes(), None)
    locked = form.BestAvailableEncryption(b"geheim")
    (tmp_path / "k.pem").write_bytes(secret.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked))

    with pytest.raises(ConfigurationError, match="locked with a password"):
        settings(client_cert=str(certificate), client_key=str(tmp_path / "k.pem"))


def test_plain_http_goes_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name says nothing: where it leads is known when the connection is open, and before a byte is written."""

    class Elsewhere:
        sent = b""
        closed = False

        def getpeername(self) -> tuple[str, int]:
            return "192.0.2.1", 80

        def close(self) -> None:
            Elsewhere.closed = True

    monkeypatch.setattr(Line, "_connect", lambda *_: Elsewhere())
    error = failure("http://evil.localhost/a", Wire(user="kb", password="geheim"))

    assert isinstance(error, ConfigurationError)
    assert "another" in error.what
    assert Elsewhere.closed
