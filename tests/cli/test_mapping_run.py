"""`mapping run`: every record of a file is written or refused, whatever form the file has, and nothing is half."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from openpyxl import Workbook

from tests.world import ROOT

Call = Callable[..., Any]
RECORDS = [{"route": {"number": f"N-{number}", "amount": f"{number}.50"}} for number in range(1, 26)]
LIST = """\
name: zahlen
columns:
  - {name: Nummer, key: nummer, required: true}
  - {name: Summe, key: summe, type: money}
"""
OUTBOUND = """\
name: liste
version: 1
direction: outbound
roots: [route]
target: table zahlen
rules:
  - {target: nummer, from: route.number}
  - {target: summe, from: route.amount, steps: [decimal]}
"""
DEBITS = """\
name: lastschriften
version: 1
direction: outbound
roots: [route]
target: json sammlung
rules:
  - {target: id, from: route.number}
  - target: batch
    each: route.batches
    as: batch
    rules:
      - target: debit
        each: batch.debits
        as: debit
        rules:
          - {target: amount, from: debit.amount, steps: [decimal]}
"""
AMOUNTS = {"type": "array", "items": {"type": "object", "properties": {"amount": {"type": "number", "minimum": 1}}}}
COLLECTION = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "batch": {"type": "array", "items": {"type": "object", "properties": {"debit": AMOUNTS}}},
    },
}
INBOUND = """\
name: eingang
version: 1
direction: inbound
reads: [satz]
source: xml
roots: [item, envelope, process]
target: record Proposal
rules:
  - {target: source, from: envelope.source}
  - {target: external_id, from: envelope.external_id}
  - {target: reference_number, from: item.number}
  - {target: process_id, from: process.id}
  - {target: title, from: item.title}
  - {target: requested_amount, from: item.amount, steps: [decimal]}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small content beside it."""
    content = tmp_path / "content"
    files = {
        "schemas/tables/zahlen.yaml": LIST,
        "schemas/json/sammlung.schema.json": json.dumps(COLLECTION),
        "mappings/outbound/liste/mapping.yaml": OUTBOUND,
        "mappings/outbound/lastschriften/mapping.yaml": DEBITS,
        "mappings/inbound/eingang/mapping.yaml": INBOUND,
        "mappings/routes/README.md": "none",
    }
    for name, text in files.items():
        (content / name).parent.mkdir(parents=True, exist_ok=True)
        (content / name).write_text(text, "utf-8")
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(content))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _as_json(file: Path, records: list[Any]) -> None:
    file.write_text(json.dumps(records, indent=1), "utf-8")


def _as_lines(file: Path, records: list[Any]) -> None:
    file.write_text("".join(f"{json.dumps(one)}\n" for one in records), "utf-8")


def _cells(records: list[Any]) -> list[list[str]]:
    return [["route.number", "route.amount"], *([one["route"]["number"], one["route"]["amount"]] for one in records)]


def _as_csv(file: Path, records: list[Any]) -> None:
    file.write_text("".join(f"{';'.join(row)}\n" for row in _cells(records)), "utf-8")


def _as_xlsx(file: Path, records: list[Any]) -> None:
    book = Workbook()
    for row in _cells(records):
        book.worksheets[0].append(row)
    book.save(file)


FORMS = {"json": _as_json, "jsonl": _as_lines, "csv": _as_csv, "xlsx": _as_xlsx}


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_gives_the_same_list(call: Call, place: Path, form: str) -> None:
    """An integrator has what the other system exports."""
    FORMS[form](place / f"in.{form}", RECORDS)
    said = call("mapping", "run", "liste", "--in", f"in.{form}", "--out", "liste.csv", "--refused", "refused.jsonl")

    assert (said.code, said.err) == (0, "")
    assert said.out == "25 records written to liste.csv, 0 refused\n"
    assert (place / "liste.csv").read_bytes().startswith(b"Nummer;Summe\r\nN-1;1,50\r\nN-2;2,50\r\n")
    assert (place / "refused.jsonl").read_bytes() == b""


def _collection(number: int, *amounts: str) -> dict[str, Any]:
    debits = [{"amount": amount} for amount in amounts]
    return {"route": {"number": str(number), "batches": [{"debits": [{"amount": "5"}]}, {"debits": debits}]}}


def test_a_refusal_says_where_its_value_stands_and_never_the_value(call: Call, place: Path) -> None:
    """Record, line, place with numbers, target, rule, line of the mapping, reason."""
    _as_json(place / "in.json", [_collection(1, "2"), _collection(2, "3", "4", "Mia Muster"), _collection(3, "0.2")])
    said = call("mapping", "run", "lastschriften", "--in", "in.json", "--out", "out", "--refused", "refused.jsonl")
    first, second = _lines(place / "refused.jsonl")
    file = "mappings/outbound/lastschriften/mapping.yaml"
    line = (place / "in.json").read_text("utf-8").split('"number": "2"')[0].count("\n") - 1

    assert said.code == 1
    assert first == {
        "record": 2,
        "line": line,
        "source": "route.batches[2].debits[3].amount",
        "target": "batch[2]/debit[3]/amount",
        "rule": 4,
        "mapping_file": file,
        "mapping_line": 16,
        "code": "NO_NUMBER",
        "reason": "die Zahl ist nicht lesbar; erwartet: eine Zahl wie 1234.56",
    }
    assert (second["record"], second["source"]) == (3, "route.batches[2].debits[1].amount")
    assert sorted(one.name for one in (place / "out").iterdir()) == ["0000001.json"]
    assert "Mia" not in said.out + said.err + (place / "refused.jsonl").read_text("utf-8")


def test_without_a_file_for_them_refusals_are_said(call: Call, place: Path) -> None:
    """On standard error, each in a line."""
    _as_lines(place / "in.jsonl", [_collection(1, "2"), _collection(2, "Mia Muster")])
    said = call("mapping", "run", "lastschriften", "--in", "in.jsonl", "--out", "out.jsonl")

    assert said.code == 1
    assert said.err.startswith("record 2, line 2: route.batches[2].debits[1].amount: die Zahl ist nicht lesbar; ")
    assert (place / "out.jsonl").read_text(
        "utf-8"
    ) == '{"id":"1","batch":[{"debit":[{"amount":5}]},{"debit":[{"amount":2}]}]}\n'


def test_a_broken_line_is_one_record(call: Call, place: Path) -> None:
    """The lines around it are written."""
    lines = [json.dumps(RECORDS[0]), '{"route": {"number": "N', "[1]", "", json.dumps(RECORDS[1])]
    (place / "in.jsonl").write_text("\n".join(lines), "utf-8")
    call("mapping", "run", "liste", "--in", "in.jsonl", "--out", "liste.csv", "--refused", "refused.jsonl")

    assert (place / "liste.csv").read_text("utf-8").count("N-") == 2
    assert [(one["record"], one["line"]) for one in _lines(place / "refused.jsonl")] == [(2, 2), (3, 3)]


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_record_with_a_key_twice_is_refused_with_its_path(call: Call, place: Path, form: str) -> None:
    """The last value would win, and nobody knows whether it is meant; the records around it are written."""
    doubled = json.dumps(_collection(2, "3", "4")).replace('{"amount": "4"}', '{"amount": "4", "amount": "5"}')
    lines = [json.dumps(_collection(1, "2")), doubled, json.dumps(_collection(3, "2"))]
    text = "\n".join(lines) if form == "jsonl" else f"[{','.join(lines)}]"
    (place / f"in.{form}").write_text(text, "utf-8")
    said = call("mapping", "run", "lastschriften", "--in", f"in.{form}", "--out", "o.jsonl",
                "--refused", "refused.jsonl")  # fmt: skip
    (refused,) = _lines(place / "refused.jsonl")

    assert said.code == 1
    assert [one["id"] for one in _lines(place / "o.jsonl")] == ["1", "3"]
    assert (refused["record"], refused["source"]) == (2, "route.batches[2].debits[2].amount")
    assert (refused["code"], refused["reason"]) == ("KEY_TWICE", "ein Feld steht zweimal da")


@pytest.mark.parametrize("name", ["broken.json", "cut.csv", "none.xlsx", "broken.xml", "nothing.csv", "twins.csv"])
def test_a_file_that_breaks_off_leaves_everything_as_it_was(call: Call, place: Path, name: str) -> None:
    """One line, and neither half a list nor half a folder."""
    broken = {
        "broken.json": json.dumps(RECORDS)[:-3].encode(),
        "cut.csv": b'route.number;route.amount\nN-1;1\nN-2;"2',
        "none.xlsx": b"PK\x03\x04 no workbook",
        "broken.xml": b"<rows><row><number>1</number></row><row>",
        "nothing.csv": b"\n\n",
        "twins.csv": b"route.number;route.number\n1;2\n",
    }
    (place / name).write_bytes(broken[name])
    (place / "liste.csv").write_text("what was there", "utf-8")
    mapping = "eingang" if name.endswith("xml") else "liste"
    for out in ("liste.csv", "folder"):
        said = call("mapping", "run", mapping, "--in", name, "--out", out, "--refused", "refused.jsonl")

        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
        assert said.err.startswith((f"KB-100 {name}", f"KB-101 {name}"))
    assert (place / "liste.csv").read_text("utf-8") == "what was there"
    assert sorted(one.name for one in place.iterdir()) == sorted([name, "content", "liste.csv"])


def test_several_processes_write_the_same_in_the_same_order(call: Call, place: Path) -> None:
    """Also what was refused."""
    many = [_collection(number, "x" if number % 97 == 0 else "2") for number in range(1, 500)]
    _as_json(place / "in.json", many)
    run = ("mapping", "run", "lastschriften", "--in", "in.json")
    one = call(*run, "--out", "one.jsonl", "--refused", "one.refused")
    two = call(*run, "--out", "two.jsonl", "--refused", "two.refused", "--jobs", "2")

    assert (one.code, two.code, two.err) == (1, 1, "")
    assert (place / "one.jsonl").read_bytes() == (place / "two.jsonl").read_bytes()
    assert (place / "one.refused").read_bytes() == (place / "two.refused").read_bytes()
    assert len(_lines(place / "two.refused")) == 5


def test_messages_are_called_as_the_caller_says(call: Call, place: Path) -> None:
    """Two of one name, or a name that leads elsewhere, are refused."""
    records = [{"route": {"number": number}} for number in ("A-1", "../A-2", "A-1", "", "Ä 3", "B_4")]
    _as_json(place / "in.json", records)
    call("mapping", "run", "lastschriften", "--in", "in.json", "--out", "out", "--name", "route.number",
         "--refused", "refused.jsonl")  # fmt: skip

    assert sorted(one.name for one in (place / "out").iterdir()) == ["A-1.json", "B_4.json"]
    assert [one["record"] for one in _lines(place / "refused.jsonl")] == [2, 3, 4, 5]


def test_a_folder_with_something_in_it_is_left_alone(call: Call, place: Path) -> None:
    """Nobody could tell afterwards which messages are of which run."""
    _as_json(place / "in.json", RECORDS)
    (place / "out").mkdir()
    (place / "out" / "old.xml").write_text("old", "utf-8")
    said = call("mapping", "run", "liste", "--in", "in.json", "--out", "out")

    assert (said.code, said.err) == (2, "KB-100 out: is there already; expected a new folder, or an empty one\n")


XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<antwort xmlns="urn:x"><kopf><datum>2026-05-04</datum></kopf><liste>
<satz><number>2026-00001</number><title>Bänke</title><amount>850.00</amount></satz>
<satz><number>2026-00002</number><title>Hecke</title><amount>Mia Muster</amount></satz>
</liste></antwort>"""


