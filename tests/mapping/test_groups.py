"""Rules that are written once (`groups`, `use`): one address for three parties, and parts in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from lxml import etree
from ruamel.yaml import YAML

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import Mapping, check_mapping, load_mapping
from kiezbruecke.mapping.compile import Declined
from kiezbruecke.mapping.compile.plan import Uncompilable
from kiezbruecke.mapping.interpret.xml import XmlWriter
from kiezbruecke.workbench.doc import fields_of
from kiezbruecke.workbench.editor import editor_schema
from kiezbruecke.workbench.example_check import check_whole
from kiezbruecke.workbench.upgrade import upgrade
from tests.mapping.conftest import Load, Put, findings, loading

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
PARTY = {
    "type": "object",
    "required": ["name", "address"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "address": {
            "type": "object",
            "required": ["street", "town"],
            "properties": {
                "street": {"type": "string", "minLength": 1},
                "town": {"type": "string", "minLength": 1},
                "country": {"type": "string"},
            },
        },
    },
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["sender", "parts"],
    "properties": {
        "sender": PARTY,
        "receiver": PARTY,
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
    },
    "$defs": {
        "part": {
            "type": "object",
            "required": ["number", "parts"],
            "properties": {
                "number": {"type": "string", "minLength": 1},
                "kind": {"type": "string"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
            },
        }
    },
}
HEAD = """\
name: teile
version: 1
direction: outbound
source: json shipment
roots: [shipment]
target: teile 1 Lieferung
"""
ADDRESS = """\
groups:
  anschrift:
    - {target: Strasse, from: ort.street}
    - {target: Ort, from: ort.town}
    - {target: Land, from: ort.country}
rules:
  - {target: Absender/Name, from: shipment.sender.name}
  - {target: Absender/Anschrift, from: shipment.sender.address, as: ort, use: anschrift}
  - target: Empfaenger
    when: shipment.receiver
    rules:
      - {target: Name, from: shipment.receiver.name}
      - {target: Anschrift, from: shipment.receiver.address, as: ort, use: anschrift}
"""
SENDER = "rules:\n  - {target: Absender/Name, from: shipment.sender.name}\n"
PARTS = (
    """\
groups:
  teil:
    - {target: Nummer, from: part.number}
    - {target: Stufe, const: A, when: {path: part.kind, equals: a}}
    - {target: Stufe, from: part.index, otherwise: true}
    - {target: Teile/Teil, each: part.parts, as: part, use: teil, depth: 4}
"""
    + SENDER
    + "  - {target: Teil, each: shipment.parts, as: part, use: teil}\n"
)
WHERE = {"street": "Musterweg 1", "town": "Musterort"}
FROM = {"name": "Verein Beispiel", "address": WHERE}
Lines = Callable[[str], list[str]]


@pytest.fixture
def root(content: Path, put: Put) -> Path:
    """A content root with the schemas of shipments on both sides."""
    put("schemas/teile/1/profile.xsd", (DATA / "teile.xsd").read_text("utf-8"))
    put("schemas/json/shipment.schema.json", json.dumps(SCHEMA))
    return content


@pytest.fixture
def load(root: Path, put: Put) -> Load:
    """A mapping with these groups and rules."""
    return loading(root, put, HEAD, "teile")


@pytest.fixture
def lines(load: Load, root: Path) -> Lines:
    """The findings about groups and rules; lines count from the head's end."""

    def of(body: str) -> list[str]:
        above = HEAD.count("\n")
        told = findings(load, root, body, "teile")
        found = [one for one in told if one.code not in {"KB-M20", "KB-M21"}]
        return [f"{one.place.line - above}:{one.place.column} {one.code} {one.message}" for one in found]

    return of


def written(mapping: Mapping, **record: Any) -> etree._Element:
    """The message, by the generated code and by the interpreter."""
    roots = {"shipment": {"sender": FROM, "parts": [], **record}}
    interpreted = XmlWriter(mapping.goal.prefixes, mapping.file).write(mapping.draft(roots))
    try:
        assert mapping.compiled.write(roots) == interpreted
    except Declined:
        pytest.fail("the generated code has no way")
    assert mapping.write(roots) == interpreted
    return etree.fromstring(interpreted)


