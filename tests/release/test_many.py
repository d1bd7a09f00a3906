"""10,000 orders: their numbers within a second, as the issue asks for."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.records import name_id

from .conftest import Office

MANY = 10_000


def test_the_numbers_of_ten_thousand_orders_come_within_a_second(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copies of one order, each with a case, an application and an account of its own."""
    office.pay("20")
    _multiply(office)
    office.show()  # files are read once
    began, wall = time.process_time(), time.monotonic()
    view = office.show()
    cpu, wall = time.process_time() - began, time.monotonic() - wall
    with capsys.disabled():
        print(f"\n{MANY} orders, {office.ledger.engine.dialect.name}: {cpu:.2f} s CPU, {wall:.2f} s in all")  # noqa: T201

    assert (view.count, len(view.lines)) == (MANY, MANY)
    assert cpu < 10  # the figure is printed; this only tells a second from a minute


def _multiply(office: Office) -> None:
    """What a test does not need the chains for is written as rows; the ledger is thrown away afterwards."""
    with office.ledger.engine.begin() as connection:

        def first(table: object) -> dict[str, object]:
            return dict(connection.execute(table.select()).mappings().all()[-1])  # type: ignore[attr-defined]

        case, message, order, held, line = map(first, (t.cases, t.messages, t.orders, t.commitments, t.records))
        names = [(name_id("case", str(n)), name_id("key", str(n)), f"KK26-{n:05d}-Z1", n) for n in range(1, MANY)]
        rows = {
            t.cases: [{**case, "id": c, "reference": f"P-9{n}"} for c, _, _, n in names],
            t.messages: [{**message, "key": k, "case_id": c, "reference": r} for c, k, r, _ in names],
            t.orders: [
                {**order, "key": k, "case_id": c, "account": f"a-Name {n}", "at": now()} for c, k, _, n in names
            ],
            t.commitments: [{**held, "case_id": c} for c, _, _, _ in names],
            t.approvals: [{"key": k, "sha256": message["sha256"]} for _, k, _, _ in names],
            t.records: [
                {
                    **{key: value for key, value in line.items() if key != "seq"},
                    "id": name_id("line", str(n)),
                    "case_id": c,
                    "kind": "application",
                    "body": str(line["body"]).replace("Rita Roe", f"Name {n}"),
                }
                for c, _, _, n in names
            ],
        }
        for table, some in rows.items():
            connection.execute(insert(table), some)


pytestmark = pytest.mark.tampers
