"""The file itself: the same to the cent on the other side, and every change of it is found there and here."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hkr_file._sandbox_parser import Refused, parse
from connectors.hkr_file.stack import Damaged, Sender, iban_number, read_stack, write_stack
from kiezbruecke.connector import BatchHead
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable

from .conftest import IBANS, ROOT, order

HEAD = BatchHead("KK26-S-0001", "hkr-datei", datetime(2026, 11, 23, 6, 30, tzinfo=UTC), 2026)
ORIGIN = Sender("BA-TK-SPK", "KIEZBRUECKE")
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