def nested(levels: int, **more: Any) -> list[dict[str, Any]]:
    """Parts in parts, so many levels."""
    below = nested(levels - 1, **more) if levels > 1 else []
    return [{"number": str(levels), "parts": below, **more}]


def test_a_group_reads_what_each_block_says_it_is_about(load: Load, lines: Lines) -> None:
    """The address is written once; `from` and `as` say whose it is."""
    assert lines(ADDRESS) == []
    receiver = {"name": "Amt Beispiel", "address": {"street": "Testallee 2", "town": "Testdorf", "country": "DE"}}

    message = written(load(ADDRESS), receiver=receiver)

    assert message.xpath("Absender/Anschrift/*/text()") == ["Musterweg 1", "Musterort"]
    assert message.xpath("Empfaenger/Anschrift/*/text()") == ["Testallee 2", "Testdorf", "DE"]


def test_a_group_writes_what_its_rules_would_in_each_place(load: Load) -> None:
    """Lineage, drift and the department's page know rules alone: those of a group are rules like any other."""
    named = [(one.target, one.source) for one in load(ADDRESS).rule_lines]
    plain = ADDRESS.partition("rules:")[2]
    for owner in ("sender", "receiver"):
        about = f"shipment.{owner}.address"
        own = f"{{target: Strasse, from: {about}.street}}, {{target: Ort, from: {about}.town}}"
        rules = f"rules: [{own}, {{target: Land, from: {about}.country}}]"
        plain = plain.replace(f"from: {about}, as: ort, use: anschrift", rules)

    assert named == [(one.target, one.source) for one in load(f"rules:{plain}").rule_lines]


def test_parts_in_parts_are_written_as_deep_as_they_are(load: Load, lines: Lines) -> None:
    assert lines(PARTS) == []

    message = written(load(PARTS), parts=[*nested(4), {"number": "x", "kind": "a", "parts": nested(2, kind="a")}])

    assert message.xpath("Teil[1]//Nummer/text()") == ["4", "3", "2", "1"]
    assert message.xpath("Teil[1]//Stufe/text()") == ["1", "1", "1", "1"]
    assert message.xpath("Teil[2]/Stufe/text() | Teil[2]/Teile//Stufe/text()") == ["A", "A", "A"]


def test_a_record_that_is_deeper_is_set_aside_and_never_cut(load: Load) -> None:
    """With the place in the record that is one level too deep, and without a value."""
    mapping = load(PARTS)
    roots = {"shipment": {"sender": FROM, "parts": nested(5, kind="geheim")}}

    with pytest.raises(Declined):
        mapping.compiled.write(roots)
    with pytest.raises(RecordError) as raised:
        mapping.write(roots)

    said = raised.value.line()
    assert "tiefer verschachtelt als vorgesehen" in said
    assert "höchstens 4 Ebenen" in said
    assert raised.value.source == "shipment" + ".parts[1]" * 5  # type: ignore[attr-defined]
    assert "geheim" not in said


