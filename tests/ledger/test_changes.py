"""Whatever a due rule could see marks the case as changed, in the transaction of the change; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from kiezbruecke import attention
from kiezbruecke.connector import Item, Ticket
from kiezbruecke.ledger import MessageState, Run, claims, events, history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.drafts import add_baseline, finish_prepare
from kiezbruecke.ledger.history import Origin, Taken
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.ledger.todo import Kind, Point
from kiezbruecke.records import Proposal, ReceiptOutcome
from tests.builders import by

from .conftest import HKR, MONEY, PROCESS, Desk, budget, draft, receipt

Life = Callable[[Desk, UUID, Draft, Run], object]  # case, its order, the run that is sending it

_LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)

CHANGES: dict[str, Life] = {
    "a corrected decision": lambda desk, *_: desk.decide(approved_amount=Decimal("800.00")),
    "a prepared message": lambda desk, case, *_: desk.prepare(draft(case)),
    "delivered": lambda desk, _, order, run: _settle(desk, run, order, MessageState.DELIVERED),
    "confirmed": lambda desk, _, order, run: _settle(desk, run, order, receipt(order, ReceiptOutcome.CONFIRMED)),
    "refused": lambda desk, _, order, run: _settle(desk, run, order, receipt(order, ReceiptOutcome.REFUSED)),
    "in doubt": lambda desk, _, order, run: _settle(desk, run, order, MessageState.IN_DOUBT),
    "waits again": lambda desk, _, order, run: _settle(desk, run, order, MessageState.WAITING),
    "taken over": lambda desk, *_: claims.take_over(desk.ledger, desk.run()),
    "another sum": lambda desk, _, order, __: desk.answer(order, ReceiptOutcome.CONFIRMED, amount=Decimal("1.00")),
    "a baseline": lambda desk, case, *_: add_baseline(desk.ledger, MONEY, [case], person=by("A"), reason="von Hand"),
    "a reset": lambda desk, *_: reset_destination(desk.ledger, HKR, person=by("A"), reason="neu"),
    "a point": lambda desk, case, *_: _point(desk, case),
    "an answer": lambda desk, case, *_: _answer(desk, case),
}
NOTHING: dict[str, Life] = {
    "the same decision": lambda desk, *_: desk.decide(),
    "another case": lambda desk, *_: desk.decide("P-2", 2),
    "a ticket": lambda desk, _, order, run: claims.keep_tickets(desk.ledger, run, {order.identity.key: Ticket("x")}),
    "a claim": lambda desk, *_: claims.claim(desk.ledger, desk.run()),
    "a receipt that only notes": lambda desk, _, order, run: _settle(
        desk, run, order, receipt(order, ReceiptOutcome.NOTED)
    ),
}


@pytest.fixture
def life(desk: Desk) -> tuple[UUID, Draft, Run]:
    """A case with an order that is being sent."""
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, "850")
    return case, order, desk.send(order.identity.key)


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_rule_could_see_marks_the_case(desk: Desk, life: tuple[UUID, Draft, Run], what: str) -> None:
    """A route that looks only at what has changed must see it in its next run, always."""
    before = _changed(desk, life[0])
    CHANGES[what](desk, *life)

    assert _changed(desk, life[0]) > before


@pytest.mark.parametrize("what", NOTHING)
def test_what_no_rule_can_see_marks_no_case(desk: Desk, life: tuple[UUID, Draft, Run], what: str) -> None:
    """Or a quiet run would cost as much as a busy one."""
    before = _changed(desk, life[0])
    NOTHING[what](desk, *life)

    assert _changed(desk, life[0]) == before


def test_a_budget_line_is_a_change_of_the_process(desk: Desk) -> None:
    """It belongs to no case, and decides about many."""
    before = _number(desk)
    desk.store([Taken(Item("budget-line", "b:1", {}), (budget("1000"),))])

    assert _number(desk) > before


def test_a_proposal_that_goes_and_comes_back_is_a_change_each_time(desk: Desk) -> None:
    """Its status decides; it comes back unread, known by what it was read from."""
    desk.store([_taken("in-1")], "platform")
    run, origin = desk.run("platform|collect"), Origin("platform", PROCESS, "spk")
    numbers = [_number(desk)]
    assert history.mark_gone(desk.ledger, run, origin, ("proposal",), {"nothing"}) == 1
    numbers.append(_number(desk))
    known = history.known_inputs(desk.ledger, "platform", PROCESS, ["1", "2"])
    desk.store([Taken(Item("proposal", "1", {}), unchanged=True)], "platform")
    numbers.append(_number(desk))
    desk.store([Taken(Item("proposal", "1", {}), unchanged=True)], "platform")

    assert known == {"1": [("in-1", True)]}
    assert history.known_inputs(desk.ledger, "platform", PROCESS, ["1"]) == {"1": [("in-1", False)]}
    assert numbers == sorted(set(numbers))
    assert _number(desk) == numbers[-1]


def test_what_could_not_be_read_in_between_is_read_again(desk: Desk) -> None:
    """A, then broken, then A again: with A's digest still there the point would stay open for ever."""
    desk.store([_taken("in-1")], "platform")
    desk.store([Taken(Item("proposal", "1", {}), problem="kaputt")], "platform")

    assert history.known_inputs(desk.ledger, "platform", PROCESS, ["1"]) == {"1": [("", False)]}
    desk.store([_taken("in-1")], "platform")
    assert history.known_inputs(desk.ledger, "platform", PROCESS, ["1"]) == {"1": [("in-1", False)]}
    assert desk.points() == []


def test_a_reset_tells_what_was_let_go(desk: Desk) -> None:
    """The money is free again, and the case's chain says since when."""
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, "850")
    desk.deliver(order, ReceiptOutcome.CONFIRMED)
    reset_destination(desk.ledger, HKR, person=by("A"), reason="neu")
    last = events.events_of(desk.ledger, case)[-1]

    assert (last.kind, last.body) == ("commitment.let_go", {"reference": order.reference, "cents": 85000})
    assert desk.committed() == 0


def _taken(source: str) -> Taken:
    proposal = Proposal(
        source="platform",
        external_id="1",
        reference_number="2026-00001",
        process_id=PROCESS,
        title="Bank",
        requested_amount=Decimal(100),
        created_at=_LONG_AGO,
    )
    return Taken(Item("proposal", "1", {}), (proposal,), input=source)


def _settle(desk: Desk, run: Run, order: Draft, result: Any) -> None:
    claims.settle(desk.ledger, run, order.identity.key, result)


def _point(desk: Desk, case: UUID) -> None:
    points = [Point(Kind.FOLLOW_UP, "f", "r", "spk", "von Hand", case_id=case)]
    finish_prepare(desk.ledger, desk.run("other", "r"), points, None, began=_LONG_AGO)


def _answer(desk: Desk, case: UUID) -> None:
    _point(desk, case)
    before = _changed(desk, case)
    [point] = desk.points(Kind.FOLLOW_UP)
    attention.decide(desk.ledger, point, point.answers[0], person=by("A"), reason="geschehen")
    assert _changed(desk, case) > before


def _changed(desk: Desk, case: UUID) -> int:
    with desk.ledger.read() as connection:
        return connection.execute(select(t.cases.c.changed).where(t.cases.c.id == case)).scalar_one()


def _number(desk: Desk) -> int:
    with desk.ledger.read() as connection:
        query = select(t.changes.c.number).where(t.changes.c.process_id == PROCESS)
        return connection.execute(query).scalar_one_or_none() or 0
