"""Tries a bank's connection: what waits there is listed, nothing is fetched and nothing is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors import _files as files
from connectors._line import NoAnswer
from connectors.bank.folder import OUT
from connectors.bank.settings import Settings
from connectors.bank.ways import way_of
from kiezbruecke.connector import Connection
from kiezbruecke.errors import NotSent, SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:
    """The list needs the account. Into a folder a file with a hidden name is put and taken away again."""
    del content, processes
    settings = Settings.from_connection(connection)
    with closing(way_of(settings)) as way:
        try:
            waiting = len(way.arrivals())
            if settings.path is not None:
                files.discard(files.write_part(settings.path / OUT / "probe", b"kiezbruecke\n"))
        except NotSent:
            raise
        except (NoAnswer, OSError) as error:
            what = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(what, where=f"connection {connection.id}", trouble=trouble_of(error)) from error
    where = "der Ordner ist da und lässt sich beschreiben" if settings.path else "angemeldet"
    return f"{where}; Dateien der Bank, die warten: {waiting}"
