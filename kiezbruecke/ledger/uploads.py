"""Lists between looking and taking over: the bytes that somebody has sent, for their log-in alone, for an hour.

All servers of the page see them. They are sealed with the page's own key, whatever the list is about: nobody knows
before it is read whether account data stands in it, and what cannot be read is kept for a second look as well. They are
no record: nothing reads them but who has sent them, by their SHA-256.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete, select

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.vault import Vault

LASTS = timedelta(hours=1)
MOST = 5  # of one log-in; the oldest go first
_u = t.uploads.c


def keep_upload(ledger: Ledger, vault: Vault, login: str, digest: str, name: str, body: bytes) -> None:
    """Keep a file for who has sent it. `digest`: SHA-256 of `body`; `name`: its file's."""
    row = {"login": login, "sha256": digest, "at": now()}
    row["sealed"] = vault.seal(f"{name}\0".encode() + body, _about(login, digest))
    with ledger.write() as connection:
        one_at_a_time(connection)  # else two of one log-in would each keep the other's beside five, or wait crosswise
        _drop_old(connection)
        connection.execute(delete(t.uploads).where(_u.login == login, _u.sha256 == digest))
        insert_or_ignore(connection, t.uploads, row)
        newest = select(_u.sha256).where(_u.login == login).order_by(_u.at.desc(), _u.sha256).limit(MOST)
        kept = connection.execute(newest).scalars().all()
        connection.execute(delete(t.uploads).where(_u.login == login, _u.sha256.not_in(kept)))


def find_upload(ledger: Ledger, vault: Vault, login: str, digest: str) -> tuple[str, bytes] | None:
    """Name and bytes of what this log-in has sent within the hour; None where there is nothing, or it does not open."""
    mine = select(_u.sealed).where(_u.login == login, _u.sha256 == digest, _u.at > now() - LASTS)
    with ledger.read() as connection:
        sealed = connection.execute(mine).scalar_one_or_none()
    if sealed is None:
        return None
    try:
        name, _, body = vault.open(bytes(sealed), _about(login, digest)).partition(b"\0")
    except ConfigurationError:  # the page has another key since: the file is sent again
        return None
    return name.decode(), body


def drop_old_uploads(ledger: Ledger) -> None:
    """Erase what was kept long enough. For housekeeping; whoever sends a file does it as well."""
    with ledger.write() as connection:
        _drop_old(connection)


def _drop_old(connection: Connection) -> None:
    connection.execute(delete(t.uploads).where(_u.at <= now() - LASTS))


def _about(login: str, digest: str) -> str:
    """The row that the bytes are sealed for."""
    return f"upload:{login}|{digest}"
