"""A small year of money, from the vote to the settlement: ledger and HKR against what the sheets come to by hand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from demo.year import cashbook
from demo.year.cashbook import Rules, reckon
from demo.year.grants import CUT_OFF, KINDS, closed_accounts, plan
from demo.year.paying import Settled, settle, told
from demo.year.till import budgets

AREAS = ("Alt-Treptow", "Plänterwald", "Baumschulenweg", "Johannisthal")
PER_AREA = 10


@dataclass(frozen=True)
class Played:
    """How it has ended, and where its sheets lie."""

    settled: Settled
    folder: Path

    @property
    def rules(self) -> Rules:
        """What no sheet says."""
        mornings = plan(budgets(AREAS), PER_AREA)
        return Rules([one.date for one in mornings if one.releases], CUT_OFF, closed_accounts(AREAS))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Forty grants in four areas, with faults of HKR on every day; the year says to the process where its state is."""
    before, folder = dict(os.environ), tmp_path_factory.mktemp("jahr") / "geld"
    yield Played(settle(folder, budgets(AREAS), PER_AREA, lambda _: None), folder)
    os.environ.clear()
    os.environ.update(before)


def test_a_year_of_money_ends_to_the_cent(played: Played) -> None:
    """Per area: budget, bound, paid, refunded, free; ours, theirs, by hand."""
    settled = played.settled

    assert list(settled.wrong) == []
    assert settled.grants == 40
    assert settled.failed > 0
    assert all(
        sums["bound"] >= 0 and sums["free"] == sums["refunded"] for sums in map(settled.by_hand.get, AREAS) if sums
    )
    assert sum(settled.by_hand[area]["refunded"] for area in AREAS) > 0
    assert [area for area in AREAS if settled.by_hand[area]["bound"]] == [AREAS[0], AREAS[3]]  # after the cut-off


def test_the_books_find_a_cent(played: Played) -> None:
    """Books that could not say no would prove nothing: one more cent in one line of a sheet is seen."""
    [sheet] = [
        file
        for file in (played.folder / "beschluesse").rglob("2026-09-07*")
        if file.suffix == ".csv" and ".bericht" not in file.name
    ]
    before = reckon(played.folder, played.rules)
    text = sheet.read_text("utf-8-sig")
    line = next(line for line in text.splitlines() if AREAS[1] in line)
    amount = line.split(";")[6]
    more = f"{amount[:-1]}{(int(amount[-1]) + 1) % 10}"
    sheet.write_text(text.replace(line, line.replace(amount, more)), "utf-8-sig")

    after = reckon(played.folder, played.rules)

    assert [area for area in before if before[area] != after[area]] == [AREAS[1]]
    assert after[AREAS[1]].paid != played.settled.ours[AREAS[1]]["paid"]


def test_the_books_have_no_line_of_the_software() -> None:
    """A mistake that both made would be found by nobody."""
    assert cashbook.__file__
    source = Path(cashbook.__file__).read_text("utf-8")

    assert re.findall(r"^(?:from|import) (?:kiezbruecke|connectors|demo)\b.*", source, re.MULTILINE) == []


def test_a_difference_is_told(played: Played) -> None:
    """And ends the year with an error."""
    wrong = replace(played.settled, wrong=["Alt-Treptow: frei im HKR 0,01 €, von Hand 0,00 €"])

    assert list(told(wrong))[-1] == "Nicht alles stimmt auf den Cent."


def test_the_story_has_everything_that_a_year_of_money_has() -> None:
    """400 grants in twenty areas of 100,000 euros, all that is special in every one, a freeze, a second assembly."""
    given = budgets()
    mornings = plan(given, 20)
    decisions = [row for one in mornings for row in one.sheets.get("beschluesse", ())]
    granted = {(row["Bezirksregion"], row["Referenznummer"]) for row in decisions if row["Bewilligt (€)"]}
    spent = [row["Ausgegeben (€)"] for one in mornings for row in one.sheets.get("nachweise", ())]

    assert (len(given), sum(given.values()), len(granted)) == (20, Decimal(100_000), 400)
    assert len(closed_accounts(given)) == 20
    assert {row["Ergebnis"] for row in decisions} == {
        "angenommen",
        "angenommen (gekürzt)",
        "zurückgezogen",
        "Warteliste",
    }
    assert {row["Status"] for one in mornings for row in one.sheets.get("budgets", ())} == {"gesperrt", "freigegeben"}
    assert "0,00" in spent
    assert any(one.date > CUT_OFF and one.releases for one in mornings)
    assert len(KINDS) == 5
