"""Tries a folder: it is there, can be listed, and a file can be put there and taken away again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from connectors import _files as files
from connectors.folder.settings import FILES, Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import SourceError
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:
    """The file has a hidden name that no reader takes. A missing folder is not made: it may be a share."""
    del processes
    settings = Settings.from_connection(connection)
    if settings.profile != FILES:
        read_table(content, settings.profile)
    folder = settings.path
    try:
        os.listdir(folder)  # noqa: PTH208 - whether it may be listed, no more
        files.discard(files.write_part(folder / "probe", b"kiezbruecke\n"))
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise SourceError(what, where=f"connection {connection.id}, {folder}", trouble=trouble_of(error)) from None
    return "der Ordner ist da und lässt sich lesen und beschreiben"
