"""What a schema may cost is measured before anything unrolls it."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.simple import leaf_of
from kiezbruecke.mapping.schema.xsd import Schemas
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.standards import store
from kiezbruecke.standards.validate import validator

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
LEVELS = 40


def _doubling(kind: str, reference: str, bottom: str) -> str:
    """Every level names the one below it twice."""
    levels = "".join(
        f'<xs:{kind} name="g{level}">{reference.format(level - 1)}</xs:{kind}>' for level in range(1, LEVELS)
    )
    return f'<xs:{kind} name="g0">{bottom}</xs:{kind}>{levels}'


GROUPS = (
    _doubling(
        "group",
        '<xs:sequence><xs:group ref="g{0}"/><xs:group ref="g{0}"/></xs:sequence>',
        '<xs:sequence><xs:element name="a"/></xs:sequence>',
    )
    + f'<xs:element name="M"><xs:complexType><xs:group ref="g{LEVELS - 1}"/></xs:complexType></xs:element>'
)
UNIONS = (
    _doubling("simpleType", '<xs:union memberTypes="g{0} g{0}"/>', '<xs:restriction base="xs:string"/>')
    + f'<xs:element name="M" type="g{LEVELS - 1}"/>'
)


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty content root with a store of its own."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    (tmp_path / "mappings" / "routes").mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    return tmp_path


@pytest.mark.parametrize("body", [GROUPS, UNIONS], ids=["groups", "unions"])
def test_what_doubles_with_every_level_is_refused_before_it_is_written_out(content: Path, body: str) -> None:
    """32 levels of groups never ended, 18 took 175 MB."""
    file = content / "a.xsd"
    file.write_text(f"<xs:schema {XS}>{body}</xs:schema>")
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for read in (lambda: store.add(content, file, "probe", "1"), lambda: Schemas.read(file)):
        with pytest.raises(ConfigurationError, match=r"a\.xsd:1: 'g\d+' is too large when it is written out"):
            read()
    assert time.monotonic() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_types_of_one_name_in_many_namespaces_are_told_apart(tmp_path: Path) -> None:
    """Ten versions in one folder: five steps of ten elements each were taken for 100,000 of every version's."""
    steps = ""
    for step in range(1, 6):
        own = "".join(f'<xs:element name="e{step}_{number}"/>' for number in range(10))
        steps += (
            f'<xs:complexType name="T{step}"><xs:complexContent><xs:extension base="T{step - 1}">'
            f"<xs:sequence>{own}</xs:sequence></xs:extension></xs:complexContent></xs:complexType>"
        )
    for version in range(10):
        imports = "".join(f'<xs:import namespace="urn:{other}"/>' for other in range(10) if other != version)
        body = f'{imports}<xs:complexType name="T0"/>{steps}<xs:element name="M{version}" type="T5"/>'
        head = f'xmlns="urn:{version}" targetNamespace="urn:{version}"'
        (tmp_path / f"v{version}.xsd").write_text(f"<xs:schema {XS} {head}>{body}</xs:schema>")

    schemas = Schemas.read(tmp_path / "v0.xsd")

    assert len(schemas.roots()) == 10
    assert len(schemas.root("M7").children) == 50


def test_many_roots_are_told_apart_in_their_own_time(tmp_path: Path) -> None:
    """20,000 of them took 4 s, three times as many half a minute: each was counted among all."""
    roots = "".join(f'<xs:element name="e{number}" type="xs:int"/>' for number in range(20_000))
    file = tmp_path / "a.xsd"
    file.write_text(f'<xs:schema {XS} targetNamespace="urn:x">{roots}</xs:schema>')
    began = time.process_time()

    assert len(Schemas.read(file).roots()) == 20_000
    assert time.process_time() - began < 2


