"""The result of the demonstration as a clerk reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from kiezbruecke.content.processes import read_process
from kiezbruecke.german import number
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.money import NOTHING, Balance, Sums, balances, euros, theirs
from kiezbruecke.ledger.reading import MessageHead, StoredCase, read_process_cases

COUNTS = ("Vorschläge", "beschlossen", "E-Akte")
MONEY = ("Budget", "gebunden", "ausgezahlt", "erstattet", "frei")


@dataclass(frozen=True)
class Line:
    """One area: how many proposals went how far, and its money on both sides."""

    name: str
    counts: tuple[int, ...]  # proposals, accepted, filed
    money: tuple[int, ...]  # cents: budget, bound, paid, refunded, free
    ours: Sums
    theirs: Sums

    @property
    def equal(self) -> bool:
        """True if the budget system has the same sums."""
        return self.ours == self.theirs


def read_lines(ledger: Ledger, content: Path, process_id: str) -> list[Line]:
    """One line per area that has a budget or a case."""
    process = read_process(content, process_id)
    cases = read_process_cases(ledger, process_id).cases
    money = {balance.area_id: balance for balance in balances(ledger, process_id)}
    there = theirs(ledger, process.fiscal_year)
    return [
        _line(area.name, mine, money.get(area.id), there.get(area.id, NOTHING))
        for area in process.areas
        if (mine := [case for case in cases if area_of(case) == area.id]) or area.id in money
    ]


def show(lines: list[Line]) -> Table:
    """The table: areas with a Kiezkasse in the demonstration one by one, the others in one line."""
    title = "Kiezkassen Treptow-Köpenick 2026 (Beträge in Euro)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("Bezirksregion", no_wrap=True)
    for column in (*COUNTS, *MONEY):
        table.add_column(column, justify="right")
    table.add_column("HKR", justify="center")
    active = [line for line in lines if line.counts[0]]
    others = [line for line in lines if not line.counts[0]]
    for line in active:
        table.add_row(*_cells(line))
    if others:
        table.add_row(*_cells(_sum(f"{len(others)} ohne Vorschläge", others)))
    table.add_section()
    table.add_row(*_cells(_sum("zusammen", lines)), style="bold")
    return table


def difference(line: Line) -> str:
    """What the budget system says instead."""
    words = zip(("festgelegt", "ausgezahlt", "erstattet"), line.ours, line.theirs, strict=True)
    differ = [
        f"{word} {_euros(ours)} €, im HKR-Verfahren {_euros(there)} €" for word, ours, there in words if ours != there
    ]
    return f"{line.name}: {'; '.join(differ)}"


def _line(name: str, cases: list[StoredCase], money: Balance | None, there: Sums) -> Line:
    proposals = sum(case.proposal is not None or bool(case.area_id) for case in cases)  # or from paper
    filed = sum(any(map(is_filed, case.messages)) for case in cases)
    columns = (money.amount, money.bound, money.paid, money.refunded, money.free) if money else (0,) * len(MONEY)
    counts = (proposals, sum(map(_accepted, cases)), filed)
    return Line(name, counts, columns, money.sums if money else NOTHING, there)


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
    def total(columns: Iterable[Iterable[int]]) -> tuple[int, ...]:
        return tuple(map(sum, zip(*columns, strict=True)))

    counts, money = total(line.counts for line in lines), total(line.money for line in lines)
    ours, there = (Sums(*total(sums)) for sums in ([line.ours for line in lines], [line.theirs for line in lines]))
    return Line(name, counts, money, ours, there)


def _cells(line: Line) -> list[str]:
    both = "gleich" if line.equal else "NEIN"
    return [line.name, *map(str, line.counts), *map(_euros, line.money), both]


def _euros(cents: int) -> str:
    return number(euros(cents))
