"""The evaluation against a district whose figures are counted by hand."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from lxml import html
from openpyxl import load_workbook
from sqlalchemy import update

from kiezbruecke import desk
from kiezbruecke.desk.evaluation_files import as_page, as_workbook
from kiezbruecke.german import BERLIN
from kiezbruecke.ledger import tables as t
from tests.desk.conftest import counted
from tests.world import World, line, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]

PROCESS = "kk-tk-2026"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://example.org")'


@pytest.fixture
def year(world: World) -> World:
    """Müggelheim: two granted and booked, one corrected, one refused, one waiting list; one stays without its file."""
    world.drop(
        line("P-1", "850,00"),
        line("P-2", "400,00"),
        line("P-3", "", "abgelehnt"),
        line("P-4", "", "Warteliste"),
    )
    world.run()
    world.drop(line("P-2", "350,00", why="Rechenfehler"), name="mai.csv")
    world.run("kk-tk-beschluesse")
    world.run("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    world.drop(line("P-5", "100,00"), name="juni.csv")
    world.run("kk-tk-beschluesse")
    return world


def evaluated(world: World) -> desk.Evaluation:
    return desk.evaluate(world.house, PROCESS, NOW)


def test_an_area_is_counted_as_by_hand(year: World) -> None:
    """850 + 350 + 100 granted of 2,600; 1,200 booked; the third is not sent yet."""
    found = evaluated(year)
    area, whole = found.areas[-2:]

    assert (area.name, whole.name, whole.area) == ("Müggelheim", "Insgesamt", "")
    assert (area.cases, area.granted, area.refused, area.elsewhere, area.undecided) == (5, 3, 1, 1, 0)
    assert (area.questioned, area.corrected) == (0, 1)
    assert (area.budget, area.granted_sum, area.committed) == (Decimal(2600), Decimal(1300), Decimal(1200))
    assert area.free == Decimal(1400)
    assert whole.model_dump(exclude={"name", "area"}) == area.model_dump(exclude={"name", "area"})


def test_days_are_counted_from_the_vote_to_what_their_system_confirmed(year: World) -> None:
    """From day to day in Berlin; half past eleven in the evening UTC is the next day there."""
    confirmed = datetime(2026, 5, 3, 22, 30, tzinfo=UTC)
    with year.ledger.engine.begin() as connection:
        connection.execute(update(t.attempts).where(t.attempts.c.after == "confirmed").values(at=confirmed))
    ways = {way.name: way for way in evaluated(year).areas[-1].durations}
    days = (confirmed.astimezone(BERLIN).date() - date(2026, 4, 24)).days

    assert days == 10
    assert (ways["Beschluss bis Bestätigung (HKR)"].cases, ways["Beschluss bis Bestätigung (HKR)"].longest) == (2, days)
    assert ways["Beschluss bis Bestätigung (E-Akte)"].median == days
    assert (ways["Idee bis Beschluss"].cases, ways["Idee bis Beschluss"].median) == (0, None)  # all from paper


def test_what_still_waits_is_named_with_what_is_missing(year: World) -> None:
    """A granted case without anything, and those whose word has not come."""
    waiting = {(one.reference, one.what) for one in evaluated(year).waiting}

    assert ("P-5", "noch nichts vorbereitet") in waiting
    assert not {reference for reference, _ in waiting} & {"P-3", "P-4"}
    year.run()
    year.run()
    assert evaluated(year).waiting == ()


def test_an_empty_process_is_a_table_of_zeros(world: World) -> None:
    """Before the first idea."""
    found = evaluated(world)

    assert [one.cases for one in found.areas] == [0]
    assert "Insgesamt" in as_page(found)
    assert as_workbook(found)


def test_workbook_and_page_say_what_the_view_says(year: World) -> None:
    """Numbers as numbers, days as days; no script, nothing loaded."""
    found = evaluated(year)
    book = load_workbook(io.BytesIO(as_workbook(found)))
    rows = list(book["Bezirksregionen"].iter_rows(values_only=True))
    page = html.fromstring(as_page(found))

    assert rows[-1][:4] == ("Insgesamt", 5, 0, 3)
    assert rows[-1][rows[0].index("bewilligt (€)")] == 1300
    assert isinstance(book["Was noch wartet"]["E2"].value, datetime)
    assert as_workbook(found) == as_workbook(found)
    assert page.xpath("//script | //link | //img | //@href | //@src") == []
    assert "1.300,00" in page.text_content()


def test_a_word_of_theirs_becomes_no_formula(year: World) -> None:
    """Names of areas are the district's own text."""
    found = evaluated(year)
    odd = found.model_copy(update={"areas": tuple(one.model_copy(update={"name": FORMULA}) for one in found.areas)})
    book = load_workbook(io.BytesIO(as_workbook(odd)))

    assert {row[0].value for row in book["Bezirksregionen"].iter_rows(min_row=2)} == {f"'{FORMULA}"}
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_reading_costs_no_more_statements_for_more_cases(year: World) -> None:
    """A process is read in as many statements as there are kinds of rows."""
    with counted(year.ledger) as few:
        evaluated(year)
    year.drop(*(line(f"P-{number}", "1,00") for number in range(10, 60)), name="juli.csv")
    year.run("kk-tk-beschluesse")
    with counted(year.ledger) as many:
        evaluated(year)

    assert len(many) == len(few)


def test_what_is_in_question_still_waits(world: World) -> None:
    """Money was voted for it: nobody shall read that nothing waits."""
    world.drop(line("P-1", "2.700,00"))  # more than the area has
    world.run()
    [waiting] = evaluated(world).waiting

    assert (waiting.reference, waiting.what.partition(",")[0]) == ("P-1", "in Klärung")
    assert "Nichts:" not in as_page(evaluated(world))
