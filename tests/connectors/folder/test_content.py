"""Tables, templates, mappings and code lists belong together: what a sheet says becomes a record, in German."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from kiezbruecke.connector import Item, read_manifest
from kiezbruecke.desk.sheets import empty_sheets
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.mapping.for_clerks import for_clerks
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.records import Budget, Decision, Outcome, Process
from kiezbruecke.workbench.examples import run_examples

MAPPINGS = ("decision-sheet", "budget-sheet", "case-statusliste")
TESTDATA = Path(__file__).parents[3] / "connectors" / "folder" / "testdata"


@pytest.fixture
def problem_of(content: Path, process: Process) -> Callable[[Item], str | None]:
    """What the engine does with an item: map it, and keep the one line why it cannot."""

    def problem(item: Item) -> str | None:
        if item.kind == "sheet-problem":
            return item.problem
        name = "decision-sheet" if item.kind == "decision-line" else "budget-sheet"
        try:
            load_mapping(name, content).read(item, {"process": process, "envelope": {"source": "blaetter"}})
        except RecordError as error:
            return for_clerks(error)  # as the engine says it
        return None

    return problem


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_mappings_pass_their_check(content: Path, name: str) -> None:
    """No error and no warning."""
    assert [finding.line() for finding in check_mapping(name, content)] == []


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_examples_hold(content: Path, name: str) -> None:
    """Input and expected output beside each mapping."""
    results = run_examples(load_mapping(name, content), content)

    assert [result.problem for result in results] == [""] * 3


def test_the_manifest_is_true() -> None:
    """It is read when Airflow parses; nothing of the connector is imported for it."""
    manifest = read_manifest("connectors.folder")

    assert manifest.item_kinds == ("sheet-problem", "*")
    assert manifest.can.full_list


def test_a_sheet_of_an_office_becomes_decisions(
    desk: Any, content: Path, process: Process, problem_of: Callable[[Item], str | None]
) -> None:
    """The whole way of the test sheet, with all its quirks."""
    desk.drop("liste.csv", (TESTDATA / "beschlussliste-utf8.csv").read_bytes())
    items = desk.run(problem=problem_of)

    read = load_mapping("decision-sheet", content).read
    envelope = {"source": "beschluesse-tk"}
    found = [read(item, {"process": process, "envelope": envelope}) for item in items if item.kind == "decision-line"]
    decisions = [record for record in found if isinstance(record, Decision)]
    assert [(line.row, line.reference_number, line.outcome, line.approved_amount) for line in decisions] == [
        (3, "2026-00001", Outcome.ACCEPTED_REDUCED, Decimal("850.00")),
        (4, "2026-00004", Outcome.ACCEPTED, Decimal("1000.00")),
        (5, "P-1", Outcome.REJECTED, None),
        (6, "2026-00001", Outcome.ACCEPTED_REDUCED, Decimal("800.00")),
    ]
    assert [line.correction for line in decisions] == [False, False, False, True]
    assert decisions[0].origin == items[0].external_id
    assert decisions[0].sheet == "liste.csv"
    assert [int(line[0]) for line in desk.report().splitlines() if ";nicht übernommen;" in line] == [7, 9]


def test_an_older_excel_writes_windows_letters(desk: Any, content: Path, process: Process) -> None:
    """Other order, fewer columns, two-digit year."""
    desk.drop("liste.csv", (TESTDATA / "beschlussliste-cp1252.csv").read_bytes())
    item, _ = desk.fetch()

    record = load_mapping("decision-sheet", content).read(item, {"process": process})

    assert isinstance(record, Decision)
    assert (record.area_id, record.decided_on, record.title) == ("090311", date(2026, 4, 24), "Brücke über den Graben")


def test_budget_lines_become_budgets(desk: Any, content: Path, process: Process) -> None:
    """A later line changes an earlier one, with its reason."""
    desk.drop("budget.csv", (TESTDATA / "budgetliste.csv").read_bytes())
    items = desk.fetch(desk.source("budget-sheet"))

    mapping = load_mapping("budget-sheet", content)
    budgets = [record for item in items if isinstance(record := mapping.read(item, {"process": process}), Budget)]
    assert [(line.area_id, line.amount, line.status) for line in budgets] == [
        ("090416", Decimal("3000.00"), "released"),
        ("090311", Decimal("2500.00"), "released"),
        ("090416", Decimal("3500.00"), "released"),
        ("090311", Decimal("2500.00"), "blocked"),
    ]
    assert len({line.identity for line in budgets}) == 4


@pytest.mark.parametrize("outcome", ["ANGENOMMEN", "nicht  förderfähig", "warteliste", "zurückgezogen"])
def test_outcomes_are_read_without_regard_to_case(
    desk: Any, problem_of: Callable[[Item], str | None], outcome: str
) -> None:
    """Clerks type; meaning does not hang on capitals."""
    (item,) = desk.read(desk.decision(Ergebnis=outcome))

    assert problem_of(item) is None


@pytest.mark.parametrize("amount", ["0,001", "-5", "NaN", "1e9", "1.23,4", "ca. 500", "850.5", "1.000.000.000,00"])
def test_amounts_that_are_none_are_refused(desk: Any, problem_of: Callable[[Item], str | None], amount: str) -> None:
    """F27: the clerk reads the column's name, not our field's."""
    desk.drop("liste.csv", desk.decision_csv(desk.decision(**{"Bewilligt (€)": amount}), desk.decision("P-1")))

    desk.run(problem=problem_of)

    (line,) = [line for line in desk.report().splitlines() if "nicht übernommen;" in line and line[0].isdigit()]
    assert line.startswith("2;2026-00001;nicht übernommen;")
    assert "„Bewilligt (€)“: " in line
    assert amount not in line.removeprefix("2;2026-00001;")


def test_a_mapping_problem_is_told_in_the_sheets_words(desk: Any, problem_of: Callable[[Item], str | None]) -> None:
    """Rule, file and source field are for integrators."""
    desk.drop("liste.csv", desk.decision_csv(desk.decision(Bezirksregion=desk.canary), desk.decision("P-1")))

    desk.run(problem=problem_of)

    assert "„Bezirksregion“: dieser Wert ist nicht möglich; möglich sind: " in desk.report()
    assert "mapping.yaml" not in desk.report()
    assert desk.canary not in desk.report()


def test_the_templates_are_what_the_program_writes(content: Path) -> None:
    """Same program, same bytes; run tools/make_templates.py after a change."""
    for name, body in empty_sheets(content).items():
        assert (content / "docs" / "vorlagen" / name).read_bytes() == body


@pytest.mark.parametrize(
    ("file", "profile"), [("beschlussliste.xlsx", "decision-sheet"), ("budgetliste.xlsx", "budget-sheet")]
)
def test_a_filled_template_is_read(desk: Any, content: Path, file: str, profile: str) -> None:
    """What the clerk gets is what the connector reads; empty it is told to be empty."""
    empty = (content / "docs" / "vorlagen" / file).read_bytes()
    workbook = load_workbook(io.BytesIO(empty))
    line = desk.decision() if profile == "decision-sheet" else desk.budget()
    for column, value in enumerate(line, start=1):
        workbook.worksheets[0].cell(2, column, value)
    filled = io.BytesIO()
    workbook.save(filled)
    desk.drop("leer.xlsx", empty)
    desk.drop("voll.xlsx", filled.getvalue())

    items = {item.raw_ref: item for item in desk.fetch(desk.source(profile))}

    assert "Die Tabelle ist leer" in items["leer.xlsx"].problem
    assert items["voll.xlsx#2"].kind in ("decision-line", "budget-line")
    header = [cell.value for cell in workbook.worksheets[0][1]]
    assert header == [column.name for column in read_table(content, profile).columns]


def test_a_table_that_is_none_is_told_to_operations(tmp_path: Path, content: Path) -> None:
    """File and what is wrong, in English."""
    with pytest.raises(ConfigurationError, match="there is no table 'x'"):
        read_table(content, "x")
    (tmp_path / "schemas" / "tables").mkdir(parents=True)
    (tmp_path / "schemas" / "tables" / "x.yaml").write_text("name: x\nitem: y\ncolumns: [{name: A, key: Ä}]\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"x\.yaml:3:\d+: 'Ä' is no key for rules"):
        read_table(tmp_path, "x")


def test_all_faults_of_a_line_are_told_at_once(desk: Any, content: Path, process: Process) -> None:
    """Each by the column's own name; one after the other they cost the clerk three rounds."""
    odd = {"Ergebnis": "genehmigt", "Bewilligt (€)": "viel", "Ja": "zwölf"}
    desk.drop("liste.csv", desk.decision_csv(desk.decision(**odd), desk.decision("P-1")))
    mapping = load_mapping("decision-sheet", content)

    def problem(item: Item) -> str | None:
        roots = {"process": process, "envelope": {"external_id": item.external_id}}
        return "; ".join(fault.line() for fault in mapping.faults(item, roots)) or None

    desk.run(problem=problem)

    told = desk.report()
    assert all(f"„{column}“: " in told for column in odd)
    assert "mapping.yaml" not in told
    assert "P-1;übernommen" in told
