"""Tries the landing folder: it is there, and a delivery could be kept. Whether the sender is there, nobody can ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors import _files as files
from connectors.webhook.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - a folder is enough
    """The file has a hidden name that no reader takes. A missing folder is not made."""
    folder = Settings.from_connection(connection).path
    try:
        files.discard(files.write_part(folder / "probe", b"kiezbruecke\n"))
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise SourceError(what, where=f"connection {connection.id}", trouble=trouble_of(error)) from None
    return "die Ablage ist da und lässt sich beschreiben; ob die Gegenstelle sendet, zeigt erst ihre erste Lieferung"
