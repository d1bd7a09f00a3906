"""JSON as a target: the schema gives the tree, the library judges every message, and errors name the rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import Mapping, check_mapping, load_mapping
from kiezbruecke.mapping.interpret.json import dumps
from kiezbruecke.mapping.schema.json_patterns import searching
from kiezbruecke.mapping.schema.json_schema import read_json_schema

Put = Callable[[str, str], Path]
FIT_CONNECT = Path(__file__).parents[3] / "shared/standards/fit-connect/metadata-1.0.0/metadata.schema.v1.0.0.json"

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.org/antrag.json",
    "type": "object",
    "required": ["art", "titel", "anlagen"],
    "additionalProperties": False,
    "properties": {
        "art": {"const": "antrag"},
        "titel": {"type": "string", "minLength": 3, "maxLength": 20, "description": "Was\n beantragt wird"},
        "summe": {"type": "number", "minimum": 1},
        "rang": {"type": "integer"},
        "dringend": {"type": "boolean"},
        "am": {"type": "string", "format": "date"},
        "um": {"type": "string", "format": "date-time"},
        "seite": {"type": "string", "format": "uri"},
        "stand": {"type": "string", "enum": ["neu", "alt"]},
        "anlagen": {"type": "array", "items": {"$ref": "https://example.org/antrag.json#/$defs/anlage"}, "maxItems": 2},
        "worte": {"type": "array", "items": {"type": "string"}, "maxItems": 1},
        "person": {
            "allOf": [{"$ref": "#/$defs/wer"}, {"properties": {"rolle": {"type": "string"}}}],
            "oneOf": [{"required": ["mail"]}, {"properties": {"fon": {"type": "string"}}, "required": ["fon"]}],
        },
    },
    "$defs": {
        "anlage": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z]+$"},
                "teile": {"type": "array", "items": {"$ref": "#/$defs/anlage"}},
            },
        },
        "wer": {"type": "object", "properties": {"name": {"type": "string"}, "mail": {"type": "string"}}},
    },
}
HEAD = "name: m\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: json antrag\nrules:\n"
TITLE = "- {target: titel, from: route.t}\n"
ALL = (
    TITLE
    + "".join(
        f"- {{target: {name}, from: route.{name}}}\n"
        for name in ("summe", "rang", "dringend", "am", "um", "seite", "stand", "worte", "person/mail", "person/fon")
    ).replace("route.person/", "route.")
    + "- {target: anlagen, each: route.files, as: file, rules: [{target: name, from: file.name},"
    " {target: teile, each: file.parts, as: part, rules: [{target: name, from: part}]}]}\n"
)


@pytest.fixture
def load(content: Path, put: Put) -> Callable[..., Mapping]:
    """Loads a mapping with these rules onto a schema."""

    def with_rules(rules: str, schema: object = SCHEMA) -> Mapping:
        put("schemas/json/antrag.schema.json", json.dumps(schema))
        put("mappings/outbound/m/mapping.yaml", HEAD + rules)
        return load_mapping("m", content)

    return with_rules


def _codes(content: Path, put: Put, rules: str) -> list[str]:
    put("schemas/json/antrag.schema.json", json.dumps(SCHEMA))
    put("mappings/outbound/m/mapping.yaml", HEAD + rules)
    return [finding.line() for finding in check_mapping("m", content)]


def test_a_message_is_written_in_the_schemas_order(load: Callable[..., Mapping]) -> None:
    """Numbers stay exact, truths are truths, lists are lists, letters are letters, and nothing is null."""
    values = {
        "um": "2026-04-24T10:00:00Z",
        "dringend": "true",
        "rang": "7",
        "summe": Decimal("850.00"),
        "t": "Straßenfest",
        "worte": "eins",
        "mail": "a@b.de",
        "files": [{"name": "a", "parts": ["b", "c"]}, {"name": "d"}],
    }

    assert load(ALL).write({"route": values}).decode() == (
        '{"art":"antrag","titel":"Straßenfest","summe":850.00,"rang":7,"dringend":true,"um":"2026-04-24T10:00:00Z",'
        '"anlagen":[{"name":"a","teile":[{"name":"b"},{"name":"c"}]},{"name":"d"}],"worte":["eins"],'
        '"person":{"mail":"a@b.de"}}'
    )


def test_what_the_schema_demands_is_there_though_no_rule_speaks(load: Callable[..., Mapping]) -> None:
    """A constant and an empty list need no rule; what is optional is not written."""
    assert load(TITLE).write({"route": {"t": "Fest"}}) == b'{"art":"antrag","titel":"Fest","anlagen":[]}'


@pytest.mark.parametrize(
    ("values", "line", "told"),
    [
        ({"t": ""}, 7, "'titel' (Quelle: route.t): die Pflichtangabe fehlt"),
        ({"t": "ab"}, 7, "der Text ist zu kurz; erwartet: mindestens 3 Zeichen"),
        ({"t": "a" * 21}, 7, "der Text ist zu lang; erwartet: höchstens 20 Zeichen"),
        ({"summe": "0.50"}, 8, "die Zahl ist zu klein; erwartet: mindestens 1"),
        ({"summe": "viel"}, 8, "der Wert hat nicht den verlangten Typ; erwartet: eine Zahl"),
        ({"rang": Decimal("1.5")}, 9, "'rang' (Quelle: route.rang): der Wert hat nicht den verlangten Typ"),
        ({"dringend": "vielleicht"}, 10, "erwartet: true oder false"),
        ({"am": "24.04.2026"}, 11, "erwartet: ein Tag wie 2026-04-24"),
        ({"am": "20260424"}, 11, "erwartet: ein Tag wie 2026-04-24"),
        ({"am": "2026-W17-5"}, 11, "erwartet: ein Tag wie 2026-04-24"),
        ({"um": "2026-04-24"}, 12, "erwartet: ein Zeitpunkt"),
        ({"seite": "kein Ort"}, 13, "erwartet: eine Adresse mit Schema"),
        ({"stand": "mittel"}, 14, "der Wert ist nicht erlaubt; erwartet: einer von: neu, alt"),
        ({"worte": ["a", "b"]}, 15, "mehr Werte da, als die Nachricht aufnehmen kann; erwartet: höchstens 1"),
        ({"files": [{"name": "a"}, {"name": "X1"}]}, 18, "'anlagen/name' (Quelle: file.name): der Text hat nicht"),
        ({"files": [{"name": "a", "parts": ["B"]}]}, 18, "'anlagen/teile/name' (Quelle: part): der Text hat nicht"),
        ({"mail": "a", "fon": "b"}, 16, "passen nicht zu genau einer der erlaubten Formen"),
    ],
)
def test_what_the_schema_refuses_names_rule_and_source(
    load: Callable[..., Mapping], values: dict[str, Any], line: int, told: str
) -> None:
    """Never the value: errors are read by people who may not know the person."""
    with pytest.raises(RecordError) as error:
        load(ALL).write({"route": {"t": "Fest", **values}})

    assert error.value.where == f"mappings/outbound/m/mapping.yaml:{line}"
    assert told in error.value.line()


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("- {target: summe, from: route.s}\n", "KB-M12 no rule fills the mandatory 'titel'"),
        (TITLE + "- {target: tietel, from: route.s}\n", "did you mean 'titel'"),
        (TITLE + "- {target: summe, const: viel}\n", "KB-M14 this const does not fit 'summe'; expected a number"),
        (TITLE + "- {target: summe, const: '0.5'}\n", "KB-M14 this const does not fit 'summe'; expected at least 1"),
        (TITLE + "- {target: stand, const: mittel}\n", "expected one of neu, alt"),
        (TITLE + "- {target: art, const: anders}\n", "KB-M14"),
        (TITLE + "- {target: 'titel[2]', from: route.s}\n", "KB-M11"),
        (TITLE + "- {target: anlagen, each: route.f, as: f, rules: [{target: teile/name, from: f.n}]}\n", "KB-M12"),
        (TITLE + "- {target: person, from: route.s}\n", "KB-M07 'person' takes no value itself"),
    ],
)
def test_check_knows_before_there_is_a_message(content: Path, put: Put, rules: str, told: str) -> None:
    """The tree is the same as that of any other target, so the findings are too."""
    assert any(told in line for line in _codes(content, put, rules)), _codes(content, put, rules)


def test_the_right_rules_have_no_findings(content: Path, put: Put) -> None:
    """Branches of a choice, references and recursion are all targets."""
    assert [
        line for line in _codes(content, put, ALL + "- {target: person/rolle, from: route.r}\n") if "KB" in line
    ] == []


def test_the_description_comes_along(content: Path, put: Put) -> None:
    """Editors and the department's page show it."""
    put("schemas/json/antrag.schema.json", json.dumps(SCHEMA))

    assert read_json_schema(content, "antrag").root.children["titel"].documentation == "Was beantragt wird"


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("{", "is not JSON; expected a JSON Schema"),
        ("[]", "is no object"),
        ('{"type": "strnig"}', "no type 'strnig' ('type'); expected string, integer"),
        ('{"type": "string"}', "describes no object"),
        ('{"properties": {"a": {"$ref": "https://example.org/b.json"}}}', "leads out of the file"),
        ('{"properties": {"a": {"$ref": "file:///etc/passwd"}}}', "leads out of the file"),
        ('{"properties": {"a": {"$ref": "#/$defs/a"}}}', "leads nowhere"),
        ('{"properties": {"a": {"pattern": "("}}}', "cannot be read"),
        ('{"properties": {"a": {"$id": "https://example.org/a"}}}', "has an $id of its own"),
        ('{"properties":' * 5000, "the schema "),
        ('{"required": ["a"], "properties": {"a": {"$ref": "#"}}}', "'a' holds itself without end"),
        ('{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}', "'#/$defs/a' goes round in a circle"),
        ('{"properties": {"a": {"$ref": "#/properties/a"}}}', "'#/properties/a' goes round in a circle"),
        (
            '{"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/y"}, "y": {"$ref": "#/$defs/x"}}}',
            "goes round in a circle",
        ),
        ('{"allOf": [{"$ref": "#"}], "properties": {"a": {}}}', "the reference '#' goes round in a circle"),
        ('{"properties": {"a": {"$dynamicRef": "#oben"}}}', "'$dynamicRef' is not followed; expected \"$ref\""),
        ('{"properties": {"a": {"type": "bool"}}}', "there is no type 'bool' ('properties/a/type'); expected string"),
        ('{"properties": {"a": {"minLength": -1}}}', "'properties/a/minLength' has the wrong form; expected a whole"),
        ('{"properties": {"a": {"pattern": "^((?!x)(a+)b?)+$"}}}', "it repeats a repetition beside a look-around"),
        ('{"properties": {"a": {"pattern": "(?<=a)b*b*b*c"}}}', "it repeats several times beside a look-around"),
        ('{"properties": {"a": {"pattern": "(?<=a)b?b?b?b?b?b?b?b?b?b?c"}}}', "it repeats several times beside"),
        ('{"required": [""], "properties": {"": {"type": "string"}}}', "the required property '' can be no target"),
        (
            '{"required": ["a\\u0007"], "properties": {"a\\u0007": {}}}',
            "the required property 'a\\x07' can be no target",
        ),
        ('{"required": ["a/b"]}', "the required property 'a/b' can be no target"),
        ('{"patternProperties": {"(": {}}, "properties": {"a": {}}}', "the pattern '(' cannot be read"),
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused_in_one_line(
    content: Path, put: Put, schema: str, told: str
) -> None:
    """Nothing is ever fetched; what a schema needs stands in its file."""
    put("schemas/json/antrag.schema.json", schema)

    with pytest.raises(ConfigurationError) as error:
        read_json_schema(content, "antrag")

    assert told in error.value.line()
    assert "\n" not in error.value.line()


