"""Bescheid and Anordnung of a case in the ledger: what is set is what stands there; what is missing is said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kiezbruecke.connector import Connection, Item
from kiezbruecke.desk.papers import draft_paper
from kiezbruecke.documents import DEFAULT, NOTICE, ORDER
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.history import Taken
from kiezbruecke.records import ReceiptOutcome
from tests.builders import ROOT, an_application
from tests.ledger.conftest import Desk
from tests.pdf_words import words_of

NAME = "Nachbarschaftsverein Müggelheim e. V."


@pytest.fixture
def house(desk: Desk, ledger: Ledger) -> House:
    """Müggelheim has money."""
    desk.grant("1000")
    return House(ROOT, ledger, lambda name: Connection(name, "kb_folder"))


def apply(desk: Desk, **given: Any) -> None:
    """A line of the application sheet about P-1."""
    record = an_application(reference_number="P-1", applicant_name=NAME, expected_costs="1200.00", **given)
    desk.store([Taken(Item("application-line", record.origin, {}), (record,))])


def words(house: House, kind: str) -> str:
    return " ".join(words_of(draft_paper(house, "P-1", kind, DEFAULT).content).split())


def test_a_notice_says_what_the_ledger_knows(house: House, desk: Desk) -> None:
    """Who, how much, for what, of which Titel, by which vote; of the account the hint alone."""
    desk.book(desk.decide(title="Sommerfest"), "850")
    apply(desk, notice_on=date(2026, 5, 4))
    paper = draft_paper(house, "P-1", NOTICE, DEFAULT)
    text = words(house, NOTICE)

    assert paper.file_name == "Entwurf-Zuwendungsbescheid-P-1-090416.pdf"
    for known in (NAME, "850,00 €", "1.200,00 €", "„Sommerfest“", "24.04.2026", "04.05.2026", "DE12…3456"):
        assert known in text
    assert "BVV-Beschluss 0115/10/12; §§ 23, 44, 55 LHO Berlin" in text


def test_an_order_says_what_was_written(house: House, desk: Desk) -> None:
    """Sum, day, both Fremdkennzeichen; whose message it is, and that nobody has signed."""
    case = desk.decide(title="Sommerfest")
    apply(desk)
    commitment = desk.book(case, "850")
    desk.deliver(commitment)
    desk.answer(commitment, ReceiptOutcome.CONFIRMED)
    order = desk.pay(case, "850")
    text = words(house, ORDER)

    for known in (NAME, "850,00 €", "02.05.2026", order.reference, commitment.reference, "DE12…3456"):
        assert known in text
    assert "Stand vorbereitet, nicht gesendet" in text
    assert "m" * 64 not in text  # the mark of the account


def test_what_is_missing_is_said_and_nothing_is_written(house: House, desk: Desk) -> None:
    """In one German line each: no such case, no application, no order, contradicting lines, an unknown paper."""
    with pytest.raises(InputError, match="P-1: Diesen Fall gibt es nicht"):
        draft_paper(house, "P-1", NOTICE, DEFAULT)
    desk.decide()
    with pytest.raises(InputError, match="P-1: Zu diesem Fall gibt es noch keinen Antrag"):
        draft_paper(house, "P-1", NOTICE, DEFAULT)
    apply(desk)
    with pytest.raises(InputError, match="P-1: Für diesen Fall gibt es keine Auszahlung, die gilt"):
        draft_paper(house, "P-1", ORDER, DEFAULT)
    with pytest.raises(InputError, match="quittung: Dieses Schriftstück gibt es nicht; möglich: bescheid, anordnung"):
        draft_paper(house, "P-1", "quittung", DEFAULT)
    apply(desk, row=3, amount="900.00")
    with pytest.raises(InputError, match=r"Erst ist etwas zu klären: .*den beantragten Betrag"):
        draft_paper(house, "P-1", NOTICE, DEFAULT)
