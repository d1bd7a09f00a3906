"""One HTTP call to the platform: whole, in time, from its own address – or an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import Message as Header
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from connectors._line import DeadlineExceeded, Line, NoAnswer, Response, shown_type
from connectors.meinberlin.settings import Settings
from kiezbruecke.errors import ConfigurationError, NotSent, SourceError
from kiezbruecke.foreign_json import KeyTwice, read_json
from kiezbruecke.troubles import Cause, Trouble, of_status

LIMIT = 64 * 1024 * 1024  # bytes of one answer; the largest page of the platform is far below
_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)*/?")  # all paths of the platform; what it names itself may be anything
_HOST = re.compile(r"(?=.{1,100}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*")


def split(address: str) -> SplitResult:
    """An address of the platform's in its parts; without any where it is none."""
    try:
        found = urlsplit(address)
        _ = found.hostname, found.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return found


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

    def json(self, *, of_many: bool = False) -> Any:
        """The body as JSON, perhaps `of_many` records; raises SourceError if it is something else, or cut."""
        if self.media_type != "application/json":
            what = f"answered 200 with {shown_type(self.media_type)}"
            raise self.broken(what, "application/json", Trouble(Cause.NO_SERVICE))
        try:
            return read_json(self.body, number=float, of_many=of_many)
        except KeyTwice as twice:
            raise self.broken(str(twice), "each key once") from None
        except ValueError:
            raise self.broken("the answer is cut or no JSON", "a whole JSON document") from None

    def broken(self, what: str, expected: str, trouble: Trouble | None = None) -> SourceError:
        """The error for an answer that cannot be used; a person's data is never in it."""
        known, helps = trouble or of_status(self.status), "nothing was taken over; tried again"
        return SourceError(what, where=self.where, expected=expected, helps=helps, trouble=known)


class Unanswered(SourceError):
    """No whole answer came: whoever asks on may wait as long again. `left`: whether a byte of the request has left."""

    left = True


class Web:
    """One session with the platform. No retries, no redirects, nothing from the environment."""

    def __init__(self, settings: Settings, *, basic: bool) -> None:
        self._settings = settings
        wire = replace(settings.wire, max_answer_bytes=LIMIT)
        self._line = Line(wire if basic else replace(wire, user="", password=""))
        self._cookies: dict[str, str] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    def cookie(self, name: str) -> str:
        """The value of a cookie of the platform, or ''."""
        return self._cookies.get(name, "")

    def get(self, path: str, query: Mapping[str, str] | None = None, *, accept: str = "application/json") -> Reply:
        """GET a path of the platform."""
        return self._call("GET", path, f"?{urlencode(query)}" if query else "", b"", {"Accept": accept})

    def post_form(self, path: str, form: Mapping[str, str] | Sequence[tuple[str, str]]) -> Reply:
        """POST an HTML form, with the Referer that the platform's CSRF check wants."""
        headers = {
            "Accept": "text/html",
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": self._settings.address + path,
        }
        return self._call("POST", path, "", urlencode(form).encode(), headers)

    def _call(self, method: str, path: str, query: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        if not _PATH.fullmatch(path):  # it would name another host, or quote what a person wrote
            raise SourceError(
                "the platform names an address that is no page of it",
                where=self._where(method),
                expected="a path of letters, digits, '-' and '_'",
                helps="nothing was taken over; tried again",
            )
        where = self._where(f"{method} {path}")
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        url = self._settings.address + path + query
        try:
            response = self._line.call(method, url, content, {**headers, **(sent if self._cookies else {})})
        except NotSent as error:
            unsent = Unanswered(f"no whole answer ({error.what})", where=where, helps="tried again")
            unsent.left = False
            raise unsent from error
        except (NoAnswer, DeadlineExceeded) as error:
            raise Unanswered(str(error), where=where, helps="tried again") from error
        except OSError as error:
            raise Unanswered(f"no whole answer ({type(error).__name__})", where=where, helps="tried again") from error
        self._remember(response)
        location = response.headers.get("Location", "")
        return Reply(where, response.status_code, _media_type(response), response.content, location)

    def _remember(self, response: Response) -> None:
        """Cookies go back to this address only, because nothing else is called."""
        for name, cookie in SimpleCookie("; ".join(response.cookies)).items():
            self._cookies[name] = cookie.value

    def _where(self, where: str) -> str:
        return f"connection {self._settings.connection}, {where}"

    def refuse_redirect(self, reply: Reply) -> None:
        """Never follow a redirect: elsewhere it means a wrong `host`, else a platform out of order."""
        if not 300 <= reply.status < 400:
            return
        there = split(reply.location)
        origin = f"{there.scheme}://{there.netloc}"
        if there.netloc and origin != self._settings.address:
            named = there.scheme in ("http", "https") and _HOST.fullmatch(there.hostname or "")
            raise ConfigurationError(
                f"the platform stands at {there.scheme}://{there.hostname}"
                if named
                else "the platform stands elsewhere",
                where=reply.where,
                helps="set host to it",
            )
        raise reply.broken(f"answered {reply.status}", "no redirect")


def _media_type(response: Response) -> str:
    header = Header()
    header["Content-Type"] = response.headers.get("Content-Type", "")
    return header.get_content_type() if header["Content-Type"] else ""