TREES = st.recursive(
    st.just([]),
    lambda below: st.lists(
        st.fixed_dictionaries(
            {"number": st.sampled_from(["1", "2", "<&"]), "parts": below},
            optional={"kind": st.sampled_from(["a", "b", "", None])},
        ),
        max_size=3,
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=TREES)
def test_any_tree_comes_out_as_it_was_or_is_set_aside(load: Load, parts: list[dict[str, Any]]) -> None:
    """The generated code writes what the interpreter writes; too deep is the one reason to refuse."""
    mapping = load(PARTS)
    roots = {"shipment": {"sender": FROM, "parts": parts}}
    if _depth(parts) > 4:
        with pytest.raises(RecordError, match="tiefer verschachtelt"):
            mapping.write(roots)
        return

    message = written(mapping, parts=parts)

    assert _numbers(message) == _tree(parts)


def _depth(parts: list[dict[str, Any]]) -> int:
    return max((1 + _depth(part["parts"]) for part in parts), default=0)


def _tree(parts: list[dict[str, Any]]) -> list[Any]:
    return [(part["number"], _tree(part["parts"])) for part in parts]


def _numbers(element: etree._Element) -> list[Any]:
    return [
        (part.findtext("Nummer"), _numbers(part)) for part in [*element.findall("Teil"), *element.findall("Teile/Teil")]
    ]


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("part, use: teil}", "part, use: tiel}", "9:57 KB-M26 there is no group 'tiel'"),
        (", depth: 4", "", "6:61 KB-M26 the group 'teil' uses itself, and nothing says how deep"),
        (
            "each: part.parts, as: part, use: teil, depth: 4",
            "use: teil",
            "6:33 KB-M26 the group 'teil' leads into itself without a list, so it never ends",
        ),
        ("depth: 4", "depth: 1", "6:74 KB-M03 '1' is no count"),
        ("depth: 4", "depth: viele", "6:74 KB-M03 'viele' is no count"),
        (
            "part, use: teil}",
            "part, use: teil, depth: 3}",
            "9:70 KB-M19 'teil' does not use itself here, so 'depth' changes nothing",
        ),
        ("from: part.number", "from: part.nummer", "3:30 KB-M08 'part' has no field 'nummer'"),
        ("target: Stufe, c", "target: Stuffe, c", "4:16 KB-M07 'Teil' has no 'Stuffe'"),
        ("    - {target: Nummer, from: part.number}\n", "", "2:3 KB-M12 no rule fills the mandatory 'Teil/Nummer'"),
        ("from: part.number", "from: part.number, use: teil", "3:30 KB-M03 'from' and 'as' belong together"),
        ("depth: 4", "depth: 4, codelist: x", "6:87 KB-M03 'codelist' needs 'from'"),
        ("depth: 4", "depth: 4, tiefe: 4", "6:77 KB-M02 unknown key 'tiefe'"),
    ],
)
def test_a_mistake_in_a_group_is_said_once_at_its_line(lines: Lines, found: str, instead: str, said: str) -> None:
    """However often the group is used, and however deep."""
    assert found in PARTS

    assert lines(PARTS.replace(found, instead)) == [said]


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("from: ort.town", "from: ort.twon", "4:27 KB-M08 'shipment.sender.address' has no field 'twon'"),
        ("as: ort, use: anschrift}\n  -", "use: anschrift}\n  -", "8:40 KB-M03 'from' and 'as' belong together"),
        ("as: ort", "as: shipment", "8:69 KB-M03 'shipment' is already the name of a source"),
        ("rules:\n", "  leer:\n    - {target: Ort, const: x}\nrules:\n", "6:3 KB-M19 nothing uses the group 'leer'"),
        ("groups:\n", "groups: []\nzwei:\n", "1:9 KB-M03 no groups of rules"),
    ],
)
def test_what_a_group_is_about_is_checked(lines: Lines, found: str, instead: str, said: str) -> None:
    assert said in lines(ADDRESS.replace(found, instead, 1))


def test_a_warning_in_a_group_is_accepted_in_the_group(lines: Lines) -> None:
    """Once, for every block that uses it."""
    rule = "{target: Land, from: ort.country, default: DE, required: true"
    body = ADDRESS.replace("{target: Land, from: ort.country", rule)
    accepted = body.replace(f"{rule}}}", f"{rule}, accept: {{KB-M19: so ist es gemeint}}}}")

    assert [one for one in lines(body) if "KB-M19" in one] != []
    assert lines(accepted) == []


def test_groups_in_groups_make_no_more_rules_than_a_mapping_may_have(lines: Lines) -> None:
    """Ten groups, each with ten uses of the next, would be ten thousand million rules."""
    body = "groups:\n"
    for number in range(9):
        body += f"  g{number}:\n" + f"    - {{target: Teile/Teil, use: g{number + 1}}}\n" * 10
    body += "  g9:\n    - {target: Nummer, const: x}\n" + SENDER + "  - {target: Teil, use: g0}\n"

    assert any("KB-M26 groups give more than 5000 rules" in one for one in lines(body))