def test_xml_is_read_element_by_element(call: Call, place: Path) -> None:
    """Of foreign namespaces and charsets; what all records have in common is given beside it."""
    (place / "in.xml").write_bytes(XML.encode("iso-8859-1"))
    (place / "given.yaml").write_text("process: {id: kk-tk-2026}\nenvelope: {source: altsystem}\n", "utf-8")
    said = call("mapping", "run", "eingang", "--in", "in.xml", "--each", "satz", "--given", "given.yaml",
                "--out", "out.jsonl", "--refused", "refused.jsonl")  # fmt: skip
    (record,) = _lines(place / "out.jsonl")
    (refused,) = _lines(place / "refused.jsonl")

    assert said.code == 1
    assert (record["title"], record["external_id"], record["source"]) == ("Bänke", "1", "altsystem")
    assert (refused["line"], refused["source"], refused["target"]) == (4, "item.amount", "requested_amount")


def test_xml_with_a_document_type_is_refused_before_it_is_read(call: Call, place: Path) -> None:
    """Entities could be anything."""
    (place / "in.xml").write_text('<!DOCTYPE r [<!ENTITY e "x">]><r><s>&e;</s></r>', "utf-8")
    said = call("mapping", "run", "eingang", "--in", "in.xml", "--out", "out.jsonl")

    assert said.code == 2
    assert "DOCTYPE" in said.err


