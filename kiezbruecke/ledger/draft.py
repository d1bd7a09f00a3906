"""A message before it is stored: who it is, its bytes, and the money it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.records import Channel, name_id


@dataclass(frozen=True)
class Identity:
    """(destination, generation, case, effect, number): unique. The route and the mapping are no part of it."""

    destination: str
    generation: int
    case_id: UUID
    effect: str
    number: int

    @cached_property
    def key(self) -> UUID:
        """The message's key (UUIDv5); xdomea's nachrichtenUUID."""
        return name_id(
            "message",
            self.destination,
            str(self.generation),
            str(self.case_id),
            self.effect,
            str(self.number),
        )


@dataclass(frozen=True)
class OrderTerms:
    """What is fixed about an order when it is made, beside its amount."""

    kind: Literal["payment", "refund"]
    channel: Channel
    due_on: date
    instalment: int = 1
    account: str = ""  # mark of the payee's account in the vault; a refund has none


@dataclass(frozen=True)
class Draft:
    """A message that is ready to be stored."""

    identity: Identity
    reference: str
    basis: str
    payload: bytes = field(repr=False)
    file_name: str = ""
    media_type: str = ""
    mapping: str = ""
    mapping_digest: str = ""
    lineage: bytes = field(default=b"", repr=False)  # which rule gave which value, sealed with the payload
    owner: str = ""
    created_at: datetime = field(default_factory=now)
    voucher: str = ""
    related_reference: str | None = None
    amount_cents: int | None = None
    area: tuple[str, int, str] | None = None  # (process, year, area) whose budget it holds
    test: bool = False
    state: MessageState = MessageState.WAITING  # the first one
    facts: Mapping[str, Any] = field(default_factory=dict)
    order: OrderTerms | None = None
