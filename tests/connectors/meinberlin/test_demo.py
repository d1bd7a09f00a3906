"""The demo: six Kiezkassen, sixty proposals, and sheets whose expected result is computed from the story alone."""

from __future__ import annotations

import importlib.util
import io
import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openpyxl import load_workbook
from shapely.geometry import Point, shape

from demo.expected import OURS
from kiezbruecke.connector import Item
from kiezbruecke.content import find_content
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import Applicant, Module, Proposal

CONTENT = find_content(Path(__file__).parents[3])
DEMO = CONTENT / "demo"
MODULES = (
    Module(id=11, type="budgeting", slug="kiezkasse-mueggelheim-2026", area="090416"),
    Module(id=12, type="budgeting", slug="kiezkasse-gruenau-2026", area="090311"),
    Module(id=13, type="budgeting", slug="kiezkasse-johannisthal-2026", area="090104"),
    Module(id=14, type="budgeting", slug="kiezkasse-adlershof-2026", area="090207"),
    Module(id=15, type="kiezkasse", slug="kiezkasse-altglienicke-2026", area="090309"),
)
CANARY = ("Kanari Zwitscherfrau-Canary", "canary.kanari@example.invalid", "+49 30 5550815")


@pytest.fixture(scope="module")
def make_demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_demo", CONTENT / "tools" / "make_demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # a dataclass looks its module up by name
    import sys

    sys.modules["make_demo"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def items(begin: Callable[..., Any]) -> list[Item]:
    place = begin(f"data={DEMO / 'proposals.json'}")
    found: list[Item] = place.whole(*MODULES, export_login=place.initiator, export_password=place.password)
    return found


def test_the_files_are_what_the_tool_makes(make_demo: ModuleType) -> None:
    """Byte by byte, also two seconds later: a ZIP remembers the time in steps of two seconds."""
    first = make_demo.make_demo()
    time.sleep(2.1)
    second = make_demo.make_demo()

    assert first == second
    assert {name: (DEMO / name).read_bytes() == content for name, content in first.items()} == dict.fromkeys(
        first, True
    )


def test_sixty_proposals_stand_in_five_areas(items: list[Item]) -> None:
    """Each inside its area's polygon."""
    collection = json.loads((CONTENT / "mappings/codelists/bezirksregionen-tk.geojson").read_text("utf-8"))
    shapes = {one["properties"]["lor_bzr_id"]: shape(one["geometry"]) for one in collection["features"]}

    bodies = [dict(item.body) for item in items if item.kind == "proposal"]  # type: ignore[arg-type]

    assert len(bodies) == 60
    assert {body["module"]["area"] for body in bodies} == {module.area for module in MODULES}
    for body in bodies:
        assert shapes[body["module"]["area"]].contains(Point(body["point"]["lon"], body["point"]["lat"]))


def test_every_item_becomes_a_record(items: list[Item]) -> None:
    """Tabs, emoji, Arabic and formulas included."""
    roots = {"envelope": {"source": "meinberlin-tk"}, "process": {"id": "kk-tk-2026"}}
    mappings = {kind: load_mapping(f"meinberlin-{kind}", CONTENT) for kind in ("proposal", "applicant")}

    records = [mappings[item.kind].read(item, roots) for item in items]

    assert sum(isinstance(record, Proposal) for record in records) == 60
    assert sum(isinstance(record, Applicant) for record in records) == 60
    assert len({record.identity for record in records}) == 120


def test_the_canary_citizen_asks_for_an_accepted_proposal(items: list[Item]) -> None:
    """Her name, address and number are searched for in every log, report and page."""
    applicant = next(dict(item.body) for item in items if (item.kind, item.external_id) == ("applicant", "8"))  # type: ignore[arg-type]

    accepted = [line["reference"] for line in json.loads((DEMO / "expected.json").read_text("utf-8"))["accepted"]]
    assert (applicant["creator"], applicant["contact_email"], applicant["contact_phone"]) == CANARY
    assert "2026-00008" in accepted


def test_the_expected_result_stays_within_the_budgets() -> None:
    """Twenty areas share 100,000 €; Müggelheim spends its share to the cent."""
    expected = json.loads((DEMO / "expected.json").read_text("utf-8"))
    budgets = {row[2]: Decimal(str(row[3])) for row in table(DEMO / "budgets/budgetliste-2026.xlsx")[1:]}
    names = {"090416": "Müggelheim", "090311": "Grünau", "090104": "Johannisthal", "090207": "Adlershof",
             "090309": "Altglienicke"}  # fmt: skip

    assert (len(budgets), sum(budgets.values())) == (20, Decimal(100_000))
    assert all(Decimal(total) <= budgets[names[area]] for area, total in expected["sums"].items())
    assert expected["sums"]["090416"] == "2600.00"
    assert 35 <= len(expected["accepted"]) <= 45


def test_one_assembly_votes_more_than_it_has() -> None:
    """Bohnsdorf: its whole list is expected on the to-do list, and nothing of it anywhere else."""
    expected = json.loads((DEMO / "expected.json").read_text("utf-8"))
    voted = [Decimal(str(row[6])) for row in table(DEMO / "beschluesse/beschlussliste-bohnsdorf-2026.xlsx")[1:]]

    assert sum(voted) == Decimal(5000)
    assert [line["reference"] for line in expected["set_aside"] if line["reason_kind"] == "over_budget"] == [
        "P-1",
        "P-2",
        "P-3",
    ]
    assert "090310" not in {line["area"] for line in expected["accepted"]} | expected["sums"].keys()


def test_invented_budgets_say_so() -> None:
    """Eleven amounts of 2024 are public, nine are not."""
    reasons = [str(row[8]) for row in table(DEMO / "budgets/budgetliste-2026.xlsx")[1:]]

    assert sum(reason.startswith("Betrag erfunden (Vorführdaten)") for reason in reasons) == 9
    assert all("Platzhalter" in reason for reason in reasons)


def test_what_waits_for_people_is_no_part_of_what_the_demonstration_proves(make_demo: ModuleType) -> None:
    """`make up` leaves something to release; `make demo` expects nothing of it, as of a visitor's own sheet."""
    (sheet,) = (DEMO / "offen" / "antraege").iterdir()
    lines = [dict(zip(make_demo.APPLICATION, line, strict=True)) for line in table(sheet)[1:]]
    proven = {line["reference"] for line in json.loads((DEMO / "expected.json").read_text("utf-8"))["paid"]}

    assert [line["Antragssumme (€)"] for line in lines] == [850, 500, 240]
    assert {line["Referenznummer"] for line in lines}.isdisjoint(proven)
    assert sheet not in {file for pattern in OURS for file in DEMO.glob(pattern)}


def test_the_sheets_have_the_agreed_columns(make_demo: ModuleType) -> None:
    """Six assemblies, a second one in Grünau, and one sheet as a CSV of an old spreadsheet."""
    sheets = sorted((DEMO / "beschluesse").iterdir())

    assert len(sheets) == 7
    for sheet in sheets:
        lines = table(sheet)
        assert tuple(lines[0]) == make_demo.DECISION
        assert {line[0] for line in lines[1:]} == {"kk-tk-2026"}
    assert "1.350,00" in (DEMO / "beschluesse/beschlussliste-adlershof-2026.csv").read_bytes().decode("cp1252")


def table(file: Path) -> list[list[Any]]:
    if file.suffix == ".csv":
        import csv

        return list(csv.reader(io.StringIO(file.read_bytes().decode("cp1252")), delimiter=";"))
    return [list(line) for line in load_workbook(file).worksheets[0].iter_rows(values_only=True)]
