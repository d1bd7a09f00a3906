"""`neu_senden`: before anything goes anew, the destination is asked whether it has what it is said to have refused."""

from __future__ import annotations

from collections.abc import Sequence

from kiezbruecke.cases.join import Standing
from kiezbruecke.connector import Found, HasOrders, Target, Ticket
from kiezbruecke.effects import Due, Lane
from kiezbruecke.ledger import MessageState, claims, takeover
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.todo import Kind, Point
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.stages.asking import their_orders
from kiezbruecke.stages.work import Sending


def ask_first(
    work: Sending, lane: Lane, due: Sequence[tuple[Standing, Due]]
) -> tuple[list[tuple[Standing, Due]], list[Point]]:
    """What may go, and what a person is told: what is there already is settled with their word and goes no more.

    A destination that does not answer is asked again in the next run; one that cannot say leaves it to the person.
    """
    asked = {standing.case.id: last for standing, _ in due if (last := _refused(lane, standing)) is not None}
    if not asked or work.route.mode != "live":
        return list(due), []
    points: list[Point] = []
    may_go: list[tuple[Standing, Due]] = []
    for standing, one in due:
        last = asked.get(standing.case.id)
        if last is None:
            may_go.append((standing, one))
            continue
        try:
            there = _settle_if_there(work, standing, last)
        except Exception as error:  # noqa: BLE001 - a question that fails answers nothing
            points.append(_unanswered(work, standing, last, type(error).__name__))
            continue
        if not there:
            may_go.append((standing, one))
    return may_go, points


def _refused(lane: Lane, standing: Standing) -> MessageHead | None:
    """The message that a person wants sent anew."""
    sent = lane.sent(standing)
    return sent[-1] if sent and str(sent[-1].key) in lane.resend else None


def _settle_if_there(work: Sending, standing: Standing, last: MessageHead) -> bool:
    if isinstance(work.target, HasOrders) and (found := their_orders(work, [standing])) is not None:
        return _settle_orders(work, found[0][1], last)
    if not isinstance(work.target, Target) or last.state is not MessageState.REFUSED:
        return False
    message = claims.find_message(work.ledger, last.key)
    assert message is not None
    answer = work.target.look_up(message, Ticket(last.ticket) if last.ticket else None)
    if not isinstance(answer, Found) or not _proves(work, last, answer.receipt):
        return False
    takeover.settle_refused(work.ledger, work.run, last.key, answer.receipt)
    return True


def _settle_orders(work: Sending, theirs: Sequence[takeover.Theirs], last: MessageHead) -> bool:
    """Something of this case stands there under a number that is refused or unknown here.

    What has arrived stands there by right: a payment that came back, or that they have cancelled.
    """
    ours = {last.reference: last} if last.state is MessageState.REFUSED else {}
    there = [one for one in theirs if one.receipt.outcome is not ReceiptOutcome.REFUSED]
    forgotten = [one for one in there if one.draft.reference in ours or one.draft.identity.number > last.number]
    if not forgotten:
        return False
    takeover.take_over(work.ledger, work.run, [(last.case_id, theirs)])
    takeover.tell_found(work.ledger, work.run, [one.draft.identity.key for one in forgotten])
    return True


def _proves(work: Sending, last: MessageHead, receipt: Receipt) -> bool:
    """That it was transported says nothing about one that its receiver has refused by an answer of its own."""
    if receipt.outcome is ReceiptOutcome.CONFIRMED:
        return True
    return receipt.outcome is ReceiptOutcome.DELIVERED and not takeover.was_answered(work.ledger, last.key)


def _unanswered(work: Sending, standing: Standing, last: MessageHead, why: str) -> Point:
    text = (
        f"{last.reference}: geht noch nicht neu hinaus, denn {work.route.destination} antwortet nicht auf die Frage, "
        f"ob es dort schon liegt ({why}); der nächste Lauf fragt wieder"
    )
    subject = f"{work.route.name}:{standing.case.id}"
    return Point(Kind.SET_ASIDE, subject, work.route.name, work.route.owner, text, (), standing.case.id)
