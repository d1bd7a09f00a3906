"""A fresh ledger on both databases, and a desk with the few moves that the tests make on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from kiezbruecke.connector import Item
from kiezbruecke.ledger import Ledger, MessageState, Run, begin_run, claims, evidence, history, money, todo
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.draft import Draft, Identity, OrderTerms
from kiezbruecke.ledger.drafts import add_messages
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.reading import read_cases
from kiezbruecke.ledger.todo import OpenPoint
from kiezbruecke.records import Budget, BudgetStatus, Decision, OrderState, Outcome, Receipt, ReceiptOutcome
from kiezbruecke.records.identity import case_id, fremdkennzeichen
from kiezbruecke.vault import Vault, new_keys
from tests.builders import PROCESS as PARTICIPATION
from tests.postgres import Postgres

VAULT = Vault(lambda: new_keys("keys of the tests"))  # made anew by every process
PROCESS, AREA, YEAR = "kk-tk-2026", "090416", 2026
HKR, EFILE = "hkr-tk", "eakte-tk"
MONEY, FILES = f"{HKR}|commitment", f"{EFILE}|file"
Fresh = Callable[[], str]


@pytest.fixture(scope="session")
def postgres(one_postgres: Postgres) -> Postgres:
    """One PostgreSQL per worker."""
    return one_postgres


@pytest.fixture(scope="session")
def fresh_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Addresses of fresh SQLite ledgers, copied from one that was made by the migrations."""
    folder = tmp_path_factory.mktemp("sqlite")
    numbers = count(1)

    def fresh() -> str:
        file = folder / f"{next(numbers)}.sqlite3"
        shutil.copy(migrated_sqlite, file)
        return f"sqlite:///{file}"

    return fresh


@pytest.fixture(scope="session")
def fresh_postgresql(postgres: Postgres, migrated_postgresql: str) -> Fresh:
    """Addresses of fresh PostgreSQL ledgers, copied from one that was made by the migrations."""
    return lambda: postgres.copy_database(migrated_postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest) -> Fresh:
    """Addresses of fresh ledgers, on both databases."""
    made: Fresh = request.getfixturevalue(f"fresh_{request.param}")
    return made


@pytest.fixture
def url(fresh: Fresh) -> str:
    """The address of this test's ledger."""
    return fresh()


@pytest.fixture
def ledger(request: pytest.FixtureRequest, url: str) -> Iterator[Ledger]:
    """This test's ledger, on both databases; whatever the test has written must be sealed, unless it tampers."""
    opened = Ledger(make_engine(url), VAULT)
    yield opened
    if request.node.get_closest_marker("tampers") is None:
        assert evidence.verify(opened).broken == ()
    opened.close()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> str:
    """The address of a database without any schema, of the same kind as `ledger`."""
    if url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/empty.sqlite3"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@dataclass
