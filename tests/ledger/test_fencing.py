"""The newest run of a lane may write; an older one that wakes up changes nothing (F4, F5)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from kiezbruecke.connector import Batch, BatchHead, Message, Ticket
from kiezbruecke.errors import Overtaken
from kiezbruecke.ledger import MessageState, Run, claims, history, money, reading
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.drafts import add_messages, add_previews, finish_prepare
from kiezbruecke.records import ReceiptOutcome

from .conftest import FILES, HKR, YEAR, Desk, draft, receipt


@pytest.fixture
def filed(desk: Desk) -> Draft:
    """A message that waits in the e-file's lane."""
    message = draft(desk.decide())
    desk.prepare(message)
    return message


WRITES: dict[str, Callable[[Desk, Run, Draft], object]] = {
    "claim": lambda desk, run, _: claims.claim(desk.ledger, run),
    "begin_sending": lambda desk, run, one: claims.begin_sending(desk.ledger, run, [one.identity.key]),
    "settle": lambda desk, run, one: claims.settle(desk.ledger, run, one.identity.key, MessageState.DELIVERED),
    "settle_all": lambda desk, run, one: claims.settle_all(
        desk.ledger, run, {one.identity.key: (MessageState.DELIVERED, "")}
    ),
    "keep_tickets": lambda desk, run, one: claims.keep_tickets(desk.ledger, run, {one.identity.key: Ticket("x")}),
    "take_over": lambda desk, run, _: claims.take_over(desk.ledger, run),
    "note_receipts": lambda desk, run, one: claims.note_receipts(
        desk.ledger, run, {one.identity.key: receipt(one, ReceiptOutcome.CONFIRMED)}
    ),
    "add_messages": lambda desk, run, one: add_messages(desk.ledger, run, [one], "spk"),
    "add_previews": lambda desk, run, one: add_previews(desk.ledger, run, [one]),
    "finish_prepare": lambda desk, run, _: finish_prepare(desk.ledger, run, [], began=now()),
    "store": lambda desk, run, _: history.store(desk.ledger, run, history.Origin("x", "kk-tk-2026", "spk"), [], "7"),
    "mark_gone": lambda desk, run, _: history.mark_gone(
        desk.ledger, run, history.Origin("x", "kk-tk-2026", "spk"), ("proposal",), ()
    ),
}


@pytest.mark.parametrize("write", WRITES)
def test_an_overtaken_run_changes_nothing(desk: Desk, filed: Draft, write: str) -> None:
    """It may wake up after ten minutes, in the middle of anything."""
    old = desk.run(FILES)
    desk.run(FILES)

    with pytest.raises(Overtaken):
        WRITES[write](desk, old, filed)
    assert desk.state(filed) is MessageState.WAITING


def test_a_newer_run_takes_over_at_once_what_was_only_claimed(desk: Desk, filed: Draft) -> None:
    """Nothing has left, so no lease must run out."""
    claims.claim(desk.ledger, desk.run(FILES))

    taken = claims.claim(desk.ledger, desk.run(FILES))

    assert [message.key for message, _ in taken] == [filed.identity.key]


def test_what_an_older_run_was_sending_is_in_doubt(desk: Desk, filed: Draft) -> None:
    """Nobody knows whether it left; it must not simply be sent again as new."""
    desk.send(filed.identity.key, lane=FILES)
    new = desk.run(FILES)
    before = claims.claim(desk.ledger, new)
    claims.take_over(desk.ledger, new)

    assert before == []
    assert desk.state(filed) is MessageState.IN_DOUBT
    assert [message.key for message, _, _ in claims.in_doubt(desk.ledger, new)] == [filed.identity.key]


def test_a_run_takes_a_message_in_hand_once(desk: Desk, filed: Draft) -> None:
    """What a run could not send waits for the next one; else a dead destination would be asked for ever."""
    run = desk.send(filed.identity.key, lane=FILES)
    claims.settle(desk.ledger, run, filed.identity.key, MessageState.WAITING)

    assert claims.claim(desk.ledger, run) == []
    assert len(claims.claim(desk.ledger, desk.run(FILES))) == 1


