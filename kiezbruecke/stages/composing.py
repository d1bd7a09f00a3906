"""Writes the bytes of a message: views for the mapping, documents, the mapping itself, packaging, validation.

Standing + Due ──▶ roots ──▶ (outbound mapping) ──▶ bytes ──▶ valid? ──▶ packed ──▶ Draft
"""

from __future__ import annotations

from collections.abc import Mapping as Roots
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.publishing import public_of
from kiezbruecke.cases.story import story_of
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.content.routes import SendingRoute
from kiezbruecke.content.texts import NO_TEXTS, Texts, texts_of
from kiezbruecke.documents import DEFAULT, Document, Setting, Templates, documents_for, find_templates
from kiezbruecke.effects import Due, effect
from kiezbruecke.effects.effect import DueCase, no_views_yet
from kiezbruecke.ledger.draft import Draft, Identity
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.mapping import Mapping
from kiezbruecke.mapping.lineage import Trace, seal
from kiezbruecke.records import Process, name_id
from kiezbruecke.records.base import CENT
from kiezbruecke.records.identity import fremdkennzeichen
from kiezbruecke.records.views import CaseView, MessageView, PayeeView
from kiezbruecke.standards import packers


@dataclass(frozen=True)
class Workshop:
    """What all messages of one run of a route have in common."""

    content: Path
    process: Process
    route: SendingRoute
    mapping: Mapping
    generation: int

    @cached_property
    def templates(self) -> Templates | None:
        """What documents are set with, where the mapping reads them; the route may name templates of its own."""
        if not self.mapping.uses("case.documents"):
            return None
        return find_templates(self.content, self.route.options.get("documents", DEFAULT))

    @cached_property
    def texts(self) -> Texts:
        """What people can be told, where the route's effect tells them something."""
        return texts_of(self.content, self.process.id) if effect(self.route.effect).tells else NO_TEXTS

    @property
    def digest(self) -> str:
        """Of all files that a message is written with."""
        return self.mapping.digest + (self.templates.digest if self.templates else "") + self.texts.digest


@dataclass(frozen=True)
class _Bytes:
    payload: bytes
    file_name: str
    media_type: str
    facts: Roots[str, Any]
    trace: Trace


@dataclass(frozen=True)
class LookedUp:
    """What the ledger was asked for a message beside its case; see `DueCase`."""

    last: bytes = b""
    payee: PayeeView | None = field(default=None, repr=False)


NOTHING = LookedUp()


def compose(
    workshop: Workshop, standing: Standing, due: Due, voucher: str, at: datetime, looked_up: LookedUp = NOTHING
) -> Draft:
    """The message for one due effect; raises RecordError if the case cannot become one."""
    identity = _identity(workshop, standing, due)
    message = _message_view(workshop, identity, due, _reference(workshop, standing, due), voucher, at)
    made = _bytes(workshop, standing, due, message, looked_up)
    return Draft(
        identity=identity,
        reference=message.reference,
        basis=due.basis,
        payload=made.payload,
        file_name=made.file_name,
        media_type=made.media_type,
        mapping=f"{workshop.mapping.name} v{workshop.mapping.version}",
        mapping_digest=workshop.mapping.digest,
        lineage=seal(made.trace, made.payload),
        owner=workshop.route.owner,
        created_at=at,
        voucher=voucher,
        related_reference=due.related_reference,
        amount_cents=cents(due.amount) if due.amount is not None else None,
        area=(workshop.process.id, workshop.process.fiscal_year, standing.area_id) if due.effect.hold else None,
        test=message.test,
        state=due.effect.first_state(workshop.route),
        order=due.order,
        facts=made.facts,
    )


def roots_of_due(workshop: Workshop, standing: Standing, due: Due, at: datetime, last: bytes = b"") -> dict[str, Any]:
    """What the mapping of a message could read that is not prepared yet; its Belegnummer is still 00000000."""
    voucher = "0" * 8 if due.effect.takes_voucher else ""
    identity, reference = _identity(workshop, standing, due), _reference(workshop, standing, due)
    return _given(workshop, standing, due, _message_view(workshop, identity, due, reference, voucher, at), last)


