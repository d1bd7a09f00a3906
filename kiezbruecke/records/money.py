"""What finance knows of a case: the commitment, the application with its account, the proof of use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kiezbruecke.records.base import Money, Record, Text, at_most, must_travel, name_id, personal
from kiezbruecke.records.references import FORM


class CommitmentState(StrEnum):
    """State of a commitment; `requested` holds the money back as well as `booked`."""

    REQUESTED = "requested"
    BOOKED = "booked"
    REFUSED = "refused"
    CANCEL_REQUESTED = "cancel_requested"  # the money is free only when HKR says AUFGEHOBEN
    CANCELLED = "cancelled"


class GrantState(StrEnum):
    """Where the grant of a case stands; derived (`cases/grants.py`)."""

    VOTED = "voted"  # an assembly has said yes
    GRANTED = "granted"  # the Bescheid was issued
    FINAL = "final"  # nobody can object any more
    SETTLED = "settled"  # what was paid is proven, or came back
    CANCELLED = "cancelled"  # nothing is granted any more


class OrderState(StrEnum):
    """Where an order to pay or to collect stands; derived from its message and from all that came back."""

    ORDERED = "ordered"  # written; nothing has left for certain
    SENT = "sent"  # there; nobody has booked it yet
    IN_DOUBT = "in_doubt"  # nobody knows whether it is there
    REJECTED = "rejected"  # refused for good; what follows has a new number
    BOOKED = "booked"  # in the books, not paid yet
    PAID = "paid"  # the money has left
    BOUNCED = "bounced"  # the money came back
    RECEIVED = "received"  # of a refund claim: the money is here
    CANCELLED = "cancelled"  # taken back before it left, or cancelled there

    @property
    def live(self) -> bool:
        """Whether it is an order that may still be, or was, carried out: no second one beside it."""
        return self not in (OrderState.REJECTED, OrderState.BOUNCED, OrderState.CANCELLED)


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


class Application(Record):
    """One line of an application sheet: a grant is applied for, and later announced by a Bescheid. It never changes."""

    kind: ClassVar[str] = "application"

    origin: str = Field(description="Sheet (SHA-256) and row it came from: '<sha256>:<row>'")
    sheet: str = Field(description="File name of the sheet, for people")
    row: int = Field(ge=1, description="Row in the sheet as a clerk sees it, header = 1")
    process_id: str
    area_id: str
    reference_number: str = Field(pattern=FORM)
    applied_on: date | None = Field(None, description="Day of the written application")
    amount: Money = Field(description="What is applied for")
    expected_costs: Money | None = Field(None, description="What the whole project is expected to cost")
    starts_on: date | None = Field(None, description="Begin of the project; not before the Bescheid")
    notice_on: date | None = Field(None, description="Day of the Bescheid; None as long as none was issued")
    waiver_on: date | None = Field(None, description="Day on which the right to object was waived")
    account: str = Field("", description="Mark of the account in the vault; empty where the line names none")
    account_hint: str = Field("", description="The masked IBAN, for people: DE89…3000")
    applicant_name: Text = personal("")
    correction: bool = False
    reason: Text = ""
    recorded_by: Text = personal("")

    @property
    def identity(self) -> UUID:
        return name_id("application", self.origin)


class Account(Record):
    """Whose account a grant is paid to. It is never stored as a record: the vault takes it where records are stored."""

    kind: ClassVar[str] = "account"

    origin: str = Field(description="Of the application that it belongs to")
    holder: Text = personal(..., min_length=1, max_length=70, description="As the bank knows it, not the contact")
    iban: str = personal(..., min_length=5, max_length=34, description="Without blanks")
    bic: str = personal("", max_length=11, description="Empty where the line names none")

    @property
    def identity(self) -> UUID:
        return name_id("account", self.origin)


class Settlement(Record):
    """One line of a settlement sheet: what of a grant was spent, and what came back. It never changes."""

    kind: ClassVar[str] = "settlement"

    origin: str = Field(description="Sheet (SHA-256) and row it came from: '<sha256>:<row>'")
    sheet: str = Field(description="File name of the sheet, for people")
    row: int = Field(ge=1, description="Row in the sheet as a clerk sees it, header = 1")
    process_id: str
    area_id: str
    reference_number: str = Field(pattern=FORM)
    proven_on: date = Field(description="Day on which the proof was accepted")
    spent: Money = Field(description="What was proven to have been spent of the grant")
    correction: bool = False
    reason: Text = ""
    recorded_by: Text = personal("")

    @property
    def identity(self) -> UUID:
        return name_id("settlement", self.origin)


Channel = Literal["hkr", "pain"]
SEPA: Final = "pain"  # by files, which take no cancellation; the standard that they are written in has the same name


class Payments(BaseModel):
    """How the grants of a process are paid; a process without it pays nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Channel = Field(description="hkr: orders to the budget system; pain: a SEPA file for the own cash office")
    objection_days: int = Field(34, ge=0, le=400, description="After so many days a Bescheid is final")
    order_until: date | None = Field(None, description="The cash office's cut-off: no order after this day")
    use_by_months: int = Field(2, ge=1, le=24, description="Until when after the payment the money is to be used")
    proof_months: int = Field(6, ge=1, le=36, description="Until when after the payment the proof is due")
    certifiers: tuple[str, ...] = Field((), description="Roles whose people certify (sachlich, rechnerisch)")
    orderers: tuple[str, ...] = Field((), description="Roles whose people order (angeordnet)")
    most_per_order: Annotated[Decimal | None, Field(gt=0, decimal_places=2)] = Field(
        None, description="No single order may be larger"
    )
    release_days: int = Field(3, ge=1, le=30, description="So long an order by a person holds before it must have left")
