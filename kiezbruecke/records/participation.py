"""What residents, assemblies and districts say: process, area, budget, proposal, applicant, decision.

Fields follow `domain/participation.md` §8 of the project's research; German atoms are those of the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kiezbruecke.records.base import Moment, Money, Record, Text, added, must_travel, name_id, personal
from kiezbruecke.records.money import Payments
from kiezbruecke.records.references import FORM, USUAL, check_patterns, pattern, pattern_of


class Module(BaseModel):
    """One module of a participation platform in which proposals of a process stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(description="Primary key of the module on the platform")
    type: Literal["budgeting", "kiezkasse"] = Field(description="Blueprint: PB/PB2/PB3 or legacy KK")
    slug: str = Field("", description="Slug of the module; needed for the XLSX export")
    area: str | None = Field(None, description="Area id, where the whole module belongs to one area")


class Area(Record):
    """A Bezirksregion; `id` is its LOR number."""

    kind: ClassVar[str] = "area"

    id: str = Field(min_length=1)
    name: Text = Field(min_length=1, max_length=200)
    aliases: tuple[Text, ...] = ()
    bezirk_id: str = ""
    lor_version: str = ""

    @property
    def identity(self) -> UUID:
        return name_id("area", self.id)


class Assemblies(BaseModel):
    """The first and the last day on which an assembly of a process can have met."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: date = Field(description="Nobody has decided before this day")
    last: date = Field(description="Nobody decides after this day")


_WORDS = {  # by kind: how the procedure is called in a booking and a file, and how one of its proposals is
    "kiezkasse": ("Kiezkasse", "Kiezkassenvorschlag"),
    "kiezfonds": ("Kiezfonds", "Kiezfondsvorschlag"),
    "stadtteilkasse": ("Stadtteilkasse", "Stadtteilkassenvorschlag"),
    "regionalkasse": ("Regionalkasse", "Regionalkassenvorschlag"),
    "buergerhaushalt": ("Bürgerhaushalt", "Bürgerhaushaltsvorschlag"),
    "buergerbudget": ("Bürgerbudget", "Bürgerbudgetvorschlag"),
}
ProcessKind = Literal["kiezkasse", "kiezfonds", "stadtteilkasse", "regionalkasse", "buergerhaushalt", "buergerbudget"]
LABEL = 40  # characters; with a Fremdkennzeichen it is still no more than a line of a booking


def label_of(values: Mapping[str, Any]) -> str:
    """How a procedure is called in a booking: what its file says, else the word of its kind; empty for neither."""
    return str(values.get("label") or _WORDS.get(str(values.get("process_kind", "kiezkasse")), ("",))[0])


class Process(Record):
    """A participation process of one budget year, such as the Kiezkassen of a district in 2026."""

    kind: ClassVar[str] = "process"

    id: str
    name: Text
    process_kind: ProcessKind = "kiezkasse"
    label: Text = Field(
        "", max_length=LABEL, description="Its word in a booking and a file, e.g. Kiezfonds; else that of its kind"
    )
    proposal_label: Text = Field(
        "", max_length=2 * LABEL, description="The word for one of its proposals, e.g. Kiezfondsvorschlag"
    )
    reference_prefix: str = Field(pattern=r"^[A-Z0-9]{2,6}$", description="Start of every Fremdkennzeichen, e.g. KK26")
    bezirk_id: str
    fiscal_year: int = Field(ge=2000, le=2099)
    organisation: Text = ""
    owner: str = Field("", description="Who looks at what the process's records contradict each other in")
    legal_basis: tuple[Text, ...] = ()
    commit_at: Literal["voted", "final"] = "voted"
    payments: Payments | None = Field(None, description="How its grants are paid; without it nothing is paid")
    modules: tuple[Module, ...] = ()
    area_list: str = Field("", description="Code list of the areas; a GeoJSON of the same name holds their polygons")
    areas: tuple[Area, ...] = ()
    assemblies: Assemblies | None = Field(None, description="When assemblies can have met; see `assembly_days`")
    references: tuple[str, ...] = Field(USUAL, description="How its proposals are numbered; `records/references.py`")

    @field_validator("references")
    @classmethod
    def _keep_numbers_apart(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        check_patterns(patterns)
        return patterns

    @model_validator(mode="before")
    @classmethod
    def _with_words(cls, values: Any) -> Any:
        """A word of its own has no compound that we could know: `Vorschlag (Kiezpott)`."""
        if not isinstance(values, dict):
            return values
        label = label_of(values)
        compound = next((one for word, one in _WORDS.values() if word == label), f"Vorschlag ({label})")
        return {**values, "label": label, "proposal_label": values.get("proposal_label") or compound}

    @property
    def identity(self) -> UUID:
        return name_id("process", self.id)

    def numbers(self, reference: str) -> bool:
        """Whether a proposal of this process can have this number."""
        return pattern_of(self.references, reference) is not None

    @property
    def example_numbers(self) -> tuple[str, ...]:
        """`2026-00001` and `P-1`: what people are shown."""
        return tuple(pattern(one).example(self.fiscal_year) for one in self.references)

    @property
    def assembly_days(self) -> tuple[date, date]:
        """First and last day of an assembly; where nothing is said, the fiscal year and the autumn before."""
        if self.assemblies is not None:
            return self.assemblies.first, self.assemblies.last
        return date(self.fiscal_year - 1, 9, 1), date(self.fiscal_year, 12, 31)


class BudgetStatus(StrEnum):
    """Status of one line of the budget sheet."""

    PLANNED = "planned"  # geplant: known, nothing may be committed yet
    RELEASED = "released"  # freigegeben
    BLOCKED = "blocked"  # gesperrt (Haushaltssperre)
    REVOKED = "revoked"  # widerrufen


class Budget(Record):
    """One line of a budget sheet: an area's budget from a day on; a later line changes an earlier one."""

    kind: ClassVar[str] = "budget"

    origin: str = Field(description="Connection and external id of the line it came from")
    process_id: str
    fiscal_year: int
    area_id: str
    amount: Money
    chapter: str = Field(pattern=r"^[0-9]{4}$", description="Kapitel", json_schema_extra={"maxLength": 4})
    title: str = Field(pattern=r"^[0-9]{5}$", description="Titel", json_schema_extra={"maxLength": 5})
    status: BudgetStatus
    valid_from: date
    reason: Text = ""
    recorded_by: Text = personal("")

    @property
    def identity(self) -> UUID:
        return name_id("budget", self.origin)


