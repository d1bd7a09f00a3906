"""The workbench with records of one's own: new, test, preview, try, doc, editor, drift."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree
from ruamel.yaml import YAML
from typer.testing import CliRunner

from kiezbruecke.cli.main import app
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.mapping.schema.json_schema import read_json_schema
from kiezbruecke.workbench.doc import fields_of, page
from kiezbruecke.workbench.editor import editor_schema
from kiezbruecke.workbench.examples import find_examples, read_roots, run_examples
from kiezbruecke.workbench.preview import preview
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping
from kiezbruecke.workbench.trial import invent, try_mapping
from tests.own_sources import DATA, MAPPINGS, PLACES, furnish

SOURCES = {"rechnung": "json invoice", "lieferung": "lieferung 1 Lieferung", "bestellung": "table bestellungen"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A content root with schemas that nobody has seen."""
    return furnish(tmp_path)


def _new(own: Path, source: str, name: str = "neu", **more: Any) -> Path:
    return new_mapping(ScaffoldRequest(name, "beleg 1 Beleg", source=source, **more), own)


def _finished(own: Path, name: str) -> None:
    """The finished rules in the place of a scaffold's, whose examples stay."""
    file = _new(own, SOURCES[name], roots=("zeile", "envelope") if name == "bestellung" else ())
    text = (DATA / f"{name}.yaml").read_text("utf-8").replace(f"name: {name}", "name: neu", 1)
    file.write_text(text, "utf-8")


def test_a_new_mapping_names_the_fields_of_the_record(own: Path) -> None:
    """Whoever fills in what is left to do need not look for them elsewhere."""
    text = _new(own, "json invoice").read_text("utf-8")

    assert "\nsource: json invoice\nroots: [invoice]" in text
    assert "#   invoice.number: text; Number of the invoice\n" in text
    assert "{target: Datum, from: invoice.issued}  # TODO guess: please check" in text
    assert '{target: "Summe/@waehrung", from: invoice.currency}' in text


def test_lists_in_lists_become_blocks_in_blocks(own: Path) -> None:
    """A guess as all others are; no rule is left to write for the lines."""
    text = _new(own, "json invoice").read_text("utf-8")

    assert "each: invoice.batches" in text
    assert "each: batch.lines" in text
    assert "{target: Preis, from: line.price}" in text


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_what_is_new_says_only_what_is_left_to_do(own: Path, name: str, source: str) -> None:
    """Findings name TODO, what no rule reads yet, or what a person must decide; none is a mistake of the scaffold."""
    _new(own, source)

    left = {finding.code for finding in check_mapping("neu", own) if "TODO" not in finding.line()}

    assert left <= {"KB-M13", "KB-M14", "KB-M18", "KB-M20"}


def test_invented_objects_are_valid(own: Path) -> None:
    """The JSON Schema itself says so, of the full record and of the smallest."""
    file = _new(own, "json invoice")
    schema = json.loads((DATA / "invoice.schema.json").read_text("utf-8"))
    yaml = YAML(typ="safe", pure=True)

    full, minimal = (
        yaml.load((file.parent / "examples" / case / "input.yaml").read_text("utf-8"))["invoice"]
        for case in ("full", "minimal")
    )

    for record in (full, minimal):
        jsonschema.validate(record, schema)
    assert set(minimal) == set(schema["required"])
    assert full["batches"][0]["lines"][0]["taxes"]


SHAPED = {
    "pattern": {"pattern": "^[A-Z]{2}-[0-9]{3,}$"},
    "letters": {"pattern": "^\\p{Lu}\\p{L}+ [\\p{L} ]+$"},
    "condition": {"pattern": "^(?!0)[0-9]{5}$"},
    "long": {"pattern": "^[a-z]+$", "minLength": 12, "maxLength": 20},
    "inside": {"pattern": "x[0-9]"},
    "several": {"allOf": [{"pattern": "^[A-Z]"}, {"pattern": "^[A-Z]{4,}$"}]},
    "branches": {"anyOf": [{"pattern": "^K-[0-9]$"}, {"pattern": "^L-[0-9]$"}]},
    **{name: {"format": name} for name in ("date", "date-time", "email", "uri", "uuid", "ipv4", "ipv6", "regex")},
    **{name: {"format": name} for name in ("time", "duration", "hostname", "json-pointer", "uri-reference")},
}


