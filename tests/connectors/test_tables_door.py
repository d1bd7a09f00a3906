"""The door for sheets: whatever comes in is read as people see it or refused in one line, within memory and time."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from connectors._tables import Cell, Merge, SheetProblem, TableLimits, Worksheet, read_csv, read_workbook
from connectors._tables.cells import FORMULA, NO_DAY, PERCENT, SCALED
from connectors._tables.styles import Shown, shown
from connectors._tables.workbook import written

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STRICT = 'xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MILLION = 1_000_000
HEADERS = {"titel", "betrag"}


def package(sheet: bytes, *, shared: bytes = b"", formats: str = "", ns: str = NS, **parts: bytes) -> bytes:
    """A workbook part by part, as other programs than ours write it."""
    relations = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{name}.xml"/>'
        for name, kind in (("sheet1", "worksheet"), ("styles", "styles"), ("sharedStrings", "sharedStrings"))
    )
    codes = dict(enumerate(formats.split("|"), start=200))
    known = "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in codes.items())
    used = "".join(f'<xf numFmtId="{number}"/>' for number in codes)
    styles = f"<numFmts>{known}</numFmts><cellXfs>{used}</cellXfs>"
    start = f'<R><Relationship Id="a" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></R>'
    body = {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": start.encode(),
        "xl/workbook.xml": (
            f'<workbook {ns} xmlns:r="{OFFICE}"><sheets><sheet name="Blatt" r:id="sheet1"/></sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": f"<R>{relations}</R>".encode(),
        "xl/styles.xml": f"<styleSheet {ns}>{styles}</styleSheet>".encode(),
        "xl/sharedStrings.xml": f"<sst {ns}>".encode() + shared + b"</sst>",
        "xl/sheet1.xml": f"<worksheet {ns}>".encode() + sheet + b"</worksheet>",
        **{f"xl/{name}.xml": part for name, part in parts.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, part in body.items():
            new.writestr(name, part)
    return out.getvalue()


def data(rows: bytes) -> bytes:
    return b"<sheetData>" + rows + b"</sheetData>"


def read(raw: bytes) -> Worksheet:
    (sheet,) = read_workbook(raw, TableLimits())
    return sheet


def cells(rows: bytes, **parts: object) -> list[Cell]:
    return list(read(package(data(b"<row>" + rows + b"</row>"), **parts)).rows[0].cells)  # type: ignore[arg-type]


def test_shared_texts_come_without_phonetic_guides_and_rich_text_as_one() -> None:
    shared = b"<si><t>Bank</t></si><si><r><t>am </t></r><r><t>See</t></r><rPh><t>ZZZ</t></rPh></si>"

    assert cells(b'<c t="s"><v>1</v></c><c t="s"><v>0</v></c>', shared=shared) == [Cell("am See"), Cell("Bank")]


def test_a_strict_workbook_is_read_like_any_other() -> None:
    """Excel's „Strict Open XML“ has other namespaces, and days as ISO dates."""
    sheet = data(b'<row><c t="inlineStr"><is><t>Bank</t></is></c><c t="d"><v>2026-04-23T00:00:00</v></c></row>')

    found = read(package(sheet, ns=STRICT)).rows[0].cells
    assert list(found) == [Cell("Bank"), Cell(datetime(2026, 4, 23))]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Standard", Shown.NUMBER), ("General", Shown.NUMBER), ("Estándar", Shown.NUMBER), ("[Red]0", Shown.NUMBER),
        ('0.00" Std"', Shown.NUMBER), ("#,##0.00 [$€-407]", Shown.NUMBER), ("0.00E+00", Shown.NUMBER),
        ("DD.MM.YYYY", Shown.DAY), ("[$-407]d. mmmm yyyy", Shown.DAY), ("TT.MM.JJJJ", Shown.DAY), ("mmm", Shown.DAY),
        ("yyyy-mm-dd h:mm", Shown.DAY), ("hh:mm", Shown.CLOCK), ("[h]:mm:ss", Shown.CLOCK), ("h:mm AM/PM", Shown.CLOCK),
        ("0%", Shown.PERCENT), ("#,##0,", Shown.SCALED), ('0.0,,"Mio"', Shown.SCALED), ("#,##0", Shown.NUMBER),
    ],
)  # fmt: skip
def test_a_number_format_says_what_people_see(code: str, kind: Shown) -> None:
    """„Standard“ holds d and s, and is no date."""
    assert shown(code) is kind


