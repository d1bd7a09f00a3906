"""Every YAML block in the docs is checked like the file it stands for.

A comment above the block says what that is, such as `<!-- rules of commitment-hkr -->`: see `CHECKS`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from ruamel.yaml import YAML

from kiezbruecke.content.processes import read_code_lists, read_process
from kiezbruecke.content.routes import places_of, read_route
from kiezbruecke.drift.fingerprint import fingerprint_file, read_fingerprint
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import check_mapping, load_mapping, mapping_names
from kiezbruecke.mapping.codelists.checking import check_list
from kiezbruecke.standards.adding import add
from kiezbruecke.workbench.moves import read_moves

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "mappings", "schemas", "demo", "benchmarks", "connectors")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
WALKED = {  # as a whole, by tests/test_tutorial.py, test_docs.py, pipeline/test_webhook.py, connectors/hkr_file
    "docs/how-to/another-finance-system.md",
    "docs/tutorial/first-mapping.md",
    "docs/how-to/own-sources.md",
    "docs/how-to/shapes.md",
    "docs/how-to/tables.md",
    "docs/how-to/webhook.md",
}
BLOCK = re.compile(r"(?:^ *<!-- ([^\n]*) -->\n)?^( *)```ya?ml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def _blocks(page: Path) -> list[tuple[str, str]]:
    """Marker and text of a page's YAML blocks, without those of a page that is walked as a whole."""
    found = [(marker, dedent(text)) for marker, _, text in BLOCK.findall(page.read_text("utf-8"))]
    if str(page.relative_to(ROOT)) in WALKED:
        return [(marker, text) for marker, text in found if not marker.startswith(("file: ", "part of: "))]
    return found


