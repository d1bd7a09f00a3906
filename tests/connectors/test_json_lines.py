"""JSON Lines through the door for sheets: exact numbers, one broken line is one row, and nothing fills the memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors._tables import Cell, Row, SheetProblem, TableLimits, Worksheet, read_json_lines

MILLION = 1_000_000
PLAIN = st.text(st.characters(exclude_categories=["C", "Z", "M"]), min_size=1, max_size=20)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    PLAIN,
    st.integers(-(10**15), 10**15),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
)


def read(*lines: str, limits: TableLimits | None = None) -> Worksheet:
    return read_json_lines("\n".join(lines).encode(), limits or TableLimits())


def row(line: str) -> Row:
    (found,) = read(line, '{"x": 1}').rows[:1]
    return found


def names(sheet: Worksheet) -> list[str]:
    assert sheet.header is not None
    return [cell.text for cell in sheet.header.cells]


def test_fields_inside_are_named_by_their_path() -> None:
    """As the CSV of the same system names them."""
    sheet = read('{"title": {"de": "Bänke", "en": null}, "id": 7}', '{"id": 8, "url": "x"}')

    assert names(sheet) == ["title/de", "title/en", "id", "url"]
    assert [one.cells for one in sheet.rows] == [
        (Cell("Bänke"), Cell(), Cell(Decimal(7))),
        (Cell(), Cell(), Cell(Decimal(8)), Cell("x")),
    ]


def test_rows_are_numbered_as_an_editor_shows_them() -> None:
    raw = b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}'

    assert [one.number for one in read_json_lines(raw, TableLimits()).rows] == [1, 3]


@pytest.mark.parametrize("number", ["850.10", "0.1", "1.005", "1e3", "1E-2", "123456789012345678901234567.89", "-0"])
def test_a_number_is_what_was_written(number: str) -> None:
    """0.1 through a float is another sum after some steps; here nothing is."""
    cell = row(f'{{"a": {number}}}').cells[0]

    assert cell.fault or cell.value == Decimal(number)
    assert not isinstance(cell.value, float)


@pytest.mark.parametrize("number", ["1e99999999", "1e-99", "9" * 31, "0." + "1" * 31, "1" * 5000])
def test_a_number_that_nobody_means_is_a_fault_of_its_cell(number: str) -> None:
    """A thousand million zeros are nine bytes in a file."""
    found = row(f'{{"a": {number}, "b": "Bank"}}')

    assert "zu vielen Stellen" in found.cells[0].fault
    assert found.cells[1] == Cell("Bank")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"a": 1', "kein vollständiges JSON"),
        ('{"a": 1} {"a": 2}', "kein vollständiges JSON"),
        ("{'a': 1}", "kein vollständiges JSON"),
        ('{"a": 1,}', "kein vollständiges JSON"),
        ("[1, 2]", "kein JSON-Objekt"),
        ('"a"', "kein JSON-Objekt"),
        ('{"a": NaN}', "NaN oder Infinity"),
        ('{"a": -Infinity}', "NaN oder Infinity"),
        ('{"a": 1, "a": 2}', "ein Feld zweimal"),
        ('{"a": {"b": 1}, "a/b": 2}', "ein Feld zweimal"),
        ('{"a": ' * 9 + "1" + "}" * 9, "zu tief verschachtelt"),
        ('{"a": ' * 5000 + "1" + "}" * 5000, "kein vollständiges JSON|zu tief"),
        ("[" * 100_000, "kein vollständiges JSON|kein JSON-Objekt"),
        ("{" + ",".join(f'"f{one}": 1' for one in range(300)) + "}", "zu viele Felder"),
        ('{"a": "' + "x" * (MILLION + 100_000) + '"}', "zu lang"),
    ],
)
def test_a_broken_line_is_one_row_with_its_reason(line: str, why: str) -> None:
    """The lines around it are read; the text holds nothing of its content."""
    sheet = read('{"a": "vorher"}', line, '{"a": "nachher"}')

    assert [bool(one.fault) for one in sheet.rows] == [False, True, False]
    assert any(word in sheet.rows[1].fault for word in why.split("|"))
    assert not sheet.rows[1].blank


def test_a_line_in_another_charset_is_told() -> None:
    """RFC 8259: JSON between systems is UTF-8; a guess would make other letters of it."""
    sheet = read_json_lines('{"a": "Bänke"}\n'.encode("cp1252") + b'{"a": "x"}\n', TableLimits())

    assert [one.fault for one in sheet.rows] == ["Die Zeile ist nicht in UTF-8 geschrieben.", ""]


def test_a_list_of_texts_is_one_text_per_line() -> None:
    """`{split: "\\n"}` gives the same list again; what could not be told apart is refused."""
    found = row('{"a": ["Kinder, Jugend", "Fest", 3], "b": ["eins\\nzwei"], "c": [{"d": 1}], "e": []}')

    assert found.cells[0] == Cell("Kinder, Jugend\nFest\n3")
    assert [bool(cell.fault) for cell in found.cells] == [False, True, True]  # e has nothing to say


def test_half_a_sign_is_shown_as_lost() -> None:
    assert row('{"a": "Fest \\ud83c"}').cells[0].text == "Fest \ufffd"


@given(st.lists(st.dictionaries(PLAIN.filter(lambda name: "/" not in name), VALUES, max_size=6), max_size=8))
def test_what_was_written_is_what_is_read(objects: list[dict[str, Any]]) -> None:
    """Field by field, whatever stands around it."""
    lines = [_dumped(one) for one in objects]
    if objects and not any(objects):
        with pytest.raises(SheetProblem):
            read(*lines)
        return
    sheet = read(*lines)
    where = {name: place for place, name in enumerate(names(sheet))}

    for one, found in zip(objects, sheet.rows, strict=True):
        for name, value in one.items():
            cell = found.cell(where[_seen(name)])
            assert cell.value == (_seen(value) if isinstance(value, str) else "" if value is None else value)
            assert not cell.fault


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_comes_it_is_read_or_refused_in_german(raw: bytes) -> None:
    try:
        told = [one.fault for one in read_json_lines(raw, TableLimits()).rows]
    except SheetProblem as problem:
        told = [str(problem)]

    assert all("\n" not in one for one in told)


def _seen(text: str) -> str:
    from kiezbruecke.plaintext import clean

    return clean(text)


def _dumped(one: dict[str, Any]) -> str:
    parts = (
        f"{json.dumps(name)}: {value if isinstance(value, Decimal) else json.dumps(value)}"
        for name, value in one.items()
    )
    return "{" + ", ".join(parts) + "}"


SWOLLEN: dict[str, Callable[[], bytes]] = {
    "fields without end": lambda: b"\n".join(b'{"f%d": 1}' % one for one in range(2 * MILLION)),
    "empty fields": lambda: (b"{" + b",".join(b'"f%d":null' % one for one in range(250)) + b"}\n") * 9_000,
    "cells without end": lambda: (b"{" + b",".join(b'"f%d":1' % one for one in range(250)) + b"}\n") * 9_000,
    "lists": lambda: (b'{"a": [' + b"[]," * 300_000 + b"[]]}\n") * 20,
    "one line": lambda: b'{"a": "' + b"x" * (20 * MILLION),
    "depth": lambda: b"[" * (20 * MILLION),
    "lines": lambda: b"\n" * (20 * MILLION),
    "short lines": lambda: b"{}\n" * (7 * MILLION),
    "text of astral signs": lambda: ('{"a": "' + "😀" * 200_000 + '"}\n').encode() * 24,
    "escapes": lambda: ('{"a": "' + "\\ud83c\\udf89" * 80_000 + '"}\n').encode() * 20,
}
VICTIM = """
import resource, sys
from connectors._tables import TableLimits, SheetProblem, read_json_lines
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
raw = sys.stdin.buffer.read()
try:
    read_json_lines(raw, TableLimits())
    print("read")
except SheetProblem as problem:
    print(problem)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize("name", SWOLLEN)
def test_whatever_comes_in_memory_stays_below_300_megabytes(name: str) -> None:
    """The same promise as for CSV and XLSX."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", VICTIM], input=SWOLLEN[name](), capture_output=True, cwd=root, check=True
    )

    words, kilobytes = done.stdout.decode().splitlines()
    assert int(kilobytes) < 300 * 1024, words
