"""Editor schemas: what they offer, what they let pass, and how large they are."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from kiezbruecke.content import find_state
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import mapping_names
from kiezbruecke.mapping.language.findings import ACCEPTABLE
from kiezbruecke.mapping.language.reading import HEADER, RULE
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.workbench.editor import DEPTH, editor_file, editor_line, editor_schema, write_editor_schema
from kiezbruecke.workbench.language_schema import HEADER_WORDS, RULE_WORDS, general_schema
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping

ROOT = Path(__file__).parents[2]
PAIN = ROOT.parent / "shared" / "standards" / "iso20022" / "pain.001.001.09.xsd"
FILES = {file.parent.name: file for file in (ROOT / "mappings").glob("*bound/*/mapping.yaml")}
XDOMEA = "case-xdomea-0401"


def _body(file: Path) -> Any:
    """The mapping as an editor sees it: plain values."""
    return json.loads(json.dumps(YAML(typ="safe").load(file.read_text("utf-8")), default=str))


def _problems(schema: dict[str, Any], body: Any) -> list[str]:
    return [error.message for error in Draft7Validator(schema).iter_errors(body)]


def _offered(schema: dict[str, Any], rules: dict[str, Any], key: str) -> dict[str, str]:
    """What is completed for a key of a rule, with its description."""
    given = rules["items"]["properties"][key]
    if "$ref" in given:
        given = schema["definitions"][given["$ref"].rpartition("/")[2]]
    return {one["const"]: one.get("description", "") for one in given["anyOf"] if "const" in one}


def _block(schema: dict[str, Any], rules: dict[str, Any], target: str) -> dict[str, Any]:
    """The rules of a block, as the server chooses them by the block's target."""
    for choice in (one for one in rules["items"]["allOf"] if "then" in one):
        wanted = choice["if"]["properties"]["target"]["pattern"]
        if "rules" in choice["then"]["properties"] and re.match(wanted, target):
            found: dict[str, Any] = schema["definitions"][
                choice["then"]["properties"]["rules"]["$ref"].rpartition("/")[2]
            ]
            return found
    raise AssertionError(target)


def _rules(body: Any) -> Iterator[Any]:
    for rule in body:
        yield rule
        yield from _rules(rule.get("rules", []))


def _whole(body: Any) -> Any:
    """With what an overlay takes over from its base."""
    return {**_whole(_body(FILES[body["extends"]])), **body} if "extends" in body else body


@pytest.mark.parametrize("name", mapping_names(ROOT))
def test_every_shipped_mapping_fits_its_own_schema(name: str) -> None:
    """An editor that underlines what is right is switched off."""
    schema = editor_schema(name, ROOT)

    Draft7Validator.check_schema(schema)
    assert _problems(schema, _body(FILES[name])) == []


@pytest.mark.parametrize("name", mapping_names(ROOT))
@pytest.mark.parametrize("key", ["target", "from"])
def test_a_wrong_path_is_underlined_in_every_rule(name: str, key: str) -> None:
    """On both sides, and as deep as the blocks go."""
    schema, body = editor_schema(name, ROOT), _body(FILES[name])
    roots = set(_whole(body)["roots"]) - {"item", "route"}
    passed = []
    for rule in _rules(body["rules"]):
        right = rule.get(key)
        if right is None or (key == "from" and right.split(".")[0] not in roots):
            continue
        rule[key] = f"{right}x"
        if not _problems(schema, body):
            passed.append(rule[key])
        rule[key] = right

    assert passed == []


def test_targets_are_offered_relative_to_their_block() -> None:
    """With what the schema says about them; the language server reads `const` and `description`."""
    schema = editor_schema(XDOMEA, ROOT)
    top = schema["definitions"]["rules"]
    inner = _block(schema, top, "Schriftgutobjekt/Vorgang")
    dokument = _block(schema, _block(schema, inner, "DokumentOderDokumentMitSchriftstueck"), "Dokument")

    assert _offered(schema, top, "target")["Empfangsbestaetigung"].startswith("mandatory; boolean")
    assert "AllgemeineMetadaten/Betreff" in _offered(schema, inner, "target")
    assert "Version/Format/Primaerdokument/Hash/Wert" in _offered(schema, dokument, "target")
    assert "Betreff" not in _offered(schema, dokument, "target")


def test_the_schemas_documentation_stands_beside_the_target() -> None:
    """HKR's schema is documented in German; its codes are offered as constants."""
    schema = editor_schema("commitment-hkr", ROOT)
    rules = schema["definitions"]["rules"]
    choices = [choice for choice in rules["items"]["allOf"] if "const" in choice.get("then", {}).get("properties", {})]
    codes = next(one for one in choices if re.match(one["if"]["properties"]["target"]["pattern"], "Art"))
    offered = schema["definitions"][codes["then"]["properties"]["const"]["$ref"].rpartition("/")[2]]["anyOf"]

    assert _offered(schema, rules, "target")["Betrag"].startswith("Betrag in Euro.")
    assert {"const": "FESTLEGUNG", "description": "Mittel werden für einen Zweck festgelegt."} in offered


