"""Messages as people look at them: facts and steps, never content."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from kiezbruecke.desk.view import DeskView
from kiezbruecke.effects import effect
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.money import euros
from kiezbruecke.ledger.reading import MessageHead, attempts_of, find_head, list_messages, newest_messages

MOST = 500  # messages of one look


class MessageFacts(DeskView):
    """One message without its bytes."""

    key: UUID
    """Its identity (UUIDv5)"""
    reference: str
    """Fremdkennzeichen"""
    related_reference: str | None
    """Fremdkennzeichen of the booking that a change or cancellation is about"""
    case: str
    """The case's reference number"""
    case_id: UUID
    destination: str
    generation: int
    """How often the destination was rebuilt, plus one"""
    effect: str
    number: int
    """Which one of its kind for the case, from 1"""
    state: MessageState
    amount: Decimal | None
    """Euros; null where the effect has none"""
    route: str
    mapping: str
    file: str
    sha256: str
    """Of the bytes, hexadecimal"""
    ticket: str | None
    """Their id for our message"""
    batch: str | None
    """The carrier it travelled with"""
    remote_id: str
    """What they call the thing that came of it"""
    test: bool
    created_at: datetime
    updated_at: datetime


class StepView(DeskView):
    """One step of a message."""

    at: datetime
    before: MessageState
    after: MessageState
    note: str


class MessageStory(MessageFacts):
    """What MessageFacts says, and all steps of the message, oldest first."""

    steps: tuple[StepView, ...]


def messages(
    ledger: Ledger, *, state: str | None = None, route: str | None = None, destination: str | None = None
) -> list[MessageFacts]:
    """All messages, or those of a state, route, destination; oldest first, one statement."""
    found = list_messages(ledger, state=state, route=route, destination=destination)
    return [message_view(head, case) for head, case in found]


def newest(
    ledger: Ledger,
    *,
    states: Collection[MessageState] = (),
    routes: Collection[str] | None = None,
    mapping: str = "",
) -> list[MessageFacts]:
    """The messages that were moved last, at most MOST of them, the newest first; two statements.

    `states`: all if none is named. `routes`: those alone. `mapping`: a name, whatever its version was.
    """
    found = newest_messages(ledger, MOST, states=states, routes=routes, mapping=mapping)
    return [message_view(head, case) for head, case in found]


def message(ledger: Ledger, wanted: str) -> MessageStory:
    """The newest message of this Fremdkennzeichen or key, two statements; raises InputError."""
    found = _found(ledger, wanted)
    steps = tuple(
        StepView(at=one.at, before=MessageState(one.before), after=MessageState(one.after), note=one.note)
        for one in attempts_of(ledger, found[0].key)
    )
    return MessageStory(**_facts(*found), steps=steps)


def stored_message(ledger: Ledger, wanted: str) -> MessageHead:
    """The same as the ledger holds it, to be sent again; one statement; raises InputError."""
    return _found(ledger, wanted)[0]


def message_views(heads: Iterable[MessageHead], case: str) -> tuple[MessageFacts, ...]:
    """The messages of one case."""
    return tuple(message_view(head, case) for head in heads)


def message_view(head: MessageHead, case: str) -> MessageFacts:
    """A message of the case with this reference number."""
    return MessageFacts(**_facts(head, case))


def _found(ledger: Ledger, wanted: str) -> tuple[MessageHead, str]:
    found = find_head(ledger, wanted)
    if found is None:
        raise InputError("Diese Nachricht gibt es nicht", where=wanted, helps="siehe kiezbruecke message list")
    return found


def _facts(head: MessageHead, case: str) -> dict[str, object]:
    same = {name: getattr(head, name) for name in MessageFacts.model_fields if hasattr(head, name)}
    amount = None if head.amount_cents is None else euros(head.amount_cents)
    return {**same, "case": case, "amount": amount, "file": head.file_name, "batch": head.batch_id}


def refuse_to_show(name: str, subject: str) -> None:
    """Bytes that hold account data are written out for nobody; raises InputError. `name`: of the effect."""
    if effect(name).confidential:
        raise InputError(
            "Die Bytes dieser Nachricht enthalten Kontodaten und werden nicht herausgegeben", where=subject
        )
