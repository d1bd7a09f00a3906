"""`neu_senden` asks the destination first: what is there already goes no more, and a person hears of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from kiezbruecke import attention, pipeline
from kiezbruecke.ledger import MessageState, money
from kiezbruecke.ledger.todo import Answer, Kind
from tests.builders import by
from tests.recovery.conftest import HKR, Yesterday
from tests.world import COLLECT, line


@pytest.fixture
def refused(sqlite_day: Yesterday) -> Yesterday:
    """A booking that holds as refused here, and is booked there: what an old ledger was told about its own number."""
    world = sqlite_day.world
    world.drop(line("P-1"))
    world.run(*COLLECT)
    world.sandboxes["hkr"].arm("reject_line")
    world.run("kk-tk-hkr")
    assert [message.state for message in world.messages(HKR)] == [MessageState.REFUSED]
    return sqlite_day


def send_anew(day: Yesterday) -> None:
    """A person decides so."""
    (point,) = day.world.points(Kind.REFUSED)
    attention.decide(day.world.ledger, point, Answer.RESEND, person=by("A. Muster"), reason="Ursache behoben")


def pretend_it_is_booked_there(day: Yesterday) -> None:
    """Put the very order into their books, as if an earlier batch had brought it."""
    (order,) = day.world.messages(HKR)
    with closing(sqlite3.connect(day.world.sandboxes["hkr"].state / "books.sqlite3")) as books, books:
        books.execute("update contents set code = '' where reference = ?", (order.reference,))
        books.execute("update received set times = times")
        books.execute(
            "insert into answers values (1, ?, 'FESTGELEGT', 85000, '2026-11-23', 'B000000001', '', '')",
            (order.reference,),
        )


def test_what_is_booked_already_is_settled_and_not_booked_again(refused: Yesterday) -> None:
    """It was offered, taken, and a case was booked twice."""
    world = refused.world
    pretend_it_is_booked_there(refused)
    send_anew(refused)
    world.run("kk-tk-hkr")

    (order,) = world.messages(HKR)
    assert (order.state, order.number) == (MessageState.CONFIRMED, 1)
    (told,) = world.points(Kind.WARNING)
    assert told.reason == f"{order.reference} liegt bei hkr-tk schon; es ging nicht noch einmal hinaus"
    (area,) = [one for one in money.balances(world.ledger, "kk-tk-2026") if one.area_id == "090416"]
    assert area.committed == area.booked == 85_000


def test_what_is_not_there_goes_anew(refused: Yesterday) -> None:
    """The question changes nothing where the refusal was one."""
    send_anew(refused)
    refused.world.run("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")

    assert [(one.number, one.state) for one in refused.world.messages(HKR)] == [
        (1, MessageState.REFUSED),
        (2, MessageState.CONFIRMED),
    ]


def test_without_an_answer_nothing_goes_anew_yet(refused: Yesterday) -> None:
    """The next run asks again."""
    world = refused.world
    send_anew(refused)
    world.sandboxes["hkr"].arm("busy", 1)
    pipeline.prepare(world.house, "kk-tk-hkr")

    assert len(world.messages(HKR)) == 1
    assert "antwortet nicht auf die Frage" in world.points(Kind.SET_ASIDE)[0].reason
    world.run("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    assert world.messages(HKR)[-1].state is MessageState.CONFIRMED
    assert world.points(Kind.SET_ASIDE) == []
