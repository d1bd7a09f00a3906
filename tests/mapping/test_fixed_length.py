"""Fixed-length records: every character has its place, nothing is cut, and a layout that cannot work is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import Mapping, check_mapping, load_mapping, table_header
from kiezbruecke.mapping.schema.columns import LayoutColumn
from kiezbruecke.mapping.schema.tables import TableLayout, read_table
from kiezbruecke.mapping.values import Unusable

Put = Callable[[str, str], Path]

LAYOUT = """\
name: zahlung
format: fixed
encoding: iso-8859-1
line_end: lf
record_length: 50
columns:
  - {name: Satzart, length: 2, const: "01"}
  - {key: kennzeichen, start: 3, length: 12, required: true}
  - {key: betrag, length: 11, type: money, format: cents, fill: 0}
  - {key: am, length: 8, type: date, format: JJJJMMTT}
  - {length: 1, fill: " "}
  - {key: bewilligt, length: 1, type: yes_no, format: J_N}
  - {key: rang, length: 3, type: integer}
  - {key: name, length: 12}
"""
RULES = """\
name: zahlung
version: 1
direction: outbound
roots: [route]
target: table zahlung
rules:
  - {target: kennzeichen, from: route.id}
  - {target: betrag, from: route.amount}
  - {target: am, from: route.day}
  - {target: bewilligt, from: route.granted}
  - {target: rang, from: route.rank}
  - {target: name, from: route.name}
"""
ROUTE = {
    "id": "KK26-1",
    "amount": Decimal("850.00"),
    "day": date(2026, 4, 24),
    "granted": True,
    "rank": 7,
    "name": "Müller",
}


@pytest.fixture
def mapping(content: Path, put: Put) -> Mapping:
    put("schemas/tables/zahlung.yaml", LAYOUT)
    put("mappings/outbound/zahlung/mapping.yaml", RULES)
    return load_mapping("zahlung", content)


def _table(*columns: dict[str, Any], **keys: Any) -> TableLayout:
    return TableLayout.model_validate({"name": "t", "format": "fixed", "columns": list(columns), **keys})


def _refusal(content: Path, put: Put, layout: str) -> str:
    put("schemas/tables/kaputt.yaml", layout)
    with pytest.raises(ConfigurationError) as error:
        read_table(content, "kaputt")
    return error.value.line()


def test_every_value_stands_at_its_place(mapping: Mapping) -> None:
    """Texts on the left, numbers on the right; the constant and the filler are the layout's own."""
    line = mapping.write({"route": ROUTE})

    assert line == "01KK26-1      0000008500020260424 J  7Müller      \n".encode("iso-8859-1")


