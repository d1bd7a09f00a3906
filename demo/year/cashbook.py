"""What must have come out of a year of money, reckoned from the sheets that lie in the folders and from nothing else.

    sheets, days of release, closed accounts ─▶ per area: budget, granted, paid, refunded; so also bound and free

No line of the software has a part in it, nor has its ledger: a sheet is read with csv or openpyxl, and the rules are
those that a clerk knows. The last line of a decision counts; the waiver, or 34 days after the Bescheid, make it final;
it is paid on the next day on which people release, if its account is known, its fund not frozen, the cash office open;
what a closed account sends back is paid when another one is known; of what was paid and not spent the rest comes back.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

ZERO = Decimal("0.00")
OBJECTION = timedelta(days=34)  # the Bescheid is final afterwards
Line = Mapping[str, str]
Case = tuple[str, str]  # area, reference number


@dataclass(frozen=True)
class Account:
    """One area's year in euros."""

    budget: Decimal = ZERO
    granted: Decimal = ZERO
    paid: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def bound(self) -> Decimal:
        """Granted and not paid."""
        return self.granted - self.paid

    @property
    def free(self) -> Decimal:
        """What could still be granted."""
        return self.budget - self.granted + self.refunded


@dataclass
class _Case:
    """What the sheets say of one proposal, with the day on which each was put in."""

    granted: list[tuple[date, Decimal]] = field(default_factory=list)
    accounts: list[tuple[date, str]] = field(default_factory=list)
    final: date = date.max
    spent: tuple[date, Decimal] | None = None

    def amount(self, day: date) -> Decimal:
        """What stood granted on a day."""
        return next((amount for since, amount in reversed(self.granted) if since <= day), ZERO)


@dataclass(frozen=True)
class Rules:
    """What no sheet says: when people released, until when the cash office is open, which accounts are closed."""

    releases: Sequence[date]
    cut_off: date
    closed: Collection[str]


def reckon(folders: Path, rules: Rules) -> dict[str, Account]:
    """Per area, from the sheets in `budgets`, `beschluesse`, `antraege`, `nachweise`; a name begins with the day."""
    cases = _read_cases(folders)
    budgets, frozen = _read_budgets(folders / "budgets")
    found = {}
    for area, budget in budgets.items():
        mine = [case for (where, _), case in cases.items() if where == area]
        granted = sum((case.amount(date.max) for case in mine), ZERO)
        payments = [(case, *payment) for case in mine if (payment := _paid(case, rules, frozen[area]))]
        paid = sum((amount for _, _, amount in payments), ZERO)
        refunded = sum((_refund(case, on, amount, rules) for case, on, amount in payments), ZERO)
        found[area] = Account(budget, granted, paid, refunded)
    return found


def _paid(case: _Case, rules: Rules, frozen: Callable[[date], bool]) -> tuple[date, Decimal] | None:
    """When and how much was paid to an account that took it."""
    for day in rules.releases:
        known = [iban for since, iban in case.accounts if since <= day]
        if case.final <= day <= rules.cut_off and known and known[-1] not in rules.closed and not frozen(day):
            amount = case.amount(date.max)  # what is given back before the cash office pays is not paid
            return (day, amount) if amount else None
    return None


def _refund(case: _Case, paid_on: date, amount: Decimal, rules: Rules) -> Decimal:
    if case.spent is None:
        return ZERO
    proven_on, spent = case.spent
    claimed = any(max(proven_on, paid_on) <= day <= rules.cut_off for day in rules.releases)
    return max(amount - spent, ZERO) if claimed else ZERO


def _read_cases(folders: Path) -> dict[Case, _Case]:
    cases: dict[Case, _Case] = defaultdict(_Case)
    for day, line in _lines(folders / "beschluesse"):
        grants = line["Ergebnis"].startswith("angenommen")
        _case(cases, line).granted.append((day, _euros(line["Bewilligt (€)"]) if grants else ZERO))
    for day, line in _lines(folders / "antraege"):
        case = _case(cases, line)
        if line["IBAN"]:
            case.accounts.append((day, line["IBAN"]))
        if line["Bescheid vom"]:
            waiver = line["Verzicht auf Widerspruch am"]
            case.final = _day(waiver) if waiver else _day(line["Bescheid vom"]) + OBJECTION
    for day, line in _lines(folders / "nachweise"):
        _case(cases, line).spent = day, _euros(line["Ausgegeben (€)"])
    return cases


def _read_budgets(folder: Path) -> tuple[dict[str, Decimal], dict[str, Callable[[date], bool]]]:
    """Each area's last amount, and whether it was frozen on a day."""
    amounts: dict[str, Decimal] = {}
    states: dict[str, list[tuple[date, bool]]] = defaultdict(list)
    for day, line in _lines(folder):
        amounts[line["Bezirksregion"]] = _euros(line["Betrag (€)"])
        states[line["Bezirksregion"]].append((day, line["Status"] != "freigegeben"))

    def frozen(area: str) -> Callable[[date], bool]:
        return lambda day: next(state for since, state in reversed(states[area]) if since <= day)

    return amounts, {area: frozen(area) for area in amounts}


def _case(cases: dict[Case, _Case], line: Line) -> _Case:
    return cases[line["Bezirksregion"], line["Referenznummer"]]


def _lines(folder: Path) -> Iterator[tuple[date, Line]]:
    """Every line of every sheet of a folder with the day in the sheet's name, in the order of the days."""
    sheets = [file for file in folder.rglob("*") if file.name[:4].isdigit() and ".bericht" not in file.name]
    for sheet in sorted(sheets, key=lambda file: file.name):
        for line in _rows(sheet):
            yield date.fromisoformat(sheet.name[:10]), line


def _rows(sheet: Path) -> Iterator[Line]:
    if sheet.suffix == ".csv":
        with sheet.open(encoding="utf-8-sig", newline="") as handle:
            yield from csv.DictReader(handle, delimiter=";")
        return
    lines: Iterable[Sequence[Any]] = load_workbook(sheet).worksheets[0].iter_rows(values_only=True)
    head, *rest = lines
    yield from (dict(zip(map(str, head), map(_word, line), strict=True)) for line in rest)


def _word(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _euros(text: str) -> Decimal:
    """`1.234,50`, as a clerk writes it; a workbook's own number as it is."""
    plain = text.replace(".", "").replace(",", ".") if "," in text else text
    return Decimal(plain).quantize(ZERO)


def _day(text: str) -> date:
    return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a day has no zone
