"""Tries a connection: logs in, lists the folders, puts a file there and takes it away again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex

from connectors.hkr_file.places import PART, Place
from connectors.hkr_file.settings import Settings
from connectors.hkr_file.target import Shelves, read_batch_table
from kiezbruecke.connector import Connection
from kiezbruecke.errors import SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - the same for all
    """The file ends with `.part`: no reader takes it."""
    settings = Settings.from_connection(connection)
    read_batch_table(content, settings.profile, settings.where)
    with closing(Shelves(settings)) as places:
        try:
            _try(places.batches)
            for place in (places.taken, places.answers() if settings.answers else None):
                if place is not None:
                    place.names()
        except OSError as error:
            what = error.strerror or str(error) or type(error).__name__
            raise SourceError(what, where=settings.where, trouble=trouble_of(error)) from None
    how = "angemeldet; " if settings.host else ""
    return f"{how}die Ordner sind da, der für Stapel lässt sich beschreiben"


def _try(place: Place) -> None:
    place.names()
    name = f"probe-{token_hex(4)}{PART}"
    place.write(name, b"kiezbruecke\n")
    place.remove(name)