def test_invented_texts_have_the_form_that_is_asked_for(own: Path) -> None:
    """A plain word in their place sent people to write every number themselves."""
    schema = {
        "type": "object",
        "required": list(SHAPED),
        "properties": {name: {"type": "string", **shape} for name, shape in SHAPED.items()},
    }
    (own / "schemas/json/formen.schema.json").write_text(json.dumps(schema), "utf-8")
    file = _new(own, "json formen").parent / "examples" / "minimal" / "input.yaml"
    record = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))["formen"]

    assert set(record) == set(SHAPED)
    assert "Beispiel" not in record.values()
    judge = read_json_schema(own, "formen").judge
    judge.refuse(("",), record, all_of=True)
    for name, shape in SHAPED.items():
        if set(shape) == {"format"} and name != "time":  # which the library knows without a zone, as no standard does
            jsonschema.Draft202012Validator(shape, format_checker=jsonschema.FormatChecker()).validate(record[name])


def test_invented_elements_are_valid(own: Path) -> None:
    """The XSD itself says so. A record in XML stands beside its input, called as the root."""
    file = _new(own, "lieferung 1 Lieferung")
    schema = etree.XMLSchema(file=DATA / "lieferung.xsd")

    for case in ("full", "minimal"):
        schema.assertValid(etree.parse(file.parent / "examples" / case / "lieferung.xml"))


@pytest.mark.parametrize("name", MAPPINGS)
def test_invented_records_run_through_the_finished_mapping(own: Path, name: str) -> None:
    """`test --update` writes what is expected, `test` finds the same; a preview has no problem."""
    _finished(own, name)
    mapping = load_mapping("neu", own)

    run_examples(mapping, own, update=True)

    assert all(result.passed for result in run_examples(mapping, own))
    for example in find_examples("neu", own):
        assert (example.beside("expected.xml")).is_file()
        assert not [row for row in preview(mapping, read_roots(mapping, own, example)) if row.problem]


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_trial_writes_only_what_is_valid(own: Path, name: str) -> None:
    """Objects, elements and lines are broken on purpose; whatever is written is valid, and most of it fast."""
    _finished(own, name)
    mapping = load_mapping("neu", own)
    roots = read_roots(mapping, own, find_examples("neu", own)[0])

    done = try_mapping(mapping, roots, records=400)

    assert done.passed
    assert done.set_aside
    assert done.straight > 0.8 * done.valid


def test_a_trial_takes_every_word_of_the_records_schema_in_turn(own: Path) -> None:
    """Also nothing, where the schema can do without."""
    _finished(own, "rechnung")
    mapping = load_mapping("neu", own)
    roots = read_roots(mapping, own, find_examples("neu", own)[0])

    tried = [one["invoice"] for one in invent(mapping, roots, records=60, seed=1)]

    assert {"EUR", "CHF"} <= {one["currency"] for one in tried}
    assert {True, False} <= {one["paid"] for one in tried}
    assert None in [one["reminders"] for one in tried]


def test_a_trial_breaks_elements_too(own: Path) -> None:
    """Each in a copy: the example itself stays as it is."""
    _finished(own, "lieferung")
    mapping = load_mapping("neu", own)
    roots = read_roots(mapping, own, find_examples("neu", own)[0])
    before = etree.tostring(roots["lieferung"])

    tried = {etree.tostring(one["lieferung"]) for one in invent(mapping, roots, records=80, seed=1)}

    assert len(tried) > 30
    assert etree.tostring(roots["lieferung"]) == before


def test_an_example_holds_numbers_and_days_as_a_file_would(own: Path) -> None:
    """So a test and a run write the same: no day of YAML, no float that a run does not have."""
    _finished(own, "rechnung")
    case = own / "mappings/outbound/neu/examples/full"
    text = (case / "input.yaml").read_text("utf-8").replace("'2026-04-24'", "2026-04-24").replace("850.00", "12.5")
    (case / "input.yaml").write_text(text, "utf-8")
    mapping = load_mapping("neu", own)
    example = next(one for one in find_examples("neu", own) if one.name == "full")

    message = mapping.write(read_roots(mapping, own, example))

    assert b"Datum>2026-04-24<" in message
    assert b">12.50</" in message


