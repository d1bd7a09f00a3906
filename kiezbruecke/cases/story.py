"""What happened to a proposal, from the idea to the money, in plain German for everyone. Derived, never stored.

    proposal ──handed in──▶ lines of decision sheets ──decided, corrected──▶ confirmed messages ──filed, bound, answered

No names, no inner words, nothing that nobody may be told yet. What a confirmed message is to everyone says its effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from kiezbruecke.cases.grants import is_proven, line_that_counts, payment_of
from kiezbruecke.cases.join import Standing, decision_that_counts
from kiezbruecke.cases.publishing import was_told
from kiezbruecke.german import BERLIN, euros
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.effects import booked
from kiezbruecke.records import BudgetStatus, Decision, OrderState, Outcome, ProposalStatus
from kiezbruecke.records.base import CENT
from kiezbruecke.records.views import StoryEvent, StoryKind

_OUTCOMES = {
    Outcome.ACCEPTED: "Die Versammlung hat {amount} bewilligt.",
    Outcome.ACCEPTED_REDUCED: "Die Versammlung hat {amount} bewilligt, weniger als beantragt.",
    Outcome.REJECTED: "Die Versammlung hat den Vorschlag abgelehnt.",
    Outcome.NOT_ELIGIBLE: "Der Vorschlag kann aus diesem Geld nicht gefördert werden.",
    Outcome.WAITING_LIST: "Die Versammlung hat den Vorschlag auf die Warteliste gesetzt.",
    Outcome.FORWARDED: "Der Vorschlag wurde an eine andere Stelle weitergeleitet.",
    Outcome.DEFERRED: "Die Versammlung hat die Entscheidung vertagt.",
    Outcome.WITHDRAWN: "Der Vorschlag wurde zurückgezogen.",
}


def story_of(standing: Standing) -> tuple[StoryEvent, ...]:
    """The events by day; what has no day stands at the end, but for how it began."""
    rest = [*_of_the_decision(standing), *_of_the_money(standing), *_of_messages(standing), *_of_the_grant(standing)]
    answered = any(event.kind is StoryKind.ANSWERED for event in rest)
    if not answered:  # else what stands on the platform is the answer
        rest += _of_the_platform(standing)
    rest += _as_it_stands(standing)
    return (*_begun(standing), *sorted(rest, key=lambda event: event.day or date.max))


def _begun(standing: Standing) -> Iterator[StoryEvent]:
    proposal = standing.proposal
    if proposal is not None:
        asked = f"; beantragt sind {euros(proposal.requested_amount)}" if proposal.requested_amount else ""
        text = f"Der Vorschlag wurde eingereicht{asked}."
        yield StoryEvent(day=_day(proposal.created_at), kind=StoryKind.HANDED_IN, text=text)
    elif standing.decision is not None and not standing.questioned:
        text = "Der Vorschlag wurde auf Papier oder in der Versammlung eingereicht."
        yield StoryEvent(day=None, kind=StoryKind.HANDED_IN, text=text)


def _of_the_platform(standing: Standing) -> Iterator[StoryEvent]:
    """What the administration has said there. The platform tells no day for it: that of the last change stands here."""
    proposal = standing.proposal
    if proposal is not None and proposal.feedback_text:
        text = "Die Verwaltung hat auf der Plattform Stellung genommen."
        yield StoryEvent(day=_day(proposal.modified_at), kind=StoryKind.STATEMENT, text=text)


def _of_the_decision(standing: Standing) -> Iterator[StoryEvent]:
    for number, line in enumerate(_lines_that_counted(standing)):
        text = _OUTCOMES[line.outcome].format(amount=euros(line.approved_amount))
        if number and line.correction:
            day = _day(standing.case.heard.get(line.origin)) or line.decided_on
            text = f"Der Beschluss wurde berichtigt. Jetzt gilt: {text}"
            yield StoryEvent(day=day, kind=StoryKind.CORRECTED, text=text)
        else:
            yield StoryEvent(day=line.decided_on, kind=StoryKind.DECIDED, text=text)


def _lines_that_counted(standing: Standing) -> list[Decision]:
    """The lines that counted one after the other, up to the one that does now; without what nobody may be told."""
    case, found = standing.case, list[Decision]()
    lines = tuple(line for line in case.decisions if line.origin not in standing.dismissed)
    for number in range(1, len(lines) + 1):
        counting, _ = decision_that_counts(replace(case, decisions=lines[:number]))
        if counting is not None and counting not in found[-1:]:
            found.append(counting)
    if standing.questioned or standing.decision is None:
        return [line for line in found if line.outcome.grants and was_told(case, line)]
    if standing.decision not in found:
        return [standing.decision]
    return found[: len(found) - found[::-1].index(standing.decision)]


def _of_the_money(standing: Standing) -> Iterator[StoryEvent]:
    """A budget that may not be used holds back what is not bound yet."""
    budget, bound = standing.budget, standing.case.commitment
    if budget is not None and budget.status is BudgetStatus.BLOCKED and standing.grants and bound is None:
        text = "Das Geld der Bezirksregion ist zurzeit gesperrt."
        yield StoryEvent(day=budget.valid_from, kind=StoryKind.BLOCKED, text=text)


def _of_the_grant(standing: Standing) -> Iterator[StoryEvent]:
    """The Bescheid, the payment, the proof: of a grant that stands."""
    application, _ = line_that_counts(standing.case.applications)
    settlement, _ = line_that_counts(standing.case.settlements)
    if standing.grants and application is not None and application.notice_on is not None:
        yield StoryEvent(day=application.notice_on, kind=StoryKind.NOTIFIED, text="Der Bescheid ist erteilt.")
    paid = payment_of(standing)
    if paid is None or paid.state is not OrderState.PAID:
        return
    yield StoryEvent(day=paid.moved_on, kind=StoryKind.PAID, text=f"{euros(paid.amount)} wurden ausgezahlt.")
    if settlement is not None and is_proven(standing):
        text = "Die Verwendung des Geldes ist nachgewiesen."
        yield StoryEvent(day=settlement.proven_on, kind=StoryKind.PROVEN, text=text)


def _of_messages(standing: Standing) -> Iterator[StoryEvent]:
    for message in standing.case.messages:
        happened = booked(message.effect).happened
        if happened is None or message.test or message.state is not MessageState.CONFIRMED:
            continue
        kind, text = happened
        amount = euros(None if message.amount_cents is None else message.amount_cents * CENT)
        yield StoryEvent(day=_day(message.updated_at), kind=kind, text=text.format(amount=amount))


def _as_it_stands(standing: Standing) -> Iterator[StoryEvent]:
    proposal = standing.proposal
    if standing.questioned:
        text = "Zum Beschluss ist noch etwas zu klären."
        yield StoryEvent(day=None, kind=StoryKind.QUESTIONED, text=text)
    if proposal is not None and proposal.status is ProposalStatus.GONE:
        text = "Der Vorschlag steht nicht mehr auf der Plattform."
        yield StoryEvent(day=None, kind=StoryKind.GONE, text=text)


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(BERLIN).date() if moment else None