class Desk:
    """The moves of a case's life, in a line each."""

    ledger: Ledger

    def run(self, lane: str = MONEY, route: str = "kk-tk-hkr") -> Run:
        """A run that takes the lane over."""
        return begin_run(self.ledger, lane, route, "test")

    def decide(self, reference: str = "P-1", row: int = 1, **given: Any) -> UUID:
        """A decision line from a sheet; the case's id."""
        line = decision(reference, row, **given)
        self.store([Taken(Item("decision-line", line.origin, {}), (line,))])
        return case_id(PROCESS, reference, AREA)

    def store(self, taken: Sequence[Taken], source: str = "beschluesse-tk", cursor: str = "") -> history.Stored:
        """What a source says."""
        run = self.run(f"{source}|collect", "kk-tk-collect")
        return history.store(self.ledger, run, history.Origin(source, PROCESS, "spk-tk"), taken, cursor)

    def hear(self, *receipts: Receipt) -> history.Stored:
        """Receipts from the destination they name."""
        taken = [Taken(Item("rueckmeldung", one.external_id, {}, raw=b"raw"), (one,)) for one in receipts]
        return self.store(taken, receipts[0].source)

    def grant(self, euros: str, status: BudgetStatus = BudgetStatus.RELEASED, area: str = AREA) -> None:
        """The area's budget."""
        money.set_budgets(self.ledger, self.run("budgets", "kk-tk-budgets"), [budget(euros, status, area)])

    def prepare(self, *drafts: Draft, run: Run | None = None) -> int:
        """Store drafts; how many found no money."""
        lane = lane_of(drafts[0])
        return len(add_messages(self.ledger, run or self.run(lane), drafts, "spk-tk"))

    def book(self, case: UUID, euros: str, number: int = 1, effect: str = "commitment.book") -> Draft:
        """Prepare an order; its draft."""
        order = draft(case, effect, number, euros)
        self.prepare(order)
        return order

    def pay(self, case: UUID, euros: str, number: int = 1, effect: str = "payment.order", **terms: Any) -> Draft:
        """Prepare an order to pay, as if two people had released it; its draft."""
        given = {"kind": "payment", "channel": "hkr", "due_on": date(2026, 5, 2), "account": "m" * 64, **terms}
        order = draft(case, effect, number, euros, order=OrderTerms(**given))
        self.prepare(order)
        return order

    def orders(self, case: UUID) -> dict[str, OrderState]:
        """The states of a case's orders, by Fremdkennzeichen."""
        with self.ledger.read() as connection:
            [stored] = read_cases(connection, t.cases.c.id == case)
        return {one.reference: one.state for one in stored.orders}

    def balance(self, area: str = AREA) -> tuple[int, int, int, int]:
        """Cents of an area: free, bound, paid, refunded."""
        [found] = [one for one in money.balances(self.ledger, PROCESS) if one.area_id == area]
        assert found.amount == found.free + found.bound + found.paid - found.refunded
        return found.free, found.bound, found.paid, found.refunded

    def send(self, *keys: UUID, lane: str = MONEY) -> Run:
        """Claim and begin to send what waits in a lane; the run that holds it."""
        run = self.run(lane)
        claims.claim(self.ledger, run)
        claims.begin_sending(self.ledger, run, list(keys))
        return run

    def deliver(self, order: Draft, outcome: ReceiptOutcome = ReceiptOutcome.DELIVERED) -> None:
        """Send a message, with the destination's word."""
        run = self.send(order.identity.key, lane=lane_of(order))
        claims.settle(self.ledger, run, order.identity.key, receipt(order, outcome))

    def answer(self, order: Draft, outcome: ReceiptOutcome, number: int = 1, **given: Any) -> None:
        """The budget system's word about an order, by its Fremdkennzeichen."""
        self.hear(receipt(order, outcome, external_id=str(number), key=None, **given))

    def state(self, order: Draft) -> MessageState:
        """A message's state."""
        with self.ledger.read() as connection:
            query = select(t.messages.c.state).where(t.messages.c.key == order.identity.key)
            return MessageState(connection.execute(query).scalar_one())

    def commitment(self, case: UUID) -> tuple[str, int, int]:
        """State, booked and held cents of a case's commitment."""
        with self.ledger.read() as connection:
            c = t.commitments.c
            row = connection.execute(select(c.state, c.booked_cents, c.held_cents).where(c.case_id == case)).one()
        return row.state, row.booked_cents, row.held_cents

    def committed(self, area: str = AREA) -> int:
        """Cents that are held in an area."""
        held = {balance.area_id: balance.committed for balance in money.balances(self.ledger, PROCESS)}
        return held[area]

    def points(self, kind: str = "") -> list[OpenPoint]:
        """Open points, all or of one kind."""
        return [point for point in todo.open_points(self.ledger) if kind in ("", point.kind)]


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """A desk at this test's ledger."""
    return Desk(ledger)


def decision(reference: str = "P-1", row: int = 1, **given: Any) -> Decision:
    """One line of a decision sheet."""
    values: dict[str, Any] = {
        "origin": f"{'a' * 64}:{row}",
        "sheet": "april.csv",
        "row": row,
        "process_id": PROCESS,
        "area_id": AREA,
        "decided_on": date(2026, 4, 24),
        "reference_number": reference,
        "outcome": Outcome.ACCEPTED,
        "approved_amount": Decimal("850.00"),
    }
    return Decision(**{**values, **given})


def budget(euros: str, status: BudgetStatus = BudgetStatus.RELEASED, area: str = AREA) -> Budget:
    """One line of a budget sheet."""
    return Budget(
        origin="b:1",
        process_id=PROCESS,
        fiscal_year=YEAR,
        area_id=area,
        amount=Decimal(euros),
        chapter="5950",
        title="97113",
        status=status,
        valid_from=date(2026, 1, 1),
    )


def lane_of(order: Draft) -> str:
    """Where a draft goes."""
    family = order.identity.effect.partition(".")[0]
    return {"commitment": MONEY, "file": FILES}.get(family, MONEY.replace("commitment", family))


def draft(
    case: UUID,
    effect: str = "file.create",
    number: int = 1,
    euros: str | None = None,
    *,
    reference: str = "",
    payload: bytes = b"<a/>",
    **given: Any,
) -> Draft:
    """A prepared message; with a sum it is an order to the budget system."""
    order = euros is not None
    letter = {"payment": "Z", "refund": "R"}.get(effect.partition(".")[0], "F" if order else "E")
    values: dict[str, Any] = {
        "identity": Identity(HKR if order else EFILE, given.pop("generation", 1), case, effect, number),
        "reference": reference or fremdkennzeichen(PARTICIPATION, AREA, f"P-{case.int % 9000 + 1}", letter, number),
        "basis": f"{effect}{euros}",
        "payload": payload,
        "owner": "spk-tk",
        "amount_cents": int(Decimal(euros) * 100) if euros is not None else None,
        "area": (PROCESS, YEAR, AREA) if order else None,
    }
    return Draft(**{**values, **given})


def receipt(order: Draft, outcome: ReceiptOutcome, **given: Any) -> Receipt:
    """A word about a message: by its key, or by its Fremdkennzeichen."""
    values: dict[str, Any] = {
        "source": order.identity.destination,
        "external_id": f"{order.reference}#{outcome}",
        "outcome": outcome,
        "event": outcome.value,
        "key": order.identity.key,
        "reference": order.reference,
        "amount": Decimal(order.amount_cents) / 100 if order.amount_cents is not None else None,
    }
    return Receipt(**{**values, **given})
