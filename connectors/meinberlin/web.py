"""One HTTP call to the platform: whole, in time, from its own address – or an error."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from email.message import Message as Header
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from connectors.meinberlin.settings import Settings
from kiezbruecke.errors import ConfigurationError, SourceError

LIMIT = 64 * 1024 * 1024  # bytes of one answer; the largest page of the platform is far below
USER_AGENT = f"Kiezbruecke/{version('kiezbruecke')} (connector meinberlin)"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """A whole answer, whatever its status; `where` is method and path, without query and host."""

    where: str
    status: int
    media_type: str
    body: bytes
    location: str = ""

    def text(self) -> str:
        """The body as text, for looking into HTML pages; never quoted in errors."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; raises SourceError if it is something else, or cut."""
        if self.media_type != "application/json":
            raise self.broken(f"answered 200 with {self.media_type or 'no content type'}", "application/json")
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise self.broken("the answer is cut or no JSON", "a whole JSON document") from None

    def broken(self, what: str, expected: str) -> SourceError:
        """The error for an answer that cannot be used; a person's data is never in it."""
        return SourceError(what, where=self.where, expected=expected, helps="nothing was taken over; tried again")


class Web:
    """One session with the platform. No retries, no redirects, nothing from the environment."""

    def __init__(self, settings: Settings, *, basic: bool) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        if basic and settings.login:
            password = settings.password.get_secret_value()
            self._session.auth = HTTPBasicAuth(settings.login.encode(), password.encode())  # not latin-1

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def cookie(self, name: str) -> str:
        """The value of a cookie of the platform, or ''."""
        return next((cookie.value or "" for cookie in self._session.cookies if cookie.name == name), "")

    def get(self, path: str, query: dict[str, str] | None = None, *, accept: str = "application/json") -> Reply:
        """GET a path of the platform."""
        url = self._settings.origin + path
        return self._call(requests.Request("GET", url, params=query, headers={"Accept": accept}), f"GET {path}")

    def post_form(self, path: str, form: dict[str, str]) -> Reply:
        """POST an HTML form, with the Referer that the platform's CSRF check wants."""
        url = self._settings.origin + path
        headers = {"Accept": "text/html", "Referer": url}
        return self._call(requests.Request("POST", url, data=form, headers=headers), f"POST {path}")

    def _call(self, request: requests.Request, where: str) -> Reply:
        """The call in a thread of its own: header bytes that drip outlive every read timeout."""
        outcome: list[Reply | Exception] = []
        given_up = threading.Event()
        prepared = self._session.prepare_request(request)
        thread = threading.Thread(target=lambda: outcome.append(self._attempt(prepared, where, given_up)), daemon=True)
        thread.start()
        thread.join(self._settings.deadline)
        if not outcome:
            given_up.set()
            raise SourceError(f"no whole answer within {self._settings.deadline:g} s", where=self._where(where))
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _attempt(self, prepared: requests.PreparedRequest, where: str, given_up: threading.Event) -> Reply | Exception:
        where = self._where(where)
        timeout = (self._settings.connect_timeout, self._settings.read_timeout)
        try:
            with self._session.send(prepared, stream=True, timeout=timeout, allow_redirects=False) as response:
                body = _body(response, where, given_up)
        except SourceError as error:
            return error
        except (requests.RequestException, HTTPError, OSError) as error:
            return SourceError(f"no whole answer ({type(error).__name__})", where=where, helps="tried again")
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
            return error
        return Reply(where, response.status_code, _media_type(response), body, response.headers.get("Location", ""))

    def _where(self, where: str) -> str:
        return f"connection {self._settings.connection}, {where}"

    def refuse_redirect(self, reply: Reply) -> None:
        """Never follow a redirect: elsewhere it means a wrong `host`, else a platform out of order."""
        if not 300 <= reply.status < 400:
            return
        there = urlsplit(reply.location)
        origin = f"{there.scheme}://{there.netloc}"
        if there.netloc and origin != self._settings.origin:
            raise ConfigurationError(
                f"the platform stands at {there.scheme}://{there.hostname}",
                where=reply.where,
                helps="set host to it",
            )
        raise reply.broken(f"answered {reply.status}", "no redirect")


def _body(response: requests.Response, where: str, given_up: threading.Event) -> bytes:
    """The body as it drips in; urllib3 raises if Content-Length promised more."""
    body = bytearray()
    while chunk := response.raw.read1(65536, decode_content=True):
        body += chunk
        if len(body) > LIMIT:
            raise SourceError(f"the answer is larger than {LIMIT} bytes", where=where)
        if given_up.is_set():
            break
    return bytes(body)


def _media_type(response: requests.Response) -> str:
    header = Header()
    header["Content-Type"] = response.headers.get("Content-Type", "")
    return header.get_content_type() if header["Content-Type"] else ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
