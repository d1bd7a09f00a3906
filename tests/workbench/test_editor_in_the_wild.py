"""Editor schemas of large and recursive targets: small enough for an editor, and nothing right is underlined."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from kiezbruecke.mapping import check_mapping
from kiezbruecke.standards import store
from kiezbruecke.workbench.editor import LARGEST, editor_schema, write_editor_schema

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:a="urn:a" targetNamespace="urn:a"'
TREE = f"""<xs:schema {XS} elementFormDefault="qualified">
<xs:complexType name="Ast"><xs:sequence>
<xs:element name="Name" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
<xs:element name="Ast" type="a:Ast" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence><xs:attribute name="nr"/></xs:complexType>
<xs:element name="Baum" type="a:Ast"/></xs:schema>"""
Written = Callable[[str, str], Path]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Takes a schema in and writes a mapping for it; gives the content."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    for folder in ("mappings/routes", "schemas", "mappings/outbound/baum"):
        (tmp_path / folder).mkdir(parents=True)

    def written(schema: str, rules: str) -> Path:
        (tmp_path / "a.xsd").write_text(schema, "utf-8")
        store.add(tmp_path, tmp_path / "a.xsd", "probe", "1", force=True)
        head = "name: baum\nversion: 1\ndirection: outbound\nroots: [case, decision]\ntarget: probe 1 Baum\nrules:\n"
        (tmp_path / "mappings" / "outbound" / "baum" / "mapping.yaml").write_text(head + rules, "utf-8")
        return tmp_path

    return written


def _problems(schema: dict[str, Any], content: Path) -> list[str]:
    text = (content / "mappings" / "outbound" / "baum" / "mapping.yaml").read_text("utf-8")
    body = json.loads(json.dumps(YAML(typ="safe").load(text)))
    return [error.message for error in Draft7Validator(schema).iter_errors(body)]


EACH = "each: case.documents, as: doc"
RIGHT = {
    "a rule": f"- {{target: Name, {EACH}, from: doc.title}}",
    "a rule with a condition of its member": f"- {{target: Name, {EACH}, from: doc.title, when: doc.title}}",
    "a block": (
        f"- {{target: Ast, {EACH}, rules: [{{target: Name, from: doc.title}}, {{target: '@nr', from: doc.index}}]}}"
    ),
    "a block with a condition of its member": (
        f"- {{target: Ast, {EACH}, when: {{path: doc.title, equals: x}}, rules: [{{target: Name, from: doc.title}}]}}"
    ),
    "a block in blocks of its like": (
        f"- {{target: Ast, rules: [{{target: Ast/Ast, rules: [{{target: Ast/Ast/Ast, {EACH}, "
        "rules: [{target: Ast/Ast/Name, from: doc.title}]}]}]}"
    ),
    "a member from outside": (
        f"- {{target: Ast, {EACH}, rules: [{{target: Ast, rules: [{{target: Ast, rules: "
        "[{target: Name, from: doc.title, when: doc.title}]}]}]}"
    ),
    "two names in one place": (
        f"- {{target: Ast, {EACH}, rules: [{{target: Name, from: doc.title}}]}}\n"
        "- {target: 'Ast[2]', each: case.documents, as: akte, rules: [{target: Name, from: akte.title}]}"
    ),
    "a member in a member": (
        f"- {{target: Ast, {EACH}, rules: [{{target: 'Ast[2]', each: case.documents, as: zwei, rules: "
        "[{target: Name, from: zwei.title}, {target: '@nr', from: doc.title}]}]}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_what_check_takes_is_not_underlined(written: Written, case: str) -> None:
    """Targets that stand in their like as deep as the rules go, and every member by the name that `as` gives it."""
    content = written(TREE, RIGHT[case])

    assert [one.message for one in check_mapping("baum", content) if one.severity == "error"] == []
    assert _problems(editor_schema("baum", content), content) == []


@pytest.mark.parametrize("case", RIGHT)
def test_a_new_name_is_not_underlined_before_the_file_is_written_again(written: Written, case: str) -> None:
    """Whoever renames a member sees the old file's opinion until then."""
    schema = editor_schema("baum", written(TREE, RIGHT[case]))
    content = written(TREE, RIGHT[case].replace("doc.", "anlage.").replace("as: doc", "as: anlage"))

    assert _problems(schema, content) == []
    assert _problems(schema, written(TREE, "- {target: Name, from: anlage.title}")) != []


def _large(types: int, fields: int, codes: int) -> Iterator[str]:
    """Types of many fields, each with a long text, some of each other and some with long lists of codes."""
    said = "<xs:annotation><xs:documentation>" + "Was in diesem Feld steht, steht hier. " * 12
    said += "</xs:documentation></xs:annotation>"
    yield f'<xs:schema {XS} elementFormDefault="qualified"><xs:element name="Baum" type="a:T0"/>'
    for number in range(8):
        values = "".join(
            f'<xs:enumeration value="wert-{number}-{code}">{said}</xs:enumeration>' for code in range(codes)
        )
        yield f'<xs:simpleType name="L{number}"><xs:restriction base="xs:token">{values}'
        yield "</xs:restriction></xs:simpleType>"
    for number in range(types):
        yield f'<xs:complexType name="T{number}"><xs:sequence>'
        for place in range(fields):
            kind = f"T{(number * fields + place) % types}" if place % 3 == 0 else f"L{place % 8}"
            name = f"EinFeldMitLangemNamen{place}"
            yield f'<xs:element name="{name}" type="a:{kind}" minOccurs="0" maxOccurs="unbounded">{said}</xs:element>'
        yield "</xs:sequence></xs:complexType>"
    yield "</xs:schema>"


@pytest.mark.parametrize("codes", [40, 400])
def test_a_large_schema_makes_a_file_of_a_megabyte_at_most(written: Written, codes: int) -> None:
    """Long texts and lists of codes, in every place: what the rules fill stays open, with its own list or none."""
    fields = [f"EinFeldMitLangemNamen{number}" for number in range(24)]
    paths = [f"{above}/{below}" for above, below in product(fields[::3], fields[1::3])]
    rules = "\n".join(f"- {{target: {path}, const: wert-{int(path[-2:].strip('n')) % 8}-1}}" for path in paths)
    content = written("".join(_large(40, len(fields), codes)), rules)
    file = write_editor_schema("baum", content)

    assert file.stat().st_size <= LARGEST
    assert _problems(json.loads(file.read_text("utf-8")), content) == []
