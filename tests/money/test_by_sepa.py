"""The same money by SEPA file, with the shipped example: `mappings/processes/sk-li-2026.yaml`, put to use as it is.

Commitments at the budget system; payments as pain.001 at a bank, which is heard by pain.002 and camt.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from kiezbruecke import attention, clock, pipeline
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import MessageState, evidence, money
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.ledger.todo import OpenPoint
from kiezbruecke.records import OrderState
from kiezbruecke.sandbox import Running, start
from tests.connectors.bank.conftest import CREATE, EXTRA
from tests.money.conftest import TODAY, Till
from tests.money.test_whole_way import DAYS, _euros
from tests.pipeline.test_process_as_data import Placed, put_to_use
from tests.world import (
    APPLICATION_HEADER,
    BUDGET_HEADER,
    DECISION_HEADER,
    SETTLEMENT_HEADER,
    World,
    application,
    budget,
    line,
    odd_world,
    settlement,
)

__all__ = ["odd_world"]

PROCESS, PAY, CLAIM, BANK = "sk-li-2026", "sk-li-zahlungen", "sk-li-erstattungen", "sk-li-bank"
FIRST, SECOND = "SL26-LI03-P0001-Z1", "SL26-LI03-P0001-Z2"
OTHER = "SL26-LI03-P0002-Z1"
BACK = "SL26-LI03-P0001-R1"
LATER = "2099-12-01"  # the bank's day: whatever day the file is made on, it is due
BUDGET = Decimal("2600.00")
CLERK = Person("Erika Muster", "erika", How.AIRFLOW)


@dataclass
class SepaTill(Till):
    """The moves of a district whose cash office takes SEPA files."""

    placed: Placed
    bank: Running

    def drop_in(self, folder: str, header: str, *lines: str, name: str) -> None:
        """A clerk puts a sheet of this district into a folder."""
        said = [one.replace("kk-tk-2026", PROCESS).replace("Müggelheim", "Kiez 3") for one in lines]
        (self.placed.inbox / folder / name).write_text("\n".join((header, *said, "")), "utf-8-sig")

    def decide(self, *lines: str, name: str = "april.csv") -> None:
        """A decision sheet."""
        self.drop_in("beschluesse", DECISION_HEADER, *lines, name=name)

    def round(self) -> None:
        """A morning, without the hand-over to the bank's other side."""
        collect = ("budgets", "beschluesse", "antraege", "nachweise", "hkr", "hkr-rueckmeldungen", "zahlungen")
        self.world.run(*(f"sk-li-{short}" for short in (*collect, "erstattungen", "hkr-rueckmeldungen", "bank")))

    def pay(self, *references: str) -> None:
        """As far as two signatures, and one run more that would hand the file over."""
        self.drop_in("antraege", APPLICATION_HEADER, *(application(one, days=DAYS) for one in references), name="a.csv")
        self.round()
        assert self.release(PAY) == len(references)

    def hand_over_and_take_back(self, *references: str) -> None:
        """The bank has the file; then the first one's decision says otherwise, and the route has looked at it."""
        self.pay(*references)
        self.world.run(PAY)
        self.decide(TAKEN_BACK, name="mai.csv")
        self.round()

    def orders(self, reference: str = "P-1") -> dict[str, OrderState]:
        """The states of a case's orders, by Fremdkennzeichen."""
        [case] = find_case(self.world.ledger, reference)
        return {one.reference: one.state for one in case.orders}

    def balance(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The area's money in euros: free, bound, paid, refunded."""
        [one] = [one for one in money.balances(self.world.ledger, PROCESS) if one.area_id == "LI03"]
        return money.euros(one.free), money.euros(one.bound), money.euros(one.paid), money.euros(one.refunded)

    def by_hand(self) -> list[OpenPoint]:
        """What a person must do at the bank."""
        return self.world.points("follow_up")

    def at_the_bank(self) -> dict[str, tuple[str, int]]:
        """Every payment that the bank has taken: what became of it there, and how often it was booked."""
        return {one["reference"]: (one["state"], one["booked"]) for one in self.ask("received", "GET")}

    def ask(self, what: str, method: str = "POST", body: Any = None) -> Any:
        """The bank's other side."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.bank.url}/_sandbox/{what}", data, method=method), timeout=5) as answer:
            return json.load(answer)


@pytest.fixture
def cash_office(tmp_path: Path) -> Iterator[Running]:
    """The bank."""
    running = start(CREATE, tmp_path / "bank", options=(f"today={LATER}",))
    yield running
    running.kill()


@pytest.fixture
def till(odd_world: World, cash_office: Running) -> Iterator[SepaTill]:
    """The shipped example in use, with a budget, and 850 euros granted to each of two."""
    placed = put_to_use(odd_world, PROCESS)
    roles = odd_world.content / "mappings/roles.yaml"  # as docs/how-to/sepa.md has it
    roles.write_text(roles.read_text("utf-8").replace("routes: [kk-tk-*]", "routes: [kk-tk-*, sk-li-*]"), "utf-8")
    given = {"conn_type": "kb_bank", "host": cash_office.url, "extra": {**EXTRA, "deadline": 20}}
    odd_world.connections["bank-li-sk"] = given
    odd_world.connect()
    odd_world.give_keys()
    clock.say(TODAY)
    found = SepaTill(odd_world, placed, cash_office)
    found.drop_in("budgets", BUDGET_HEADER, budget(), name="budget.csv")
    found.decide(line("P-1"), line("P-2"))
    yield found
    assert evidence.verify(odd_world.ledger).broken == ()
    clock.say(None)


# -- there and back ------------------------------------------------------------------------------------------------


def test_a_grant_is_paid_by_the_bank_and_settled(till: SepaTill) -> None:
    """850 handed over, accepted, paid; 812.40 proven, 37.60 claimed at the budget system, and free again."""
    till.pay("P-1")
    till.round()
    assert till.at_the_bank() == {FIRST: ("accepted", 0)}
    assert till.orders() == {FIRST: OrderState.SENT}

    till.ask("day")
    till.round()
    assert till.orders() == {FIRST: OrderState.PAID}
    assert till.balance() == _euros("900", "850", "850", "0")  # bound is the other's

    till.drop_in("nachweise", SETTLEMENT_HEADER, settlement(day="28.05.2026"), name="n.csv")
    till.round()
    assert till.release(CLAIM) == 1
    till.round()
    till.cash_day("2026-07-20")
    till.round()
    assert till.orders() == {FIRST: OrderState.PAID, BACK: OrderState.RECEIVED}
    assert till.balance() == _euros("937.60", "850", "850", "37.60")
    assert till.ask("balance", "GET") == {"cents": 100_000_000 - 85_000}
    assert [point.reason for point in till.world.points() if point.case_id] == []


def test_what_comes_back_is_bound_again_and_paid_by_nobody(till: SepaTill) -> None:
    """Days later, by camt; nothing is ordered anew by itself."""
    till.pay("P-1")
    till.world.run(PAY)
    till.ask("returns", "PUT", {FIRST: 1})
    for _ in range(2):
        till.ask("day")
        till.round()

    assert till.orders() == {FIRST: OrderState.BOUNCED}
    assert till.balance() == _euros("900", "1700", "0", "0")
    with pytest.raises(InputError, match="wartet nichts"):
        till.release(PAY)
    assert till.at_the_bank() == {FIRST: ("returned", 1)}


@pytest.mark.parametrize(
    "fault", ["commit_then_lose", "lose_before_commit", "truncated_answer", "wrong_digest", "busy", "duplicate_camt"]
)
def test_faults_of_the_bank_pay_nobody_twice(till: SepaTill, cash_office: Running, fault: str) -> None:
    """Lost before or after, half an answer, doubled words: one file, one payment."""
    till.pay("P-1")
    cash_office.arm(fault)
    for _ in range(3):
        with contextlib.suppress(Exception):  # a run may fail; the next one must know better
            till.world.run(PAY)
        till.world.run(BANK)
    till.ask("day")
    till.world.run(BANK)

    assert till.orders() == {FIRST: OrderState.PAID}
    assert till.at_the_bank() == {FIRST: ("paid", 1)}
    assert till.ask("balance", "GET") == {"cents": 100_000_000 - 85_000}


def test_what_the_bank_refuses_waits_for_a_person(till: SepaTill, cash_office: Running) -> None:
    """Nothing is ordered anew by itself."""
    cash_office.arm("reject_file")
    till.pay("P-1")
    for _ in range(3):
        till.round()

    assert till.orders() == {FIRST: OrderState.REJECTED}
    assert "refused" in [point.kind for point in till.world.points()]


# -- called back ---------------------------------------------------------------------------------------------------

TAKEN_BACK = line("P-1", "", "abgelehnt", why="Fest fällt aus")


def test_what_is_not_handed_over_is_taken_out_of_its_file(till: SepaTill) -> None:
    """The file was made and the bank did not answer: the other payment goes with a new file, and this one never."""
    till.pay("P-1", "P-2")
    host, closed = till.bank.url, "http://127.0.0.1:9"
    till.world.connections["bank-li-sk"]["host"] = closed
    till.world.connect()
    with contextlib.suppress(Exception):
        till.world.run(PAY)
    waiting = [one for one in till.world.messages() if one.effect == "payment.order"]
    assert [one.state for one in waiting] == [MessageState.WAITING] * 2
    assert len({one.batch_id for one in waiting} - {None}) == 1

    till.decide(TAKEN_BACK, name="mai.csv")
    till.world.connections["bank-li-sk"]["host"] = host
    till.world.connect()
    till.round()

    assert till.at_the_bank() == {OTHER: ("accepted", 0)}
    assert till.orders() == {FIRST: OrderState.CANCELLED}
    assert till.orders("P-2") == {OTHER: OrderState.SENT}
    assert till.by_hand() == []
    for _ in range(2):
        till.round()
    assert till.balance() == _euros("1750", "850", "0", "0")


def test_what_may_have_arrived_goes_as_it_is(till: SepaTill, cash_office: Running) -> None:
    """Nobody knew whether the file was there. In a second file the other payment could go twice: so it stays one."""
    till.pay("P-1", "P-2")
    cash_office.arm("lose_before_commit")
    with contextlib.suppress(Exception):
        till.world.run(PAY)
    pipeline.reconcile(till.world.house, PAY)  # not there, says the bank: the file waits once more
    assert [one.state for one in till.world.messages() if one.effect == "payment.order"] == [MessageState.WAITING] * 2
    before = {one.batch_id for one in till.world.messages() if one.effect == "payment.order"}
    till.decide(TAKEN_BACK, name="mai.csv")
    till.round()

    assert till.at_the_bank() == {FIRST: ("accepted", 0), OTHER: ("accepted", 0)}
    assert {one.batch_id for one in till.world.messages() if one.effect == "payment.order"} == before
    till.round()
    assert [FIRST in point.reason for point in till.by_hand()] == [True]


def test_a_payment_that_is_stopped_by_telephone_is_settled_by_the_banks_word(till: SepaTill) -> None:
    """Handed over, then taken back: a person calls, the bank reports CANC, and the money is free."""
    till.hand_over_and_take_back("P-1", "P-2")
    [point] = till.by_hand()
    assert "der Beschluss bewilligt nicht mehr" in point.reason
    assert "Bitte sofort bei Kasse und Bank anrufen" in point.reason
    assert point.owner == "spk-li"
    assert till.orders() == {FIRST: OrderState.SENT}

    assert till.ask(f"recall/{FIRST}") == {"stopped": True}
    till.ask("day")
    for _ in range(3):
        till.round()
    assert till.orders() == {FIRST: OrderState.REJECTED}
    assert till.by_hand() == []
    assert till.at_the_bank() == {FIRST: ("cancelled", 0), OTHER: ("paid", 1)}
    assert till.balance() == _euros("1750", "0", "850", "0")
    assert [point.reason for point in till.world.points() if point.case_id] == []


def test_a_file_that_the_cash_office_never_let_go_is_settled_by_a_person(till: SepaTill) -> None:
    """No report will come: who has called says `storniert`, and is in the evidence."""
    till.hand_over_and_take_back("P-1")
    [point] = till.by_hand()
    with pytest.raises(InputError, match="gibt es hier nicht"):
        attention.decide(till.world.ledger, point, "neu_senden", person=CLERK, reason="nein")
    attention.decide(till.world.ledger, point, "storniert", person=CLERK, reason="Kasse: nicht freigegeben")
    for _ in range(3):
        till.round()

    assert till.orders() == {FIRST: OrderState.REJECTED}
    assert till.balance() == _euros("1750", "850", "0", "0")
    assert [point.reason for point in till.world.points() if point.case_id] == []


def test_what_is_too_late_to_stop_is_paid_until_it_comes_back(till: SepaTill) -> None:
    """The bank has booked: the sum counts as paid, a person hears so, and the return settles it."""
    till.hand_over_and_take_back("P-1")
    till.ask("returns", "PUT", {FIRST: 1})
    till.ask("day")
    assert till.ask(f"recall/{FIRST}") == {"stopped": False}
    for _ in range(2):
        till.round()
    assert till.orders() == {FIRST: OrderState.PAID}
    assert ["Ausgezahlt ist schon" in point.reason for point in till.by_hand()] == [True]

    till.ask("day")
    for _ in range(3):
        till.round()
    assert till.orders() == {FIRST: OrderState.BOUNCED}
    assert till.by_hand() == []
    assert till.balance() == _euros("1750", "850", "0", "0")


def test_a_corrected_sum_is_ordered_anew_once_the_old_one_is_stopped(till: SepaTill) -> None:
    """Never beside it: the new order waits for the old one's end."""
    till.pay("P-1")
    till.world.run(PAY)
    till.decide(line("P-1", "800,-", why="Angebot günstiger"), name="mai.csv")
    for _ in range(2):
        till.round()
    assert till.orders() == {FIRST: OrderState.SENT}
    assert "bewilligt sind jetzt 800,00 €" in till.by_hand()[0].reason

    till.ask(f"recall/{FIRST}")
    for _ in range(3):
        till.round()
    assert till.orders() == {FIRST: OrderState.REJECTED, SECOND: OrderState.ORDERED}
    assert till.release(PAY) == 1
    till.world.run(PAY)
    assert till.at_the_bank() == {FIRST: ("cancelled", 0), SECOND: ("accepted", 0)}
