"""Killed at a point of a payment run, run again: one payment, to the cent, and nothing waits for anybody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from kiezbruecke import clock, ledger, pipeline, vault
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.house import House
from kiezbruecke.ledger import evidence, money, todo
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.privacy import make_private
from kiezbruecke.release import ActKind
from kiezbruecke.sandbox import Running
from tests.crash.district import BUDGETS, District
from tests.crash_points import count_points, die_at, in_child, points_to_kill
from tests.ledger.conftest import postgres
from tests.money.conftest import ANSWERS, CLAIM, COLLECT, PAY, TODAY, processes, sign
from tests.world import APPLICATION_HEADER, DECISION_HEADER, SETTLEMENT_HEADER, application, line, settlement

__all__ = ["postgres", "processes"]
DAYS = ("20.04.2026", "10.05.2026", "04.05.2026", "06.05.2026")
BUDGET = "kk-tk-2026;2026;Müggelheim;2.600,00 €;5950;97113;freigegeben;01.01.2026;;SPK 1"
Move = Callable[[House], Any]


@dataclass
class CashBox(District):
    """A district with its budget system, and the keys of its vault."""

    hkr: Running

    def open_house(self) -> House:
        """With the vault, on the first of June."""
        clock.say(TODAY)
        house, keys = super().open_house(), self.state / vault.FILE
        house.close()
        safe = vault.Vault(lambda: vault.read_keys(keys))
        return House(house.content, ledger.open_ledger(self.url, safe), house.connect, house.witnesses)

    def begin(self) -> None:
        """One grant, bound, with its application and its proof in the folders."""
        inbox = {"settle_seconds": 0}
        sheets = {
            name: {"conn_type": "kb_folder", "extra": {"path": str(self.state / folder), "profile": profile, **inbox}}
            for name, folder, profile in (
                ("antraege-tk", "eingang/antraege", "application-sheet"),
                ("nachweise-tk", "eingang/nachweise", "settlement-sheet"),
            )
        }
        party = {"conn_type": "kb_hkr", "host": self.hkr.url, "extra": {"dienststelle": "BA-TK"}}
        self.connect_folders({**sheets, "hkr-tk": party})
        for folder in ("eingang/antraege", "eingang/nachweise"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        keys = self.state / vault.FILE
        make_private(keys)
        keys.write_text(vault.new_keys(str(keys)).text())
        self.upgrade()
        self.drop_sheet("budgets/budget.csv", (*BUDGETS, BUDGET))
        self.drop_sheet("beschluesse/april.csv", (DECISION_HEADER, line("P-1")))
        for route in (*COLLECT[:2], "kk-tk-hkr", ANSWERS):
            self.run(route)
        self.drop_sheet("antraege/april.csv", (APPLICATION_HEADER, application(days=DAYS)))
        self.drop_sheet("nachweise/mai.csv", (SETTLEMENT_HEADER, settlement(day="28.05.2026")))

    def _places(self) -> dict[str, Path]:
        return {**super()._places(), "hkr": self.hkr.state}

    def do(self, move: Move) -> Any:
        """A move, in a child."""
        return in_child(self.inside(move))

    def problems(self) -> list[str]:
        """Every way in which this is not as it must be: paid once, claimed once, both sides equal."""
        rows = [row for row in self._asked("received") if row["Art"] in ("AUSZAHLUNG", "ANNAHME")]
        theirs = sorted((row["Art"], row["Betrag"], row["accepted"]) for row in rows)
        wanted = [("ANNAHME", "37.60", 1), ("AUSZAHLUNG", "850.00", 1)]
        [sums] = self._asked("sums")
        moved = (sums["paid"], sums["returned"], sums["refunded"])
        found = [] if theirs == wanted else [f"HKR has {theirs}"]
        found += [] if moved == ("850.00", "0.00", "37.60") else [f"HKR's sums are {moved}"]
        return [*found, *in_child(self.inside(_wrong_in_the_ledger))]

    def _asked(self, what: str) -> list[dict[str, Any]]:
        with urlopen(f"{self.hkr.url}/_sandbox/{what}", timeout=10) as answer:
            rows: list[dict[str, Any]] = json.load(answer)
        return rows

    def cash_day(self, day: str) -> None:
        """What is booked is paid, what is claimed comes in."""
        body = json.dumps({"date": day}).encode()
        asked = Request(f"{self.hkr.url}/_sandbox/day", body, {"Content-Type": "application/json"}, method="POST")
        with urlopen(asked, timeout=10):
            pass


def _wrong_in_the_ledger(house: House) -> list[str]:
    [case] = find_case(house.ledger, "P-1")
    states = sorted((one.kind, str(one.state)) for one in case.orders)
    [area] = money.balances(house.ledger, "kk-tk-2026")
    sums = (area.free, area.bound, area.paid, area.refunded)
    points = [point.reason for point in todo.open_points(house.ledger)]
    found = [*evidence.verify(house.ledger).broken, *points]
    found += [] if states == [("payment", "paid"), ("refund", "received")] else [f"orders are {states}"]
    return found + ([] if sums == (178760, 0, 85000, 3760) else [f"sums are {sums}"])


def _certify(house: House) -> None:
    sign(house, PAY, ActKind.CERTIFY)


def _order(house: House) -> None:
    sign(house, PAY, ActKind.ORDER)


def _run(route: str) -> Move:
    return lambda house: dict(pipeline.run(house, route))


VISITS: dict[str, Move] = {
    "the account is taken in": _run("kk-tk-antraege"),
    "the order is written": _run(PAY),
    "it is certified": _certify,
    "it is ordered": _order,
    "it is sent": _run(PAY),
    "their answer is read": _run(ANSWERS),
}


def _to_the_end(house: House, routes: tuple[str, ...]) -> None:
    """What people and schedules do until nothing is left; a click that comes too late does nothing."""
    for route in routes:
        for kind in (None, ActKind.CERTIFY, ActKind.ORDER, None):
            with suppress(KiezbrueckeError):
                if kind is None:
                    pipeline.run(house, route)
                else:
                    sign(house, route, kind)
    pipeline.run(house, ANSWERS)


def _settle(box: CashBox, do: Callable[[Move], Any]) -> None:
    """First the payment, then – when it is paid – the claim."""
    for day, routes in (("2026-06-03", ("kk-tk-antraege", PAY)), ("2026-07-20", ("kk-tk-nachweise", CLAIM))):
        do(lambda house, routes=routes: _to_the_end(house, routes))
        box.cash_day(day)
        do(_run(ANSWERS))


@pytest.fixture(scope="module")
def hkr(processes: dict[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The budget system; with it everything is done once here."""
    system, state = processes["hkr"], tmp_path_factory.mktemp("warm")
    _empty(system)
    once = CashBox(state, f"sqlite:///{state}/ledger.sqlite3", system)
    once.begin()
    once.warm(lambda house: _settle(once, lambda move: move(house)))
    assert once.problems() == []
    yield system
    clock.say(None)


