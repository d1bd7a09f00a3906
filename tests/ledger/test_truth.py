"""A person states what really holds at the destination: the message, its money and the list follow."""

from __future__ import annotations

import unicodedata
from uuid import UUID

import pytest

from kiezbruecke import attention
from kiezbruecke.connector import Item
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import MessageState, events, evidence, history
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.moves import message_row
from kiezbruecke.ledger.receipts import refused_point
from kiezbruecke.ledger.todo import Answer, Kind, raise_point
from kiezbruecke.records import ReceiptOutcome
from tests.builders import by
from tests.ledger.conftest import Desk

CONFIRMED, REFUSED = ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED
WHO = {"person": by("A. Muster"), "reason": "Auskunft des HKR vom 4. Mai"}


def _booked(desk: Desk, *outcomes: ReceiptOutcome) -> tuple[UUID, Draft]:
    """A booking of 850 euros, and their words about it."""
    case = desk.decide()
    desk.grant("900")
    order = desk.book(case, "850.00")
    desk.deliver(order)
    for number, outcome in enumerate(outcomes, 1):
        desk.answer(order, outcome, number)
    return case, order


def _answer(desk: Desk, answer: Answer) -> None:
    [point] = desk.points(Kind.CONTRADICTION)
    attention.decide(desk.ledger, point, answer, **WHO)


@pytest.mark.parametrize(
    ("words", "answer", "state", "held"),
    [
        ((CONFIRMED, REFUSED), Answer.HAS_HAPPENED, MessageState.CONFIRMED, 85000),
        ((CONFIRMED, REFUSED), Answer.HAS_NOT_HAPPENED, MessageState.REFUSED, 0),
        ((REFUSED, CONFIRMED), Answer.HAS_HAPPENED, MessageState.CONFIRMED, 85000),
        ((REFUSED, CONFIRMED), Answer.HAS_NOT_HAPPENED, MessageState.REFUSED, 0),
    ],
)
def test_a_contradiction_ends_as_a_person_says(
    desk: Desk, words: tuple[ReceiptOutcome, ...], answer: Answer, state: MessageState, held: int
) -> None:
    """Whatever our books said first; the money is bound exactly where it has happened, and the evidence says who."""
    case, order = _booked(desk, *words)
    _answer(desk, answer)

    assert desk.state(order) is state
    assert desk.commitment(case)[1:] == (held, held)
    assert desk.committed() == held
    closed = [one.body for one in events.events_of(desk.ledger, case) if one.kind == "attention.closed"]
    assert (closed[-1]["answer"], closed[-1]["person"]) == (answer, "A. Muster")
    assert evidence.verify(desk.ledger).broken == ()


def test_what_did_not_happen_after_all_goes_anew_only_when_somebody_asks(desk: Desk) -> None:
    """A message that was believed to be booked is a refused one then: on the list, with its answers."""
    _booked(desk, CONFIRMED, REFUSED)
    _answer(desk, Answer.HAS_NOT_HAPPENED)
    [point] = desk.points()

    assert (point.kind, point.answers) == (Kind.REFUSED, (Answer.RESEND, Answer.DONE))


def test_a_change_that_did_not_happen_leaves_the_sum_before_it(desk: Desk) -> None:
    """Not nothing, and not the new total."""
    case, _ = _booked(desk, CONFIRMED)
    change = desk.book(case, "900.00", 2, "commitment.change")
    desk.deliver(change)
    desk.answer(change, CONFIRMED, 2)
    desk.answer(change, REFUSED, 3)
    _answer(desk, Answer.HAS_NOT_HAPPENED)

    assert desk.commitment(case)[1:] == (85000, 85000)
    assert desk.committed() == 85000


def test_what_has_happened_is_not_booked_beyond_the_budget(desk: Desk) -> None:
    """Their word came late, and the money is another case's by now: a person hears it in one German line."""
    _, order = _booked(desk, REFUSED)
    other = desk.book(desk.decide("P-2", 2), "850.00")
    desk.answer(order, CONFIRMED, 2)
    with pytest.raises(InputError, match="Budget der Bezirksregion reicht dafür nicht"):
        _answer(desk, Answer.HAS_HAPPENED)

    assert len(desk.points(Kind.CONTRADICTION)) == 1
    assert desk.state(other) is MessageState.WAITING
    assert desk.committed() == 85000


def test_a_message_with_a_successor_is_not_sent_anew(desk: Desk) -> None:
    """`neu_senden` on a point that was overtaken would send nothing, and look as if it had."""
    case, order = _booked(desk, REFUSED)
    [point] = desk.points(Kind.REFUSED)
    desk.book(case, "800.00", 2)
    with pytest.raises(InputError, match="schon erledigt"):
        attention.decide(desk.ledger, point, Answer.RESEND, **WHO)

    assert desk.points(Kind.REFUSED) == []
    assert desk.state(order) is MessageState.REFUSED


def test_a_point_that_came_after_the_successor_says_what_followed(desk: Desk) -> None:
    """Nothing has healed it; whoever asks for the message anew hears why nothing goes."""
    case, order = _booked(desk, REFUSED)
    desk.book(case, "800.00", 2)
    with desk.ledger.write() as connection:
        row = message_row(connection, order.identity.key)
        assert row is not None
        raise_point(connection, refused_point(row, ""))
    [point] = desk.points(Kind.REFUSED)
    with pytest.raises(InputError, match=r"ist überholt: Zu diesem Fall gibt es schon KK26-.*-F2"):
        attention.decide(desk.ledger, point, Answer.RESEND, **WHO)

    assert desk.points(Kind.REFUSED) == [point]


def test_an_answer_may_be_typed_in_two_signs(desk: Desk) -> None:
    """Some terminals give an umlaut as a letter and its dots."""
    _, order = _booked(desk, CONFIRMED, REFUSED)
    [point] = desk.points(Kind.CONTRADICTION)
    chosen = attention.decide(desk.ledger, point, unicodedata.normalize("NFD", "Bestätigt"), **WHO)

    assert chosen is Answer.HAS_HAPPENED
    assert desk.state(order) is MessageState.CONFIRMED


def test_what_could_not_be_read_and_is_not_shown_any_more_leaves_the_list(desk: Desk) -> None:
    """Its author has taken it back; what is still shown stays."""
    origin = history.Origin("meinberlin-tk", "kk-tk-2026", "spk-tk")
    broken = [history.Taken(Item("proposal", name, {}), problem="so nicht") for name in ("1", "2")]
    history.store(desk.ledger, desk.run("m", "kk-tk-meinberlin"), origin, broken, "")
    history.mark_gone(desk.ledger, desk.run("m", "kk-tk-meinberlin"), origin, ("proposal",), {"2"})

    assert [point.subject for point in desk.points()] == ["meinberlin-tk:proposal:2"]