def test_what_is_missing_is_filled_up(mapping: Mapping) -> None:
    """A column without a value keeps its width."""
    line = mapping.write({"route": {"id": "A"}})

    assert line == b"01A           00000000000" + b" " * 25 + b"\n"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "Müller-Lüdenscheidt", "zahlung/mapping.yaml:12: 'name' (Quelle: route.name): der Text ist zu lang"),
        ("amount", Decimal(10) ** 11, "höchstens 11 Zeichen"),
        ("rank", 1000, "höchstens 3 Zeichen"),
        (
            "name",
            "Łukasz",
            "das 1. Zeichen gibt es im Zeichensatz iso-8859-1 nicht; erwartet: Zeichen aus iso-8859-1 (Schritt",
        ),
        ("name", "a\nb", "Zeilenumbruch oder ein Steuerzeichen; erwartet: eine Zeile (Schritt collapse_space)"),
        ("id", "", "mapping.yaml:7: 'kennzeichen' (Quelle: route.id): die Pflichtangabe fehlt"),
        ("day", "morgen", "das Datum ist nicht lesbar"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_rule(mapping: Mapping, field: str, value: object, told: str) -> None:
    """Cutting would change a name or a sum without a word."""
    with pytest.raises(RecordError) as error:
        mapping.write({"route": {**ROUTE, field: value}})

    assert told in error.value.line()
    assert str(value) not in error.value.line() or not value


def test_a_sign_stands_before_the_zeros() -> None:
    """`000-5` is no number to anybody."""
    column = LayoutColumn(key="n", type="integer", length=5, fill="0")

    assert column.padded(column.cell(-5)) == "-0005"


@pytest.mark.parametrize(
    ("kind", "written", "value", "cell"),
    [
        ("money", "cents", Decimal("0.05"), "5"),
        ("money", "cents", Decimal("-12.30"), "-1230"),
        ("money", "comma", "850.00", "850,00"),
        ("money", "point", 850, "850.00"),
        ("date", "TTMMJJJJ", "2026-04-24", "24042026"),
        ("date", "JJMMTT", date(2026, 4, 24), "260424"),
        ("date", "JJJJMMTT", date(812, 4, 24), "08120424"),
        ("date", "TT.MM.JJJJ", "2026-04-23T22:30:00.000Z", "24.04.2026"),
        ("date", "JJJJ-MM-TT", date(2026, 4, 24), "2026-04-24"),
        ("yes_no", "ja_nein", False, "nein"),
        ("yes_no", "1_0", "ja", "1"),
    ],
)
def test_a_column_says_how_its_value_is_written(kind: Any, written: Any, value: object, cell: str) -> None:
    """The forms are a closed list of names that administrations use; of a moment the day in Berlin counts."""
    assert LayoutColumn(key="x", type=kind, format=written).cell(value) == cell


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("format: fixed\ncolumns:\n  - {key: a, lenght: 3}\n", "kaputt.yaml:3:14: unknown key 'lenght'"),
        ("format: fixed\ncolumns:\n  - {key: a, lenght: 3}\n", "did you mean 'length'?"),
        ("format: fixed\ncolumns: [{key: a}]\n", "column 'a' has no length"),
        ("format: fixed\ncolumns: [{key: a, length: '3'}]\n", "kaputt.yaml:2:28: 'length' has the wrong form"),
        (
            "format: fixed\ncolumns: [{key: a, length: 3, start: 2}]\n",
            "leaves a gap: it starts at 2; expected start: 1",
        ),
        (
            "format: fixed\ncolumns: [{key: a, length: 3}, {key: b, length: 2, start: 3}]\n",
            "column 'b' overlaps the one before: it starts at 3; expected start: 4",
        ),
        (
            "format: fixed\nrecord_length: 9\ncolumns: [{key: a, length: 3}]\n",
            "kaputt.yaml:2:16: the columns make 3 characters, not 9; expected record_length: 3",
        ),
        ("format: fixed\ncolumns: [{key: a, length: 3}, {key: a, length: 3}]\n", "two columns have the key 'a'"),
        ("format: fixed\ncolumns: [{key: a, length: 3, type: money, align: left, fill: '0'}]\n", "change the value"),
        (
            "format: fixed\ncolumns: [{key: a, length: 7, type: date, format: TTMMJJJJ}]\n",
            "needs more than 7 characters",
        ),
        (
            "format: fixed\ncolumns: [{key: a, length: 8, type: date, format: '%d%m%Y'}]\n",
            "'format' has the wrong form",
        ),
        (
            "format: fixed\ncolumns: [{key: a, length: 8, type: text, format: comma}]\n",
            "type text has no format 'comma'",
        ),
        ("format: fixed\ncolumns: [{length: 1, const: '01'}]\n", "'01' needs more than 1 characters"),
        ("format: fixed\nencoding: iso-8859-1\ncolumns: [{length: 1, const: 'Ł'}]\n", "does not exist in iso-8859-1"),
        (
            "format: fixed\nencoding: ebcdic\ncolumns: [{key: a, length: 1}]\n",
            "'encoding' has the wrong form; expected",
        ),
        ("format: fixed\ndelimiter: ','\ncolumns: [{key: a, length: 1}]\n", "neither delimiter nor header"),
        ("columns: [{name: a, length: 3}]\n", "'length' belongs to fixed-length records; expected format: fixed"),
        ("line_end: none\ncolumns: [{name: a}]\n", "belong to fixed-length records"),
        ("columns: [{name: a/b}]\n", "the key holds / @ [ or ]"),
        ("columns: []\n", "'columns' has the wrong form; expected at least one column"),
        (
            "delimiter: '\"'\ncolumns: [{name: a}]\n",
            "kaputt.yaml:1:12: the delimiter '\"' cannot separate cells; expected one",
        ),
        ("delimiter: a\ncolumns: [{name: a}]\n", "the delimiter 'a' cannot separate cells"),
        ("delimiter: '0'\ncolumns: [{name: a}]\n", "the delimiter '0' cannot separate cells"),
        ('delimiter: "\\n"\ncolumns: [{name: a}]\n', "cannot separate cells"),
        ("delimiter: ';;'\ncolumns: [{name: a}]\n", "the delimiter ';;' cannot separate cells"),
        ("delimiter: ''\ncolumns: [{name: a}]\n", "the delimiter '' cannot separate cells"),
        (
            "columns:\n  - {name: a}\n  - {name: a, key: b}\n",
            "kaputt.yaml:3:12: two columns have the name 'a'; expected a name of its own for each",
        ),
        (
            "format: fixed\ncolumns:\n  - {key: a, length: 0}\n",
            "kaputt.yaml:3:22: 'length' has the wrong form; expected at least 1",
        ),
        (
            "format: fixed\ncolumns:\n  - {key: a, length: 1}\n  - {key: b}\n",
            "kaputt.yaml:4:5: column 'b' has no length",
        ),
        ("hedaer: true\ncolumns: [{name: a}]\n", "kaputt.yaml:1:1: unknown key 'hedaer'"),
        ("columns: [{name: a, required: 'yes'}]\n", "'required' has the wrong form; expected true or false"),
        ("columns: [{name: a, type: 0815}]\n", "kaputt.yaml:1:27: 'type' has the wrong form; expected 'text'"),
        ("columns: [{name: &a x}, {name: *a}]\n", "kaputt.yaml:1:25: two columns have the key 'x'"),
        ("columns: " + "[" * 4000 + "]" * 4000, "nested too deeply"),
        ("name: anders\ncolumns: [{name: a}]\n", "kaputt.yaml:1:7: 'anders' is not 'kaputt'"),
        ("name: a\nname: b\ncolumns: [{name: a}]\n", "kaputt.yaml:2:1:"),
    ],
)
def test_a_layout_that_cannot_work_is_refused_in_one_line(content: Path, put: Put, layout: str, told: str) -> None:
    """Before the first record: a shifted column ruins every line behind it."""
    line = _refusal(content, put, layout)

    assert told in line
    assert "\n" not in line


