"""Tries an XTA connection: the account at the management port, its box at the box's port; nothing is taken or sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from connectors import _soap
from connectors.xta.client import XtaClient
from connectors.xta.settings import Settings
from connectors.xta.target import shut_out
from kiezbruecke.connector import Connection
from kiezbruecke.errors import NotSent, SourceError
from kiezbruecke.records import Process


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:  # noqa: ARG001 - one account
    """checkAccountActive, lookupService, then a first page of the box with one entry."""
    settings = Settings.from_connection(connection)
    with closing(XtaClient(settings, content)) as client:
        _try(client.check_account, settings.management_url)
        known = _service(client, settings)
        _try(lambda: client.status_list(1), settings.msgbox_url)
    return f"angemeldet; das Konto ist aktiv, das Postfach antwortet{known}"


def _service(client: XtaClient, settings: Settings) -> str:
    """Whether the receiver takes our messages: a server that cannot say so may carry them all the same."""
    try:
        offered = client.service_is_available()
    except _soap.CALL_FAILED:
        offered = None
    if offered is None:
        return "; ob der Empfänger den Dienst anbietet, sagt der Server nicht"
    if not offered:
        raise SourceError(
            "the receiver does not offer the service",
            where=settings.management_url,
            expected=f"'{settings.service}' at {settings.receiver}",
            helps="ask whoever runs the e-file's mailbox",
        )
    return ", der Empfänger bietet den Dienst an"


def _try(call: Callable[[], object], where: str) -> None:
    try:
        call()
    except NotSent:
        raise
    except _soap.CALL_FAILED as error:
        raise SourceError(_soap.describe(error), where=where, trouble=shut_out(error)) from error
