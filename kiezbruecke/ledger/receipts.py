"""What a receipt means for its message. It is matched by id only; what matches nothing goes to the clearing list."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from kiezbruecke.connector import Item
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.events import append_event
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.moves import message_row, move
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_point, ever_raised, raise_point
from kiezbruecke.records import Receipt, ReceiptOutcome

_CODE = re.compile(r"[A-Z0-9][A-Z0-9_.-]{0,19}")


def store_receipt(connection: Connection, item: Item, receipt: Receipt, *, route: str, owner: str) -> bool:
    """Keep a receipt and apply it; False if it was known. Reading the same answer twice is harmless."""
    key = _match(connection, receipt)
    new = insert_or_ignore(
        connection,
        t.receipts,
        {
            "id": receipt.identity,
            "source": receipt.source,
            "external_id": receipt.external_id,
            "message_key": key,
            "event": receipt.event,
            "outcome": receipt.outcome.value,
            "body": receipt.canonical(),
            "raw": item.raw,
            "at": now(),
        },
    )
    if not new:
        return False
    if key is None:
        raise_point(connection, _clearing(receipt, route, owner))
        return True
    row = message_row(connection, key)
    assert row is not None
    append_event(
        connection,
        row.case_id,
        f"receipt.{receipt.event}",
        {"reference": row.reference, "digest": receipt.digest()},
    )
    apply_receipt(connection, row, receipt)
    return True


def apply_receipt(connection: Connection, message: Row[Any], receipt: Receipt) -> None:
    """Move the message as far as the receipt proves, and put on the list what needs a person."""
    if receipt.outcome is ReceiptOutcome.CONFIRMED:
        _confirm(connection, message, receipt)
    elif receipt.outcome is ReceiptOutcome.REFUSED:
        _refuse(connection, message, receipt)
    elif receipt.outcome is ReceiptOutcome.DELIVERED:
        move(connection, message.key, MessageState.DELIVERED, note=_note(receipt))
    if receipt.warning and not ever_raised(connection, Kind.WARNING, str(message.key)):
        raise_point(connection, _point(message, Kind.WARNING, f"Zugestellt mit Warnung ({_note(receipt)})"))
    if receipt.outcome is not ReceiptOutcome.NOTED:  # whatever they say, they have it or will not have it
        close_point(connection, Kind.IN_DOUBT, str(message.key))
    if receipt.outcome in (ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED):
        close_point(connection, Kind.OVERDUE, str(message.key))


def _confirm(connection: Connection, message: Row[Any], receipt: Receipt) -> None:
    if _amount_differs(message, receipt):
        move(connection, message.key, MessageState.DELIVERED, note=_note(receipt))
        reason = "Der gebuchte Betrag ist nicht der angeordnete"
        raise_point(connection, _point(message, Kind.DIFFERENCE, reason, (Answer.CORRECTED, Answer.TAKEN_BACK)))
        return
    if message.state == MessageState.REFUSED:
        close_point(connection, Kind.REFUSED, str(message.key))  # nothing may be sent anew before this is settled
        raise_point(connection, _point(message, Kind.CONTRADICTION, "Erst abgewiesen, dann bestätigt"))
        return
    close_point(connection, Kind.DIFFERENCE, str(message.key))
    remote_id = receipt.remote_id[:80] or message.remote_id
    move(connection, message.key, MessageState.CONFIRMED, note=_note(receipt), remote_id=remote_id)


def _refuse(connection: Connection, message: Row[Any], receipt: Receipt) -> None:
    if message.state == MessageState.CONFIRMED:
        raise_point(connection, _point(message, Kind.CONTRADICTION, "Erst bestätigt, dann abgewiesen"))
        return
    if move(connection, message.key, MessageState.REFUSED, note=_note(receipt)):
        close_point(connection, Kind.DIFFERENCE, str(message.key))
        raise_point(connection, refused_point(message, _note(receipt)))


def _amount_differs(message: Row[Any], receipt: Receipt) -> bool:
    if receipt.amount is None or message.amount_cents is None:
        return False
    return cents(receipt.amount) != int(message.amount_cents)


def _match(connection: Connection, receipt: Receipt) -> UUID | None:
    """Only ids count, and only messages of the party that speaks."""
    query = select(t.messages.c.key).where(t.messages.c.destination == receipt.source)
    if receipt.key is not None:
        query = query.where(t.messages.c.key == receipt.key)
    elif receipt.reference:
        query = query.where(t.messages.c.reference == receipt.reference).order_by(t.messages.c.generation.desc())
    elif receipt.ticket:
        query = query.where(t.messages.c.ticket == receipt.ticket)
    else:
        return None
    return connection.execute(query.limit(1)).scalar_one_or_none()


def _note(receipt: Receipt) -> str:
    """Event and code, as they enter lists and evidence: a code is short and upper case, everything else is left out."""
    codes = [word for word in receipt.code.replace(",", " ").split() if _CODE.fullmatch(word)]
    return " ".join((receipt.event, *codes[:3]))


def _clearing(receipt: Receipt, route: str, owner: str) -> Point:
    return Point(
        kind=Kind.CLEARING,
        subject=f"{receipt.source}:{receipt.external_id}",
        route=route,
        owner=owner,
        reason=f"Rückmeldung {receipt.event} gehört zu keiner Nachricht, die hier bekannt ist",
    )


def refused_point(message: Row[Any], why: str) -> Point:
    """What a person is told about a refused message."""
    text = f"{message.destination} hat die Nachricht {message.reference} abgewiesen ({why})"
    return _point(message, Kind.REFUSED, text, (Answer.RESEND, Answer.DONE))


def _point(message: Row[Any], kind: Kind, reason: str, answers: tuple[Answer, ...] = (Answer.DONE,)) -> Point:
    return Point(
        kind=kind,
        subject=str(message.key),
        route=message.route,
        owner=message.owner,
        reason=reason,
        answers=answers,
        case_id=message.case_id,
        message_key=message.key,
    )
