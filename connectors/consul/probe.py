"""Tries a connection to CONSUL: reads its budgets."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors.consul.listing import CALL_FAILED, Listing
from connectors.consul.settings import Settings
from kiezbruecke import german
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError, NotSent, SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - no file needed
    """Whoever sees the budgets sees their investments; which budget is read is the route's to say."""
    with closing(Listing(Settings.from_connection(connection))) as listing:
        try:
            found = len(listing.budgets().nodes)
        except (NotSent, ConfigurationError):
            raise
        except CALL_FAILED as error:
            where = f"connection {connection.id}, POST /graphql"
            what = f"CONSUL cannot be read ({type(error).__name__})"
            raise SourceError(what, where=where, trouble=trouble_of(error)) from error
    several = "; die Strecke muss die Nummern ihrer Vorschläge nennen (first_id, last_id)" if found > 1 else ""
    return f"{german.count(found, 'Haushalt', 'Haushalte')} lesbar{several}"
