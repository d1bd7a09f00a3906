"""XTA as a target: an id is reserved, the stored bytes are sent with it, the report says how it went.

    reserve ─▶ createMessageId        lost: an orphan id, harmless
    send ────▶ sendMessage            OK or 9024 (id already used): delivered · red report: refused
                                      9010–9014 (our account): NotSent · 9020–9023, 9050–9060, 9080 f.: Rejected
                                      all else, 903x too: doubt

Out of doubt the engine sends the same bytes with the same id again: the server takes an id only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors import _soap
from connectors.xta.client import Content, Light, MessageType, Report, XtaClient
from connectors.xta.settings import Settings
from kiezbruecke.connector import Answer, CannotTell, Connection, Context, Found, Message, Ticket
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.troubles import Cause, Trouble

ALREADY_USED = "9024"
UNKNOWN_ID = "9070"
EXPIRED = "9010"
EVENT = "XTA-Transportbericht"

# Certain: the server did not let us in, whatever the message is (XTA 2.1.1, Codelist.Fehlernummer).
ACCOUNT = {
    EXPIRED: "Das Zertifikat ist abgelaufen",
    "9011": "Das Konto ist gesperrt",
    "9012": "Das Konto gibt es nicht",
    "9013": "Dem Konto fehlt die Berechtigung",
    "9014": "Dem Konto fehlt die Berechtigung",
}

# Certain: the server looked at the message and refused it (same list).
# 903x (technical problem) and 9070 are not here: neither proves that nothing has arrived.
REFUSALS = {
    "9020": "Eine Angabe in der Anfrage ist nicht gültig",
    "9021": "Eine Angabe in der Anfrage ist nicht gültig",
    "9022": "Eine Angabe in der Anfrage ist nicht gültig",
    "9023": "Die Nachricht ist zu groß",
    "9050": "Die Nachricht entspricht nicht ihrem Schema",
    "9051": "Die Nachricht hat eine falsche Zeichenkodierung",
    "9052": "Die Nachricht verletzt das Service-Profil",
    "9060": "In der Nachricht wurde schadhafter Code gefunden",
    "9080": "Der Dienst wird nur asynchron angeboten",
    "9081": "Der Dienst wird nur synchron angeboten",
}


class XtaTarget:
    """A receiver behind an XTA server."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._client = XtaClient(self._settings, context.content)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def reserve(self, message: Message) -> Ticket:
        """An id of the server's. Nothing of the message leaves here, so every failure is NotSent."""
        try:
            return Ticket(self._client.create_message_id())
        except _soap.CALL_FAILED as error:
            _raise_if_shut_out(error, message)
            raise NotSent(
                f"no MessageID for {message.reference}: {_soap.describe(error)}",
                where=self._settings.management_url,
            ) from error

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Send the stored bytes with the reserved id; see the drawing above."""
        if ticket is None:
            raise NotSent("no MessageID was reserved", where=message.reference)
        self._refuse_size(message)
        try:
            self._client.send_message(
                ticket.id,
                Content(message.payload, message.media_type, message.file_name),
                _message_type(message),
                origin=message.created_at,
                test=message.test,
            )
        except _soap.Fault as fault:
            if fault.code != ALREADY_USED:
                _raise_if_shut_out(fault, message)
                _raise_if_refused(fault, message)
                raise
        return self._receipt_of_report(message, ticket)

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """Ask for the transport report. XTA can never prove that a message did not arrive."""
        if ticket is None:
            return CannotTell("no MessageID is known")
        try:
            report = self._client.transport_report(ticket.id)
        except _soap.CALL_FAILED as error:
            return CannotTell(_soap.describe(error), reached=isinstance(error, _soap.Fault))
        if report.code and report.code != _message_type(message).code:
            return CannotTell("the report is about a message of another type")
        if report.status == Light.OPEN:  # a server may open a report when it gives the id away: no proof
            return CannotTell("the transport is still open")
        return Found(_receipt(message, ticket, report))

    def _refuse_size(self, message: Message) -> None:
        if len(message.payload) > self._settings.max_message_bytes:
            raise Rejected(
                f"Die Nachricht hat {len(message.payload)} Byte, gesendet werden höchstens "
                f"{self._settings.max_message_bytes}",
                where=message.reference,
                helps="weniger oder kleinere Anlagen, oder max_message_bytes der Verbindung erhöhen",
            )

    def _receipt_of_report(self, message: Message, ticket: Ticket) -> Receipt:
        """The server has the message. Asking how it goes may fail, and that changes nothing."""
        try:
            return _receipt(message, ticket, self._client.transport_report(ticket.id))
        except _soap.CALL_FAILED:
            return _receipt(message, ticket, None)


def _receipt(message: Message, ticket: Ticket, report: Report | None) -> Receipt:
    refused = report is not None and report.status == Light.RED
    return Receipt(
        source=message.destination,
        external_id=f"{ticket.id}#{'accepted' if report is None else report.status}",
        outcome=ReceiptOutcome.REFUSED if refused else ReceiptOutcome.DELIVERED,
        event=EVENT,
        key=message.key,
        ticket=ticket.id,
        remote_id=ticket.id,
        code="" if report is None else ", ".join(filter(None, report.error_codes)),
        text="angenommen, noch ohne Transportbericht" if report is None else _said(report),
        occurred_at=None if report is None else report.time,
        warning=report is not None and not refused and bool(report.status == Light.YELLOW or report.errors),
    )


def _said(report: Report) -> str:
    lines = filter(None, (*report.errors, *report.warnings))
    return "; ".join(lines)[:1000]


def shut_out(error: BaseException) -> Trouble | None:
    """Whether the server does not let us in, and why: its own word on our account."""
    if not isinstance(error, _soap.Fault) or error.code not in ACCOUNT:
        return None
    return Trouble(Cause.CERTIFICATE_REFUSED if error.code == EXPIRED else Cause.FORBIDDEN, f"XTA {error.code}")


def _raise_if_shut_out(error: BaseException, message: Message) -> None:
    if isinstance(error, _soap.Fault) and (trouble := shut_out(error)):
        raise NotSent(
            f"{ACCOUNT[error.code]} – XTA {error.code}",
            where=message.reference,
            helps="der IT-Betrieb prüft Konto und Zertifikat der Verbindung; danach geht sie von selbst hinaus",
            trouble=trouble,
        ) from error


def _raise_if_refused(fault: _soap.Fault, message: Message) -> None:
    """Our own words and their code; their text may quote what people wrote."""
    if fault.code in REFUSALS:
        raise Rejected(
            f"{REFUSALS[fault.code]} – XTA {fault.code}", receipt_code=f"XTA {fault.code}", where=message.reference
        ) from fault


def _message_type(message: Message) -> MessageType:
    """The type from the message's facts; xdomea 4.0.0's 0401 where they say nothing."""
    given: Any = message.facts.get("message_type") or {}
    try:
        if isinstance(given, Mapping):
            return MessageType(**{name: str(value) for name, value in given.items()})
    except TypeError:
        pass
    raise ConfigurationError(
        "facts.message_type cannot be read",
        where=message.reference,
        expected="code, list_uri, list_version, payload_schema",
    )
