"""A sheet before it counts: the same words as the report beside it, nothing stored, and handed over exactly once."""

from __future__ import annotations

import csv
import hashlib
import threading
from collections.abc import Sequence
from decimal import Decimal

import pytest
from sqlalchemy import select

from kiezbruecke import pipeline
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import evidence
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.stages.looking_ahead import MOST_BYTES, SheetOutlook, sheet_report, sheets_there
from tests.world import (
    APPLICATION_HEADER,
    BUDGET_HEADER,
    DECISION_HEADER,
    IBAN,
    SETTLEMENT_HEADER,
    World,
    application,
    budget,
    line,
    settlement,
)

READ, BUDGETS = "kk-tk-beschluesse", "kk-tk-budgets"
ERIKA = Person("Erika Muster", "erika", How.AIRFLOW)
SHEETS = {
    "accepted": [line("P-1")],
    "over the budget, together": [line("P-1", "1.500,00"), line("P-2", "1.500,00")],
    "several in one budget": [line("P-1", "1.500,00"), line("P-2", "1.100,00"), line("P-3", "", "abgelehnt")],
    "no sum, a sum without a grant": [line("P-1", ""), line("P-2", "10,00", "abgelehnt")],
    "twice in one sheet": [line("P-1"), line("P-1", "900,00")],
    "unknown on the platform": [line("2026-00077")],
    "another area without budget": [line("P-1", area="Grünau")],
    "an odd date, an odd sum, an odd outcome": [
        line("P-1").replace("24.04.2026", "24.04.2062"),
        line("P-2", "0.850"),
        line("P-3", outcome="genehmigt?"),
        line("P 8"),
        line("P-4"),
    ],
    "a sum line, a formula": [line("P-1"), ";;;;Summe;;850,00;;;;;;;;;", line("P-2", "=1+1")],
}


def body(*lines: str, header: str = DECISION_HEADER) -> bytes:
    return ("\n".join((header, *lines)) + "\n").encode("utf-8-sig")


def look(world: World, *lines: str, name: str = "april.csv", route: str = READ) -> SheetOutlook:
    return pipeline.look_ahead(world.house, route, name, body(*lines))


def take(world: World, raw: bytes, name: str = "april.csv", person: Person = ERIKA) -> tuple[str, bool]:
    done = pipeline.hand_over(world.house, READ, name, raw, look=hashlib.sha256(raw).hexdigest(), person=person)
    return done.file, done.stored


def report(world: World, name: str = "april.csv") -> list[list[str]]:
    file = next(world.inbox.glob(f"*/{name}.bericht.csv"))
    rows = csv.reader(file.read_text("utf-8-sig").splitlines(), delimiter=";")
    return [[*row, ""][:5] for row in rows if row and row[0].isdecimal()]


def everything(world: World) -> dict[str, Sequence[object]]:
    """All rows of the ledger."""
    with world.ledger.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))] for table in t.metadata.sorted_tables
        }


@pytest.mark.parametrize("lines", SHEETS.values(), ids=SHEETS.keys())
@pytest.mark.parametrize("before", [[], [line("P-1", "700,00"), line("P-2", "", "Warteliste")]], ids=["first", "later"])
def test_what_is_shown_before_is_what_the_report_says_after(
    world: World, lines: Sequence[str], before: Sequence[str]
) -> None:
    """The judgement, the hint, and what follows – word for word, whatever other sheets have said before."""
    world.run(BUDGETS)
    if before:
        world.drop(*before, name="maerz.csv")
        world.run(READ)
    shown = look(world, *lines)
    world.drop(*lines)
    world.run(READ)

    after = report(world)
    assert [(str(one.row), one.reference, one.outcome, one.wrong) for one in shown.lines] == [
        tuple(row[:4]) for row in after
    ]
    for one, row in zip(shown.lines, after, strict=True):
        assert one.follows == row[4] or one.follows.startswith(f"{row[4]}; "), one.follows
        assert bool(one.follows) == bool(row[4])


def test_it_says_what_becomes_of_the_money(world: World) -> None:
    """Line after line what is left, as a person would count."""
    world.run(BUDGETS)
    shown = look(world, line("P-1"), line("P-2", "1.000,00"))
    first, second = shown.lines
    assert first.follows == ("geht in die E-Akte und ins HKR; 850,00 € werden festgelegt; frei bleiben 1.750,00 €")
    assert second.follows.endswith("1.000,00 € werden festgelegt; frei bleiben 750,00 €")
    assert first.understood == "Müggelheim, Sitzung am 24.04.2026: angenommen, 850,00 €"
    (area,) = shown.areas
    assert (area.area, area.budget, area.granted, area.free) == (
        "Müggelheim",
        Decimal("2600.00"),
        Decimal("1850.00"),
        Decimal("750.00"),
    )


