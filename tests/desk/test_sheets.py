"""A decision sheet for one assembly: pre-filled with what the platform knows, and read back without a fault."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from connectors.folder.source import FolderSource
from kiezbruecke.connector import Connection, Context, Handled, Item
from kiezbruecke.desk.sheets import ASKED, NewSheet, empty_sheets, new_sheet
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.history import Taken
from kiezbruecke.mapping import load_mapping
from kiezbruecke.plaintext import is_formula_like
from kiezbruecke.records import Decision, Outcome, ProposalStatus
from tests.builders import GRUENAU, PROCESS, ROOT, a_line, a_proposal

TITLES = {
    "2026-00001": "Sommerfest am Müggelseedamm",
    "2026-00002": '=HYPERLINK("http://example.org";"Bank")',
    "2026-00003": "\u200b＝1+1 _x000D_ Brücke",
    "2026-00004": "+49 30 rufen\nSie an",
}


def proposal(number: str, **given: Any) -> Any:
    return a_proposal(
        **{"reference_number": number, "external_id": number, "title": TITLES.get(number, "Bank"), **given}
    )


def know(desk: Any, *records: Any) -> None:
    """A platform and a sheet say so."""
    desk.store([Taken(Item(record.kind, str(record.identity), {}), (record,)) for record in records])


@pytest.fixture
def house(ledger: Ledger, desk: Any) -> House:
    """Four proposals to decide; others are decided, gone, or of another area."""
    know(desk, *(proposal(number) for number in TITLES))
    know(desk, proposal("2026-00005", area_id=GRUENAU), proposal("2026-00006", status=ProposalStatus.GONE))
    know(desk, proposal("2026-00007"), a_line(reference_number="2026-00007"))
    know(desk, proposal("2026-00008", asked=None), a_line(Outcome.WAITING_LIST, reference_number="2026-00008", row=3))
    return House(ROOT, ledger, lambda name: Connection(name, "kb_folder"))


def cells(raw: bytes) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(raw)).worksheets[0].iter_rows()]


def new(house: House, area: str = "Müggelheim") -> NewSheet:
    return new_sheet(house, PROCESS.id, "", area, date(2026, 4, 24))


def test_it_holds_what_may_be_decided_with_the_asked_sums(house: House) -> None:
    """What was put off may be decided again; what is decided, gone or of another area is not there."""
    header, *rows = cells(new(house).body)

    numbers = [row[header.index("Referenznummer")] for row in rows]
    assert numbers == ["2026-00001", "2026-00002", "2026-00003", "2026-00004", "2026-00008"]
    assert [row[header.index(ASKED)] for row in rows] == [1000, 1000, 1000, 1000, None]


@pytest.mark.parametrize("area", ["090416", "müggelheim", " Müggelheim\u00a0"])
def test_an_area_may_be_named_as_clerks_do(house: House, area: str) -> None:
    assert new(house, area).area.id == "090416"


def test_an_area_or_process_that_is_none_is_told_with_its_nearest(house: House) -> None:
    with pytest.raises(ConfigurationError, match=r"ist Müggelheim \(090416\) gemeint"):
        new(house, "Mügelheim")
    with pytest.raises(ConfigurationError, match="Dieses Verfahren gibt es nicht"):
        new_sheet(house, "kk-xy-2026", "", "090416", None)


def filled(raw: bytes) -> bytes:
    """As a clerk fills it in: an outcome and a sum in every line."""
    workbook, out = load_workbook(io.BytesIO(raw)), io.BytesIO()
    sheet = workbook.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, header.index("Ergebnis") + 1).value = "angenommen (gekürzt)"
        sheet.cell(row, header.index("Bewilligt (€)") + 1).value = 850.5
    workbook.save(out)
    return out.getvalue()


def test_what_we_write_is_read_back_without_a_fault_once_outcomes_are_filled_in(house: House, tmp_path: Path) -> None:
    """Also titles that look like formulas or hold escapes of a workbook: they come back as the platform has them."""
    (tmp_path / "liste.xlsx").write_bytes(filled(new(house).body))
    settings = {"path": str(tmp_path), "profile": "decision-sheet", "settle_seconds": 0}
    source = FolderSource(Connection("x", "kb_folder", extra=settings), Context(process=PROCESS, content=ROOT))
    items = list(source.fetch(None))  # type: ignore[arg-type]
    source.acknowledge([Handled(item) for item in items])

    read = load_mapping("decision-sheet", ROOT).read
    lines = [read(item, {"process": PROCESS, "envelope": {"source": "x"}}) for item in items]
    decisions = [line for line in lines if isinstance(line, Decision)]
    assert [line.reference_number for line in decisions] == [*TITLES, "2026-00008"]
    assert {line.approved_amount for line in decisions} == {Decimal("850.50")}
    assert {(line.area_id, line.decided_on) for line in decisions} == {("090416", date(2026, 4, 24))}
    assert [line.title for line in decisions[:4]] == [
        "Sommerfest am Müggelseedamm",
        '=HYPERLINK("http://example.org";"Bank")',
        "＝1+1 _x000D_ Brücke",
        "+49 30 rufen Sie an",
    ]
    assert "\nHinweis;" not in (tmp_path / "done" / "liste.xlsx.bericht.csv").read_text("utf-8-sig")


def test_no_cell_that_we_write_is_taken_for_a_formula(house: House) -> None:
    workbook = load_workbook(io.BytesIO(new(house).body))

    texts = [
        cell.value for sheet in workbook for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)
    ]
    assert [text for text in texts if is_formula_like(text)] == []


@pytest.mark.parametrize("name", ["beschlussliste.xlsx", "budgetliste.xlsx"])
def test_process_and_area_are_chosen_from_lists(name: str) -> None:
    sheet = load_workbook(io.BytesIO(empty_sheets(ROOT)[name])).worksheets[0]
    offered = {rule.errorTitle: rule.formula1 for rule in sheet.data_validations.dataValidation}

    assert {"Verfahren", "Bezirksregion"} < set(offered)
    lists = load_workbook(io.BytesIO(empty_sheets(ROOT)[name]))["Auswahl"]
    words = {cell.value for column in lists.iter_cols() for cell in column}
    assert {PROCESS.name, *(area.name for area in PROCESS.areas)} <= words
