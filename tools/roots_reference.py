"""Writes docs/reference/roots.md: what mappings may read, from the pydantic models themselves.

python tools/roots_reference.py            writes
python tools/roots_reference.py --check    exits 1 if the page is stale

A field says itself what it is (`Field(description=…)`); what no model says stands in NOTES. A field without a word,
or a word without a field, stops this program: so the page cannot fall behind.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kiezbruecke.mapping.schema.models import Envelope, Type, field_type, may_be_missing, root_models
from kiezbruecke.records import RECORDS
from kiezbruecke.records.base import Record

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/roots.md"
WORDS = {"decimal": "number", "moment": "moment (UTC)", "any": "object"}

NOTES = {
    "Applicant.address": "Postal address, one text",
    "Applicant.applicant_kind": "What kind of applicant",
    "Applicant.contact_allowed": "Whether the person has asked to be written to; false where the platform does not say",
    "Applicant.display_name": "Name of the account on the platform; often no civil name",
    "Applicant.email": "E-mail address",
    "Applicant.external_id": "Key on the platform, the same as the proposal's",
    "Applicant.legal_name": "Civil or registered name",
    "Applicant.phone": "Telephone number",
    "Applicant.process_id": "Process, e.g. `kk-tk-2026`",
    "Applicant.reference_number": "The platform's number, e.g. `2026-00001`",
    "Applicant.representative": "Who acts for an association or initiative",
    "Applicant.source": "Connection it came from",
    "Area.aliases": "Other spellings that sheets may use",
    "Area.bezirk_id": "District, e.g. `09`",
    "Area.id": "LOR number, e.g. `090416`",
    "Area.lor_version": "Which LOR scheme the number belongs to",
    "Area.name": "Name of the Bezirksregion",
    "Budget.amount": "The area's budget of the year, total",
    "Budget.area_id": "LOR number",
    "Budget.fiscal_year": "Haushaltsjahr",
    "Budget.process_id": "Process",
    "Budget.reason": "Why a later line changes an earlier one",
    "Budget.recorded_by": "Who filled in the line",
    "Budget.status": "Only `released` money can be committed",
    "Budget.valid_from": "Gültig ab; kept, not evaluated",
    "Application.applicant_name": "Antragstellende",
    "Application.area_id": "LOR number",
    "Application.correction": "Korrektur = ja",
    "Application.process_id": "Process",
    "Application.reason": "Begründung",
    "Application.recorded_by": "Erfasst von",
    "Application.reference_number": "Referenznummer",
    "CaseView.area_id": "LOR number",
    "CaseView.area_name": "Name of the area",
    "CaseView.documents": "The PDFs that travel with the message; made where the mapping reads them",
    "CaseView.id": "The case's id (UUIDv5); xdomea's Vorgang",
    "CaseView.process_id": "Process",
    "CaseView.reference": "Reference number: `2026-00001`, or `P-1` for a proposal from paper",
    "CaseView.story": "What happened to it, as everyone may read it, by day",
    "CaseView.title": "Title: the platform's, else the sheet's, else `Vorschlag P-1`",
    "Commitment.amount": "The total of this message in euros, never a difference",
    "Commitment.area_id": "LOR number",
    "Commitment.case_id": "The case's id",
    "Commitment.fiscal_year": "Haushaltsjahr",
    "Commitment.grounds": "Begründung of a booking: the procedure's word and the area, `Kiezkasse Müggelheim`",
    "Commitment.process_id": "Process",
    "Commitment.purpose": "Verwendungszweck of a booking: the procedure's word and the Fremdkennzeichen",
    "Commitment.reference": "Fremdkennzeichen of the message being written",
    "Commitment.state": "`requested` while the message is being written",
    "Commitment.voucher": "Belegnummer of the message being written",
    "Counts.comments": "Comments on the platform",
    "Counts.contra": "Votes against on the platform",
    "Counts.pro": "Votes for on the platform",
    "Counts.votes": "Token votes on the platform",
    "Decision.approved_amount": "Bewilligt (€)",
    "Decision.area_id": "LOR number, by the sheet",
    "Decision.conditions": "Auflagen",
    "Decision.correction": "Korrektur = ja",
    "Decision.decided_on": "Sitzung am",
    "Decision.outcome": "Ergebnis",
    "Decision.process_id": "Process",
    "Decision.protocol_ref": "Protokoll",
    "Decision.rank": "Rang",
    "Decision.reason": "Begründung",
    "Decision.recorded_by": "Erfasst von",
    "Decision.reference_number": "Referenznummer",
    "Decision.title": "Titel, as in the sheet",
    "Decision.votes": "Votes in the assembly",
    "DocumentView.file": "Name inside the message, `<UUID>_<name>.pdf`",
    "DocumentView.id": "Id of the document, not of its file",
    "DocumentView.index": "Its number, from 1",
    "DocumentView.media_type": "`application/pdf`",
    "DocumentView.original": "Name as people would call the file",
    "DocumentView.pdf_version": "Version of PDF/A, as the message must name it: `2a`",
    "DocumentView.sha512": "SHA-512 of the bytes, hex",
    "DocumentView.title": "Title of the document",
    "MessageView.created_at": "When the message was written; the only clock a mapping has",
    "MessageView.effect": "e.g. `file.create`, `commitment.book`",
    "MessageView.id": "The message's key; xdomea's nachrichtenUUID",
    "MessageView.number": "Counts the messages of its kind for this case, from 1",
    "MessageView.process_id": "xdomea's ProzessID (UUIDv5 of the case) – not the participation process",
    "MessageView.reference": "Fremdkennzeichen, at most 25 characters",
    "MessageView.related_reference": "Fremdkennzeichen of the commitment that is changed or cancelled",
    "MessageView.test": "Whether the route says `environment: test`",
    "MessageView.voucher": "Belegnummer, 8 digits; empty unless it is a commitment",
    "Module.id": "Primary key of the module on the platform",
    "PayeeView.bic": "BIC; empty where the sheet names none",
    "PayeeView.holder": "Kontoinhaber, as the bank knows it",
    "PayeeView.iban": "IBAN, without blanks",
    "PaymentView.amount": "The whole amount in euros",
    "PaymentView.commitment_reference": "Fremdkennzeichen of the Festlegung that pays",
    "PaymentView.due_on": "Fälligkeit",
    "PaymentView.fiscal_year": "Haushaltsjahr",
    "PaymentView.grounds": "Begründung of a booking: the procedure's word and the area, `Kiezkasse Müggelheim`",
    "PaymentView.instalment": "Which part of the grant; always 1, for a grant is paid in one sum",
    "PaymentView.purpose": "Verwendungszweck: the procedure's word and the Fremdkennzeichen",
    "PaymentView.reference": "Fremdkennzeichen of the message being written; the EndToEndId",
    "PaymentView.related_reference": "Fremdkennzeichen of the order that is cancelled, or whose money comes back",
    "PaymentView.voucher": "Belegnummer, 8 digits",
    "Point.lat": "Latitude, WGS84",
    "Point.lon": "Longitude, WGS84",
    "Process.areas": "Its Bezirksregionen",
    "Process.bezirk_id": "District, e.g. `09`",
    "Process.commit_at": "When money is committed: when it is `voted`, or when the grant is `final`",
    "Process.fiscal_year": "Haushaltsjahr",
    "Process.id": "e.g. `kk-tk-2026`",
    "Process.legal_basis": "What it rests on",
    "Process.modules": "Modules of the platform in which its proposals stand",
    "Process.name": "Its name for people",
    "Process.organisation": "The office in charge",
    "Process.process_kind": "What kind of process",
    "Proposal.archived": "Archived on the platform",
    "Proposal.area_id": "LOR number, where it is known",
    "Proposal.area_origin": "Where the area is known from",
    "Proposal.category": "Category on the platform",
    "Proposal.counts": "What residents did with it",
    "Proposal.created_at": "When it was written",
    "Proposal.creator_name": "Name of the account",
    "Proposal.description_text": "Description without HTML; only with the export",
    "Proposal.external_id": "Key on the platform",
    "Proposal.feedback_text": "The moderators' public answer; only with the export",
    "Proposal.labels": "Labels on the platform",
    "Proposal.modified_at": "Empty until the first change",
    "Proposal.module_id": "Module it stands in",
    "Proposal.own_contribution": "Own contribution offered; only in the legacy export",
    "Proposal.point": "Its place",
    "Proposal.point_label": "Its place in words",
    "Paper.process_id": "Process",
    "Proposal.process_id": "Process",
    "Proposal.reference_number": "The platform's number",
    "Proposal.source_status": "Status, as the platform codes it",
    "Proposal.source_status_label": "Status, as the platform says it",
    "Proposal.status": "Status in our words; never moves money",
    "Proposal.title": "Title, exactly as on the platform",
    "Proposal.url": "Address on the platform",
    "Receipt.amount": "Sum it names; must be ours to the cent",
    "Part.code": "Their code for the reason why it failed",
    "Part.complaint": "What they complain about, in their words",
    "Part.id": "The part, by the id that we gave it; must be one of the message's",
    "Part.outcome": "What it proves about the part",
    "Receipt.code": "Their code for the reason why something failed; a confirmation has none",
    "Receipt.complaint": "What they complain about, in their words; a confirmation has none",
    "Receipt.event": "Their word for what happened",
    "Receipt.external_id": "Stable id within the source; the same answer read twice is one",
    "Receipt.key": "Names our message by its key",
    "Receipt.occurred_at": "Moment, where they say one",
    "Receipt.occurred_on": "Day, where they say one",
    "Receipt.outcome": "What it proves about the message",
    "Receipt.parts": "What it says of each part of what was sent; where one says something else, nothing is proven",
    "Receipt.process_id": "The process it names (xdomea's ProzessID); must be the message's",
    "Receipt.reference": "Names our message by its Fremdkennzeichen",
    "Receipt.remote_id": "Their id for the effect",
    "Receipt.source": "Connection it came from",
    "Receipt.text": "Their free text: any remark",
    "Receipt.ticket": "Names our message by their own id for it",
    "Receipt.warning": "Delivered, but a person should look",
    "PublicView.decided_on": "Day of the assembly whose decision counts",
    "PublicView.granted": "Approved sum; 0.00 where it was taken back",
    "PublicView.key": "One word of a closed list",
    "PublicView.requested": "Asked-for sum, where the platform names one",
    "PublicView.state": "In plain German",
    "PublicView.title": "The platform's title; without one, or where it names an address or a number: `Vorschlag P-1`",
    "Settlement.area_id": "LOR number",
    "Settlement.correction": "Korrektur = ja",
    "Settlement.process_id": "Process",
    "Settlement.reason": "Begründung",
    "Settlement.recorded_by": "Erfasst von",
    "Settlement.reference_number": "Referenznummer",
    "StatusView.amount": "Approved sum, where one is granted",
    "StatusView.since": "Day of the decision, else of the platform's last change",
    "StatusView.key": "one word of a closed list, for choosing texts: `granted`, `rejected`, …",
    "StatusView.state": "In plain German",
    "StoryEvent.day": "In Berlin; empty where nobody has noted it",
    "StoryEvent.kind": "One word of a closed list: `handed_in`, `decided`, `bound` …",
    "StoryEvent.text": "A plain German sentence, without names",
    "Votes.abstain": "Enthaltungen",
    "Votes.no": "Nein",
    "Votes.yes": "Ja",
}

HEAD = """# What mappings may read, and what they make

