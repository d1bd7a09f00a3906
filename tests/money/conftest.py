"""A district that pays: its sheets, four eyes, a real budget system – all but Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

import pytest

from kiezbruecke import clock, release
from kiezbruecke.house import House
from kiezbruecke.ledger import evidence, money
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.records import OrderState
from kiezbruecke.release import ActKind, Approver
from kiezbruecke.sandbox import Running
from tests.world import World, line, make_world, open_sandboxes, world

__all__ = ["make_world", "world"]

COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-antraege", "kk-tk-nachweise")
ANSWERS = "kk-tk-hkr-rueckmeldungen"
PAY, CLAIM = "kk-tk-zahlungen", "kk-tk-erstattungen"
TODAY = date(2026, 6, 1)
CERTIFIER = Approver(Person("Erika Muster", "erika", How.AIRFLOW), frozenset({"certifier"}))
ORDERER = Approver(Person("Bert Anders", "bert", How.AIRFLOW), frozenset({"orderer"}))


def sign(house: House, route: str, kind: ActKind) -> int:
    """One person looks at what waits, and signs it; how many orders."""
    shown = release.show(house, route, kind).shown
    if kind is ActKind.CERTIFY:
        return release.certify(house, route, shown, CERTIFIER, "geprüft")
    return release.order(house, route, shown, ORDERER, "geprüft")


@dataclass
class Till:
    """The moves of a district that pays, in a line each."""

    world: World

    def round(self) -> None:
        """A morning: everything is collected, bound, ordered as far as it goes, and what came back is heard."""
        self.world.run(*COLLECT, "kk-tk-hkr", ANSWERS, PAY, CLAIM, ANSWERS)

    def release(self, route: str = PAY) -> int:
        """Two people look and sign; how many orders they let go."""
        sign(self.world.house, route, ActKind.CERTIFY)
        return sign(self.world.house, route, ActKind.ORDER)

    def cash_day(self, day: str, *, bounces: tuple[str, ...] = ()) -> None:
        """A day of the cash office: what is booked is paid; what is armed comes back on a later one."""
        if bounces:
            self._hkr("PUT", "bounces", {"Fremdkennzeichen": list(bounces)})
        self._hkr("POST", "day", {"date": day})

    def hkr_sums(self) -> dict[str, Decimal]:
        """The budget system's own books of Müggelheim, in euros."""
        with urlopen(f"{self.world.sandboxes['hkr'].url}/_sandbox/sums", timeout=5) as answer:
            [sums] = [one for one in json.load(answer) if one["Unterkonto"] == "090416"]
        return {name: Decimal(sums[name]) for name in ("committed", "paid", "returned", "refunded")}

    def orders(self, reference: str = "P-1") -> dict[str, OrderState]:
        """The states of a case's orders, by Fremdkennzeichen."""
        [case] = find_case(self.world.ledger, reference)
        return {one.reference: one.state for one in case.orders}

    def balance(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Müggelheim's money in euros: free, bound, paid, refunded."""
        [one] = [one for one in money.balances(self.world.ledger, "kk-tk-2026") if one.area_id == "090416"]
        assert one.amount == one.free + one.bound + one.paid - one.refunded
        return money.euros(one.free), money.euros(one.bound), money.euros(one.paid), money.euros(one.refunded)

    def _hkr(self, method: str, name: str, body: dict[str, Any]) -> None:
        url = f"{self.world.sandboxes['hkr'].url}/_sandbox/{name}"
        asked = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        with urlopen(asked, timeout=5):
            pass


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A budget system in which it is the first of June, and an e-file that nobody asks here."""
    started = open_sandboxes(tmp_path_factory.mktemp("sandbox"), ("hkr", "xta"), hkr=[f"today={TODAY}"])
    yield started
    for running in started.values():
        running.kill()


@pytest.fixture
def till(world: World) -> Iterator[Till]:
    """A district on the first of June, with Müggelheim's budget and 850 euros granted to P-1."""
    world.give_keys()
    clock.say(TODAY)
    world.drop(line("P-1"))
    yield Till(world)
    assert evidence.verify(world.ledger).broken == ()
    clock.say(None)
