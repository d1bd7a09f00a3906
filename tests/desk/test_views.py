"""The views: counted statements, words for everything that can stand in them, keys that are written down."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # benchmarks/ is no part of the wheel

from benchmarks import desk as bench
from kiezbruecke import attention, desk
from kiezbruecke.cli.output import emit
from kiezbruecke.connector import Connection
from kiezbruecke.desk import words
from kiezbruecke.desk.messages import newest
from kiezbruecke.desk.morning import mornings
from kiezbruecke.desk.operations import operations
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.database import make_engine, now
from kiezbruecke.ledger.finding import keep_findable
from kiezbruecke.ledger.states import may_follow
from kiezbruecke.ledger.todo import MEANS, Answer, Kind, Point, open_heads, raise_point
from kiezbruecke.records import OrderState, Outcome
from kiezbruecke.release import ActKind
from tests.builders import PROCESS, ROOT
from tests.desk.conftest import counted
from tests.ledger.conftest import HKR, Desk

UNSENT = f"2026-{bench.UNSENT:05d}"  # decided, nothing sent: the sums of its area decide
_WALKS = re.compile(r"SCAN (cases|messages|orders|commitments|records|attention|events)\b(?!.* USING )")
Look = Callable[[House], Any]
LOOKS: dict[str, tuple[Look, int]] = {
    "a settled case": (lambda house: desk.cases(house, "2026-00001"), 10),
    "a case that hangs on its area": (lambda house: desk.cases(house, UNSENT), 12),
    "a search": (lambda house: desk.find_cases(house, "00001"), 4),
    "a message": (lambda house: desk.message(house.ledger, f"KK26-{PROCESS.areas[0].id}-00001-E1"), 2),
    "the newest messages": (lambda house: newest(house.ledger), 2),
    "the newest messages of two routes": (lambda house: newest(house.ledger, routes=["kk-tk-hkr", "kk-tk-eakte"]), 3),
    "what the house is doing": (lambda house: operations(house, now()), 8),
    "a morning": (lambda house: mornings(house, now(), now()), 4),
    "all messages": (lambda house: desk.messages(house.ledger), 1),
    "all points": (desk.points, 1),
    "a point": (lambda house: desk.point(house, 1), 1),
    "the status": (desk.status, 5),
    "the status without counts": (lambda house: desk.status(house, counted=()), 4),
    "the routes": (desk.routes, 1),
    "the runs of a route": (lambda house: desk.runs(house.ledger, "kk-tk-hkr", 20), 1),
    "the sums": (lambda house: desk.sums(house, PROCESS.id), 6),
    "the whole reconciliation": (lambda house: desk.reconciliation(house, [PROCESS.id], now()), 13),
    "how much a search knows": (lambda house: desk.how_much_is_known(house.ledger), 1),
    "the points of a page": (lambda house: desk.points_of(house, open_heads(house.ledger)[:50]), 1),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest) -> Iterator[Callable[[int, int], House]]:
    """Houses with so many cases and messages, on both databases."""
    fresh = request.getfixturevalue(f"fresh_{request.param}")
    made: dict[tuple[int, int], House] = {}

    def fill(cases: int, messages: int) -> House:
        if (cases, messages) not in made:
            ledger = Ledger(make_engine(fresh()))
            bench.fill(ledger, PROCESS, cases, messages)
            keep_findable(ledger)
            made[cases, messages] = House(ROOT, ledger, bench.no_connection)
        return made[cases, messages]

    yield fill
    for house in made.values():
        house.close()


@pytest.mark.parametrize("what", list(LOOKS))
def test_a_view_takes_as_many_statements_however_much_there_is(filled: Callable[[int, int], House], what: str) -> None:
    """A page of a small district and one of a large one ask the database equally often."""
    look, statements = LOOKS[what]
    for house in (filled(bench.UNSENT, 2 * bench.UNSENT), filled(6 * bench.UNSENT, 24 * bench.UNSENT)):
        with counted(house.ledger) as said:
            look(house)

        assert len(said) == statements, said


@pytest.mark.parametrize(
    "what",
    [
        *("a settled case", "a search", "a message", "the newest messages of two routes", "what the house is doing"),
        *("the status without counts", "the whole reconciliation", "the points of a page"),
    ],
)
def test_no_page_walks_through_all_there_is(filled: Callable[[int, int], House], what: str) -> None:
    """Along an index, or past it to single rows: a page costs what it shows, not what has been settled for years."""
    house = filled(6 * bench.UNSENT, 24 * bench.UNSENT)
    if house.ledger.postgresql:
        pytest.skip("PostgreSQL decides by its statistics")
    asked = list[tuple[str, Any]]()
    event.listen(house.ledger.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    LOOKS[what][0](house)
    with house.ledger.read() as connection:
        questions = [(one, values) for one, values in asked if one.startswith("SELECT")]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in questions]
        steps = [row.detail for plan in plans for row in plan]

    assert steps
    assert [one for one in steps if _WALKS.match(one)] == []


def test_a_case_shows_what_its_area_has_decided(filled: Callable[[int, int], House]) -> None:
    """Some areas of the made-up district have decided on more than they have; what is sent stays as it is."""
    house = filled(6 * bench.UNSENT, 24 * bench.UNSENT)
    found = [desk.cases(house, f"2026-{number * bench.UNSENT:05d}")[0] for number in range(1, 7)]
    whole = {one.case.reference: one for one in attention.read_standings(house.ledger, PROCESS)}

    for case in found:
        assert [one.text for one in case.disagreements] == [one.text for one in whole[case.reference].disagreements]
    assert {bool(case.disagreements) for case in found} == {True, False}


def test_a_view_is_json_with_its_fields_as_keys(desk_: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Sums as texts, because programs round numbers; an event about a point keeps its own kind."""
    case = desk_.decide("P-1", outcome=Outcome.ACCEPTED)
    desk_.grant("2600.00")
    order = desk_.book(case, "850.00")
    raised = Point(Kind.OVERDUE, "x", "kk-tk-hkr", "spk", "seit Tagen", case_id=case)
    with desk_.ledger.write() as connection:
        raise_point(connection, raised)
    emit(desk.cases(House(ROOT, desk_.ledger, bench.no_connection), "P-1"))
    (told,) = json.loads(capsys.readouterr().out)

    assert told.keys() == desk.CaseStory.model_fields.keys()
    assert told["messages"][0]["amount"] == "850.00"
    assert (told["messages"][0]["destination"], told["messages"][0]["reference"]) == (HKR, order.reference)
    assert [one["kind"] for one in told["events"]] == ["decision.recorded", "message.prepared", "attention.opened"]
    assert told["events"][-1]["point"] == "overdue"


