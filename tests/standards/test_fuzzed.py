"""Schemas that nobody would write: mutated ones are read, or refused with file and line; never anything else.

`KIEZBRUECKE_FUZZ=5000` tries more of them than every run does, and others each time.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import check_mapping
from kiezbruecke.mapping.schema.targets import read_standard
from kiezbruecke.mapping.schema.tree import Group, Node
from kiezbruecke.mapping.schema.xsd import Schemas
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.standards import store
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping
from tests.standards.test_wild import PARTS, TOGETHER, schema

MORE = int(os.environ.get("KIEZBRUECKE_FUZZ", "0"))
XS = "{http://www.w3.org/2001/XMLSchema}"
LONGEST, LARGEST = 5.0, 500_000  # seconds of CPU, kilobytes
_FEATURES = {
    file.name: file.read_bytes() for file in sorted((Path(__file__).parents[1] / "mapping" / "data" / "xsd").glob("*"))
}
SEEDS = [
    _FEATURES,
    {"teile.xsd": schema(PARTS).encode()},
    *(
        {name: text.encode() if isinstance(text, str) else text for name, text in one.items()}
        for one in TOGETHER.values()
    ),
]
WORDS = [
    *("", " ", "0", "1", "2", "-1", "99999999999999999999", "unbounded", "true", "false", "#all", "##any", "##other"),
    *("xs:string", "xs:int", "xs:anyType", "xs:ID", "xs:QName", "xs:NOTATION", "xs:nichts", "t:Art", "Shape", "f:Old"),
    *("qualified", "unqualified", "required", "prohibited", "extension", "restriction", "list", "skip", "lax", "a b"),
    *("ä", "\u00a0", "x" * 300, "(a|b)*c", "[", r"\p{L}", r"\i\c*", "//@x", "f:A|f:B", "urn:t", "urn:x-test:f"),
    *("art.xsd", "bare.xsd", "..", "/", "file:///etc/passwd", "%", "%00", "urn:x"),
]
TAGS = [
    *(
        "element",
        "attribute",
        "complexType",
        "simpleType",
        "sequence",
        "choice",
        "all",
        "group",
        "attributeGroup",
        "any",
    ),
    *("anyAttribute", "restriction", "extension", "list", "union", "simpleContent", "complexContent", "enumeration"),
    *("pattern", "maxLength", "include", "import", "redefine", "override", "assert", "unique", "key", "keyref"),
    *("selector", "field", "annotation", "documentation", "appinfo", "notation", "schema", "unbekannt"),
]
KEYS = [
    *("name", "type", "ref", "base", "minOccurs", "maxOccurs", "use", "fixed", "default", "form", "abstract", "mixed"),
    *("substitutionGroup", "memberTypes", "itemType", "value", "block", "final", "nillable", "namespace", "xpath"),
    *("schemaLocation", "targetNamespace", "elementFormDefault", "processContents", "refer", "id", "xml:lang"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A content root for all examples, each of which clears it."""
    folder = tmp_path_factory.mktemp("fuzzed")
    patch = pytest.MonkeyPatch()
    patch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(folder / "content" / "store"))
    patch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)
    yield folder
    patch.undo()


