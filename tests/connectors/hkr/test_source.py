"""The source against the sandbox: every answer once, in sequence, or a clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from connectors.hkr import client, contract
from kiezbruecke.connector import Handled, Item
from kiezbruecke.errors import RecordError, SourceError
from kiezbruecke.mapping import load_mapping

ROOT = Path(__file__).parents[3]
ONE, TWO = "KK26-090416-00001-F1", "KK26-090416-00002-F1"


def test_an_answer_becomes_an_item_with_its_bytes(desk, two):
    """The running number is the item's id; the element's bytes are the evidence."""
    desk.send(*two)
    item = desk.fetch()[0]

    assert (item.kind, item.external_id) == ("rueckmeldung", "1")
    assert item.body == {
        "LaufendeNummer": "1",
        "Fremdkennzeichen": ONE,
        "Ereignis": "FESTGELEGT",
        "Betrag": "850.00",
        "Buchungstag": "2026-11-23",
        "HkrBelegnummer": "B000000001",
    }
    assert item.raw.startswith(b'<hkr:Rueckmeldung xmlns:hkr="urn:x-kiezbruecke:hkr:anordnung:1.0">')


def test_reading_goes_on_after_the_last_stored_number(desk, two, bookmark):
    """The cursor is the acknowledgement."""
    cursor = bookmark()
    desk.send(two[0])
    first = desk.fetch(cursor)
    nothing = desk.fetch(cursor)
    desk.send(two[1], id="KK26-S-0002")
    then = desk.fetch(cursor)
    desk.source.acknowledge([Handled(item) for item in then])

    assert [[i.external_id for i in items] for items in (first, nothing, then)] == [["1"], [], ["2"]]
    assert cursor.path == ["1", "2"]


def test_the_cursor_moves_only_past_what_was_taken(desk, two, bookmark):
    """A reader that stops after the first item will get the second one again."""
    desk.send(*two)
    cursor = bookmark()
    reading = desk.source.fetch(cursor)
    next(reading)
    reading.close()

    assert cursor.value == ""
    assert [item.external_id for item in desk.fetch(cursor)] == ["1", "2"]


def test_pages_are_read_to_the_end(desk, make):
    """Weitere=true: ask again."""
    desk.send(*(make(f"KK26-090416-{n:05d}-F1", f"{n}.00") for n in range(1, 8)))

    assert [item.external_id for item in desk.patient(poll_size=3).fetch()] == list("1234567")


def test_a_refusal_at_booking_carries_its_reason(desk, two):
    """ABGEWIESEN comes later than the synchronous word."""
    desk.arm("refuse_one")
    receipts = desk.send(*two)
    body = desk.fetch()[0].body

    assert len(receipts) == 2
    assert (body["Ereignis"], body["Grundcode"]) == ("ABGEWIESEN", "SACHBEARBEITUNG")
    assert desk.target.balances(2026)[0].committed.as_tuple().digits == (9, 9, 9, 9)


def test_change_and_cancellation_are_booked_as_totals(desk, make, two):
    """A change carries the new total; a cancellation sets zero; a later change sets it anew."""
    cents = lambda: int(desk.target.balances(2026)[0].committed * 100)  # noqa: E731
    seen = []
    for number, kind, amount in [
        (1, "FESTLEGUNG", "850.00"),
        (2, "FESTLEGUNG_AENDERUNG", "700.00"),
        (3, "FESTLEGUNG_AENDERUNG", "700.00"),
        (4, "FESTLEGUNG_AUFHEBUNG", "700.00"),
        (5, "FESTLEGUNG_AUFHEBUNG", "700.00"),
        (6, "FESTLEGUNG_AENDERUNG", "10.01"),
    ]:
        related = {} if number == 1 else {"related": ONE}
        desk.send(make(f"KK26-090416-00001-F{number}", amount, kind=kind, **related), id=f"S-{number}")
        seen.append((desk.events()[-1][1], cents()))

    assert seen == [
        ("FESTGELEGT", 85000),
        ("FESTGELEGT", 70000),
        ("FESTGELEGT", 70000),
        ("AUFGEHOBEN", 0),
        ("ABGEWIESEN", 0),
        ("FESTGELEGT", 1001),
    ]


def test_a_change_of_nothing_is_refused(desk, make):
    """BezugFremdkennzeichen must be known."""
    desk.send(make(TWO, "1.00", kind="FESTLEGUNG_AENDERUNG", related=ONE))

    assert desk.fetch()[0].body["Grundcode"] == "BEZUG"


def test_a_change_keeps_the_budget_address(desk, make):
    """Another area is another commitment: cancel and book anew."""
    desk.send(make(ONE, "1.00"))
    moved = make("KK26-090416-00001-F2", "1.00", kind="FESTLEGUNG_AENDERUNG", related=ONE, area="090311")
    desk.send(moved, id="S-2")

    assert desk.fetch()[1].body["Grundcode"] == "BUCHUNGSSTELLE"
    assert [balance.area for balance in desk.target.balances(2026)] == ["090416"]


def test_a_limit_per_unterkonto_holds_to_the_cent(open_desk, make):
    """F28: their own budget control, also for a raised total."""
    desk = open_desk("limit.090416=100.00")
    desk.send(make(ONE, "99.99"), make(TWO, "0.02"), make("KK26-090416-00003-F1", "0.01"))
    desk.send(
        make("KK26-090416-00003-F2", "0.02", kind="FESTLEGUNG_AENDERUNG", related="KK26-090416-00003-F1"),
        id="S-2",
    )

    assert [event for _, event, _ in desk.events()] == ["FESTGELEGT", "ABGEWIESEN", "FESTGELEGT", "ABGEWIESEN"]


# -- faults --------------------------------------------------------------------------------------------------


def test_the_same_word_twice_comes_under_two_numbers(desk, two):
    """F17: both are handed over; the ledger makes one of them."""
    desk.arm("duplicate_ack")
    desk.send(two[0])

    assert [(i.external_id, i.body["Fremdkennzeichen"]) for i in desk.fetch()] == [("1", ONE), ("2", ONE)]


def test_an_answer_to_nothing_is_handed_over(desk, two):
    """F19: it goes to the clearing list, never to 'the last message'."""
    desk.arm("unknown_ack")
    desk.send(two[0])

    assert [reference for reference, _, _ in desk.events()] == ["XX99-000000-00000-F1", ONE]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("gap", "eine Lücke: 2 statt 1"),
        ("wrong_answer_sum", "Summe is not the sum"),
        ("html_answer", "nicht lesbar"),
        ("busy", "503"),
        ("reset", "nicht lesbar"),
        ("slow_drip", "DeadlineExceeded"),
        ("truncated_answer", "not a whole XML document"),
    ],
)
def test_a_page_that_is_not_whole_is_not_taken_at_all(desk, two, bookmark, fault, says):
    """Nothing of it is yielded, the cursor stays, the next run reads it."""
    desk.send(*two)
    desk.arm(fault)
    cursor = bookmark()
    with pytest.raises(SourceError, match=says):
        desk.fetch(cursor)

    assert cursor.path == []
    assert [item.external_id for item in desk.fetch(cursor)] == ["1", "2"]


def test_numbers_that_go_backwards_stop_the_reading(desk, two, bookmark):
    """What was read before is not read as something new."""
    desk.send(*two)
    cursor = bookmark("1")
    desk.arm("backwards")

    with pytest.raises(SourceError, match="ein Rückschritt: 1 statt 2"):
        desk.fetch(cursor)
    assert cursor.value == "1"


def test_a_reset_system_is_noticed(desk, two, bookmark):
    """F45 on their side: our number is higher than any they ever gave."""
    desk.send(*two)

    with pytest.raises(SourceError, match="erst 2 Rückmeldungen vergeben, gelesen ist schon bis 7"):
        desk.fetch(bookmark("7"))


def test_no_answer_yet_is_no_error(desk, two):
    """F22: the answer comes later; a deadline elsewhere watches over it."""
    desk.arm("no_answer_yet")
    desk.send(*two)

    assert desk.fetch() == []
    assert len(desk.fetch()) == 2


def test_a_system_that_is_down_is_a_source_error(paper):
    """In one line, with where and what helps."""
    with pytest.raises(SourceError, match="Verbindung hkr-tk: Die Rückmeldungen"):
        paper.fetch()


def test_a_broken_bookmark_is_named(paper, bookmark):
    """It was not written by us."""
    with pytest.raises(SourceError, match="keine laufende Nummer"):
        paper.fetch(bookmark("zwei"))


def test_answers_survive_a_kill(desk, two):
    """Running numbers are never given twice."""
    desk.send(two[0])
    desk.restart()
    desk.send(two[1], id="KK26-S-0002")

    assert [item.external_id for item in desk.fetch()] == ["1", "2"]


@pytest.mark.parametrize("missing", ["Fremdkennzeichen", "Ereignis"])
def test_an_answer_that_lacks_something_is_set_aside_alone(missing: str) -> None:
    """It kept its whole page, and every later one, from being read."""
    fields = {"LaufendeNummer": "7", "Fremdkennzeichen": "KK26-090517-00001-F1", "Ereignis": "FESTGELEGT"}
    fields |= {"Betrag": "850.00", "Buchungstag": "2026-11-23"}
    element = etree.Element(contract.tag("Rueckmeldung"))
    for name in fields.keys() - {missing}:
        etree.SubElement(element, contract.tag(name)).text = fields[name]
    answer = client._rueckmeldung(element)
    item = Item("rueckmeldung", str(answer.number), answer.body, raw=answer.raw)

    with pytest.raises(RecordError):
        load_mapping("hkr-rueckmeldung", ROOT).read(item, {"envelope": {"source": "hkr-tk", "external_id": "7"}})
