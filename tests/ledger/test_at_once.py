"""What two workers do at once is what they do one after the other: no door of the ledger fails for it (F5, F29).

Each door is called twice with the same arguments, once one call after the other and once both at once, on PostgreSQL:
there two transactions really meet. A commit takes a moment here, so that whoever reads before it and writes behind it
does so every time.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, LargeBinary, event, select, text, update

from kiezbruecke import attention, ledger
from kiezbruecke.connector import Item, Ticket
from kiezbruecke.connector.protocols import Gap
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger import (
    Ledger,
    MessageState,
    Run,
    accounts,
    anchors,
    areas,
    begin_run,
    carriers,
    changes,
    claims,
    drafts,
    end_run,
    events,
    evidence,
    finding,
    handed,
    history,
    mails,
    money,
    pauses,
    recoveries,
    releases,
    reset,
    rotation,
    takeover,
    todo,
    uploads,
)
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.changes import Look
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.history import Origin, Taken
from kiezbruecke.ledger.lineage import MappingVersion
from kiezbruecke.ledger.moves import message_rows
from kiezbruecke.ledger.people import signed
from kiezbruecke.ledger.todo import Kind, Point
from kiezbruecke.ledger.witness import Tally
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.vault import Vault
from tests.builders import a_budget, a_proposal, by
from tests.ledger.conftest import AREA, EFILE, FILES, HKR, MONEY, PROCESS, VAULT, YEAR, Desk, Fresh, draft, receipt

ORIGIN, LOOK = Origin("meinberlin-tk", PROCESS, "spk-tk", keeps_unread=True), Look(1, "inputs")
MARK, WHEN = "m" * 64, datetime(2026, 5, 4, tzinfo=UTC)
A_MOMENT = 0.04  # seconds that a commit takes here: some statements
LONG = 10  # seconds: a door waits for the other one, and for nothing else


@dataclass
class Work:
    """What the doors work on: a message that waits for the e-file and one for the budget system, a run for each."""

    desk: Desk
    filed: Draft = field(init=False)
    booked: Draft = field(init=False)
    files: Run = field(init=False)
    orders: Run = field(init=False)
    seen: Any = None  # what a door's person has seen before

    def __post_init__(self) -> None:
        self.desk.grant("2000")
        case = self.desk.decide()
        self.filed, self.booked = draft(case), self.desk.book(case, "850")
        self.desk.prepare(self.filed)
        self.renew()

    def renew(self) -> None:
        """Newer runs."""
        self.files, self.orders = self.desk.run(FILES), self.desk.run(MONEY)

    @property
    def ledger(self) -> Ledger:
        return self.desk.ledger

    @property
    def case(self) -> UUID:
        return self.filed.identity.case_id

    @property
    def key(self) -> UUID:
        return self.filed.identity.key


@dataclass(frozen=True)
class Door:
    """How a door is called, and what is there before."""

    call: Callable[[Work], object]
    before: Callable[[Work], object] = lambda _: None


@dataclass(frozen=True)
class Sum:
    """What a finance system says of an area."""

    area: str = AREA
    committed: Decimal = Decimal(5)
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)


def claimed(work: Work) -> None:
    claims.claim(work.ledger, work.files)


def sending(work: Work) -> None:
    claimed(work)
    claims.begin_sending(work.ledger, work.files, [work.key])


def delivered(work: Work) -> None:
    sending(work)
    claims.settle(work.ledger, work.files, work.key, MessageState.DELIVERED)


def refused(work: Work) -> None:
    sending(work)
    claims.settle(work.ledger, work.files, work.key, MessageState.REFUSED)


def left_behind(work: Work) -> None:
    sending(work)
    work.renew()


def in_doubt(work: Work) -> None:
    left_behind(work)
    claims.take_over(work.ledger, work.files)


def carried(work: Work) -> None:
    batch(work)
    work.renew()


def batch(work: Work) -> object:
    made = claims.claim_batch(work.ledger, work.orders, lambda *_: ("f", b"x"), year=YEAR, test=False, full_list=False)
    return made and (made[0].head.id, len(made[1]))


def heard(work: Work, outcome: ReceiptOutcome = ReceiptOutcome.CONFIRMED) -> Any:
    return receipt(work.filed, outcome)


def heard_too_early(work: Work) -> None:
    work.seen = draft(work.desk.decide("P-9", 9))
    work.desk.hear(receipt(work.seen, ReceiptOutcome.CONFIRMED))
    work.desk.prepare(work.seen)
    work.renew()


def proposals(work: Work) -> object:
    """New cases, a budget line, and what nobody can read."""
    new = [a_proposal(external_id=str(number), reference_number=f"2026-{number:05}") for number in (1, 2)]
    taken = [Taken(Item("proposal", one.external_id, {}), (one,), input="x") for one in new]
    odd = Taken(Item("proposal", "3", {"title": "?"}), problem="Das ist nicht lesbar")
    budget = Taken(Item("budget-line", "b:1", {}), (a_budget(),))
    stored = history.store(work.ledger, work.orders, ORIGIN, [*taken, odd, budget], "7")
    return stored.counts


def changed_behind(work: Work) -> None:
    with work.ledger.write() as connection:
        connection.execute(update(t.messages).where(t.messages.c.key == work.key).values(note="?"))


def counted(work: Work) -> None:
    with changes.alone(work.ledger, work.files) as connection:
        areas.count(connection, {work.case: areas.Counted(AREA, 85_000)})


def messages(work: Work) -> object:
    """One for the e-file with its mapping's numbers, and one more than the budget has."""
    cases = [work.desk.decide(f"P-{number}", number) for number in (7, 8)] if work.seen is None else work.seen
    work.seen = cases
    wanted = [draft(cases[0]), *(draft(case, "commitment.book", 1, "900") for case in cases)]
    points = drafts.add_messages(work.ledger, work.files, wanted, "spk-tk", MappingVersion("d" * 64, "xdomea", 1))
    return [point.subject for point in points]


