"""Routes that a person has paused."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.events import touch
from kiezbruecke.ledger.seals import FLAG


def paused(ledger: Ledger, route: str) -> bool:
    """Whether a person has paused the route."""
    with ledger.read() as connection:
        query = select(t.route_flags.c.paused).where(t.route_flags.c.route == route)
        return bool(connection.execute(query).scalar_one_or_none())


def paused_routes(connection: Connection) -> frozenset[str]:
    """The routes that a person has paused."""
    query = select(t.route_flags.c.route).where(t.route_flags.c.paused.is_(True))
    return frozenset(connection.execute(query).scalars())


def set_paused(ledger: Ledger, route: str, value: bool, *, person: str, reason: str) -> None:
    """Pause or resume a route, with name and reason."""
    values: dict[str, Any] = {"paused": value, "person": person, "reason": reason, "at": now()}
    with ledger.write() as connection:
        insert_or_ignore(connection, t.route_flags, {"route": route, **values})
        connection.execute(update(t.route_flags).where(t.route_flags.c.route == route).values(**values))
        touch(connection, FLAG, route)