def test_two_groups_may_use_each_other(load: Load, lines: Lines) -> None:
    """A list stands on the way round, and each use of it says how deep."""
    body = (
        """\
groups:
  teil:
    - {target: Nummer, from: part.number}
    - {target: Teile, use: teile}
  teile:
    - {target: Teil, each: part.parts, as: part, use: teil, depth: 3}
"""
        + SENDER
        + "  - {target: Teil, each: shipment.parts, as: part, use: teil}\n"
    )

    assert lines(body) == []
    assert written(load(body), parts=nested(3)).xpath("//Nummer/text()") == ["3", "2", "1"]
    with pytest.raises(RecordError, match="höchstens 3 Ebenen"):
        load(body).write({"shipment": {"sender": FROM, "parts": nested(4)}})


OVER = "name: dort\nversion: 1\ndirection: outbound\nextends: teile\n"


def test_an_overlay_speaks_about_one_use_or_about_the_group(load: Load, root: Path, put: Put) -> None:
    """By the full path one place is meant, by the group's name all of them."""
    load(ADDRESS)
    put("mappings/outbound/dort/mapping.yaml", OVER + "rules:\n  - {target: Absender/Anschrift/Ort, const: hier}\n")
    record = {"shipment": {"sender": FROM, "receiver": FROM, "parts": []}}

    assert [one for one in check_mapping("dort", root) if one.severity == "error"] == []
    one = etree.fromstring(load_mapping("dort", root).write(record))
    put(
        "mappings/outbound/dort/mapping.yaml",
        OVER + "groups:\n  anschrift: [{target: Strasse, from: ort.street}, {target: Ort, const: hier}]\n",
    )
    all_of_them = etree.fromstring(load_mapping("dort", root).write(record))

    assert one.xpath("//Ort/text()") == ["hier", "Musterort"]
    assert all_of_them.xpath("//Ort/text()") == ["hier", "hier"]


def test_an_otherwise_of_a_group_answers_what_stands_in_its_own_block(load: Load, root: Path, put: Put) -> None:
    """An overlay that asks something else for one party asks it for that party alone."""
    asking = ADDRESS.replace(
        "    - {target: Land, from: ort.country}\n",
        "    - {target: Land, const: hier, when: {path: ort.country, equals: DE}}\n"
        "    - {target: Land, const: dort, otherwise: true}\n",
    )
    load(asking)
    put(
        "mappings/outbound/dort/mapping.yaml",
        OVER + "rules:\n  - target: Absender/Anschrift/Land\n    const: hier\n"
        "    when: {path: shipment.sender.address.country, equals: AT}\n"
        "  - {target: Absender/Anschrift/Land, const: dort, otherwise: true}\n",
    )
    home = {"name": "Amt Beispiel", "address": {**WHERE, "country": "DE"}}

    message = etree.fromstring(
        load_mapping("dort", root).write({"shipment": {"sender": home, "receiver": home, "parts": []}})
    )

    assert message.xpath("//Land/text()") == ["dort", "hier"]


def test_an_overlay_uses_a_group_of_its_base(load: Load, root: Path, put: Put) -> None:
    load(ADDRESS)
    rules = "rules:\n  - {target: Zahler/Anschrift, from: shipment.sender.address, as: ort, use: anschrift}\n"
    put("mappings/outbound/dort/mapping.yaml", OVER + rules)

    message = etree.fromstring(load_mapping("dort", root).write({"shipment": {"sender": FROM, "parts": []}}))

    assert message.xpath("Zahler/Anschrift/*/text()") == ["Musterweg 1", "Musterort"]


def test_deeper_than_generated_code_goes_the_interpreter_writes(load: Load) -> None:
    """Python takes twenty loops in each other; a record may go deeper than that."""
    mapping = load(PARTS.replace("depth: 4", "depth: 30"))
    roots = {"shipment": {"sender": FROM, "parts": nested(30)}}

    with pytest.raises(Uncompilable):
        mapping.explain()
    assert len(etree.fromstring(mapping.write(roots)).xpath("//Nummer")) == 30