def test_a_correction_counts_the_difference(world: World) -> None:
    """What is booked is changed, not bound twice."""
    world.drop(line("P-1"))
    world.run()
    (one,) = look(world, line("P-1", "1.000,00", why="Angebot teurer"), name="mai.csv").lines
    assert one.follows.endswith("die Festlegung wird auf 1.000,00 € geändert; frei bleiben 1.600,00 €")


def test_what_waits_says_what_helps(world: World) -> None:
    """How to mend it, in the words of whoever fills in the sheet."""
    world.run(BUDGETS)
    over, unknown = look(world, line("P-1", "3.000,00"), line("2026-00077", "", "abgelehnt")).lines
    assert over.follows == "wartet: P-1: Die Beschlüsse in Müggelheim übersteigen das Budget um 400,00 €"
    assert over.helps == "einen Betrag kürzen, oder das Budget mit einer Budgetliste erhöhen"
    assert unknown.helps == "die Nummer prüfen; steht der Vorschlag auf der Plattform, genügt es, zu warten"
    assert not over.sound
    assert not unknown.sound


def test_a_budget_sheet_says_what_is_left(world: World) -> None:
    """Joined with the decisions that are known: less than was granted is told before it counts."""
    world.drop(line("P-1"))
    world.run(BUDGETS, READ)
    raw = body(budget("500,00", why="gekürzt"), budget("3.000,00", area="Grünau"), header=BUDGET_HEADER)
    shown = pipeline.look_ahead(world.house, BUDGETS, "b.csv", raw)
    less, more = shown.lines
    assert less.follows == (
        "gilt: 500,00 €, freigegeben; vergeben sind 850,00 €, die Beschlüsse übersteigen es um 350,00 €"
    )
    assert more.follows == "gilt: 3.000,00 €, freigegeben; vergeben sind 0,00 €, frei bleiben 3.000,00 €"


def test_application_and_settlement_sheets_say_where_the_grant_stands_then(world: World) -> None:
    """With the account masked: neither IBAN nor holder stands in what is shown, and nothing is kept of them."""
    world.give_keys()
    world.drop(line("P-1"), line("P-2", "", "abgelehnt"))
    world.run()
    before = everything(world)
    raw = body(application("P-1"), application("P-9"), application("P-2"), header=APPLICATION_HEADER)
    shown = pipeline.look_ahead(world.house, "kk-tk-antraege", "antraege.csv", raw)
    known, unknown, rejected = shown.lines
    assert known.understood == "beantragt sind 850,00 €, Bescheid vom 10.04.2026"
    assert known.outcome == "übernommen"
    assert known.follows
    assert unknown.follows == "wartet: zu dieser Referenznummer gibt es noch keinen Beschluss"
    assert unknown.helps == "die Nummer prüfen; kommt der Beschluss noch, genügt es, zu warten"
    assert rejected.follows == "wartet: bewilligt ist hier nichts; es gilt april.csv, Zeile 3: abgelehnt"
    assert rejected.helps.startswith("die Nummer prüfen; ist der Beschluss falsch, ")
    assert not rejected.sound
    assert IBAN not in shown.model_dump_json().replace(" ", "")
    raw = body(settlement("P-1"), header=SETTLEMENT_HEADER)
    (proof,) = pipeline.look_ahead(world.house, "kk-tk-nachweise", "nachweise.csv", raw).lines
    assert proof.outcome == "übernommen", proof.wrong
    assert proof.understood == "nachgewiesen am 15.10.2026: 812,40 €"
    assert everything(world) == before


def test_looking_stores_nothing(world: World) -> None:
    """No row, no file, no run – also not of a sheet that is half broken."""
    world.run(BUDGETS)
    before, files = everything(world), sorted(world.state.rglob("*"))
    for lines in SHEETS.values():
        look(world, *lines)
    assert everything(world) == before
    assert sorted(world.state.rglob("*")) == files