def roots_of_stored(workshop: Workshop, standing: Standing, head: MessageHead, last: bytes = b"") -> dict[str, Any]:
    """What a stored message's mapping could read: the message as it was, the case as it stands now.

    Records may have been corrected since; then these roots are not the ones that the message was written from.
    """
    identity = Identity(head.destination, head.generation, head.case_id, head.effect, head.number)
    amount = None if head.amount_cents is None else head.amount_cents * CENT
    due = Due(effect(head.effect), head.number, head.basis, amount, head.related_reference)
    message = _message_view(workshop, identity, due, head.reference, head.voucher, head.created_at)
    return _given(workshop, standing, due, message.model_copy(update={"test": head.test}), last)


def _identity(workshop: Workshop, standing: Standing, due: Due) -> Identity:
    route = workshop.route
    return Identity(route.destination, workshop.generation, standing.case.id, due.effect.name, due.number)


def _reference(workshop: Workshop, standing: Standing, due: Due) -> str:
    return fremdkennzeichen(workshop.process, standing.area_id, standing.case.reference, due.effect.letter, due.number)


def _given(workshop: Workshop, standing: Standing, due: Due, message: MessageView, last: bytes) -> dict[str, Any]:
    of = DueCase(workshop.process, standing, due, message, workshop.texts, last)
    return _roots(workshop, of, _documents(workshop, standing, message))


def _bytes(workshop: Workshop, standing: Standing, due: Due, message: MessageView, looked_up: LookedUp) -> _Bytes:
    documents = _documents(workshop, standing, message)
    of = DueCase(workshop.process, standing, due, message, workshop.texts, looked_up.last, looked_up.payee)
    payload, trace = workshop.mapping.write_traced(_roots(workshop, of, documents))
    if packer := packers.PACKERS.get(_standard(workshop.mapping)[0]):
        made = packer.pack(message, payload, [(document.view.file, document.content) for document in documents])
        return _Bytes(made.payload, made.file_name, made.media_type, made.facts, trace)
    goal = workshop.mapping.goal
    return _Bytes(payload, f"{message.reference}.{goal.suffix}", goal.media_type, {}, trace)


def _standard(mapping: Mapping) -> tuple[str, str]:
    """Name and version of the standard that a mapping writes; empty for tables and records."""
    match mapping.target.split():
        case [standard, version, _]:
            return standard, version
        case _:
            return "", ""


def _documents(workshop: Workshop, standing: Standing, message: MessageView) -> tuple[Document, ...]:
    if standing.decision is None or workshop.templates is None:
        return ()
    process = workshop.process
    setting = Setting(standing.area_name, process.name, process.organisation, message.reference)
    return documents_for(standing.case.id, standing.proposal, standing.decision, setting, workshop.templates)


def _roots(workshop: Workshop, of: DueCase, documents: tuple[Document, ...]) -> dict[str, Any]:
    """What outbound mappings may read; see docs/reference/roots.md."""
    standing = of.standing
    return {
        "applicant": standing.case.applicant,
        "area": next((area for area in workshop.process.areas if area.id == standing.area_id), None),
        "budget": standing.budget,
        "case": _case_view(standing, documents),
        "decision": standing.decision,
        "message": of.message,
        "process": workshop.process,
        "proposal": standing.proposal,
        "public": public_of(standing),
        "route": workshop.route.options,
        "status": status_of(standing),
        **no_views_yet(),
        **of.due.effect.views(of),
    }


def _message_view(
    workshop: Workshop, identity: Identity, due: Due, reference: str, voucher: str, at: datetime
) -> MessageView:
    return MessageView(
        id=identity.key,
        process_id=name_id("xdomea-process", str(identity.case_id)),
        created_at=at,
        effect=due.effect.name,
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
        story=story_of(standing),
    )
