"""Many at once is the same as one after the other, and costs a constant number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Update, event, select, text, update

from kiezbruecke.ledger import Ledger, MessageState, begin_run, claims, events, evidence, upgrade
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.seals import Piece
from kiezbruecke.ledger.sets import in_turns
from kiezbruecke.records import Receipt, ReceiptOutcome

from .conftest import FILES, Desk, Fresh, draft, receipt

FEW, MANY = 10, 100
RESULTS = [*ReceiptOutcome, MessageState.WAITING, MessageState.IN_DOUBT]
Result = ReceiptOutcome | MessageState
Answer = tuple[int, ReceiptOutcome, bool]  # of which order, what, and whether with another sum


def test_the_number_of_statements_does_not_grow_with_the_messages(fresh: Fresh) -> None:
    """Building statements cost ten times what the databases need; a message more must not be a statement more."""
    few, many = (_statements_of_a_delivery(fresh(), count) for count in (FEW, MANY))

    assert few == many
    # half of them read what is sealed, and what it was before; three ask whether two people have signed
    assert sum(many.values()) <= 93, many


def test_a_set_of_messages_is_the_same_as_one_after_the_other(fresh: Fresh) -> None:
    """States, attempts, evidence, money and points: what is written together must not differ by a word."""

    @settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        sums=st.lists(st.sampled_from(["100.00", "250.50", "700.00"]), min_size=4, max_size=4),
        results=st.lists(st.sampled_from(RESULTS), min_size=4, max_size=4),
        answers=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(ReceiptOutcome), st.booleans()), max_size=8),
    )
    def same(sums: list[str], results: list[Result], answers: list[Answer]) -> None:
        one = _story(fresh(), sums, results, answers, together=False)
        all_at_once = _story(fresh(), sums, results, answers, together=True)

        assert one == all_at_once

    same()


def test_a_claim_reads_the_index_and_not_all_that_waits(fresh_sqlite: Fresh) -> None:
    """It sorted everything that waited, for every hundred anew: quadratic, 28 ms each at 10,000."""
    with _opened(fresh_sqlite()) as ledger, _heard(ledger) as said:
        run = Desk(ledger).run()
        claims.claim(ledger, run)
        claims.claim_batch(ledger, run, lambda *_: ("", b""), year=2026, test=False, full_list=False)
        asked = [(sql, given) for sql, given in said if "FROM messages" in sql and "ORDER BY" in sql]
        with ledger.read() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in asked]

    assert len(plans) == 3
    for plan in plans:
        assert "ix_messages_c" in plan[0].detail, plan
    assert not any("TEMP B-TREE" in row.detail for row in plans[0])


def test_a_claim_reads_no_bytes_but_those_it_hands_out(desk: Desk) -> None:
    """A hundred waiting documents are no reason to read a hundred documents."""
    cases = [desk.decide(f"P-{number}", number) for number in range(1, 6)]
    desk.prepare(*(draft(case) for case in cases))
    with _heard(desk.ledger) as said:
        [(message, _)] = claims.claim(desk.ledger, desk.run(FILES), 1)

    assert message.payload == b"<a/>"
    read = [given for sql, given in said if "message_bytes" in sql]  # compared with the chain, then handed out
    assert [len(given) for given in read] == [1, 1]


def test_a_full_list_holds_the_newest_line_of_every_other_case(desk: Desk) -> None:
    """Neither an older line nor that of a case which has a new one."""
    old, new = desk.decide("P-1", 1), desk.decide("P-2", 2)
    lane, standing = "list|status", []
    for number, case in ((1, old), (2, old), (1, new)):
        line = draft(case, "status.list", number, payload=str(number).encode(), reference=f"{case.hex[:8]}-S{number}")
        run = begin_run(desk.ledger, lane, "r", "test")
        desk.prepare(line, run=run)

        def compose(_head: Any, messages: Sequence[Any], others: Sequence[Any]) -> tuple[str, bytes]:
            standing.append(([one.case_id for one in messages], [(one.case_id, one.number) for one in others]))
            return "list.csv", b""

        claims.claim_batch(desk.ledger, run, compose, year=2026, test=False, full_list=True)
        claims.begin_sending(desk.ledger, run, [line.identity.key])
        claims.settle(desk.ledger, run, line.identity.key, MessageState.DELIVERED)

    assert standing == [([old], []), ([old], []), ([new], [(old, 2)])]


@given(st.lists(st.sets(st.integers(0, 4), min_size=1, max_size=2)))
def test_turns_keep_the_order_and_share_no_name(things: list[set[int]]) -> None:
    """Two words about one message are never in one set, or the second would overwrite the first."""
    turns = list(in_turns(things, lambda thing: thing))

    assert [thing for turn in turns for thing in turn] == things
    for turn in turns:
        assert len(turn) > 0
        assert sum(map(len, turn)) == len(set().union(*turn))


def test_yesterdays_bytes_move_into_their_own_table(empty_url: str) -> None:
    """An upgrade on the day after a release must not lose a message that waits."""
    upgrade(empty_url, "0003")
    with _opened(empty_url) as ledger, ledger.write() as connection:
        at = "2026-11-01 00:00:00"
        case, key = "a" * 32, "b" * 32
        connection.execute(
            text("INSERT INTO cases (id, process_id, reference, created_at) VALUES (:case, 'p', 'P-1', :at)"),
            {"case": case, "at": at},
        )
        connection.execute(
            text(
                "INSERT INTO messages (key, destination, generation, case_id, effect, number, reference, lane, route,"
                " owner, state, basis, payload, sha256, file_name, media_type, facts, mapping, mapping_digest, lineage,"
                " test, created_at, updated_at) VALUES (:key, 'd', 1, :case, 'file.create', 1, 'E1', 'd|file', 'r',"
                " 'o', 'waiting', '', :payload, '', 'f', 'm', '{}', 'm', '', :lineage, false, :at, :at)"
            ),
            {"key": key, "case": case, "payload": b"<old/>", "lineage": b"\x01", "at": at},
        )
    upgrade(empty_url)

    with _opened(empty_url) as ledger:
        [(message, _)] = claims.claim(ledger, begin_run(ledger, "d|file", "r", "deliver"))
        assert evidence.verify(ledger).broken == ()
        with ledger.read() as connection:
            lineage = connection.execute(select(t.message_bytes.c.lineage)).scalar_one()
    assert (message.payload, lineage) == (b"<old/>", b"\x01")


def test_a_message_is_compared_once_before_it_goes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest was taken three times: to compare it, to seal it, and to compare it again."""
    desk.grant("1000")
    orders = [draft(desk.decide(f"P-{number}", number), "commitment.book", 1, "1") for number in range(1, 4)]
    desk.prepare(*orders)
    run = desk.run()
    claims.claim(desk.ledger, run)
    taken: list[str] = []
    words = Piece.words
    monkeypatch.setattr(Piece, "words", lambda piece, row: taken.append(piece.table.name) or words(piece, row))
    claims.begin_sending(desk.ledger, run, [one.identity.key for one in orders])

    assert taken.count("messages") == 2 * len(orders)


