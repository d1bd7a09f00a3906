"""Speaks Example's own language: one method per call, its answers checked and turned into values of ours.

No mapping, no ledger, no Airflow, no retry loop: a failed call raises, and the engine knows what to do. Errors are
those of `connectors._line` (NotSent: certain; anything else: nobody knows), and `Refused` where the system has said no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from connectors._json import object_in
from connectors._line import Line, NoAnswer, Response
from connectors._template.settings import Settings
from kiezbruecke.errors import DeliveryError

CALL_FAILED = (DeliveryError, NoAnswer, OSError)
"""Everything that a call raises when it fails: OSError holds the system's errors and DeadlineExceeded."""


class Refused(Exception):
    """The system has read the message and refused it; `code` is its own."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Thing:
    """One entry of the list."""

    number: int
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Page:
    """A part of the list; `more` says that another follows."""

    things: tuple[Thing, ...]
    more: bool


class Client:
    """One account at one Example."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._line = Line(settings.wire)
        self._base = f"{settings.address}/spaces/{settings.space}"

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    def things_after(self, number: int) -> Page:
        """A page of the list, after a running number."""
        query = urlencode({"after": number, "size": self._settings.page_size})
        body = _json(self._line.get(f"{self._base}/things?{query}"), 200)
        try:
            things = tuple(Thing(int(one["number"]), dict(one)) for one in body["things"])
            return Page(things, bool(body["more"]))
        except (KeyError, TypeError, ValueError):
            raise NoAnswer("a list in another form than agreed") from None  # the library's text may quote content

    def acknowledge(self, number: int) -> None:
        """Say that a thing is stored here. Twice is harmless."""
        _json(self._line.post(f"{self._base}/things/{number}/taken", b"", {}), 200)

    def put(self, key: str, content: bytes, media_type: str) -> str:
        """Hand a message over under our key; their id for it. The same bytes again are harmless; raises Refused."""
        response = self._line.call("PUT", self._message(key), content, {"Content-Type": media_type})
        if response.status_code in (409, 422):
            raise Refused(str(_json(response, response.status_code).get("code", "")))
        return str(_json(response, 200)["id"])

    def find(self, key: str) -> str | None:
        """Their id for the message with our key; None is the proof that it never arrived."""
        response = self._line.get(self._message(key))
        return None if response.status_code == 404 and _json(response, 404) else str(_json(response, 200)["id"])

    def _message(self, key: str) -> str:
        return f"{self._base}/messages/{quote(key, safe='')}"


def _json(response: Response, status: int) -> Mapping[str, Any]:
    """The object in an answer; raises NoAnswer for a log-in page, half a document, another status."""
    if response.status_code != status or not response.headers.get("Content-Type", "").startswith("application/json"):
        raise NoAnswer(f"expected {status} and JSON", response.status_code)
    return object_in(response)
