"""Inbound: rows, JSON and foreign XML become records; what a record refuses is said in German, without the value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke.connector import Item
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import Mapping, load_mapping
from kiezbruecke.records import Decision, Outcome, Proposal, Receipt

HEAD = (
    "name: in\nversion: 1\ndirection: inbound\nreads: [x]\nsource: %s\n"
    "roots: [item, envelope, process]\ntarget: record %s\nrules:\n"
)
DECISION = """\
- {target: origin, from: envelope.external_id}
- {target: sheet, from: item.sheet}
- {target: row, from: item.row}
- {target: process_id, from: process.id}
- {target: area_id, from: item.area}
- {target: decided_on, from: item.Sitzung am, steps: [german_date]}
- {target: reference_number, from: item.Nr., steps: [trim]}
- {target: outcome, from: item.outcome, codelist: ergebnis}
- {target: approved_amount, from: item.amount, steps: [german_money]}
- {target: votes/yes, from: item.yes, steps: [integer]}
- {target: recorded_by, from: item.by, pii: true}
"""
ROW = {
    "sheet": "a.xlsx",
    "row": 2,
    "area": "090416",
    "Sitzung am": "24.04.2026",
    "Nr.": " 2026-00001 ",
    "outcome": "angenommen",
    "amount": "850,00 €",
    "yes": "12",
    "by": "",
}
ROOTS: dict[str, Any] = {"envelope": {"external_id": "f00:2"}, "process": {"id": "kk-tk-2026"}}
XML = """<?xml version="1.0" encoding="UTF-8"?>
<x:Antwort xmlns:x="urn:x" art="0402">
  <x:kopf.nachricht><id> 8b26ea67-4651-5edb-a789-7346a690662c </id></x:kopf.nachricht>
  <x:Fehler kurz="E1">erstens<!-- nicht dies --></x:Fehler><x:Fehler>zweitens</x:Fehler>
