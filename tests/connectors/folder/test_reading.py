"""What a sheet says is read exactly, or refused with a reason; nothing is guessed."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors._tables import Cell, number_cell
from connectors.folder.cells import CellProblem, read_cell
from connectors.folder.table import Column
from kiezbruecke.connector import Item
from kiezbruecke.mapping.steps import STEPS


def body(item: Item) -> dict[str, Any]:
    assert not isinstance(item.body, bytes)
    return dict(item.body)


def problem(item: Item) -> str:
    assert item.kind == "sheet-problem"
    return str(item.problem)


def test_a_line_comes_with_the_keys_that_mappings_read(desk: Any) -> None:
    """Every key is there, also of columns that the sheet does not have."""
    (item,) = desk.read(desk.decision())

    assert item.kind == "decision-line"
    assert item.external_id.endswith(":2")
    assert body(item) == {
        "sheet": "liste.csv", "row": 2, "verfahren": "kk-tk-2026", "bezirksregion": "Müggelheim",
        "sitzung_am": "12.03.2026", "referenznummer": "2026-00001", "titel": "Sommerfest am Müggelseedamm",
        "ergebnis": "angenommen (gekürzt)", "bewilligt": "850,00", "ja": "", "nein": "", "enthaltung": "", "rang": "",
        "auflagen": "", "protokoll": "", "drucksache": "", "drucksache_link": "", "erfasst_von": desk.canary,
        "korrektur": "", "begruendung": "",
    }  # fmt: skip


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_of_every_office_reads_the_same(desk: Any, delimiter: str, encoding: str) -> None:
    """Umlauts and the euro sign of the header survive each encoding."""
    desk.drop("liste.csv", desk.decision_csv(desk.decision(), delimiter=delimiter, encoding=encoding))

    (item,) = desk.fetch()

    assert (body(item)["bezirksregion"], body(item)["bewilligt"]) == ("Müggelheim", "850,00")


def test_columns_may_stand_in_any_order(desk: Any) -> None:
    """A clerk may move columns; their names decide."""
    order = random.Random(7).sample(range(16), 16)
    rows = [[row[index] for index in order] for row in (desk.decision_header, desk.decision())]
    desk.drop("liste.csv", desk.csv(rows))

    (item,) = desk.fetch()

    assert body(item)["bewilligt"] == "850,00"


def test_titles_above_the_header_are_skipped_and_rows_count_as_the_clerk_sees_them(desk: Any) -> None:
    """Five title rows, blank rows between: the number is the one at the sheet's edge."""
    titles = [["Beschlussliste"], [], ["Kiezkasse"], ["Stand"], ["a"], ["b"]]
    rows = [*titles, desk.decision_header, [], desk.decision()]
    desk.drop("a.csv", desk.csv(rows))
    desk.drop("b.xlsx", desk.xlsx(rows))

    assert [body(item)["row"] for item in desk.fetch()] == [9, 9]


def test_a_header_further_down_is_no_header(desk: Any) -> None:
    """Six title rows are too many to be sure."""
    desk.drop("a.csv", desk.csv([*[["Titel"]] * 6, desk.decision_header, desk.decision()]))

    (item,) = desk.fetch()

    assert "keine Kopfzeile" in problem(item)


def test_excel_values_become_german_text(desk: Any) -> None:
    """Numbers exactly as typed, dates as days, ticks as ja; a leading = in a text cell stays text."""
    line = desk.decision(
        **{
            "Sitzung am": date(2026, 3, 12), "Bewilligt (€)": 1234.56, "Ja": 21, "Rang": 3.0, "Korrektur": True,
            "Protokoll": 17,
        }
    )  # fmt: skip
    desk.drop("liste.xlsx", desk.decision_xlsx(line))

    (item,) = desk.fetch()

    found = body(item)
    keys = ("sitzung_am", "bewilligt", "ja", "rang", "korrektur", "protokoll")
    assert [found[key] for key in keys] == ["12.03.2026", "1234,56", "21", "3", "ja", "17"]


