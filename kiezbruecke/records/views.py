"""What mappings may read of a case and a message: derived views, made by the engine, never stored by themselves."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from kiezbruecke.records.base import at_most


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


class CaseView(View):
    """One case: everything about one proposal in one process, named by its reference number."""

    id: UUID
    process_id: str
    area_id: str
    area_name: str = at_most(200)
    reference: str = at_most(20, must_travel=True)  # '2026-00001', or 'P-1' for a proposal from paper
    title: str
    documents: tuple[DocumentView, ...] = ()


class MessageView(View):
    """The message that is being written. Its clock and ids come from here, never from now()."""

    id: UUID  # the message's key; xdomea's nachrichtenUUID
    process_id: UUID  # xdomea's ProzessID, uuid5 of the case
    created_at: datetime  # UTC
    effect: str
    number: int
    reference: str = at_most(25)  # Fremdkennzeichen
    related_reference: str | None = None  # of the commitment that is changed or cancelled
    voucher: str  # Belegnummer, 8 digits, unique per destination and year
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


class StatusView(View):
    """What the people who asked are told about a case."""

    key: CaseState
    state: str = at_most(200, must_travel=True)  # plain German
    amount: Decimal | None = None
    since: date | None = None
