"""A run that looks only at what has changed finds what a look at everything would find: always the same due effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kiezbruecke import attention, pipeline
from kiezbruecke.connector import Connection, Item
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState, begin_run, changes, claims, history, todo
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.drafts import add_baseline
from kiezbruecke.ledger.history import Origin, Taken
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.records import BudgetStatus, Outcome, ProposalStatus, Receipt, ReceiptOutcome, Record
from kiezbruecke.records.identity import case_id
from kiezbruecke.stages import preparing
from tests.builders import GRUENAU, MUEGGELHEIM, PROCESS, ROOT, a_budget, a_line, a_proposal, by

ROUTES = ("kk-tk-eakte", "kk-tk-hkr", "kk-tk-statusliste")
LANES = {
    "kk-tk-eakte": ("eakte-tk", "file"),
    "kk-tk-hkr": ("hkr-tk", "commitment"),
    "kk-tk-statusliste": ("statusliste-tk", "status"),
}
TYPES = {"eakte-tk": "kb_xta", "hkr-tk": "kb_hkr", "statusliste-tk": "kb_folder"}
REFERENCES = ("2026-00001", "2026-00002", "P-1")


@dataclass
class History:
    """A district that things happen to, one after the other."""

    house: House
    numbers: Iterator[int]

    @property
    def ledger(self) -> Ledger:
        return self.house.ledger

    # -- what happens ----------------------------------------------------------------------------------------

    def decide(self, reference: str, outcome: Outcome, euros: int, area: str, correction: bool) -> None:
        """A line of a decision sheet; a later one may correct it."""
        number = next(self.numbers)
        amount = f"{euros}.00" if outcome.grants else None
        why = {"correction": True, "reason": "berichtigt"} if correction else {}
        line = a_line(outcome, amount, reference_number=reference, area_id=area, sheet=f"l{number}", **why)
        self._store("beschluesse-tk", "decision-line", line.origin, line)

    def propose(self, reference: str, asked: int, status: ProposalStatus, area: str | None) -> None:
        """The platform says something about a proposal."""
        origin = "module" if area else "unknown"
        proposal = a_proposal(
            f"{asked}.00", reference_number=reference, external_id=reference, status=status, area_id=area,
            area_origin=origin,
        )  # fmt: skip
        self._store("meinberlin-tk", "proposal", reference, proposal)

    def vanish(self, reference: str) -> None:
        """The platform's full listing lacks one proposal."""
        seen = [one for one in REFERENCES if one != reference]
        history.mark_gone(
            self.ledger, self._run("meinberlin-tk|collect"), self._origin("meinberlin-tk"), ("proposal",), seen
        )

    def budget(self, area: str, euros: int, status: BudgetStatus, reason: str, chapter: str) -> None:
        """A line of a budget sheet."""
        number = next(self.numbers)
        line = a_budget(f"{euros}.00", status, area_id=area, row=number, reason=reason, chapter=chapter)
        self._store("budgets-tk", "budget-line", line.origin, line)

    def send(self, route: str, outcome: ReceiptOutcome | None) -> None:
        """What waits in a lane goes out; without an outcome nobody knows what became of it."""
        run = self._run("|".join((*LANES[route], PROCESS.id)), route)
        taken = claims.claim(self.ledger, run)
        claims.begin_sending(self.ledger, run, [message.key for message, _ in taken])
        for message, _ in taken:
            word = Receipt(
                source=message.destination, external_id=f"{message.key}{next(self.numbers)}", key=message.key,
                outcome=outcome or ReceiptOutcome.NOTED, event="Wort",
            )  # fmt: skip
            claims.settle(self.ledger, run, message.key, word if outcome else MessageState.IN_DOUBT)

    def answer(self, index: int, outcome: ReceiptOutcome, amount: int | None) -> None:
        """A word about some message comes home later, perhaps with another sum."""
        with self.ledger.read() as connection:
            rows = connection.execute(
                select(t.messages.c.key, t.messages.c.destination).order_by(t.messages.c.key)
            ).all()
        if rows:
            row = rows[index % len(rows)]
            word = Receipt(
                source=row.destination, external_id=str(next(self.numbers)), key=row.key, outcome=outcome, event="Wort",
                amount=None if amount is None else Decimal(amount),
            )  # fmt: skip
            self._store(row.destination, "rueckmeldung", word.external_id, word)

    def answer_all(self, outcome: ReceiptOutcome) -> None:
        """A word about every message comes home."""
        with self.ledger.read() as connection:
            count_ = len(connection.execute(select(t.messages.c.key)).all())
        for index in range(count_):
            self.answer(index, outcome, None)

    def say(self, index: int, choice: int) -> None:
        """A person answers some open point."""
        points = [point for point in todo.open_points(self.ledger) if point.answers]
        if points:
            point = points[index % len(points)]
            answer = point.answers[choice % len(point.answers)]
            attention.decide(self.ledger, point, answer, person=by("A. Muster"), reason="geklärt")

    def baseline(self, reference: str, route: str) -> None:
        """A case was typed by hand before go-live."""
        area = MUEGGELHEIM if reference.startswith("P") else ""
        case = case_id(PROCESS.id, reference, area)
        with self.ledger.read() as connection:
            known = connection.execute(select(t.cases.c.id).where(t.cases.c.id == case)).one_or_none()
        if known:
            lane = "|".join((*LANES[route], PROCESS.id))
            add_baseline(self.ledger, lane, [case], person=by("A. Muster"), reason="von Hand")

    def reset(self, route: str) -> None:
        """A destination was rebuilt and knows nothing any more."""
        reset_destination(self.ledger, LANES[route][0], person=by("A. Muster"), reason="neu aufgebaut")

    def prepare_all(self) -> None:
        """All routes run in between, as the clock has it: what happens next is all that they have not seen."""
        for route in ROUTES:
            pipeline.prepare(self.house, route)

    # -- what must hold --------------------------------------------------------------------------------------

    def check(self) -> None:
        """After a look at what has changed, a look at everything finds nothing more; so does a case read alone."""
        self._compare_alone()
        for route in ROUTES:
            pipeline.prepare(self.house, route)
            told = self._told()
            counts = pipeline.prepare(self.house, route, everything=True)

            assert counts.get("prepared", 0) == 0, f"{route} had overlooked something"
            assert self._told() == told, route
        self._compare_alone()

    def _compare_alone(self) -> None:
        """The desk reads one case and adds up what was counted of the others."""
        for standing in attention.read_standings(self.ledger, PROCESS):
            assert attention.read_standing(self.ledger, PROCESS, standing.case) == standing

    def _told(self) -> tuple[Any, ...]:
        with self.ledger.read() as connection:
            m = t.messages.c
            messages = connection.execute(select(m.key, m.state, m.basis).order_by(m.key)).all()
        points = sorted((point.id, point.kind, point.subject, point.reason) for point in todo.open_points(self.ledger))
        return messages, points

    def _store(self, source: str, kind: str, external_id: str, record: Record) -> None:
        taken = [Taken(Item(kind, external_id, {}, raw=b"raw"), (record,))]
        history.store(self.ledger, self._run(f"{source}|collect"), self._origin(source), taken, "")

    def _origin(self, source: str) -> Origin:
        return Origin(source, PROCESS.id, "spk-tk")

    def _run(self, lane: str, route: str = "kk-tk-collect") -> Any:
        return begin_run(self.ledger, lane, route, "test")