class ProposalStatus(StrEnum):
    """Status of a proposal, as far as its platform knows it (never moves money)."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    SHORTLISTED = "shortlisted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_ELIGIBLE = "not_eligible"
    WAITING_LIST = "waiting_list"
    FORWARDED = "forwarded"
    WITHDRAWN = "withdrawn"
    GONE = "gone"


class Counts(BaseModel):
    """What residents did with a proposal on the platform."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pro: int = 0
    contra: int = 0
    comments: int = 0
    votes: int = 0


class Point(BaseModel):
    """A place in WGS84 degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class Proposal(Record):
    """A proposal as its platform shows it."""

    kind: ClassVar[str] = "proposal"

    source: str = Field(description="Connection it came from")
    external_id: str
    reference_number: str
    process_id: str
    module_id: int | None = None
    area_id: str | None = None
    area_origin: Literal["module", "point", "only", "manual", "unknown"] = "unknown"
    url: str = ""
    title: Text = Field(min_length=1)
    description_text: Text = ""
    category: Text = ""
    labels: tuple[Text, ...] = ()
    requested_amount: Money | None = Field(None, description="None where the platform says 0 or nothing")
    point: Point | None = None
    point_label: Text = ""
    created_at: Moment | None = Field(None, description="None where the source does not say when it was written")
    modified_at: Moment | None = None
    source_status: str = ""
    source_status_label: Text = ""
    status: ProposalStatus = ProposalStatus.SUBMITTED
    feedback_text: Text = ""
    counts: Counts = Counts()
    archived: bool = False
    own_contribution: bool | None = None
    creator_name: Text = personal("")

    @property
    def identity(self) -> UUID:
        return name_id("proposal", self.source, self.external_id)


class Applicant(Record):
    """Who asks for the money of one proposal; personal data throughout."""

    kind: ClassVar[str] = "applicant"

    source: str
    external_id: str
    process_id: str
    reference_number: str
    applicant_kind: Literal["person", "association", "initiative", "school", "company", "public", "unknown"] = "unknown"
    display_name: Text = personal("")
    legal_name: Text = personal("")
    representative: Text = personal("")
    email: Text = personal("")
    phone: Text = personal("")
    address: Text = personal("")
    contact_allowed: bool = False

    @property
    def identity(self) -> UUID:
        return name_id("applicant", self.source, self.external_id)


class Outcome(StrEnum):
    """Result of one line of a decision sheet."""

    ACCEPTED = "accepted"  # angenommen
    ACCEPTED_REDUCED = "accepted_reduced"  # angenommen (gekürzt)
    REJECTED = "rejected"  # abgelehnt
    NOT_ELIGIBLE = "not_eligible"  # nicht förderfähig
    WAITING_LIST = "waiting_list"  # Warteliste
    FORWARDED = "forwarded"  # weitergeleitet
    DEFERRED = "deferred"  # vertagt
    WITHDRAWN = "withdrawn"  # zurückgezogen

    @property
    def word(self) -> str:
        """The word of the decision sheet."""
        return _OUTCOME_WORDS[self]

    @property
    def grants(self) -> bool:
        """True where the outcome moves money."""
        return self in (Outcome.ACCEPTED, Outcome.ACCEPTED_REDUCED)

    @property
    def final(self) -> bool:
        """False where a later assembly is expected to decide."""
        return self not in (Outcome.WAITING_LIST, Outcome.DEFERRED)


_OUTCOME_WORDS = {
    Outcome.ACCEPTED: "angenommen",
    Outcome.ACCEPTED_REDUCED: "angenommen (gekürzt)",
    Outcome.REJECTED: "abgelehnt",
    Outcome.NOT_ELIGIBLE: "nicht förderfähig",
    Outcome.WAITING_LIST: "Warteliste",
    Outcome.FORWARDED: "weitergeleitet",
    Outcome.DEFERRED: "vertagt",
    Outcome.WITHDRAWN: "zurückgezogen",
}


class Votes(BaseModel):
    """Votes in the assembly; None where the sheet is silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    yes: int | None = Field(None, ge=0)
    no: int | None = Field(None, ge=0)
    abstain: int | None = Field(None, ge=0)