@settings(
    max_examples=MORE or 120,
    derandomize=not MORE,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(number=st.integers(0, 2**32))
def test_a_mutated_schema_is_read_or_refused_in_one_line(place: Path, number: int) -> None:
    """Taken in, read as a tree, mapped and checked: no traceback, no hang, no flood."""
    dice = random.Random(number)
    content, given_files = _cleared(place), place / "given"
    for name, text in _mutated(dice, SEEDS[dice.randrange(len(SEEDS))]).items():
        (given_files / name).write_bytes(text)
    with _within_bounds():
        try:
            store.add(content, given_files, "probe", "1")
        except ConfigurationError as error:
            _is_one_line(error, given_files)
            return
        _used(content, dice)


def _is_one_line(error: ConfigurationError, given_files: Path) -> None:
    assert "\n" not in error.line()
    assert str(given_files) in error.where, error.line()
    assert re.search(r":\d+$", error.where) or Path(error.where) == given_files, error.line()
    assert "/kiezbruecke-schemas/" not in error.line()


def _used(content: Path, dice: random.Random) -> None:
    """What the workbench does with a schema; it may refuse it, too."""
    schemas = read_standard(content, "probe", "1")
    for name in schemas.roots()[:40]:
        _walk(schemas.root(name), 4, [200])
    if schemas.roots():
        with suppress(ConfigurationError):
            new_mapping(ScaffoldRequest("out", f"probe 1 {dice.choice(schemas.roots())}"), content)
            check_mapping("out", content)
    _two_judges(content, schemas)


def _two_judges(content: Path, schemas: Schemas) -> None:
    """A message with what is mandatory: libxml2 and xmlschema, written by other people, say the same of it."""
    names = sorted(store.manifest(content, "probe", "1").entries)  # type: ignore[union-attr]
    folder = content / "store" / "probe" / "1"
    if len(list(folder.iterdir())) > 1 or not names[0].endswith(".xsd"):
        return  # they find files by other ways
    try:
        other = xmlschema.XMLSchema10(str(folder / names[0]), allow="none")
    except Exception:  # noqa: BLE001 – what it refuses, and how, is not ours
        return
    for name in schemas.roots()[:40]:
        root = schemas.root(name)
        message = etree.Element(_tag(root))
        if root.abstract or not _filled(message, root, 12):
            continue
        try:
            store.validate(content, "probe", "1", etree.tostring(message))
            ours = True
        except RecordError:
            ours = False
        assert other.is_valid(message) is ours, etree.tostring(message)


def _filled(element: etree._Element, node: Node, depth: int) -> bool:
    """Writes the mandatory attributes and elements; False where there is no end or a type must be chosen."""
    if depth == 0 or node.abstract:
        return False
    for attribute in node.content.attributes:
        if attribute.minimum:
            element.set(_tag(attribute), attribute.fixed or _text(attribute))
    if node.leaf is not None:
        element.text = node.fixed or _text(node)
    return _group(element, node.content.group, depth)


def _group(element: etree._Element, group: Group, depth: int) -> bool:
    parts = [group.parts[0]] if group.kind == "choice" and group.parts else list(group.parts)
    for _ in range(min(group.minimum, 3)):
        for part in parts:
            if isinstance(part, Group):
                if not _group(element, part, depth - 1):
                    return False
            else:
                for _ in range(min(part.minimum, 3)):
                    if not _filled(etree.SubElement(element, _tag(part)), part, depth - 1):
                        return False
    return True


def _tag(node: Node) -> str:
    return f"{{{node.namespace}}}{node.local}" if node.namespace else node.local


def _text(node: Node) -> str:
    """A text that the leaf takes, if one of a few is."""
    assert node.leaf is not None
    for text in (*node.leaf.enumeration[:3], "", "a", "1", "2026-01-31", "true", "12:00:00", "abc", "YWJj"):
        with suppress(Unusable):
            node.leaf.judge(text)
            return text
    return "a"


def _walk(node: Node, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if depth and budget[0] > 0:
        for below in (*node.children.values(), *node.derived().values()):
            _walk(below, depth - 1, budget)
    if node.leaf is not None:
        with suppress(Unusable):
            node.leaf.judge("abc")


def _cleared(place: Path) -> Path:
    for folder in place.iterdir():
        shutil.rmtree(folder)
    for folder in ("given", "content/mappings/routes", "content/mappings/outbound", "content/schemas", "content/dags"):
        (place / folder).mkdir(parents=True)
    return place / "content"


@contextmanager
def _within_bounds() -> Iterator[None]:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - began < LONGEST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST


def _mutated(dice: random.Random, files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with one to three changes; most of them leave XML."""
    found = dict(files)
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        name = dice.choice(sorted(found))
        if dice.random() < 0.1:
            found[name] = _bytes(dice, found[name])
        else:
            with suppress(etree.XMLSyntaxError):
                root = etree.fromstring(found[name])
                _element(dice, root)
                found[name] = etree.tostring(root)
    return found


def _bytes(dice: random.Random, text: bytes) -> bytes:
    place = dice.randrange(len(text) + 1)
    match dice.randrange(4):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + dice.randbytes(2) + text[place:]
        case 2:
            return text[:place] + text[place + dice.randint(1, 30) :]
        case _:
            return text.decode("utf-8", "replace").encode(dice.choice(["utf-16", "latin-1", "utf-8-sig"]), "replace")


def _element(dice: random.Random, root: etree._Element) -> None:
    """Changes one element or attribute."""
    elements: list[Any] = [one for one in root.iter() if isinstance(one.tag, str)]
    one, other = dice.choice(elements), dice.choice(elements)
    match dice.randrange(8):
        case 0 if one is not root:
            one.getparent().remove(one)
        case 1 if one is not root and other not in list(one.iter()):
            other.append(etree.fromstring(etree.tostring(one, with_tail=False)))
        case 2 if one is not root and other not in list(one.iter()):
            other.insert(dice.randrange(len(other) + 1), one)
        case 3:
            one.tag = XS + dice.choice(TAGS)
        case 4 if one.attrib:
            del one.attrib[dice.choice(sorted(one.attrib))]
        case 5 if one.attrib:
            values = [value for each in elements for value in each.attrib.values()]
            one.set(dice.choice(sorted(one.attrib)), dice.choice([*values, *WORDS]))
        case 6:
            etree.SubElement(one, XS + dice.choice(TAGS)).set(dice.choice(KEYS[:-1]), dice.choice(WORDS))
        case _:
            one.set(dice.choice(KEYS[:-1]), dice.choice(WORDS))
