"""How long a person waits for one case, one message, the status – at as many cases and messages as one likes.

python -m benchmarks.desk --cases 100000 --messages 1000000

The ledger is filled by executemany with cases as a district has them: one in twenty with a corrected line, one in fifty
decided and not sent yet, so that its area's sum must be known; the others settled and, from three messages a case on,
paid, but for one in a hundred whose order is on its way or came back.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid5

from sqlalchemy import event, func, insert, literal, select, update

from benchmarks.clock import Measured, timed
from kiezbruecke import desk
from kiezbruecke.content import find_content
from kiezbruecke.content.processes import read_process
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState, upgrade
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.page.sums import MOST
from kiezbruecke.records import Budget, BudgetStatus, Decision, OrderState, Outcome, Process, Proposal, Record
from kiezbruecke.records.base import NAMESPACE
from kiezbruecke.records.identity import case_id

PROCESS = "kk-tk-2026"
CORRECTED, UNSENT = 20, 50  # one in so many
AT = datetime(2026, 5, 4, 6, 15, tzinfo=UTC)
_CHUNK = 500
_STATIONS = {  # of an order, by the remainder of its case's number in five hundred: its own state and its message's
    33: (OrderState.ORDERED, MessageState.HELD),
    34: (OrderState.ORDERED, MessageState.WAITING),
    35: (OrderState.SENT, MessageState.DELIVERED),
    36: (OrderState.BOOKED, MessageState.CONFIRMED),
    37: (OrderState.BOUNCED, MessageState.CONFIRMED),
}
_PAID = (OrderState.PAID, MessageState.CONFIRMED)
_SENT = (OrderState.SENT, MessageState.DELIVERED)
_others = [_PAID]  # where all other orders stand; with --moving they are on their way
_KINDS = (  # destination, route, effect, letter of the first messages of a case
    ("eakte-tk", "kk-tk-eakte", "file.create", "E"),
    ("hkr-tk", "kk-tk-hkr", "commitment.book", "F"),
    ("hkr-tk", "kk-tk-zahlungen", "payment.order", "Z"),
)
_LATER = ("statusliste-tk", "kk-tk-statusliste", "status.list", "S")
_BYTES = {"payload": b"<nachricht/>" * 80, "lineage": b""}
Rows = dict[Any, list[dict[str, Any]]]


def fill(ledger: Ledger, process: Process, cases: int, messages: int) -> None:
    """Make so many cases and about so many messages; nothing of it went through the pipeline."""
    with ledger.write() as connection:
        lanes = {_lane(destination, effect) for destination, _, effect, _ in (*_KINDS, _LATER)}
        connection.execute(insert(t.lanes), [{"name": lane, "fence": 1} for lane in sorted(lanes)])
        for table, rows in _budgets(process, cases).items():
            connection.execute(insert(table), rows)
    each = max(2, messages // cases)
    for begin in range(0, cases, _CHUNK):
        chunk: Rows = {}
        for number in range(begin, min(begin + _CHUNK, cases)):
            _add_case(chunk, process, number, each)
        with ledger.write() as connection:
            for table, rows in chunk.items():
                if rows:
                    connection.execute(insert(table), rows)
    with ledger.write() as connection:
        for statement in _sums():
            connection.execute(statement)


def waits(house: House, cases: int, rounds: int) -> dict[str, list[Measured]]:
    """Seconds for each look, by what was looked at."""
    chosen = random.Random(1)  # the same cases in every run
    unsent = [number for number in range(cases) if _is_unsent(number)]
    settled = [number for number in range(cases) if not _is_unsent(number)]
    areas = read_process(house.content, PROCESS).areas
    files = [_mark(areas[number % len(areas)].id, number, "E", 1) for number in settled]
    looks: Mapping[str, Callable[[], object]] = {
        "case show, settled": lambda: desk.cases(house, reference(chosen.choice(settled))),
        "case show, not sent yet": lambda: desk.cases(house, reference(chosen.choice(unsent))),
        "message show": lambda: desk.message(house.ledger, chosen.choice(files)),
        "status": lambda: desk.status(house),
        "reconcile": lambda: desk.reconciliation(house, [PROCESS], datetime.now(UTC)),
        "Abgleich, the page": lambda: desk.reconciliation(house, [PROCESS], datetime.now(UTC), most=MOST),
    }
    found: dict[str, list[Measured]] = {}
    for what, look in looks.items():
        look()
        found[what] = [timed(look) for _ in range(rounds if "show" in what else max(3, rounds // 50))]
    return found


def quantile(found: Sequence[Measured], share: float) -> Measured:
    """The time within which this share of the looks was answered, in milliseconds, by each clock."""
    place = min(len(found) - 1, int(len(found) * share))
    return Measured(sorted(one.cpu for one in found)[place], sorted(one.wall for one in found)[place]) * 1000


def opened(folder: Path) -> House:
    """A house on the ledger in this folder."""
    return House(find_content(), Ledger(make_engine(_url(folder))), no_connection)


def filled(folder: Path, process: Process, cases: int, messages: int) -> None:
    """Make a ledger in this folder, with much memory and without waiting for the disk: nobody measures that."""
    upgrade(_url(folder))
    engine = make_engine(_url(folder))
    event.listen(engine, "connect", _hurry)
    ledger = Ledger(engine)
    fill(ledger, process, cases, messages)
    ledger.close()


def no_connection(name: str) -> Any:
    """Nobody is sent anything."""
    raise ConfigurationError(f"a benchmark has no connection '{name}'")


def main() -> None:
    """Fill, look, say how long it took."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=1000)
    asked.add_argument("--messages", type=int, default=10_000)
    asked.add_argument("--rounds", type=int, default=200)
    asked.add_argument("--moving", action="store_true", help="all orders are on their way")
    said = asked.parse_args()
    _others[0] = _SENT if said.moving else _PAID
    with TemporaryDirectory() as folder:
        began = perf_counter()
        filled(Path(folder), read_process(find_content(), PROCESS), said.cases, said.messages)
        print(f"{said.cases} cases, {said.messages} messages; filled in {perf_counter() - began:.0f} s", flush=True)
        house = opened(Path(folder))
        for what, found in waits(house, said.cases, said.rounds).items():
            print(f"{what:26}" + "".join(_shown(share, quantile(found, share)) for share in (0.5, 0.95)))
        house.close()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.sqlite3'}"


