"""Tries a mein.berlin connection: every module's list, the log-in – once –, and whether the account may moderate."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors.meinberlin.listing import ENDPOINTS, refuse_status
from connectors.meinberlin.session import NotAllowedError, Session
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Web, split
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Module, Process
from kiezbruecke.troubles import Cause, Trouble


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - no file needed
    """One entry of each module's list with the connection's account, then the form's log-in: never two attempts."""
    settings = Settings.from_connection(connection)
    modules = [module for process in processes for module in process.modules]
    with closing(Web(settings, basic=True)) as web:
        seen = [_look(web, module) for module in modules]
    found = f"{len(modules)} Module lesbar" if len(modules) != 1 else "1 Modul lesbar"
    if not modules:
        found = "kein Verfahren nennt ein Modul, darum wurde keine Liste gelesen"
    return f"{found}; {_log_in(settings, next(filter(None, seen), ''))}"


def _look(web: Web, module: Module) -> str:
    """Read one entry of the module's list; where its page stands, or nothing."""
    reply = web.get(f"/api/modules/{module.id}/{ENDPOINTS[module.type]}/", {"page_size": "1", "page": "1"})
    web.refuse_redirect(reply)
    refuse_status(reply, module.id)
    rows = reply.json().get("results") or [{}]
    return split(str(rows[0].get("url", ""))).path


def _log_in(settings: Settings, proposal: str) -> str:
    if settings.account is None:
        return "ohne Anmeldung: Kontakte werden nicht gelesen"
    with closing(Session(settings)) as session:
        try:
            session.log_in()
            moderates = _moderates(session, proposal)
        except NotAllowedError as refusal:
            raise ConfigurationError(
                refusal.why,
                where=f"connection {settings.connection}, log-in for the export",
                helps="mend the account; five wrong log-ins lock it",
                trouble=Trouble(Cause.FORBIDDEN, "Anmeldung für einige Minuten gesperrt")
                if refusal.passes
                else Trouble(Cause.PASSWORD),
            ) from None
    return f"für den Export angemeldet{moderates}"


def _moderates(session: Session, proposal: str) -> str:
    """Whether answers could be written: the form of one proposal opens. Nothing is sent."""
    if not proposal:
        return ""
    status = session.get(f"{proposal}moderate/", "text/html").status
    may = "darf Antworten schreiben" if status == 200 else "darf keine Antworten schreiben"
    return f"; das Konto {may}"