@pytest.fixture(params=["sqlite", "postgresql"])
def box(request: pytest.FixtureRequest, hkr: Running, tmp_path: Path) -> CashBox:
    """On both databases, with empty books."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.create_database() if server else f"sqlite:///{tmp_path}/state/ledger.sqlite3"
    _empty(hkr)
    made = CashBox(tmp_path / "state", url, hkr, postgres=server)
    made.begin()
    return made


def _empty(hkr: Running) -> None:
    (hkr.state / "faults.json").unlink(missing_ok=True)
    for file in hkr.state.glob("books.sqlite3*"):
        file.unlink()


def test_a_kill_at_any_point_of_a_payment_pays_once(box: CashBox, tmp_path: Path) -> None:
    """Before and after every kind of commit and of call, from the account to their answer."""
    passed = []
    for name, move in VISITS.items():
        box.save(tmp_path / name)
        passed.append(count_points(box.inside(move)))
    wrong, killed = [], 0
    for (name, move), points in zip(VISITS.items(), points_to_kill(*passed), strict=True):
        for number, point in points:
            box.restore(tmp_path / name)
            die_at(number, box.inside(move))
            _settle(box, box.do)
            wrong += [f"{name}, point {number}, {point}: {problem}" for problem in box.problems()]
            killed += 1

    assert wrong == []
    assert killed >= 5