def two_cases(work: Work) -> None:
    work.seen = [work.desk.decide(f"P-{number}", number) for number in (7, 8)]


def noticed(work: Work) -> None:
    recoveries.notice(work.ledger, {EFILE: Tally(7, 1)}, "Zeuge")


def asked_in_doubt(work: Work) -> None:
    in_doubt(work)
    open_doubt(work)
    work.seen = work.desk.points(Kind.IN_DOUBT)[0]


def open_doubt(work: Work) -> None:
    message = claims.find_message(work.ledger, work.key)
    assert message is not None
    claims.open_doubt(work.ledger, work.files, message, "spk-tk", "")


def sealed_by_an_older_key(work: Work) -> None:
    """A dry run of a payment, and the vault of tomorrow."""
    order = draft(work.case, "payment.order", 1, "850")
    drafts.add_previews(work.ledger, work.files, [order])
    keys = VAULT.keys.with_another()
    work.seen = Ledger(work.ledger.engine, Vault(lambda: keys))


def a_point(work: Work) -> Point:
    return Point(Kind.SET_ASIDE, f"kk-tk-eakte:{work.case}", "kk-tk-eakte", "spk-tk", "wartet", (), work.case)


def theirs(work: Work) -> object:
    given = [(work.case, [takeover.Theirs(work.filed, heard(work))])]
    return takeover.take_over(work.ledger, work.files, given)


