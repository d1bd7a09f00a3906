"""The file itself: the same to the cent on the other side, and every change of it is found there and here."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hkr_file._sandbox_parser import Refused, parse
from connectors.hkr_file.stack import Damaged, Origin, iban_number, read_stack, write_stack
from connectors.hkr_file.target import FileBatches
from kiezbruecke.connector import BatchHead, Connection, Context
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable

from .conftest import IBANS, PROCESS, ROOT, order

HEAD = BatchHead("KK26-S-0001", "hkr-datei", datetime(2026, 11, 23, 6, 30, tzinfo=UTC), 2026)
ORIGIN = Origin("BA-TK-SPK", "KIEZBRUECKE")
OURS = ("kiezbruecke-fixed", "kiezbruecke-csv")
ALL = (*OURS, "f15z-like", "mach-like")
ARTS = {"f15z-like": "Z", "mach-like": "11"}


def stack(layout: str, *messages, head: BatchHead = HEAD) -> bytes:
    return write_stack(read_table(ROOT, layout), head, ORIGIN, messages)


def payments(layout: str, count: int = 3) -> list:
    art = ARTS.get(layout, "20")
    return [
        order(
            f"KK26-090416-{number:05d}-Z1",
            f"{number}00.50",
            layout=layout,
            art=art,
            effect="payment.order",
            bezug="KK26-090416-00001-F1",
            name=f"Verein {number} Müggelheim",
            iban=IBANS[number % len(IBANS)],
            bic="BYLADEM1001",
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("layout", ALL)
def test_the_same_batch_is_the_same_bytes(layout):
    """It is stored and goes again after a crash."""
    assert stack(layout, *payments(layout)) == stack(layout, *payments(layout))


@pytest.mark.parametrize("layout", ["kiezbruecke-fixed", "f15z-like"])
def test_every_record_has_its_length(layout):
    """Header, lines and trailer."""
    records = stack(layout, *payments(layout)).decode("iso-8859-15").split("\r\n")

    assert records.pop() == ""
    assert len(records) == 5
    assert {len(record) for record in records} == {read_table(ROOT, layout).record_length}


NAMES = (
    st.text(st.characters(codec="iso-8859-15", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=70)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
CENTS = st.integers(1, 99_999_999_999)


@pytest.mark.parametrize("layout", OURS)
@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(NAMES, CENTS, st.sampled_from(IBANS), NAMES), min_size=1, max_size=6))
def test_what_is_written_is_read_by_another_parser_to_the_cent(layout, rows):
    """Names, amounts, accounts and texts, with every sign that the character set has."""
    messages = [
        order(
            f"KK26-090416-{number:05d}-Z1",
            str(Decimal(cents).scaleb(-2)),
            layout=layout,
            art="20",
            bezug="KK26-090416-00001-F1",
            name=name,
            iban=iban,
            zweck=purpose,
        )
        for number, (name, cents, iban, purpose) in enumerate(rows)
    ]
    read = parse(stack(layout, *messages))

    assert [(one.name, one.cents, one.iban, one.purpose) for one in read.orders] == rows
    assert [one.reference for one in read.orders] == [one.reference for one in messages]
    assert (read.batch, read.unit, read.sender, read.year) == (HEAD.id, "BA-TK-SPK", "KIEZBRUECKE", "2026")


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_name_can_be_written_in_latin9_or_is_refused(name):
    """What `latin9` gives stands in a file of ISO-8859-15, and it says how much it changed."""
    try:
        written = STEPS["latin9"].function(name)
    except Unusable:
        return
    changes = STEPS["latin9_changes"].function(name)

    assert written.encode("iso-8859-15").decode("iso-8859-15") == written
    assert STEPS["latin9"].function(written) == written
    assert (changes == 0) == (written == " ".join(name.split())) or changes > 0


def _tampered(body: bytes, layout: str) -> dict[str, bytes]:
    """A file after somebody had it in hand: what was changed ─▶ the file."""
    lines = body.split(b"\r\n")
    amount = b"00000000020050" if layout == "kiezbruecke-fixed" else b"200,50"
    return {
        "amount": body.replace(amount, amount[:-2] + b"51", 1),
        "iban": body.replace(b"DE02", b"DE20", 1) if b"DE02" in body else body.replace(b"AT61", b"AT16", 1),
        "text": body.replace(b"Kiezkasse KK26-090416-00002", b"Kiezkasse KK26-090416-00003", 1),
        "name": body.replace(b"Verein 1", b"Verein 7", 1),
        "dropped": b"\r\n".join([lines[0], *lines[2:]]),
        "doubled": b"\r\n".join([lines[0], lines[1], *lines[1:]]),
        "swapped": b"\r\n".join([lines[0], lines[2], lines[1], *lines[3:]]),
        "half": body[: len(body) // 2],
        "no trailer": b"\r\n".join([*lines[:-2], b""]),
    }


CODES = {
    "amount": "SUMME",
    "iban": "IBAN",
    "text": "SHA256",
    "name": "SHA256",
    "dropped": "ANZAHL",
    "doubled": "ANZAHL",
    "swapped": "SHA256",
    "half": "AUFBAU",
    "no trailer": "AUFBAU",
}


@pytest.mark.parametrize("change", CODES)
@pytest.mark.parametrize("layout", OURS)
def test_every_change_of_a_file_is_found(layout, change):
    """By sum, check sum, hash or count; by the sandbox's parser and by our own reader."""
    body = stack(layout, *payments(layout))
    spoiled = _tampered(body, layout)[change]
    with pytest.raises(Refused) as refused:
        parse(spoiled)
    with pytest.raises(Damaged):
        read_stack(read_table(ROOT, layout), spoiled)

    assert spoiled != body
    assert refused.value.code == CODES[change]