def test_a_moment_in_a_date_column_is_its_day(desk: Any) -> None:
    """Excel keeps the hour of the meeting beside the day."""
    when = datetime(2026, 3, 12, 18, 30, tzinfo=UTC).replace(tzinfo=None)
    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(**{"Sitzung am": when})))

    assert body(desk.fetch()[0])["sitzung_am"] == "12.03.2026"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Bewilligt (€)", "=SUM(A1:A2)", "„Bewilligt (€)“ enthält eine Formel"),
        ("Titel", '=HYPERLINK("http://x","y")', "„Titel“ enthält eine Formel"),
        ("Bewilligt (€)", 850.125, "mehr als zwei Nachkommastellen"),
        ("Bewilligt (€)", date(2026, 5, 1), "enthält ein Datum; erwartet: ein Betrag"),
        ("Bewilligt (€)", True, "Wahrheitswert"),
        ("Bewilligt (€)", 1e30, "zu große Zahl"),
        ("Sitzung am", 46093, "enthält eine Zahl; erwartet: ein Datum"),
        ("Sitzung am", time(18, 30), "Uhrzeit"),
        ("Ja", 2.5, "Kommazahl"),
        ("Sitzung am", "#REF!", "Excel-Fehler"),
    ],
)
def test_an_excel_cell_that_is_not_what_it_should_be_is_a_problem_of_its_line(
    desk: Any, column: str, value: Any, words: str
) -> None:
    """The other line goes on; the sentence names the column and what was expected."""
    lines = [desk.decision(**{column: value}), desk.decision("2026-00002")]
    desk.drop("liste.xlsx", desk.decision_xlsx(*lines))

    bad, good = desk.fetch()

    assert words in problem(bad)
    assert good.kind == "decision-line"


def test_formula_like_text_stays_text(desk: Any) -> None:
    """A resident may call a proposal =HYPERLINK(…); in CSV nothing is a formula."""
    (item,) = desk.read(desk.decision(Titel='=HYPERLINK("http://x";"y")'))

    assert body(item)["titel"] == '=HYPERLINK("http://x";"y")'


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Verfahren": "kk-mitte-2026"}, "„Verfahren“ nennt ein anderes Verfahren"),
        ({"Verfahren": ""}, "„Verfahren“ fehlt"),
        ({"Ergebnis": ""}, "„Ergebnis“ fehlt"),
        ({"Referenznummer": "Erika Kanarienvogel"}, "Die Referenznummer hat nicht die richtige Form"),
        ({"Referenznummer": "26-1"}, "Die Referenznummer hat nicht die richtige Form"),
        ({"Titel": "x" * 501}, "„Titel“ ist zu lang; erwartet: höchstens 500 Zeichen"),
        ({"Titel": "Fest im Kie\ufffdz"}, "„Titel“ enthält ein Zeichen, das verloren gegangen ist"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_with_its_reason(desk: Any, change: dict[str, str], words: str) -> None:
    """Nothing of the cell itself is told."""
    (item,) = desk.read(desk.decision(**change))

    assert words in problem(item)
    assert "liste.csv, Zeile 2" in problem(item)
    assert desk.canary not in problem(item)


def test_the_process_may_be_named_in_full(desk: Any) -> None:
    """Clerks know the name, not the id."""
    (item,) = desk.read(desk.decision(Verfahren="Kiezkassen  Treptow-Köpenick 2026"))

    assert item.kind == "decision-line"


def test_paper_proposals_have_numbers_of_the_sheet(desk: Any) -> None:
    """P-1, P-2 … stand only on paper; P-0 and P-01 are slips."""
    kinds = [item.kind for item in desk.read(*(desk.decision(number) for number in ("P-1", "P-12", "P-0", "P-01")))]

    assert kinds == ["decision-line", "decision-line", "sheet-problem", "sheet-problem"]


def test_a_total_row_is_not_understood(desk: Any) -> None:
    """It is told, not swallowed: a sum could also be a line whose columns have slipped."""
    total = [""] * 16
    total[0], total[6] = "Summe", "850,00"
    _, item = desk.read(desk.decision(), total)

    assert "Summenzeile" in problem(item)


def test_a_proposal_called_sum_is_no_total(desk: Any) -> None:
    """Only a line without process and number can be a total."""
    (item,) = desk.read(desk.decision(Titel="Summe aller Kieze"))

    assert item.kind == "decision-line"


def test_an_unquoted_separator_shifts_cells_and_is_refused(desk: Any) -> None:
    """Else the sum of one column would stand in another."""
    line = ";".join(map(str, desk.decision(Titel="Fest; mit Musik")))
    header = ";".join(desk.decision_header)
    desk.drop("liste.csv", f"{header}\r\n{line}\r\n".encode())

    (item,) = desk.fetch()

    assert "mehr Zellen als die Kopfzeile" in problem(item)


@pytest.mark.parametrize("kept", range(1, 60))
def test_a_file_that_ends_within_a_line_changes_no_amount(desk: Any, kept: int) -> None:
    """F30: cut inside the amount, 850,00 would become 85."""
    whole = desk.decision_csv(desk.decision())
    desk.drop("liste.csv", whole[:-kept])

    for item in desk.fetch():
        assert item.kind == "sheet-problem" or body(item)["bewilligt"] == "850,00"


def test_a_last_amount_without_end_of_line_is_not_believed(desk: Any) -> None:
    """Where the amount is the last column, nobody can tell 85 from 850,00."""
    order = [index for index in range(16) if index != 6] + [6]
    rows = [[row[index] for index in order] for row in (desk.decision_header, desk.decision())]
    desk.drop("liste.csv", desk.csv(rows)[:-6])

    (item,) = desk.fetch()

    assert "abgeschnitten" in problem(item)


def test_a_last_text_without_end_of_line_is_fine(desk: Any) -> None:
    """Many editors write no last line end."""
    desk.drop("liste.csv", desk.decision_csv(desk.decision()).rstrip(b"\r\n"))

    assert [item.kind for item in desk.fetch()] == ["decision-line"]


def test_excel_may_leave_out_empty_cells_at_the_end_of_a_line(desk: Any) -> None:
    """Old versions do so after the sixteenth line."""
    rows = [desk.decision_header, desk.decision()[:14], desk.decision("P-1")]
    desk.drop("liste.csv", desk.csv(rows))

    assert [item.kind for item in desk.fetch()] == ["decision-line"] * 2


def test_an_explanation_sheet_and_merged_cells_do_not_disturb(desk: Any) -> None:
    """The template carries one; people merge titles."""

    def more(workbook: Any) -> None:
        workbook.create_sheet("Hinweise").append(["Titel", "Der Titel des Vorschlags"])
        workbook.active.insert_rows(1)
        workbook.active["A1"] = "Kiezkasse"
        workbook.active.merge_cells("A1:F1")

    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(), change=more))

    assert [body(item)["row"] for item in desk.fetch()] == [3]