def test_a_record_in_another_form_is_refused_at_its_file(own: Path) -> None:
    """One line says where, and what the mapping expects."""
    _finished(own, "lieferung")
    file = own / "mappings/outbound/neu/examples/full/lieferung.xml"
    file.write_text("{}", "utf-8")
    mapping = load_mapping("neu", own)

    with pytest.raises(ConfigurationError) as refused:
        read_roots(mapping, own, find_examples("neu", own)[0])

    assert str(file) in refused.value.line()
    assert "the record cannot be read as XML" in refused.value.line()


def test_the_page_for_the_department_has_the_real_fields_and_their_words(own: Path) -> None:
    """Titles and descriptions stand in the JSON Schema; the page takes them over."""
    mapping = load_mapping("rechnung", own)
    told = {field.target: field.origin for field in fields_of(mapping)}

    assert told["Nummer"] == "Number of the invoice – invoice.number"
    assert told["Summe"] == "What is to be paid, with tax – invoice.total"
    assert "invoice (json invoice)" in page(mapping, own)


def test_an_editor_completes_paths_of_the_record_and_takes_its_name(own: Path) -> None:
    """The finished mapping is right to it; a typo is not."""
    schema = editor_schema("rechnung", own)
    body = YAML(typ="safe", pure=True).load((own / PLACES["rechnung.yaml"]).read_text("utf-8"))
    wrong = {**body, "roots": ["invoce"]}
    typo = {**body, "rules": [{"target": "Nummer", "from": "invoice.numbr"}]}

    jsonschema.validate(body, schema)
    for broken in (wrong, typo):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"source": "json invoce"}, "did you mean 'invoice'?"),
        ({"source": "jsn invoice"}, "'jsn invoice' is no source"),
        ({"source": "json invoice", "roots": ("invoice", "case")}, "'case' is not there beside 'invoice'"),
        ({"source": "", "roots": ("invoice",)}, "--source makes it a record of your own"),
    ],
)
def test_a_new_mapping_is_refused_in_one_line(own: Path, more: dict[str, Any], said: str) -> None:
    """And nothing is left behind."""
    with pytest.raises(ConfigurationError) as refused:
        new_mapping(ScaffoldRequest("neu", "beleg 1 Beleg", **more), own)

    assert said in refused.value.line()
    assert not (own / "mappings/outbound/neu").exists()


def test_a_new_mapping_that_reads_takes_a_source_as_well(own: Path) -> None:
    """Inbound, the item is what the source describes."""
    file = new_mapping(ScaffoldRequest("liest", "record Receipt", source="json invoice"), own)

    text = file.read_text("utf-8")
    assert "\nsource: json invoice\nroots: [item, envelope, process]" in text
    assert "#   item.number: text" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"What is to be paid, with tax", "type": "number"',
            '"What is to be paid, with tax", "type": "integer"',
            "compatible: neu: source invoice.total: decimal became integer",
        ),
        (
            '"sent_at": {"type": "string", "format": "date-time"}',
            '"sent_at": {}',
            "breaking: neu: source invoice.sent_at",
        ),
        (
            '"enum": ["EUR", "CHF"]',
            '"enum": ["EUR", "CHF", "USD"]',
            "breaking: neu: source invoice.currency: new words: USD",
        ),
        ('"paid", "total", "buyer"', '"paid", "buyer"', "breaking: neu: source invoice.total: may be missing now"),
        ('"maxLength": 20', '"maxLength": 35', "breaking: neu: source invoice.number: up to 35 characters now"),
        ('"maxLength": 40', '"maxLength": 50', "compatible: neu: source invoice.batches.lines.article: up to 50"),
        ('"title": "Number of the invoice", ', "", "0 breaking changes, 0 compatible ones"),
    ],
)
def test_a_changed_schema_of_the_record_is_found(own: Path, old: str, new: str, said: str) -> None:
    """Before a run: what the rules cannot live with is breaking, the rest is told."""
    _finished(own, "rechnung")
    arguments = ["neu", "--content", str(own)]
    assert CliRunner().invoke(app, ["drift", "accept", *arguments]).exit_code == 0
    file = own / PLACES["invoice.schema.json"]
    assert file.read_text("utf-8").count(old) == 1
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")

    looked = CliRunner().invoke(app, ["drift", "check", *arguments])

    assert said in " ".join(looked.output.split())
    assert looked.exit_code == (0 if said.startswith(("compatible", "0")) else 1)
