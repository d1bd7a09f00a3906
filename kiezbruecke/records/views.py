"""What mappings may read of a case and a message: derived views, made by the engine, never stored by themselves."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from kiezbruecke.records.base import at_most, must_travel


class View(BaseModel):
    """A frozen view; mappings name its fields as paths."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentView(View):
    """One document of a case, as it is sent."""

    id: UUID
    index: int
    title: str
    file: str = at_most(120)  # name inside the message, '<UUID>_<name>.pdf'
    original: str
    media_type: str
    pdf_version: str
    sha512: str  # hex


class StoryKind(StrEnum):
    """What can happen to a proposal, for everyone: the whole list."""

    HANDED_IN = "handed_in"  # somebody had the idea
    STATEMENT = "statement"  # the administration has said something about it in public
    GONE = "gone"  # it is no longer on its platform
    DECIDED = "decided"  # an assembly has decided
    CORRECTED = "corrected"  # what was said of the decision was put right
    QUESTIONED = "questioned"  # something contradicts, so nothing is told of it yet
    BLOCKED = "blocked"  # the area's budget may not be used at the moment
    FILED = "filed"  # it is in the e-file
    BOUND = "bound"  # the money is bound
    CHANGED = "changed"  # another sum is bound
    FREED = "freed"  # the money is free again
    NOTIFIED = "notified"  # the Bescheid was issued
    PAID = "paid"  # the money has left
    PROVEN = "proven"  # what became of it is proven
    ANSWERED = "answered"  # those who asked have their answer


class StoryEvent(View):
    """One event of a case for everyone: a plain German sentence, without names and inner words."""

    day: date | None  # in Berlin; None where nobody has noted it
    kind: StoryKind
    text: str


class CaseView(View):
    """One case: everything about one proposal in one process, named by its reference number."""

    id: UUID
    process_id: str
    area_id: str = at_most(6)  # it is the Unterkonto of a booking
    area_name: str = at_most(200)
    reference: str = at_most(20, must_travel=True)  # '2026-00001', or 'P-1' for a proposal from paper
    title: str
    documents: tuple[DocumentView, ...] = ()
    story: tuple[StoryEvent, ...] = ()


class MessageView(View):
    """The message that is being written. Its clock and ids come from here, never from now()."""

    id: UUID  # the message's key; xdomea's nachrichtenUUID
    process_id: UUID  # xdomea's ProzessID, uuid5 of the case
    created_at: datetime  # UTC
    effect: str
    number: int
    reference: str = at_most(25)  # Fremdkennzeichen
    related_reference: str | None = at_most(25, default=None)  # of the commitment that is changed or cancelled
    voucher: str = at_most(8)  # Belegnummer, digits, unique per destination and year
    test: bool = False


class CaseState(StrEnum):
    """Where a case stands for the people who asked, from the idea on; derived, never stored by itself."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    SHORTLISTED = "shortlisted"
    GONE = "gone"
    UNDECIDED = "undecided"
    QUESTIONED = "questioned"
    REJECTED = "rejected"
    NOT_ELIGIBLE = "not_eligible"
    WAITING_LIST = "waiting_list"
    FORWARDED = "forwarded"
    DEFERRED = "deferred"
    WITHDRAWN = "withdrawn"
    GRANTED = "granted"
    COMMITTED = "committed"
    IN_PAYMENT = "in_payment"
    PAID = "paid"
    SETTLED = "settled"


class StatusView(View):
    """What the people who asked are told about a case."""

    key: CaseState
    state: str = at_most(200, must_travel=True)  # plain German
    amount: Decimal | None = None
    since: date | None = None


class PublicState(StrEnum):
    """Where a project stands that was granted once, for everybody; the whole list."""

    GRANTED = "granted"
    COMMITTED = "committed"
    TAKEN_BACK = "taken_back"
    WITHDRAWN = "withdrawn"


class PublicView(View):
    """What everybody may know of a project that was granted: no person, no text but a title that stood in public."""

    title: str
    requested: Decimal | None = None
    granted: Decimal = must_travel()  # zero where it was taken back
    decided_on: date
    key: PublicState
    state: str = at_most(200)  # plain German


class PaymentView(View):
    """A payment order, its cancellation, or a refund claim that is being written."""

    reference: str = at_most(25)  # Fremdkennzeichen; also the EndToEndId
    related_reference: str | None = at_most(25, default=None)  # the cancelled order, or whose money comes back
    commitment_reference: str = at_most(25)  # of the Festlegung that pays for it
    voucher: str = at_most(8)  # Belegnummer
    instalment: int
    amount: Decimal = must_travel()
    due_on: date  # Fälligkeit
    fiscal_year: int
    purpose: str = at_most(140)  # the procedure's word and the Fremdkennzeichen; no name, no title
    grounds: str = at_most(241)  # the procedure's word and the area


class PayeeView(View):
    """Whom a payment goes to; personal data. It comes out of the vault for the one message that needs it."""

    holder: str = at_most(70)
    iban: str = at_most(34)
    bic: str = at_most(11)
