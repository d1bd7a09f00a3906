"""What the other side can do wrong while we send: run again, and it is once and right – or on somebody's list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from kiezbruecke.house import House
from kiezbruecke.ledger import evidence, money, reading, todo
from kiezbruecke.sandbox import Faults, Running
from tests.crash_points import in_child

from .district import EXPECTED, VISITS, Journey, World

# after these everything is as if nothing had happened: the sandbox is asked, or gets the same bytes again
HEALED_EFILE = (
    "create_id_lost",
    "commit_then_lose",
    "lose_before_commit",
    "reset",
    "slow_drip",
    "truncated_answer",
    "html_answer",
    "fault_903x",
    "duplicate_ack",
    "ack_delayed",
    "report_lost",
    "getmessage_lost",
    "close_lost",
)
HEALED_HKR = (
    "commit_then_lose",
    "lose_before_commit",
    "duplicate_ack",
    "replayed_ack",
    "wrong_sum",
    "wrong_answer_sum",
    "gap",
    "no_answer_yet",
    "wrong_balance",
    "html_answer",
    "busy",
    "reset",
    "slow_drip",
    "truncated_answer",
)
# these are a person's: kind of the point, and the states in which the sandbox's messages end
SHOWN_EFILE = {
    "transport_red": ("refused", {"confirmed": 1, "refused": 1}),
    "transport_yellow": ("warning", {"confirmed": 2}),
    "refuse_import": ("refused", {"confirmed": 1, "refused": 1}),
    "unknown_ack": ("clearing", {"confirmed": 2}),
}
SHOWN_HKR = {
    "reject_line": ("refused", {"confirmed": 1, "refused": 1}),
    "refuse_one": ("refused", {"confirmed": 1, "refused": 1}),
    "unknown_ack": ("clearing", {"confirmed": 2}),
}
IMPATIENT = {"deadline": 1, "read_timeout": 0.5}


@pytest.fixture
def world(journeys: Callable[[str], Journey]) -> Iterator[World]:
    """A world in which everything is decided and nothing is sent; its lines are impatient."""
    world = journeys("sqlite").begin(VISITS.index((1, "kk-tk-eakte")))
    world.connect(**IMPATIENT)
    yield world
    for sandbox in (world.xta, world.hkr):
        (sandbox.state / "faults.json").unlink(missing_ok=True)


@pytest.mark.parametrize("fault", HEALED_EFILE)
def test_a_fault_of_the_efile_is_healed_by_running_again(world: World, fault: str) -> None:
    """Doubt that can be asked must not stay doubt, and must never become a second Vorgang (F8 to F14, F17)."""
    _happens(world, world.xta, fault)

    assert world.problems(EXPECTED[1]) == []


@pytest.mark.parametrize("fault", HEALED_HKR)
def test_a_fault_of_the_budget_system_is_healed_by_running_again(world: World, fault: str) -> None:
    """Nor a second Festlegung, nor sums that differ by a cent (F8 to F14, F17)."""
    _happens(world, world.hkr, fault)

    assert world.problems(EXPECTED[1]) == []


def test_an_answer_that_was_read_before_is_not_read_again(world: World) -> None:
    """A page that begins too early is refused as a whole; nothing of it is booked twice (F21)."""
    world.settle()
    world.drop_sheets(2)
    _happens(world, world.hkr, "backwards")

    assert world.problems(EXPECTED[2]) == []


@pytest.mark.parametrize("fault", SHOWN_EFILE)
def test_what_the_efile_refuses_is_shown(world: World, fault: str) -> None:
    """A no, a warning and a stranger's receipt need a person; the other case is filed (I8)."""
    kind, states = SHOWN_EFILE[fault]
    _happens(world, world.xta, fault)

    assert _points(world) == {kind: 1}
    assert _states(world, "eakte-tk") == states
    assert _chains(world) == ()


@pytest.mark.parametrize("fault", SHOWN_HKR)
def test_what_the_budget_system_refuses_is_shown(world: World, fault: str) -> None:
    """Nine of ten lines may be right: they are booked, the tenth is somebody's (F23)."""
    kind, states = SHOWN_HKR[fault]
    _happens(world, world.hkr, fault)
    held = sum(world.booked().values())

    assert _points(world) == {kind: 1}
    assert _states(world, "hkr-tk") == states
    assert _chains(world) == ()
    assert _ours(world) == held


def _happens(world: World, sandbox: Running, fault: str) -> None:
    """The fault strikes once, somewhere in a whole round; then everything runs again until it is stable."""
    sandbox.arm(fault)
    world.run_all()
    struck = Faults(sandbox.state / "faults.json", (fault,)).armed() == {}
    world.settle()

    assert struck, f"{fault} has never struck"


def _points(world: World) -> dict[str, int]:
    return in_child(world.inside(lambda house: dict(Counter(one.kind for one in todo.open_points(house.ledger)))))


def _states(world: World, destination: str) -> dict[str, int]:
    def count(house: House) -> dict[str, int]:
        heads = reading.list_messages(house.ledger, destination=destination)
        return dict(Counter(head.state.value for head, _ in heads))

    return in_child(world.inside(count))


def _chains(world: World) -> tuple[str, ...]:
    return in_child(world.inside(lambda house: evidence.verify(house.ledger).broken))


def _ours(world: World) -> int:
    def add(house: House) -> int:
        return sum(area.booked for area in money.balances(house.ledger, "kk-tk-2026"))

    return in_child(world.inside(add))