def test_the_check_sum_of_ibans_is_what_mod_97_divides():
    """All of them leave 1; a changed digit leaves something else."""
    assert {iban_number(iban) % 97 for iban in IBANS} == {1}
    assert iban_number(IBANS[0].replace("2051", "2052")) % 97 != 1
    assert iban_number("") == 0


def test_the_trailer_like_f15z_counts_header_and_trailer():
    """Its facts as they are known in public: total in cents, records with header and trailer, two check sums."""
    trailer = stack("f15z-like", *payments("f15z-like")).decode("iso-8859-15").split("\r\n")[-2]

    assert trailer.startswith("9A      2026")
    assert trailer[55:74] == "00000000060150" + "00005"
    assert int(trailer[110:130]) == sum(iban_number(IBANS[number]) for number in (1, 2, 3)) % 10**20


def test_the_file_like_mach_is_a_table_with_signed_sums():
    """Names above, one line per order; only the .ok can tell a damaged one."""
    lines = stack("mach-like", *payments("mach-like")).decode("iso-8859-15").split("\r\n")

    assert lines[0].startswith("FREMDKENNZEICHEN;ART;JAHR;JAHRAO;KONTO;BETRAG;FAELLIGKEIT")
    assert lines[1].startswith("KK26-090416-00001-Z1;11;2026;2026;68406;100,50;;;Verein 1 Müggelheim;")


INVENTED = """
name: stadt-x
format: fixed
encoding: cp1252
line_end: lf
columns:
  - {key: kennzeichen, length: 25, required: true}
  - {key: betrag, length: 12, type: money, format: point, required: true}
  - {key: iban, length: 34}
  - {key: name, length: 40}
  - {name: Frei durch, length: 20, fact: angeordnet.person}
file:
  ending: dat
  reads: {reference: kennzeichen, amount: betrag, iban: iban}
  trailer:
    - {name: Summe, length: 15, type: money, format: cents, fill: "0", fact: sum}
    - {name: Sätze, length: 6, type: integer, fill: "0", fact: count}
    - {name: Vom, length: 8, type: date, format: JJMMTT, fact: created_at}
    - {length: 102}
"""


def with_layout(tmp_path: Path, text: str) -> Path:
    """A content folder with one more layout."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "schemas" / "tables" / "stadt-x.yaml").write_text(text, "utf-8")
    return tmp_path


def test_another_system_is_one_file(tmp_path):
    """An invented layout: no Python, a connection names it, and its file is written."""
    content = with_layout(tmp_path, INVENTED)
    extra = {"profile": "stadt-x", "path": "/nirgends", "dienststelle": "X"}
    target = FileBatches(Connection("x", "kb_hkr_file", extra=extra), Context(PROCESS, content=content))
    messages = [
        order("KK26-090416-00001-Z1", "12.50", layout="stadt-x", content=content, art="20", name="Verein „Grün“"),
        order("KK26-090416-00002-Z1", "0.01", layout="stadt-x", content=content, art="20"),
    ]
    name, body = target.compose(HEAD, messages, ())

    assert name == "KK26-S-0001.dat"
    assert body.decode("cp1252").split("\n") == [
        f"{'KK26-090416-00001-Z1':25}{'12.50':>12}{IBANS[0]:34}{'Verein „Grün“':40}{'Cem Chef':20}",
        f"{'KK26-090416-00002-Z1':25}{'0.01':>12}{IBANS[0]:34}{'Förderverein Müggelheim':40}{'Cem Chef':20}",
        f"{'000000000001251':15}000002{'261123':8}{'':102}",
        "",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("fact: sum}", "fact: summe}", "no file has the fact 'summe'"),
        ("angeordnet.person", "angeordnet.alter", "no line has the fact 'angeordnet.alter'"),
        ("amount: betrag", "amount: name", "amount is no sum of money"),
        ("iban: iban}", "iban: konto}", "iban is no column 'konto'"),
        ("amount: betrag, ", "", "'sum' needs to know a column"),
        ("length: 102}", "length: 101}", "130 characters, not 131"),
        ("fact: count}", "key: anzahl}", "no rule fills 'anzahl' of header or trailer"),
        ("ending: dat", "endung: dat", "unknown key 'endung'; expected ending, reads, header, trailer"),
        ("fact: created_at}", "fakt: x}", "unknown key 'fakt'"),
    ],
)
def test_a_wrong_layout_is_refused_with_its_place(tmp_path, old, new, told):
    """One line: what, where, what was expected."""
    assert old in INVENTED
    with pytest.raises(ConfigurationError) as raised:
        read_table(with_layout(tmp_path, INVENTED.replace(old, new)), "stadt-x")

    assert told in str(raised.value)
    assert "stadt-x.yaml" in str(raised.value)


@pytest.mark.parametrize("layout", OURS)
def test_ten_thousand_orders_take_seconds(layout, capsys):
    """The goal is a millisecond of the processor's time each, with the rest of the chain."""
    messages = payments(layout, 10_000)
    begun = time.process_time()
    body = stack(layout, *messages)
    built = time.process_time() - begun
    begun = time.process_time()
    read = parse(body)
    with capsys.disabled():
        there = time.process_time() - begun
        print(f"\n{layout}: 10,000 orders, {len(body)} bytes; built in {built:.2f} s, read there in {there:.2f} s CPU")  # noqa: T201 - a figure

    assert len(read.orders) == 10_000
    assert built < 10