def test_out_of_doubt_it_goes_again_in_the_same_run(desk: Desk, filed: Draft) -> None:
    """Some routes run once a day: who asked and got an answer need not wait until tomorrow."""
    desk.send(filed.identity.key, lane=FILES)
    run = desk.run(FILES)
    claims.take_over(desk.ledger, run)
    claims.settle_doubt(desk.ledger, run, filed.identity.key, "nicht angekommen")

    assert [message.key for message, _ in claims.claim(desk.ledger, run)] == [filed.identity.key]


def test_two_lanes_do_not_disturb_each_other(desk: Desk, filed: Draft) -> None:
    """The budget system's run is no reason to stop the e-file's."""
    run = desk.run(FILES)
    desk.run()

    assert len(claims.claim(desk.ledger, run)) == 1


def test_a_ticket_is_kept_before_anything_is_sent(desk: Desk, filed: Draft) -> None:
    """The next run sends under the same id of theirs, or the destination could not recognise it."""
    run = desk.run(FILES)
    claims.claim(desk.ledger, run)
    claims.keep_tickets(desk.ledger, run, {filed.identity.key: Ticket("urn:1")})

    [(_, ticket)] = claims.claim(desk.ledger, desk.run(FILES))

    assert ticket == Ticket("urn:1")


def test_a_carrier_goes_again_with_the_same_bytes_and_id(desk: Desk) -> None:
    """Bytes that were composed anew might differ, and would then be another batch."""
    first, second = _two_orders(desk)
    made = _claim_batch(desk, desk.run())
    desk.book(desk.decide("P-3", 3), "10")
    again = _claim_batch(desk, desk.run())

    assert made is not None
    assert again == made
    assert {message.key for message in again[1]} == {first.identity.key, second.identity.key}


def test_a_carrier_names_all_its_messages_although_one_is_settled(desk: Desk) -> None:
    """The bytes still hold both; the receipt of the settled one must find its message."""
    first, second = _two_orders(desk)
    batch = _claim_batch(desk, run := desk.run())
    assert batch is not None
    claims.begin_sending(desk.ledger, run, [message.key for message in batch[1]])
    claims.settle(desk.ledger, run, first.identity.key, receipt(first, ReceiptOutcome.DELIVERED))
    claims.settle(desk.ledger, run, second.identity.key, MessageState.WAITING)
    again = _claim_batch(desk, desk.run())

    assert again == batch
    assert desk.state(first) is MessageState.DELIVERED


def test_a_full_list_holds_the_newest_message_of_every_other_case(desk: Desk) -> None:
    """A status list is always the whole list, or who is missing from it would look forgotten."""
    first, _ = _two_orders(desk)
    run = desk.run()
    batch = _claim_batch(desk, run)
    assert batch is not None
    claims.begin_sending(desk.ledger, run, [message.key for message in batch[1]])
    for message in batch[1]:
        claims.settle(desk.ledger, run, message.key, MessageState.DELIVERED)
    desk.book(desk.decide("P-3", 3), "10")
    seen: list[UUID] = []
    _claim_batch(desk, desk.run(), seen=seen, full_list=True)

    assert first.identity.case_id in seen
    assert len(seen) == 2


def _two_orders(desk: Desk) -> tuple[Draft, Draft]:
    desk.grant("1000")
    return desk.book(desk.decide("P-1", 1), "100"), desk.book(desk.decide("P-2", 2), "200")


def _claim_batch(
    desk: Desk, run: Run, *, seen: list[UUID] | None = None, full_list: bool = False
) -> tuple[Batch, list[Message]] | None:
    def compose(head: BatchHead, messages: object, standing: object) -> tuple[str, bytes]:
        if seen is not None:
            seen.extend(message.case_id for message in standing)  # type: ignore[attr-defined]
        return f"{head.id}.xml", repr([m.reference for m in messages]).encode()  # type: ignore[attr-defined]

    return claims.claim_batch(desk.ledger, run, compose, year=YEAR, test=False, full_list=full_list)


def test_a_person_finds_the_bytes_of_a_message(desk: Desk, filed: Draft) -> None:
    """`message show` must show what is really sent."""
    found = claims.find_message(desk.ledger, filed.identity.key)

    assert found is not None
    assert found.payload == filed.payload
    assert money.theirs(desk.ledger, YEAR) == {}
    assert [head.destination for head, _ in reading.list_messages(desk.ledger, destination=HKR)] == []
    assert found.effect == "file.create"