DOORS: dict[str, Door] = {
    "accounts.note_account": Door(
        lambda w: accounts.note_account(w.ledger, w.case, [MARK], signed(by("A. Muster"), "Rückfrage", "case"))
    ),
    "anchors.drop_anchor": Door(lambda w: (found := anchors.drop_anchor(w.ledger)) and found.seq),
    "attention.decide": Door(
        lambda w: attention.decide(w.ledger, w.seen, "angekommen", person=by("A. Muster"), reason="da"), asked_in_doubt
    ),
    "carriers.free": Door(lambda w: carriers.free(w.ledger, w.orders, [w.booked.identity.key]), carried),
    "changes.alone": Door(counted),
    "changes.keep_verdicts": Door(lambda w: changes.keep_verdicts(w.ledger, w.files, PROCESS, LOOK, {AREA: "d"})),
    "changes.remember_look": Door(lambda w: changes.remember_look(w.ledger, w.files, LOOK)),
    "claims.begin_sending": Door(lambda w: claims.begin_sending(w.ledger, w.files, [w.key]), claimed),
    "claims.claim": Door(lambda w: len(claims.claim(w.ledger, w.files))),
    "claims.claim_batch": Door(batch),
    "claims.keep_tickets": Door(lambda w: claims.keep_tickets(w.ledger, w.files, {w.key: Ticket("x")}), claimed),
    "claims.note_receipts": Door(lambda w: claims.note_receipts(w.ledger, w.files, {w.key: heard(w)}), delivered),
    "claims.open_doubt": Door(open_doubt, in_doubt),
    "claims.send_again": Door(lambda w: claims.send_again(w.ledger, w.files, w.key, "", by("A. Muster")), in_doubt),
    "claims.settle_all": Door(
        lambda w: claims.settle_all(w.ledger, w.files, {w.key: (MessageState.DELIVERED, "")}), sending
    ),
    "claims.settle_doubt": Door(lambda w: claims.settle_doubt(w.ledger, w.files, w.key, ""), in_doubt),
    "claims.take_over": Door(lambda w: claims.take_over(w.ledger, w.files), left_behind),
    "claims.withdraw": Door(lambda w: claims.withdraw(w.ledger, w.files, [w.key])),
    "drafts.add_baseline": Door(
        lambda w: drafts.add_baseline(w.ledger, FILES, [w.case], person=by("A. Muster"), reason="getippt")
    ),
    "drafts.add_messages": Door(messages, two_cases),
    "drafts.add_previews": Door(lambda w: drafts.add_previews(w.ledger, w.files, [w.filed])),
    "drafts.finish_prepare": Door(lambda w: drafts.finish_prepare(w.ledger, w.files, [a_point(w)], began=WHEN)),
    "drafts.take_vouchers": Door(lambda w: drafts.take_vouchers(w.ledger, HKR, YEAR, 2)),
    "events.note_opening": Door(lambda w: events.note_opening(w.ledger, by("A. Muster"), w.case, "Bescheid")),
    "evidence.accept": Door(
        lambda w: evidence.accept(w.ledger, person=by("A. Muster"), reason="mit Absicht"), changed_behind
    ),
    "finding.keep_findable": Door(lambda w: finding.keep_findable(w.ledger) is None),
    "finding.search_cases": Door(lambda w: [one.reference for one in finding.search_cases(w.ledger, "P-1", 5)]),
    "handed.write_down": Door(lambda w: handed.write_down(w.ledger, "listen", "kk-tk", "a" * 64, by("A. Muster"))),
    "history.mark_gone": Door(lambda w: history.mark_gone(w.ledger, w.orders, ORIGIN, ("proposal",), ["2"]), proposals),
    "history.store": Door(proposals),
    "history.tell_gaps": Door(lambda w: history.tell_gaps(w.ledger, w.files, ORIGIN, [Gap("modul 7", "fehlt")])),
    "mails.begin": Door(lambda w: mails.begin(w.ledger, "spk-tk", "morning 2026-04-25")),
    "mails.end": Door(lambda w: mails.end(w.ledger, "spk-tk", "morning 2026-04-25", sent=True)),
    "money.set_budgets": Door(lambda w: money.set_budgets(w.ledger, w.orders, [a_budget(area_id="090311")])),
    "money.store_theirs": Door(lambda w: money.store_theirs(w.ledger, w.orders, HKR, YEAR, [Sum()])),
    "pauses.pause_destination": Door(
        lambda w: pauses.pause_destination(w.ledger, HKR, True, person=by("A. Muster"), reason="Wartung")
    ),
    "pauses.set_paused": Door(
        lambda w: pauses.set_paused(w.ledger, "kk-tk-hkr", True, person=by("A. Muster"), reason="Wartung")
    ),
    "recoveries.add_step": Door(
        lambda w: recoveries.add_step(w.ledger, EFILE, recoveries.StepKind.ASKED, {"asked": 1}), noticed
    ),
    "recoveries.dissolve_carriers": Door(lambda w: recoveries.dissolve_carriers(w.ledger, w.orders, HKR), carried),
    "recoveries.end": Door(
        lambda w: recoveries.end(
            w.ledger, EFILE, recoveries.StepKind.ENDED, Tally(7, 1), signed(by("A. Muster"), "abgeglichen", EFILE)
        ),
        noticed,
    ),
    "recoveries.notice": Door(lambda w: recoveries.notice(w.ledger, {EFILE: Tally(7, 1)}, "Zeuge")),
    "releases.put_back_what_ran_out": Door(lambda w: releases.put_back_what_ran_out(w.ledger)),
    "reset.reset_destination": Door(
        lambda w: reset.reset_destination(w.ledger, HKR, person=by("A. Muster"), reason="neu aufgebaut")
    ),
    "rotation.seal_anew": Door(lambda w: rotation.seal_anew(w.seen) in (0, 1), sealed_by_an_older_key),
    "runs.begin_run": Door(lambda w: begin_run(w.ledger, f"{HKR}|new", "kk-tk-hkr", "deliver").fence > 0),
    "runs.begin_run of the next step": Door(
        lambda w: begin_run(w.ledger, FILES, "kk-tk-eakte", "deliver", after=w.files).fence
    ),
    "runs.end_run": Door(lambda w: end_run(w.ledger, w.files, {"sent": 1})),
    "takeover.hold_for_a_person": Door(
        lambda w: takeover.hold_for_a_person(w.ledger, w.files, [w.key], "spk-tk"), in_doubt
    ),
    "takeover.match_again": Door(lambda w: takeover.match_again(w.ledger, w.files, EFILE), heard_too_early),
    "takeover.settle_refused": Door(lambda w: takeover.settle_refused(w.ledger, w.files, w.key, heard(w)), refused),
    "takeover.take_over": Door(theirs),
    "takeover.tell_found": Door(lambda w: takeover.tell_found(w.ledger, w.files, [w.key])),
    "todo.raise_point": Door(lambda w: in_one(w, lambda c: todo.raise_point(c, a_point(w)))),
    "uploads.drop_old_uploads": Door(lambda w: uploads.drop_old_uploads(w.ledger)),
    "uploads.keep_upload": Door(
        lambda w: uploads.keep_upload(w.ledger, VAULT, "airflow:klara", "a" * 64, "liste.xlsx", b"x")
    ),
}


