"""A receipt: every word that comes back from a destination, matched by id and by nothing else."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from kiezbruecke.records.base import Moment, Money, Record, Text, name_id, personal


class ReceiptOutcome(StrEnum):
    """What a receipt proves about its message."""

    DELIVERED = "delivered"  # it arrived; what became of it is not known yet
    CONFIRMED = "confirmed"  # the effect happened
    REFUSED = "refused"  # the effect will not happen
    NOTED = "noted"  # a word that changes no state (such as xdomea 0403)


class Receipt(Record):
    """One answer. It names its message by `key`, by `reference` (Fremdkennzeichen) or by `ticket` (their id)."""

    kind: ClassVar[str] = "receipt"

    source: str = ""
    external_id: str = ""
    outcome: ReceiptOutcome
    event: str
    key: UUID | None = None
    reference: str | None = None
    ticket: str | None = None
    amount: Money | None = None
    code: str = ""
    text: Text = personal("")
    remote_id: str = ""
    occurred_on: date | None = None
    occurred_at: Moment | None = None
    warning: bool = False

    @property
    def identity(self) -> UUID:
        return name_id("receipt", self.source, self.external_id)
