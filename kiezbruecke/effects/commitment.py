"""`commitment.*`: an accepted case binds money of its area in the budget system; one commitment, it carries the total.

asked     book ─▶ held: the sum    change ─▶ held: the larger of old and new    cancel ─▶ stays held
confirmed booked = held            the new total                                only their AUFGEHOBEN frees it
refused   nothing is held          the old total                                the old total
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from kiezbruecke.cases.grants import grant_of, payment_of
from kiezbruecke.cases.join import Standing
from kiezbruecke.effects.effect import Due, DueCase, Effect, FollowUp, digest, never
from kiezbruecke.effects.file_create import sum_differs
from kiezbruecke.effects.lane import Lane
from kiezbruecke.ledger import MessageState, money
from kiezbruecke.ledger.money import CommitmentOrder, cents
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.states import UNSETTLED
from kiezbruecke.records import Commitment, CommitmentState, GrantState
from kiezbruecke.records.views import StoryKind


def commitment(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """One Festlegung per accepted case; a corrected decision changes its total or cancels it."""
    sent = lane.sent(standing)
    if any(message.state in UNSETTLED or (lane.test and message.state is MessageState.CONFIRMED) for message in sent):
        return None  # and a test moves no money: nothing is booked that could change
    if any(str(message.key) in lane.blocked for message in sent):
        return None
    if sent and not lane.test and _granted_again(standing):
        return _by_hand(standing)
    due = _next(standing, lane, sent)
    return None if isinstance(due, Due) and lane.is_refused(sent, due.basis) else due


def _next(standing: Standing, lane: Lane, sent: list[MessageHead]) -> Due | FollowUp | None:
    booked, number = standing.case.commitment, lane.next_number(standing)
    if booked is None or booked.state is CommitmentState.REFUSED or not sent:  # not sent: the destination was reset
        may_begin = lane.may_begin(standing) and _is_time(standing, lane)
        return _due(BOOK, standing, number, standing.amount) if may_begin else None
    if booked.state is not CommitmentState.BOOKED or standing.shaken:
        return None
    answer = _correction(standing, booked, number)
    return answer if isinstance(answer, FollowUp) or not standing.disagreements else None


def _is_time(standing: Standing, lane: Lane) -> bool:
    """Whether the process binds money when it is voted, or only when the grant is final (`commit_at`)."""
    if standing.process.commit_at == "voted":
        return True
    grant = grant_of(standing, lane.today)
    return grant is not None and grant.state is GrantState.FINAL and not grant.problems


def _correction(standing: Standing, booked: Commitment, number: int) -> Due | FollowUp | None:
    """What a decision that was corrected after the booking asks for; an order that rests on it goes first."""
    if payment_of(standing) is not None:
        return None
    if not standing.grants:
        return _due(CANCEL, standing, number, booked.amount, booked.reference)
    if booked.area_id != standing.area_id:
        return _moved(standing)
    if standing.amount != booked.amount:
        return _due(CHANGE, standing, number, standing.amount, booked.reference)
    return None


def _due(effect: Effect, standing: Standing, number: int, amount: Decimal, related: str | None = None) -> Due:
    return Due(effect, number, effect.basis_of(standing, amount), amount, related)


def _granted_again(standing: Standing) -> bool:
    """A cancelled commitment is final: there is one booking per case, so only a person can bind the money anew."""
    booked = standing.case.commitment
    cancelled = booked is not None and booked.state is CommitmentState.CANCELLED
    return cancelled and standing.grants and not standing.shaken


def _moved(standing: Standing) -> FollowUp:
    text = (
        f"{standing.case.reference}: Der Beschluss nennt jetzt eine andere Bezirksregion als die Festlegung; "
        "sie ist im HKR von Hand umzubuchen"
    )
    return FollowUp(text, digest("moved", standing.area_id))


def _by_hand(standing: Standing) -> FollowUp:
    text = (
        f"{standing.case.reference}: Der Beschluss bewilligt wieder, die Festlegung ist aber schon aufgehoben; "
        "sie ist im HKR von Hand neu zu buchen"
    )
    return FollowUp(text, digest("granted again", str(cents(standing.amount))))


def _views(of: DueCase) -> Mapping[str, Commitment]:
    """The commitment that this message is about."""
    standing, due = of.standing, of.due
    assert due.amount is not None
    return {
        "commitment": Commitment(
            case_id=standing.case.id,
            process_id=of.process.id,
            area_id=standing.area_id,
            fiscal_year=of.process.fiscal_year,
            amount=due.amount,
            state=CommitmentState.REQUESTED,
            reference=of.message.reference,
            voucher=of.message.voucher,
            purpose=f"{of.process.label} {of.message.reference}",
            grounds=f"{of.process.label} {standing.area_name}",
        )
    }


def _effect(
    name: str, title: str, order: CommitmentOrder, happened: tuple[StoryKind, str], will: str, *, begins: bool = False
) -> Effect:
    return Effect(
        name=name,
        letter="F",
        title=title,
        place="ins HKR",
        partner="Das HKR",
        will=will,
        happened=happened,
        basis=("effect.name", "cents", "standing.area_id", "standing.budget_line"),
        rule="commitment" if begins else "",
        due=commitment if begins else None,
        once=begins,
        takes_voucher=True,
        outdated=sum_differs if begins else never,
        hold=order.hold,
        follow=order.follow,
        let_go=money.let_go,
        views=_views,
        view_models={"commitment": Commitment},
    )


_ASKED, _BOOKED, _REFUSED = CommitmentState.REQUESTED, CommitmentState.BOOKED, CommitmentState.REFUSED
_FREEING, _FREE = CommitmentState.CANCEL_REQUESTED, CommitmentState.CANCELLED
_BOUND = StoryKind.BOUND, "{amount} sind für das Projekt vorgemerkt."
_CHANGED = StoryKind.CHANGED, "Für das Projekt sind jetzt {amount} vorgemerkt."
_FREED = StoryKind.FREED, "Das vorgemerkte Geld ist wieder frei."
BOOK = _effect(
    "commitment.book",
    "Festlegung",
    CommitmentOrder(_ASKED, _BOOKED, _REFUSED, begins=True),
    _BOUND,
    "{amount} werden festgelegt",
    begins=True,
)
CHANGE = _effect(
    "commitment.change",
    "Festlegung ändern",
    CommitmentOrder(_ASKED, _BOOKED, _BOOKED),
    _CHANGED,
    "die Festlegung wird auf {amount} geändert",
)
CANCEL = _effect(
    "commitment.cancel",
    "Festlegung aufheben",
    CommitmentOrder(_FREEING, _FREE, _BOOKED),
    _FREED,
    "die Festlegung über {amount} wird aufgehoben",
)
EFFECTS = (BOOK, CHANGE, CANCEL)
