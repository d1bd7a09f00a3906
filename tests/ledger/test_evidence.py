"""The chain of a case's events shows every later change (F44, I5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from kiezbruecke.ledger import Ledger, evidence
from kiezbruecke.ledger import tables as t
from kiezbruecke.records import ReceiptOutcome

from .conftest import Desk, draft

e, m = t.events.c, t.messages.c
TAMPERINGS: dict[str, Callable[[Connection], Any]] = {
    "a body": lambda c: c.execute(update(t.events).where(e.seq == 2).values(body='{"amount_cents": 1}')),
    "a kind": lambda c: c.execute(update(t.events).where(e.seq == 2).values(kind="message.refused")),
    "a time": lambda c: c.execute(
        update(t.events).where(e.seq == 2).values(at=select(e.at).where(e.seq == 1).limit(1).scalar_subquery())
    ),
    "a link taken out": lambda c: c.execute(delete(t.events).where(e.seq == 2)),
    "the last link taken out": lambda c: c.execute(delete(t.events).where(e.seq == 3)),
    "a payload": lambda c: c.execute(update(t.message_bytes).values(payload=b"<b/>")),
    "a payload and its digest": lambda c: (
        c.execute(update(t.message_bytes).values(payload=b"<b/>")),
        c.execute(update(t.messages).values(sha256=hashlib.sha256(b"<b/>").hexdigest())),
    ),
    "bytes taken out": lambda c: c.execute(delete(t.message_bytes)),
}


@pytest.fixture
def told(desk: Desk) -> Ledger:
    """A case with a few events."""
    message = draft(desk.decide())
    desk.prepare(message)
    desk.deliver(message, ReceiptOutcome.CONFIRMED)
    return desk.ledger


def test_an_untouched_chain_verifies(told: Ledger) -> None:
    """Otherwise nobody would believe the alarm."""
    verdict = evidence.verify(told)

    assert (verdict.cases, verdict.links, verdict.broken) == (1, 5, ())


@pytest.mark.tampers
@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_change_is_found(told: Ledger, what: str) -> None:
    """Whoever can write into the database can still not change the past unseen."""
    with told.write() as connection:
        TAMPERINGS[what](connection)

    broken = evidence.verify(told).broken

    assert broken
    assert all("P-1" in line for line in broken)


def test_events_hold_no_content(told: Ledger, desk: Desk) -> None:
    """The chain outlives the deletion of personal data: ids, sums and digests only (I6)."""
    desk.decide("P-1", 2, title="Erika Kanarienvogel", recorded_by="Erika Kanarienvogel")

    with told.read() as connection:
        bodies = connection.execute(select(e.body)).scalars().all()

    assert not any("Kanarienvogel" in body for body in bodies)


def test_the_same_work_twice_tells_nothing_new(desk: Desk) -> None:
    """A run that finds everything done must not lengthen the chain, or it would say nothing any more."""
    desk.grant("1000")
    case = desk.decide()
    desk.book(case, "850")
    before = evidence.verify(desk.ledger).links
    desk.book(case, "850")
    desk.decide()

    assert evidence.verify(desk.ledger).links == before
    assert desk.committed() == 85000
