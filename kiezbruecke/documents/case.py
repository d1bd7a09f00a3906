"""The documents that go with a case into the e-file: the proposal and the decision, in this order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from kiezbruecke.documents.sheets import (
    Setting,
    decision_title,
    german_date,
    proposal_day,
    proposal_title,
    values_of,
)
from kiezbruecke.documents.templates import Templates
from kiezbruecke.records import Decision, Proposal, name_id
from kiezbruecke.records.views import DocumentView
from kiezbruecke.standards import xdomea

PDF_VERSION: Final = "2a"  # of PDF/A, which is what the files are first of all


@dataclass(frozen=True)
class Document:
    """One document: what mappings read of it, and its bytes."""

    view: DocumentView
    content: bytes = field(repr=False)


def documents_for(
    case_id: UUID, proposal: Proposal | None, decision: Decision, setting: Setting, templates: Templates
) -> tuple[Document, ...]:
    """Proposal and decision as PDF; for a proposal from paper (no record) the decision's line speaks."""
    number = decision.reference_number
    values = values_of(proposal, decision, setting)
    first = templates.typeset(
        "vorschlag", {**values, "title": proposal_title(proposal, decision)}, proposal_day(proposal, decision)
    )
    second = templates.typeset("beschluss", {**values, "title": decision_title(decision)}, decision.decided_on)
    day = german_date(decision.decided_on)
    return (
        _document(case_id, 1, "proposal", f"Vorschlag {number}", f"Vorschlag-{number}", first),
        _document(case_id, 2, "decision", f"Beschluss vom {day} zu {number}", f"Beschluss-{number}", second),
    )


def _document(case_id: UUID, index: int, part: str, title: str, name: str, content: bytes) -> Document:
    """The object's id stays for ever; the file's own id (xdomea, Primaerdokument) changes with its bytes."""
    digest = hashlib.sha512(content).hexdigest()
    file_id = name_id("document-file", str(case_id), part, digest)
    view = DocumentView(
        id=name_id("document", str(case_id), part),
        index=index,
        title=title,
        file=xdomea.document_name(file_id, name),
        original=f"{xdomea.safe_name(name)}.pdf",
        media_type="application/pdf",
        pdf_version=PDF_VERSION,
        sha512=digest,
    )
    return Document(view, content)
