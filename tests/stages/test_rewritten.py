"""Whoever rewrites the ledger moves no money and files nothing twice; every one of these was tried and went through."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest

from kiezbruecke import pipeline
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger import evidence
from kiezbruecke.sandbox.faults import Faults
from tests.world import COLLECT, SEND, World, line

SETTLED = {  # after everything was filed, booked and confirmed
    "a decision over more": "UPDATE records SET body = replace(body, '850.00', '2500.00') WHERE kind = 'decision'",
    "no decisions": "DELETE FROM records WHERE kind = 'decision'",
    "no messages": "DELETE FROM attempts; DELETE FROM message_bytes; DELETE FROM receipts; DELETE FROM commitments;"
    " DELETE FROM messages",
    "only the file's message gone": "DELETE FROM attempts WHERE message_key IN (SELECT key FROM messages WHERE effect ="
    " 'file.create'); DELETE FROM receipts WHERE message_key IN (SELECT key FROM messages WHERE effect ="
    " 'file.create'); DELETE FROM message_bytes WHERE key IN (SELECT key FROM messages WHERE effect = 'file.create');"
    " DELETE FROM messages WHERE effect = 'file.create'",
    "messages that wait again": "UPDATE messages SET state = 'waiting', fence = 0",
    "messages that were refused": "UPDATE messages SET state = 'refused'",
    "sums of messages": "UPDATE messages SET amount_cents = amount_cents * 10",
    "another basis": "UPDATE messages SET basis = 'x'",
    "no commitments": "DELETE FROM commitments",
    "a smaller commitment": "UPDATE commitments SET booked_cents = 100, held_cents = 100",
    "a larger budget": "UPDATE budgets SET amount_cents = amount_cents + 1000000, limit_cents = limit_cents + 1000000",
    "another generation": "UPDATE destinations SET generation = 2",
    "no receipts": "DELETE FROM receipts",
    "the last link cut off": "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events AS e WHERE e.case_id ="
    " events.case_id); UPDATE cases SET last_event = last_event - 1, last_hash = (SELECT hash FROM events WHERE case_id"
    " = cases.id ORDER BY seq DESC LIMIT 1)",
    "numbers that were used": "UPDATE serials SET last = 0",
}


@pytest.mark.parametrize("how", SETTLED)
def test_a_rewritten_ledger_sends_nothing(world: World, how: str) -> None:
    """The next run looks at everything, finds it changed, and says so; `verify` names it before and after."""
    world.drop(line("P-1"))
    world.run()
    before = world.filed(), world.orders()
    assert before == (["850.00"], [("KK26-090416-P0001-F1", "FESTLEGUNG", "850.00")]), before

    _rewrite(world, SETTLED[how])
    named = evidence.verify(world.ledger).broken
    _run_all(world)

    assert named
    assert (world.filed(), world.orders()) == before
    assert evidence.verify(world.ledger).broken


def test_a_changed_carrier_stays_where_it_is(world: World) -> None:
    """Seen: in doubt, changed, and HKR booked 999.00 instead of 850.00."""
    world.drop(line("P-1"))
    world.run(*COLLECT)
    pipeline.prepare(world.house, "kk-tk-hkr")
    Faults(world.sandboxes["hkr"].state / "faults.json", ("lose_before_commit",)).arm("lose_before_commit", 3)
    with suppress(KiezbrueckeError):
        pipeline.deliver(world.house, "kk-tk-hkr")
    _rewrite(world, "UPDATE batches SET payload = CAST(replace(CAST(payload AS TEXT), '850.00', '999.00') AS BLOB)")

    _run_all(world, "kk-tk-hkr", "kk-tk-hkr")

    assert world.orders() == []
    [point] = world.points("altered")
    assert "KK26-090416-P0001-F1" in point.reason


def test_changed_bytes_of_one_message_hold_back_no_other(world: World) -> None:
    """A point names it; the others go."""
    world.drop(line("P-1"), line("P-2", "100,-"))
    world.run(*COLLECT)
    pipeline.prepare(world.house, "kk-tk-eakte")
    _rewrite(
        world,
        "UPDATE message_bytes SET payload = x'00' WHERE key = (SELECT key FROM messages ORDER BY reference LIMIT 1)",
    )

    _run_all(world, "kk-tk-eakte", "kk-tk-eakte")

    assert world.filed() == ["100.00"]
    assert [point.kind for point in world.points("altered")] == ["altered"]


def _rewrite(world: World, statements: str) -> None:
    """By somebody who may write into the database."""
    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as database, database:
        database.executescript(statements)
        assert database.total_changes, "nothing was rewritten"


def _run_all(world: World, *routes: str) -> None:
    for route in routes or (*COLLECT, *SEND):
        with suppress(KiezbrueckeError):
            pipeline.run(world.house, route, everything=True)
