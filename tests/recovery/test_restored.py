"""F45: yesterday's ledger is put back. It notices, stops, is led back, goes on – and nothing stands twice anywhere."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from kiezbruecke import pipeline
from kiezbruecke.errors import ConfigurationError, Recovering
from kiezbruecke.ledger import MessageState, evidence, money, recoveries
from kiezbruecke.ledger.todo import Kind
from kiezbruecke.stages import recovering
from tests.builders import by
from tests.recovery.conftest import EFILE, HKR, LIST, Yesterday
from tests.world import ANSWERS, COLLECT, SEND, line

SENDING = ("kk-tk-eakte", "kk-tk-hkr", "kk-tk-statusliste")
FIRST = [line(f"P-{number}", "10,00") for number in range(1, 9)]
SECOND = [
    *(line(f"P-{number}", "10,00") for number in range(9, 17)),
    line("P-1", "8,00", why="Angebot günstiger"),
    line("P-2", "", "abgelehnt", why="Fest fällt aus"),
]


def yesterday_and_today(day: Yesterday) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Eight cases, a backup, eight more with a change and a cancellation; what lies at the destinations then."""
    world = day.world
    world.drop(*FIRST)
    world.run()
    day.back_up()
    world.drop(*SECOND, name="mai.csv")
    world.run()
    world.run()
    there = day.files_by_case(), world.orders()
    assert len(there[0]) == 16
    assert len(there[1]) == 18
    day.restore()
    return there


def nothing_twice(day: Yesterday, before: tuple[list[str], list[tuple[str, str, str]]]) -> None:
    """E-file and budget system are what they were, and ledger and budget system agree to the cent."""
    files, orders = day.files_by_case(), day.world.orders()
    assert (files, orders) == before
    assert len(set(files)) == len(files)
    assert len({reference for reference, _, _ in orders}) == len(orders)
    (ours,) = [one for one in money.balances(day.world.ledger, "kk-tk-2026") if one.area_id == "090416"]
    assert ours.committed == ours.booked == 14_800
    assert money.theirs(day.world.ledger, 2026) == {"090416": money.Sums(14_800, 0, 0)}
    assert evidence.verify(day.world.ledger).broken == ()


def test_after_a_restored_backup_nothing_is_filed_or_booked_twice(day: Yesterday) -> None:
    """Noticed by the file, stopped, led back, ended; then it goes on with numbers that nobody has used."""
    before = yesterday_and_today(day)
    world = day.world
    for route in SENDING:
        with pytest.raises(Recovering, match="recover run"):
            pipeline.run(world.house, route)
    assert (day.files_by_case(), world.orders()) == before

    day.recover()
    world.run()
    world.run()
    nothing_twice(day, before)

    world.drop(line("P-30", "10,00"), name="juni.csv")
    world.run()
    assert len(day.files_by_case()) == 17
    assert len(world.orders()) == 19
    (booked,) = [one for one in world.messages(HKR) if "P0030" in one.reference]
    assert (booked.voucher[0], booked.batch_id) == ("1", "KB26-hkr-tk-i2-000002")
    assert booked.state is MessageState.CONFIRMED


def test_without_the_file_the_ledger_is_not_believed(sqlite_day: Yesterday) -> None:
    """The file went away together with whatever else was lost."""
    before = yesterday_and_today(sqlite_day)
    (sqlite_day.world.state / "witness.json").unlink()
    for route in SENDING:
        with pytest.raises(Recovering):
            pipeline.run(sqlite_day.world.house, route)

    sqlite_day.recover()
    sqlite_day.world.run()
    nothing_twice(sqlite_day, before)


def test_without_any_witness_of_numbers_the_budget_systems_stand_stops_the_e_file_too(sqlite_day: Yesterday) -> None:
    """It is asked before the first send to anybody, for an old ledger is old for all."""
    before = yesterday_and_today(sqlite_day)
    world = sqlite_day.world
    world.house = replace(world.house, witnesses=())
    world.run(*COLLECT)
    world.drop(line("P-30", "10,00"), name="juni.csv")  # something to send, or nobody would be asked
    world.run(*COLLECT)
    with pytest.raises(Recovering):
        pipeline.run(world.house, "kk-tk-eakte")
    assert sorted(recoveries.recovering(world.ledger)) == [EFILE, HKR, LIST]
    assert not any(one.ticket for one in world.messages(EFILE) if one.state is MessageState.CLAIMED)
    sqlite_day.recover(there=lambda reference: "P0030" not in reference)
    world.run()

    assert len(sqlite_day.files_by_case()) == len(set(sqlite_day.files_by_case())) == 17
    assert len(world.orders()) == 19
    assert before[1] == world.orders()[:-1]


