"""What comes back is matched by id and by nothing else; what matches nothing goes to the clearing list (F17 to F21)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from kiezbruecke.connector import Ticket
from kiezbruecke.ledger import MessageState, claims, events
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.records import Part, ReceiptOutcome

from .conftest import EFILE, FILES, HKR, Desk, draft, receipt

CONFIRMED, REFUSED, DELIVERED, NOTED = (
    ReceiptOutcome.CONFIRMED,
    ReceiptOutcome.REFUSED,
    ReceiptOutcome.DELIVERED,
    ReceiptOutcome.NOTED,
)


@pytest.fixture
def order(desk: Desk) -> Draft:
    """A booking that was delivered."""
    desk.grant("1000")
    made = desk.book(desk.decide(), "850")
    desk.deliver(made)
    return made


def test_the_same_answer_twice_is_heard_once(desk: Desk, order: Draft) -> None:
    """Mailboxes and cursors repeat themselves after a crash (I2)."""
    desk.answer(order, CONFIRMED, 1)
    before = len(events.events_of(desk.ledger, order.identity.case_id))
    again = desk.hear(receipt(order, CONFIRMED, external_id="1", key=None))

    assert again.receipts == 0
    assert again.handled[0].known
    assert len(events.events_of(desk.ledger, order.identity.case_id)) == before


def test_two_answers_of_the_same_content_are_no_trouble(desk: Desk, order: Draft) -> None:
    """A duplicate acknowledgement under another number changes nothing (F17)."""
    desk.answer(order, CONFIRMED, 1)
    desk.answer(order, CONFIRMED, 2)

    assert desk.state(order) is MessageState.CONFIRMED
    assert desk.points() == []
    assert desk.committed() == 85000


def test_an_early_answer_counts(desk: Desk) -> None:
    """Their bookkeeping may be faster than the answer to our call (F18)."""
    desk.grant("1000")
    made = desk.book(desk.decide(), "850")
    run = desk.send(made.identity.key)
    desk.answer(made, CONFIRMED)
    claims.settle(desk.ledger, run, made.identity.key, receipt(made, DELIVERED))

    assert desk.state(made) is MessageState.CONFIRMED
    assert desk.committed() == 85000


def test_an_answer_takes_the_doubt_away(desk: Desk) -> None:
    """Who answers has received it."""
    desk.grant("1000")
    made = desk.book(desk.decide(), "850")
    desk.send(made.identity.key)
    run = desk.run()
    claims.take_over(desk.ledger, run)
    message = claims.find_message(desk.ledger, made.identity.key)
    assert message is not None
    claims.open_doubt(desk.ledger, run, message, "spk", "")
    desk.answer(made, CONFIRMED)

    assert desk.state(made) is MessageState.CONFIRMED
    assert desk.points() == []


@pytest.mark.parametrize(("first", "second"), [(CONFIRMED, REFUSED), (REFUSED, CONFIRMED)])
def test_a_contradiction_is_shown_and_changes_nothing(
    desk: Desk, order: Draft, first: ReceiptOutcome, second: ReceiptOutcome
) -> None:
    """The second word may be the wrong one: a person asks, the books stay (F20)."""
    desk.answer(order, first, 1)
    before = desk.state(order), desk.commitment(order.identity.case_id)
    desk.answer(order, second, 2)

    assert (desk.state(order), desk.commitment(order.identity.case_id)) == before
    assert "contradiction" in [point.kind for point in desk.points()]


def test_another_sum_is_no_confirmation(desk: Desk, order: Draft) -> None:
    """850 asked, 805 booked: not ours (I4)."""
    desk.answer(order, CONFIRMED, 1, amount=Decimal("805.00"))

    assert desk.state(order) is MessageState.DELIVERED
    assert [point.kind for point in desk.points()] == ["difference"]
    assert desk.commitment(order.identity.case_id) == ("requested", 0, 85000)


def test_a_refusal_is_shown_to_its_owner(desk: Desk, order: Draft) -> None:
    """Somebody must know what to do now (I8)."""
    desk.answer(order, REFUSED, 1, code="BUDGET")
    [point] = desk.points()

    assert (point.kind, point.owner, point.answers) == ("refused", "spk-tk", ("neu_senden", "erledigt"))
    assert order.reference in point.reason
    assert "BUDGET" in point.reason


@pytest.mark.parametrize(
    "stranger",
    [
        {"reference": "XX99-000000-00000-F1", "key": None},
        {"reference": None, "key": None},
        {"reference": None, "key": None, "ticket": "urn:nobody"},
        {"source": EFILE, "key": None},
        {"source": EFILE},
    ],
    ids=["unknown", "without an id", "unknown ticket", "of another party", "of another party, by key"],
)
def test_what_matches_nothing_goes_to_the_clearing_list(
    desk: Desk, order: Draft, stranger: dict[str, str | None]
) -> None:
    """Never to the last message, and never to somebody else's (F19, I3)."""
    desk.hear(receipt(order, CONFIRMED, external_id="9", **stranger))

    assert [point.kind for point in desk.points()] == ["clearing"]
    assert desk.state(order) is MessageState.DELIVERED