BLOCKS = [
    pytest.param(marker, text, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, (marker, text) in enumerate(_blocks(page), start=1)
]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped content, with the list of areas that the pages have their reader write for Lichtenberg."""
    content = tmp_path_factory.mktemp("content")
    for folder in ("mappings", "schemas"):
        shutil.copytree(ROOT / folder, content / folder)
    lists = content / "mappings/codelists"
    shutil.copy(lists / "bezirksregionen-tk.csv", lists / "bezirksregionen-li.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KIEZBRUECKE_STATE", raising=False)
        patch.delenv("KIEZBRUECKE_SCHEMA_STORE", raising=False)
        add(content, _written(content / "example.xsd", EXAMPLE), "example", "1.0")
    return content


@pytest.mark.parametrize(("marker", "text"), BLOCKS)
def test_every_yaml_block_is_what_it_says(marker: str, text: str, shipped: Path) -> None:
    """People copy them. A block that does not say what it is would be checked by nobody."""
    known = next((kind for kind in CHECKS if marker == kind or marker.startswith(f"{kind} ")), None)

    assert known, f"a YAML block needs a comment above it, one of: {', '.join(CHECKS)}"
    assert CHECKS[known](shipped, text, marker) == []


def _mapping(content: Path, text: str, _: str = "") -> list[str]:
    body = YAML(typ="safe", pure=True).load(text)
    folder = content / "mappings" / body["direction"] / body["name"]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "mapping.yaml"
    before = file.read_text("utf-8") if file.exists() else None
    file.write_text(text, "utf-8")
    try:
        return [finding.line() for finding in check_mapping(body["name"], content) if finding.severity == "error"]
    finally:
        if before is None:
            shutil.rmtree(folder)
        else:
            file.write_text(before, "utf-8")


def _shortened(content: Path, text: str, _: str) -> list[str]:
    return _mapping(content, f"{text}abstract: true\n")


def _rules(content: Path, text: str, marker: str) -> list[str]:
    """On top of the mapping that the marker names, as an overlay would stand there."""
    base = marker.removeprefix("rules of ")
    if base not in mapping_names(content):
        return [f"no mapping is called '{base}'"]
    direction = next(one for one in ("inbound", "outbound") if (content / "mappings" / one / base).is_dir())
    head = f"name: {base}-docs\nversion: 1\ndirection: {direction}\nextends: {base}\nrules:\n"
    return _mapping(content, head + indent(text, "  "))


def _route(content: Path, text: str, _: str) -> list[str]:
    file = content / f"{_name(text, 'name')}.yaml"
    route = _read(lambda: read_route(_written(file, text)))
    if isinstance(route, str):
        return [route]
    named = [route.mapping] if isinstance(route.mapping, str) else route.mapping
    return [f"no mapping is called '{one}'" for one in named if one not in mapping_names(content)]


def _process(content: Path, text: str, _: str) -> list[str]:
    name = _name(text, "id")
    file = _written(content / "mappings/processes" / f"{name}.yaml", text)
    try:
        found = [_read(lambda: read_process(content, name)), _read(lambda: read_code_lists(content, name))]
        found += [_read(place.read) for place in places_of(content, name)]
    finally:
        file.unlink()
    return [one for one in found if isinstance(one, str)]


def _code_list(content: Path, text: str, _: str) -> list[str]:
    file = _written(content / "mappings/codelists/of-the-docs.yaml", text)
    found = check_list(content, file.name, [], date(2026, 11, 23))
    return [finding.line() for finding in found if finding.severity == "error"]


def _moves(content: Path, text: str, _: str) -> list[str]:
    _written(content / "schemas/a-standard/2.0/moves.yaml", text)
    old = _name(text, "from")
    found = _read(lambda: read_moves(content, "a-standard", old, "2.0"))
    return [found] if isinstance(found, str) else [] if found.pairs else ["no moves are read"]


def _fingerprint(content: Path, text: str, _: str) -> list[str]:
    mapping = load_mapping("case-xdomea-0401", content)
    _written(fingerprint_file(mapping, content), text)
    found = _read(lambda: read_fingerprint(mapping, content))
    return [found] if isinstance(found, str) else [] if found.places else ["no places are read"]


EXAMPLE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x-example" targetNamespace="urn:x-example" elementFormDefault="qualified">
  <xs:element name="Drawing"><xs:complexType><xs:sequence><xs:element name="Shape" type="Shape"/></xs:sequence></xs:complexType></xs:element>
  <xs:complexType name="Shape" abstract="true"/>
  <xs:complexType name="Circle"><xs:complexContent><xs:extension base="Shape">
    <xs:sequence><xs:element name="Radius" type="xs:decimal"/></xs:sequence>
  </xs:extension></xs:complexContent></xs:complexType>
  <xs:element name="Grant"><xs:complexType><xs:sequence><xs:element name="EndDate" type="xs:date" nillable="true"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="Notice"><xs:complexType><xs:sequence>
    <xs:element name="Art" type="xs:string" minOccurs="0"/>
    <xs:element name="Partei" minOccurs="0"><xs:complexType><xs:choice>
      <xs:element name="Person" type="xs:string"/><xs:element name="Organisation" type="xs:string"/>
    </xs:choice></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
  <xs:complexType name="Address"><xs:sequence><xs:element name="Street" type="xs:string"/><xs:element name="Town" type="xs:string"/></xs:sequence></xs:complexType>
  <xs:complexType name="Part"><xs:sequence>
    <xs:element name="Number" type="xs:string"/><xs:element name="Part" type="Part" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType>
  <xs:element name="Delivery"><xs:complexType><xs:sequence>
    <xs:element name="Sender" type="Address"/><xs:element name="Receiver" type="Address"/>
    <xs:element name="Part" type="Part" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""  # noqa: E501 - the schema that docs/how-to/{schemas,mapping}.md speak of without showing it


def _unseen(content: Path, text: str, marker: str) -> list[str]:
    """A whole mapping for a root of the schema that the page speaks about."""
    target = re.sub(r"^(rules|header) for ", "", marker)
    name = target.split()[-1].lower()
    rules = text if marker.startswith("rules") else "- {target: EndDate, from: route.ends_on}"
    header = text if marker.startswith("header") else ""
    head = f"name: {name}\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: {target}\n{header}rules:\n"
    return _mapping(content, head + indent(rules, "  "))


CHECKS: dict[str, Callable[[Path, str, str], list[str]]] = {
    "mapping": _mapping,
    "mapping, shortened": _shortened,
    "rules of": _rules,
    "rules for": _unseen,
    "header for": _unseen,
    "route": _route,
    "process": _process,
    "code list": _code_list,
    "moves table": _moves,
    "fingerprint, shortened": _fingerprint,
}


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def _name(text: str, key: str) -> str:
    return str(YAML(typ="safe", pure=True).load(text)[key])


def _read(reading: Callable[[], Any]) -> Any:
    """What is read, or the line that says why not."""
    try:
        return reading()
    except ConfigurationError as error:
        return error.line()
