"""Ten thousand grants become stored payment orders, and two people look at them: CPU from a final grant to bytes.

    python -m benchmarks.payments --orders 10000

The ledger is filled through its own doors (decisions, budgets, applications with accounts, booked commitments); then
the real step `prepare` of the payments' route runs, and both people see what waits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, update

from benchmarks.bank import iban
from benchmarks.clock import Measured, timed
from kiezbruecke import clock, pipeline, release, vault
from kiezbruecke.connector import Connection, Item
from kiezbruecke.content import find_content
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, begin_run, history, money, upgrade
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine, now
from kiezbruecke.ledger.events import append_event, touch
from kiezbruecke.ledger.history import Origin, Taken
from kiezbruecke.ledger.seals import BUDGET, COMMITMENT
from kiezbruecke.records import Account, Application, Budget, BudgetStatus, CommitmentState, Decision, Outcome
from kiezbruecke.records.identity import case_id
from kiezbruecke.release import ActKind

PROCESS, ROUTE, AREA = "kk-tk-2026", "kk-tk-zahlungen", "090416"
SUM, CHUNK = Decimal("85.00"), 500
TODAY = date(2026, 6, 1)


def fill(ledger: Ledger, orders: int) -> None:
    """So many grants that are final and bound, each with an account."""
    for begin in range(0, orders, CHUNK):
        numbers = range(begin, min(begin + CHUNK, orders))
        run = begin_run(ledger, f"fill|collect|{begin}", "fill", "collect")
        history.store(ledger, run, Origin("fill", PROCESS, "spk-tk"), [_taken(number) for number in numbers], "")
        with ledger.write() as connection:
            rows = [_commitment(number) for number in numbers]
            connection.execute(insert(t.commitments), rows)
            for row in rows:
                touch(connection, COMMITMENT, row["case_id"], case=row["case_id"])
                append_event(connection, row["case_id"], "commitment.filled", {"reference": row["reference"]})
    run = begin_run(ledger, "fill|collect|budget", "fill", "collect")
    history.store(ledger, run, Origin("fill", PROCESS, "spk-tk"), [_budget_line(orders)], "")
    money.set_budgets(ledger, run, [_budget(orders)])
    with ledger.write() as connection:
        connection.execute(update(t.budgets).values(committed_cents=money.cents(SUM) * orders))
        touch(connection, BUDGET, PROCESS, 2026, AREA)


def prepared(house: House) -> Measured:
    """The real step, over all cases."""
    return timed(lambda: pipeline.prepare(house, ROUTE))


def shown(house: House) -> Measured:
    """What a person sees before certifying."""
    return timed(lambda: release.show(house, ROUTE, ActKind.CERTIFY))


def main() -> None:
    """Fill, write, look, say how long it took."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--orders", type=int, default=1000)
    orders = asked.parse_args().orders
    clock.say(TODAY)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"
        upgrade(url)
        keys = vault.new_keys("benchmark")
        with closing(House(find_content(), Ledger(make_engine(url), vault.Vault(lambda: keys)), _party)) as house:
            fill(house.ledger, orders)
            wrote, looked = prepared(house), shown(house)
    per_order = Measured(wrote.cpu / orders, wrote.wall / orders) * 1000
    print(f"{orders} orders: prepare {per_order.cpu:.2f} ms CPU each ({wrote.cpu:.1f} s CPU, {wrote.wall:.1f} s)")
    print(f"release show: {looked.cpu:.2f} s CPU, {looked.wall:.2f} s")


def _party(name: str) -> Connection:
    """Nobody answers there; nothing is sent."""
    return Connection(name, "kb_hkr", host="http://127.0.0.1:9", extra={"dienststelle": "BA-TK"})


def _taken(number: int) -> Taken:
    return Taken(Item("line", str(number), {}), tuple(_records(number)))


def _records(number: int) -> Iterator[Decision | Application | Account]:
    origin = f"{'b' * 64}:{number + 2}"
    named = {"process_id": PROCESS, "area_id": AREA, "reference_number": _reference(number), "row": number + 2}
    yield Decision(
        **named,
        origin=origin,
        sheet="a.csv",
        decided_on=date(2026, 4, 24),
        outcome=Outcome.ACCEPTED,
        approved_amount=SUM,
    )
    yield Application(
        **named, origin=origin, sheet="b.csv", amount=SUM, notice_on=date(2026, 5, 4), waiver_on=date(2026, 5, 6)
    )
    yield Account(origin=origin, holder=f"Verein {number}", iban=iban(number))


def _commitment(number: int) -> dict[str, object]:
    return {
        "case_id": case_id(PROCESS, _reference(number), AREA),
        "process_id": PROCESS,
        "fiscal_year": 2026,
        "area_id": AREA,
        "state": CommitmentState.BOOKED.value,
        "booked_cents": money.cents(SUM),
        "held_cents": money.cents(SUM),
        "reference": f"KK26-{AREA}-P{number + 1:05}-F1"[:25],
        "at": now(),
    }


def _reference(number: int) -> str:
    return f"P-{number + 1}"


def _budget(orders: int) -> Budget:
    return Budget(
        origin="fill:2",
        process_id=PROCESS,
        fiscal_year=2026,
        area_id=AREA,
        amount=SUM * orders,
        chapter="5950",
        title="97113",
        status=BudgetStatus.RELEASED,
        valid_from=date(2026, 1, 1),
    )


def _budget_line(orders: int) -> Taken:
    return Taken(Item("budget-line", "fill:2", {}), (_budget(orders),))


if __name__ == "__main__":
    main()
