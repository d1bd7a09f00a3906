"""Gets objects and lists from one OParl server; no other server is ever asked, whatever an answer says.

    get(address) ─▶ one object          pages(list) ─▶ its pages, as far as `links.next` leads on the same server

A server of a stranger is bounded: size and depth of an answer, pages of a list, calls of a run. An address that is
none, or leads to another host, port or account, is `Elsewhere`. Objects that a run has asked for are kept for the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from connectors._json import object_in
from connectors._line import Line, NoAnswer, Response, shown_type
from connectors.oparl.settings import Settings
from kiezbruecke.errors import DeliveryError, SourceError
from kiezbruecke.troubles import Cause, Trouble

Object = Mapping[str, Any]
JSON_TYPES = ("application/json", "application/ld+json", "application/vnd.oparl+json", "text/json")
LONGEST = 2000  # letters of an address
NOT_SHOWN = (403, 404, 410)  # of a single object: it is not public, or not there any more


class Elsewhere(Exception):
    """An address in an answer is none, or leads to another server; it was not asked."""

    trouble = Trouble(Cause.ADDRESS)


class Hidden(Exception):
    """The server does not show this object to us."""


class EnoughCalls(Exception):
    """The calls of this run are used up; the next one goes on."""


CALL_FAILED = (DeliveryError, NoAnswer, OSError, Elsewhere, Hidden, EnoughCalls)
"""Everything that a call raises when it fails; OSError holds the system's errors and DeadlineExceeded."""


class Client:
    """One OParl server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._line = Line(settings.wire)
        self._known: dict[str, Object] = {}
        self._calls = 0

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    @property
    def address(self) -> str:
        """Where the interface begins."""
        return self._settings.address

    def begin(self) -> None:
        """A run of its own: nothing is known from an earlier one."""
        self._known, self._calls = {}, 0

    def entry(self) -> Object:
        """What stands at the connection's address; settings take the slash off an address that may need it."""
        response = self._get(self._settings.address)
        if response.status_code in (301, 302, 307, 308, 404):
            response = self._get(f"{self._settings.address}/")
        return _object(response)

    def get(self, address: object) -> Object:
        """The object at an address, once per run; raises Hidden where it is not shown."""
        url = self._ours(address)
        if url not in self._known:
            if self._calls >= self._settings.max_calls:
                raise EnoughCalls
            self._calls += 1
            response = self._get(url)
            if response.status_code in NOT_SHOWN:
                raise Hidden
            self._known[url] = _object(response)
        return self._known[url]

    def pages(self, address: object, **query: str) -> Iterator[list[Any]]:
        """The pages of a list, in the server's order; raises SourceError where it has no end."""
        url = _with_query(self._ours(address), {**query, "limit": str(self._settings.page_size)})
        seen: set[str] = set()
        while url:
            seen.add(url)
            entries, following = _page(_object(self._get(url)))
            yield entries
            url = self._ours(urljoin(url, following)) if following else ""
            if url in seen or (url and len(seen) >= self._settings.max_pages):
                raise SourceError(
                    f"a list goes in a circle, or has more than {self._settings.max_pages} pages",
                    where=f"connection {self._settings.connection}",
                    helps="give the route an option `since`, or the connection more pages; nothing is lost",
                )

    def _get(self, url: str) -> Response:
        return self._line.get(url, {"Accept": "application/json"})

    def _ours(self, address: object) -> str:
        """The address, if it is one on this server; one behind a proxy for https calls itself http."""
        if not isinstance(address, str) or not address.isascii() or not address.isprintable() or " " in address:
            raise Elsewhere("no address")
        try:
            there, here = urlsplit(address), urlsplit(self._settings.address)
            same = there.hostname == here.hostname and _port(there.port, here.port)
        except ValueError:
            raise Elsewhere("no address") from None
        if not same or there.scheme not in ("http", "https") or "@" in there.netloc or len(address) > LONGEST:
            raise Elsewhere("the address of another server")
        return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))


def _port(there: int | None, here: int | None) -> bool:
    """The same, or none named: behind a proxy the server knows no other."""
    return there == here or (there in (None, 80, 443) and here in (None, 80, 443))


def _with_query(url: str, query: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    given = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in query]
    return urlunsplit((*parts[:3], urlencode([*given, *query.items()]), ""))


def _page(body: Object) -> tuple[list[Any], str]:
    """The entries of a page and the address of the next one, empty at the end."""
    entries, links = body.get("data"), body.get("links") or {}
    if not isinstance(entries, list) or not isinstance(links, dict):
        raise NoAnswer("a list in another form than OParl's")
    following = links.get("next") or ""
    if not isinstance(following, str):
        raise NoAnswer("a list in another form than OParl's")
    return entries, following


def _object(response: Response) -> Object:
    """The object in an answer; raises NoAnswer for an error page, half a document, another status."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code != 200:
        raise NoAnswer("expected 200 and JSON", response.status_code)
    if media_type not in JSON_TYPES:
        raise NoAnswer(f"expected JSON, not {shown_type(media_type)}", 200)
    return object_in(response)