OPTIONAL = "".join(f'<xs:element name="e{number}" type="xs:int" minOccurs="0"/>' for number in range(3000))
STANDING = "".join(f'<xs:element name="e{number}" substitutionGroup="h" type="xs:int"/>' for number in range(1500))
CHAIN = "".join(f'<xs:element name="e{number}" substitutionGroup="e{number - 1}"/>' for number in range(1, 1500))
MANY = {
    "parts that may be left out": (
        f'<xs:element name="M"><xs:complexType><xs:sequence>{OPTIONAL}</xs:sequence></xs:complexType></xs:element>',
        "has 3,000 parts that may be left out; expected at most 1,000",
    ),
    "elements that stand for a head in every place": (
        f'<xs:element name="h" abstract="true"/>{STANDING}<xs:element name="M"><xs:complexType><xs:sequence>'
        + "".join(f'<xs:element ref="h"/><xs:element name="s{number}"/>' for number in range(40))
        + "</xs:sequence></xs:complexType></xs:element>",
        "is too large when it is written out",
    ),
    "wildcards for every element": (
        f'<xs:element name="h" abstract="true"/>{STANDING}<xs:element name="M"><xs:complexType><xs:sequence>'
        + "".join(
            f'<xs:any namespace="##other" processContents="lax"/><xs:element name="s{number}"/>' for number in range(40)
        )
        + "</xs:sequence></xs:complexType></xs:element>",
        "is too large when it is written out",
    ),
    "elements that stand for one another": (
        f'<xs:element name="e0" type="xs:int"/>{CHAIN}',
        "stands for an element that stands for another, and so on; expected at most 100",
    ),
}


@pytest.mark.parametrize("case", MANY)
def test_what_takes_libxml2_or_us_too_long_is_refused_before_it_begins(content: Path, case: str) -> None:
    """3,000 optional parts took libxml2 a minute, 1,500 heads of heads ended in a traceback."""
    body, told = MANY[case]
    file = content / "a.xsd"
    file.write_text(f"<xs:schema {XS}>{body}</xs:schema>")
    began = time.process_time()

    with pytest.raises(ConfigurationError, match=rf"a\.xsd:1: .*{told}"):
        store.add(content, file, "probe", "1")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "pattern", ["(a|aa)+b", "(x+x+)+y", "((a{1,20}){1,20}){1,20}b", "(ab|abab)+c", r"(\d|\d\d)+x", "a" * 3000]
)
def test_a_pattern_that_fits_in_many_ways_is_not_taken(content: Path, pattern: str) -> None:
    """libxml2 tries them all, gives up after a second or two, and raises instead of judging."""
    (content / "a.xsd").write_text(_with_pattern(pattern))

    with pytest.raises(ConfigurationError, match=r"a\.xsd:1: the pattern .* may need for ever"):
        store.add(content, content / "a.xsd", "probe", "1")


@pytest.mark.parametrize("pattern", ["[0-9a-f]{8}(-[0-9a-f]{4}){3}", r"[\w.\-]+(\.[\w\-]+)*", r"(\p{L}|\d)+", "a|b|ab"])
def test_a_pattern_that_fits_in_one_way_is_taken(content: Path, pattern: str) -> None:
    (content / "a.xsd").write_text(_with_pattern(pattern))

    assert store.add(content, content / "a.xsd", "probe", "1").entries == ("a.xsd",)


def test_a_text_that_libxml2_cannot_judge_is_set_aside(content: Path) -> None:
    """A profile of ours may hold such a pattern: nothing is sent that nobody has checked."""
    folder = content / "schemas" / "probe" / "1"
    folder.mkdir(parents=True)
    (folder / "profile.xsd").write_text(_with_pattern("(a|aa)+b"))
    from lxml import etree

    message = etree.fromstring(f"<v>{'a' * 200}</v>")
    judge = validator(content, "probe", "1")
    assert judge is not None

    assert judge.problems(message) == [
        "Wurzel, Zeile 1: das Schema lässt sich nicht prüfen (etwa wegen eines mehrdeutigen Musters)"
    ]
    simple = etree.fromstring(_with_pattern("(a|aa)+b"))[0][0]
    with pytest.raises(Unusable, match="lässt sich mit dem Muster des Feldes nicht prüfen"):
        leaf_of(simple).judge("a" * 200)


def _with_pattern(pattern: str) -> str:
    simple = f'<xs:restriction base="xs:string"><xs:pattern value="{pattern}"/></xs:restriction>'
    return f'<xs:schema {XS}><xs:element name="v"><xs:simpleType>{simple}</xs:simpleType></xs:element></xs:schema>'