@pytest.mark.parametrize(
    "what",
    [update(t.messages).values(file_name="other.xml"), update(t.message_bytes).values(payload=b"<other/>")],
    ids=["itself", "its bytes"],
)
def test_an_altered_message_is_a_point_and_the_others_go(fresh: Fresh, what: Update) -> None:
    """What was compared at the commit is looked at one by one."""
    with _opened(fresh()) as ledger:
        desk = Desk(ledger)
        one, other = (draft(desk.decide(f"P-{number}", number)) for number in (1, 2))
        desk.prepare(one, other)
        run = desk.run(FILES)
        claims.claim(ledger, run)
        with ledger.engine.begin() as connection:
            connection.execute(what.where(what.table.c.key == one.identity.key))

        assert claims.begin_sending(ledger, run, [one.identity.key, other.identity.key]) == [other.identity.key]
        assert [point.message_key for point in desk.points("altered")] == [one.identity.key]


def _statements_of_a_delivery(url: str, count: int) -> dict[str, int]:
    """How many statements each step needs for so many orders, all confirmed."""
    with _opened(url) as ledger:
        desk = Desk(ledger)
        desk.grant("1000000")
        cases = [desk.decide(f"P-{number}", number) for number in range(1, count + 1)]
        orders = [draft(case, "commitment.book", 1, "1", reference=f"F{row}") for row, case in enumerate(cases)]
        results = {one.identity.key: (receipt(one, ReceiptOutcome.CONFIRMED), "") for one in orders}
        preparing = desk.run()
        counted = {"store": _count(ledger, lambda: desk.prepare(*orders, run=preparing))}
        run = desk.run()
        counted["claim"] = _count(ledger, lambda: claims.claim(ledger, run))
        counted["begin"] = _count(ledger, lambda: claims.begin_sending(ledger, run, list(results)))
        counted["settle"] = _count(ledger, lambda: claims.settle_all(ledger, run, results))
        assert {desk.state(one) for one in orders} == {MessageState.CONFIRMED}
    return counted


