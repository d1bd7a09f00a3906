"""What people see as one line, derived from the case's records and messages; nothing here is stored."""

from __future__ import annotations

from datetime import date

from kiezbruecke.cases.grants import is_proven, payment_of
from kiezbruecke.cases.join import Standing
from kiezbruecke.records import CommitmentState, OrderState, ProposalStatus
from kiezbruecke.records.views import CaseState, StatusView

_WORDS = {
    CaseState.SUBMITTED: "eingereicht",
    CaseState.UNDER_REVIEW: "in Prüfung",
    CaseState.SHORTLISTED: "für die Versammlung vorgesehen",
    CaseState.GONE: "auf der Plattform nicht mehr vorhanden",
    CaseState.UNDECIDED: "noch nicht beschlossen",
    CaseState.QUESTIONED: "beraten, wird geklärt",
    CaseState.REJECTED: "abgelehnt",
    CaseState.NOT_ELIGIBLE: "nicht förderfähig",
    CaseState.WAITING_LIST: "auf der Warteliste",
    CaseState.FORWARDED: "an eine andere Stelle weitergeleitet",
    CaseState.DEFERRED: "vertagt",
    CaseState.WITHDRAWN: "zurückgezogen",
    CaseState.GRANTED: "beschlossen, wird bearbeitet",
    CaseState.COMMITTED: "bewilligt, die Mittel sind vorgemerkt",
    CaseState.IN_PAYMENT: "bewilligt, die Auszahlung ist angeordnet",
    CaseState.PAID: "bewilligt und ausgezahlt",
    CaseState.SETTLED: "abgerechnet",
}
BOUND = frozenset({CaseState.COMMITTED, CaseState.IN_PAYMENT, CaseState.PAID, CaseState.SETTLED})
GRANTING = BOUND | {CaseState.GRANTED}
_ON_THE_PLATFORM = {
    ProposalStatus.SUBMITTED: CaseState.SUBMITTED,
    ProposalStatus.UNDER_REVIEW: CaseState.UNDER_REVIEW,
    ProposalStatus.SHORTLISTED: CaseState.SHORTLISTED,
    ProposalStatus.GONE: CaseState.GONE,
}


def status_of(standing: Standing) -> StatusView:
    """A case in plain German for those who asked: state, approved sum, since when."""
    state = state_of(standing)
    amount = standing.amount if state in GRANTING else None
    return StatusView(key=state, state=_WORDS[state], amount=amount, since=_since(standing))


def state_of(standing: Standing) -> CaseState:
    """Where a case stands. What nobody has decided by sheet is never granted, whatever its platform says."""
    decision = standing.decision
    if decision is None:
        return _undecided(standing)
    if standing.questioned:
        return CaseState.QUESTIONED
    if not standing.grants:
        return CaseState(decision.outcome.value)
    return _of_the_money(standing)


def _of_the_money(standing: Standing) -> CaseState:
    """Voted, bound, in payment, paid, settled: what an order says goes before what is bound."""
    paid = payment_of(standing)
    if paid is None:
        return CaseState.COMMITTED if booked(standing) else CaseState.GRANTED
    if paid.state is not OrderState.PAID:
        return CaseState.IN_PAYMENT
    return CaseState.SETTLED if is_proven(standing) else CaseState.PAID


def booked(standing: Standing) -> bool:
    """Whether the budget system holds exactly the approved sum, in the area of the decision."""
    commitment = standing.case.commitment
    if commitment is None or commitment.state is not CommitmentState.BOOKED:
        return False
    return (commitment.amount, commitment.area_id) == (standing.amount, standing.area_id)


def _undecided(standing: Standing) -> CaseState:
    if standing.disagreements:
        return CaseState.QUESTIONED
    proposal = standing.proposal
    if proposal is None:
        return CaseState.SUBMITTED
    return _ON_THE_PLATFORM.get(proposal.status, CaseState.UNDECIDED)


def _since(standing: Standing) -> date | None:
    if standing.decision is not None:
        return standing.decision.decided_on
    proposal = standing.proposal
    if proposal is None or standing.disagreements:
        return None
    known = proposal.modified_at or proposal.created_at
    return known.date() if known else None