def in_one(work: Work, write: Callable[[Any], object]) -> None:
    with work.ledger.write() as connection:
        write(connection)


@pytest.mark.parametrize("name", DOORS)
def test_at_once_is_as_one_after_the_other(place: str, name: str) -> None:
    """No error that a single worker would not have had, and in the ledger what two calls in a row leave there."""
    door = DOORS[name]
    with work_at(place) as work:
        door.before(work)
        in_a_row, expected = sorted([said(door, work), said(door, work)]), picture(work.ledger)
    with work_at(place) as work:
        door.before(work)
        slow_commits(work.ledger)
        answers, found = sorted(at_once([lambda: said(door, work)] * 2)), picture(work.ledger)
        broken = evidence.verify(work.ledger).broken

    assert answers == in_a_row
    assert found == expected
    assert broken == ()


def test_every_door_is_tried() -> None:
    """Whoever adds a function that writes adds it here: all public ones of the ledger that open a transaction."""
    writing = set()
    for file in Path(ledger.__file__).parent.glob("*.py"):
        for one in ast.parse(file.read_text("utf-8")).body:
            if isinstance(one, ast.FunctionDef) and not one.name.startswith("_") and ".write()" in ast.unparse(one):
                writing.add(f"{file.stem}.{one.name}")

    assert writing - DOORS.keys() == {"database.upgrade"}  # below, in processes of its own


