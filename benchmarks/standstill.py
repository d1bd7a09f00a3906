"""A second run that finds nothing to do: collect, prepare, deliver over records that are all known and delivered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import district, workload
from benchmarks.clock import timed
from kiezbruecke import pipeline
from kiezbruecke.connector import Item
from kiezbruecke.content.processes import read_process
from kiezbruecke.ledger import Ledger, begin_run, history
from kiezbruecke.ledger.history import Origin, Taken
from kiezbruecke.records import Budget, BudgetStatus
from kiezbruecke.stages.work import Counts

SOURCE, DESTINATION = "kk-tk-meinberlin", "kk-tk-hkr"
STEPS: dict[str, Any] = {**pipeline.STEPS.collecting, **pipeline.STEPS.sending}


def noop_seconds(count: int, rounds: int) -> list[dict[str, float]]:
    """Seconds per record of each step in a run that finds nothing to do, per round."""
    with TemporaryDirectory() as folder:
        ledger = district.open_ledger(Path(folder))
        items = [Item("proposal", str(i + 1), workload.platform_json(i)) for i in range(count)]
        _decide(ledger, count)
        first = _run(ledger, items)
        assert first["delivered"] == count, first
        found = []
        for _ in range(rounds):
            counts: Counts = Counts()
            found.append({name: seconds / count for name, seconds in _timed(ledger, items, counts).items()})
            assert not counts.get("changed"), counts
            assert not counts.get("prepared"), counts
        ledger.close()
    return found


def _run(ledger: Ledger, items: list[Item]) -> Counts:
    counts = Counts()
    _timed(ledger, items, counts)
    return counts


def _timed(ledger: Ledger, items: list[Item], counts: Counts) -> dict[str, float]:
    """The real stages, one after the other. Each has counts of its own, as in a run."""
    found = {}
    for step in ("collect", "prepare", "deliver"):
        own = Counts()
        found[step] = timed(lambda step=step, own=own: _step(step, ledger, items, own))
        counts.add(own)
    return found


def _step(step: str, ledger: Ledger, items: list[Item], counts: Counts) -> None:
    stage = STEPS[step]
    if step == "collect":
        stage(district.collecting(ledger, SOURCE, district.Shelf(items)), counts)
    else:
        stage(district.sending(ledger, DESTINATION, district.Taker(), step=step), counts)


def _decide(ledger: Ledger, count: int) -> None:
    """Budgets and a decision for every proposal, as the sheets would have brought them."""
    process = read_process(workload.ROOT, workload.PROCESS)
    decisions = [workload.case_roots(i)["decision"] for i in range(count)]
    budgets = [_budget(row, area) for row, area in enumerate(sorted({one.area_id for one in decisions}), 2)]
    run = begin_run(ledger, "sheets", "kk-tk-beschluesse", "collect")
    taken = [Taken(Item(one.kind, one.origin, {}), (one,)) for one in (*budgets, *decisions)]
    history.store(ledger, run, Origin("beschluesse-tk", process.id, process.owner), taken, "")


def _budget(row: int, area: str) -> Budget:
    return Budget(
        origin=f"budgets:{row}",
        process_id=workload.PROCESS,
        fiscal_year=2026,
        area_id=area,
        amount=Decimal("99999999.00"),
        chapter="5950",
        title="97113",
        status=BudgetStatus.RELEASED,
        valid_from=date(2026, 1, 1),
    )
