"""Tries a mein.berlin connection: the list of every module that is read, and the log-in for the export – once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors.meinberlin.listing import ENDPOINTS, refuse_status
from connectors.meinberlin.session import NotAllowedError, Session
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Web
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Module, Process
from kiezbruecke.troubles import Cause, Trouble


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - no file needed
    """One entry of each module's list with the connection's account, then the form's log-in: never two attempts."""
    settings = Settings.from_connection(connection)
    modules = [module for process in processes for module in process.modules]
    with closing(Web(settings, basic=True)) as web:
        for module in modules:
            _look(web, module)
    found = f"{len(modules)} Module lesbar" if len(modules) != 1 else "1 Modul lesbar"
    if not modules:
        found = "kein Verfahren nennt ein Modul, darum wurde keine Liste gelesen"
    return f"{found}; {_log_in(settings)}"


def _look(web: Web, module: Module) -> None:
    reply = web.get(f"/api/modules/{module.id}/{ENDPOINTS[module.type]}/", {"page_size": "1", "page": "1"})
    web.refuse_redirect(reply)
    refuse_status(reply, module.id)
    reply.json()


def _log_in(settings: Settings) -> str:
    if settings.account is None:
        return "ohne Anmeldung: Kontakte werden nicht gelesen"
    with closing(Session(settings)) as session:
        try:
            session.log_in()
        except NotAllowedError as refusal:
            raise ConfigurationError(
                refusal.why,
                where=f"connection {settings.connection}, log-in for the export",
                helps="mend the account; five wrong log-ins lock it",
                trouble=Trouble(Cause.FORBIDDEN, "Anmeldung für einige Minuten gesperrt")
                if refusal.passes
                else Trouble(Cause.PASSWORD),
            ) from None
    return "für den Export angemeldet"
