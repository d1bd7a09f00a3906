"""The door: what is signed, of now, and a delivery is taken; it lies on disk before the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from connectors.webhook.delivery import EVENT, Delivery, NotADeliveryError
from connectors.webhook.landing import FullError, Landed, Landing, OtherContentError
from connectors.webhook.settings import Settings
from connectors.webhook.signature import is_signed
from kiezbruecke.connector import Connection, Received

_AGAIN = 60  # seconds after which a sender may try again
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


class WebhookReceiver:
    """Takes the deliveries of one connection (`protocols.Receiver`)."""

    def __init__(self, connection: Connection) -> None:
        self._settings = Settings.from_connection(connection)
        self._landing = Landing(self._settings.path, self._settings.max_bytes, self._settings.max_waiting)
        self.max_bytes = self._settings.max_bytes

    def receive(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Received:
        """202 when it is kept, also when it had been before; a refusal says what helps, and nothing of the content."""
        event, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signature = headers.get("webhook-signature", "")
        if not (re.fullmatch(EVENT, event) and _SECONDS.fullmatch(timestamp)):
            return Received(400, "webhook-id or webhook-timestamp is missing or no such")
        if not is_signed(signature, self._settings.keys, event, timestamp, body):
            return Received(401, "the signature does not fit")
        if abs(at.timestamp() - int(timestamp)) > self._settings.window:
            return Received(400, f"webhook-timestamp is more than {self._settings.window} s from now")
        try:
            Delivery.read(body)
        except NotADeliveryError as error:
            return Received(422, str(error))
        return self._keep(Landed(event, timestamp, signature, at.astimezone(UTC).isoformat(), body))

    def _keep(self, landed: Landed) -> Received:
        try:
            fresh = self._landing.put(landed)
        except OtherContentError:
            return Received(409, "this webhook-id stands for another content")
        except (FullError, OSError, ValueError):
            return Received(503, "cannot be kept now", again_after=_AGAIN)
        return Received(202, "taken" if fresh else "taken before")