@pytest.fixture
def desk_(ledger: Ledger) -> Desk:
    """The moves of a case's life, under a name that the module `desk` does not take."""
    return Desk(ledger)


def test_everything_that_can_stand_in_a_view_has_a_german_word() -> None:
    """A new state, effect, kind or answer without one would be a KeyError on somebody's screen."""
    assert words.STATES.keys() == set(MessageState)
    assert (words.KINDS.keys(), words.ANSWERS.keys(), words.THEN.keys()) == (set(Kind), set(Answer), set(Answer))
    events = {*(f"order.{one}" for one in OrderState), *(f"release.{one}" for one in ActKind)}
    assert events <= words.EVENTS.keys()
    for view in (desk.MessageFacts, desk.PointStory, desk.DestinationView):
        assert view.model_fields.keys() <= words.FIELDS.keys()


def test_the_departments_page_explains_every_kind_and_every_answer() -> None:
    """Who reads `freigeben` on the list looks there for what it does."""
    page = (ROOT / "docs/how-to/fachverwaltung.md").read_text("utf-8")

    assert [one for one in Answer if one not in page] == []
    assert [word for word, _ in words.KINDS.values() if word not in page] == []


def test_an_answer_moves_a_message_only_as_the_states_allow() -> None:
    """The table beside the enum and the drawing of the states are two places."""
    assert all(may_follow(before, after, by_a_person=True) for before, after in MEANS.values())


@pytest.mark.parametrize(
    ("written", "told", "rule"),
    [
        (
            "april.xlsx#5: mappings/inbound/decision-sheet/mapping.yaml:19: 'outcome' (Quelle: item.ergebnis): nein",
            "april.xlsx, Zeile 5: „Ergebnis“: nein",
            "mappings/inbound/decision-sheet/mapping.yaml:19",
        ),
        (
            "P-1: mappings/outbound/case-xdomea-0401/mapping.yaml:7: 'A/B' (Quelle: case.title): zu lang",
            "P-1: Angabe „case.title“: zu lang",
            "mappings/outbound/case-xdomea-0401/mapping.yaml:7",
        ),
        (
            "april.xlsx#5: mappings/inbound/decision-sheet/mapping.yaml:9: 'day' (Quelle: item.sitzung_am): nein",
            "april.xlsx, Zeile 5: „Sitzung am“: nein",
            "mappings/inbound/decision-sheet/mapping.yaml:9",
        ),
        ("Die Quelle #5 zeigt nichts", "Die Quelle #5 zeigt nichts", ""),
    ],
    ids=["a line of a sheet", "a message", "a column of two words", "neither"],
)
def test_a_clerk_reads_sheet_line_and_column_and_no_rule(desk_: Desk, written: str, told: str, rule: str) -> None:
    """Who wrote the mapping finds the rule beside it."""
    with desk_.ledger.write() as connection:
        raise_point(connection, Point(Kind.SET_ASIDE, "x", "r", "spk", written))
    house = House(ROOT, desk_.ledger, lambda name: Connection(name, "kb_folder"))
    (point,) = desk.points(house)

    assert point.reason == told
    assert desk.point(house, point.id).rule == rule


def test_people_read_how_many_wait() -> None:
    """One waits, four wait."""
    assert words.states({MessageState.WAITING: 1}) == "1 wartet"
    assert words.states({MessageState.WAITING: 4, MessageState.REFUSED: 1}) == "1 abgewiesen, 4 warten"