@pytest.mark.parametrize("sign", [";", ",", "|", "\t"])
def test_the_usual_delimiters_keep_their_cells_apart(sign: str) -> None:
    """What holds the sign itself stands in quotes."""
    table = TableLayout.model_validate({"name": "t", "delimiter": sign, "columns": [{"name": "a"}, {"name": "b"}]})

    assert table.line({"a": f"x{sign}y", "b": "z"}).decode() == f'"x{sign}y"{sign}z\r\n'


@pytest.mark.parametrize(
    ("written", "value", "cell"),
    [
        ("ja_nein", True, "ja"),
        ("ja_nein", "Nein", "nein"),
        ("ja_nein", "TRUE", "ja"),
        ("ja_nein", "0", "nein"),
        ("ja_nein", 1, "ja"),
        ("J_N", "j", "J"),
        ("J_N", "N", "N"),
        ("J_N", "false", "N"),
    ],
)
def test_a_tick_is_written_in_the_columns_words(written: Any, value: object, cell: str) -> None:
    """Truths come as booleans, and as the texts that clearly say one."""
    assert LayoutColumn(key="x", type="yes_no", format=written).cell(value) == cell


@pytest.mark.parametrize(
    ("written", "value"),
    [("ja_nein", "yes"), ("ja_nein", "vielleicht"), ("ja_nein", "J"), ("ja_nein", ""), ("J_N", "Q"), ("1_0", 2)],
)
def test_a_text_that_is_neither_yes_nor_no_is_refused(written: Any, value: object) -> None:
    """`nein` for an unknown text is a wrong statement about somebody's case."""
    with pytest.raises(Unusable, match="weder ja noch nein"):
        LayoutColumn(key="x", type="yes_no", format=written).cell(value)


