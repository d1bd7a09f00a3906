"""Tries a connection to Example as a run would use it; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors._template.client import CALL_FAILED, Client
from connectors._template.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import SourceError
from kiezbruecke.records import Process


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - not needed here
    """Read a first page: whoever may do that is logged in. TODO: the most harmless call that asks for the account."""
    with closing(Client(Settings.from_connection(connection))) as client:
        try:
            client.things_after(0)
        except CALL_FAILED as error:
            raise SourceError(f"Example cannot be read ({type(error).__name__})", where=connection.id) from error
    return "angemeldet; die Liste ist lesbar"