_areas = st.sampled_from((MUEGGELHEIM, GRUENAU))
_references = st.sampled_from(REFERENCES)
_routes = st.sampled_from(ROUTES)
_euros = st.sampled_from((300, 850, 1000))
_outcomes = st.sampled_from((ReceiptOutcome.DELIVERED, ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED))
_small = st.integers(0, 5)


def _of(name: str, *values: Any) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*values))


HAPPENINGS = st.one_of(
    _of(
        "decide",
        _references,
        st.sampled_from((Outcome.ACCEPTED, Outcome.REJECTED, Outcome.WAITING_LIST)),
        _euros,
        _areas,
        st.booleans(),
    ),
    _of(
        "propose",
        st.sampled_from(REFERENCES[:2]),
        _euros,
        st.sampled_from((ProposalStatus.SUBMITTED, ProposalStatus.REJECTED)),
        st.one_of(st.none(), _areas),
    ),
    _of("vanish", st.sampled_from(REFERENCES[:2])),
    _of(
        "budget",
        _areas,
        st.sampled_from((500, 1500, 4000)),
        st.sampled_from((BudgetStatus.RELEASED, BudgetStatus.RELEASED, BudgetStatus.BLOCKED)),
        st.sampled_from(("", "Nachtrag")),
        st.sampled_from(("5950", "5951")),
    ),
    _of("send", _routes, st.one_of(st.none(), _outcomes)),
    _of("answer", _small, _outcomes, st.one_of(st.none(), st.just(1))),
    _of("say", _small, _small),
    _of("baseline", _references, _routes),
    _of("reset", _routes),
)


