"""Berlin's open budget data: real rows of 2026/2027 in the file's own form, and what is wrong with a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from kiezbruecke.desk.places import HEADER, BudgetPlace, WantedPlaces, read_places, the_place
from kiezbruecke.desk.sheets import budget_sheet
from kiezbruecke.errors import InputError
from tests.world import World, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]

# Published rows (SenFin, Doppelhaushalt 2026/2027; ID, names and sums as in the export). Their numbers of Kapitel and
# Titel are not in the export that we have: 3300 and 68406 are what the printed plan and a Senate answer name.
SOCIAL = "Zuschüsse an soziale oder ähnliche Einrichtungen"
MAYOR = "Bezirksbürgermeisterin/Bezirksbürgermeister"
ROWS: tuple[dict[str, Any], ...] = (
    {"ID": 18073, "Kapitelbezeichnung": MAYOR, "Titelbezeichnung": SOCIAL, "Betrag": 777000},
    {"ID": 18219, "Kapitelbezeichnung": "Wirtschaftsförderung", "Titelbezeichnung": SOCIAL, "Betrag": 250000}
    | {"Kapitel": 3330},
    {"ID": 19364, "Kapitelbezeichnung": "Allgemeine Finanzangelegenheiten", "Betrag": 50000, "Kapitel": 4500}
    | {"Titelbezeichnung": "Sondermittel der Bezirksverordnetenversammlung", "Titel": 52610},
)


def row(**changes: Any) -> str:
    """A row of the file; what nobody asks for stays empty."""
    given = {"Typ": 2, "Bereich": 39, "Bereichsbezeichnung": "Treptow-Köpenick", "Kapitel": 3300, "Titel": 68406}
    given |= {"Titelart": "Ausgabetitel", "Jahr": 2026, "BetragTyp": "Soll", **changes}
    return ";".join(str(given.get(name, "")) for name in HEADER)


def write(file: Path, *lines: str, header: str = ";".join(HEADER)) -> Path:
    file.write_text("\r\n".join((header, *lines)) + "\r\n", "utf-8-sig", newline="")
    return file


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    other = row(ID=1, Bereich=31, Bereichsbezeichnung="Mitte", Titelbezeichnung=SOCIAL, Betrag=1)
    income = row(ID=2, Titelart="Einnahmetitel", Titel=11961, Titelbezeichnung=SOCIAL, Betrag=2)
    return write(tmp_path / "plan.csv", *(row(**one) for one in ROWS), other, income)


def places(file: Path, text: str = SOCIAL, **known: int) -> list[BudgetPlace]:
    return read_places(file, WantedPlaces("treptow-köpenick", text), {key[1:]: amount for key, amount in known.items()})


def test_the_spending_of_the_district_is_found_by_its_name(plan: Path) -> None:
    """Not that of others, no income; the Bereich by its number as well."""
    found = places(plan, _18073=777000)

    assert [(one.id, one.chapter, one.title, one.amount) for one in found] == [
        ("18073", "3300", "68406", 777000),
        ("18219", "3330", "68406", 250000),
    ]
    assert read_places(plan, WantedPlaces("39", "sondermittel"))[0].title == "52610"
    assert read_places(plan, WantedPlaces("39", "", chapter="3300"))[0].id == "18073"


def test_zeros_that_a_spreadsheet_took_away_come_back(tmp_path: Path) -> None:
    """Kapitel 100 of the house of representatives is 0100."""
    file = write(tmp_path / "plan.csv", row(ID=1, Kapitel=100, Titelbezeichnung=SOCIAL, Betrag=1))

    assert places(file)[0].chapter == "0100"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (";".join(HEADER).replace("Titelart;", ""), "„Titelart“ fehlt"),
        (";".join(HEADER).replace("Betrag", "Betrag_EUR", 2), "„Betrag“ fehlt; „BetragTyp“"),
        (";".join(HEADER) + ";Stand", "„Stand“ ist neu"),
        (";".join((*HEADER[1:], HEADER[0])), "an der Stelle 1 steht „Typ“; erwartet ist dort „ID“"),
        (",".join(HEADER), "„ID“ fehlt"),
    ],
)
def test_another_header_is_refused_by_its_column(tmp_path: Path, header: str, told: str) -> None:
    """A column more in the middle may have changed what the others mean."""
    file = write(tmp_path / "plan.csv", row(**ROWS[0]), header=header)
    with pytest.raises(InputError) as caught:
        places(file)

    assert "plan.csv:1: Der Kopf ist ein anderer" in caught.value.line()
    assert all(part in caught.value.line() for part in told.split("; "))


@pytest.mark.parametrize(
    ("swapped", "group"),
    [({"Titelart": "Einnahmetitel"}, "6"), ({"Titel": 11961}, "1"), ({"Titel": "", "Hauptgruppe": 1}, "1")],
)
def test_swapped_words_are_found_by_the_number(tmp_path: Path, swapped: dict[str, Any], group: str) -> None:
    """As in March 2026; also in a row that nobody asked for, and where only the Hauptgruppe has a number."""
    file = write(tmp_path / "plan.csv", row(**ROWS[0]), row(**ROWS[1], Bereich=31, **swapped))
    with pytest.raises(InputError, match=rf"plan.csv:3: Einnahme und Ausgabe sind vertauscht.*Hauptgruppe {group} "):
        places(file)


def test_a_known_row_must_stand_as_it_is_known(plan: Path) -> None:
    """Another sum, or no such row: the file is another one than people think."""
    with pytest.raises(InputError, match="18073 steht anders da: Ausgabetitel über 777000 €; erwartet"):
        places(plan, _18073=799000)
    with pytest.raises(InputError, match="nicht in der Datei; gesucht: ID 4711"):
        places(plan, _4711=1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (row(ID=1, Betrag="1,5"), "„Betrag“ ist keine ganze Zahl"),
        (row(ID=1, Betrag=1, Titel="684 06"), "„Titel“ ist keine Nummer"),
        (row(ID=1, Betrag=1, Titelart="Titel"), "Die Titelart ist unbekannt"),
        ("1;2;3", "Die Zeile hat 3 Spalten"),
        ('"', "kein CSV"),
    ],
)
def test_a_broken_row_is_named_and_nothing_is_taken(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        places(write(tmp_path / "plan.csv", row(**ROWS[0]), line))


def test_another_encoding_is_said(tmp_path: Path) -> None:
    """Some years were published in ISO 8859-1."""
    file = tmp_path / "plan.csv"
    file.write_bytes((";".join(HEADER) + "\n" + row(**ROWS[0])).encode("latin-1"))
    with pytest.raises(InputError, match="nicht UTF-8"):
        places(file)


def test_only_one_complete_place_goes_into_a_sheet(plan: Path, tmp_path: Path) -> None:
    """Two, none, or one without numbers: a person must say more, and is told what the file has."""
    with pytest.raises(InputError, match="Für 2026 muss genau eine Ausgabe passen; gefunden: 2"):
        the_place(places(plan), 2026)
    with pytest.raises(InputError, match="Für 2027 muss genau eine Ausgabe passen; gefunden: 0"):
        the_place(places(plan), 2027)
    bare = write(tmp_path / "bare.csv", row(**ROWS[0], Kapitel="", Titel=""))
    with pytest.raises(InputError, match=r"ID 18073: Die Datei nennt für 2026 keine Nummer von Kapitel und Titel"):
        the_place(places(bare), 2026)


def test_the_place_stands_in_a_budget_sheet_that_can_be_read(world: World, plan: Path) -> None:
    """One line per area, what stood before in it; filled in, the folder takes it and the ledger has the new Titel."""
    world.run("kk-tk-budgets")
    place = the_place(read_places(plan, WantedPlaces("39", "Sondermittel")), 2026)
    sheet = budget_sheet(world.house, "kk-tk-2026", lambda _: place)
    book = load_workbook(io.BytesIO(sheet.body))
    page = book.worksheets[0]
    heads = {cell.value: cell.column for cell in page[1]}
    rows = {one[heads["Bezirksregion"] - 1].value: one for one in page.iter_rows(min_row=2) if one[0].value}
    there = rows["Müggelheim"]

    assert len(rows) == 20
    assert "Beantragt (€, nur zur Ansicht)" not in heads
    assert [there[heads[name] - 1].value for name in ("Kapitel", "Titel", "Status", "Betrag (€)")] == [
        "4500",
        "52610",
        "freigegeben",
        2600,
    ]
    assert rows["Grünau"][heads["Betrag (€)"] - 1].value is None

    for area, cells in rows.items():
        if area == "Müggelheim":
            cells[heads["Gültig ab"] - 1].value, cells[heads["Grund"] - 1].value = "01.06.2026", "anderes Kapitel"
        else:
            for cell in cells:
                cell.value = None
    book.save(world.state / "eingang" / "budgets" / "neu.xlsx")
    world.run("kk-tk-budgets", "kk-tk-hkr")
    with world.ledger.read() as connection:
        found = connection.exec_driver_sql("SELECT chapter, title, amount_cents FROM budgets").all()
    assert found == [("4500", "52610", 260000)]
