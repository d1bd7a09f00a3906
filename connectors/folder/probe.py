"""Tries a folder: it is there, can be listed, and a file can be put there and taken away again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from connectors import _files as files
from connectors.folder.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - a folder is enough
    """The file has a hidden name that no reader takes. A missing folder is not made: it may be a share."""
    folder = Settings.from_connection(connection).path
    try:
        os.listdir(folder)  # noqa: PTH208 - whether it may be listed, no more
        files.discard(files.write_part(folder / "probe", b"kiezbruecke\n"))
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise SourceError(what, where=f"connection {connection.id}, {folder}", trouble=trouble_of(error)) from None
    return "der Ordner ist da und lässt sich lesen und beschreiben"