def test_a_number_that_people_see_as_another_is_not_taken_for_itself() -> None:
    row = b'<c s="0"><v>0.5</v></c><c s="1"><v>850000</v></c><c s="2"><v>9999999</v></c>'
    found = cells(row, formats="0%|#,##0,|dd.mm.yyyy")

    assert [cell.fault for cell in found] == [PERCENT, SCALED, NO_DAY]


def test_a_formula_is_told_with_or_without_its_cached_value() -> None:
    assert [cell.fault for cell in cells(b"<c><f>A1</f><v>850</v></c><c><f>A1</f></c><c><f/></c>")] == [FORMULA] * 3


def test_escapes_of_a_workbook_are_signs_and_an_escaped_escape_is_its_text() -> None:
    """ECMA-376, ST_Xstring; what nobody sees goes in the same step."""
    assert written("a_x000D__x000a_b_x0009_c_x005F_x000D_ _xD83D__xDE00_ _x200B_ _x12_") == "a\nb\tc_x000D_ 😀  _x12_"
    assert written("_xD83D_") == "\ufffd"


def test_hidden_rows_columns_and_merges_are_known() -> None:
    sheet = (
        b'<cols><col min="2" max="16384" hidden="1"/></cols>'
        + data(b'<row r="3" hidden="1"><c r="B3"><v>1</v></c></row>')
        + b'<mergeCells><mergeCell ref="A3:C4"/></mergeCells>'
    )
    found = read(package(sheet))

    assert found.hidden_rows == {3}
    assert found.hidden_columns >= {1, 2}
    assert found.merges == (Merge(3, 4, 0, 2),)


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="2"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>',
        b'<row r="3"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>',
        b'<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
        b'<row r="1"><c r="B2"><v>1</v></c></row>',
        b'<row r="1048577"><c><v>1</v></c></row>',
        b'<row r="1"><c t="s"><v>7</v></c></row>',
    ],
)
def test_a_sheet_that_programs_would_read_differently_is_refused(rows: bytes) -> None:
    """openpyxl dropped the second of two equal rows without a word."""
    with pytest.raises(SheetProblem, match="beschädigt"):
        read(package(data(rows)))


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("mac_roman", "Mac Roman"), ("iso8859-15", "Latin-9"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"),
        ("cp850", "Zeichensatz"), ("utf-32", "keine Textdatei"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["Köpenick, 850 €", "Grünau (€)", "Maß und Übermaß; 1 €"])
def test_csv_in_a_foreign_charset_is_told_and_never_mojibake(encoding: str, words: str, text: str) -> None:
    raw = f"Titel;Betrag\r\n{text};1\r\n".encode(encoding, "replace")

    with pytest.raises(SheetProblem, match=words):
        read_csv(raw, HEADERS, TableLimits())


@pytest.mark.parametrize("text", ["Köpenick, 850 €", "Šarić für Grünau", "§ 23 LHO – „Fest“ … für 5 €", "Øre"])
def test_csv_of_an_office_is_never_taken_for_foreign(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        try:
            raw = f"Titel;Betrag\r\n{text};1\r\n".encode(encoding)
        except UnicodeEncodeError:
            continue
        assert read_csv(raw, HEADERS, TableLimits())[1].cells[0].text == text


def test_text_that_was_converted_twice_is_refused_with_its_line() -> None:
    raw = "Titel;Betrag\r\nMüggelheim;1\r\n".encode().decode("cp1252").encode()

    with pytest.raises(SheetProblem, match="In Zeile 2 sind Umlaute"):
        read_csv(raw, HEADERS, TableLimits())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'"Bank "am" See";1\r\n', "ab Zeile 3"),
        (b'"Bank am See;1\r\nx;2\r\n', "ab Zeile 3"),
        (b'"Bank;1\r\nx;2\r\ny";2\r\n', "In Zeile 3"),
    ],
)
def test_a_stray_quotation_mark_names_its_line(line: bytes, words: str) -> None:
    """Also where a second one closes it: the line between would be lost without a word."""
    with pytest.raises(SheetProblem, match=words):
        read_csv(b"Titel;Betrag\r\na;1\r\n" + line, HEADERS, TableLimits())


