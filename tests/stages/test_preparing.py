"""What is prepared: a correction that comes in time changes what goes out, and one odd case stops no other."""

from __future__ import annotations

import pytest

from kiezbruecke import attention, pipeline
from kiezbruecke.connector import Item
from kiezbruecke.ledger import MessageState, begin_run, claims, history
from kiezbruecke.ledger.history import Origin, Taken
from kiezbruecke.records import Receipt, ReceiptOutcome
from tests.builders import PROCESS, a_proposal, by
from tests.world import World, line

READ = ("kk-tk-budgets", "kk-tk-beschluesse")


@pytest.mark.parametrize("route", ["kk-tk-hkr", "kk-tk-eakte"])
def test_a_decision_corrected_in_time_goes_out_corrected(world: World, route: str) -> None:
    """The old sum left first, and money was bound that nobody had granted."""
    world.drop(line("P-1"))
    world.run(*READ)
    pipeline.prepare(world.house, route)
    world.drop(line("P-1", "700,-", "angenommen (gekürzt)", why="Protokoll falsch"), name="mai.csv")
    world.run("kk-tk-beschluesse", route)

    sums = world.filed() if route == "kk-tk-eakte" else [amount for _, _, amount in world.orders()]
    assert sums == ["700.00"]
    assert world.points() == []


def test_a_decision_taken_back_in_time_sends_nothing(world: World) -> None:
    """A booking and its cancellation would both be on record there."""
    world.drop(line("P-1"))
    world.run(*READ)
    pipeline.prepare(world.house, "kk-tk-hkr")
    world.drop(line("P-1", "", "abgelehnt", why="Protokoll falsch"), name="mai.csv")
    world.run("kk-tk-beschluesse", "kk-tk-hkr")

    assert world.orders() == []
    assert [head.state for head in world.messages("hkr-tk")] == [MessageState.REFUSED]


@pytest.mark.parametrize("route", ["kk-tk-hkr", "kk-tk-eakte"])
def test_a_decision_taken_back_and_granted_again_goes_out(world: World, route: str) -> None:
    """What was taken back here nobody has refused: the same sum must not wait for an answer to no question."""
    world.drop(line("P-1"))
    world.run(*READ)
    pipeline.prepare(world.house, route)
    world.drop(line("P-1", "", "abgelehnt", why="Protokoll falsch"), name="mai.csv")
    world.run("kk-tk-beschluesse")
    pipeline.prepare(world.house, route)
    world.drop(line("P-1", why="Protokoll war doch richtig"), name="juni.csv")
    world.run("kk-tk-beschluesse", route)

    sums = world.filed() if route == "kk-tk-eakte" else [amount for _, _, amount in world.orders()]
    assert sums == ["850.00"]


def test_a_case_that_moved_to_an_area_without_budget_stops_no_other(world: World) -> None:
    """An assertion ended the whole run, for every case of the process."""
    _on_the_platform(world, "2026-00001")
    world.drop(line("2026-00001"), line("P-2", "100,-"))
    world.run(*READ, "kk-tk-eakte")
    world.drop(line("2026-00001", why="falsche Region", area="Grünau"), name="mai.csv")
    world.run("kk-tk-beschluesse", "kk-tk-hkr")

    assert [amount for _, _, amount in world.orders()] == ["100.00"]
    assert any("2026-00001" in point.reason for point in world.points("set_aside"))


def test_a_contradiction_holds_back_further_orders(world: World) -> None:
    """First their two answers are made one, then the corrected sum follows."""
    world.drop(line("P-1"))
    world.run(*READ, "kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    [head] = world.messages("hkr-tk")
    run = begin_run(world.ledger, head.lane, head.route, "test")
    refused = Receipt(outcome=ReceiptOutcome.REFUSED, event="ABGELEHNT")
    claims.note_receipts(world.ledger, run, {head.key: refused})
    world.drop(line("P-1", "700,-", "angenommen (gekürzt)", why="Protokoll falsch"), name="mai.csv")
    world.run("kk-tk-beschluesse", "kk-tk-hkr")
    held_back = len(world.orders())
    [point] = world.points("contradiction")
    attention.decide(world.ledger, point, "erledigt", person=by("A. Muster"), reason="gilt weiter")
    world.run("kk-tk-hkr")

    assert held_back == 1
    assert [amount for _, _, amount in world.orders()] == ["850.00", "700.00"]


def _on_the_platform(world: World, reference: str) -> None:
    proposal = a_proposal(reference_number=reference, area_id=None, area_origin="unknown")
    run = begin_run(world.ledger, "meinberlin-tk|collect", "r", "test")
    origin = Origin("meinberlin-tk", PROCESS.id, "spk-tk")
    history.store(world.ledger, run, origin, [Taken(Item("proposal", "1", {}), (proposal,))], "")
