"""Sheets move when their lines are stored: nothing lost, nothing twice, at whatever line the process dies."""

from __future__ import annotations

import hashlib
import logging
import os
from typing import Any

import pytest

from kiezbruecke.connector import Handled, Item
from kiezbruecke.errors import SourceError


class Killed(BaseException):
    """The process ends here."""


def ids(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.kind, item.external_id) for item in items]


def three(desk: Any) -> bytes:
    raw: bytes = desk.decision_csv(*(desk.decision(f"P-{number}") for number in (1, 2, 3)))
    return raw


def test_an_item_is_named_by_content_and_row(desk: Any) -> None:
    """The name of the file plays no part."""
    raw = three(desk)
    desk.drop("liste.csv", raw)

    digest = hashlib.sha256(raw).hexdigest()
    assert [item.external_id for item in desk.fetch()] == [f"{digest}:{row}" for row in (2, 3, 4)]


def test_the_report_tells_what_became_of_each_line(desk: Any) -> None:
    """One line per row, for the clerk; a second column problem comes from the mapping."""
    lines = (desk.decision("P-1"), desk.decision("P-2"), desk.decision("P-3", Ergebnis=""))
    desk.drop("liste.csv", desk.decision_csv(*lines))

    desk.run(problem=lambda item: "Bezirksregion unbekannt" if item.external_id.endswith(":3") else None)

    assert desk.report().splitlines() == [
        "Zeile;Referenznummer;Ergebnis der Übernahme;Hinweis;Was daraus folgt",
        "2;P-1;übernommen;",
        "3;P-2;nicht übernommen;Bezirksregion unbekannt",
        '4;P-3;nicht übernommen;"„Ergebnis“ fehlt; bitte in jeder Zeile eintragen."',
        "",
        "Zusammenfassung;;3 Zeilen gelesen, 1 übernommen, 2 nicht übernommen;Datei liste.csv",
    ]


def test_a_sheet_without_one_usable_line_has_failed(desk: Any) -> None:
    """All lines refused is a sheet to be corrected, not one that is done."""
    desk.drop("liste.csv", three(desk))

    desk.run(problem=lambda _: "unbekannt")

    assert desk.names("failed") == ["liste.csv", "liste.csv.bericht.csv"]
    assert not desk.done.exists()


def test_a_sheet_moves_only_when_its_last_line_is_acknowledged(desk: Any) -> None:
    """The engine stores in chunks; a chunk may hold lines of two sheets."""
    desk.drop("a.csv", three(desk))
    source = desk.source()
    items = desk.fetch(source)

    source.acknowledge([Handled(item) for item in items[:2]])
    assert desk.names() == ["a.csv"]

    source.acknowledge([Handled(items[2])])
    assert desk.names() == []
    assert desk.names("done") == ["a.csv", "a.csv.bericht.csv"]


def test_the_same_content_under_another_name_yields_the_same_items(desk: Any) -> None:
    """Also with the same body, or the engine would see one thing with two contents (F24)."""
    desk.drop("a.csv", three(desk))
    first = desk.run()
    desk.drop("kopie von a.csv", three(desk))
    second = desk.run()

    digest = first[0].external_id[:8]
    assert [(item.external_id, item.body, item.raw_ref) for item in first] == [
        (item.external_id, item.body, item.raw_ref) for item in second
    ]
    assert desk.names("done") == ["a.csv", "a.csv.bericht.csv", f"kopie von a-{digest}.csv.bericht.csv"]
    copy = (desk.done / f"kopie von a-{digest}.csv.bericht.csv").read_text("utf-8-sig")
    assert "Der Inhalt gleicht „a.csv“" in copy