def one_row(text: bytes) -> bytes:
    return package(data(b"<row>" + text + b"</row>"))


def thirty_sheets() -> bytes:
    book = Workbook()
    for _ in range(29):
        book.create_sheet()
    out = io.BytesIO()
    book.save(out)
    swollen = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(swollen, "w") as new:
        for name in old.namelist():
            far = f"<worksheet {NS}>".encode() + data(b'<row r="1048576"><c><v>1</v></c></row>') + b"</worksheet>"
            new.writestr(name, far if "worksheets/" in name else old.read(name))
    return swollen.getvalue()


SWOLLEN: dict[str, Callable[[], bytes]] = {
    "sixteen million empty cells": lambda: one_row(b"<c/>" * (15 * MILLION)),
    "four million cells in one row": lambda: one_row(b"<c><v>1</v></c>" * (4 * MILLION)),
    "the last row of thirty sheets": thirty_sheets,
    "row two billion": lambda: package(data(b'<row r="2000000000"><c><v>1</v></c></row>')),
    "names without end": lambda: package(data(b"".join(b"<x%d/>" % one for one in range(2 * MILLION)))),
    "attributes without end": lambda: package(
        data(b"<row " + b" ".join(b'a%d=""' % one for one in range(2 * MILLION)))
    ),
    "one attribute": lambda: package(data(b'<row r="' + b"1" * (60 * MILLION))),
    "one comment": lambda: package(data(b"<!--" + b"x" * (60 * MILLION))),
    "one text": lambda: one_row(b'<c t="inlineStr"><is><t>' + "ü😀".encode() * (9 * MILLION) + b"</t></is></c>"),
    "depth": lambda: package(b"<a>" * (20 * MILLION)),
    "merges": lambda: package(b"<mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * MILLION),
    "separators": lambda: b";" * (20 * MILLION),
    "lines": lambda: b"\n" * (20 * MILLION),
    "quoted cells": lambda: b'"a\n";' * (4 * MILLION),
    "an open quotation mark": lambda: b'"' + b"a\n" * (10 * MILLION),
    "text of astral signs": lambda: "😀".encode() * (5 * MILLION),
    "many lines": lambda: ("üЖ;" * 7 + "\n").encode() * 900_000,
}  # fmt: skip
VICTIM = """
import resource, sys
from connectors._tables import TableLimits, SheetProblem, read_csv, read_workbook
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
raw = sys.stdin.buffer.read()
try:
    read_workbook(raw, TableLimits()) if raw[:2] == b"PK" else read_csv(raw, {"titel", "betrag"}, TableLimits())
    print("read")
except SheetProblem as problem:
    print(problem)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize("name", SWOLLEN)
def test_whatever_comes_in_memory_stays_below_300_megabytes(name: str) -> None:
    """Files of a few kilobytes took gigabytes and minutes; each is read, or refused in one line."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", VICTIM], input=SWOLLEN[name](), capture_output=True, cwd=root, check=True
    )

    words, kilobytes = done.stdout.decode().splitlines()
    assert int(kilobytes) < 300 * 1024, words


def test_nothing_that_is_shipped_opens_a_strangers_workbook_elsewhere() -> None:
    """openpyxl reads without limits, and unguarded where no other package happens to bring defusedxml."""
    root = Path(__file__).parents[2]
    files = [file for folder in ("kiezbruecke", "connectors") for file in (root / folder).rglob("*.py")]
    opening = {str(file.relative_to(root)) for file in files if "load_workbook" in file.read_text("utf-8")}

    assert opening == {"connectors/meinberlin/_recorded.py"}  # the sandbox reads our own recordings