def _hurry(connection: Any, _record: Any) -> None:
    for pragma in ("synchronous=OFF", "cache_size=-2000000", "journal_size_limit=-1"):
        connection.execute(f"PRAGMA {pragma}").close()


def _shown(share: float, found: Measured) -> str:
    return f"   p{share * 100:.0f} {found.wall:8.1f} ms, CPU {found.cpu:8.1f}"


def _is_unsent(number: int) -> bool:
    return number % UNSENT == UNSENT - 1


def reference(number: int) -> str:
    """Of the case with this number."""
    return f"2026-{number + 1:05d}"


def _lane(destination: str, effect: str) -> str:
    return f"{destination}|{effect.partition('.')[0]}|{PROCESS}"


def _station(number: int) -> tuple[OrderState, MessageState]:
    """Where the case's order to pay stands."""
    return _STATIONS.get(number % 500, _others[0])


def _mark(area: str, number: int, letter: str, which: int) -> str:
    return f"KK26-{area}-{number + 1:05d}-{letter}{which}"


def _budgets(process: Process, cases: int) -> Rows:
    """Three of four areas have decided on more than they have."""
    rows: Rows = {t.records: [], t.budgets: []}
    rows[t.changes] = [{"process_id": process.id, "number": 0, "counted": 0}]  # every case was looked at and counted
    share = cases // len(process.areas) + 1
    for number, area in enumerate(process.areas):
        amount = Decimal(share * (2000 if number % 4 == 3 else 100))
        budget = Budget(
            origin=f"budgets:{number}",
            process_id=process.id,
            fiscal_year=process.fiscal_year,
            area_id=area.id,
            amount=amount,
            chapter="5950",
            title="97113",
            status=BudgetStatus.RELEASED,
            valid_from=date(2026, 1, 1),
        )
        rows[t.records].append(_record(budget, process, None))
        rows[t.budgets].append(
            {
                "process_id": process.id,
                "fiscal_year": process.fiscal_year,
                "area_id": area.id,
                "amount_cents": int(amount * 100),
                "status": "released",
                "chapter": "5950",
                "title": "97113",
                "limit_cents": int(amount * 100),
                "at": AT,
            }
        )
    return rows


