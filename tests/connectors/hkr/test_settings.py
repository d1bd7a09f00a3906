"""The connection: what is wrong with it is said before the first byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.hkr.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError

GOOD = Connection("hkr-tk", "kb_hkr", host="hkr.example", schema="https", extra={"dienststelle": "BA-TK"})


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "https://hkr.example/hkr"),
        ({"host": "http://127.0.0.1:8088"}, "http://127.0.0.1:8088/hkr"),
        ({"host": "https://hkr.example/ws/anordnung/"}, "https://hkr.example/ws/anordnung"),
        ({"port": 8443}, "https://hkr.example:8443/hkr"),
        ({"extra": {"dienststelle": "BA-TK", "path": "/dienst"}}, "https://hkr.example/dienst"),
    ],
)
def test_the_address_comes_from_host_port_and_path(changes, url):
    """As Airflow's form gives them, or as one whole address."""
    assert Settings.from_connection(replace(GOOD, **changes)).url == url


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": ""}, "host is empty"),
        ({"host": "https://u:p@hkr.example"}, "holds a login"),
        ({"host": "ftp://hkr.example"}, "no address"),
        ({"host": "http://hkr.example:x"}, "port is no number"),
        ({"host": "http://hkr.example", "login": "kb"}, "must not travel over http"),
        ({"extra": {}}, "dienststelle"),
        ({"extra": {"dienststelle": "mit Leerzeichen"}}, "dienststelle"),
        ({"extra": {"dienststelle": "BA", "deadlin": 5}}, "deadlin"),
        ({"extra": {"dienststelle": "BA", "url": "x"}}, "url: Extra inputs"),
        ({"extra": {"dienststelle": "BA", "client_key": "k.pem"}}, "belong together"),
        ({"extra": {"dienststelle": "BA", "poll_size": 0}}, "poll_size"),
    ],
)
def test_a_wrong_connection_is_named_in_one_line(changes, says):
    """Field and connection, never a secret."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        Settings.from_connection(replace(GOOD, password="geheim", **changes))

    assert "hkr-tk" in str(caught.value)
    assert "geheim" not in str(caught.value)