def test_budget_lines_know_their_year(desk: Any) -> None:
    """F28: a line of another year does not change this year's budget."""
    rows = [desk.budget_header, desk.budget(), desk.budget(Haushaltsjahr="2027")]
    desk.drop("budget.csv", desk.csv(rows))

    good, bad = desk.fetch(desk.source("budget-sheet"))

    assert good.kind == "budget-line"
    assert body(good)["betrag"] == "3.000,00"
    assert "Das Haushaltsjahr passt nicht zum Verfahren; erwartet: 2026" in problem(bad)


MONEY = Column(name="Betrag", key="betrag", type="money")


@given(cents=st.integers(min_value=0, max_value=99_999_999_999))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_amount_a_person_can_type_into_excel_arrives_exactly(cents: int) -> None:
    """Excel stores binary numbers; the shortest decimal of each is what was typed."""
    amount = Decimal(cents) / 100
    text = read_cell(number_cell(float(amount)), MONEY)

    assert STEPS["german_money"].apply(text) == amount


@given(value=st.floats())
@settings(deadline=None)
def test_any_other_number_is_refused_or_exact(value: float) -> None:
    """NaN, infinity, 1e9 and three decimals: no silent change of an amount (F27)."""
    try:
        text = read_cell(number_cell(value), MONEY)
    except CellProblem:
        return
    assert Decimal(text.replace(",", ".")) == Decimal(repr(value))


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_a_line_break_is_one_whatever_wrote_it(ends: str) -> None:
    """Excel's `_x000D_` is the carriage return of Windows; in a message it would be a sign that nobody can see."""
    column = Column(name="Auflagen", key="auflagen")

    assert read_cell(Cell(f"Zeile 1{ends}Zeile 2 "), column) == "Zeile 1\nZeile 2"