def test_check_and_run_refuse_an_unclear_tick(mapping: Mapping, content: Path, put: Put) -> None:
    """The constant at check, the value when its record comes."""
    with pytest.raises(RecordError) as error:
        mapping.write({"route": {**ROUTE, "granted": "vielleicht"}})
    put("mappings/outbound/zahlung/mapping.yaml", RULES.replace("from: route.granted", "const: yes"))
    found = [(finding.code, finding.place.line) for finding in check_mapping("zahlung", content)]

    assert "zahlung/mapping.yaml:10: 'bewilligt' (Quelle: route.granted): weder ja noch nein" in error.value.line()
    assert ("KB-M14", 10) in found


@pytest.mark.parametrize("kind", ["money", "number", "integer"])
@pytest.mark.parametrize("value", ["1_000", "\u0661\u0662", "", "zwölf"])
def test_what_only_a_program_takes_for_a_number_is_refused(kind: Any, value: str) -> None:
    """Python reads 1_000 and Arabic digits; who has typed an underscore may have meant something else."""
    with pytest.raises(Unusable, match="ist nicht lesbar"):
        LayoutColumn(key="x", type=kind).cell(value)


def test_a_control_character_is_told_without_xml() -> None:
    """A table is none."""
    with pytest.raises(Unusable, match=r"^der Text enthält Steuerzeichen; erwartet: lesbarer Text$"):
        LayoutColumn(name="x").cell("a\x07")


def test_check_knows_the_widths(content: Path, put: Put) -> None:
    """A constant that is too long would set every record aside."""
    put("schemas/tables/zahlung.yaml", LAYOUT)
    put("mappings/outbound/zahlung/mapping.yaml", RULES.replace("from: route.name", "const: Bezirksamt Treptow"))

    found = [(finding.code, finding.place.line) for finding in check_mapping("zahlung", content)]

    assert ("KB-M14", 12) in found


def test_a_filler_is_no_target(content: Path, put: Put) -> None:
    """The layout's own columns are nobody's business."""
    put("schemas/tables/zahlung.yaml", LAYOUT)
    put("mappings/outbound/zahlung/mapping.yaml", RULES + "  - {target: Satzart, const: '02'}\n")

    assert "KB-M07" in [finding.code for finding in check_mapping("zahlung", content)]


def test_fixed_records_have_no_header(mapping: Mapping, content: Path) -> None:
    """The columns of a CSV are named above it, those of a record in its layout."""
    assert (mapping.goal.suffix, mapping.goal.media_type) == ("txt", "text/plain")
    assert table_header("zahlung", content) == b""


def test_an_unknown_table_is_named_with_its_neighbour(content: Path, put: Put) -> None:
    """A typing error in `target:` is the commonest one."""
    put("schemas/tables/zahlung.yaml", LAYOUT)

    with pytest.raises(ConfigurationError, match="did you mean 'zahlung'"):
        read_table(content, "zahlnug")


@given(
    st.text(max_size=14),
    st.decimals(-(10**9), 10**9, places=2),
    st.dates(),
    st.sampled_from(["utf-8", "iso-8859-1", "iso-8859-15", "cp1252"]),
)
def test_a_line_always_has_its_length_or_is_refused(text: str, amount: Decimal, day: date, encoding: str) -> None:
    """No generated value moves the columns behind it."""
    table = _table(
        {"key": "t", "length": 10},
        {"key": "m", "length": 12, "type": "money", "format": "cents", "fill": "0"},
        {"key": "d", "length": 8, "type": "date", "format": "JJJJMMTT"},
        encoding=encoding,
        line_end="none",
    )
    try:
        cells = {
            column.key: table.cell(column, value)
            for column, value in zip(table.fields, (text, amount, day), strict=True)
        }
    except Unusable:
        return
    line = table.line(cells).decode(encoding)

    assert len(line) == 30
    assert line[:10].rstrip(" ") == text.rstrip(" ")
    assert Decimal(line[10:22]) == amount * 100