</x:Antwort>"""
RECEIPT = """\
- {target: outcome, const: refused}
- {target: event, from: item.@art}
- {target: key, from: item.kopf.nachricht.id, steps: [trim]}
- {target: text, from: item.Fehler, steps: [{join: "; "}]}
- {target: code, from: "item.Fehler[1].@kurz"}
"""
Load = Callable[[str, str, str], Mapping]


@pytest.fixture
def load(content: Path, put: Callable[[str, str], Path]) -> Load:
    """Loads an inbound mapping of the given source, record and rules."""
    put("mappings/codelists/ergebnis.csv", "from;to\nangenommen;accepted\nangenommen (gekürzt);accepted_reduced\n")

    def with_rules(source: str, record: str, rules: str) -> Mapping:
        put("mappings/inbound/in/mapping.yaml", HEAD % (source, record) + rules)
        return load_mapping("in", content)

    return with_rules


def test_a_row_becomes_a_decision(load: Load) -> None:
    """Columns may be called as clerks call them, with blanks and points."""
    record = load("json", "Decision", DECISION).read(ROW, ROOTS)

    assert isinstance(record, Decision)
    assert record.reference_number == "2026-00001"
    assert record.outcome is Outcome.ACCEPTED
    assert record.approved_amount == Decimal("850.00")
    assert (record.votes.yes, record.votes.no) == (12, None)
    assert record.decided_on.isoformat() == "2026-04-24"
    assert record.recorded_by == ""


def test_an_item_brings_its_envelope(load: Load) -> None:
    """What the engine knows beside the body need not be told twice."""
    item = Item(kind="x", external_id="f00:2", body=ROW)

    record = load("json", "Decision", DECISION).read(item, {"process": {"id": "kk-tk-2026"}})

    assert record == load("json", "Decision", DECISION).read(ROW, ROOTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Nr.": "Kanari 1"}, "'reference_number' (Quelle: item.Nr.): der Text hat nicht die verlangte Form"),
        ({"Nr.": ""}, "'reference_number' (Quelle: item.Nr.): die Pflichtangabe fehlt"),
        ({"outcome": "Kanari"}, "'outcome' (Quelle: item.outcome): der Wert steht nicht in der Codeliste „ergebnis“"),
        ({"amount": "Kanari"}, "'approved_amount' (Quelle: item.amount): der Betrag ist nicht lesbar"),
        ({"amount": "9999999999"}, "'approved_amount' (Quelle: item.amount): die Zahl ist zu groß"),
        ({"yes": "-1"}, "'votes/yes' (Quelle: item.yes): die Zahl ist zu klein; erwartet: mindestens 0"),
        ({"row": "Kanari"}, "'row' (Quelle: item.row): die Zahl ist nicht lesbar"),
        ({"row": ["Kanari"]}, "'row' (Quelle: item.row): es liegen mehrere Werte vor"),
        ({"Sitzung am": "Kanari"}, "'decided_on' (Quelle: item.Sitzung am): das Datum ist nicht lesbar"),
        ({"by": {"a": "Kanari"}}, "'recorded_by' (Quelle: item.by): der Wert hat keine Textform"),
    ],
)
def test_a_refusal_names_field_and_source_but_never_the_value(load: Load, change: dict[str, Any], said: str) -> None:
    """The report goes back to the clerk who filled the sheet."""
    with pytest.raises(RecordError) as refused:
        load("json", "Decision", DECISION).read({**ROW, **change}, ROOTS)

    assert said in refused.value.line()
    assert "mappings/inbound/in/mapping.yaml:" in refused.value.line()
    assert "Kanari" not in refused.value.line()


def test_foreign_xml_is_read_by_local_names(load: Load) -> None:
    """Prefixes are the sender's; names may hold points; comments are not text."""
    record = load("xml", "Receipt", RECEIPT).read(XML.encode(), ROOTS)

    assert isinstance(record, Receipt)
    assert str(record.key) == "8b26ea67-4651-5edb-a789-7346a690662c"
    assert (record.event, record.code, record.text) == ("0402", "E1", "erstens; zweitens")


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        b"<a><b></a>",
        b"",
        b"<a>\xff</a>",
    ],
)
def test_dangerous_or_broken_xml_is_refused(load: Load, body: bytes) -> None:
    """Nothing of the machine leaves through an entity."""
    with pytest.raises(RecordError):
        load("xml", "Receipt", RECEIPT).read(body, ROOTS)


def test_a_repeated_element_is_not_one_value(load: Load) -> None:
    """Taking the first in silence would lose the second."""
    with pytest.raises(RecordError, match="mehrere Werte"):
        load("xml", "Receipt", RECEIPT + "- {target: remote_id, from: item.Fehler}\n").read(XML.encode(), ROOTS)


def test_missing_things_leave_the_models_defaults(load: Load) -> None:
    """A missing field is nothing, and nothing is the model's own business."""
    rules = (
        "- {target: source, const: s}\n- {target: external_id, from: item.pk}\n"
        "- {target: reference_number, const: r}\n- {target: process_id, const: p}\n"
        "- {target: title, from: item.name}\n- {target: created_at, from: item.created, steps: [timestamp]}\n"
        "- {target: counts/pro, from: item.pro}\n- {target: labels, from: item.labels}\n"
        '- {target: point/lon, from: "item.at[1]"}\n- {target: point/lat, from: "item.at[2]"}\n'
    )
    mapping = load("json", "Proposal", rules)
    body: dict[str, Any] = {"pk": 31, "name": "Zaun", "created": "2026-01-15T13:40:40+01:00"}

    bare, full = mapping.read(body, {}), mapping.read({**body, "pro": 4, "labels": ["a"], "at": [13.6, 52.4]}, {})

    assert isinstance(bare, Proposal)
    assert isinstance(full, Proposal)
    assert (bare.external_id, bare.counts.pro, bare.labels, bare.point) == ("31", 0, (), None)
    assert (full.counts.pro, full.labels) == (4, ("a",))
    assert full.point is not None
    assert full.point.lat == 52.4


def test_an_inbound_mapping_writes_nothing(load: Load) -> None:
    """A route that names the wrong mapping must not fail in the dark."""
    with pytest.raises(ConfigurationError, match="use read"):
        load("json", "Decision", DECISION).write({})
