"""Routes, and connections with all that is about them, that a person has paused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, literal, select, union_all, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.events import sign
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.seals import DESTINATION, FLAG


@dataclass(frozen=True)
class Pause:
    """A person has stopped a route, or the destination or source that it is about."""

    person: Person
    reason: str
    at: datetime | None
    connection: str = ""  # the destination or source that rests; empty where it is the route itself


@dataclass(frozen=True)
class Pauses:
    """All pauses, by the names of routes and of connections."""

    routes: Mapping[str, Pause]
    connections: Mapping[str, Pause]

    def of(self, route: str, connection: str) -> Pause | None:
        """Why this route does not run, if it does not."""
        return self.routes.get(route) or self.connections.get(connection)


def read_pauses(connection: Connection) -> Pauses:
    """Whatever a person has stopped; one statement."""
    flags, destinations = t.route_flags.c, t.destinations.c
    of_routes = select(
        literal("route").label("what"), flags.route.label("name"), flags.person, flags.account, flags.reason, flags.at
    )
    of_connections = select(
        literal("connection"),
        destinations.name,
        destinations.paused_by,
        destinations.paused_account,
        destinations.paused_because,
        destinations.paused_at,
    )
    query = union_all(
        of_routes.where(flags.paused.is_(True)), of_connections.where(destinations.paused_at.is_not(None))
    )
    found: dict[str, dict[str, Pause]] = {"route": {}, "connection": {}}
    for row in connection.execute(query).all():
        connection_id = row.name if row.what == "connection" else ""
        person = Person.stored(row.person, row.account)
        found[row.what][row.name] = Pause(person, row.reason, row.at, connection_id)
    return Pauses(found["route"], found["connection"])


def paused(ledger: Ledger, route: str, party: str = "") -> bool:
    """Whether a person has paused the route, or the connection that it is about."""
    with ledger.read() as connection:
        return read_pauses(connection).of(route, party) is not None


def set_paused(ledger: Ledger, route: str, value: bool, *, person: Person, reason: str) -> None:
    """Pause or resume a route, with name and reason."""
    person, reason = signed(person, reason, f"route pause {route}")
    who = {"person": person.name, "account": person.login}
    values: dict[str, Any] = {"paused": value, **who, "reason": reason, "at": now()}
    with ledger.write() as connection:
        insert_or_ignore(connection, t.route_flags, {"route": route, **values})
        connection.execute(update(t.route_flags).where(t.route_flags.c.route == route).values(**values))
        sign(connection, person, "route.paused" if value else "route.resumed", FLAG, route)


def pause_destination(ledger: Ledger, name: str, value: bool, *, person: Person, reason: str) -> None:
    """Pause or resume all that is about a connection, with name and reason."""
    person, reason = signed(person, reason, f"destination {'pause' if value else 'resume'} {name}")
    who = {"paused_by": person.name, "paused_account": person.login}
    values = {"paused_at": now() if value else None, **who, "paused_because": reason}
    with ledger.write() as connection:
        insert_or_ignore(connection, t.destinations, {"name": name, "generation": 1, **values})
        connection.execute(update(t.destinations).where(t.destinations.c.name == name).values(**values))
        sign(connection, person, "destination.paused" if value else "destination.resumed", DESTINATION, name)
