"""Tries a Decidim connection: signs in once, asks for version and schema, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors.decidim.api import CALL_FAILED, Api
from connectors.decidim.capability import capability_of
from connectors.decidim.settings import Settings
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError, NotSent, SourceError
from kiezbruecke.records import Process
from kiezbruecke.troubles import trouble_of


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - no file needed
    """Whoever signs in and reads the schema can do what a run does; which components are read is the route's."""
    settings = Settings.from_connection(connection)
    with closing(Api(settings)) as api:
        try:
            api.sign_in()
            can = capability_of(api)
        except (NotSent, ConfigurationError):
            raise
        except CALL_FAILED as error:
            raise SourceError(
                f"Decidim cannot be read ({type(error).__name__})", where=api.where, trouble=trouble_of(error)
            ) from error
    who = "angemeldet" if settings.login else "ohne Anmeldung"
    answers = "Antworten sind möglich" if can.answers else "für Antworten zu alt: nötig ist 0.31"
    if can.answers and not settings.login:
        answers = "für Antworten fehlen die API-Zugangsdaten"
    return f"{who}; Decidim {can.version or 'ohne Angabe der Version'}, {answers}"