def test_a_ticket_finds_its_message(desk: Desk) -> None:
    """Some answers name only the destination's own id."""
    filed = draft(desk.decide())
    desk.prepare(filed)
    run = desk.run(FILES)
    claims.claim(desk.ledger, run)
    claims.keep_tickets(desk.ledger, run, {filed.identity.key: Ticket("urn:1")})
    desk.hear(receipt(filed, CONFIRMED, key=None, reference=None, ticket="urn:1"))

    assert desk.state(filed) is MessageState.CONFIRMED


def test_a_warning_is_delivered_and_shown(desk: Desk) -> None:
    """A yellow light is a yes that somebody should look at."""
    filed = draft(desk.decide())
    desk.prepare(filed)
    run = desk.send(filed.identity.key, lane=FILES)
    claims.settle(desk.ledger, run, filed.identity.key, receipt(filed, DELIVERED, warning=True))

    assert desk.state(filed) is MessageState.DELIVERED
    assert [point.kind for point in desk.points()] == ["warning"]


def test_a_word_that_proves_nothing_moves_nothing(desk: Desk, order: Draft) -> None:
    """0403 says that it arrived, not that it was imported."""
    desk.answer(order, NOTED)

    assert desk.state(order) is MessageState.DELIVERED


def test_the_bytes_of_an_answer_are_kept(desk: Desk, order: Draft) -> None:
    """Evidence is what they wrote, not what we understood."""
    desk.answer(order, CONFIRMED)

    with desk.ledger.read() as connection:
        row = connection.execute(select(t.receipts.c.raw, t.receipts.c.message_key, t.receipts.c.source)).one()

    assert (row.raw, row.message_key, row.source) == (b"raw", order.identity.key, HKR)
    assert "commitment.book" in order.basis


OBJECT, DOCUMENT, OTHER, CASE, OTHERS_CASE = (UUID(int=number) for number in range(1, 6))
NAMED = {"process_id": str(CASE), "objects": [str(OBJECT), str(DOCUMENT)]}


@pytest.fixture
def filed(desk: Desk) -> Draft:
    """A message to the e-file that was delivered, with the ids that its answers may name."""
    made = draft(desk.decide(), facts=NAMED)
    desk.prepare(made)
    desk.deliver(made)
    return made


def _part(outcome: ReceiptOutcome, of: UUID = OBJECT, **given: Any) -> Part:
    return Part(id=of, outcome=outcome, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"parts": (_part(REFUSED),)},
        {"parts": (_part(CONFIRMED), _part(REFUSED, DOCUMENT))},
        {"parts": (_part(CONFIRMED, complaint="Hashwert stimmt nicht"),)},
        {"parts": (_part(CONFIRMED, code="E17"),)},
        {"complaint": "Der Hashwert stimmt nicht"},
        {"code": "E17"},
    ],
    ids=["object failed", "document failed", "object complains", "object's code", "message complains", "code"],
)
def test_a_receipt_that_says_failed_anywhere_confirms_nothing(desk: Desk, filed: Draft, given: dict[str, Any]) -> None:
    """The Vorgang is perhaps not there: a person looks, and nothing goes out beside it."""
    desk.hear(receipt(filed, CONFIRMED, **given))

    assert desk.state(filed) is MessageState.DELIVERED
    [point] = desk.points()
    assert (point.kind, point.message_key) == ("contradiction", filed.identity.key)
    assert filed.reference in point.reason


def test_a_refusal_of_which_a_part_worked_is_no_refusal(desk: Desk, filed: Draft) -> None:
    """Sent anew it might stand there twice."""
    desk.hear(receipt(filed, REFUSED, parts=(_part(CONFIRMED),)))

    assert desk.state(filed) is MessageState.DELIVERED
    assert [point.kind for point in desk.points()] == ["contradiction"]


def test_a_receipt_whose_parts_agree_is_believed(desk: Desk, filed: Draft) -> None:
    """The usual answer names the process and the object."""
    desk.hear(receipt(filed, CONFIRMED, process_id=CASE, parts=(_part(CONFIRMED),)))

    assert desk.state(filed) is MessageState.CONFIRMED
    assert desk.points() == []


@pytest.mark.parametrize("outcome", [CONFIRMED, REFUSED, NOTED])
@pytest.mark.parametrize(
    "given",
    [
        {"process_id": OTHERS_CASE},
        {"process_id": CASE, "parts": (_part(CONFIRMED), _part(CONFIRMED, OTHER))},
        {"parts": (_part(REFUSED, OTHER),)},
        {"reference": "KK26-090416-00009-E1"},
        {"ticket": "urn:of-another"},
    ],
    ids=["process", "one object", "all objects", "Fremdkennzeichen", "ticket"],
)
def test_an_answer_that_names_two_messages_is_about_neither(
    desk: Desk, outcome: ReceiptOutcome, given: dict[str, Any]
) -> None:
    """Answers that were mixed on the way carry one id of ours and the rest of somebody else's."""
    made = draft(desk.decide(), facts=NAMED)
    desk.prepare(made)
    run = desk.run(FILES)
    claims.claim(desk.ledger, run)
    claims.keep_tickets(desk.ledger, run, {made.identity.key: Ticket("urn:1")})
    claims.begin_sending(desk.ledger, run, [made.identity.key])
    claims.settle(desk.ledger, run, made.identity.key, receipt(made, DELIVERED))
    desk.hear(receipt(made, outcome, **given))

    assert desk.state(made) is MessageState.DELIVERED
    [point] = desk.points()
    assert (point.kind, point.case_id) == ("clearing", made.identity.case_id)
    assert made.reference in point.reason
