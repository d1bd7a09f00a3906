"""Yesterday's ledger is put back where the budget system takes files: what folders say, and what only a person can."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from connectors.hkr_file.target import FileBatches
from kiezbruecke import attention, pipeline
from kiezbruecke.connections import without_environment
from kiezbruecke.connector import Context, HasStand, TheirStand
from kiezbruecke.content.processes import read_process
from kiezbruecke.errors import ConfigurationError, Recovering
from kiezbruecke.ledger import recoveries
from kiezbruecke.ledger.todo import Answer, Kind
from kiezbruecke.records import OrderState
from kiezbruecke.sandbox import start
from kiezbruecke.stages import recovering
from tests.builders import by
from tests.money.conftest import COLLECT, PAY, TODAY
from tests.money.test_by_file import BOUND, PAID, FileTill, _euros, odd_world, open_till
from tests.recovery.conftest import HKR, Yesterday

__all__ = ["odd_world", "open_till"]
Open = Callable[[str, str], FileTill]


def stand(till: FileTill) -> TheirStand:
    """What the folders say, as a run asks before it sends."""
    house = till.world.house
    context = Context(read_process(house.content, "kk-tk-2026"), {}, house.content)
    with closing(FileBatches(without_environment(house.connect(HKR)), context)) as target:
        assert isinstance(target, HasStand)
        return target.stand()


def paid_behind_the_backup(till: FileTill, *, answered: bool) -> None:
    """Released, backed up, handed over – and, if `answered`, booked and paid by files that were read; then put back."""
    till.round()
    till.release()
    day = Yesterday(till.world, None)
    day.back_up()
    if answered:
        till.round()
        till.post("pay")
        till.round()
    else:
        till.files.kill()  # the file lies there, and they have not looked yet
        till.world.run(PAY)
    day.restore()


@pytest.mark.parametrize("over", ["folder", "sftp"])
def test_the_folders_say_which_batch_they_have_last(open_till: Open, over: str) -> None:
    """Also what was moved to the folder of taken files, and nothing where nothing is."""
    till = open_till(over, "fixed")
    assert stand(till) == TheirStand("")
    till.round()
    assert stand(till) == TheirStand("KB26-hkr-tk-000001")
    till.release()
    till.round()
    assert stand(till) == TheirStand("KB26-hkr-tk-000002")


def test_a_batch_that_the_ledger_does_not_know_stops_it_without_any_witness(open_till: Open) -> None:
    """The whole state was put back, so nothing here can tell; the folder can, before a byte leaves."""
    till = open_till("folder", "fixed")
    till.world.run(*COLLECT)
    day = Yesterday(till.world, None)
    day.back_up()
    till.round()
    till.release()
    till.round()
    day.restore()
    for witness in (file for file in till.world.state.glob("*.json") if b'"sends"' in file.read_bytes()):
        witness.unlink()

    with pytest.raises(Recovering):
        pipeline.run(till.world.house, "kk-tk-hkr")
    [first, *_] = recoveries.last_recovery(till.world.ledger, HKR)
    assert first.body["evidence"] == "dort liegt der Stapel KB26-hkr-tk-000002, den das Hauptbuch nicht kennt"
    assert {one: told["times"] for one, told in till.taken().items()} == {BOUND: 1, PAID: 1}


def test_answers_that_were_read_before_are_read_again(open_till: Open) -> None:
    """Booked and paid stand in the kept files: nobody is asked, and nobody is paid twice."""
    till = open_till("folder", "fixed")
    paid_behind_the_backup(till, answered=True)
    with pytest.raises(Recovering):
        pipeline.run(till.world.house, PAY)
    lead_back(till, Answer.NOT_THERE)
    for _ in range(2):
        till.round()

    assert till.orders() == {PAID: OrderState.PAID}
    assert till.balance() == _euros("1750", "0", "850", "0")
    assert {one: told["times"] for one, told in till.taken().items()} == {BOUND: 1, PAID: 1}


def test_what_no_file_can_say_is_asked_of_a_person(open_till: Open) -> None:
    """Handed over and not answered yet: one clear line; the recovery ends only with the answer."""
    till = open_till("folder", "fixed")
    paid_behind_the_backup(till, answered=False)
    with pytest.raises(Recovering):
        pipeline.run(till.world.house, PAY)
    house, somebody = till.world.house, by("A. Muster")
    pipeline.recover(house, HKR)
    points = [point for point in till.world.points(Kind.PRESENT) if point.reason.startswith(PAID)]
    line = "Nach einer zurückgespielten Sicherung weiß niemand, ob das schon bei hkr-tk liegt. Bitte dort nachsehen"
    assert [point.reason for point in points] == [f"{PAID}: {line}; bis zur Antwort geht nichts hinaus"]
    with pytest.raises(ConfigurationError, match="noch auf die Antwort"):
        recovering.end(house, HKR, person=somebody, reason="abgeglichen")

    lead_back(till, Answer.THERE)
    till.files = start("connectors.hkr_file.sandbox:create", till.files.state, options=(f"today={TODAY}",))
    till.round()
    assert till.taken()[PAID]["times"] == 1
    till.files.kill()
    assert till.orders() == {PAID: OrderState.BOOKED}


def lead_back(till: FileTill, answer: Answer) -> None:
    """Every destination that stands still; what a person is asked is answered so."""
    house, somebody = till.world.house, by("A. Muster")
    for destination in recoveries.recovering(till.world.ledger):
        pipeline.recover(house, destination)
        for point in till.world.points(Kind.PRESENT):
            attention.decide(house.ledger, point, answer, person=somebody, reason="nachgesehen")
        pipeline.recover(house, destination)
        recovering.end(house, destination, person=somebody, reason="abgeglichen", despite=True)
