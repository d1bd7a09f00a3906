"""Tries an HKR connection: asks for a batch that never was, which the account must be allowed to ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors import _soap
from connectors.hkr.client import UNCLEAR, Contradiction, Hkr
from connectors.hkr.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import NotSent, SourceError
from kiezbruecke.records import Process

NEVER = "KIEZBRUECKE-PROBE"


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - no year asked
    """FrageStapelStatus changes nothing; their word on an unknown batch is that it is unknown."""
    settings = Settings.from_connection(connection)
    with closing(Hkr(settings, content)) as client:
        try:
            client.batch_status(NEVER)
        except NotSent:
            raise
        except (*UNCLEAR, Contradiction) as error:
            raise SourceError(_soap.describe(error), where=settings.url) from error
    return "angemeldet; das HKR-Verfahren gibt Auskunft"
