"""The result of the demonstration as a clerk reads it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from rich.table import Table

from kiezbruecke.content.processes import read_process
from kiezbruecke.german import number
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.money import Balance, balances, euros, theirs
from kiezbruecke.ledger.reading import MessageHead, StoredCase, read_process_cases


@dataclass(frozen=True)
class Line:
    """One area: how many proposals went how far, and its money on both sides."""

    area: str
    name: str
    proposals: int
    accepted: int
    filed: int
    budget: Decimal
    committed: Decimal
    free: Decimal
    theirs: Decimal

    @property
    def equal(self) -> bool:
        """True if the budget system has the same sum."""
        return self.committed == self.theirs


def read_lines(ledger: Ledger, content: Path, process_id: str) -> list[Line]:
    """One line per area that has a budget or a case."""
    process = read_process(content, process_id)
    cases = read_process_cases(ledger, process_id).cases
    money = {balance.area_id: balance for balance in balances(ledger, process_id)}
    booked_there = theirs(ledger, process.fiscal_year)
    return [
        _line(area.id, area.name, mine, money.get(area.id), euros(booked_there.get(area.id, 0)))
        for area in process.areas
        if (mine := [case for case in cases if area_of(case) == area.id]) or area.id in money
    ]


def show(lines: list[Line]) -> Table:
    """The table: areas with a Kiezkasse in the demonstration one by one, the others in one line."""
    table = Table(title="Kiezkassen Treptow-Köpenick 2026", title_justify="left")
    table.add_column("Bezirksregion")
    for column in ("Vorschläge", "beschlossen", "in der E-Akte", "Budget €", "festgelegt €", "frei €"):
        table.add_column(column, justify="right")
    table.add_column("beide Seiten gleich", justify="center")
    active = [line for line in lines if line.proposals]
    others = [line for line in lines if not line.proposals]
    for line in active:
        table.add_row(*_cells(line))
    if others:
        table.add_row(*_cells(_sum(f"{len(others)} weitere (nur Budget)", others)))
    table.add_section()
    table.add_row(*_cells(_sum("zusammen", lines)), style="bold")
    return table


def difference(line: Line) -> str:
    """What the budget system says instead."""
    return f"{line.name}: festgelegt sind {number(line.committed)} €, im HKR-Verfahren {number(line.theirs)} €"


def _line(area: str, name: str, cases: list[StoredCase], money: Balance | None, there: Decimal) -> Line:
    return Line(
        area,
        name,
        proposals=sum(case.proposal is not None or bool(case.area_id) for case in cases),  # or from paper
        accepted=sum(_accepted(case) for case in cases),
        filed=sum(any(map(is_filed, case.messages)) for case in cases),
        budget=euros(money.amount if money else 0),
        committed=euros(money.booked if money else 0),
        free=euros(money.amount - money.committed if money else 0),
        theirs=there,
    )


def _accepted(case: StoredCase) -> bool:
    return bool(case.decisions) and case.decisions[-1].outcome.grants


def area_of(case: StoredCase) -> str:
    """The area: a paper proposal's own, else the platform's, else the sheet's."""
    decided = case.decisions[-1].area_id if case.decisions else ""
    return case.area_id or (case.proposal.area_id if case.proposal else None) or decided or ""


def is_filed(message: MessageHead) -> bool:
    """True for a file that the e-file has confirmed."""
    return message.effect == "file.create" and message.state is MessageState.CONFIRMED


def _sum(name: str, lines: list[Line]) -> Line:
    counts = [sum(getattr(line, field) for line in lines) for field in ("proposals", "accepted", "filed")]
    money = [
        sum((getattr(line, field) for line in lines), Decimal(0)) for field in ("budget", "committed", "free", "theirs")
    ]
    return Line("", name, *counts, *money)


def _cells(line: Line) -> list[str]:
    counts = [str(count) for count in (line.proposals, line.accepted, line.filed)]
    money = [number(amount) for amount in (line.budget, line.committed, line.free)]
    return [line.name, *counts, *money, "ja" if line.equal else f"NEIN: dort {number(line.theirs)}"]