def test_the_department_reads_where_a_group_ends(load: Load) -> None:
    """A rule like any other: what sets a record aside stands on the page."""
    told = [one for one in fields_of(load(PARTS)) if "Ebenen" in one.done]

    assert [one.done for one in told] == ["mehr als 4 Ebenen: der Vorgang wird zurückgestellt"]
    assert told[0].target == "Teil" + "/Teile/Teil" * 4


def test_an_editor_knows_groups_and_their_names(load: Load, root: Path) -> None:
    load(PARTS)
    schema = editor_schema("teile", root)

    def problems(text: str) -> list[str]:
        return [one.message for one in Draft7Validator(schema).iter_errors(YAML(typ="safe").load(text))]

    assert problems(HEAD + PARTS) == []
    assert problems((HEAD + PARTS).replace("use: teil}", "use: tiel}")) != []
    assert problems((HEAD + PARTS).replace("depth: 4", "depth: 1")) != []
    assert problems((HEAD + PARTS).replace("target: Nummer", "traget: Nummer")) != []


@pytest.mark.parametrize(
    ("body", "right", "wrong"),
    [
        (ADDRESS, "target: Strasse", "target: Strase"),
        (ADDRESS, "from: ort.street", "from: ort.streeet"),
        (ADDRESS, "from: ort.town", "from: shipment.sender.adress"),
        (PARTS, "target: Teile/Teil", "target: Teile/Tiel"),
        (PARTS, "from: part.number", "from: part.nummer"),
        (PARTS, "path: part.kind", "path: part.kidn"),
        (PARTS, "each: part.parts", "each: part.part"),
    ],
)
def test_an_editor_underlines_a_wrong_path_within_a_group(
    load: Load, root: Path, body: str, right: str, wrong: str
) -> None:
    """On both sides, as in any block."""
    load(body)
    schema = editor_schema("teile", root)
    assert body.count(right) == 1

    def problems(text: str) -> list[str]:
        return [one.message for one in Draft7Validator(schema).iter_errors(YAML(typ="safe").load(text))]

    assert problems(HEAD + body) == []
    assert problems((HEAD + body).replace(right, wrong)) != []


def test_an_editor_offers_the_places_and_sources_of_a_group(load: Load, root: Path) -> None:
    load(ADDRESS)
    schema = editor_schema("teile", root)
    name = schema["properties"]["groups"]["properties"]["anschrift"]["$ref"].rpartition("/")[2]
    keys = schema["definitions"][name]["items"]["properties"]
    offered = {key: {one["const"] for one in keys[key]["anyOf"] if "const" in one} for key in ("target", "from")}

    assert {"Strasse", "Ort", "Land"} <= offered["target"]
    assert {"ort.street", "ort.town", "ort.country", "shipment.sender.name"} <= offered["from"]
    assert "Name" not in offered["target"]


def test_a_member_of_a_deeper_level_is_named_as_it_is_written(lines: Lines, put: Put) -> None:
    """`part_2` stands nowhere in the file."""
    deeper = json.loads(json.dumps(SCHEMA))
    inner = json.loads(json.dumps(deeper["$defs"]["part"]))
    del inner["properties"]["kind"]
    inner["properties"]["parts"]["items"] = {"$ref": "#/$defs/inner"}
    deeper["$defs"]["part"]["properties"]["parts"]["items"] = {"$ref": "#/$defs/inner"}
    put("schemas/json/shipment.schema.json", json.dumps({**deeper, "$defs": {**deeper["$defs"], "inner": inner}}))
    said = lines(PARTS.replace("depth: 4", "depth: 2"))

    assert "4:46 KB-M08 'part' has no field 'kind'" in said
    assert "part_2" not in "".join(said)


def _next(put: Put, *, moves: str = "", edit: Callable[[str], str] = str) -> None:
    put("schemas/teile/2/profile.xsd", edit((DATA / "teile.xsd").read_text("utf-8")))
    put("schemas/teile/2/moves.yaml", f"from: '1'\nmoves: {{{moves}}}\n")


