"""By which names a mended line is known when it comes again; two different lines have none in common."""

from __future__ import annotations

import pytest

from tests.connectors.folder.conftest import Desk


def _names(desk: Desk, *lines: list[object], name: str = "april.csv") -> list[tuple[str, ...]]:
    """Without the row itself and the file, as it lay there and as it is called."""
    names = [item.names[: -1 if item.problem else -3] for item in desk.read(*lines, name=name)]
    (desk.path / name).unlink()
    return names


@pytest.mark.parametrize(
    ("column", "broken"),
    [("Bewilligt (€)", "viel"), ("Sitzung am", "12.03.2062"), ("Sitzung am", "im März"), ("Bezirksregion", "")],
)
@pytest.mark.parametrize("other", ["april.csv", "april-2.csv"])
def test_a_mended_line_bears_the_name_of_the_broken_one(desk: Desk, column: str, broken: str, other: str) -> None:
    """Whatever was wrong with it; where it was the area, in a file of the same name only."""
    (bad,) = _names(desk, desk.decision(**{column: broken}))
    (good,) = _names(desk, desk.decision(), name=other)

    assert (bad[0] in good) is (column != "Bezirksregion" or other == "april.csv")


@pytest.mark.parametrize(
    "column", [{"Bezirksregion": "Grünau"}, {"Sitzung am": "19.06.2026"}, {"Korrektur": "ja", "Begründung": "darum"}]
)
def test_another_line_about_the_same_proposal_is_another_line(desk: Desk, column: dict[str, str]) -> None:
    """The list of April comes again; the refused Nachrücker of June, or a refused correction, is not mended by it."""
    (bad,) = _names(desk, desk.decision(**{"Bewilligt (€)": "viel"} | column), name="juni.csv")
    (good,) = _names(desk, desk.decision())

    assert bad[0] not in good


def test_lines_of_one_sheet_that_could_be_taken_for_each_other_have_no_name_in_common(desk: Desk) -> None:
    """The good one of the two must not mend the broken one."""
    bad, good = _names(desk, desk.decision(**{"Bewilligt (€)": "viel"}), desk.decision())

    assert not {*bad} & {*good}


def test_a_broken_number_is_mended_in_the_same_row_of_a_file_of_the_same_name(desk: Desk) -> None:
    """Nothing else is sure."""
    (bad,) = _names(desk, desk.decision("P 8"))
    good, moved = (
        _names(desk, desk.decision("P-8")),
        _names(desk, desk.decision("P-7", Titel="x"), desk.decision("P-8")),
    )

    assert bad[0] in good[0]
    assert all(bad[0] not in names for names in moved)
