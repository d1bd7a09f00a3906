"""The papers that people sign, of one case: a Bescheid or an Anordnung as a draft, of what the ledger knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiezbruecke import clock
from kiezbruecke.attention import read_standing
from kiezbruecke.cases.grants import grant_of, payment_of
from kiezbruecke.cases.join import Standing
from kiezbruecke.content.processes import read_process
from kiezbruecke.documents import (
    NOTICE,
    ORDER,
    GrantedProject,
    PaymentOrder,
    Setting,
    find_templates,
    values_of_notice,
    values_of_order,
)
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.reading import StoredOrder, find_case
from kiezbruecke.records import Application, OrderState

PAPERS: Mapping[str, str] = {NOTICE: "Zuwendungsbescheid", ORDER: "Auszahlungsanordnung"}
_STATES: Mapping[OrderState, str] = {
    OrderState.ORDERED: "vorbereitet, nicht gesendet",
    OrderState.SENT: "gesendet",
    OrderState.IN_DOUBT: "gesendet; ungewiss, ob sie ankam",
    OrderState.BOOKED: "gebucht",
    OrderState.PAID: "ausgezahlt",
}


@dataclass(frozen=True)
class PrintedPaper:
    """A draft: its file's name and its bytes, PDF/A-2a and PDF/UA-1."""

    file_name: str
    content: bytes


def draft_paper(house: House, wanted: str, kind: str, templates: str) -> PrintedPaper:
    """The draft of one case, by reference number, Fremdkennzeichen or id; `templates` names a folder of documents.

    Raises InputError (German) where the case has not what the paper is about.
    """
    if kind not in PAPERS:
        raise InputError("Dieses Schriftstück gibt es nicht", where=kind, expected=", ".join(PAPERS))
    standing = _standing(house, wanted)
    grant, process = _grant(standing), standing.process
    found = find_templates(house.content, templates)
    commitment = standing.case.commitment.reference if standing.case.commitment else ""
    if kind == NOTICE:
        setting = Setting(standing.area_name, process.name, process.organisation, commitment)
        day = grant.application.notice_on or clock.today()
        content = found.typeset(NOTICE, values_of_notice(grant, setting), day)
    else:
        order = _order(standing)
        setting = Setting(standing.area_name, process.name, process.organisation, order.reference)
        values = values_of_order(grant, _as_written(standing, order, commitment), setting)
        content = found.typeset(ORDER, values, clock.today())
    return PrintedPaper(f"Entwurf-{PAPERS[kind]}-{standing.case.reference}-{standing.area_id}.pdf", content)


def _standing(house: House, wanted: str) -> Standing:
    found = find_case(house.ledger, wanted)
    if len(found) != 1:
        what = "Diesen Fall gibt es nicht" if not found else "Diese Nummer haben mehrere Fälle"
        raise InputError(what, where=wanted, helps="ein Fremdkennzeichen des Falls nennen; kiezbruecke case find sucht")
    (case,) = found
    return read_standing(house.ledger, read_process(house.content, case.process_id), case)


def _grant(standing: Standing) -> GrantedProject:
    """What both papers rest on: a vote that grants, a line of an application sheet, a process that pays."""
    process, reference = standing.process, standing.case.reference
    grant = grant_of(standing, clock.today())
    if grant is None or standing.decision is None or not standing.grants:
        raise InputError("Für diesen Fall ist nichts bewilligt", where=reference)
    if grant.application is None:
        raise InputError(
            "Zu diesem Fall gibt es noch keinen Antrag", where=reference, helps="er steht in der Antragsliste"
        )
    if process.payments is None:
        raise InputError("Dieses Verfahren zahlt nichts aus", where=process.id, helps="payments: in seiner Datei")
    if grant.problems:
        raise InputError(f"Erst ist etwas zu klären: {'; '.join(grant.problems)}", where=reference)
    return GrantedProject(
        proposal=standing.proposal,
        decision=standing.decision,
        application=_named(standing, grant.application),
        amount=standing.amount,
        fiscal_year=process.fiscal_year,
        budget_line=standing.budget_line,
        legal_basis=process.legal_basis,
        payments=process.payments,
    )


def _named(standing: Standing, application: Application) -> Application:
    """Who applied: as the sheet says, else as the platform does."""
    applicant = standing.case.applicant
    if application.applicant_name or applicant is None:
        return application
    return application.model_copy(update={"applicant_name": applicant.legal_name or applicant.display_name})


def _order(standing: Standing) -> StoredOrder:
    order = payment_of(standing)
    if order is None:
        raise InputError(
            "Für diesen Fall gibt es keine Auszahlung, die gilt",
            where=standing.case.reference,
            helps="sie wird vorbereitet, sobald der Bescheid bestandskräftig und die Festlegung gebucht ist",
        )
    return order


def _as_written(standing: Standing, order: StoredOrder, commitment: str) -> PaymentOrder:
    voucher = next((one.voucher for one in standing.case.messages if one.key == order.key), "")
    return PaymentOrder(
        amount=order.amount,
        due_on=order.due_on,
        voucher=voucher,
        commitment=commitment,
        purpose=f"{standing.process.label} {order.reference}",
        state=_STATES[order.state],
    )
