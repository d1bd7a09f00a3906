"""From the grant to the paid cent through the bank: released by two people, handed over as pain.001, heard as camt."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ruamel.yaml import YAML

from kiezbruecke import clock
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import evidence
from kiezbruecke.records import OrderState
from kiezbruecke.sandbox import Running, start
from tests.money.conftest import PAY, TODAY, Till
from tests.world import World, application, budget, change_route, line, make_world, odd_world, open_sandboxes

from .conftest import CREATE, EXTRA

__all__ = ["make_world", "odd_world"]

FIRST = "KK26-090416-P0001-Z1"
DAYS = ("20.04.2026", "10.05.2026", "04.05.2026", "06.05.2026")
LATER = "2099-12-01"  # whatever day the file is made on, it is due


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """The budget system, for the commitments."""
    started = open_sandboxes(tmp_path_factory.mktemp("hkr"), ("hkr",), hkr=[f"today={TODAY}"])
    yield started
    for running in started.values():
        running.kill()


@pytest.fixture
def cash_office(tmp_path: Path) -> Iterator[Running]:
    """The bank."""
    running = start(CREATE, tmp_path / "bank", options=(f"today={LATER}",))
    yield running
    running.kill()


@pytest.fixture
def till(content: Path, make_world: Callable[[Path], World], cash_office: Running) -> Iterator[Till]:
    """A district that pays by its own cash office's bank."""
    process = content / "mappings/processes/kk-tk-2026.yaml"
    body = YAML().load(process.read_text("utf-8"))
    body["payments"]["channel"] = "pain"
    with process.open("w", encoding="utf-8") as handle:
        YAML().dump(body, handle)
    change_route(content, PAY, destination="bank-tk", mapping="payment-pain", after=["antraege", "bank"])
    (content / "mappings/routes/kiezkasse/bank.yaml").write_text(ANSWERS, "utf-8")
    world = make_world(content)
    world.drop_budget(budget())
    world.connections["bank-tk"] = {"conn_type": "kb_bank", "host": cash_office.url, "extra": {**EXTRA, "deadline": 20}}
    world.connect()
    world.give_keys()
    clock.say(TODAY)
    world.drop(line("P-1"))
    yield Till(world)
    assert evidence.verify(world.ledger).broken == ()
    clock.say(None)


ANSWERS = """
title: Rückmeldungen der Bank holen
collect: bank-{district}
mapping: [bank-zahlungsstatus, bank-umsatz]
schedule: "*/30 6-20 * * 1-5"
owner: spk-{district}
operations: it-betrieb-{district}
"""


def ask(running: Running, what: str, method: str = "POST", body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{running.url}/_sandbox/{what}", data, method=method), timeout=5) as answer:
        return json.load(answer)


def hear(till: Till) -> None:
    till.world.run("kk-tk-bank")


def _released(till: Till) -> None:
    till.world.apply_for(application(days=DAYS))
    till.round()
    assert till.release() == 1
    till.world.run(PAY)


def test_a_grant_is_paid_by_the_bank_and_comes_back(till: Till, cash_office: Running) -> None:
    """Released, handed over, accepted, paid, bounced: to the cent, on both sides."""
    _released(till)
    [received] = ask(cash_office, "received", "GET")
    assert (received["reference"], received["cents"], received["state"]) == (FIRST, 85_000, "accepted")
    ask(cash_office, "returns", "PUT", {FIRST: 1})
    hear(till)
    assert till.orders() == {FIRST: OrderState.SENT}

    ask(cash_office, "day")
    hear(till)
    assert till.orders() == {FIRST: OrderState.PAID}
    assert till.balance()[1:3] == (Decimal("0.00"), Decimal("850.00"))

    ask(cash_office, "day")
    hear(till)
    assert till.orders() == {FIRST: OrderState.BOUNCED}
    assert till.balance()[1:3] == (Decimal("850.00"), Decimal("0.00"))
    for _ in range(2):
        till.round()
    with pytest.raises(InputError, match="wartet nichts"):
        till.release()
    assert len(ask(cash_office, "received", "GET")) == 1


@pytest.mark.parametrize(
    "fault", ["commit_then_lose", "lose_before_commit", "truncated_answer", "wrong_digest", "busy", "duplicate_camt"]
)
def test_faults_of_the_bank_pay_nobody_twice(till: Till, cash_office: Running, fault: str) -> None:
    """Lost before or after, half an answer, doubled words: one file, one payment."""
    cash_office.arm(fault)
    with contextlib.suppress(Exception):  # a run may fail; the next one must know better
        _released(till)
    for _ in range(2):
        till.world.run(PAY)
        hear(till)
    ask(cash_office, "day")
    hear(till)

    assert till.orders() == {FIRST: OrderState.PAID}
    [received] = ask(cash_office, "received", "GET")
    assert received["booked"] == 1
    assert ask(cash_office, "balance", "GET") == {"cents": 100_000_000 - 85_000}


def test_what_the_bank_refuses_waits_for_a_person(till: Till, cash_office: Running) -> None:
    """Nothing is ordered anew by itself."""
    cash_office.arm("reject_file")
    _released(till)
    hear(till)
    for _ in range(2):
        till.round()

    assert till.orders() == {FIRST: OrderState.REJECTED}
    assert "refused" in [point.kind for point in till.world.points()]
    assert date.fromisoformat(LATER) > TODAY