def test_members_are_offered_inside_their_block_only() -> None:
    """`document` is what `each` calls a member of case.documents."""
    schema = editor_schema(XDOMEA, ROOT)
    top = schema["definitions"]["rules"]
    vorgang = _block(schema, top, "Schriftgutobjekt/Vorgang")
    documents = _block(schema, vorgang, "DokumentOderDokumentMitSchriftstueck")

    assert {"document.title", "document.index", "case.title"} <= _offered(schema, documents, "from").keys()
    assert "document.title" not in _offered(schema, vorgang, "from")
    assert _offered(schema, top, "from")["decision.approved_amount"] == "decimal; may be empty"


def test_ordinals_pass_where_something_repeats() -> None:
    """`Feld[17]/Wert` is a target, `Betreff[2]` is none; `case.documents[2].title` is a source."""
    schema, body = editor_schema(XDOMEA, ROOT), _body(FILES[XDOMEA])
    extension = "Schriftgutobjekt/Vorgang/AnwendungsspezifischeErweiterung"
    right = {"target": f"{extension}/Feld[17]/Wert", "from": "case.documents[2].title"}
    wrong = {"target": "Schriftgutobjekt/Vorgang/AllgemeineMetadaten/Betreff[2]", "from": "case.title"}

    assert _problems(schema, {**body, "rules": [right]}) == []
    assert _problems(schema, {**body, "rules": [wrong]}) != []


def test_a_new_block_may_name_its_members() -> None:
    """Nobody knows a new `as` until the schema is written again; known roots keep their fields."""
    schema, body = editor_schema("commitment-hkr", ROOT), _body(FILES["commitment-hkr"])
    block = {"target": "Empfaenger", "rules": [{"target": "Name", "from": "someone.name"}]}
    wrong = {"target": "Empfaenger", "rules": [{"target": "Name", "from": "case.titel"}]}

    assert _problems(schema, {**body, "rules": [block]}) == []
    assert _problems(schema, {**body, "rules": [wrong]}) != []


@pytest.mark.official
def test_an_official_schema_is_opened_in_part(content: Path) -> None:
    """Used and opened subtrees with some levels below, always less than a megabyte."""
    if not PAIN.is_file():
        pytest.skip("no official pain.001")
    folder = content / "schemas" / "iso20022" / "pain.001.001.09"
    folder.mkdir(parents=True)
    shutil.copy(PAIN, folder / "profile.xsd")
    payment = "CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf"
    new_mapping(ScaffoldRequest("zahlung", "iso20022 pain.001.001.09 Document"), content)
    plain = editor_schema("zahlung", content, depth=1)
    opened = editor_schema("zahlung", content, (f"{payment}/Cdtr",), depth=1)
    sizes = [write_editor_schema("zahlung", content, depth=depth).stat().st_size for depth in range(6)]
    before, after = (_offered(one, one["definitions"]["rules"], "target") for one in (plain, opened))

    assert f"{payment}/Cdtr/Nm" not in before
    assert f"{payment}/Cdtr/Nm" in after
    assert "--open" in opened["description"]
    assert max(sizes) <= 1_000_000


def test_the_schema_lies_where_the_mapping_says(content: Path) -> None:
    """Generated and never in git; the mapping names it relative to itself."""
    file = new_mapping(ScaffoldRequest("neu", "table status-list"), content)
    written = write_editor_schema("neu", content)
    first = file.read_text("utf-8").splitlines()[0]
    path = first.removeprefix("# yaml-language-server: $schema=")

    assert first == editor_line(file.parent, content)
    assert (file.parent / path).resolve() == written.resolve() == editor_file("neu", content).resolve()
    assert written.is_relative_to(find_state(content))
    assert json.loads(written.read_text("utf-8")) == editor_schema("neu", content, (), DEPTH)


def test_a_half_written_mapping_has_a_schema(content: Path) -> None:
    """It is needed most while rules are being typed."""
    file = content / "mappings" / "outbound" / "case-statusliste" / "mapping.yaml"
    file.write_text(file.read_text("utf-8") + "  - target: stand_vom\n", "utf-8")

    schema = editor_schema("case-statusliste", content)

    assert "stand_vom" in _offered(schema, schema["definitions"]["rules"], "target")


def test_an_unknown_place_to_open_is_refused() -> None:
    """With the nearest name."""
    with pytest.raises(ConfigurationError, match="did you mean 'Empfaenger'"):
        editor_schema("commitment-hkr", ROOT, ("Empfanger",))


def test_only_what_may_be_accepted_is_offered() -> None:
    """An error is never silent; who completed KB-M12 had one more finding."""
    offered = editor_schema(XDOMEA, ROOT)["definitions"]["accept"]["properties"]

    assert offered.keys() == ACCEPTABLE
    assert not {"KB-M01", "KB-M07", "KB-M12", "KB-M20", "KB-M24"} & offered.keys()


def test_every_key_and_step_has_a_sentence() -> None:
    """A key that the language learns must be explained here as well."""
    schema = general_schema()
    steps = json.dumps(schema["definitions"]["step"], ensure_ascii=False)

    Draft7Validator.check_schema(schema)
    assert set(HEADER) - HEADER_WORDS.keys() == set()
    assert set(RULE) - RULE_WORDS.keys() == set()
    assert [name for name in STEPS if f'"{name}"' not in steps] == []


@pytest.mark.parametrize("name", mapping_names(ROOT))
def test_the_general_schema_takes_every_mapping(name: str) -> None:
    """For editors that are set up for all mappings at once."""
    body = _body(FILES[name])

    assert _problems(general_schema(), body) == []
    assert _problems(general_schema(), {**body, "rulez": []}) != []