Happenings = list[tuple[str, tuple[Any, ...]]]
_ASKED = ("propose", ("2026-00001", 1000, ProposalStatus.SUBMITTED, MUEGGELHEIM))
_VOTED = ("decide", ("2026-00001", Outcome.ACCEPTED, 850, MUEGGELHEIM, False))
_BESIDES = ("decide", ("P-1", Outcome.ACCEPTED, 300, MUEGGELHEIM, False))
_POOR = ("budget", (MUEGGELHEIM, 1000, BudgetStatus.RELEASED, "", "5950"))
_RICH = ("budget", (MUEGGELHEIM, 4000, BudgetStatus.RELEASED, "Nachtrag", "5950"))
_READ = ("send", ("kk-tk-statusliste", ReceiptOutcome.CONFIRMED))
_SENT = ("send", ("kk-tk-eakte", ReceiptOutcome.CONFIRMED))
SINGLE: dict[str, tuple[Happenings, tuple[str, tuple[Any, ...]], str]] = {
    "a decision": ([_POOR, _ASKED], _VOTED, "kk-tk-eakte"),
    "a proposal that arrives at last": ([_POOR, _VOTED], _ASKED, "kk-tk-eakte"),
    "a budget that is raised": ([_POOR, _ASKED, _VOTED, _BESIDES], _RICH, "kk-tk-hkr"),
    "another case of the area that is taken back": (
        [_POOR, _ASKED, _VOTED, _BESIDES],
        ("decide", ("P-1", Outcome.REJECTED, 0, MUEGGELHEIM, True)),
        "kk-tk-eakte",
    ),
    "a person who releases more than asked": (
        [_RICH, ("propose", ("2026-00001", 300, ProposalStatus.SUBMITTED, MUEGGELHEIM)), _VOTED],
        ("say", (0, 0)),
        "kk-tk-hkr",
    ),
    "a proposal that is back": (
        [_RICH, _ASKED, ("vanish", ("2026-00001",)), _VOTED],
        ("propose", ("2026-00001", 1000, ProposalStatus.SUBMITTED, MUEGGELHEIM)),
        "kk-tk-eakte",
    ),
    "a refusal that goes anew": (
        [_RICH, _ASKED, _VOTED, ("prepare_all", ()), ("send", ("kk-tk-hkr", ReceiptOutcome.REFUSED))],
        ("say", (0, 0)),
        "kk-tk-hkr",
    ),
    "a destination that was rebuilt": (
        [_RICH, _ASKED, _VOTED, ("prepare_all", ()), _SENT],
        ("reset", ("kk-tk-eakte",)),
        "kk-tk-eakte",
    ),
    "a booking that is confirmed": (
        [_RICH, _ASKED, _VOTED, ("prepare_all", ()), ("send", ("kk-tk-hkr", ReceiptOutcome.DELIVERED)), _READ],
        ("answer_all", (ReceiptOutcome.CONFIRMED,)),
        "kk-tk-statusliste",
    ),
}


@pytest.mark.parametrize("what", SINGLE)
def test_a_single_change_is_seen(ledger: Ledger, what: str) -> None:
    """All routes have looked; then one thing happens, and what it makes due is due in the next run."""
    before, then, route = SINGLE[what]
    told = History(_house(ledger), count(1))
    for name, values in before:
        getattr(told, name)(*values)
    told.prepare_all()
    told.prepare_all()  # what the first one changed itself is looked at once more
    name, values = then
    getattr(told, name)(*values)

    seen = pipeline.prepare(told.house, route)

    # what goes anew waits: its destination is asked before, and nobody answers here
    assert seen.get("set_aside" if what == "a refusal that goes anew" else "prepared", 0) >= 1
    told.check()


def test_money_that_another_case_gives_back_is_seen(ledger: Ledger) -> None:
    """No number tells it: the case that waits for it has not changed, and its area's votes fit all the time."""
    told = History(_house(ledger), count(1))
    told.budget(MUEGGELHEIM, 1000, BudgetStatus.RELEASED, "", "5950")
    told.decide("P-1", Outcome.ACCEPTED, 1000, MUEGGELHEIM, correction=False)
    for outcome in (ReceiptOutcome.CONFIRMED, None):
        told.prepare_all()
        if outcome:
            told.send("kk-tk-hkr", outcome)
            told.decide("P-1", Outcome.ACCEPTED_REDUCED, 300, MUEGGELHEIM, correction=True)
    told.decide("P-2", Outcome.ACCEPTED, 700, MUEGGELHEIM, correction=False)
    told.prepare_all()
    told.prepare_all()  # the point that it opened was a change of its own; from here on nothing changes
    waits = [point.reason for point in todo.open_points(ledger)]
    told.send("kk-tk-hkr", ReceiptOutcome.CONFIRMED)  # only now 700 are free
    counts = pipeline.prepare(told.house, "kk-tk-hkr")

    assert any("Das Budget der Bezirksregion reicht nicht" in reason for reason in waits)
    assert counts["prepared"] == 1


