"""What everybody may know of a project that was granted once: open data rests on it. Derived, never stored.

A title is written by a citizen, so it goes out only as it stands in public on its platform, and not at all where it
names an address or a number. What was told as granted and is no longer stays, and says so: nothing vanishes silently.
"""

from __future__ import annotations

import re
from datetime import date

from kiezbruecke.cases.join import ZERO, Standing
from kiezbruecke.cases.timeline import BOUND, status_of
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import StoredCase
from kiezbruecke.plaintext import one_line
from kiezbruecke.records import Decision, Outcome, Proposal, ProposalStatus
from kiezbruecke.records.views import PublicState, PublicView

_TAKEN_BACK = "bewilligt und später zurückgenommen"
_WITHDRAWN = "bewilligt und später zurückgezogen"
_ADDRESS = re.compile(r"\w\s?@\s?\w|@\w|[(\[{]\s?(?:at|ät)\s?[)\]}]", re.IGNORECASE)
_DAYS_AND_YEARS = re.compile(r"\b\d{1,2}\.\s?\d{1,2}\.(?:\s?\d{4}\b)?|\b(?:19|20)\d\d\b")
_NUMBER = re.compile(r"\d(?:[\s./()–-]{0,3}\d){6,}")  # seven digits: a telephone, an account


def public_of(standing: Standing) -> PublicView | None:
    """What everybody may know; None before a grant, and while something questions what stands."""
    decision = standing.decision
    if decision is None or standing.questioned or granted_first_on(standing) is None:
        return None
    key, state = _state(standing)
    proposal = standing.proposal
    return PublicView(
        title=public_title(standing),
        requested=proposal.requested_amount if proposal else None,
        granted=standing.amount,
        decided_on=decision.decided_on,
        key=key,
        state=state,
    )


def granted_first_on(standing: Standing) -> date | None:
    """The day of the first grant that holds, or that something has gone out about."""
    days = [
        line.decided_on
        for line in standing.case.decisions
        if line.outcome.grants
        and line.origin not in standing.dismissed
        and (line == standing.decision or was_told(standing.case, line))
    ]
    return min(days, default=None)


def was_told(case: StoredCase, line: Decision) -> bool:
    """Whether something has gone out that carries the sum which a line grants."""
    return bool(line.approved_amount) and any(
        message.amount_cents == cents(line.approved_amount or ZERO)
        for message in case.messages
        if not message.test and message.state is not MessageState.REFUSED
    )


def public_title(standing: Standing) -> str:
    """The title as its platform shows it to everybody; else only the reference number."""
    proposal = standing.proposal
    if proposal is not None and _stands_in_public(proposal) and not names_a_contact(proposal.title):
        return one_line(proposal.title)
    return f"Vorschlag {standing.case.reference}"


def names_a_contact(text: str) -> bool:
    """Whether a text may name an e-mail address, a telephone or an account; rather once too often."""
    return bool(_ADDRESS.search(text) or _NUMBER.search(_DAYS_AND_YEARS.sub(" ", text)))


def _stands_in_public(proposal: Proposal) -> bool:
    return proposal.status is not ProposalStatus.GONE


def _state(standing: Standing) -> tuple[PublicState, str]:
    if standing.amount == ZERO:
        assert standing.decision is not None
        if standing.decision.outcome is Outcome.WITHDRAWN:
            return PublicState.WITHDRAWN, _WITHDRAWN
        return PublicState.TAKEN_BACK, _TAKEN_BACK
    status = status_of(standing)
    return PublicState.COMMITTED if status.key in BOUND else PublicState.GRANTED, status.state
