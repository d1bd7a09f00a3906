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
    """checkAccountActive, then a first page of the box with one entry."""
    settings = Settings.from_connection(connection)
    with closing(XtaClient(settings, content)) as client:
        _try(client.check_account, settings.management_url)
        _try(lambda: client.status_list(1), settings.msgbox_url)
    return "angemeldet; das Konto ist aktiv, das Postfach antwortet"


def _try(call: Callable[[], object], where: str) -> None:
    try:
        call()
    except NotSent:
        raise
    except _soap.CALL_FAILED as error:
        raise SourceError(_soap.describe(error), where=where, trouble=shut_out(error)) from error
