"""Drucksachen in the ledger: found by number on both databases, kept with what was known, and no case's business."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from kiezbruecke.connector import Item
from kiezbruecke.ledger import Ledger, begin_run, history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.reading import find_papers
from kiezbruecke.records import Paper

PROCESS = "kk-tk-2026"


def a_paper(number: str, reference: str, **given: Any) -> Paper:
    body = {"source": "ris-tk", "external_id": number, "process_id": PROCESS, "reference": reference}
    return Paper(**{**body, **given})


def store(ledger: Ledger, *papers: Paper, keeps: frozenset[str] = frozenset()) -> history.Stored:
    run = begin_run(ledger, "ris-tk", "kk-tk-drucksachen", "collect")
    origin = history.Origin("ris-tk", PROCESS, "spk-tk", keeps_unread=True)
    taken = [
        Taken(
            Item("paper", paper.external_id, {}), (paper,), absent=keeps, keeps={paper.identity: keeps} if keeps else {}
        )
        for paper in papers
    ]
    return history.store(ledger, run, origin, taken, "")


def test_a_drucksache_is_found_by_its_number(ledger: Ledger) -> None:
    """Blanks and capitals make no difference; another process's is none of ours."""
    store(ledger, a_paper("1", "X/0815"), a_paper("2", "X/0816"), a_paper("3", "X / 0815"))
    found, known = find_papers(ledger, PROCESS, ["x/0815"])

    assert [paper.external_id for paper in found] == ["1", "3"]
    assert known
    assert find_papers(ledger, PROCESS, ["X/0900"]) == ([], True)
    assert find_papers(ledger, "kk-tk-2027", ["X/0815"]) == ([], False)


def test_what_a_deleted_one_does_not_say_stays(ledger: Ledger) -> None:
    """Absent is not empty."""
    store(ledger, a_paper("1", "X/0815", result="Beschlossen"))
    store(ledger, a_paper("1", "", deleted=True), keeps=frozenset({"reference", "result"}))
    ((paper,), _) = find_papers(ledger, PROCESS, ["X/0815"])

    assert (paper.result, paper.deleted) == ("Beschlossen", True)


def test_a_drucksache_raises_no_change_number(ledger: Ledger) -> None:
    """Else every case of the process would be looked at again for each of them."""
    store(ledger, a_paper("1", "X/0815"))

    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.changes)).scalar_one() == 0