def test_a_sheet_is_read_by_its_table(call: Call, place: Path) -> None:
    """Below a title, by any of a column's names, in an office's charset; cells arrive as the folder hands them over."""
    content = place / "content"
    columns = "[{name: Nr., key: nummer, required: true, aliases: [Nummer]}, {name: Summe, key: summe, type: money}]"
    (content / "schemas/tables/bogen.yaml").write_text(f"name: bogen\nitem: bogen\ncolumns: {columns}\n", "utf-8")
    inbound = (
        INBOUND.replace("eingang", "bogen")
        .replace("source: xml", "source: table bogen")
        .replace("[decimal]", "[german_money]")
    )
    inbound = (
        inbound.replace("item.number", "item.nummer")
        .replace("item.title", "item.nummer")
        .replace("item.amount", "item.summe")
    )
    (content / "mappings/inbound/bogen").mkdir()
    (content / "mappings/inbound/bogen/mapping.yaml").write_text(inbound, "utf-8")
    (place / "given.yaml").write_text("process: {id: kk-tk-2026}\nenvelope: {source: bogen}\n", "utf-8")
    (place / "in.csv").write_bytes(
        "Liste für Köpenick;;\n\nNummer;Bemerkung;SUMME\nÄ-1;x;1.000,00 €\n".encode("cp1252")
    )
    book = Workbook()
    for row in (["Nr.", "Summe"], ["Ä-1", 1000], ["Ä-2", "=1+1"]):
        book.worksheets[0].append(row)
    book.save(place / "in.xlsx")
    run = ("mapping", "run", "bogen", "--given", "given.yaml", "--refused", "refused.jsonl")
    call(*run, "--in", "in.csv", "--out", "csv.jsonl")
    call(*run, "--in", "in.xlsx", "--out", "xlsx.jsonl")

    assert (place / "csv.jsonl").read_bytes() == (place / "xlsx.jsonl").read_bytes()
    assert _lines(place / "csv.jsonl")[0]["requested_amount"] == "1000.00"
    assert [
        (one["line"], "die 2. Zelle hat keinen Wert" in one["reason"]) for one in _lines(place / "refused.jsonl")
    ] == [(3, True)]


