"""A point that stops a route, answered in Airflow: the ledger closes it once, for somebody who is proven."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from kiezbruecke import attention, ledger
from kiezbruecke.airflow import answering
from kiezbruecke.airflow.dags import answers, route_dags
from kiezbruecke.airflow.releasing import LATER, approver
from kiezbruecke.edge import ledger_url, open_house
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.house import House
from kiezbruecke.ledger import evidence
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.todo import Answer, Kind, OpenPoint, Point, find_point, raise_point
from kiezbruecke.release import Approver
from tests.world import ROOT, change_route

ROUTE = "kk-tk-meinberlin"
OTTO = Approver(Person("otto", "otto", How.AIRFLOW), frozenset({"betrieb"}))
KLARA = Approver(Person("klara", "klara", How.AIRFLOW), frozenset({"fachverwaltung"}))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("KIEZBRUECKE_STATE", str(tmp_path))
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(ROOT))
    monkeypatch.delenv("KIEZBRUECKE_LEDGER_URL", raising=False)
    ledger.upgrade(ledger_url())
    with closing(open_house()) as found:
        yield found


def stopped(house: House, reason: str = "Mehr als die Hälfte fehlt", owner: str = "it-betrieb") -> OpenPoint:
    with house.ledger.write() as connection:
        raise_point(connection, Point(Kind.VANISHED, "x", ROUTE, owner, reason, (Answer.REALLY_GONE, Answer.DONE)))
    found = answering.oldest(house, ROUTE)
    assert found is not None
    return found


def test_what_is_answered_in_airflow_is_the_ledgers_answer(house: House) -> None:
    """With who, as Airflow has proven it, and why; the evidence holds it."""
    point = stopped(house)
    assert answering.decide(house, point.id, answering.shown(point), "erledigt", "gesehen", OTTO) == 1
    closed = find_point(house.ledger, point.id)
    assert closed is not None
    assert (closed.answer, closed.answered_account, closed.answer_reason) == ("erledigt", "airflow:otto", "gesehen")
    assert answering.oldest(house, ROUTE) is None
    assert evidence.verify(house.ledger).broken == ()


def test_whoever_was_faster_on_the_page_holds(house: House) -> None:
    """The question that was still open in Airflow ends as skipped, and says whose answer it is."""
    point = stopped(house)
    attention.decide(house.ledger, point, "wirklich_weg", person=Person("Erika", "erika", How.AIRFLOW), reason="so")
    with pytest.raises(AirflowSkipException, match="already settled by erika"):
        answering.decide(house, point.id, answering.shown(point), "erledigt", "x", OTTO)
    closed = find_point(house.ledger, point.id)
    assert closed is not None
    assert closed.answered_account == "airflow:erika"


@pytest.mark.parametrize("round_", range(5))
def test_of_two_at_once_exactly_one_holds(house: House, round_: int) -> None:
    """Page and required action in the same moment."""
    point, barrier, ended = stopped(house, f"Runde {round_}"), threading.Barrier(2), list[str]()

    def in_airflow() -> None:
        barrier.wait()
        try:
            answering.decide(house, point.id, answering.shown(point), "erledigt", "x", OTTO)
            ended.append("otto")
        except AirflowSkipException:
            ended.append("late")

    def on_the_page() -> None:
        barrier.wait()
        try:
            by = Person("Erika", "erika", How.AIRFLOW)
            attention.decide(house.ledger, point, "wirklich_weg", person=by, reason="so")
            ended.append("erika")
        except InputError:
            ended.append("late")

    threads = [threading.Thread(target=one) for one in (in_airflow, on_the_page)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    closed = find_point(house.ledger, point.id)
    assert closed is not None
    (winner,) = set(ended) - {"late"}
    assert closed.answered_account == f"airflow:{winner}"
    assert "late" in ended


def test_what_has_changed_since_it_was_shown_is_asked_anew(house: House) -> None:
    """Nobody answers what they have not read."""
    point = stopped(house)
    with pytest.raises(InputError, match="hat sich geändert"):
        answering.decide(house, point.id, "another", "erledigt", "x", OTTO)
    assert answering.oldest(house, ROUTE) is not None


@pytest.mark.parametrize(
    "who", [KLARA, Approver(OTTO.person, frozenset()), replace(OTTO, roles=frozenset({"administration"}))]
)
def test_only_whoever_owns_the_point_answers_it(house: House, who: Approver) -> None:
    """The rights of the desk's page; the point stays open."""
    point = stopped(house)
    with pytest.raises(InputError, match="darf den Punkt nicht beantworten"):
        answering.decide(house, point.id, answering.shown(point), "erledigt", "x", who)
    assert answering.oldest(house, ROUTE) is not None


def test_who_cannot_be_proven_is_not_recorded() -> None:
    """Airflow's own simple log-ins, or nobody at all, as with a default answer."""
    for user in ({"id": "otto", "name": "otto"}, None, {}):
        with pytest.raises(ConfigurationError, match="who has answered cannot be proven here"):
            approver(user)


def test_points_that_stop_nothing_are_not_asked(house: House) -> None:
    """A warning, a point that heals by itself, a point of another route."""
    with house.ledger.write() as connection:
        for kind, route, possible in (
            (Kind.WARNING, ROUTE, (Answer.DONE,)),
            (Kind.VANISHED, "another", (Answer.DONE,)),
            (Kind.TROUBLE, ROUTE, ()),
        ):
            raise_point(connection, Point(kind, f"{kind}{route}", route, "it-betrieb", "x", possible))
    assert answering.oldest(house, ROUTE) is None


def test_a_route_asks_only_where_its_file_says_so(content: Path) -> None:
    """`ask: true`; the question offers to answer later."""
    assert answers(ROUTE) not in route_dags(content)
    change_route(content, ROUTE, ask=True)
    dag = route_dags(content)[answers(ROUTE)]
    (task,) = dag.tasks
    assert task.options == [LATER]
    assert task.task_display_name == "Punkt beantworten"
    assert task.response_timeout is not None
    assert task.retries == 3
