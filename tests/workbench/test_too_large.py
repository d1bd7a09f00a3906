"""Schemas that unroll to more than anybody can write rules for: one line at once, instead of hours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import check_mapping
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping

Put = Callable[[str, str], Path]

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:g" xmlns="urn:g">'
PLAIN = '<xs:element name="B" type="xs:string"/>'
RULES = "name: g\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: gross 1.0 R\nrules:\n"


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file into an empty content."""
    (tmp_path / "mappings/codelists").mkdir(parents=True)

    def write(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    return write


def _grown(last: str) -> str:
    """30 types of ten mandatory elements, each of the next type."""
    types = ""
    for level in range(30):
        below = f"T{level + 1}" if level < 29 else last
        parts = "".join(f'<xs:element name="E{part}" type="{below}"/>' for part in range(10))
        types += f'<xs:complexType name="T{level}"><xs:sequence>{parts}</xs:sequence></xs:complexType>'
    return types


def _root(kind: str, parts: str) -> str:
    return f'<xs:element name="R"><xs:complexType><xs:{kind}>{parts}</xs:{kind}></xs:complexType></xs:element>'


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (_grown("xs:string") + _root("sequence", '<xs:element name="A" type="T0"/>'), "more than 2,000, those in 'A'"),
        (
            _grown("E") + '<xs:complexType name="E"/>' + _root("sequence", '<xs:element name="A" type="T0"/>' + PLAIN),
            "more than 2,000, those in",
        ),
        (
            _root("sequence", '<xs:element name="A" type="xs:string" minOccurs="1000000" maxOccurs="unbounded"/>'),
            "'A' must stand 1,000,000 times; expected at most 200",
        ),
    ],
)
def test_a_new_mapping_for_too_many_places_is_refused(tmp_path: Path, put: Put, schema: str, told: str) -> None:
    """Mandatory places multiply with every level."""
    put("schemas/gross/1.0/profile.xsd", f"{HEAD}{schema}</xs:schema>")

    with pytest.raises(ConfigurationError) as error:
        new_mapping(ScaffoldRequest("g", "gross 1.0 R"), tmp_path)

    assert error.value.line().startswith("too many mandatory places to write them down: ")
    assert told in error.value.line()
    assert not (tmp_path / "mappings/outbound/g").exists()


def test_a_json_list_of_too_many_members_is_refused(tmp_path: Path, put: Put) -> None:
    """`minItems` is a number that anybody can write."""
    put(
        "schemas/json/gross.schema.json",
        '{"required": ["a"], "properties": {"a": {"type": "array", "minItems": 1000000000, "items": {}}}}',
    )

    with pytest.raises(ConfigurationError, match="'a' must stand 1,000,000,000 times; expected at most 200"):
        new_mapping(ScaffoldRequest("g", "json gross"), tmp_path)


@pytest.mark.parametrize("last", ["xs:string", "E"])
def test_check_does_not_walk_through_all_mandatory_places(tmp_path: Path, put: Put, last: str) -> None:
    """What is written by itself is that of the types, however often these stand: its namespaces, and that no rule
    is needed.
    """
    root = _root("sequence", '<xs:element name="A" type="T0"/>' + PLAIN)
    put("schemas/gross/1.0/profile.xsd", f'{HEAD}<xs:complexType name="E"/>{_grown(last)}{root}</xs:schema>')
    put("mappings/outbound/g/mapping.yaml", f"{RULES}- {{target: B, from: route.x}}\n")

    missing = [finding.rule for finding in check_mapping("g", tmp_path) if finding.code == "KB-M12"]
    assert missing == (["A"] if last == "xs:string" else [])