def test_a_cell_that_is_neither_yes_nor_no_is_refused_like_any_value(call: Call, place: Path) -> None:
    """With its place from the root that the mapping reads, and a word for programs."""
    content = place / "content"
    columns = "[{name: Nr., key: nummer, required: true}, {name: Bezahlt, key: bezahlt, type: yes_no}]"
    (content / "schemas/tables/bogen.yaml").write_text(f"name: bogen\nitem: bogen\ncolumns: {columns}\n", "utf-8")
    mapping = content / "mappings/outbound/liste/mapping.yaml"
    own = OUTBOUND.replace("roots: [route]", "source: table bogen\nroots: [zeile]").replace(
        "route.number", "zeile.nummer"
    )
    mapping.write_text("".join(line for line in own.splitlines(keepends=True) if "summe" not in line), "utf-8")
    (place / "in.csv").write_text("Nr.;Bezahlt\n1;ja\n2;Mia Muster\n3;nein\n", "utf-8")
    call("mapping", "run", "liste", "--in", "in.csv", "--out", "o.csv", "--refused", "refused.jsonl")
    (refused,) = _lines(place / "refused.jsonl")

    assert (refused["record"], refused["line"]) == (2, 3)
    assert (refused["source"], refused["code"]) == ("zeile.bezahlt", "NEITHER")
    assert refused["reason"] == "weder ja noch nein; erwartet: ja, x, nein oder leer"


