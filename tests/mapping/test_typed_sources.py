"""Sources with a shape: paths below `item` are checked like all others, and reading stays as lenient as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.mapping.bind import UnknownPath, type_at
from kiezbruecke.mapping.language.definition import ItemSource
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.sources import find_shape
from kiezbruecke.records import Receipt

ROOT = Path(__file__).parents[2]
Put = Callable[[str, str], Path]

HEAD = (
    "name: in\nversion: 1\ndirection: inbound\nreads: [x]\nsource: %s\nroots: [item]\ntarget: record Receipt\nrules:\n"
)
OUTCOME = "- {target: outcome, const: noted}\n- {target: event, const: da}\n"
SHEET = """\
columns:
  - {name: "Kenn-Nr.", key: nummer, required: true}
  - {name: Betrag (€), key: betrag, type: money}
  - {name: Text}
"""
SCHEMA = {
    "type": "object",
    "required": ["id", "teile", "am"],
    "properties": {
        "id": {"type": "integer"},
        "am": {"type": "string", "format": "date"},
        "stand": {"type": "string", "enum": ["neu", "alt"]},
        "teile": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "minLength": 1}, "summe": {"type": ["number", "null"]}},
            },
        },
    },
}


def _type(content: Path, source: str, path: str) -> Type:
    return type_at(SourcePath.parse(path), {"item": find_shape(ItemSource.parse(source), content).item})


@pytest.fixture
def schema(put: Put) -> None:
    put("schemas/json/antwort.schema.json", json.dumps(SCHEMA))
    put("schemas/tables/blatt.yaml", SHEET)


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize(
    ("source", "path", "kind", "many", "nullable"),
    [
        ("json antwort", "item.id", "integer", False, False),
        ("json antwort", "item.am", "text", False, False),
        ("json antwort", "item.stand", "text", False, True),
        ("json antwort", "item.teile.name", "text", True, True),
        ("json antwort", "item.teile[1].name", "text", False, True),
        ("json antwort", "item.teile.summe", "decimal", True, True),
        ("table blatt", "item.nummer", "text", False, False),
        ("table blatt", "item.betrag", "text", False, True),
        ("table blatt", "item.Text", "text", False, True),
        ("table blatt", "item.row", "integer", False, True),
        ("xdomea 4.0.0 Abgabe.ImportBestaetigen.0402", "item.UUIDUrsprungsnachricht", "text", False, False),
        ("xdomea 4.0.0 Abgabe.ImportBestaetigen.0402", "item.AbgegebenesObjekt.xdomeaUUID", "text", True, True),
        (
            "xdomea 4.0.0 Abgabe.ImportBestaetigen.0402",
            "item.nachrichtenkopf.identifikation.nachricht.erstellungszeitpunkt",
            "text",
            False,
            False,
        ),
        ("xdomea 4.0.0 Abgabe.ImportBestaetigen.0402", "item.@standard", "text", False, False),
        ("hkr 1.0 HoleRueckmeldungenAntwort/Rueckmeldung", "item.Betrag", "text", False, False),
        ("hkr 1.0 HoleRueckmeldungenAntwort/Rueckmeldung", "item.Text", "text", False, True),
        ("json", "item.was.auch.immer", "any", False, False),
    ],
)
def test_a_path_has_the_type_that_arrives(
    content: Path, source: str, path: str, kind: str, many: bool, nullable: bool
) -> None:
    """Cells and XML carry texts, JSON numbers; what may be missing or may be several is known."""
    where = ROOT if source.split(maxsplit=1)[0] in {"xdomea", "hkr"} else content
    found = _type(where, source, path)

    assert (found.kind, found.many, found.nullable) == (kind, many, nullable)


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize(
    ("source", "path", "helps"),
    [
        ("json antwort", "item.teile.nam", "did you mean 'name'?"),
        ("table blatt", "item.numer", "did you mean 'nummer'?"),
        (
            "xdomea 4.0.0 Abgabe.ImportBestaetigen.0402",
            "item.nachrichtenkopf.identifikation.nachrichten.x",
            "did you mean 'identifikation.nachricht'?",
        ),
        ("hkr 1.0 HoleRueckmeldungenAntwort/Rueckmeldung", "item.Fremdkenzeichen", "did you mean 'Fremdkennzeichen'?"),
    ],
)
def test_an_unknown_path_is_named_with_its_neighbour(content: Path, source: str, path: str, helps: str) -> None:
    """Without a shape only an example could find it. Names may hold dots."""
    where = ROOT if source.split(maxsplit=1)[0] in {"xdomea", "hkr"} else content

    with pytest.raises(UnknownPath) as unknown:
        _type(where, source, path)

    assert unknown.value.helps == helps


def _lines(content: Path, put: Put, source: str, rules: str) -> list[str]:
    put("mappings/inbound/in/mapping.yaml", HEAD % source + OUTCOME + rules)
    return [finding.line() for finding in check_mapping("in", content)]


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize(
    ("source", "rules", "told"),
    [
        ("json antwort", "- {target: text, from: item.teil}\n", ":11:24: KB-M08 'item' has no field 'teil'"),
        ("json antwort", "- {target: text, from: item.teile}\n", "KB-M14 'item.teile' is a whole"),
        ("json antwort", "- {target: text, from: item.teile.name}\n", "KB-M11 many values for 'text'"),
        ("json antwort", "- {target: occurred_on, from: item.id}\n", "KB-M14 integer does not fit 'occurred_on'"),
        ("json antwrot", "- {target: text, from: item.x}\n", ":5:9: KB-M08 there is no JSON Schema 'antwrot'"),
        ("table blat", "- {target: text, from: item.x}\n", "did you mean 'blatt'"),
        ("xdomea 4.0.0 Abgabe", "- {target: text, from: item.x}\n", "xdomea 4.0.0 has no root element 'Abgabe'"),
        ("xdomea 4.0.0 Abgabe.Abgabe.0401/X", "- {target: text, from: item.x}\n", "has no element 'X'"),
        ("csv", "- {target: text, from: item.x}\n", "KB-M03 'csv' is no source"),
        ("json ../../etc", "- {target: text, from: item.x}\n", "is no source"),
    ],
)
def test_check_finds_what_is_wrong_before_an_item_exists(
    content: Path, put: Put, source: str, rules: str, told: str
) -> None:
    """Sources are checked like targets: place, code, what was expected, the nearest name."""
    found = _lines(content, put, source, rules)

    assert any(told in line for line in found), found


@pytest.mark.usefixtures("schema")
def test_header_names_and_keys_mean_the_same(content: Path, put: Put) -> None:
    """A connector may hand over a row as it stands in the sheet; mappings read keys."""
    rules = OUTCOME + "- {target: reference, from: item.nummer}\n- {target: text, from: item.Text}\n"
    put("mappings/inbound/in/mapping.yaml", HEAD % "table blatt" + rules)
    mapping = load_mapping("in", content)

    by_name = mapping.read({"Kenn-Nr.": "K1", "Text": "a"}, {})
    by_key = mapping.read({"nummer": "K1", "Text": "a"}, {})

    assert isinstance(by_name, Receipt)
    assert by_name == by_key
    assert by_name.reference == "K1"


@pytest.mark.usefixtures("schema")
def test_what_no_shape_knows_still_arrives(content: Path, put: Put) -> None:
    """A shape says what may be read; it refuses no item for what else it holds or lacks."""
    put("mappings/inbound/in/mapping.yaml", HEAD % "json antwort" + OUTCOME + "- {target: text, from: item.stand}\n")

    record = load_mapping("in", content).read({"stand": "uralt", "mehr": 1}, {})

    assert isinstance(record, Receipt)
    assert record.text == "uralt"


@pytest.mark.usefixtures("schema")
def test_each_member_of_a_typed_list_has_its_fields(content: Path) -> None:
    """`each: item.teile, as: teil` makes `teil.name` a checked path, and `teil.index` a number."""
    teil = _type(content, "json antwort", "item.teile")

    assert teil.many
    assert teil.below is not None
    assert teil.below.names() == ["name", "summe"]


def test_a_change_of_the_shape_loads_the_mapping_anew(content: Path, put: Put) -> None:
    """A column that was renamed must not be read by yesterday's name until somebody restarts."""
    file = put("schemas/tables/blatt.yaml", SHEET)
    put("mappings/inbound/in/mapping.yaml", HEAD % "table blatt" + OUTCOME + "- {target: text, from: item.Text}\n")
    before = load_mapping("in", content)
    file.write_text(SHEET.replace("Kenn-Nr.", "Kennnummer der Zeile"), "utf-8")

    after = load_mapping("in", content)

    assert after.digest != before.digest
    assert "Kennnummer der Zeile" in after.shape.columns