def test_a_slower_route_brings_back_no_older_sum(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Routes of one process do not fence each other: what one has read is counted before another can know better."""
    told = History(_house(ledger), count(1))
    told.budget(MUEGGELHEIM, 1000, BudgetStatus.RELEASED, "", "5950")
    told.decide("P-1", Outcome.REJECTED, 0, MUEGGELHEIM, correction=False)
    told.baseline("P-1", "kk-tk-eakte")
    told.prepare_all()
    read, begun = preparing.read_cases, []

    def correct_and_look() -> None:
        told.decide("P-1", Outcome.ACCEPTED, 850, MUEGGELHEIM, correction=True)
        pipeline.prepare(told.house, "kk-tk-eakte")

    def read_slowly(connection: Any, wanted: Any) -> Any:
        cases = read(connection, wanted)
        if not begun:  # the others wait until these cases are counted, or whoever counts sees what they have changed
            begun.append(True)
            wait([pool.submit(correct_and_look)], timeout=1)
        return cases

    monkeypatch.setattr(preparing, "read_cases", read_slowly)
    with ThreadPoolExecutor(1) as pool:
        pipeline.prepare(told.house, "kk-tk-statusliste", everything=True)
    monkeypatch.undo()
    told.decide("P-2", Outcome.ACCEPTED, 300, MUEGGELHEIM, correction=False)
    pipeline.prepare(told.house, "kk-tk-eakte")

    assert changes.read_sums(ledger, PROCESS.id) == {MUEGGELHEIM: 115000}
    assert any("übersteigen das Budget um 150,00" in point.reason for point in todo.open_points(ledger))


def test_what_was_written_before_a_reset_is_not_stored(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rebuilt destination would get it beside its successor: two files for one case."""
    told = History(_house(ledger), count(1))
    told.budget(MUEGGELHEIM, 4000, BudgetStatus.RELEASED, "", "5950")
    told.decide("P-1", Outcome.ACCEPTED, 850, MUEGGELHEIM, correction=False)
    write = preparing.write_messages

    def write_then_reset(*given: Any) -> Any:
        written = write(*given)
        monkeypatch.undo()
        told.reset("kk-tk-eakte")
        return written

    monkeypatch.setattr(preparing, "write_messages", write_then_reset)
    counts = pipeline.prepare(told.house, "kk-tk-eakte")
    pipeline.prepare(told.house, "kk-tk-eakte")
    with ledger.read() as connection:
        generations = connection.execute(select(t.messages.c.generation)).scalars().all()

    assert counts["overtaken"] == 1
    assert generations == [2]


def _house(ledger: Ledger) -> House:
    return House(ROOT, ledger, lambda name: Connection(name, TYPES[name], host="http://127.0.0.1:9"))


def _live(history_: History, happened: list[tuple[str, tuple[Any, ...]]]) -> None:
    history_.budget(MUEGGELHEIM, 4000, BudgetStatus.RELEASED, "", "5950")
    history_.budget(GRUENAU, 1500, BudgetStatus.RELEASED, "", "5950")
    history_.propose("2026-00001", 1000, ProposalStatus.SUBMITTED, MUEGGELHEIM)
    history_.decide("2026-00001", Outcome.ACCEPTED, 850, MUEGGELHEIM, correction=False)
    history_.decide("P-1", Outcome.ACCEPTED, 300, MUEGGELHEIM, correction=False)
    for name, values in happened:
        history_.prepare_all()
        getattr(history_, name)(*values)
    history_.check()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(happened=st.lists(HAPPENINGS, min_size=2, max_size=7))
def test_nothing_that_is_due_is_overlooked_sqlite(fresh_sqlite: Callable[[], str], happened: list[Any]) -> None:
    """Records, answers, budgets, baselines, resets, other routes in between: whatever happened, it is seen."""
    _on(fresh_sqlite(), happened)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(happened=st.lists(HAPPENINGS, min_size=2, max_size=7))
def test_nothing_that_is_due_is_overlooked_postgresql(fresh_postgresql: Callable[[], str], happened: list[Any]) -> None:
    """The same on the other database."""
    _on(fresh_postgresql(), happened)


def _on(url: str, happened: list[Any]) -> None:
    from kiezbruecke.ledger.database import make_engine

    ledger = Ledger(make_engine(url))
    try:
        _live(History(_house(ledger), count(1)), happened)
    finally:
        ledger.close()