class Paper(Record):
    """A Drucksache as the council's information system shows it: the proof of a decision. It belongs to no case."""

    kind: ClassVar[str] = "paper"

    source: str = Field(description="Connection it came from")
    external_id: str = Field(description="Its address there, which stays")
    process_id: str
    reference: Text = Field("", description="Number of the Drucksache; empty where it was deleted before it was read")
    title: Text = Field("", description="Subject")
    paper_type: Text = Field("", description="Kind of Drucksache, e.g. Antrag, Vorlage zur Beschlussfassung")
    dated_on: date | None = Field(None, description="Day of the Drucksache itself")
    url: str = Field("", description="Where people see it")
    result: Text = Field("", description="In the council's words; empty as long as nothing is decided")
    resolution: Text = Field("", description="Text of what was decided")
    decided_on: date | None = Field(None, description="Day of the council's meeting, in Berlin")
    deleted: bool = Field(False, description="The system shows it no more")

    @property
    def identity(self) -> UUID:
        return name_id("paper", self.source, self.process_id, self.external_id)


class Decision(Record):
    """One line of a decision sheet. Lines are facts and never change; `cases.join` says which one counts."""

    kind: ClassVar[str] = "decision"

    origin: str = Field(description="Sheet (SHA-256) and row it came from: '<sha256>:<row>'")
    sheet: str = Field(description="File name of the sheet, for people")
    row: int = Field(ge=1, description="Row in the sheet as a clerk sees it, header = 1")
    process_id: str
    area_id: str
    decided_on: date
    reference_number: str = Field(pattern=FORM, description="Its process knows more: `Process.references`")
    title: Text = ""
    outcome: Outcome
    approved_amount: Money | None = must_travel(None)
    votes: Votes = Votes()
    rank: int | None = Field(None, ge=1)
    conditions: Text = ""
    protocol_ref: Text = ""
    paper_reference: Text = added("", description="Number of the Drucksache that proves it, e.g. X/0815")
    paper_url: Text = added("", description="Where people see that Drucksache")
    correction: bool = False
    reason: Text = ""
    recorded_by: Text = personal("")

    @property
    def identity(self) -> UUID:
        return name_id("decision", self.origin)
