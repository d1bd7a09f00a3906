"""One rule for all connections over HTTP: where secrets may travel, what an address is, which files belong together."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from connectors import _http
from kiezbruecke.connector import Connection, manifests
from kiezbruecke.errors import ConfigurationError

NEEDED = {
    "bank": {"debtor_name": "Bezirksamt", "debtor_iban": "DE02100500000054540402"},
    "hkr": {"dienststelle": "BA-TK"},
    "consul": {},
    "meinberlin": {},
    "oparl": {},
    "xta": {"party": "xyz:110090090000", "receiver": "abc:110090090001"},
}


def settings_of(name: str, host: str = "https://name.example", **given: Any) -> _http.HttpSettings:
    module, _, cls = manifests()[name].settings.partition(":")
    connection = {key: given.pop(key) for key in ("login", "password", "port", "schema") if key in given}
    made: _http.HttpSettings = getattr(import_module(module), cls).from_connection(
        Connection(f"{name}-test", f"kb_{name}", host=host, extra={**NEEDED[name], **given}, **connection)
    )
    return made


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("secret", [{"login": "kb"}, {"password": "geheim"}])
@pytest.mark.parametrize(
    "host",
    [
        *("http://name.example", "http://name", "http://127.0.0.1.example", "http://10.0.0.1"),
        *("http://134744072", "http://intranet", "http://evil-localhost", "http://[::ffff:8.8.8.8]"),
    ],
)
def test_a_secret_never_travels_over_http(name: str, secret: dict[str, str], host: str) -> None:
    """One rule for all, also inside an office's network."""
    with pytest.raises(ConfigurationError, match="must not travel over http") as raised:
        settings_of(name, host, **secret)

    assert f"connection {name}-test" in str(raised.value)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:8002", "http://[::1]:8002", "http://localhost", "http://a.localhost"]
)
def test_on_this_machine_http_is_enough(name: str, host: str) -> None:
    """Sandboxes and proxies on the same host."""
    assert settings_of(name, host, login="kb", password="geheim").wire.password == "geheim"


@pytest.mark.parametrize("name", NEEDED)
def test_content_does_not_travel_over_http_either(name: str) -> None:
    """What we carry without an account is people's data all the same."""
    with pytest.raises(ConfigurationError, match="must not travel over http"):
        settings_of(name, "http://intranet")


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("host", ["http://[::1", "https://[x]", "[", "https://a:99999", "https://a\u2100b"])
def test_what_is_no_address_is_one_line(name: str, host: str) -> None:
    """Seen: a bracket that nobody closed ended in an unexpected error."""
    with pytest.raises(ConfigurationError):
        settings_of(name, host)


def test_a_port_elsewhere_counts_as_well() -> None:
    """XTA's three ports may stand at three addresses."""
    with pytest.raises(ConfigurationError, match="must not travel over http"):
        settings_of("xta", login="kb", password="geheim", send_url="http://send.example/x")


def test_a_second_account_is_a_secret_too() -> None:
    with pytest.raises(ConfigurationError, match="must not travel over http"):
        settings_of("meinberlin", "http://name.example", export_login="a", export_password="geheim")


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("", "host is empty"),
        ("ftp://name.example", "no address"),
        ("https://name.example?a=b", "no address"),
        ("https://u:geheim@name.example", "holds a login"),
        ("https://name.example:x", "port is no number"),
    ],
)
def test_an_address_that_is_none_is_named(name: str, host: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        settings_of(name, host)

    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("alone", ["client_cert", "client_key"])
def test_certificate_and_key_belong_together(name: str, alone: str) -> None:
    with pytest.raises(ConfigurationError, match="client_cert and client_key belong together"):
        settings_of(name, **{alone: "a.pem"})


@pytest.mark.parametrize("name", NEEDED)
def test_the_extra_cannot_replace_the_account(name: str) -> None:
    """Whoever may edit `extra` only must not move the connection elsewhere."""
    for field in _http.OWN:
        with pytest.raises(ConfigurationError, match=f"extra must not hold {field}"):
            _with_extra(name, field)


def _with_extra(name: str, field: str) -> None:
    module, _, cls = manifests()[name].settings.partition(":")
    connection = Connection("c", f"kb_{name}", host="https://name.example", extra={**NEEDED[name], field: "x"})
    getattr(import_module(module), cls).from_connection(connection)


@pytest.mark.parametrize("name", NEEDED)
def test_all_say_how_calls_travel_in_the_same_words(name: str, self_signed: tuple[Path, Path]) -> None:
    certificate, key = map(str, self_signed)
    files = {"ca_file": certificate, "client_cert": certificate, "client_key": key}
    given = {**files, "connect_timeout": 1, "deadline": 3}

    wire = settings_of(name, **given, read_timeout=2).wire

    assert (wire.ca_file, wire.client_cert, wire.client_key) == (certificate, certificate, key)
    assert (wire.connect_timeout, wire.read_timeout, wire.deadline) == (1, 2, 3)
