"""Named rules: what is due for a case at one destination. A platform status alone never moves money.

A rule answers with the next effect, or with None. What already happened is read from the case's messages, so a rule
can be asked again at any time: the same case gives the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.connector import Effect
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.claims import WITHDRAWN
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.states import UNSETTLED
from kiezbruecke.records import Commitment, CommitmentState, Outcome

RESEND = "neu_senden"
_FILE = frozenset({Effect.FILE_CREATE})
_MONEY = frozenset({Effect.COMMITMENT_BOOK, Effect.COMMITMENT_CHANGE, Effect.COMMITMENT_CANCEL})
_STATUS = frozenset({Effect.STATUS_LIST})


@dataclass(frozen=True)
class Lane:
    """One destination's view of a case: which messages are its own, from when on, and what people have answered."""

    destination: str
    generation: int
    name: str
    start_from: date
    test: bool = False
    resend: Collection[str] = ()  # keys of refused messages that a person wants sent anew
    blocked: Collection[str] = ()  # keys of messages whose answers contradict each other


@dataclass(frozen=True)
class Due:
    """The next effect for a case."""

    effect: Effect
    number: int
    letter: str  # of the Fremdkennzeichen: E file, F commitment, S status list
    basis: str
    amount: Decimal | None = None
    related_reference: str | None = None


@dataclass(frozen=True)
class FollowUp:
    """Something a person must do at the destination, because no message can."""

    text: str
    basis: str


Rule = Callable[[Standing, Lane], "Due | FollowUp | None"]


def due_rule(name: str) -> Rule:
    """A rule by its name in a route file; raises ConfigurationError."""
    return _known(name)[0]


def effect_of(name: str) -> Effect:
    """The effect that a rule begins with; raises ConfigurationError."""
    return _known(name)[1]


def _known(name: str) -> tuple[Rule, Effect]:
    if name not in RULES:
        raise ConfigurationError(f"no due rule is called '{name}'", where="due", expected=", ".join(sorted(RULES)))
    return RULES[name]


