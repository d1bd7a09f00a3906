"""Tries a connection to a council information system: finds its bodies and reads one page of papers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors.oparl.client import CALL_FAILED, Client
from connectors.oparl.finding import bodies_of
from connectors.oparl.settings import Settings
from kiezbruecke import german
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError, NotSent, SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - no file needed
    """Whoever can read the first page of a body's papers can read them all; which body is the route's to say."""
    with closing(Client(Settings.from_connection(connection))) as client:
        try:
            bodies = bodies_of(client, client.entry())
            next(client.pages(bodies[0].get("paper") if bodies else client.address))
        except (NotSent, ConfigurationError):
            raise
        except CALL_FAILED as error:
            where = f"connection {connection.id}"
            what = f"the council information system cannot be read ({type(error).__name__})"
            raise SourceError(what, where=where, trouble=trouble_of(error)) from error
    if not bodies:
        return "die Liste der Drucksachen ist lesbar"
    found = german.count(len(bodies), "Körperschaft", "Körperschaften")
    which = "; welche gelesen wird, sagt die Strecke (body)" if len(bodies) > 1 else ""
    return f"{found}, Drucksachen lesbar{which}"