def _fates(load: Load, root: Path, rules: str) -> tuple[dict[str, str], str]:
    found = upgrade(load(rules), root, "teile 2 Lieferung", "teile")
    return {one.old or one.new: one.status for one in found.changes}, found.text


def _renamed(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(f'name="{old}"', f'name="{new}"')


def _without(names: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf'<xs:element name="({names})"[^>]*/>', "", text)


def test_groups_go_to_the_next_version_as_they_are_written(load: Load, root: Path, put: Put) -> None:
    """One line stands for several places; each of them is looked for, and the line is written once."""
    _next(put, moves='"*/Strasse": "*/Weg"', edit=_renamed("Strasse", "Weg"))
    fates, text = _fates(load, root, ADDRESS)

    assert fates["Absender/Anschrift/Strasse"] == fates["Empfaenger/Anschrift/Strasse"] == "moved"
    assert set(fates.values()) == {"kept", "moved"}
    assert text.count("{target: Weg, from: ort.street}") == 1
    assert text.partition("groups:")[2].replace("Weg,", "Strasse,") == ADDRESS.partition("groups:")[2]


def test_what_uses_itself_is_moved_at_every_level(load: Load, root: Path, put: Put) -> None:
    _next(put, moves='"*/Nummer": "*/Zeichen"', edit=_renamed("Nummer", "Zeichen"))
    fates, text = _fates(load, root, PARTS)

    assert [one for one, status in fates.items() if status == "moved"] == [
        f"Teil{'/Teile/Teil' * level}/Nummer" for level in range(4)
    ]
    assert text.count("{target: Zeichen, from: part.number}") == 1


def test_a_rule_of_a_group_that_fits_nowhere_any_more_is_a_comment(load: Load, root: Path, put: Put) -> None:
    _next(put, edit=_without("Land"))
    fates, text = _fates(load, root, ADDRESS)

    assert fates["Absender/Anschrift/Land"] == fates["Empfaenger/Anschrift/Land"] == "broken"
    assert "    # - {target: Land, from: ort.country}\n" in text
    assert fates["Absender/Anschrift/Ort"] == "kept"


def test_uses_that_would_lead_apart_are_left_to_people(load: Load, root: Path, put: Put) -> None:
    """The same line cannot say two things."""
    apart = {"Absender": "Ort", "Empfaenger": "Land"}
    moves = ", ".join(f'"{party}/Anschrift/Strasse": "{party}/Anschrift/{name}"' for party, name in apart.items())
    _next(put, moves=moves, edit=_without("Strasse"))
    found = upgrade(load(ADDRESS), root, "teile 2 Lieferung", "teile")
    [reason] = {one.reason for one in found.changes if one.old.endswith("Strasse")}

    assert reason == "its uses lead to different places: Ort, Land"
    assert "    # - {target: Strasse, from: ort.street}\n" in found.text


def test_a_group_of_which_nothing_is_left_goes_with_the_blocks_that_use_it(load: Load, root: Path, put: Put) -> None:
    _next(put, edit=_without("Strasse|Ort|Land"))
    fates, text = _fates(load, root, ADDRESS)

    assert fates["Absender/Anschrift"] == "broken"
    assert "# groups:\n  # anschrift:\n" in text
    assert "  # - {target: Absender/Anschrift, from: shipment.sender.address, as: ort, use: anschrift}\n" in text


def test_a_broken_rule_that_shares_its_line_is_told(load: Load, root: Path, put: Put) -> None:
    """A comment would take the others with it."""
    _next(put, edit=_without("Land"))
    rules = "[{target: Strasse, from: ort.street}, {target: Ort, from: ort.town}, {target: Land, from: ort.country}]"
    body = f"groups: {{anschrift: {rules}}}\n{ADDRESS[ADDRESS.index('rules:') :]}"

    with pytest.raises(ConfigurationError, match="stands in one line with others"):
        upgrade(load(body), root, "teile 2 Lieferung", "teile")


CASES = """\
  - target: Teil
    each: shipment.parts
    as: part
    rules:
      - {target: Nummer, from: part.number}
      - target: .
        one_of:
          - {target: Stufe, const: A, when: {path: part.kind, equals: a}}
          - {target: Stufe, from: part.index, otherwise: true}
"""


def test_cases_of_one_of_go_along(load: Load, root: Path, put: Put) -> None:
    """They stand in their block like all other rules."""
    _next(put, moves='"*/Stufe": "*/Rang"', edit=_renamed("Stufe", "Rang"))
    fates, text = _fates(load, root, SENDER + CASES)

    assert set(fates.values()) == {"kept", "moved"}
    assert text.count("target: Rang") == 2


def test_an_example_need_not_be_as_deep_as_a_group_may_go(load: Load, root: Path, put: Put) -> None:
    """Of an open source the examples alone know the paths: a line that reads one of them at some level is right."""
    body = (HEAD + PARTS).replace("source: json shipment\n", "").replace("shipment", "route")
    example = {"route": {"sender": FROM, "parts": nested(2, kind="a")}}
    put("mappings/outbound/teile/examples/flach.input.json", json.dumps(example))

    def warned(text: str) -> list[str]:
        put("mappings/outbound/teile/mapping.yaml", text)
        return [one.message for one in check_mapping("teile", root) if one.code == "KB-M21"]

    assert warned(body) == []
    assert warned(body.replace("from: part.number", "from: part.nummer")) == ["no example holds 'route.parts.nummer'"]


def test_the_list_may_stand_around_the_use(load: Load, lines: Lines) -> None:
    """A block that repeats says `.` for its group, and may hold more than that; as deep is as deep."""
    body = PARTS.replace(
        "    - {target: Teile/Teil, each: part.parts, as: part, use: teil, depth: 4}\n",
        "    - target: Teile/Teil\n      each: part.parts\n      as: part\n"
        "      rules: [{target: ., use: teil, depth: 4}]\n",
    )
    mapping = load(body)

    assert lines(body) == []
    assert written(mapping, parts=nested(4)).xpath("//Nummer/text()") == ["4", "3", "2", "1"]
    roots = {"shipment": {"sender": FROM, "parts": nested(5)}}
    with pytest.raises(Declined):
        mapping.compiled.write(roots)
    with pytest.raises(RecordError, match="höchstens 4 Ebenen"):
        mapping.write(roots)


USES = st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from([None, 2, 3]))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=st.fixed_dictionaries(dict.fromkeys("abc", st.lists(USES, max_size=2))))
def test_whatever_uses_whatever_comes_to_an_end(load: Load, root: Path, graph: dict[str, list[Any]]) -> None:
    """A circle without a list, or without a depth, is an error; anything else is a mapping that writes."""
    body = "groups:\n"
    for name, uses in graph.items():
        body += f"  {name}:\n    - {{target: Nummer, from: part.number}}\n"
        for used, listed, depth in uses:
            each = ", each: part.parts, as: part" if listed else ""
            deep = f", depth: {depth}" if depth else ""
            body += f"    - {{target: Teile/Teil{each}, use: {used}{deep}}}\n"
    body += SENDER + "  - {target: Teil, each: shipment.parts, as: part, use: a}\n"
    endless = any(_leads(graph, used, name, {listed}) for name, uses in graph.items() for used, listed, _ in uses)
    with suppress(ConfigurationError):
        mapping = load(body)
        record = {"shipment": {"sender": FROM, "parts": nested(2)}}
        with suppress(RecordError):
            assert mapping.write(record) == mapping.interpreted(record)
    said = [one.message for one in check_mapping("teile", root) if one.code == "KB-M26"]
    circles = [one for one in said if not one.startswith("groups give more")]

    assert bool(circles) == (endless or _says_no_depth(graph))