def file_creation(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """Accepted by decision, no file yet. A file that exists is not sent again: what changes later is a person's."""
    sent = _of(standing, lane, _FILE)
    basis = _digest(str(standing.grants), str(standing.amount))
    if live := [message for message in sent if message.state is not MessageState.REFUSED]:
        return _changed_after_filing(standing, live[-1], basis)
    due = Due(Effect.FILE_CREATE, _next_number(standing, lane, _FILE), "E", basis, standing.amount)
    if not _may_begin(standing, lane) or _is_refused(sent, due, lane):
        return None
    return due


def commitment(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """One Festlegung per accepted case; a corrected decision changes its total or cancels it."""
    sent = _of(standing, lane, _MONEY)
    if any(message.state in UNSETTLED or (lane.test and message.state is MessageState.CONFIRMED) for message in sent):
        return None  # and a test moves no money: nothing is booked that could change
    if any(str(message.key) in lane.blocked for message in sent):
        return None
    if sent and not lane.test and _granted_again(standing):
        return _by_hand(standing)
    due = _next_commitment(standing, lane, sent)
    return None if isinstance(due, Due) and _is_refused(sent, due, lane) else due


def status_changed(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """The line of the status list differs from the last one that was written."""
    sent = _of(standing, lane, _STATUS)
    status = status_of(standing)
    basis = _digest(standing.title, standing.area_name, status.state, str(status.amount), str(status.since))
    due = Due(Effect.STATUS_LIST, _next_number(standing, lane, _STATUS), "S", basis, status.amount)
    if sent and sent[-1].basis == basis and sent[-1].state is not MessageState.REFUSED:
        return None
    return None if _is_refused(sent, due, lane) else due


RULES: Mapping[str, tuple[Rule, Effect]] = {  # each with the effect it begins with
    "commitment": (commitment, Effect.COMMITMENT_BOOK),
    "file_creation": (file_creation, Effect.FILE_CREATE),
    "status_changed": (status_changed, Effect.STATUS_LIST),
}


def outdated(standing: Standing, lane: Lane) -> list[UUID]:
    """Messages that wait untouched although the decision they rest on does not hold any more."""
    if standing.decision is None or standing.disagreements:
        return []
    return [
        message.key
        for message in _of(standing, lane, _FILE | {Effect.COMMITMENT_BOOK})
        if message.state is MessageState.WAITING
        and message.batch_id is None
        and message.ticket is None
        and message.amount_cents != cents(standing.amount)
    ]


def _next_commitment(standing: Standing, lane: Lane, sent: list[MessageHead]) -> Due | FollowUp | None:
    booked, number = standing.case.commitment, _next_number(standing, lane, _MONEY)
    if booked is None or booked.state is CommitmentState.REFUSED or not sent:  # not sent: the destination was reset
        if not _may_begin(standing, lane):
            return None
        return _commitment(standing, Effect.COMMITMENT_BOOK, number, standing.amount, None)
    if booked.state is not CommitmentState.BOOKED or standing.disagreements or standing.decision is None:
        return None
    return _correction(standing, booked, number)


def _correction(standing: Standing, booked: Commitment, number: int) -> Due | FollowUp | None:
    """What a decision that was corrected after the booking asks for."""
    if not standing.grants:
        return _commitment(standing, Effect.COMMITMENT_CANCEL, number, booked.amount, booked.reference)
    if booked.area_id != standing.area_id:
        return _moved(standing)
    if standing.amount != booked.amount:
        return _commitment(standing, Effect.COMMITMENT_CHANGE, number, standing.amount, booked.reference)
    return None


def _granted_again(standing: Standing) -> bool:
    """A cancelled commitment is final: there is one booking per case, so only a person can bind the money anew."""
    booked = standing.case.commitment
    cancelled = booked is not None and booked.state is CommitmentState.CANCELLED
    return cancelled and standing.grants and not standing.disagreements


def _moved(standing: Standing) -> FollowUp:
    text = (
        f"{standing.case.reference}: Der Beschluss nennt jetzt eine andere Bezirksregion als die Festlegung; "
        "sie ist im HKR von Hand umzubuchen"
    )
    return FollowUp(text, _digest("moved", standing.area_id))


def _by_hand(standing: Standing) -> FollowUp:
    text = (
        f"{standing.case.reference}: Der Beschluss bewilligt wieder, die Festlegung ist aber schon aufgehoben; "
        "sie ist im HKR von Hand neu zu buchen"
    )
    return FollowUp(text, _digest("granted again", str(cents(standing.amount))))


def _commitment(standing: Standing, effect: Effect, number: int, amount: Decimal, related: str | None) -> Due:
    line = f"{standing.budget.chapter}/{standing.budget.title}" if standing.budget else ""
    basis = _digest(effect.value, str(cents(amount)), standing.area_id, line)
    return Due(effect, number, "F", basis, amount, related)


def _may_begin(standing: Standing, lane: Lane) -> bool:
    """A new effect needs a granting decision since the go-live line that nothing contradicts."""
    if standing.decision is None or not standing.grants or standing.disagreements:
        return False
    return standing.decision.decided_on >= lane.start_from and lane.name not in standing.case.baselines


def _changed_after_filing(standing: Standing, filed: MessageHead, basis: str) -> FollowUp | None:
    if filed.basis == basis or standing.decision is None or standing.disagreements:
        return None
    if standing.grants:
        what = "bewilligt jetzt einen anderen Betrag"
    else:
        what = (
            "gilt nicht mehr" if standing.decision.outcome is Outcome.WITHDRAWN else "ist jetzt nicht mehr angenommen"
        )
    text = f"{standing.case.reference}: Der Beschluss {what}; der Vorgang in der E-Akte ist von Hand zu berichtigen"
    return FollowUp(text, basis)


def _is_refused(sent: list[MessageHead], due: Due, lane: Lane) -> bool:
    """Just this was refused, and nobody has asked to send it anew. What was taken back here was refused by nobody."""
    if not sent or sent[-1].state is not MessageState.REFUSED or str(sent[-1].key) in lane.resend:
        return False
    if sent[-1].note == WITHDRAWN:
        return False
    return sent[-1].basis == due.basis


def _of(standing: Standing, lane: Lane, effects: Collection[Effect]) -> list[MessageHead]:
    """The lane's own messages about a case; those of a test are another story."""
    return [message for message in _there(standing, lane, effects) if message.test == lane.test]


def _next_number(standing: Standing, lane: Lane, effects: Collection[Effect]) -> int:
    """One more than the last; the numbers of tests are used up too, because a message's key does not say test."""
    return max((message.number for message in _there(standing, lane, effects)), default=0) + 1


def _there(standing: Standing, lane: Lane, effects: Collection[Effect]) -> list[MessageHead]:
    return sorted(
        (
            message
            for message in standing.case.messages
            if message.effect in effects
            and message.destination == lane.destination
            and message.generation == lane.generation
        ),
        key=lambda message: message.number,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
