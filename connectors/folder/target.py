"""Puts the status list into a folder. Every version is a new file that never changes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from connectors.folder.outbox import Outbox
from connectors.folder.settings import Settings
from connectors.folder.table import read_list
from kiezbruecke.connector import Answer, Batch, BatchHead, Connection, Context, Found, Message
from kiezbruecke.records import Receipt, ReceiptOutcome

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9äöü]+")


class FolderTarget:
    """Target of the status list: one file per batch, always the full list."""

    def __init__(self, connection: Connection, context: Context) -> None:
        settings = Settings.from_connection(connection)
        self._connection_id = connection.id
        table = read_list(context.content, settings.profile, f"connection {connection.id}")
        self._outbox = Outbox(settings.path, connection.id)
        self._header = _line(table.header_line())
        self._title = _NOT_IN_A_NAME.sub("-", (table.title or table.name).casefold()).strip("-")

    def compose(self, head: BatchHead, messages: Sequence[Message], standing: Sequence[Message]) -> tuple[str, bytes]:
        """The whole list: a case's newer line replaces its standing one; sorted, so order tells nothing."""
        lines = (_line(message.payload) for message in whole_list(messages, standing))
        prefix = "TEST-" if head.test else ""
        body = b"".join((self._header, *sorted(lines)))
        return f"{prefix}{self._title}-{head.fiscal_year}-{head.id}.csv", codecs.BOM_UTF8 + body

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Put the file there, then its `.ok`. The same bytes again are harmless; other bytes are refused."""
        return receipts(self._connection_id, batch, messages, self._outbox.put(batch.file_name, batch.payload))

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """There with its `.ok`: confirmed; the other answers are about the whole list."""
        found = self._outbox.find(batch.file_name, batch.payload)
        if not isinstance(found, datetime):
            return dict.fromkeys((message.key for message in messages), found)
        return {key: Found(one) for key, one in receipts(self._connection_id, batch, messages, found).items()}


def whole_list(messages: Sequence[Message], standing: Sequence[Message]) -> list[Message]:
    """Of every case the newest message."""
    return list({message.case_id: message for message in (*standing, *messages)}.values())


def receipts(connection_id: str, batch: Batch, messages: Sequence[Message], put_at: datetime) -> dict[UUID, Receipt]:
    """What lies there is confirmed, line by line: nobody answers later."""
    return {
        message.key: Receipt(
            source=connection_id,
            external_id=f"{batch.head.id}:{message.key}",
            outcome=ReceiptOutcome.CONFIRMED,
            event="abgelegt",
            key=message.key,
            reference=message.reference,
            remote_id=batch.file_name,
            occurred_at=put_at,
        )
        for message in messages
    }


def _line(payload: bytes) -> bytes:
    """A message's line as it was stored, with one end of line."""
    return payload.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n") + b"\r\n"