def _add_case(rows: Rows, process: Process, number: int, messages: int) -> None:
    named, area = reference(number), process.areas[number % len(process.areas)].id
    case = case_id(process.id, named)
    told = [_proposal(process, number, area), *_lines(process, number, area)]
    sent = [] if _is_unsent(number) else list(_messages(case, number, area, messages))
    events = [event_row(case, seq, "proposal.recorded", named) for seq in range(1, len(told) + 1)]
    events += [event_row(case, len(told) + 1 + n, "message.confirmed", row["reference"]) for n, row in enumerate(sent)]
    takes = 80000 if number % CORRECTED == 0 else 85000
    rows.setdefault(t.cases, []).append(
        {
            "id": case,
            "process_id": process.id,
            "reference": named,
            "created_at": AT,
            "last_event": len(events),
            "counted_area": area,
            "counted_cents": takes,
        }
    )
    rows.setdefault(t.records, []).extend(_record(one, process, case) for one in told)
    if sent:
        rows.setdefault(t.messages, []).extend(sent)
        rows.setdefault(t.message_bytes, []).extend({"key": one["key"], **_BYTES} for one in sent)
        rows.setdefault(t.attempts, []).extend(map(_attempt, sent))
        rows.setdefault(t.commitments, []).append(_commitment(process, case, number, area))
        orders = [_order(process, one, number, area) for one in sent if one["effect"] == "payment.order"]
        rows.setdefault(t.orders, []).extend(orders)
        held = [one for one in sent if one["state"] == MessageState.HELD]
        rows.setdefault(t.approvals, []).extend({"key": one["key"], "sha256": one["sha256"]} for one in held)
    rows.setdefault(t.events, []).extend(events)
    rows.setdefault(t.attention, []).append(_point(case, named))


def _proposal(process: Process, number: int, area: str) -> Proposal:
    return Proposal(
        source="meinberlin-tk",
        external_id=str(number),
        reference_number=reference(number),
        process_id=process.id,
        area_id=area,
        title=f"Sommerfest Nummer {number}",
        description_text="Ein Fest für alle, die in der Straße wohnen. " * 8,
        requested_amount=Decimal(1000),
        created_at=AT,
    )


def _lines(process: Process, number: int, area: str) -> Iterator[Decision]:
    line = Decision(
        origin=f"liste-{number // 50}:{number % 50 + 2}",
        sheet=f"liste-{number // 50}.xlsx",
        row=number % 50 + 2,
        process_id=process.id,
        area_id=area,
        decided_on=date(2026, 4, 24),
        reference_number=reference(number),
        outcome=Outcome.ACCEPTED,
        approved_amount=Decimal(850),
    )
    yield line
    if number % CORRECTED == 0:
        changed = {"origin": f"korrektur-{number}:2", "sheet": "korrektur.xlsx", "correction": True}
        yield line.model_copy(update={**changed, "reason": "Zahlendreher", "approved_amount": Decimal("800.00")})


def _record(record: Record, process: Process, case: Any) -> dict[str, Any]:
    return {
        "id": record.identity,
        "kind": record.kind,
        "process_id": process.id,
        "case_id": case,
        "source": getattr(record, "source", "listen-tk"),
        "external_id": getattr(record, "external_id", None) or getattr(record, "origin", ""),
        "version": 1,
        "digest": "0" * 64,
        "body": record.canonical(),
        "first_seen": AT,
    }


