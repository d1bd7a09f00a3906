"""What cases are found by: a part of whatever people know of one, kept up to date by whoever searches."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kiezbruecke.ledger import evidence
from kiezbruecke.ledger.finding import keep_findable, search_cases
from kiezbruecke.records import ReceiptOutcome
from tests.ledger.conftest import PROCESS, Desk


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


def number(desk: Desk) -> int:
    """The process's change number."""
    with desk.ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT max(number) FROM changes").scalar_one())
