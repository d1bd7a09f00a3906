"""Whoever rewrites the ledger moves no money and files nothing twice; every one of these was tried and went through."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import Any

import pytest
from sqlalchemy import select

from kiezbruecke import pipeline
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger import evidence, seals
from kiezbruecke.ledger import tables as t
from kiezbruecke.sandbox.faults import Faults
from tests.world import COLLECT, SEND, World, budget, line

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


def test_a_chain_that_was_cut_off_sends_nothing_again(world: World) -> None:
    """Seen: the last links gone and the message as it was before them; it went a second time. The end told so."""
    world.drop(line("P-1"))
    world.run(*COLLECT)
    pipeline.prepare(world.house, "kk-tk-eakte")
    columns, [before] = _read(world, "SELECT * FROM messages")
    [[last]] = _read(world, "SELECT max(seq) FROM events WHERE case_id IN (SELECT id FROM cases)")[1]
    pipeline.deliver(world.house, "kk-tk-eakte")
    assert world.filed() == ["850.00"]

    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as database, database:
        database.execute("DELETE FROM attempts")
        database.execute(f"UPDATE messages SET ({', '.join(columns)}) = ({', '.join('?' * len(columns))})", before)
        database.execute("DELETE FROM events WHERE seq > ? AND case_id IN (SELECT id FROM cases)", [last])
    with suppress(KiezbrueckeError):
        pipeline.deliver(world.house, "kk-tk-eakte")

    assert world.filed() == ["850.00"]
    assert [point.kind for point in world.points("altered")] == ["altered"]


LINKS = {  # an order over 999.00, and the digest of its bytes where the chain would have it
    "in its own link, without its hash": "UPDATE events SET rows = replace(rows, :old, :new)",
    "in a link behind the last one": "INSERT INTO events (case_id, seq, at, kind, body, rows, previous, hash) SELECT"
    " case_id, 900, at, 'rows', '{}', replace(rows, :old, :new), '', '' FROM events WHERE instr(rows, :old)",
}


@pytest.mark.parametrize("how", LINKS)
def test_a_digest_written_into_a_chain_makes_nothing_sound(world: World, how: str) -> None:
    """Seen: links were believed before sending, and only `verify` recomputed them."""
    world.drop(line("P-1"))
    world.run(*COLLECT)
    pipeline.prepare(world.house, "kk-tk-hkr")
    old = _digest_of_bytes(world)
    _rewrite(world, MORE_MONEY)

    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as database, database:
        database.execute(LINKS[how], {"old": old, "new": _digest_of_bytes(world)})
    with suppress(KiezbrueckeError):
        pipeline.deliver(world.house, "kk-tk-hkr")

    assert world.orders() == []
    assert evidence.verify(world.ledger).broken


def test_a_carrier_is_not_made_of_changed_bytes(world: World) -> None:
    """Seen: whoever put the message back sent the carrier that was made in between, with 999.00."""
    world.drop(line("P-1"))
    world.run(*COLLECT)
    pipeline.prepare(world.house, "kk-tk-hkr")
    _rewrite(world, MORE_MONEY)
    _run_all(world, "kk-tk-hkr")
    _rewrite(world, LESS_MONEY)
    _run_all(world, "kk-tk-hkr", "kk-tk-hkr")

    assert [order[2] for order in world.orders()] == ["850.00"]


def test_a_whole_list_repeats_no_changed_line(world: World) -> None:
    """The status list says of every case what stands; seen: it said 2500 of one that nobody had sent anew."""
    world.drop(line("P-1"))
    world.run()
    _rewrite(world, "UPDATE message_bytes SET payload = CAST(replace(CAST(payload AS TEXT), '850', '2500') AS BLOB)")
    world.drop(line("P-2", "100,-"), name="mai.csv")
    _run_all(world)

    assert "2500" not in world.status_list()
    assert world.points("altered")


CHANGED_MESSAGE = {
    "its sum": "UPDATE messages SET amount_cents = 1 WHERE reference = (SELECT min(reference) FROM messages)",
    "its name": "UPDATE messages SET file_name = 'x' WHERE reference = (SELECT min(reference) FROM messages)",
    "a step": "INSERT INTO attempts (message_key, at, fence, before, after, note) SELECT key, created_at, 1, 'waiting',"
    " 'claimed', '' FROM messages WHERE reference = (SELECT min(reference) FROM messages)",
}


@pytest.mark.parametrize("route", ["kk-tk-eakte", "kk-tk-hkr"])
@pytest.mark.parametrize("how", CHANGED_MESSAGE)
def test_a_changed_message_holds_back_no_other(world: World, how: str, route: str) -> None:
    """Seen: the step ended before the other was even tried, in every run."""
    world.drop(line("P-1"), line("P-2", "100,-"))
    world.run(*COLLECT)
    pipeline.prepare(world.house, route)
    _rewrite(world, CHANGED_MESSAGE[how])
    _run_all(world, route)

    assert [*world.filed(), *(order[2] for order in world.orders())] == ["100.00"]
    assert [point.kind for point in world.points("altered")] == ["altered"]


OVER = {  # two decisions over 1,500 each, of a budget of 2,600: the area has voted for too much, and nothing goes
    "the other decision is lower": "UPDATE records SET body = replace(body, '1500.00', '1.00') WHERE body LIKE '%P-2%'",
    "the other decision is gone": "DELETE FROM records WHERE kind = 'decision' AND body LIKE '%P-2%'",
    "what they take": "UPDATE cases SET counted_cents = 0, changed = 0; UPDATE cases SET changed = 999 WHERE reference"
    " = 'P-1'; DELETE FROM verdicts; UPDATE changes SET number = 999",
    "where they take it": "UPDATE cases SET counted_area = '', changed = 0; UPDATE cases SET changed = 999 WHERE"
    " reference = 'P-1'; DELETE FROM verdicts; UPDATE changes SET number = 999",
    "a release": "UPDATE attention SET closed_at = opened_at, answer = 'freigeben', answered_by = 'x'",
}


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("how", OVER)
def test_what_an_area_has_voted_for_too_much_stays(world: World, how: str, *, everything: bool) -> None:
    """Seen: one row of another case was changed, and this case went – its own rows were as recorded."""
    world.drop(line("P-1", "1500,-"), line("P-2", "1500,-"))
    world.run()
    assert (world.filed(), world.orders()) == ([], [])

    _rewrite(world, OVER[how])
    _run_all(world, *SEND, everything=everything)

    assert (world.filed(), world.orders()) == ([], [])
    assert evidence.verify(world.ledger).broken


def test_a_cut_budget_is_not_raised_by_taking_its_line_away(world: World) -> None:
    """Seen: what is there was compared, what was gone was not missed, and 850 went of a budget of 500."""
    world.drop(line("P-1"))
    world.drop_budget(budget("500,00 €", why="Kürzung"), name="weniger.csv")
    world.run()
    _rewrite(world, "DELETE FROM records WHERE kind = 'budget' AND body LIKE '%500.00%'")
    _run_all(world, *SEND)

    assert (world.filed(), world.orders()) == ([], [])


MORE_MONEY = "UPDATE message_bytes SET payload = CAST(replace(CAST(payload AS TEXT), '850.00', '999.00') AS BLOB)"
LESS_MONEY = MORE_MONEY.replace("'850.00', '999.00'", "'999.00', '850.00'")


def _digest_of_bytes(world: World) -> str:
    with world.ledger.read() as connection:
        keys = [(key,) for key in connection.execute(select(t.messages.c.key)).scalars()]
        [digest] = seals.BYTES.digests(connection, keys).values()
    return digest


def _read(world: World, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as database:
        found = database.execute(query)
        return [column[0] for column in found.description], found.fetchall()


def _rewrite(world: World, statements: str) -> None:
    """By somebody who may write into the database."""
    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as database, database:
        database.executescript(statements)
        assert database.total_changes, "nothing was rewritten"


def _run_all(world: World, *routes: str, everything: bool = True) -> None:
    for route in routes or (*COLLECT, *SEND):
        with suppress(KiezbrueckeError):
            pipeline.run(world.house, route, everything=everything)
