"""Example as a target: the stored bytes under our key; what an exception says is what is known."""

from __future__ import annotations

from connectors._template.client import Client, Refused
from connectors._template.settings import Settings
from kiezbruecke.connector import Answer, Connection, Context, Found, Message, NotThere, Ticket
from kiezbruecke.errors import Rejected
from kiezbruecke.records import Receipt, ReceiptOutcome


class ExampleTarget:
    """A space that takes messages (Target)."""

    def __init__(self, connection: Connection, context: Context) -> None:  # noqa: ARG002 - the process is not asked
        self._client = Client(Settings.from_connection(connection))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def reserve(self, message: Message) -> Ticket | None:
        """Example gives no ids beforehand: our key is the id that makes repetition harmless."""

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:  # noqa: ARG002 - there is none
        """Send the stored bytes. NotSent and Rejected only where that is certain; anything else means doubt."""
        try:
            return _receipt(message, self._client.put(str(message.key), message.payload, message.media_type))
        except Refused as refusal:
            raise Rejected(
                "Example hat die Nachricht abgewiesen", receipt_code=refusal.code, where=message.reference
            ) from refusal

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:  # noqa: ARG002 - there is none
        """Ask for the message. TODO: CannotTell instead of NotThere, if an unknown key proves nothing."""
        found = self._client.find(str(message.key))
        return NotThere() if found is None else Found(_receipt(message, found))


def _receipt(message: Message, their_id: str) -> Receipt:
    return Receipt(
        source=message.destination,
        external_id=their_id,
        outcome=ReceiptOutcome.DELIVERED,
        event="angenommen",
        key=message.key,
        reference=message.reference,
        remote_id=their_id,
    )