def test_a_tree_of_references_is_no_circle(content: Path, put: Put) -> None:
    """A part may hold its like below a property or as a member."""
    tree = {"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"type": "array", "items": {"$ref": "#"}}}}
    put("schemas/json/antrag.schema.json", json.dumps(tree))

    root = read_json_schema(content, "antrag").root

    assert list(root.children["a"].children["b"].children) == ["a", "b"]


def test_a_folder_is_no_schema_and_no_neighbour(content: Path, put: Put) -> None:
    """It was offered as what one had typed."""
    put("schemas/json/antrag.schema.json/x", "")

    with pytest.raises(ConfigurationError) as error:
        read_json_schema(content, "antrag")

    assert "there is no JSON Schema 'antrag'" in error.value.line()
    assert "did you mean" not in error.value.line()


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("^(a+)+$", "a" * 5000 + "!", False),
        ("^(a|a)*$", "a" * 5000, True),
        ("[0-9]", "nr 7", True),
        ("^[0-9]+$", "7\n", False),
        ("^(?!0)[0-9]+$", "70", True),
        ("^(?!0)[0-9]+$", "07", False),
        ("^[+--b]$", ",", True),
        ("(?!x)^" + "a*" * 12 + "$", "a" * 3000 + "!", False),
        (r"^(?=.*[A-Z])(?=.*[0-9])(?!.*--).{8,}$", "Abcdefg1" * 4000, True),
        (r"^(?=.*[A-Z])(?=.*[0-9])(?!.*--).{8,}$", "abcdefg1", False),
        (r"^(?!.*--)[a-z-]+$", "a--b", False),
        ("^(?!a)b|c$", "xc", True),
        (r"(?<![0-9])[0-9]{5}(?![0-9])", "D 12345 Ort", True),
        (r"(?<=a)[0-9]+x", "a" + "1" * 100_000, False),
    ],
)
def test_no_pattern_takes_long(pattern: str, text: str, fits: bool) -> None:
    """`^(a+)+$` keeps Python's own engine busy for longer than anybody lives."""
    assert searching(pattern)(text) is fits


