"""Puts single messages into a folder, whatever they are: one file per message, under the message's own file name."""

from __future__ import annotations

from datetime import datetime

from connectors.folder.outbox import Outbox
from connectors.folder.settings import Settings
from kiezbruecke.connector import Answer, Connection, Context, Found, Message, Ticket
from kiezbruecke.records import Receipt, ReceiptOutcome


class FileTarget:
    """Target of the profile `files`. A file that lies there with its `.ok` is confirmed: nobody answers later."""

    def __init__(self, connection: Connection, _context: Context) -> None:
        self._outbox = Outbox(Settings.from_connection(connection).path, connection.id)
        self._connection_id = connection.id

    def reserve(self, message: Message) -> Ticket | None:
        """A folder gives no ids of its own."""
        del message
        return None

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Put the file there, then its `.ok`. The same bytes again are harmless; other bytes are refused."""
        del ticket
        return self._receipt(message, self._outbox.put(_name(message), message.payload))

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """There with its `.ok`, with these bytes: found."""
        del ticket
        found = self._outbox.find(_name(message), message.payload)
        return Found(self._receipt(message, found)) if isinstance(found, datetime) else found

    def _receipt(self, message: Message, put_at: datetime) -> Receipt:
        return Receipt(
            source=self._connection_id,
            external_id=str(message.key),
            outcome=ReceiptOutcome.CONFIRMED,
            event="abgelegt",
            key=message.key,
            reference=message.reference,
            remote_id=_name(message),
            occurred_at=put_at,
        )


def _name(message: Message) -> str:
    return f"TEST-{message.file_name}" if message.test else message.file_name
