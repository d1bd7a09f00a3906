"""A whole sheet that cannot be used is told and put aside; the others go on."""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import pytest

from kiezbruecke.errors import ConfigurationError, SourceError

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def rezip(raw: bytes, change: dict[str, bytes], *, drop: str = "") -> bytes:
    """The same package with other parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *change} - {drop}:
            new.writestr(name, change[name] if name in change else old.read(name))
    return out.getvalue()


def package(desk: Any) -> bytes:
    raw: bytes = desk.decision_xlsx(desk.decision())
    return raw


def entity(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as old:
        sheet = old.read("xl/worksheets/sheet1.xml")
    return b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + sheet


BROKEN = {
    "leer.csv": (lambda _: b"", "Die Datei ist leer"),
    "leer.xlsx": (lambda desk: desk.xlsx([]), "Die Datei ist leer"),
    "nur-kopf.csv": (lambda desk: desk.decision_csv(), "Die Tabelle ist leer"),
    "nur-kopf.xlsx": (lambda desk: desk.decision_xlsx(), "Die Tabelle ist leer"),
    "text.xlsx": (lambda _: b"hallo", "beschädigt"),
    "zip.xlsx": (lambda desk: rezip(package(desk), {}, drop="xl/workbook.xml"), "beschädigt"),
    "halb.xlsx": (lambda desk: package(desk)[:3000], "beschädigt"),
    "xxe.xlsx": (lambda desk: rezip(package(desk), {"xl/worksheets/sheet1.xml": entity(package(desk))}), "beschädigt"),
    "kaputt.xlsx": (lambda desk: rezip(package(desk), {"xl/worksheets/sheet1.xml": b"<worksheet><a>"}), "beschädigt"),
    "kennwort.xlsx": (lambda _: OLE + "EncryptedPackage".encode("utf-16-le"), "Kennwort"),
    "alt.xlsx": (lambda _: OLE + b"\x00" * 600, "alte Excel-Format"),
    "makro.xlsx": (lambda desk: rezip(package(desk), {"xl/vbaProject.bin": b"x"}), "Makros"),
    "makro.xlsm": (package, "Makros"),
    "alt.xls": (lambda _: OLE, "fremdes Format"),
    "protokoll.pdf": (lambda _: b"%PDF", "fremdes Format"),
    "binaer.csv": (lambda desk: desk.decision_csv() + b"\x00", "keine Textdatei"),
    "offen.csv": (lambda desk: desk.decision_csv() + b'kk;"offen', "Anführungszeichen"),
    "gemischt.csv": (lambda desk: desk.decision_csv() + "Grünau".encode("cp1252") + b"\n", "mischt Zeichensätze"),
    "halbes-zeichen.csv": (lambda desk: desk.decision_csv() + "ü".encode()[:1], "abgeschnitten"),
    "fremd.csv": (lambda desk: desk.csv([["Name", "Vorname"], ["a", "b"]]), "keine Kopfzeile"),
    "doppelt.csv": (lambda desk: desk.csv([[*desk.decision_header, "titel"]]), "„Titel“ gibt es mehrmals"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sheet_is_told_and_stops_no_other(desk: Any, name: str) -> None:
    """The clerk finds file and report in failed/, the operator an item; the good sheet is taken."""
    make, words = BROKEN[name]
    desk.drop(name, make(desk))
    desk.drop("gut.csv", desk.decision_csv(desk.decision()))

    items = {item.kind: item for item in desk.run()}

    assert words in items["sheet-problem"].problem
    assert name in items["sheet-problem"].problem
    assert desk.names("failed") == [name, f"{name}.bericht.csv"]
    assert words in desk.report("failed")
    assert desk.names("done") == ["gut.csv", "gut.csv.bericht.csv"]
    assert desk.names() == []


def test_a_misspelt_column_is_named_with_its_nearest(desk: Any) -> None:
    """Not guessed: a sum in a column that is only nearly called so is not a sum."""
    header = ["Bewiligt (€)" if name == "Bewilligt (€)" else name for name in desk.decision_header]
    desk.drop("liste.csv", desk.csv([header, desk.decision()]))

    desk.run()

    assert "Die Spalte „Bewilligt (€)“ fehlt. Ähnlich heißt „Bewiligt (€)“ (Spalte G)" in desk.report("failed")


def test_an_unknown_column_is_a_note(desk: Any) -> None:
    """Unknown is not fatal; nearly known is asked."""
    header = [*desk.decision_header[:14], "Korektur", "Begründung", "Telefon"]
    desk.drop("liste.csv", desk.csv([header, [*desk.decision(), "030 / 1"]]))

    (item,) = desk.run()

    assert item.kind == "decision-line"
    assert "„Telefon“ (Spalte Q) ist unbekannt" in desk.report()
    assert "„Korektur“ (Spalte O) ist unbekannt und wurde nicht gelesen. Ist „Korrektur“ gemeint?" in desk.report()
    assert "030" not in desk.report()


def test_two_tables_in_one_workbook_are_refused(desk: Any) -> None:
    """An item is named by sheet and row; two tables would share names."""

    def copy(workbook: Any) -> None:
        workbook.copy_worksheet(workbook.active)

    desk.drop("liste.xlsx", desk.decision_xlsx(desk.decision(), change=copy))

    (item,) = desk.fetch()

    assert "Mehrere Tabellenblätter" in item.problem


@pytest.mark.parametrize(
    ("limit", "words"),
    [({"max_bytes": 600}, "zu groß"), ({"max_rows": 2}, "zu viele Zeilen")],
)
@pytest.mark.parametrize("name", ["liste.csv", "liste.xlsx"])
def test_too_much_is_refused(desk: Any, name: str, limit: dict[str, int], words: str) -> None:
    """F35: size and rows have limits, and the sheet says so."""
    lines = [desk.decision(f"P-{number}") for number in range(1, 9)]
    desk.drop(name, desk.decision_csv(*lines) if name.endswith("csv") else desk.decision_xlsx(*lines))

    desk.run(desk.source(**limit))

    assert words in desk.report("failed")
    assert name in desk.names("failed")


def test_a_zip_bomb_is_not_unpacked(desk: Any) -> None:
    """A megabyte of zeros costs a kilobyte; the declared size is enough to refuse it."""
    bomb = rezip(package(desk), {"xl/media/a.xml": b" " * 80_000_000})
    desk.drop("liste.xlsx", bomb)

    (item,) = desk.fetch()

    assert len(bomb) < 200_000
    assert "entpackt zu groß" in item.problem


def test_a_made_up_row_number_does_not_make_us_count(desk: Any) -> None:
    """I7: a row 99,999,999,999 is beyond Excel; formatted rows to the last one are common."""
    with zipfile.ZipFile(io.BytesIO(package(desk))) as old:
        sheet = old.read("xl/worksheets/sheet1.xml")
    far = sheet.replace(b"</sheetData>", b'<row r="1048576"/><row r="99999999999"/></sheetData>')
    desk.drop("liste.xlsx", rezip(package(desk), {"xl/worksheets/sheet1.xml": far}))

    assert [item.kind for item in desk.fetch()] == ["decision-line"]


def test_unfinished_hidden_and_lock_files_are_left_alone(desk: Any) -> None:
    """Also folders and links: a link could lead anywhere."""
    names = ["a.csv.part", "~$a.xlsx", ".~lock.a.csv#", ".a.csv", "b.csv.tmp", "Thumbs.db"]
    for name in names:
        desk.drop(name, desk.decision_csv(desk.decision()))
    (desk.path / "ordner.csv").mkdir()
    (desk.path / "link.csv").symlink_to(desk.path / "a.csv.part")

    assert desk.run() == []
    assert desk.names() == sorted([*names, "link.csv"])


def test_a_growing_file_is_left_for_the_next_run(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a sheet must not be read."""
    path = desk.drop("liste.csv", desk.decision_csv(desk.decision()))
    waited = []

    def grow(seconds: float) -> None:
        waited.append(seconds)
        path.write_bytes(desk.decision_csv(desk.decision(), desk.decision("P-1")))

    monkeypatch.setattr("connectors.folder.inbox.time.sleep", grow)

    assert desk.fetch(desk.source(settle_seconds=2)) == []
    assert waited == [2]
    assert len(desk.fetch()) == 2