PAYMENT = json.loads((ROOT / "mappings/outbound/payment-pain/examples/full.input.json").read_text("utf-8"))


def test_messages_are_valid_and_typed_roots_are_judged(call: Call, place: Path) -> None:
    """Our own roots are read with their models, as an example is; what a model refuses is a place of the record."""
    wrong = {**PAYMENT, "payment": {**PAYMENT["payment"], "due_on": "bald"}}
    strange = {**PAYMENT, "payee": {**PAYMENT["payee"], "Mia Muster": 1}}
    _as_json(place / "in.json", [PAYMENT, wrong, strange, {"Mia Muster": 1}])
    said = call("mapping", "run", "payment-pain", "--in", "in.json", "--out", "out", "--content", str(ROOT),
                "--refused", "refused.jsonl")  # fmt: skip
    schema = etree.XMLSchema(etree.parse(ROOT / "schemas/pain/001.001.09/profile.xsd"))

    assert schema.validate(etree.parse(place / "out/0000001.xml"))
    assert [one["source"] for one in _lines(place / "refused.jsonl")] == ["payment.due_on", "payee", ""]
    assert "Mia" not in said.err + (place / "refused.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nirgends", "--in", "in.json", "--out", "o"), "no mapping is called 'nirgends'"),
        (("liste", "--in", "nirgends.json", "--out", "o"), "nirgends.json: the file of records cannot be read"),
        (("liste", "--in", ".", "--out", "o"), "the file of records is no file"),
        (("liste", "--in", "in.json", "--out", "nirgends/o.csv"), "no such file or directory"),
        (("liste", "--in", "in.json", "--out", "o.csv", "--format", "xml"), "'liste' does not read xml"),
        (("eingang", "--in", "in.json", "--out", "o.csv"), "'eingang' does not read json"),
        (("liste", "--in", "in.json", "--out", "o", "--name", "rout.x"), "no path for the names of files"),
        (("payment-pain", "--in", "in.json", "--out", "o.xml", "--content", str(ROOT)), "one file cannot hold many"),
        (("application-sheet-account", "--in", "in.csv", "--out", "o.jsonl", "--content", str(ROOT)), "account data"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_written(
    call: Call, place: Path, words: tuple[str, ...], says: str
) -> None:
    """Exit code 2, as everywhere."""
    _as_json(place / "in.json", RECORDS)
    (place / "in.csv").write_text("a;b\n1;2\n", "utf-8")
    said = call("mapping", "run", *words)

    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert says in said.err
    assert sorted(one.name for one in place.iterdir()) == ["content", "in.csv", "in.json"]


def test_strict_does_not_begin_where_the_check_warns(call: Call, place: Path) -> None:
    """Who wants a silent mapping gets no message of another."""
    _as_json(place / "in.json", [{"case": {"title": "Bank"}}])
    mapping = place / "content/mappings/outbound/liste/mapping.yaml"
    mapping.write_text(OUTBOUND.replace("[route]", "[case, route]").replace("route.number", "case.title"), "utf-8")
    table = place / "content/schemas/tables/zahlen.yaml"
    table.write_text(LIST.replace("required: true", "required: true, max_length: 5"), "utf-8")
    run = ("mapping", "run", "liste", "--in", "in.json", "--out", "o.csv")
    strict = call(*run, "--strict")

    assert strict.code == 2
    assert strict.err.startswith("KB-100 mappings/outbound/liste/mapping.yaml:")
    assert call(*run).code == 0


SCRIPT = Path(sys.executable).with_name("kiezbruecke")


def test_records_come_from_a_pipe(place: Path) -> None:
    """Their form is told by what they begin with."""
    _as_lines(place / "in.jsonl", RECORDS)
    with (place / "in.jsonl").open("rb") as stream:
        command = [SCRIPT, "mapping", "run", "liste", "--in", "-", "--out", "o.csv", "--json"]
        said = subprocess.run(command, stdin=stream, capture_output=True, text=True, check=True)

    assert json.loads(said.stdout)[0]["written"] == 25
    assert said.stderr == ""


def test_a_killed_run_leaves_no_half_list(place: Path) -> None:
    """Whoever finds a list may rely on it."""
    command = [SCRIPT, "mapping", "run", "liste", "--in", "-", "--format", "jsonl", "--out", "o.csv"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as running:
        assert running.stdin is not None
        running.stdin.write(b"".join(json.dumps(one).encode() + b"\n" for one in RECORDS * 2000))
        running.stdin.flush()
        while not list(place.glob(".*.part")):
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)

    assert running.returncode == -signal.SIGKILL
    assert not (place / "o.csv").exists()


def test_a_killed_run_takes_its_processes_with_it(place: Path) -> None:
    """They would wait for records for ever, with the mapping in memory."""
    _as_lines(place / "in.jsonl", RECORDS * 4000)
    command = [str(SCRIPT), "mapping", "run", "liste", "--in", "in.jsonl", "--out", "o.csv", "--jobs", "2"]
    with subprocess.Popen(command) as running:
        while len(children := _children(running.pid)) < 2:
            time.sleep(0.01)
        time.sleep(1)
        running.send_signal(signal.SIGKILL)
    for _ in range(1000):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            return
        time.sleep(0.01)
    pytest.fail("a process waits for a caller that is gone")


def _children(pid: int) -> list[str]:
    """The processes of a run that write records."""
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [one for one in started if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


IN_A_TERMINAL = """
import os, pty, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # as a shell does; whoever runs the tests may not hear it
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""
_COUNTED = re.compile(rb"(\d+) written, (\d+) refused")
CTRL_C = b"\x03"


def _in_a_terminal(*words: str) -> subprocess.Popen[bytes]:
    """`mapping run` before somebody's eyes: what is written to its input are keys, what it shows is its output."""
    command = [sys.executable, "-c", IN_A_TERMINAL, str(SCRIPT), "mapping", "run", "liste", *words]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def test_a_terminal_sees_how_far_it_is_and_is_left_clean(place: Path) -> None:
    """The line counts up, goes away, and the last one stands alone; the cursor is there again."""
    _as_lines(place / "in.jsonl", RECORDS * 400)
    with _in_a_terminal("--in", "in.jsonl", "--out", "o.csv") as running:
        assert running.stdout is not None
        shown = running.stdout.read()
    counts = [int(found[1]) for found in _COUNTED.finditer(shown)]

    assert running.returncode == 0
    assert len(set(counts)) > 2
    assert counts == sorted(counts)
    assert counts[-1] == 10_000
    assert shown.rpartition(b"\x1b[?25h")[2] == b"\r\x1b[1A\x1b[2K10000 records written to o.csv, 0 refused\r\n"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_nothing_half(place: Path, jobs: str) -> None:
    """Neither a file nor a line of the screen, whoever does the work."""
    wrong = {"route": {"number": "N", "amount": "viel"}}
    _as_lines(place / "in.jsonl", [*RECORDS, wrong] * 20_000)
    before = sorted(one.name for one in place.iterdir())
    words = ("--in", "in.jsonl", "--out", "o.csv", "--refused", "refused.jsonl", "--jobs", jobs)
    with _in_a_terminal(*words) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        shown = b""
        while not any(int(found[2]) for found in _COUNTED.finditer(shown)):
            shown += os.read(running.stdout.fileno(), 1 << 16)
        running.stdin.write(CTRL_C)
        running.stdin.flush()
        shown += running.stdout.read()

    assert running.returncode == 130
    assert sorted(one.name for one in place.iterdir()) == before
    assert shown.endswith(b"\x1b[?25h\r\x1b[1A\x1b[2K")
    assert b"Traceback" not in shown


MEASURED = """
from kiezbruecke.cli import main
try:
    main()
except SystemExit:
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def _megabytes(place: Path, form: str, records: list[Any]) -> int:
    FORMS[form](place / f"in.{form}", records)
    words = ["mapping", "run", "liste", "--in", f"in.{form}", "--out", f"{len(records)}.csv"]
    command = [sys.executable, "-c", MEASURED, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert f"{len(records)} records written" in done.stdout
    return int(done.stdout.split()[-1]) // 1024


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_memory_does_not_grow_with_the_file(place: Path, form: str) -> None:
    """Fifty thousand records, or a million, are read as they come: the whole list would be 40 MB and more."""
    assert _megabytes(place, form, RECORDS * 2000) - _megabytes(place, form, RECORDS) < 12


OWN = """\
name: eigene
version: 1
direction: outbound
source: %s
roots: [order]
target: table zahlen
rules:
  - {target: nummer, from: order.number}
  - {target: summe, from: order.lines.amount, steps: [first, decimal]}
"""
ORDER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType><xs:sequence>
<xs:element name="number" type="xs:string"/><xs:element name="lines" maxOccurs="9"><xs:complexType><xs:sequence>
<xs:element name="amount" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
LINES = {"type": "array", "items": {"type": "object", "properties": {"amount": {"type": "string"}}}}


@pytest.mark.parametrize("form", ["json", "jsonl", "xml"])
def test_a_record_of_ones_own_is_the_root_itself(call: Call, place: Path, form: str) -> None:
    """Objects and elements alike; an object that is none is refused, and the rest written."""
    content = place / "content"
    schema = {"type": "object", "properties": {"number": {"type": "string"}, "lines": LINES}}
    source = "order 1 order" if form == "xml" else "json order"
    (content / "mappings/outbound/eigene").mkdir()
    (content / "mappings/outbound/eigene/mapping.yaml").write_text(OWN % source, "utf-8")
    (content / "schemas/json/order.schema.json").write_text(json.dumps(schema), "utf-8")
    (content / "schemas/order/1").mkdir(parents=True)
    (content / "schemas/order/1/profile.xsd").write_text(ORDER, "utf-8")
    orders = [
        {"number": "N-1", "lines": [{"amount": "1.50"}, {"amount": "2"}]},
        {"number": "N-2", "lines": [{"amount": "x"}]},
    ]
    if form == "xml":
        one = "<order><number>N-1</number><lines><amount>1.50</amount></lines><lines><amount>2</amount></lines></order>"
        two = "<order><number>N-2</number><lines><amount>x</amount></lines></order>"
        (place / "in.xml").write_text(f"<orders>{one}{two}</orders>", "utf-8")
    else:
        FORMS[form](place / f"in.{form}", orders)
    said = call("mapping", "run", "eigene", "--in", f"in.{form}", "--out", "o.csv", "--refused", "refused.jsonl")
    (refused,) = _lines(place / "refused.jsonl")

    assert (said.code, said.err) == (1, "")
    assert (place / "o.csv").read_bytes() == b"Nummer;Summe\r\nN-1;1,50\r\n"
    assert refused["record"] == 2
    assert refused["source"] == ("order.lines.amount" if form == "xml" else "order.lines[1].amount")
