"""Money and decisions: what must not pass silently, from the folder to the report, the list and the systems."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from kiezbruecke import attention
from kiezbruecke.content.processes import read_process
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.ledger.drafts import add_baseline
from kiezbruecke.ledger.reading import find_case
from tests.builders import by
from tests.world import World, budget, line

COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse")
READ = "kk-tk-beschluesse"


def dated(day: str, reference: str = "P-1") -> str:
    """A line of another day than all others."""
    return line(reference).replace("24.04.2026", day)


def report(world: World, name: str = "april.csv", folder: str = "done") -> dict[str, list[str]]:
    """The report's rows by reference number."""
    text = (world.inbox / folder / f"{name}.bericht.csv").read_text("utf-8-sig")
    return {row[1]: row for row in csv.reader(text.splitlines(), delimiter=";") if row and row[0].isdecimal()}


@pytest.mark.parametrize("day", ["12.05.2062", "12.05.2025"])
def test_an_impossible_meeting_is_refused_at_the_door_and_told_twice(world: World, day: str) -> None:
    """In the report and on the list, with what was expected; nothing is filed, nothing booked."""
    world.drop(dated(day), line("P-2"))
    world.run()

    (point,) = world.points()
    told = report(world)["P-1"]
    assert told[2] == "nicht übernommen"
    for text in (told[3], point.reason):
        assert f"nennt als Sitzung den {day}, das kann nicht sein; erwartet: ein Tag vom 01.09.2025 bis zum" in text
    assert world.filed() == ["850.00"]
    assert len(world.orders()) == 1


def test_a_day_that_comes_does_not_bring_the_refused_line_back(world: World) -> None:
    """By then its correction counts; it is not kept to be read again."""
    world.drop(dated("12.05.2062"))
    world.run(*COLLECT)

    assert attention.read_standings(world.ledger, read_process(world.content, "kk-tk-2026")) == []
    assert world.run(READ)[0].get("items", 0) == 0


def test_a_process_may_say_when_its_assemblies_meet(odd_world: World) -> None:
    """The district that begins in summer."""
    file = odd_world.content / "mappings/processes/kk-tk-2026.yaml"
    file.write_text(f"{file.read_text('utf-8')}\nassemblies: {{from: 2025-05-01, to: 2026-04-23}}\n", "utf-8")
    odd_world.drop(dated("12.05.2025"), dated("24.04.2026", "P-2"))
    odd_world.run(*COLLECT)

    assert [row[2] for row in report(odd_world).values()] == ["übernommen", "nicht übernommen"]


@pytest.mark.parametrize(
    "given", ["{from: 2026-05-01, to: 2026-04-23}", "{from: 2026-05-01}", "2026", "{from: a, to: b}"]
)
def test_assemblies_that_are_no_span_of_days_are_refused_with_their_place(content: Path, given: str) -> None:
    """Before the first sheet is read with them."""
    file = content / "mappings/processes/kk-tk-2026.yaml"
    file.write_text(f"{file.read_text('utf-8')}\nassemblies: {given}\n", "utf-8")

    with pytest.raises(ConfigurationError, match=r"kk-tk-2026\.yaml:\d+:\d+: assemblies: no span of days"):
        read_process(content, "kk-tk-2026")


def test_a_decision_from_before_the_go_live_line_is_told_until_somebody_says_it_was_typed(odd_world: World) -> None:
    """It counted, was never sent, and nobody was told. What grants nothing is no loss."""
    odd_world.route("kk-tk-hkr", start_from=date(2026, 4, 25))
    odd_world.drop(line("P-1"), line("P-2", "", "abgelehnt"))
    odd_world.run(*COLLECT, "kk-tk-eakte", "kk-tk-hkr", READ)
    (point,) = odd_world.points()

    assert "P-1 (april.csv, Zeile 2): Der Beschluss vom 24.04.2026 liegt vor dem Beginn" in point.reason
    assert report(odd_world)["P-1"][4] == "gesendet in die E-Akte; ins HKR geht nichts: vor dem Beginn am 25.04.2026"

    (case,) = find_case(odd_world.ledger, "P-1")
    add_baseline(odd_world.ledger, "hkr-tk|commitment|kk-tk-2026", [case.id], person=by("SPK 1"), reason="Altfall")
    odd_world.run("kk-tk-hkr")
    assert odd_world.points() == []