def _leads(graph: dict[str, list[Any]], at: str, to: str, listed: set[bool], *, any_way: bool = False) -> bool:
    """Whether uses lead from one group to another, without any list unless any way will do."""
    if True in listed and not any_way:
        return False
    reached, waiting = set[str](), [at]
    while waiting:
        one = waiting.pop()
        if one == to:
            return True
        if one not in reached:
            reached.add(one)
            waiting += [used for used, is_list, _ in graph[one] if any_way or not is_list]
    return False


def _says_no_depth(graph: dict[str, list[Any]]) -> bool:
    uses = [(name, *use) for name, uses in graph.items() for use in uses]
    return any(
        listed and depth is None and _leads(graph, used, name, set(), any_way=True)
        for name, used, listed, depth in uses
    )


def test_an_example_is_refused_once_at_the_line_of_the_group(load: Load, root: Path, put: Put) -> None:
    """However many levels of it fail, and in the words of the level that fails first."""
    example = {"shipment": {"sender": FROM, "parts": nested(3, kind="zu lang")}}
    put("mappings/outbound/teile/examples/lang.input.json", json.dumps(example))
    put("mappings/codelists/art.csv", "from;to\na;A\n")
    kinds = "{target: Stufe, from: part.kind, codelist: art}"
    with suppress(ConfigurationError):
        load(
            PARTS.replace("{target: Stufe, const: A, when: {path: part.kind, equals: a}}", kinds).replace(
                "    - {target: Stufe, from: part.index, otherwise: true}\n", ""
            )
        )

    said = [one for one in check_whole("teile", root) if one.code == "KB-M24"]

    assert [(one.place.line - HEAD.count("\n"), one.rule) for one in said] == [(4, "Teil/Stufe")]


