"""What people see as one line, derived from the case's records and messages; nothing here is stored."""

from __future__ import annotations

from kiezbruecke.cases.join import Standing
from kiezbruecke.records import CommitmentState, Outcome, ProposalStatus
from kiezbruecke.records.views import StatusView

_WITHOUT_DECISION = {
    ProposalStatus.SUBMITTED: "eingereicht",
    ProposalStatus.UNDER_REVIEW: "in Prüfung",
    ProposalStatus.SHORTLISTED: "für die Versammlung vorgesehen",
    ProposalStatus.GONE: "auf der Plattform nicht mehr vorhanden",
}
_DECIDED = {
    Outcome.REJECTED: "abgelehnt",
    Outcome.NOT_ELIGIBLE: "nicht förderfähig",
    Outcome.WAITING_LIST: "auf der Warteliste",
    Outcome.FORWARDED: "an eine andere Stelle weitergeleitet",
    Outcome.DEFERRED: "vertagt",
    Outcome.WITHDRAWN: "zurückgezogen",
}


def status_of(standing: Standing) -> StatusView:
    """A case in plain German for those who asked: state, approved sum, since when."""
    decision = standing.decision
    if decision is None:
        return _undecided(standing)
    if standing.questioned:
        return StatusView(state="beraten, wird geklärt", since=decision.decided_on)
    if not standing.grants:
        return StatusView(state=_DECIDED[decision.outcome], since=decision.decided_on)
    return StatusView(state=_granted(standing), amount=standing.amount, since=decision.decided_on)


def booked(standing: Standing) -> bool:
    """Whether the budget system holds exactly the approved sum."""
    commitment = standing.case.commitment
    return (
        commitment is not None and commitment.state is CommitmentState.BOOKED and commitment.amount == standing.amount
    )


def _undecided(standing: Standing) -> StatusView:
    if standing.disagreements:
        return StatusView(state="beraten, wird geklärt")
    proposal = standing.proposal
    if proposal is None:
        return StatusView(state="eingereicht")
    since = (proposal.modified_at or proposal.created_at).date()
    return StatusView(state=_WITHOUT_DECISION.get(proposal.status, "noch nicht beschlossen"), since=since)


def _granted(standing: Standing) -> str:
    if booked(standing):
        return "bewilligt, die Mittel sind vorgemerkt"
    return "beschlossen, wird bearbeitet"