def test_without_the_budget_systems_new_questions_a_person_is_asked_for_it_as_well(sqlite_day: Yesterday) -> None:
    """A system of contract 1.0 cannot say what it has under a Fremdkennzeichen: nothing is guessed."""
    before = yesterday_and_today(sqlite_day)
    world = sqlite_day.world
    world.sandboxes["hkr"].arm("only_1_0", 1000)
    world.sandboxes["hkr"].arm("no_answer_yet", 1000)
    with pytest.raises(Recovering):
        pipeline.run(world.house, "kk-tk-hkr")
    found = pipeline.recover(world.house, HKR)

    assert found.questions == 10
    with pytest.raises(ConfigurationError, match="10 Fälle warten noch auf die Antwort"):
        recovering.end(world.house, HKR, person=by("A. Muster"), reason="abgeglichen")

    world.sandboxes["hkr"].arm("no_answer_yet", 0)  # and where their answers tell, nobody has to
    assert pipeline.recover(world.house, HKR).questions == 0
    sqlite_day.recover()
    world.run()
    nothing_twice(sqlite_day, before)


def test_an_answer_to_a_message_that_the_ledger_has_forgotten_stops_everything(sqlite_day: Yesterday) -> None:
    """The last witness: neither file nor stand, but an answer under our own prefix."""
    world = sqlite_day.world
    world.drop(*FIRST)
    world.run()
    sqlite_day.back_up()
    world.drop(*SECOND, name="mai.csv")
    world.run(*COLLECT, *SENDING)  # answers are not read any more
    sqlite_day.restore()
    world.house = replace(world.house, witnesses=())
    world.run("kk-tk-hkr-rueckmeldungen")

    assert sorted(recoveries.recovering(world.ledger)) == [EFILE, HKR, LIST]
    before = (sqlite_day.files_by_case(), world.orders())
    sqlite_day.recover()
    world.run()
    nothing_twice(sqlite_day, before)


def test_an_answer_in_the_box_is_kept_and_settles_its_message_without_a_person(sqlite_day: Yesterday) -> None:
    """What lies in the box still is matched once its message is known again: the key is the same."""
    world = sqlite_day.world
    world.drop(*FIRST)
    world.run()
    sqlite_day.back_up()
    world.drop(*SECOND, name="mai.csv")
    world.run(*COLLECT, *SENDING)
    sqlite_day.restore()
    world.run("kk-tk-eakte-postfach")  # before anybody has noticed: closed at the server, kept here
    with pytest.raises(Recovering):
        pipeline.run(world.house, "kk-tk-eakte")
    found = pipeline.recover(world.house, EFILE)

    assert found.questions == 0
    confirmed = [one for one in world.messages(EFILE) if one.state is MessageState.CONFIRMED]
    assert len(confirmed) == 16


def test_what_a_person_finds_missing_goes_out_after_the_end(sqlite_day: Yesterday) -> None:
    """And only then: the answer alone sends nothing."""
    world = sqlite_day.world
    world.drop(*FIRST)
    world.run()
    sqlite_day.back_up()
    world.drop(*SECOND[:8], name="mai.csv")
    world.run(*COLLECT, "kk-tk-hkr")  # the e-file was not served any more that day …
    recovering.begin(world.house, EFILE, person=by("A. Muster"), reason="Sicherung von gestern")
    recovering.dismiss(world.house, EFILE, person=by("A. Muster"), reason="vertan")
    sqlite_day.restore()
    with pytest.raises(Recovering):
        pipeline.run(world.house, "kk-tk-eakte")
    pipeline.recover(world.house, EFILE)
    sqlite_day.recover(there=lambda _: False)

    assert len(sqlite_day.files_by_case()) == 8
    world.run()
    assert len(sqlite_day.files_by_case()) == len(set(sqlite_day.files_by_case())) == 16


