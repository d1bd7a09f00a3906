"""Airflow's log-in for commands: a token that its server has given, kept for this account alone, asked about each time.

    log_in(url, user, password) ─▶ Login ─▶ keep ─▶ kept ─▶ who(login) ─▶ Approver

Who that is and which roles they have says the server at every act. Nothing is read from the token here.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from kiezbruecke.errors import InputError
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.machine import read_text, write_file
from kiezbruecke.release import Approver

FILE = "login.json"
SECONDS, MOST = 20, 100_000  # of one call: how long it may take, how many bytes an answer may have
_AGAIN = "bitte neu anmelden: kiezbruecke login"


@dataclass(frozen=True)
class Login:
    """Where Airflow is, and the token that it has given."""

    url: str
    token: str = field(repr=False)


class _StayHere(HTTPRedirectHandler):
    """A password goes to the address that was typed and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def log_in(url: str, user: str, password: str) -> Login:
    """A token for this user; raises InputError where Airflow gives none."""
    address = checked(url)
    status, body = _call("POST", f"{address}/auth/token", {"username": user, "password": password})
    token = body.get("access_token")
    if status in (200, 201) and isinstance(token, str):
        return Login(address, token)
    what = "Name oder Kennwort stimmen nicht" if status == 401 else f"Airflow gibt keine Anmeldung (Antwort {status})"
    raise InputError(what, where=address)


def who(login: Login) -> Approver:
    """Whose the token is and which roles they have now, as the server says; InputError where it holds no more."""
    status, body = _call("GET", f"{checked(login.url)}/kiezbruecke/me", token=login.token)
    if status in (401, 403):
        raise InputError("Die Anmeldung gilt nicht mehr", where=login.url, helps=_AGAIN)
    if status == 404:
        raise InputError("Dieses Airflow hat die Erweiterung von Kiezbrücke nicht", where=login.url)
    account, name, roles = body.get("account"), body.get("name"), body.get("roles")
    if status != 200 or not isinstance(account, str) or not account or not isinstance(roles, list):
        raise InputError(f"Airflow sagt nicht, wer angemeldet ist (Antwort {status})", where=login.url)
    return Approver(Person(str(name or account), account, How.AIRFLOW), frozenset(map(str, roles)))


def keep(state: Path, login: Login) -> Path:
    """Write it down for this account alone."""
    file = state / FILE
    file.unlink(missing_ok=True)  # a file that others could read would keep its mode
    before = os.umask(0o077)
    try:
        write_file(file, json.dumps({"url": login.url, "token": login.token}))
    finally:
        os.umask(before)
    return file


def kept(state: Path) -> Login:
    """The log-in of this account; raises InputError where there is none, or where others could have read it."""
    file = state / FILE
    try:
        body = json.loads(read_text(file, what="the log-in"))
        found = Login(str(body["url"]), str(body["token"]))
    except FileNotFoundError:
        raise InputError("Es ist niemand angemeldet", where=str(file), helps=_AGAIN) from None
    except (ValueError, TypeError, KeyError):
        raise InputError("Die Anmeldung ist nicht lesbar", where=str(file), helps=_AGAIN) from None
    if stat.S_IMODE(file.stat().st_mode) & 0o077 or file.stat().st_uid != os.getuid():
        raise InputError("Die Anmeldung können auch andere lesen", where=str(file), helps=_AGAIN)
    return found


def checked(url: str) -> str:
    """An address to which a password may go: https, or this machine."""
    parts = urlsplit(url.strip())
    host, here = parts.hostname or "", False
    with suppress(ValueError):
        here = host == "localhost" or ip_address(host).is_loopback
    if not host or parts.username or parts.query or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise InputError("Dorthin geht kein Kennwort", where="--url", expected="https://…")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _call(method: str, url: str, body: Any = None, token: str = "") -> tuple[int, dict[str, Any]]:
    """Status and JSON of one call. What a stranger answers beside that is not told."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    opener = build_opener(ProxyHandler({}), _StayHere())
    request = Request(url, data, headers, method=method)  # noqa: S310 - the scheme was checked
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            status, text = answer.status, answer.read(MOST)
    except HTTPError as error:
        with error:
            status, text = error.code, error.read(MOST)
    except (OSError, ValueError):  # refused, no such name, no certificate, no HTTP
        raise InputError("Airflow antwortet nicht", where=f"{urlsplit(url).scheme}://{urlsplit(url).netloc}") from None
    with suppress(ValueError):
        if isinstance(said := json.loads(text), dict):
            return status, said
    return status, {}