def test_the_bytes_that_were_looked_at_are_taken_with_who_did_it(world: World) -> None:
    """The route finds them as if they had been dropped; who brought them stands in the evidence, not in a name."""
    world.run(BUDGETS)
    raw = body(line("P-1"))
    assert take(world, raw) == ("april.csv", True)
    assert (world.inbox / "april.csv").read_bytes() == raw
    world.run(READ)

    (there,) = sheets_there(world.house, READ)
    assert (there.file, there.place, there.handed_by, there.handed_account) == (
        "april.csv",
        "done",
        "Erika Muster",
        "erika",
    )
    name, told = sheet_report(world.house, READ, there.look)
    assert name == "april.csv.bericht.csv"
    assert "geht in die E-Akte und ins HKR" in told.decode("utf-8-sig")
    assert evidence.verify(world.ledger).broken == ()


def test_other_bytes_are_not_taken(world: World) -> None:
    """The form's hash is that of what was shown."""
    with pytest.raises(InputError, match="nicht die Datei, die angesehen wurde"):
        pipeline.hand_over(world.house, READ, "a.csv", body(line("P-1")), look="0" * 64, person=ERIKA)
    assert list(world.inbox.iterdir()) == []


def test_the_same_bytes_twice_are_nothing_twice(world: World) -> None:
    """Double click, back button, another name, after the run: it says under which name they lie there."""
    world.run(BUDGETS)
    raw = body(line("P-1"))
    take(world, raw)
    assert take(world, raw, "kopie.csv") == ("april.csv", False)
    world.run(READ)
    assert take(world, raw) == ("april.csv", False)
    assert look(world, line("P-1")).twin == "april.csv"
    assert list(world.inbox.glob("*.csv")) == []


def test_two_browsers_at_once_are_one_file(world: World) -> None:
    """Whoever is second hears of the first."""
    raw, found = body(line("P-1")), []
    start = threading.Barrier(4)

    def press() -> None:
        start.wait()
        found.append(take(world, raw))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stored for _, stored in found) == [False, False, False, True]
    assert [file.name for file in world.inbox.iterdir()] == ["april.csv"]


def test_another_sheet_of_the_same_name_is_not_overwritten(world: World) -> None:
    """Both are read."""
    world.run(BUDGETS)
    world.drop(line("P-1"))
    raw = body(line("P-2"))
    name, stored = take(world, raw)
    assert stored
    assert name == f"april-{hashlib.sha256(raw).hexdigest()[:8]}.csv"
    world.run(READ)
    assert {one.file for one in sheets_there(world.house, READ)} == {"april.csv", name}


@pytest.mark.parametrize(
    ("name", "stored_as"),
    [
        ("../../../etc/april.csv", "april.csv"),
        ("C:\\Users\\erika\\april.csv", "april.csv"),
        ("~$april.csv", "april.csv"),
        (".april.csv", "april.csv"),
        ("april.bericht.csv", "april.csv"),
    ],
)
def test_a_name_never_leads_elsewhere_and_is_always_read(world: World, name: str, stored_as: str) -> None:
    """Whatever a browser calls it."""
    assert take(world, body(line("P-1")), name) == (stored_as, True)
    assert [file.name for file in world.inbox.iterdir()] == [stored_as]


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("a.pdf", b"%PDF-1.7", "fremdes Format"),
        ("a.xlsm", b"PK", "Makros"),
        ("a.xlsx", b"PK\x03\x04 broken", ""),
        ("a.csv", b"", "leer"),
        ("a.csv", b"nur;zwei\n1;2\n", "keine Kopfzeile"),
    ],
)
def test_what_cannot_be_read_is_told_and_not_taken(world: World, name: str, raw: bytes, why: str) -> None:
    """With what was expected; the folder stays as it is."""
    shown = pipeline.look_ahead(world.house, READ, name, raw)
    assert shown.problem
    assert why in shown.problem
    assert shown.lines == ()
    with pytest.raises(InputError, match="keine Zeile"):
        take(world, raw, name)
    assert list(world.inbox.iterdir()) == []


def test_more_than_ten_megabytes_are_not_even_read(world: World) -> None:
    """The page's limit; the folder's own may be higher."""
    with pytest.raises(InputError, match="zu groß; höchstens 10 MB"):
        pipeline.look_ahead(world.house, READ, "a.csv", b"x" * (MOST_BYTES + 1))


@pytest.mark.parametrize("route", ["kk-tk-hkr", "kk-tk-eakte-postfach"])
def test_only_routes_that_read_sheets_take_one(world: World, route: str) -> None:
    """A sending route has no folder, a post box is none."""
    with pytest.raises(InputError, match="liest keine Listen"):
        pipeline.look_ahead(world.house, route, "a.csv", body(line("P-1")))
