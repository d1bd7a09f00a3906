"""What people do with the ledger: rehearse, pause, mark as done by hand, decide – with name and reason."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from sqlalchemy import select

from kiezbruecke import attention
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger, MessageState, claims, events, reading, todo
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.drafts import add_baseline, add_previews, finish_prepare
from kiezbruecke.ledger.pauses import paused, set_paused
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.runs import end_run
from kiezbruecke.ledger.todo import Answer, Kind, OpenPoint, Point
from kiezbruecke.person import account, by_login
from kiezbruecke.records import ReceiptOutcome
from tests.builders import by

from .conftest import FILES, PROCESS, Desk, draft, receipt

ARRIVED, NOT_ARRIVED = "angekommen", "nicht_angekommen"


def test_a_dry_run_keeps_previews_without_identity(desk: Desk, ledger: Ledger) -> None:
    """They are replaced at every run, take no place and are never sent."""
    one, two = desk.decide("P-1", 1), desk.decide("P-2", 2)
    for drafts in ([draft(one), draft(two)], [draft(two, payload=b"<new/>")]):
        run, began = desk.run(FILES, "r"), now()
        add_previews(ledger, run, drafts)
        finish_prepare(ledger, run, [], None, began=began)

    with ledger.read() as connection:
        rows = connection.execute(select(t.previews.c.case_id, t.previews.c.payload)).all()

    assert [tuple(row) for row in rows] == [(two, b"<new/>")]
    assert claims.claim(ledger, desk.run(FILES)) == []


def test_a_dry_run_holds_no_money(desk: Desk) -> None:
    """A rehearsal must not keep the money from the real thing."""
    desk.grant("100")
    order = draft(desk.decide(), euros="60")
    add_previews(desk.ledger, desk.run(), [order])

    assert desk.committed() == 0


def test_a_baseline_is_written_once_with_its_author(desk: Desk, ledger: Ledger) -> None:
    """What a clerk has typed before go-live must not be sent a second time."""
    case = desk.decide()
    counts = [add_baseline(ledger, FILES, [case], person=by("A. Muster"), reason="von Hand") for _ in range(2)]
    [stored] = reading.read_process_cases(ledger, PROCESS).cases

    assert counts == [1, 0]
    assert stored.baselines == {FILES}
    assert [event.kind for event in events.events_of(ledger, case)].count("case.baseline") == 1


def test_a_route_is_paused_and_resumed(ledger: Ledger) -> None:
    """One switch per route, and the others go on."""
    before = paused(ledger, "r")
    set_paused(ledger, "r", value=True, person=by("A. Muster"), reason="Wartung")
    during = paused(ledger, "r"), paused(ledger, "other")
    set_paused(ledger, "r", value=False, person=by("A. Muster"), reason="fertig")

    assert (before, during, paused(ledger, "r")) == (False, (True, False), False)


def test_the_last_run_tells_how_it_ended(desk: Desk, ledger: Ledger) -> None:
    """`status` must show a failing route without reading logs."""
    run = desk.run(FILES, "r")
    end_run(ledger, run, {"delivered": 2}, "KB-301 not sent")
    status = reading.route_statuses(ledger, {"r": ""})["r"]

    assert (status.last_step, status.last_error, status.paused) == ("test", "KB-301 not sent", None)


def test_a_point_heals_when_its_cause_is_gone(desk: Desk, ledger: Ledger) -> None:
    """A list with settled points in it is read by nobody."""
    case = desk.decide()
    point = Point("set_aside", "s", "r", "spk", "Kein Budget", (), case)
    for points in ([point], [point], []):
        finish_prepare(ledger, desk.run(FILES, "r"), points, None, began=now())
    told = todo.points_of_case(ledger, case)

    assert [(one.answer, one.closed_at is not None) for one in told] == [("healed", True)]
    kinds = [event.kind for event in events.events_of(ledger, case)]
    assert kinds == ["decision.recorded", "attention.opened", "attention.closed"]


def test_one_route_does_not_heal_another_routes_points(desk: Desk, ledger: Ledger) -> None:
    """Each route answers for its own cases."""
    finish_prepare(ledger, desk.run(FILES, "a"), [Point("set_aside", "s", "a", "spk", "x")], None, began=now())
    finish_prepare(ledger, desk.run(FILES, "b"), [], None, began=now())

    assert [point.subject for point in desk.points()] == ["s"]


def test_a_new_reason_replaces_the_old_one(desk: Desk, ledger: Ledger) -> None:
    """The clerk must read what is wrong now."""
    for reason in ("alt", "neu"):
        point = Point("set_aside", "s", "r", "spk", reason)
        finish_prepare(ledger, desk.run(FILES, "r"), [point], None, began=now())

    assert [point.reason for point in desk.points()] == ["neu"]


@pytest.fixture
def doubt(desk: Desk) -> tuple[Draft, OpenPoint]:
    """A message of which only a person can say what became of it."""
    message = draft(desk.decide())
    desk.prepare(message)
    desk.send(message.identity.key, lane=FILES)
    run = desk.run(FILES, "r")
    claims.take_over(desk.ledger, run)
    found = claims.find_message(desk.ledger, message.identity.key)
    assert found is not None
    claims.open_doubt(desk.ledger, run, found, "it", "")
    [point] = desk.points("in_doubt")
    return message, point


@pytest.mark.parametrize(
    ("answer", "state"),
    [(ARRIVED, MessageState.DELIVERED), (NOT_ARRIVED, MessageState.WAITING)],
)
def test_a_person_ends_a_doubt(desk: Desk, doubt: tuple[Draft, OpenPoint], answer: str, state: MessageState) -> None:
    """Where no system can be asked, somebody who has looked decides – and is named."""
    message, point = doubt
    attention.decide(desk.ledger, point, answer, person=by("A. Muster"), reason="angerufen")
    [told] = todo.points_of_case(desk.ledger, point.case_id)  # type: ignore[arg-type]

    assert desk.state(message) is state
    assert (told.answer, told.answered_by, told.answer_reason) == (answer, "A. Muster", "angerufen")
    assert desk.points() == []


def test_the_second_of_two_deciders_is_told_so(desk: Desk, doubt: tuple[Draft, OpenPoint]) -> None:
    """Two browsers, one effect (F29): what was to be sent again must not become delivered."""
    message, point = doubt
    attention.decide(desk.ledger, point, NOT_ARRIVED, person=by("A. Muster"), reason="angerufen")

    with pytest.raises(ConfigurationError, match="schon erledigt"):
        attention.decide(desk.ledger, point, ARRIVED, person=by("B. Beispiel"), reason="auch angerufen")
    assert desk.state(message) is MessageState.WAITING


@pytest.mark.parametrize(
    ("answer", "person", "reason", "says"),
    [
        ("erledigt", "A. Muster", "weil", "angekommen, nicht_angekommen"),
        (ARRIVED, " ", "weil", "Name und Begründung"),
        (ARRIVED, "A. Muster", "", "Name und Begründung"),
    ],
)
def test_only_allowed_answers_with_name_and_reason(
    desk: Desk, doubt: tuple[Draft, OpenPoint], answer: str, person: str, reason: str, says: str
) -> None:
    """An unsigned decision is no evidence."""
    with pytest.raises(ConfigurationError, match=says):
        attention.decide(desk.ledger, doubt[1], answer, person=by(person), reason=reason)
    assert desk.points() != []


def test_a_closed_point_cannot_be_decided(desk: Desk, doubt: tuple[Draft, OpenPoint]) -> None:
    """The list on the screen may be old."""
    _, point = doubt
    attention.decide(desk.ledger, point, ARRIVED, person=by("A. Muster"), reason="angerufen")
    closed = todo.find_point(desk.ledger, point.id)
    assert closed is not None

    with pytest.raises(ConfigurationError, match="schon erledigt"):
        attention.decide(desk.ledger, closed, ARRIVED, person=by("A. Muster"), reason="angerufen")


def test_answers_are_read_as_the_pipeline_needs_them(desk: Desk) -> None:
    """A refused message that a person wants sent anew, and a follow-up that is settled."""
    refused = draft(desk.decide())
    desk.prepare(refused)
    run = desk.send(refused.identity.key, lane=FILES)
    claims.settle(desk.ledger, run, refused.identity.key, receipt(refused, ReceiptOutcome.REFUSED))
    follow_up = Point("follow_up", "f", "r", "spk", "von Hand berichtigen")
    finish_prepare(desk.ledger, desk.run(FILES, "r"), [follow_up], None, began=now())
    for point in desk.points():
        attention.decide(desk.ledger, point, point.answers[0], person=by("A. Muster"), reason="geklärt")
    answers = attention.read_answers(desk.ledger)

    assert answers.resend == {str(refused.identity.key)}
    assert answers.done == {"f"}
    assert answers.waived == answers.dismissed == frozenset()


@pytest.mark.parametrize(
    ("answer", "commitment"), [("berichtigt", ("booked", 85000, 85000)), ("storniert", ("refused", 0, 0))]
)
def test_a_person_ends_a_difference(desk: Desk, answer: str, commitment: tuple[str, int, int]) -> None:
    """They booked another sum: somebody rings them up, and our books follow what was agreed."""
    desk.grant("1000")
    case = desk.decide()
    order = desk.book(case, "850")
    desk.deliver(order)
    desk.answer(order, ReceiptOutcome.CONFIRMED, amount=Decimal("805.00"))
    [point] = desk.points("difference")
    attention.decide(desk.ledger, point, answer, person=by("A. Muster"), reason="angerufen")

    assert desk.commitment(case) == commitment
    assert [point.kind for point in desk.points()] == ([] if answer == "berichtigt" else ["refused"])


def test_the_log_in_of_whoever_decides_is_chained(desk: Desk) -> None:
    """Anybody can type any name; nobody chooses the account that types it."""
    case = desk.decide()
    with desk.ledger.write() as connection:
        todo.raise_point(connection, Point(Kind.FOLLOW_UP, "x", "r", "spk-tk", "von Hand", case_id=case))
    [point] = desk.points("follow_up")
    attention.decide(desk.ledger, point, "erledigt", person=by_login("Eine Andere"), reason="gemacht")

    closed = events.events_of(desk.ledger, case)[-1]

    assert (closed.body["person"], closed.body["account"], closed.body["how"]) == ("Eine Andere", account(), "os")
    assert account()


def test_a_point_without_a_case_has_who_decided_in_its_own_chain(desk: Desk) -> None:
    """A source that stands still belongs to no case; who has settled it is proven all the same."""
    with desk.ledger.write() as connection:
        todo.raise_point(connection, Point(Kind.TROUBLE, "x", "r", "it", "Störung", (Answer.DONE,)))
    [point] = desk.points("trouble")
    attention.decide(desk.ledger, point, "erledigt", person=by("A. Muster"), reason="behoben")

    with desk.ledger.read() as connection:
        bodies = connection.execute(select(t.events.c.body).where(t.events.c.kind == todo.CLOSED)).scalars().all()
    assert [json.loads(body)["account"] for body in bodies] == ["amuster"]


@pytest.mark.parametrize(
    ("person", "says"),
    [
        (Person("A. Muster", "", How.OS), "unter welcher Anmeldung"),
        (Person("A. Muster", "amuster", How.UNKNOWN), "unter welcher Anmeldung"),
        (Person("A. Muster", "a\nb", How.AIRFLOW), "Die Anmeldung enthält ein Steuerzeichen"),
        (Person("A. Muster", "a" * 121, How.AIRFLOW), "Die Anmeldung ist zu lang"),
    ],
    ids=["no log-in", "nobody vouches", "acts", "too long"],
)
def test_nobody_acts_without_a_log_in(ledger: Ledger, person: Person, says: str) -> None:
    """An edge that forgets it is refused before anything is written."""
    with pytest.raises(ConfigurationError, match=says):
        set_paused(ledger, "r", value=True, person=person, reason="Wartung")

    assert not paused(ledger, "r")


def test_a_row_from_before_log_ins_has_a_name_alone(ledger: Ledger) -> None:
    """What was paused yesterday still says by whom."""
    assert str(Person.stored("A. Muster", "")) == "A. Muster"
    assert str(Person.stored("A. Muster", "airflow:spk")) == "A. Muster (Anmeldung: spk)"
    assert Person.stored("A. Muster", "os:a:b") == Person("A. Muster", "a:b", How.OS)
