"""What the platform calls an address may be anything: it leads to no other host, and nobody quotes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Reply, Web, split
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError, SourceError


@pytest.fixture
def web() -> Iterator[Web]:
    """A way to a platform that nobody runs: what is refused before a call never reaches it."""
    connection = Connection("meinberlin-tk", "kb_meinberlin", host="http://127.0.0.1:9")
    opened = Web(Settings.from_connection(connection), basic=False)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "path",
    ["@evil.example/", ".evil.example/", ":1@evil.example/", "Käthe Müller", "/Käthe", "/a b/", "/a?name=b", "//x/"],
)
def test_a_path_that_is_none_is_not_called(web: Web, path: str) -> None:
    """Behind the host it would make another host of it, with the session's cookies."""
    with pytest.raises(SourceError, match="no page of it") as caught:
        web.get(path)

    assert path not in str(caught.value)


@pytest.mark.parametrize(
    "there", ["https://Käthe Müller.example/x", "https://k%C3%A4the.example/", "javascript://käthe/"]
)
def test_a_redirect_is_told_without_what_it_says(web: Web, there: str) -> None:
    """Only a name that a host can have is named."""
    with pytest.raises(ConfigurationError, match=r"the platform stands elsewhere; set host to it$"):
        web.refuse_redirect(Reply("GET /", 302, "text/html", b"", there))


def test_a_redirect_to_a_host_names_it(web: Web) -> None:
    """So that IT operations know what to write."""
    with pytest.raises(ConfigurationError, match=r"stands at https://mein\.berlin\.de; set host"):
        web.refuse_redirect(Reply("GET /", 302, "text/html", b"", "https://mein.berlin.de/"))


@pytest.mark.parametrize("address", ["http://[", "http://a:b/", "https://[::1"])
def test_what_is_no_address_has_no_parts(address: str) -> None:
    """Python's own error would quote it."""
    assert split(address).path == ""