def _count(ledger: Ledger, work: Callable[[], object]) -> int:
    with _heard(ledger) as said:
        work()
    return len(said)


def _story(
    url: str, sums: Sequence[str], results: Sequence[Result], answers: Sequence[Answer], *, together: bool
) -> dict[str, Any]:
    """Orders for too little money, what became of each, and the answers; all that the ledger holds at the end."""
    with _opened(url) as ledger:
        desk = Desk(ledger)
        desk.grant("900")
        cases = [desk.decide(f"P-{number}", number) for number in range(1, len(sums) + 1)]
        orders = [draft(case, "commitment.book", 1, euros) for case, euros in zip(cases, sums, strict=True)]
        for some in [orders] if together else [[one] for one in orders]:
            desk.prepare(*some)
        run = desk.run()
        claims.claim(ledger, run)
        keys = [order.identity.key for order in orders]
        settled = {
            order.identity.key: (_word(order, result), "note") for order, result in zip(orders, results, strict=True)
        }
        words = [_answer(orders[which], outcome, number, odd) for number, (which, outcome, odd) in enumerate(answers)]
        if together:
            claims.begin_sending(ledger, run, keys)
            claims.settle_all(ledger, run, settled)
            if words:
                desk.hear(*words)
        else:
            for key in keys:
                claims.begin_sending(ledger, run, [key])
            for key, (result, note) in settled.items():
                claims.settle(ledger, run, key, result, note)
            for word in words:
                desk.hear(word)
        assert evidence.verify(ledger).broken == ()
        return _all_that_is_held(ledger)


def _word(order: Draft, result: Result) -> Receipt | MessageState:
    return receipt(order, result) if isinstance(result, ReceiptOutcome) else result


def _answer(order: Draft, outcome: ReceiptOutcome, number: int, odd: bool) -> Receipt:
    more = {"amount": Decimal("1.00"), "warning": True} if odd else {}
    return receipt(order, outcome, external_id=str(number), key=None, **more)


def _all_that_is_held(ledger: Ledger) -> dict[str, Any]:
    a, e, m, s = t.attention.c, t.events.c, t.messages.c, t.attempts.c
    c, b, r = t.commitments.c, t.budgets.c, t.receipts.c
    queries = {
        "messages": select(m.key, m.state, m.note, m.remote_id, m.fence > 0).order_by(m.key),
        "attempts": select(s.message_key, s.before, s.after, s.note).order_by(s.message_key, s.id),
        "events": select(e.case_id, e.kind, e.body).where(e.kind != events.ROWS).order_by(e.case_id, e.seq),
        "commitments": select(c.case_id, c.state, c.booked_cents, c.held_cents, c.reference).order_by(c.case_id),
        "budgets": select(b.area_id, b.committed_cents, b.limit_cents).order_by(b.area_id),
        "points": select(a.kind, a.subject, a.reason, a.answer, a.closed_at.is_(None)).order_by(
            a.kind, a.subject, a.id
        ),
        "receipts": select(r.external_id, r.message_key, r.outcome).order_by(r.external_id),
    }
    with ledger.read() as connection:
        return {name: [tuple(row) for row in connection.execute(query).all()] for name, query in queries.items()}


@contextmanager
def _opened(url: str) -> Iterator[Ledger]:
    ledger = Ledger(make_engine(url))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _heard(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """What the database is told meanwhile; many rows at once are one statement."""
    said: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, sql: str, given: Any, *_: Any) -> None:
        said.append((sql, given))

    event.listen(ledger.engine, "before_cursor_execute", listen)
    yield said
    event.remove(ledger.engine, "before_cursor_execute", listen)
