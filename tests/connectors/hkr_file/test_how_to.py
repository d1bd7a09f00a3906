"""The page about another finance system: whoever copies its files has a connector for that system, without Python."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from connectors.hkr_file.target import FileBatches
from kiezbruecke.connector import BatchHead, Connection, Context
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.schema.tables import read_table

from .conftest import IBANS, PROCESS, ROOT, WHEN, order

PAGE = ROOT / "docs" / "how-to" / "another-finance-system.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
LAYOUT = "schemas/tables/stadt-x.yaml"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """The shipped content with the files of the page."""
    for folder in ("schemas", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for name, text in FILE.findall(PAGE.read_text("utf-8")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_another_system_is_one_description_and_one_mapping(content: Path) -> None:
    """The mapping writes the line of its example, a connection names the layout, and the file has its totals."""
    extra = {"profile": "stadt-x", "path": "/nirgends", "dienststelle": "X"}
    target = FileBatches(Connection("x", "kb_hkr_file", extra=extra), Context(PROCESS, content=content))
    paid = "KK26-090416-00001-Z1"
    roots = {
        "payment": {"reference": paid, "amount": "12.50"},
        "payee": {"holder": "Verein „Grün“ Łódź", "iban": IBANS[0], "bic": ""},
    }
    line = load_mapping("payment-stadt-x", content).write(roots)
    messages = [
        order(paid, "12.50", layout="stadt-x", content=content, art="20", name="Verein 'Grün' Lódz"),
        order("KK26-090416-00002-Z1", "0.01", layout="stadt-x", content=content, art="20", name="Ω".encode().hex()),
    ]
    name, body = target.compose(BatchHead("KK26-S-0001", "x", WHEN, 2026), messages, ())
    records = body.decode("cp1252").split("\n")

    assert name == "KK26-S-0001.dat"
    assert line == messages[0].payload
    assert (
        records[0]
        == f"{paid:25}{'12.50':>12}{IBANS[0]:34}{chr(39).join(['Verein ', 'Grün', ' Lódz']):40}{'Cem Chef':20}"
    )
    assert records[2:] == [f"{'000000000001251':15}000002{'261123':8}{'':102}", ""]


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
def test_a_wrong_layout_is_refused_with_its_place(content: Path, old: str, new: str, told: str) -> None:
    """One line: what, where, what was expected."""
    text = (content / LAYOUT).read_text("utf-8")
    assert old in text
    (content / LAYOUT).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        read_table(content, "stadt-x")

    assert told in str(raised.value)
    assert re.search(r"stadt-x\.yaml:\d+:\d+", str(raised.value))


def test_the_page_names_every_fact() -> None:
    """What can stand in a header is listed once, and that list is complete."""
    from kiezbruecke.mapping.schema.columns import FACTS

    page = PAGE.read_text("utf-8")

    assert [fact for fact in FACTS if f"`{fact}`" not in page] == []