TREE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"teile": {"type": "array", "items": {"$ref": "#/$defs/teil"}}},
    "$defs": {
        "teil": {
            "type": "object",
            "additionalProperties": False,
            "required": ["nr"],
            "properties": {
                "nr": {"type": "string"},
                "teile": {"type": "array", "items": {"$ref": "#/$defs/teil"}},
            },
        }
    },
}
INTO_JSON = """\
name: baum
version: 1
direction: outbound
source: json shipment
roots: [shipment]
target: json baum
unused: [shipment.sender]
groups:
  teil:
    - {target: nr, from: part.number}
    - {target: teile, each: part.parts, as: part, use: teil, depth: 3}
rules:
  - {target: teile, each: shipment.parts, as: part, use: teil}
"""


def test_a_group_fills_json_as_well(root: Path, put: Put) -> None:
    """Trees into trees, and too deep is the same reason."""
    put("schemas/json/baum.schema.json", json.dumps(TREE))
    put("mappings/outbound/baum/mapping.yaml", INTO_JSON)
    mapping = load_mapping("baum", root)

    assert check_mapping("baum", root) == []
    written = mapping.write({"shipment": {"sender": FROM, "parts": nested(3)}})
    assert json.loads(written) == {"teile": [{"nr": "3", "teile": [{"nr": "2", "teile": [{"nr": "1"}]}]}]}
    with pytest.raises(RecordError, match="höchstens 3 Ebenen"):
        mapping.write({"shipment": {"sender": FROM, "parts": nested(4)}})


def test_a_record_is_read_by_a_group_straight(tmp_path: Path) -> None:
    """An overlay of a shipped mapping: its group stands in the place of the base's rules, and code is made of it."""
    for part in ("mappings", "schemas"):
        copytree(ROOT / part, tmp_path / part)
    file = tmp_path / "mappings/inbound/dort/mapping.yaml"
    file.parent.mkdir()
    file.write_text(
        "name: dort\nversion: 1\ndirection: inbound\nextends: decision-sheet\ngroups:\n  stimmen:\n"
        "    - {target: yes, from: zeile.ja, steps: [integer]}\n"
        "    - {target: no, from: zeile.nein, steps: [integer]}\n"
        "rules:\n  - {target: votes, from: item, as: zeile, use: stimmen}\n",
        "utf-8",
    )
    mapping, base = load_mapping("dort", tmp_path), load_mapping("decision-sheet", tmp_path)

    assert check_mapping("dort", tmp_path) == []
    told = [(one.target, one.source) for one in mapping.rule_lines]
    assert told == [(one.target, one.source) for one in base.rule_lines]
    assert {one.target for one in mapping.rule_lines if "/dort/" in one.file} == {"votes/yes", "votes/no"}
    assert ".get('ja')" in mapping.explain()