def _messages(case: Any, number: int, area: str, many: int) -> Iterator[dict[str, Any]]:
    """One file, one commitment, one order to pay, and status lists for the rest; the first of it where it is less."""
    kinds = [*_KINDS, *[_LATER] * (many - len(_KINDS))][:many]
    for place, (destination, route, effect, letter) in enumerate(kinds):
        which = max(1, place - len(_KINDS) + 1)
        moment = AT + timedelta(minutes=place)
        yield {
            "key": uuid5(NAMESPACE, f"{case}{effect}{which}"),
            "destination": destination,
            "generation": 1,
            "case_id": case,
            "effect": effect,
            "once": place < 2,  # file and commitment
            "number": which,
            "reference": _mark(area, number, letter, which),
            "lane": _lane(destination, effect),
            "route": route,
            "owner": "spk-tk",
            "state": (_station(number)[1] if effect == "payment.order" else MessageState.CONFIRMED).value,
            "basis": "0" * 64,
            "amount_cents": 85000,
            "sha256": "0" * 64,
            "file_name": "a.xml",
            "media_type": "application/xml",
            "facts": {},
            "mapping": "file-xdomea 1",
            "mapping_digest": "0" * 64,
            "test": False,
            "created_at": moment,
            "updated_at": moment,
        }


def _attempt(message: Mapping[str, Any]) -> dict[str, Any]:
    states = {"before": "delivered", "after": "confirmed", "note": "FESTGELEGT"}
    return {"message_key": message["key"], "at": AT, "fence": 1, **states}


def _commitment(process: Process, case: Any, number: int, area: str) -> dict[str, Any]:
    return {
        "case_id": case,
        "process_id": process.id,
        "fiscal_year": process.fiscal_year,
        "area_id": area,
        "state": "booked",
        "booked_cents": 85000,
        "held_cents": 85000,
        "reference": _mark(area, number, "F", 1),
        "at": AT,
    }


def _order(process: Process, message: Mapping[str, Any], number: int, area: str) -> dict[str, Any]:
    state = _station(number)[0]
    paid = state is OrderState.PAID
    return {
        "key": message["key"],
        "case_id": message["case_id"],
        "kind": "payment",
        "instalment": 1,
        "channel": "hkr",
        "process_id": process.id,
        "fiscal_year": process.fiscal_year,
        "area_id": area,
        "state": state.value,
        "amount_cents": message["amount_cents"],
        "moved_cents": message["amount_cents"] if paid else 0,
        "moved_on": date(2026, 5, 11) if paid else None,
        "due_on": date(2026, 5, 11),
        "account": f"{number:064x}",
        "at": AT,
    }


def _sums() -> Iterator[Any]:
    """What cases and orders add up to, in the budgets, and the budget system's word that it is so."""
    b, c, o = t.budgets.c, t.commitments.c, t.orders.c

    def of_area(amount: Any, where: Any) -> Any:
        same = (where.process_id == b.process_id, where.fiscal_year == b.fiscal_year, where.area_id == b.area_id)
        return select(func.coalesce(func.sum(amount), 0)).where(*same).scalar_subquery()

    held, paid = of_area(c.held_cents, c), of_area(o.moved_cents, o)
    yield update(t.budgets).values(committed_cents=held, paid_cents=paid, limit_cents=b.limit_cents + held)
    said = select(literal("hkr-tk"), b.fiscal_year, b.area_id, b.committed_cents, b.paid_cents, literal(0), b.at)
    names = ["destination", "fiscal_year", "area_id", "committed_cents", "paid_cents", "refunded_cents", "at"]
    yield insert(t.balances).from_select(names, said)


def event_row(case: Any, seq: int, kind: str, about: str) -> dict[str, Any]:
    """A link of a case's evidence; nobody checks the chain."""
    body = f'{{"reference": "{about}"}}'
    return {"case_id": case, "seq": seq, "at": AT, "kind": kind, "body": body, "previous": "", "hash": "0" * 64}


def _point(case: Any, about: str) -> dict[str, Any]:
    """Long settled."""
    return {
        "kind": "set_aside",
        "subject": f"case:{case}:over_budget:",
        "case_id": case,
        "route": PROCESS,
        "owner": "spk-tk",
        "reason": f"{about}: wartete",
        "answers": [],
        "opened_at": AT,
        "closed_at": AT,
        "answer": "healed",
    }


if __name__ == "__main__":
    main()