def test_other_destinations_go_on(sqlite_day: Yesterday) -> None:
    """A witness that holds exactly the ledger's number speaks for a destination."""
    world = sqlite_day.world
    world.drop(*FIRST)
    world.run()
    sqlite_day.back_up()
    world.drop(line("P-1", "8,00", why="Angebot günstiger"), name="mai.csv")
    world.run(*COLLECT, "kk-tk-hkr")
    sqlite_day.restore()
    with pytest.raises(Recovering):
        pipeline.run(world.house, "kk-tk-hkr")

    assert recoveries.recovering(world.ledger) == (HKR,)
    world.run("kk-tk-eakte", "kk-tk-statusliste")


def test_while_it_recovers_nothing_can_go_out_by_any_way(sqlite_day: Yesterday) -> None:
    """The claim itself refuses, in its own transaction; the list and the status say so."""
    world = sqlite_day.world
    world.drop(*FIRST)
    world.run(*COLLECT)
    pipeline.prepare(world.house, "kk-tk-eakte")
    recovering.begin(world.house, EFILE, person=by("A. Muster"), reason="Sicherung von gestern")
    for step in (pipeline.prepare, pipeline.deliver, pipeline.reconcile):
        with pytest.raises(Recovering):
            step(world.house, "kk-tk-eakte")

    assert day_points(sqlite_day) == {EFILE, HKR, LIST}
    assert sqlite_day.files_by_case() == []


def day_points(day: Yesterday) -> set[str]:
    """The destinations of which the list says that they stand still."""
    return {point.subject for point in day.world.points(Kind.RECOVERING)}


def test_a_kill_between_ledger_and_witness_raises_no_alarm(
    sqlite_day: Yesterday, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger commits first: the witness may lag behind, never lead."""
    world = sqlite_day.world
    world.drop(*FIRST)
    world.run(*COLLECT)
    with monkeypatch.context() as killed:
        killed.setattr("kiezbruecke.stages.witnessing.tell", _die)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(world.house, "kk-tk-eakte")
    world.run("kk-tk-eakte")

    assert len(sqlite_day.files_by_case()) == 8
    assert recoveries.recovering(world.ledger) == ()


def _die(_: object) -> None:
    raise KeyboardInterrupt


def test_under_load_nothing_is_filed_or_booked_twice(day: Yesterday) -> None:
    """Sheets arrive and routes run while it is backed up, after it was put back, and while it recovers."""
    world = day.world
    workers = [day.work(*COLLECT, *SENDING, *ANSWERS), day.work("kk-tk-hkr", "kk-tk-eakte")]
    for sheet in range(6):
        lines = [line(f"P-{sheet * 5 + number}", "10,00") for number in range(1, 6)]
        world.drop(*lines, name=f"liste-{sheet}.csv")
        if sheet == 3:
            day.back_up()
        time.sleep(2)
    day.stop(*workers)
    for _ in range(3):
        run_quietly(day, *COLLECT, *SENDING, *ANSWERS)
    before = day.files_by_case(), world.orders()
    assert len(set(before[0])) == len(before[0]) == 30
    assert len(before[1]) == 30

    day.restore()
    workers = [day.work("kk-tk-eakte", "kk-tk-hkr", *ANSWERS)]
    while not recoveries.recovering(world.ledger):
        time.sleep(0.2)
    assert "KB-502" in day.errors or recoveries.recovering(world.ledger)
    day.stop(*workers)  # a person asks for quiet while the ledger is read back; whoever runs on is only refused
    workers = [day.work("kk-tk-eakte", "kk-tk-hkr")]
    day.recover()
    world.drop(line("P-31", "10,00"), name="danach.csv")
    time.sleep(2)
    day.stop(*workers)
    for _ in range(3):
        run_quietly(day, *COLLECT, *SEND)

    files, orders = day.files_by_case(), world.orders()
    assert len(set(files)) == len(files) == 31
    assert len({reference for reference, _, _ in orders}) == len(orders) == 31
    assert evidence.verify(world.ledger).broken == ()


def run_quietly(day: Yesterday, *routes: str) -> None:
    """Run each route; what it leaves is the next round's."""
    for route in routes:
        pipeline.run(day.world.house, route)
