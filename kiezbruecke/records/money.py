"""What finance knows of a case: the commitment (Festlegung)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from kiezbruecke.records.base import Money, Record, Text, at_most, must_travel, name_id


class CommitmentState(StrEnum):
    """State of a commitment; `requested` holds the money back as well as `booked`."""

    REQUESTED = "requested"
    BOOKED = "booked"
    REFUSED = "refused"
    CANCEL_REQUESTED = "cancel_requested"  # the money is free only when HKR says AUFGEHOBEN
    CANCELLED = "cancelled"


class Commitment(Record):
    """The commitment of one case; there is one per case and it carries the total, never a difference."""

    kind: ClassVar[str] = "commitment"

    case_id: UUID
    process_id: str
    area_id: str
    fiscal_year: int
    amount: Money = must_travel()
    state: CommitmentState
    reference: str
    voucher: str = ""
    purpose: Text = at_most(66, default="")  # the procedure's word and the Fremdkennzeichen
    grounds: Text = at_most(241, default="")  # the procedure's word and the area

    @property
    def identity(self) -> UUID:
        return name_id("commitment", str(self.case_id))
