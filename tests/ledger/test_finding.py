"""What cases are found by: a part of whatever people know of one, kept up to date by whoever searches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, event, select, update

from kiezbruecke.ledger import evidence, finding
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.finding import Known, how_far, keep_findable, search_cases
from kiezbruecke.records import ReceiptOutcome
from tests.ledger.conftest import PROCESS, Desk


class Killed(Exception):
    """Stands for the end of the process: nothing of ours catches it."""


def found(desk: Desk, part: str, *processes: str) -> list[str]:
    """Reference numbers."""
    return [one.reference for one in search_cases(desk.ledger, part, 50, processes or None)]


@pytest.mark.parametrize(
    "part", ["P-1", "p-1", "bank am", "ÖFFENTLICHE", "straße", "STRASSE", "KK26-", "-F1", "AZ 4711", "711", "100%_"]
)
def test_a_case_is_found_by_what_somebody_remembers(desk: Desk, part: str) -> None:
    """A part of number, title, Fremdkennzeichen or the other side's number; capitals and umlauts make no difference."""
    desk.grant("2600.00")
    case = desk.decide("P-1", title="Öffentliche Bank am See, Straße 100%_")
    desk.decide("2026-77777", 2, title="Etwas anderes")
    order = desk.book(case, "850.00")
    desk.deliver(order)
    desk.answer(order, ReceiptOutcome.CONFIRMED, amount=Decimal("850.00"), remote_id="AZ 4711")

    assert found(desk, part) == ["P-1"]


def test_whose_number_it_is_goes_first(desk: Desk) -> None:
    """An area's number stands in every Fremdkennzeichen; who types 416 means case 416."""
    desk.grant("2600.00")
    desk.book(desk.decide("P-1", 1), "850.00")
    desk.decide("P-416", 2)

    assert found(desk, "416") == ["P-416", "P-1"]


def test_what_changes_is_found_at_once_and_the_old_word_no_more(desk: Desk) -> None:
    """Nothing has to run in between."""
    desk.decide("P-1", title="Bank")
    assert found(desk, "bank") == ["P-1"]
    desk.decide("P-1", title="Schaukel")

    assert (found(desk, "schaukel"), found(desk, "bank")) == (["P-1"], [])


def test_only_what_has_changed_is_read_again(desk: Desk) -> None:
    """A search costs what changed; and a second one nothing."""
    for row in range(1, 6):
        desk.decide(f"2026-{row:05d}", row)
    assert keep_findable(desk.ledger) == 5
    assert keep_findable(desk.ledger) == 0
    desk.decide("2026-00001", 9)

    assert keep_findable(desk.ledger) == 1


def test_a_search_is_no_change(desk: Desk) -> None:
    """No route looks at a case again because somebody has looked for it, and no evidence breaks."""
    desk.decide("P-1")
    before = number(desk)
    found(desk, "P-1")

    assert number(desk) == before
    assert evidence.verify(desk.ledger).broken == ()


def test_other_processes_take_no_place(desk: Desk) -> None:
    """Whoever may see one process finds fifty of that one, not fifty of all."""
    desk.decide("P-1")

    assert found(desk, "P-1", PROCESS) == ["P-1"]
    assert found(desk, "P-1", "kf-li-2026") == []


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cases are a step, and one is what a search reads itself."""
    monkeypatch.setattr(finding, "SLICE", 2)
    monkeypatch.setattr(finding, "AT_ONCE", 1)


@pytest.mark.usefixtures("small_steps")
def test_a_search_waits_for_no_great_change_and_says_how_much_it_knows(desk: Desk) -> None:
    """After an upgrade a clerk is answered at once; a whole number is found all the same."""
    desk.decide("P-1", title="Bank")
    keep_findable(desk.ledger)
    for row in (2, 3, 4):
        case = desk.decide(f"P-{row}", row, title="Bank")
    desk.grant("2600.00")
    order = desk.book(case, "850.00")

    assert found(desk, "bank") == ["P-1"]
    assert how_far(desk.ledger) == how_far(desk.ledger, [PROCESS]) == Known(1, 4)
    assert (found(desk, "P-3"), found(desk, order.reference)) == (["P-3"], ["P-4"])
    assert (found(desk, "P-3", "kf-li-2026"), how_far(desk.ledger, ["kf-li-2026"])) == ([], None)

    assert keep_findable(desk.ledger) == 3
    assert how_far(desk.ledger) is None
    assert found(desk, "bank") == ["P-1", "P-2", "P-3", "P-4"]


@pytest.mark.usefixtures("small_steps")
def test_whoever_is_killed_while_reading_goes_on_from_there(desk: Desk) -> None:
    """Each step is its own transaction: what is read is read, and no run waits for all of it."""
    for row in range(1, 6):
        desk.decide(f"P-{row}", row)
    with killed_at(desk.ledger.engine, "INSERT INTO findable", 2), pytest.raises(Killed):
        keep_findable(desk.ledger)

    assert how_far(desk.ledger) == Known(2, 5)
    assert keep_findable(desk.ledger) == 3


@pytest.mark.usefixtures("small_steps")
def test_many_cases_of_one_number_are_read_in_steps_too(desk: Desk) -> None:
    """A ledger from before there were numbers has nought on every case."""
    for row in range(1, 6):
        desk.decide(f"P-{row}", row)
    with desk.ledger.write() as connection:
        connection.execute(update(t.cases).values(changed=0))
    with killed_at(desk.ledger.engine, "INSERT INTO findable", 3), pytest.raises(Killed):
        keep_findable(desk.ledger)

    assert how_far(desk.ledger) == Known(4, 5)
    assert keep_findable(desk.ledger) == 1


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_is_what_would_be_read_anew(desk: Desk, seed: int) -> None:
    """Whatever changed, in whatever order, and wherever somebody was killed: derived, so derivable again."""
    dice = random.Random(seed)
    for row in range(1, 12):
        desk.decide(f"P-{dice.randint(1, 5)}", row, title=f"Bank {row}")
        if dice.random() < 0.5:
            with killed_at(desk.ledger.engine, "INSERT INTO findable", dice.randint(1, 3)), suppress(Killed):
                keep_findable(desk.ledger)
    keep_findable(desk.ledger)
    kept = words(desk)
    with desk.ledger.write() as connection:
        connection.execute(delete(t.findable))
        connection.execute(update(t.changes).values(found=-1))
    keep_findable(desk.ledger)

    assert kept == words(desk) != {}


@contextmanager
def killed_at(engine: Engine, statement: str, which: int) -> Iterator[None]:
    """Whoever says this statement so many times is killed at it."""
    left = count(1)

    def kill(*arguments: object) -> None:
        if str(arguments[2]).startswith(statement) and next(left) == which:
            raise Killed

    event.listen(engine, "before_cursor_execute", kill)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", kill)


def words(desk: Desk) -> dict[UUID, str]:
    """What each case is found by now."""
    with desk.ledger.read() as connection:
        return {row.case_id: row.words for row in connection.execute(select(t.findable))}


def number(desk: Desk) -> int:
    """The process's change number."""
    with desk.ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT max(number) FROM changes").scalar_one())
