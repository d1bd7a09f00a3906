"""A message is (destination, generation, case, effect, number): unique in the database, not in an `if`."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from kiezbruecke.ledger import Ledger, reading
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Identity
from kiezbruecke.ledger.drafts import add_messages, generation_of, take_vouchers
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.records import ReceiptOutcome
from tests.builders import by

from .conftest import EFILE, FILES, Desk, draft


def test_the_same_message_is_stored_once(desk: Desk) -> None:
    """Two runs may prepare the same thing; the second must find it there."""
    case = desk.decide()
    desk.prepare(draft(case))
    desk.prepare(draft(case, payload=b"<other/>"))

    heads = reading.list_messages(desk.ledger)

    assert [head.sha256 for head, _ in heads] == [_sha(b"<a/>")]


def test_a_renamed_route_resends_nothing(desk: Desk) -> None:
    """Neither the route's name nor the mapping's version is part of the identity."""
    case = desk.decide()
    add_messages(desk.ledger, desk.run(FILES, "old-name"), [draft(case, mapping="m v1")], "spk")
    add_messages(desk.ledger, desk.run(FILES, "new-name"), [draft(case, mapping="m v2")], "spk")

    assert len(reading.list_messages(desk.ledger)) == 1


@pytest.mark.parametrize("effect", ["file.create", "commitment.book"])
def test_a_case_has_one_file_and_one_booking(desk: Desk, effect: str) -> None:
    """Even under another number: a second Vorgang or Festlegung is never legal while the first holds."""
    desk.grant("2000")
    case = desk.decide()
    sum_ = "100" if effect == "commitment.book" else None
    desk.prepare(draft(case, effect, 1, sum_))
    desk.prepare(draft(case, effect, 2, sum_))

    assert [head.number for head, _ in reading.list_messages(desk.ledger)] == [1]


def test_a_refused_file_may_be_followed_by_another(desk: Desk) -> None:
    """The index counts what holds: after a refusal a person may send anew, with a new number."""
    case = desk.decide()
    first = draft(case)
    desk.prepare(first)
    desk.deliver(first, ReceiptOutcome.REFUSED)
    desk.prepare(draft(case, number=2))

    assert [head.number for head, _ in reading.list_messages(desk.ledger)] == [1, 2]


def test_a_test_message_takes_no_place(desk: Desk) -> None:
    """A rehearsal must not keep the real message from being sent."""
    case = desk.decide()
    desk.prepare(draft(case, number=1, test=True))
    desk.prepare(draft(case, number=2))

    assert [head.test for head, _ in reading.list_messages(desk.ledger)] == [True, False]


def test_a_refused_message_cannot_come_back_beside_its_follower(desk: Desk, ledger: Ledger) -> None:
    """The database itself refuses, whatever the code above believes."""
    case = desk.decide()
    first, second = draft(case), draft(case, number=2)
    desk.prepare(first)
    desk.deliver(first, ReceiptOutcome.REFUSED)
    desk.prepare(second)

    with pytest.raises(IntegrityError), ledger.write() as connection:
        connection.execute(update(t.messages).where(t.messages.c.key == first.identity.key).values(state="delivered"))


@pytest.mark.tampers
def test_a_point_is_open_once(desk: Desk, ledger: Ledger) -> None:
    """Ten runs that find the same trouble make one point, not ten."""
    values = {"kind": "k", "subject": "s", "route": "r", "owner": "o", "reason": "x", "answers": []}
    row = insert(t.attention).values(**values, opened_at=now())

    with ledger.write() as connection:
        connection.execute(row)

    with pytest.raises(IntegrityError), ledger.write() as connection:
        connection.execute(row)


def test_a_reset_destination_gets_everything_under_new_keys(desk: Desk) -> None:
    """Only a person raises the generation; then the same case is a new message."""
    case = desk.decide()
    desk.prepare(draft(case))
    before = generation_of(desk.ledger, EFILE)
    after = reset_destination(desk.ledger, EFILE, person=by("A. Muster"), reason="neu aufgesetzt")
    desk.prepare(draft(case, generation=after))

    heads = [head for head, _ in reading.list_messages(desk.ledger)]

    assert (before, after) == (1, 2)
    assert len({head.key for head in heads}) == 2


def test_every_part_of_the_identity_changes_the_key(desk: Desk) -> None:
    """Two messages with one key would be one to the receiver."""
    case, other = desk.decide(), desk.decide("P-2", 2)
    one = Identity("a", 1, case, "file.create", 1)
    changes = (
        {"destination": "b"},
        {"generation": 2},
        {"case_id": other},
        {"effect": "status.list"},
        {"number": 2},
    )

    keys = {replace(one, **change).key for change in changes} | {one.key}

    assert len(keys) == 6


def test_vouchers_are_never_given_twice(ledger: Ledger) -> None:
    """A Belegnummer that is used twice in a year is refused by the budget system."""
    first, second = take_vouchers(ledger, "hkr-tk", 2026, 2), take_vouchers(ledger, "hkr-tk", 2026, 2)

    assert [*first, *second] == ["00000001", "00000002", "00000003", "00000004"]
    assert take_vouchers(ledger, "hkr-tk", 2027, 1) == ["00000001"]
    assert take_vouchers(ledger, "hkr-tk", 2026, 0) == []


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