<!-- Generated by tools/roots_reference.py from the pydantic models; do not edit. -->

For integrators. A mapping declares its `roots:`; a path begins with one of them: `proposal.title`,
`decision.votes.yes`, `case.documents[1].file`. *Empty* = may hold nothing; *pii* = personal data. A number that is
money has two places.

| root | in | what it is |
|---|---|---|
"""
OUTBOUND = {
    "applicant": "who asks; missing for paper proposals and without the platform's export",
    "area": "the case's Bezirksregion",
    "budget": "the line of the budget sheet that counts for the case's area",
    "case": "the case, with the documents that are sent",
    "commitment": "the sum this message is about",
    "decision": "the line of a decision sheet that counts",
    "message": "the message being written: ids, clock, Fremdkennzeichen",
    "process": "the participation process",
    "proposal": "the proposal as its platform shows it; missing for a proposal from paper",
    "public": "what everybody may know of a project that was granted once; missing before",
    "status": "what the people who asked are told",
}
ROOTS = root_models()
OPEN = """| `item` | inbound | what the source hands over; its fields are in the connector's README |
| `envelope` | inbound | {envelope} of the item, all text; `source` is the connection's name |
| `route` | both | what the route file says under `with:`; nothing is known of it beforehand |
"""
OWN = (
    "| *any other name*, `item` | outbound, with `source:` | [a record of your own](../how-to/own-sources.md), called "
    "as its schema unless you say otherwise; beside it only `envelope`, whose `external_id` is the record's number |\n"
)


def page() -> str:
    """The whole page; raises ValueError where NOTES and the models do not agree."""
    sections = [_section(f"`{name}`", model) for name, model in sorted(ROOTS.items())]
    records = [_section(f"record {name}", model) for name, model in sorted(_made_inbound().items())]
    nested = [_section(model.__name__, model) for model in _nested([*ROOTS.values(), *_made_inbound().values()])]
    _refuse_leftovers()
    parts = [HEAD + _overview(), "# Roots\n", *sections, "# Parts of them\n", *nested]
    made = "# Records that inbound mappings make\n\n`Applicant`, `Budget`, `Decision`, `Proposal`: the fields above.\n"
    return "\n".join([*parts, made, *records])


def _overview() -> str:
    rows = [f"| `{name}` | {_where(name)} | {_what(name, model)} |\n" for name, model in sorted(ROOTS.items())]
    known = ", ".join(f"`{name}`" for name in sorted(Envelope.model_fields))
    return "".join(rows) + OPEN.format(envelope=known) + OWN


def _where(root: str) -> str:
    return "both" if root == "process" else "outbound"


def _what(root: str, model: type[BaseModel]) -> str:
    said = OUTBOUND.get(root) or _first_line(model)
    return said if not may_be_missing(root) or "missing" in said else f"{said.rstrip('.')}; sometimes missing"


def _made_inbound() -> dict[str, type[BaseModel]]:
    """Records that are no root: only inbound mappings know them."""
    return {name: model for name, model in RECORDS.items() if model not in ROOTS.values()}


_used: set[str] = set()


def _section(title: str, model: type[BaseModel]) -> str:
    kind = model.__name__ if title.strip("`") in ROOTS else ""
    head = f"## {title}{f' – {kind}' if kind else ''}\n\n{_first_line(model)}\n"
    rows = [_row(model, name, field) for name, field in model.model_fields.items()]
    return "\n".join([head, "| field | type | | what |", "|---|---|---|---|", *rows, ""])


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _row(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    found = field_type(field)
    marks = [mark for mark, on in (("empty", found.nullable), ("pii", _personal(model, name))) if on]
    return f"| `{name}` | {_type(field, found)} | {', '.join(marks)} | {_note(model, name, field)} |"


def _note(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    key = f"{model.__name__}.{name}"
    if key in NOTES:
        _used.add(key)
        return NOTES[key]
    if not field.description:
        raise ValueError(f"{key} says nothing; give it a description, or a line in NOTES")
    return field.description.replace("<", "&lt;")


def _refuse_leftovers() -> None:
    if left := sorted(NOTES.keys() - _used):
        raise ValueError(f"NOTES names what is no field: {', '.join(left)}")


def _personal(model: type[BaseModel], name: str) -> bool:
    return issubclass(model, Record) and name in model.personal_fields()


def _type(field: FieldInfo, found: Type) -> str:
    word = found.model.__name__ if found.model else _closed(field.annotation) or WORDS.get(found.kind, found.kind)
    return f"list of {word}" if found.many else word


def _closed(annotation: Any) -> str:
    """One of a closed list, or an id; empty for everything else."""
    for part in _parts(annotation):
        if get_origin(part) is Literal:
            return " \\| ".join(f"`{value}`" for value in get_args(part))
        if isinstance(part, type) and issubclass(part, Enum):
            return " \\| ".join(f"`{member.value}`" for member in part)
        if part is UUID:
            return "UUID"
    return ""


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _parts(part)


def _nested(models: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """Models that stand only inside others, by name."""
    found: dict[str, type[BaseModel]] = {}
    for model in models:
        for field in model.model_fields.values():
            inner = field_type(field).model
            if inner is not None and inner not in ROOTS.values():
                found[inner.__name__] = inner
    return [found[name] for name in sorted(found)]


if __name__ == "__main__":
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != text:
        print(f"stale: {PAGE.name}; run tools/roots_reference.py")
        sys.exit(1)