def test_the_report_of_a_copy_does_not_say_that_its_lines_were_taken(desk: Any) -> None:
    """It said of each line that it was taken, and below that none was. A line that only now could be read was."""
    desk.drop("a.csv", three(desk))
    desk.run()
    desk.drop("b.csv", three(desk))
    source = desk.source()
    items = desk.fetch(source)
    source.acknowledge([Handled(item, known=number > 0) for number, item in enumerate(items)])

    (report,) = (path for path in desk.done.iterdir() if path.name.startswith("b-"))
    rows = report.read_text("utf-8-sig").splitlines()
    assert [row.split(";")[2] for row in rows[1:4]] == ["übernommen", *["schon früher übernommen"] * 2]
    assert "3 Zeilen gelesen, 1 übernommen, 2 schon früher übernommen, 0 nicht übernommen" in rows[5]


def test_two_copies_in_one_run_are_read_once(desk: Any) -> None:
    """Both leave the folder, one stays in the archive."""
    desk.drop("a.csv", three(desk))
    desk.drop("b.csv", three(desk))

    assert len(desk.run()) == 3
    assert desk.names() == []
    assert len([name for name in desk.names("done") if not name.endswith("bericht.csv")]) == 1


def test_the_same_sheet_again_leaves_everything_as_it_was(desk: Any) -> None:
    """Same name, same content: dropped."""
    desk.drop("a.csv", three(desk))
    desk.run()
    before = {path.name: path.read_bytes() for path in desk.done.iterdir()}
    desk.drop("a.csv", three(desk))
    desk.run()

    assert {path.name: path.read_bytes() for path in desk.done.iterdir()} == before
    assert desk.names() == []


def test_another_sheet_of_the_same_name_overwrites_nothing(desk: Any) -> None:
    """Clerks call every sheet 'Beschlussliste'; dropped a third time it keeps the name it got."""
    other = desk.decision_csv(desk.decision("P-9"))
    desk.drop("a.csv", three(desk))
    desk.run()
    for _ in range(2):
        desk.drop("a.csv", other)
        assert desk.run()[0].body["sheet"] == "a.csv"

    named = f"a-{hashlib.sha256(other).hexdigest()[:8]}.csv"
    assert desk.names("done") == [named, f"{named}.bericht.csv", "a.csv", "a.csv.bericht.csv"]
    assert (desk.done / "a.csv").read_bytes() == three(desk)


def test_a_sheet_that_changed_after_it_was_read_stays(desk: Any) -> None:
    """It is a new sheet; the next run reads it."""
    desk.drop("a.csv", three(desk))
    source = desk.source()
    items = desk.fetch(source)
    desk.drop("a.csv", desk.decision_csv(desk.decision("P-9")))
    source.acknowledge([Handled(item) for item in items])

    assert desk.names() == ["a.csv"]
    assert desk.run()[0].body["referenznummer"] == "P-9"


def test_acknowledging_after_a_restart_finds_the_sheet_again(desk: Any) -> None:
    """Killed between commit and acknowledge; the engine says it again to a new source."""
    desk.drop("a.csv", three(desk))
    items = desk.fetch()

    desk.source().acknowledge([Handled(item, known=True) for item in items])

    assert desk.names("done") == ["a.csv", "a.csv.bericht.csv"]


def test_acknowledging_again_is_harmless(desk: Any) -> None:
    """The sheet is gone; there is nothing to do."""
    desk.drop("a.csv", three(desk))
    source = desk.source()
    items = desk.run(source)

    for again in (source, desk.source()):
        again.acknowledge([Handled(item) for item in items])

    assert desk.names("done") == ["a.csv", "a.csv.bericht.csv"]


def test_a_sheet_that_cannot_be_moved_is_told_after_the_others_were(desk: Any) -> None:
    """done/ is a file here; a read-only share behaves alike."""
    desk.drop("done", b"")
    (desk.path / "done").rename(desk.path / ".x")
    desk.drop("a.csv", three(desk))
    desk.drop("b.txt", b"x")
    source = desk.source()
    items = desk.fetch(source)
    (desk.path / ".x").rename(desk.done)

    with pytest.raises(SourceError, match="cannot be moved to done/"):
        source.acknowledge([Handled(item) for item in items])

    assert desk.names("failed") == ["b.txt", "b.txt.bericht.csv"]
    assert "a.csv" in desk.names()