def test_a_pattern_of_the_schema_is_searched_for_in_bounded_time(content: Path, put: Put) -> None:
    """The library asks Python's engine; a record could stop a run."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    put("schemas/json/antrag.schema.json", json.dumps(schema))

    found = read_json_schema(content, "antrag").judge.first_problem({"a": "a" * 200 + "!"})

    assert found is not None
    assert (found.path, found.expected) == (("a",), "das Muster ^(a+)+$")


def test_a_schema_that_unrolls_without_end_is_refused_at_once(content: Path, put: Put) -> None:
    """Eight mandatory parts, each made of eight, 25 levels deep: more places than grains of sand."""
    levels = {
        f"l{level}": {
            "type": "object",
            "required": [f"p{part}" for part in range(8)],
            "properties": {f"p{part}": {"$ref": f"#/$defs/l{level + 1}"} for part in range(8)},
        }
        for level in range(25)
    }
    schema = {"$ref": "#/$defs/l0", "$defs": {**levels, "l25": {"type": "string"}}}
    put("schemas/json/antrag.schema.json", json.dumps(schema))

    with pytest.raises(ConfigurationError, match="too many mandatory places to write them down: more than 20,000"):
        read_json_schema(content, "antrag")


VALUES = st.fixed_dictionaries(
    {"t": st.text(max_size=25)},
    optional={
        "summe": st.decimals(allow_nan=True, allow_infinity=True) | st.text(max_size=6),
        "rang": st.integers() | st.booleans(),
        "dringend": st.booleans(),
        "worte": st.lists(st.text(max_size=4), max_size=3),
        "mail": st.text(max_size=4),
        "files": st.lists(st.fixed_dictionaries({"name": st.text("abcA1", max_size=4)}), max_size=3),
    },
)


def test_whatever_comes_is_valid_or_refused(load: Callable[..., Mapping]) -> None:
    """Ten thousand generated records must all validate or be refused with a reason."""
    mapping, judge = load(ALL), Draft202012Validator(SCHEMA)
    outcomes = set()

    @settings(max_examples=150, deadline=None)
    @given(VALUES)
    def is_valid_or_set_aside(values: dict[str, Any]) -> None:
        try:
            written = mapping.write({"route": values})
        except RecordError as error:
            outcomes.add(error.where.partition(":")[0])
            return
        outcomes.add("valid")
        judge.validate(json.loads(written))

    is_valid_or_set_aside()

    assert outcomes == {"valid", "mappings/outbound/m/mapping.yaml"}


def test_a_message_knows_what_kind_of_file_it_is(load: Callable[..., Mapping]) -> None:
    """The receiver's system goes by it."""
    goal = load(TITLE).goal

    assert (goal.suffix, goal.media_type) == ("json", "application/json")