def test_a_file_that_nobody_lets_us_read_is_told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays where it is; the others go on."""
    desk.drop("a.csv", desk.decision_csv(desk.decision()))
    desk.drop("b.csv", desk.decision_csv(desk.decision("P-1")))
    source = desk.source()
    real = source._inbox._fingerprint

    def locked(path: Any, size: int) -> Any:
        if path.name == "a.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, size)

    monkeypatch.setattr(source._inbox, "_fingerprint", locked)
    items = desk.run(source)

    assert [item.kind for item in items] == ["sheet-problem", "decision-line"]
    assert "Zugriffsrechte" in items[0].problem
    assert desk.names() == ["a.csv"]


def test_older_sheets_come_first(desk: Any) -> None:
    """A later budget line changes an earlier one, whatever the files are called."""
    for name, age in (("b.csv", 200), ("a.csv", 100), ("c.csv", 300)):
        path = desk.drop(name, desk.decision_csv(desk.decision(Titel=name)))
        os.utime(path, (1_800_000_000 - age, 1_800_000_000 - age))

    assert [item.body["titel"] for item in desk.fetch()] == ["c.csv", "b.csv", "a.csv"]


def test_a_missing_folder_is_a_source_error(desk: Any) -> None:
    """A share that is not mounted must not look like an empty folder."""
    source = desk.source(path=str(desk.path / "fehlt"))

    with pytest.raises(SourceError, match="the folder cannot be used"):
        desk.fetch(source)


@pytest.mark.parametrize("extra", [{"profile": "status-list"}, {"profile": "x"}, {"setle_seconds": 1}])
def test_wrong_settings_are_told_to_operations(desk: Any, extra: dict[str, Any]) -> None:
    """In one line, with what was expected."""
    with pytest.raises(ConfigurationError, match=r"connection blaetter: .*expected"):
        desk.source(**extra)


def test_a_name_in_a_foreign_encoding_does_not_stop_the_ledger(desk: Any) -> None:
    """A Windows share may hand over bytes that are no UTF-8."""
    path = os.fsdecode(os.fsencode(desk.path) + b"/M\xfcggelheim.csv")
    with open(path, "wb") as handle:  # noqa: PTH123 - the name is the point
        handle.write(desk.decision_csv(desk.decision()))

    (item,) = desk.run()

    assert item.body["sheet"] == "M\ufffdggelheim.csv"
    assert "M\ufffdggelheim.csv" in desk.report()


def test_what_stands_beside_an_excel_table_is_tolerated_and_noted(desk: Any) -> None:
    """A remark to the right, a signature below; the content stays unsaid."""
    below = [""] * 17 + [desk.canary]
    desk.drop("liste.xlsx", desk.decision_xlsx([*desk.decision(), "", desk.canary], desk.decision("P-1"), below))

    items = desk.run()

    assert [item.kind for item in items] == ["decision-line"] * 2
    assert "Außerhalb der Tabelle steht etwas, das nicht gelesen wurde; Zeile: 2, 4." in desk.report()
    assert desk.canary not in desk.report()


# --- as above


@pytest.mark.parametrize(
    "word", ["wie oben", "Wie oben", "w. o.", "dto.", "dito", '"', "''", "„", "〃", '- " -', "–“–"]
)
def test_as_above_is_understood_and_said_so(desk: Any, word: str) -> None:
    """Clerks write a value that is the same for the whole list once."""
    rows = [desk.decision(), *(desk.decision(f"P-{n}", Verfahren=word, Bezirksregion=word) for n in (1, 2))]
    desk.drop("liste.xlsx", desk.decision_xlsx(*rows))
    items = desk.run()

    assert [(item.body["verfahren"], item.body["bezirksregion"]) for item in items] == [
        ("kk-tk-2026", "Müggelheim")
    ] * 3
    assert "4;P-2;übernommen;„Verfahren“ und „Bezirksregion“ aus Zeile 3 übernommen." in desk.report()


def test_as_above_in_the_first_line_is_a_problem(desk: Any) -> None:
    """Above stands the header."""
    (item,) = desk.read(desk.decision(Bezirksregion="wie oben"))

    assert item.problem is not None
    assert "„Bezirksregion“ verweist auf die Zeile darüber, dort steht aber nichts." in item.problem


def test_as_above_is_no_word_of_other_columns(desk: Any) -> None:
    """Two proposals are not one."""
    items = desk.read(desk.decision(), desk.decision("P-1", Titel="wie oben"))

    assert items[1].body["titel"] == "wie oben"