def crash_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """Make the n-th change of the folder the last one: first before it happens, then after it."""
    count = 0

    def wrap(name: str, real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise Killed(name)
            result = real(*args, **kwargs)
            count += 1
            if count == number:
                raise Killed(name)
            return result

        return call

    for name in ("rename", "replace", "unlink", "mkdir", "fsync"):
        patch.setattr(os, name, wrap(name, getattr(os, name)))


@pytest.mark.parametrize("copies", [("a.csv",), ("a.csv", "b.csv")])
@pytest.mark.parametrize("chunk", [1, 2, 10])
def test_killed_at_every_change_of_the_folder_nothing_is_lost_and_nothing_twice(
    desk: Any, chunk: int, copies: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the next whole run: each line stored once, the sheet archived once, the same report."""
    reports = set()
    for number in range(1, 60):
        for path in sorted(desk.path.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        for name in copies:
            desk.drop(name, three(desk))
        stored: list[str] = []
        with monkeypatch.context() as patch:
            crash_at(number, patch)
            try:
                run(desk, chunk, stored)
                killed = False
            except Killed:
                killed = True
        run(desk, chunk, stored)

        assert sorted(set(stored)) == sorted(stored)
        assert len(stored) == 3
        assert [name for name in desk.names() if not name.endswith(".part")] == []
        sheets = [name for name in desk.names("done") if name.endswith(".csv") and "bericht" not in name]
        assert len(sheets) == 1
        reports.add((desk.done / f"{sheets[0]}.bericht.csv").read_bytes())
        if not killed:
            break
    else:
        pytest.fail("the run has more steps than this test kills")
    assert len(reports) == 1


def run(desk: Any, chunk: int, stored: list[str]) -> None:
    """A run as the engine does it: `stored` is the ledger, committed before each acknowledge."""
    source = desk.source()
    waiting: list[Item] = []
    for item in desk.fetch(source):
        waiting.append(item)
        if len(waiting) == chunk:
            commit(source, waiting, stored)
    commit(source, waiting, stored)


def commit(source: Any, waiting: list[Item], stored: list[str]) -> None:
    handled = [Handled(item, known=item.external_id in stored) for item in waiting]
    stored += [one.item.external_id for one in handled if not one.known]
    waiting.clear()
    source.acknowledge(handled)


def test_a_person_in_a_wrong_column_appears_nowhere(
    desk: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """I6: whatever a clerk types where, report, log and problem name only columns."""
    caplog.set_level(logging.DEBUG)
    lines = [desk.decision(**{name: desk.canary}) for name in desk.decision_header]
    desk.drop("a.csv", desk.csv([[desk.canary], desk.decision_header, *lines, [desk.canary]]))
    desk.drop("b.csv", desk.csv([[desk.canary, "Titel"], [desk.canary] * 16]))
    desk.drop("c.xlsx", desk.decision_xlsx(desk.decision(Titel=f'="{desk.canary}"'), [desk.canary] * 20))

    items = desk.run()

    problems = " ".join(str(item.body) for item in items if item.kind == "sheet-problem")
    reports = " ".join(path.read_text("utf-8-sig") for path in desk.path.rglob("*.bericht.csv"))
    assert len(reports) > 500
    for sink in (problems, reports, caplog.text, *capsys.readouterr(), *map(repr, items)):
        assert desk.canary not in sink


def test_a_report_is_no_vehicle_for_formulas(desk: Any) -> None:
    """A column or file may be called =HYPERLINK(…)."""
    header = [*desk.decision_header, "=1+1"]
    desk.drop("=2+2.csv", desk.csv([header, [*desk.decision(), ""]]))

    desk.run()

    cells = [cell.strip('"') for line in desk.report().splitlines() for cell in line.split(";")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