def test_every_value_knows_its_rule(load: Callable[..., Mapping]) -> None:
    """Lineage is told of JSON as of XML: rule by rule, in the order of writing."""
    payload, trace = load(TITLE + "- {target: summe, from: route.s}\n").write_traced(
        {"route": {"t": "Fest", "s": Decimal("1.50")}}
    )

    assert json.loads(payload)["summe"] == 1.5
    assert trace == ((1, "Fest"), (2, "1.50"))


def test_readable_json_says_the_same() -> None:
    """Expected outputs are kept indented, sums to the last digit."""
    value = {"a": [Decimal("850.00"), {"b": True}], "c": {}, "d": "ä"}

    assert json.loads(dumps(value, indent=2), parse_float=Decimal) == value
    assert "850.00" in dumps(value, indent=2)


FIT = """\
name: fit
version: 1
direction: outbound
roots: [case, proposal]
target: json metadata
rules:
  - target: publicServiceType/identifier
    const: urn:de:fim:leika:leistung:99010001001000
    when: case.reference
  - {target: additionalReferenceInfo/senderReference, from: case.reference}
  - target: contentStructure/attachments
    each: case.documents
    as: document
    rules:
      - {target: purpose, const: report}
      - {target: attachmentId, from: document.id}
      - {target: filename, from: document.file}
      - {target: mimeType, from: document.media_type}
      - {target: hash/type, const: sha512}
      - {target: hash/content, from: document.sha512}
"""


@pytest.mark.official
@pytest.mark.skipif(not FIT_CONNECT.is_file(), reason="the official schema of FIT-Connect lies in ../shared/standards")
def test_a_mapping_writes_the_metadata_of_fit_connect(content: Path, put: Put) -> None:
    """A standard that nobody prepared anything for: the official file is the only description."""
    put("schemas/json/metadata.schema.json", FIT_CONNECT.read_text("utf-8"))
    put("mappings/outbound/fit/mapping.yaml", FIT)
    document = {
        "id": "8b26ea67-4651-4edb-a789-7346a690662c",
        "file": "beschluss.pdf",
        "media_type": "application/pdf",
        "sha512": "0f" * 64,
    }

    written = load_mapping("fit", content).write({"case": {"reference": "2026-00001", "documents": [document]}})

    Draft202012Validator(json.loads(FIT_CONNECT.read_text("utf-8"))).validate(json.loads(written))
    assert json.loads(written)["contentStructure"]["attachments"][0]["hash"]["type"] == "sha512"
