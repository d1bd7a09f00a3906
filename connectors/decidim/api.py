"""One GraphQL call to a Decidim: signed in where there is an account, patient where it asks for distance.

    sign in (API credentials) ─▶ a token that runs out ─▶ noticed by the next reading, which signs in once more
    POST /api ─▶ 200 {data, errors} ─▶ Reply        429 ─▶ wait as it says, within the patience of the run ─▶ Throttled

A call of ours is a reading or the one mutation. Readings may be asked again: after a new sign-in, after a wait. The
mutation goes out once; only a 429, which comes before anything is done, lets it go again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from connectors._graphql import JSON, Reply, question, refused, reply_of
from connectors._line import Line, NoAnswer, Response
from connectors.decidim.settings import Settings
from kiezbruecke.errors import ConfigurationError, DeliveryError
from kiezbruecke.troubles import Cause, Trouble

DEFAULT_WAIT = 20.0  # seconds, where a 429 does not say how long; its window is a minute
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class Throttled(Exception):
    """429, and the patience of the run has ended. Certain: the call was not looked at."""

    trouble = Trouble(Cause.BUSY, "HTTP 429")

    def __init__(self) -> None:
        super().__init__("Decidim asks for more distance between calls than this run has patience for")


CALL_FAILED = (DeliveryError, NoAnswer, OSError, Throttled)
"""Everything that a call raises when it fails; OSError holds the system's errors and DeadlineExceeded."""


class Api:
    """One account, or nobody, at one Decidim."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._line = Line(settings.wire)
        self._token = ""
        self.sign_ins = 0
        self._patience = settings.patience
        self._knows_us = True  # whether a session of a fresh token names a user: else nothing follows from its silence

    @property
    def where(self) -> str:
        """How errors name this place."""
        return f"connection {self._settings.connection}"

    def close(self) -> None:
        """Give the connections back."""
        self._line.close()

    def sign_in(self) -> None:
        """Ask for a token, where there is an account and none is at hand; raises ConfigurationError if refused."""
        if self._token or not self._settings.login:
            return
        secret = self._settings.password.get_secret_value()
        form = urlencode({"api_user[key]": self._settings.login, "api_user[secret]": secret})
        response = self._post(f"{self._settings.endpoint}/sign_in", form.encode(), FORM)
        if response.status_code in (401, 403):
            raise ConfigurationError(
                "Decidim refuses the API credentials",
                where=f"{self.where}, POST /api/sign_in",
                helps="key and secret of the system panel (API credentials, Decidim 0.31 and newer)",
                trouble=Trouble(Cause.PASSWORD),
            )
        if response.status_code in (404, 405):
            raise ConfigurationError(
                "this Decidim knows no sign-in for programs",
                where=f"{self.where}, POST /api/sign_in",
                expected="Decidim 0.31 or newer",
                helps="leave login and password empty, and it is read as everybody sees it",
                trouble=Trouble(Cause.ADDRESS, f"HTTP {response.status_code}"),
            )
        token = response.headers.get("Authorization", "")
        if response.status_code != 200 or not token.startswith("Bearer "):
            raise NoAnswer("the sign-in brought no token", response.status_code)
        self._token = token
        self.sign_ins += 1

    def read(self, document: str, **variables: Any) -> Reply:
        """Ask something that changes nothing; where the token has run out, with a new one once more."""
        fresh = not self._token
        self.sign_in()
        response = self._send(document, variables)
        if response.status_code != 401:
            reply = reply_of(response)
            if not self._has_run_out(reply, fresh=fresh):
                return reply
        elif fresh or not self._token:
            raise refused(response)
        self._token = ""
        self.sign_in()
        return reply_of(self._send(document, variables))

    def change(self, document: str, **variables: Any) -> Reply:
        """The mutation, once. Whoever calls has just read with the same token: it was good a moment ago."""
        return reply_of(self._send(document, variables))

    def _has_run_out(self, reply: Reply, *, fresh: bool) -> bool:
        """A token that is no good any more is answered like nobody; some servers never name a program's account."""
        if not self._token or "session" not in reply.data or _signed_in(reply):
            return False
        if fresh:
            self._knows_us = False
        return self._knows_us

    def _send(self, document: str, variables: Mapping[str, Any]) -> Response:
        return self._post(self._settings.endpoint, question(document, variables), JSON)

    def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Response:
        while True:
            account = {"Authorization": self._token} if self._token else {}
            response = self._line.post(url, content, {**headers, **account})
            if response.status_code != 429:
                return response
            wait = _asked_for(response.headers.get("Retry-After", ""))
            if wait > self._patience:
                raise Throttled
            self._patience -= wait
            time.sleep(wait)


@cache
def document(*names: str) -> str:
    """A query of ours with the fragments that it uses, from the files beside this one."""
    folder = resources.files("connectors.decidim") / "queries"
    return "\n".join((folder / f"{name}.graphql").read_text("utf-8") for name in names)


def _signed_in(reply: Reply) -> bool:
    """Whether the answer was given to an account."""
    session = reply.data.get("session")
    return isinstance(session, dict) and session.get("user") is not None


def _asked_for(retry_after: str) -> float:
    """Seconds that a 429 asks for: a number, or a moment."""
    if retry_after.strip().isdigit():
        return max(1.0, float(retry_after))
    try:
        moment = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return DEFAULT_WAIT
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(1.0, float(math.ceil((aware - datetime.now(UTC)).total_seconds())))
