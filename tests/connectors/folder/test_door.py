"""What a clerk sees in a sheet is what is read; what she does not see is named; what means two things is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest


def body(item: Any) -> dict[str, Any]:
    return dict(item.body)


def test_signs_that_nobody_sees_are_gone_from_header_and_value(desk: Any) -> None:
    """Copied from a page, an e-mail, a browser: equal words are equal; nothing acts on a terminal."""
    header = [f"\ufeff{name[:2]}\u00ad{name[2:]}\u200b".replace(" ", "\u00a0") for name in desk.decision_header]
    line = desk.decision(
        **{
            "Bezirksregion": "Mu\u0308ggelheim\u200b",
            "Titel": "\u202eFest\x1b[2J am\u00a0Ufer\u2069",
            "Ergebnis": "angenommen\u00a0(gekürzt)",
            "Bewilligt (€)": "1\u202f000,00\u00a0€",
        }
    )
    desk.drop("liste.csv", desk.csv([header, line]))
    desk.drop("liste.xlsx", desk.xlsx([header, [str(value).replace("\x1b", "_x001B_") for value in line]]))

    for item in desk.fetch():
        found = body(item)
        assert (found["bezirksregion"], found["titel"]) == ("Müggelheim", "Fest[2J am Ufer")
        assert (found["ergebnis"], found["bewilligt"]) == ("angenommen (gekürzt)", "1 000,00 €")


@pytest.mark.parametrize(("hour", "minute", "second"), [(22, 0, 0), (23, 0, 0), (23, 59, 16), (23, 59, 59)])
def test_a_day_with_a_time_shortly_before_midnight_is_refused(desk: Any, hour: int, minute: int, second: int) -> None:
    """SheetJS and UTC write the day before: 23.04. was meant, and Excel shows 22.04."""
    when = datetime(2026, 4, 22, hour, minute, second)  # noqa: DTZ001
    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(**{"Sitzung am": when})))

    (item,) = desk.fetch()

    assert "„Sitzung am“ trägt eine Uhrzeit kurz vor Mitternacht, der Tag ist darum nicht sicher" in item.problem


def test_a_time_beside_a_day_is_not_cut_off_silently(desk: Any) -> None:
    """The hour of the meeting makes no other day; the report says what was left out."""
    when = datetime(2026, 3, 12, 18, 30)  # noqa: DTZ001
    lines = [desk.decision(**{"Sitzung am": when}), desk.decision("P-1")]
    desk.drop("liste.xlsx", desk.decision_xlsx(*lines))
    desk.drop("liste.csv", desk.decision_csv(*lines))

    desk.run()

    for report in desk.done.glob("*.bericht.csv"):
        assert "„Sitzung am“ trägt eine Uhrzeit; gelesen wurde nur der Tag; Zeile: 2." in report.read_text("utf-8-sig")


def test_a_header_of_two_rows_is_refused(desk: Any) -> None:
    """Read by half, the votes would be missing without a word."""
    header = [
        "Stimmen" if name == "Ja" else "" if name in ("Nein", "Enthaltung") else name for name in desk.decision_header
    ]
    second = [name if name in ("Ja", "Nein", "Enthaltung") else "" for name in desk.decision_header]

    def merge(workbook: Any) -> None:
        workbook.active.merge_cells("H1:J1")
        workbook.active.merge_cells("A1:A2")

    desk.drop("liste.xlsx", desk.xlsx([header, second, desk.decision()], merge))
    desk.drop("liste.csv", desk.csv([header, second, desk.decision()]))
    desk.drop("andersherum.csv", desk.csv([second, header, desk.decision()]))

    problems = {item.raw_ref: item.problem for item in desk.fetch()}
    for name, row in (("liste.xlsx", 2), ("liste.csv", 2), ("andersherum.csv", 1)):
        assert f"Die Kopfzeile hat zwei Zeilen (1 und 2): „Ja“ steht in Zeile {row}" in problems[name]


def test_a_line_that_says_yes_under_a_column_of_the_clerk_is_no_second_header(desk: Any) -> None:
    desk.drop("liste.csv", desk.csv([[*desk.decision_header[:7], "Dringend"], [*desk.decision()[:7], "ja"]]))

    assert [item.kind for item in desk.fetch()] == ["decision-line"]


def test_values_under_a_column_without_a_name_are_named(desk: Any) -> None:
    header = ["" if name in ("Nein", "Enthaltung") else name for name in desk.decision_header]
    desk.drop("liste.xlsx", desk.xlsx([header, desk.decision(Nein=3, Enthaltung=4), desk.decision("P-1", Nein=5)]))

    desk.run()

    assert "Die Spalte I hat keinen Namen und wurde nicht gelesen; Zeile: 2, 3." in desk.report()
    assert "Die Spalte J hat keinen Namen und wurde nicht gelesen; Zeile: 2." in desk.report()


def test_what_is_hidden_is_named(desk: Any) -> None:
    """Hidden rows and columns are read like all others, hidden sheets are not."""

    def hide(workbook: Any) -> None:
        workbook.active.row_dimensions[3].hidden = True
        workbook.active.column_dimensions["G"].hidden = True
        workbook.copy_worksheet(workbook.active).title = "Entwurf"
        workbook["Entwurf"].sheet_state = "veryHidden"

    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(), desk.decision("P-1"), change=hide))

    assert len(desk.run()) == 2
    assert "Ausgeblendete Zeilen wurden mitgelesen; Zeile: 3." in desk.report()
    assert "Die Spalte „Bewilligt (€)“ (G) ist ausgeblendet und wurde mitgelesen." in desk.report()
    assert "Das Tabellenblatt „Entwurf“ ist ausgeblendet und wurde nicht gelesen." in desk.report()


def test_a_table_on_a_hidden_sheet_alone_is_refused(desk: Any) -> None:
    def hide(workbook: Any) -> None:
        workbook.create_sheet("leer")
        workbook.worksheets[0].sheet_state = "hidden"
        workbook.active = 1

    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(), change=hide))

    (item,) = desk.fetch()

    assert "ausgeblendeten Tabellenblatt" in item.problem


@pytest.mark.parametrize(("area", "column"), [("G2:G3", "Bewilligt (€)"), ("G2:H2", "Ja"), ("A2:A3", "Verfahren")])
def test_a_merged_cell_means_no_single_line(desk: Any, area: str, column: str) -> None:
    """One sum for two lines may be the sum of each, or of both."""

    def merge(workbook: Any) -> None:
        workbook.active.merge_cells(area)

    lines = [desk.decision(), desk.decision("P-1"), desk.decision("P-2")]
    desk.drop("liste.xlsx", desk.decision_xlsx(*lines, change=merge))

    items = desk.fetch()

    assert f"„{column}“ ist mit anderen Zellen verbunden" in items[0].problem
    assert items[2].kind == "decision-line"


def test_a_merge_that_touches_one_known_cell_alone_says_nothing_else(desk: Any) -> None:
    """A title drawn over two columns of the clerk's own."""

    def merge(workbook: Any) -> None:
        workbook.active.merge_cells("P2:R2")

    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(), change=merge))

    assert [item.kind for item in desk.fetch()] == ["decision-line"]


def test_the_apostrophe_that_we_write_before_a_formula_is_not_read(desk: Any) -> None:
    """What we write comes back as it was."""
    (item,) = desk.read(desk.decision(Titel="'=1+1 ist zwei"))

    assert body(item)["titel"] == "=1+1 ist zwei"