def test_a_claim_that_meets_what_was_changed_waits_crosswise_for_nobody(place: str) -> None:
    """It has locked messages without waiting for its turn; whoever has the turn may want the same messages."""
    with work_at(place) as work:
        changed_behind(work)
        has_the_turn = Event()

        def other() -> str:
            with work.ledger.write() as connection:
                one_at_a_time(connection)
                has_the_turn.set()
                time.sleep(10 * A_MOMENT)
                return str(len(message_rows(connection, [work.key])))

        def claim() -> str:
            has_the_turn.wait(LONG)
            return str(len(claims.claim(work.ledger, work.files)))

        assert at_once([other, claim]) == ["1", "0"]
        assert [one.kind for one in work.desk.points()] == [Kind.ALTERED]


def test_many_at_once_wait_for_each_other_and_for_nothing_else(place: str) -> None:
    """A server of the page has forty threads and one ledger: who waits must not hold what the others need."""
    with work_at(place) as work:
        pause = DOORS["pauses.set_paused"]
        begun = time.monotonic()
        answers = at_once([lambda: said(pause, work)] * 40)
        took = time.monotonic() - begun

    assert answers == ["None"] * 40
    assert took < LONG


def test_two_upgrades_at_once_make_one_schema(one_postgres: Any) -> None:
    """Two containers that start, or an impatient Enter: the second finds what the first has made."""
    url = one_postgres.create_database()
    code = f"from kiezbruecke.ledger import upgrade; upgrade({url!r})"
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [one.communicate(timeout=120)[1] for one in both]

    assert errors == ["", ""]
    with closing(ledger.open_ledger(url)) as opened:
        assert opened.postgresql


@pytest.fixture(scope="module")
def place(fresh_postgresql: Fresh) -> str:
    """The address of one ledger for all these tests: a hundred databases are a minute's work to take away again."""
    return fresh_postgresql()


@contextmanager
def work_at(place: str) -> Iterator[Work]:
    """A desk with its work, in this ledger emptied."""
    with closing(Ledger(make_engine(place), VAULT)) as emptied:
        with emptied.write() as connection:
            tables = ", ".join(table.name for table in t.metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
        yield Work(Desk(emptied))


def slow_commits(ledger_: Ledger) -> None:
    """Between what a transaction has written and its commit the other one has time to read."""
    event.listen(ledger_.engine, "commit", lambda _: time.sleep(A_MOMENT))


def at_once(calls: Sequence[Callable[[], str]]) -> list[str]:
    """What each call says; all begin in the same moment."""
    gate = Barrier(len(calls))

    def begin(call: Callable[[], str]) -> str:
        gate.wait(LONG)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(begin, calls))


def said(door: Door, work: Work) -> str:
    """What a call gives back, or which of our own errors it raises; any other is a failure."""
    try:
        return repr(door.call(work))
    except KiezbrueckeError as error:
        return f"{type(error).__name__}: {error.what}"


_OF_THE_MOMENT = (t.Moment, LargeBinary)  # times, and bytes that are sealed anew each time
_DIGESTS = {  # of such
    *(t.events.c.hash, t.events.c.previous, t.cases.c.last_hash, t.journals.c.last_hash),
    *(t.anchors.c.hash, t.anchors.c.previous, t.anchors.c.digest, t.anchored.c.hash),
}


def picture(ledger_: Ledger) -> dict[str, list[str]]:
    """All rows of all tables, but for what is of the moment."""
    with ledger_.read() as connection:
        return {
            table.name: sorted(repr(tuple(_shown(*one) for one in zip(table.c, row, strict=True))) for row in rows)
            for table in t.metadata.sorted_tables
            for rows in [connection.execute(select(table)).all()]
        }


def _shown(column: Column[Any], value: Any) -> Any:
    if column in _DIGESTS or (isinstance(column.type, _OF_THE_MOMENT) and value is not None):
        return "…"
    if column is t.events.c.rows and value:
        return sorted(json.loads(value))
    return value
