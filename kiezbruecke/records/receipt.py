"""A receipt: every word that comes back from a destination, matched by id and by nothing else."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from kiezbruecke.records.base import Moment, Money, Record, Text, name_id, personal


class ReceiptOutcome(StrEnum):
    """What a receipt proves about its message."""

    DELIVERED = "delivered"  # it arrived; what became of it is not known yet
    CONFIRMED = "confirmed"  # the effect happened
    REFUSED = "refused"  # the effect will not happen
    NOTED = "noted"  # a word that changes no state (such as xdomea 0403)


class Part(BaseModel):
    """What a receipt says of one part of what was sent, such as an object of an xdomea message."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: UUID
    outcome: ReceiptOutcome
    code: str = ""
    complaint: Text = personal("")


class Receipt(Record):
    """One answer. It names its message by `key`, by `reference` (Fremdkennzeichen) or by `ticket` (their id).

    All that it names beside – the other ids, `process_id`, the ids of its `parts` – must be the message's own. `code`
    and `complaint` say what went wrong, `text` may be any remark. `verdict` is what all of it says together.
    """

    kind: ClassVar[str] = "receipt"

    source: str = ""
    external_id: str = ""
    outcome: ReceiptOutcome
    event: str
    key: UUID | None = None
    reference: str | None = None
    ticket: str | None = None
    process_id: UUID | None = None
    parts: tuple[Part, ...] = personal(())
    amount: Money | None = None
    code: str = ""
    complaint: Text = personal("")
    text: Text = personal("")
    remote_id: str = ""
    occurred_on: date | None = None
    occurred_at: Moment | None = None
    warning: bool = False

    @property
    def identity(self) -> UUID:
        return name_id("receipt", self.source, self.external_id)

    @property
    def verdict(self) -> ReceiptOutcome | None:
        """The one thing that it says; None where it says that something worked and that something failed."""
        outcomes = {self.outcome, *(part.outcome for part in self.parts)} - {ReceiptOutcome.NOTED}
        complains = any((self.code, self.complaint, *(one.code or one.complaint for one in self.parts)))
        if len(outcomes) > 1 or (complains and ReceiptOutcome.CONFIRMED in outcomes):
            return None
        return self.outcome
