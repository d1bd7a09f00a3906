"""Tries a connection as a run would use it, for IT operations: others learn only whether it works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.connections import without_environment
from kiezbruecke.connector import Connection, probe
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import Route, SendingRoute, route_places
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.records import Process
from kiezbruecke.troubles import Trouble, trouble_of


@dataclass(frozen=True)
class Tried:
    """What came of it: one German line, and the error's own line."""

    works: bool
    said: str
    error: str = ""


def try_connection(connection: Connection, content: Path) -> Tried:
    """Log in as a run would and change nothing. Never raises: that it does not work is the answer."""
    try:
        found = probe(without_environment(connection), content, processes_of(content, connection.id))
    except Exception as error:  # noqa: BLE001 - whatever it is, a run would meet it, too
        trouble = error.trouble if isinstance(error, ConfigurationError) else trouble_of(error)
        line = error.line() if isinstance(error, KiezbrueckeError) else type(error).__name__
        return _failed(connection, trouble, line)
    said = f"Verbindung {connection.id}: {found}."
    return Tried(works=True, said=said)


def processes_of(content: Path, connection_id: str) -> list[Process]:
    """The processes whose routes use a connection; a route that cannot be read uses none."""
    found: dict[str, Process] = {}
    for place in route_places(content):
        try:
            route = place.read()
            if party_of(route) == connection_id and route.process not in found:
                found[route.process] = read_process(content, route.process)
        except ConfigurationError:
            continue
    return list(found.values())


def party_of(route: Route) -> str:
    """The connection that a route names."""
    return route.destination if isinstance(route, SendingRoute) else route.collect


def _failed(connection: Connection, trouble: Trouble | None, line: str) -> Tried:
    start = f"Verbindung {connection.id}"
    if trouble is None:
        said = f"{start}: Der Versuch ist gescheitert; die Fehlerzeile nennt den Grund."
        return Tried(works=False, said=said, error=line)
    said = f"{start}: {trouble.german}. Was hilft: {trouble.german_helps}"
    return Tried(works=False, said=said, error=line)
