"""`file.create`: an accepted case gets its Vorgang in the e-file, once. What changes later is a person's."""

from __future__ import annotations

from kiezbruecke.cases.join import Standing
from kiezbruecke.effects.effect import Due, Effect, FollowUp
from kiezbruecke.effects.lane import Lane
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.records import Outcome
from kiezbruecke.records.views import StoryKind


def file_creation(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """Accepted by decision, no file yet. A file that exists is not sent again."""
    sent = lane.sent(standing)
    basis = FILE_CREATE.basis_of(standing)
    if live := [message for message in sent if message.state is not MessageState.REFUSED]:
        return _changed_after_filing(standing, live[-1], basis)
    if not lane.may_begin(standing) or lane.is_refused(sent, basis):
        return None
    return Due(FILE_CREATE, lane.next_number(standing), basis, standing.amount)


def sum_differs(standing: Standing, message: MessageHead, _lane: Lane) -> bool:
    """Whether the sum that a message carries is not the decision's any more, as far as that is sound."""
    return not standing.shaken and message.amount_cents != cents(standing.amount)


def _changed_after_filing(standing: Standing, filed: MessageHead, basis: str) -> FollowUp | None:
    if filed.basis == basis or standing.decision is None or standing.shaken:
        return None
    if standing.grants:
        what = "bewilligt jetzt einen anderen Betrag"
    else:
        what = (
            "gilt nicht mehr" if standing.decision.outcome is Outcome.WITHDRAWN else "ist jetzt nicht mehr angenommen"
        )
    text = f"{standing.case.reference}: Der Beschluss {what}; der Vorgang in der E-Akte ist von Hand zu berichtigen"
    return FollowUp(text, basis)


FILE_CREATE = Effect(
    name="file.create",
    letter="E",
    title="Vorgang anlegen",
    place="in die E-Akte",
    partner="Die E-Akte",
    happened=(StoryKind.FILED, "Der Vorgang liegt in der elektronischen Akte."),
    basis=("standing.grants", "standing.amount"),
    rule="file_creation",
    due=file_creation,
    once=True,
    outdated=sum_differs,
)
EFFECTS = (FILE_CREATE,)