def test_a_stray_sheet_takes_nothing_back(world: World) -> None:
    """Another area's sheet says something else about a booked case: list, money and file stay; a person decides."""
    world.drop(line("P-1"))
    world.run()
    before, orders = world.status_list(), world.orders()
    world.drop(line("P-1", "", "abgelehnt"), name="streu.csv")
    world.run()

    (point,) = world.points()
    assert "(streu.csv, Zeile 2)" in point.reason
    assert "es gilt weiter april.csv, Zeile 2: angenommen, 850,00 €" in point.reason
    assert (world.status_list(), world.orders(), world.filed()) == (before, orders, ["850.00"])

    attention.decide(world.ledger, point, "verwerfen", person=by("SPK 1"), reason="Zahlendreher")
    world.run()
    assert world.points() == []
    assert (world.status_list(), world.orders(), world.filed()) == (before, orders, ["850.00"])
    assert report(world, "streu.csv")["P-1"][4] == "gilt nicht: von Hand verworfen"


def test_a_mended_line_closes_its_point_and_leaves_the_others(world: World) -> None:
    """Under another file name, with the same number; the other refused line still waits."""
    world.drop(line("P-1", "viel"), line("P-2", outcome="genehmigt"), line("P-3"))
    world.run(*COLLECT)
    assert len(world.points()) == 2
    world.drop(line("P-2"), name="april-neu.csv")
    world.run(READ)

    (left,) = world.points()
    assert "april.csv#2" in left.reason


def test_the_report_says_what_follows_and_again_when_it_changes(world: World) -> None:
    """The budget comes later; then the messages go."""
    (world.state / "eingang/budgets/budget.csv").unlink()
    world.drop(line("P-1"), line("P-2", "viel"))
    world.run(READ)
    assert report(world)["P-1"][4] == "wartet: P-1: Für Müggelheim gibt es kein Budget"
    assert len(report(world)["P-2"]) == 4

    world.drop_budget(budget())
    world.run(*COLLECT)
    assert report(world)["P-1"][4] == "geht in die E-Akte und ins HKR"

    world.run("kk-tk-eakte", READ)
    assert report(world)["P-1"][4] == "geht ins HKR; gesendet in die E-Akte"


def test_a_report_is_not_written_where_nothing_changed(world: World) -> None:
    """Somebody may have it open."""
    world.drop(line("P-1"))
    world.run()
    file = world.inbox / "done" / "april.csv.bericht.csv"
    world.run(READ)
    before = file.stat().st_mtime_ns, file.stat().st_ino
    world.drop(line("P-2"), name="mai.csv")
    world.run(READ, READ)

    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_a_report_that_could_not_be_written_is_written_in_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full; nothing is half-written, nothing is lost."""
    world.drop(line("P-1"))
    world.run(*COLLECT)
    file = world.inbox / "done" / "april.csv.bericht.csv"
    before = file.read_bytes()
    world.run("kk-tk-eakte")
    with monkeypatch.context() as patch:
        patch.setattr("connectors._files.OpenFolder.replace", _full)
        with pytest.raises(SourceError, match="a report cannot be written"):
            world.run(READ)
        assert file.read_bytes() == before
    world.run(READ)

    assert report(world)["P-1"][4] == "geht ins HKR; gesendet in die E-Akte"


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_the_door_and_the_mapping_refuse_is_told_at_once(world: World) -> None:
    """One fault after the other costs the clerk a round each; a cell that could not be read is told once."""
    world.drop(line("P-1", "viel", "genehmigt").replace("kk-tk-2026", "kk-tk-2025").replace("24.04.2026", ""))
    world.run(*COLLECT)

    hint = report(world, folder="failed")["P-1"][3]
    assert [hint.count(f"„{name}“") for name in ("Verfahren", "Sitzung am", "Ergebnis", "Bewilligt (€)")] == [
        1,
        1,
        1,
        1,
    ]
    assert "mapping.yaml" not in hint
    assert len(world.points()) == 1
