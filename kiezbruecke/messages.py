"""Writes the bytes of a message: views for the mapping, documents, the mapping itself, packaging, validation.

Standing + Due ──▶ roots ──▶ (outbound mapping) ──▶ bytes ──▶ valid? ──▶ packed ──▶ Draft
"""

from __future__ import annotations

from collections.abc import Mapping as Roots
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiezbruecke.cases.due import Due
from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.documents import Document, documents_for
from kiezbruecke.ledger.drafts import Draft, Identity
from kiezbruecke.ledger.money import cents
from kiezbruecke.mapping import Mapping
from kiezbruecke.records import Commitment, CommitmentState, Process, name_id
from kiezbruecke.records.identity import fremdkennzeichen
from kiezbruecke.records.views import CaseView, MessageView
from kiezbruecke.routes import SendingRoute
from kiezbruecke.standards import store, xdomea


@dataclass(frozen=True)
class Workshop:
    """What all messages of one run of a route have in common."""

    content: Path
    process: Process
    route: SendingRoute
    mapping: Mapping
    generation: int


@dataclass(frozen=True)
class _Bytes:
    payload: bytes
    file_name: str
    media_type: str
    facts: Roots[str, Any]


def compose(workshop: Workshop, standing: Standing, due: Due, voucher: str, at: datetime) -> Draft:
    """The message for one due effect; raises RecordError if the case cannot become one."""
    identity = Identity(workshop.route.destination, workshop.generation, standing.case.id, due.effect, due.number)
    reference = fremdkennzeichen(
        workshop.process.reference_prefix, standing.area_id, standing.case.reference, due.letter, due.number
    )
    message = _message_view(workshop, identity, due, reference, voucher, at)
    made = _bytes(workshop, standing, due, message)
    money = due.letter == "F"
    return Draft(
        identity=identity,
        reference=reference,
        basis=due.basis,
        payload=made.payload,
        file_name=made.file_name,
        media_type=made.media_type,
        mapping=f"{workshop.mapping.name} v{workshop.mapping.version}",
        mapping_digest=workshop.mapping.digest,
        owner=workshop.route.owner,
        created_at=at,
        voucher=voucher,
        related_reference=due.related_reference,
        amount_cents=cents(due.amount) if due.amount is not None else None,
        area=(workshop.process.id, workshop.process.fiscal_year, standing.area_id) if money else None,
        test=message.test,
        facts=made.facts,
    )


def _bytes(workshop: Workshop, standing: Standing, due: Due, message: MessageView) -> _Bytes:
    standard, version = _standard(workshop.mapping)
    documents = _documents(workshop, standing) if standard == "xdomea" else ()
    payload = workshop.mapping.write(_roots(workshop, standing, due, message, documents))
    if standard:
        store.validate(workshop.content, standard, version, payload)
    if standard == "xdomea":
        return _xdomea(message, payload, documents)
    media_type = "application/xml" if standard else "text/csv"
    suffix = "xml" if standard else "csv"
    return _Bytes(payload, f"{message.reference}.{suffix}", media_type, {})


def _xdomea(message: MessageView, payload: bytes, documents: tuple[Document, ...]) -> _Bytes:
    """xdomea travels as a ZIP of the message and its primary documents (specification, file names)."""
    code = xdomea.message_type(payload)
    files = [(document.view.file, document.content) for document in documents]
    packed = xdomea.package(xdomea.message_name(message.process_id, code, 1, "xml"), payload, files)
    facts = {"message_type": {"code": code}, "process_id": str(message.process_id)}
    return _Bytes(packed, xdomea.message_name(message.process_id, code, 1, "zip"), "application/zip", facts)


def _standard(mapping: Mapping) -> tuple[str, str]:
    """Name and version of the standard that a mapping writes; empty for tables and records."""
    match mapping.target.split():
        case [standard, version, _]:
            return standard, version
        case _:
            return "", ""


def _documents(workshop: Workshop, standing: Standing) -> tuple[Document, ...]:
    assert standing.decision is not None
    return documents_for(
        standing.case.id,
        standing.proposal,
        standing.decision,
        area_name=standing.area_name,
        process_name=workshop.process.name,
    )


def _roots(
    workshop: Workshop, standing: Standing, due: Due, message: MessageView, documents: tuple[Document, ...]
) -> dict[str, Any]:
    """What outbound mappings may read; see docs/reference/roots.md."""
    return {
        "applicant": standing.case.applicant,
        "area": next((area for area in workshop.process.areas if area.id == standing.area_id), None),
        "budget": standing.budget,
        "case": _case_view(standing, documents),
        "commitment": _commitment(workshop, standing, due, message),
        "decision": standing.decision,
        "message": message,
        "process": workshop.process,
        "proposal": standing.proposal,
        "route": workshop.route.options,
        "status": status_of(standing),
    }


def _message_view(
    workshop: Workshop, identity: Identity, due: Due, reference: str, voucher: str, at: datetime
) -> MessageView:
    return MessageView(
        id=identity.key,
        process_id=name_id("xdomea-process", str(identity.case_id)),
        created_at=at,
        effect=due.effect.value,
        number=due.number,
        reference=reference,
        related_reference=due.related_reference,
        voucher=voucher,
        test=workshop.route.environment == "test",
    )


def _case_view(standing: Standing, documents: tuple[Document, ...]) -> CaseView:
    return CaseView(
        id=standing.case.id,
        process_id=standing.case.process_id,
        area_id=standing.area_id,
        area_name=standing.area_name,
        reference=standing.case.reference,
        title=standing.title,
        documents=tuple(document.view for document in documents),
    )


def _commitment(workshop: Workshop, standing: Standing, due: Due, message: MessageView) -> Commitment | None:
    if due.amount is None:
        return None
    return Commitment(
        case_id=standing.case.id,
        process_id=workshop.process.id,
        area_id=standing.area_id,
        fiscal_year=workshop.process.fiscal_year,
        amount=due.amount,
        state=CommitmentState.REQUESTED,
        reference=message.reference,
        voucher=message.voucher,
    )
