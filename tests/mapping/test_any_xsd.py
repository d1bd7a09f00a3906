"""Schemas that nobody here has seen: each feature of XSD 1.0 is written by rules and validated by lxml."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.mapping.schema.targets import find_target, read_standard
from kiezbruecke.mapping.schema.tree import Node, nodes
from kiezbruecke.mapping.schema.xsd import Schemas
from kiezbruecke.standards import store

DATA = Path(__file__).parent / "data" / "xsd"
OFFICIAL = Path(__file__).parents[3] / "shared" / "standards"
SETS = [  # what `schemas add` is given: a folder, or the file that the schema begins with
    *(f"xdomea/{version}/xdomea.xsd" for version in ("3.0.0", "3.1.0")),
    "xdomea/4.0.0",
    "xta/2.1.1",
    "xoev-code/1.0",
    "xdomea/xoev",
    "din91379/2022-08",
    *(f"iso20022/{name}.xsd" for name in ("pain.001.001.09", "pain.002.001.10", "camt.029.001.09", "camt.052.001.08")),
    *(f"iso20022/{name}.xsd" for name in ("camt.053.001.08", "camt.054.001.08", "camt.055.001.08")),
]
F, P = "{urn:x-test:f}", "{urn:x-test:p}"
XSD = "http://www.w3.org/2001/XMLSchema"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
Put = Callable[[str, str], Path]
Write = Callable[..., etree._Element]


@pytest.fixture
def strange(content: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A content root that has taken in our little schemas as official files; there is no profile."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(content / "store"))
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)
    store.add(content, DATA, "fea.tures", "001.01")
    return content


@pytest.fixture
def rules(strange: Path, put: Put) -> Callable[..., None]:
    """Writes a mapping for a root element; the header may say more."""

    def given(root: str, text: str, head: str = "") -> None:
        header = f"name: out\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: fea.tures 001.01 {root}\n"
        put("mappings/outbound/out/mapping.yaml", f"{header}{head}rules:\n{text}")

    return given


@pytest.fixture
def write(strange: Path, rules: Callable[..., None]) -> Write:
    """Writes a message, and has it validated by lxml against the official files."""

    def with_rules(root: str, text: str, head: str = "", **route: Any) -> etree._Element:
        rules(root, text, head)
        payload = load_mapping("out", strange).write({"route": route})
        store.validate(strange, "fea.tures", "001.01", payload)
        return etree.fromstring(payload)

    return with_rules


def _findings(content: Path) -> list[str]:
    return [
        f"{one.place.line} {one.code} {one.message}" for one in check_mapping("out", content) if one.severity == "error"
    ]


def _tags(root: etree._Element) -> str:
    return " ".join(etree.QName(child).localname for child in root)


def test_two_of_one_name_are_told_apart_by_prefix(write: Write) -> None:
    """Both write the prefix that the schema uses; xml:lang needs no file and no declaration."""
    text = "- {target: 'f:Name', from: route.a}\n- {target: 'p:Name', from: route.b}\n- {target: '@lang', const: de}\n"
    text += "- {target: '@p:mark', const: m}\n"
    root = write("Twins", text, a="1", b="2")

    assert [child.tag for child in root] == [f"{F}Name", f"{P}Name"]
    assert root.nsmap == {"fea.tures": "urn:x-test:f", "p": "urn:x-test:p"}
    assert root.get(f"{P}mark") == "m"


def test_only_namespaces_that_can_be_written_are_declared(write: Write) -> None:
    """A message about a cat says nothing of parts."""
    assert write("Zoo", "- {target: cat, from: route.a}\n", a="x").nsmap == {"fea.tures": "urn:x-test:f"}


def test_the_header_chooses_the_prefix(write: Write) -> None:
    """Banks want a default namespace."""
    text = "- {target: cat, from: route.a}\n"

    assert write("Zoo", text, 'prefix: ""\n', a="x").nsmap == {None: "urn:x-test:f"}
    assert write("Zoo", text, "prefix: z\n", a="x").nsmap == {"z": "urn:x-test:f"}


def test_a_prefix_that_cannot_be_is_a_finding(strange: Path, rules: Callable[..., None]) -> None:
    """An element without a namespace would fall into the default namespace."""
    rules("Shapes", "- {target: Shape, type: Square, rules: [{target: side, from: route.a}]}\n", 'prefix: ""\n')
    found = _findings(strange)
    rules("Zoo", "- {target: cat, from: route.a}\n", 'prefix: "1x"\n')

    assert found == ["6 KB-M03 'side' is in no namespace, so the message cannot have a default namespace"]
    assert _findings(strange) == ["6 KB-M03 '1x' is no prefix"]


def test_a_restriction_narrows_fixes_and_prohibits(write: Write, strange: Path, rules: Callable[..., None]) -> None:
    """What is fixed and mandatory writes itself; what is prohibited is no target."""
    root = write("Narrow", "- {target: A, from: route.a}\n", a="only")
    rules("Narrow", '- {target: "@x", const: 1}\n')

    assert (root[0].text, dict(root.attrib)) == ("only", {"y": "1"})
    assert _findings(strange) == ["7 KB-M07 'Narrow' has no '@x'"]


def test_mixed_content_may_hold_text_or_not(write: Write) -> None:
    """Its text is no duty."""
    assert write("Mixed", "- {target: ., from: route.a}\n- {target: B, from: route.b}\n", a="x", b="y").text == "x"
    assert write("Mixed", "- {target: B, from: route.b}\n", b="y").text is None


def test_a_name_that_stands_twice_is_numbered(write: Write) -> None:
    """A?, B, A: one value belongs to the mandatory place."""
    text = "- {target: A, from: route.a}\n- {target: 'A[2]', from: route.c}\n- {target: B, from: route.b}\n"

    assert _tags(write("Thrice", text, a="1", b="2", c="3")) == "A B A"
    assert _tags(write("Thrice", text, a="1", b="2")) == "B A"


def test_all_is_written_in_the_schema_order(write: Write) -> None:
    """Any order is allowed; ours is the same every time."""
    assert _tags(write("Everything", "- {target: A, const: a}\n- {target: B, from: route.b}\n", b="y")) == "B A"


def test_groups_in_choices_keep_together(write: Write) -> None:
    """(A, B)+ or C (D E?)?."""
    pairs = "- {target: A, each: route.many, as: one, from: one.a}\n"
    pairs += "- {target: B, each: route.many, as: one, from: one.b}\n"
    nested = "- {target: C, from: route.a}\n- {target: D, from: route.b}\n- {target: E, from: route.c}\n"

    assert _tags(write("Pairs", pairs, many=[{"a": "1", "b": "2"}, {"a": "3", "b": "4"}])) == "A B A B"
    assert _tags(write("Pairs", nested, a="1")) == "C"
    assert _tags(write("Pairs", nested, a="1", b="2", c="3")) == "C D E"


def test_what_belongs_together_stays_together(write: Write) -> None:
    """(A, B?)*: the second B stands beside the second A, even if there is no first."""
    text = "- {target: A, from: route.a}\n- {target: 'A[2]', from: route.c}\n- {target: 'B[2]', from: route.b}\n"

    assert _tags(write("Series", text, a="1", b="2", c="3")) == "A A B"


def test_the_branch_with_a_place_for_everything_is_taken(write: Write) -> None:
    """(B, A) or (C, A), given C and A."""
    assert (
        _tags(write("Branches", "- {target: A, from: route.a}\n- {target: C, from: route.c}\n", a="1", c="2")) == "C A"
    )


def test_a_guest_and_a_redefinition_are_as_their_host_says(write: Write) -> None:
    """An included file without a namespace takes its host's; a redefined type holds old and new."""
    text = "- {target: Bare/A, from: route.a}\n- {target: Old/First, from: route.a}\n- {target: Old/New, const: n}\n"
    root = write("Guest", text, a="abc")

    assert root[0][0].tag == f"{F}A"
    assert _tags(root[1]) == "First New"


def test_a_substitution_group_is_a_choice_of_its_members(write: Write, strange: Path) -> None:
    """Through several steps, the abstract head left out."""
    root = write("Zoo", "- {target: lion, from: route.a}\n- {target: cat, from: route.b}\n", a="1", b="2")

    assert _tags(root) == "cat lion"
    assert "animal" not in find_target("fea.tures 001.01 Zoo", strange).root.children
    assert "animal" not in read_standard(strange, "fea.tures", "001.01").roots()


def test_any_takes_an_element_that_the_schemas_hold(write: Write, strange: Path) -> None:
    """##other: nobody must speak of it, and nothing of the own namespace may stand there."""
    assert _tags(write("Open", "- {target: A, from: route.a}\n", a="1")) == "A"
    root = write("Open", "- {target: A, from: route.a}\n- {target: Name, from: route.b}\n", a="1", b="2")

    assert [child.tag for child in root] == [f"{F}A", f"{P}Name"]
    assert set(find_target("fea.tures 001.01 Open", strange).root.children) == {"A", "Name", "Same"}


def test_a_derived_type_is_chosen_on_the_block(write: Write) -> None:
    """The prefix of xsi:type is the message's."""
    text = "- {target: Shape, type: Circle, rules: [{target: Radius, from: route.r}]}\n"
    text += "- {target: 'Shape[2]', type: Square, rules: [{target: side, from: route.s}, {target: '@id', const: x}]}\n"
    root = write("Shapes", text, r="1.5", s=2)

    assert [shape.get(TYPE) for shape in root] == ["fea.tures:Circle", "p:Square"]
    assert root[1].get("id") == "x"
    assert set(root.nsmap) == {"fea.tures", "p", "xsi"}


def test_an_abstract_type_must_be_chosen(strange: Path, rules: Callable[..., None]) -> None:
    """What libxml2 would refuse is known before."""
    rules("Shapes", "- {target: Shape/@id, from: route.a}\n")
    abstract = _findings(strange)
    rules("Shapes", "- {target: Shape, type: Circel, rules: [{target: '@id', from: route.a}]}\n")

    assert abstract == ["7 KB-M12 the type of 'Shape' is abstract"]
    assert "7 KB-M07 no type 'Circel' may stand at 'Shape'" in _findings(strange)


def test_nil_says_that_there_is_nothing(write: Write, strange: Path, rules: Callable[..., None]) -> None:
    """Only where the schema allows it."""
    text = "- {target: Nil, from: route.day, nil: true}\n"

    assert write("Empty", text)[0].get(NIL) == "true"
    assert write("Empty", text, day="2026-01-31")[0].attrib == {}
    rules("Empty", text + "- {target: Not, from: route.a, nil: true}\n")
    assert _findings(strange) == ["8 KB-M07 'Not' cannot be nil: the schema does not say nillable"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Id", "a1", "1a"), ("Token", "1-a", "a b"), ("Name", "plain", "a b"), ("Bytes", "YWJj", "YWJ"),
        ("Year", "2026", "26"), ("Span", "P1Y", "1Y"), ("Time", "12:00:00", "12"), ("Numbers", "1 2", "1 2 3"),
        ("Either", "2026-01-31", "x"), ("Straße", "Weg", None), ("Code", "ABC", "ABCD"),
    ],
)  # fmt: skip
def test_types_of_xsd_are_judged_as_the_schema_says(write: Write, name: str, good: str, bad: str | None) -> None:
    """What is written is valid, what would not be is refused with its place."""
    text = f"- {{target: {name}, from: route.a}}\n"

    assert write("Types", text, a=good)[0].text == good
    if bad is not None:
        with pytest.raises(RecordError, match=f"'{name}'"):
            write("Types", text, a=bad)


def test_a_leaf_says_its_rules_as_data(strange: Path) -> None:
    """Scaffold, editor and compiler read them."""
    schemas = read_standard(strange, "fea.tures", "001.01")
    code, colour = schemas.root("Types").children["Code"].leaf, schemas.root("Colour").leaf
    assert code is not None
    assert colour is not None

    assert (code.builtin, code.max_length, code.facets["maxLength"]) == ("token", 3, ("3",))
    assert code.patterns == (("A.*", "B.*"), ("[A-Z]+",))
    assert (colour.enumeration, colour.codes) == (("r", "g"), {"r": "rot"})
    assert {schemas.root("Types").children[name].leaf.builtin for name in ("Numbers", "Either")} == {"list", "union"}
    assert hash(code) is not None


def test_a_node_says_what_the_schema_says(strange: Path) -> None:
    """German where there is German."""
    schemas = read_standard(strange, "fea.tures", "001.01")

    assert schemas.root("Coded").documentation == "Ein Kode."
    assert schemas.root("Coded").children["@list"].default == "l"
    assert schemas.root("Empty").children["Not"].default == "d"
    assert schemas.root("Empty").children["Nil"].nillable


def test_a_root_of_two_namespaces_needs_its_prefix(strange: Path) -> None:
    """Guessing would be a coin."""
    assert find_target("fea.tures 001.01 p:Same", strange).root.namespace == "urn:x-test:p"
    with pytest.raises(ConfigurationError, match="f:Same, p:Same"):
        find_target("fea.tures 001.01 Same", strange)


def test_a_standard_that_is_nowhere_says_how_to_add_it(strange: Path) -> None:
    """Neither profile nor official files: the target and the validation both say so."""
    for call in (lambda: find_target("fea.tures 2 X", strange), lambda: store.validate(strange, "a", "1", b"<a/>")):
        with pytest.raises(ConfigurationError, match="schemas add"):
            call()


@pytest.fixture(scope="session")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A content root for official schemas; skips where there are none."""
    if not OFFICIAL.is_dir():
        pytest.skip(f"no official schemas in {OFFICIAL}")
    place = tmp_path_factory.mktemp("official")
    (place / "mappings" / "routes").mkdir(parents=True)
    (place / "schemas").mkdir()
    yield place
    shutil.rmtree(place)


@pytest.mark.official
@pytest.mark.parametrize("path", SETS)
def test_two_readers_agree_on_official_schemas(taken: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, order and occurrences as xmlschema, written by other people, reads them."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(taken / "store"))
    version = path.replace("/", "-")
    old = re.fullmatch(r"xdomea/(\d.*\.xsd)", path)  # imports from a neighbouring folder
    source, entries = (OFFICIAL / "xdomea", [old[1]]) if old else (OFFICIAL / path, [])
    manifest = store.add(taken, source, "official", version, entries=entries)
    folder = taken / "store" / "official" / version
    schemas = read_standard(taken, "official", version)
    other = _second_reader(folder, manifest.entries)
    roots = schemas.roots()

    assert (folder / manifest.entries[0]).is_file()
    for name in roots:
        root = schemas.root(name)
        theirs = other.maps.elements[f"{{{root.namespace}}}{root.local}"]
        _compare(root, theirs, depth=6, budget=[150])


def _second_reader(folder: Path, entries: tuple[str, ...]) -> xmlschema.XMLSchema10:
    """All files in one xmlschema; locations are answered from the folder."""
    locations = [
        (str(etree.parse(file).getroot().get("targetNamespace", "")), str(file)) for file in sorted(folder.iterdir())
    ]

    def local(url: str) -> str:
        beside = folder / url.rpartition("/")[2]
        return str(beside) if beside.is_file() else url

    first, *more = [folder / name for name in entries]
    found = xmlschema.XMLSchema10(first, locations=locations, uri_mapper=local, allow="local", build=False)
    for file in more:
        found.add_schema(str(file), build=False)
    found.build()
    return found


def _compare(node: Node, theirs: Any, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if depth == 0 or budget[0] < 0:
        return
    ours = [one for one in nodes(node.content.group) if not one.wildcard]
    if not theirs.type.is_complex():
        assert not ours
        return
    content = theirs.type.content
    particles = list(content.iter_elements()) if hasattr(content, "iter_elements") else []
    real = [one for one in particles if one.name is not None and not list(one.iter_substitutes())]

    assert [(one.namespace, one.local, one.minimum, one.maximum) for one in ours] == [
        (etree.QName(one.name).namespace or "", etree.QName(one.name).localname, one.min_occurs, one.max_occurs)
        for one in real
    ]
    assert {one.local: one.minimum for one in node.content.attributes} == {
        str(name).rpartition("}")[2]: int(attribute.use == "required")
        for name, attribute in theirs.type.attributes.items()
        if name is not None
    }
    for own, their in zip(ours, real, strict=True):
        _compare(own, their, depth - 1, budget)


CHAIN = {  # the kind of definition: base, middle, last, and the names that a message may then have
    "complexType": (
        '<xs:complexType name="K"><xs:sequence><xs:element name="A"/></xs:sequence></xs:complexType>',
        """<xs:complexType name="K"><xs:complexContent><xs:extension base="K"><xs:sequence><xs:element name="{0}"/>
        </xs:sequence></xs:extension></xs:complexContent></xs:complexType>""",
        '<xs:element name="M" type="K"/>',
    ),
    "group": (
        '<xs:group name="K"><xs:sequence><xs:element name="A"/></xs:sequence></xs:group>',
        '<xs:group name="K"><xs:sequence><xs:group ref="K"/><xs:element name="{0}"/></xs:sequence></xs:group>',
        '<xs:element name="M"><xs:complexType><xs:group ref="K"/></xs:complexType></xs:element>',
    ),
    "attributeGroup": (
        '<xs:attributeGroup name="K"><xs:attribute name="A"/></xs:attributeGroup>',
        '<xs:attributeGroup name="K"><xs:attributeGroup ref="K"/><xs:attribute name="{0}"/></xs:attributeGroup>',
        '<xs:element name="M"><xs:complexType><xs:attributeGroup ref="K"/></xs:complexType></xs:element>',
    ),
}


@pytest.mark.parametrize("target", ["", 'targetNamespace="urn:t" xmlns="urn:t"'], ids=["no namespace", "namespace"])
@pytest.mark.parametrize("kind", CHAIN)
def test_a_redefinition_of_a_redefinition_begins_with_the_middle_one(kind: str, target: str, tmp_path: Path) -> None:
    """Groups and types, also where the redefined file takes its host's namespace."""
    base, redefined, use = CHAIN[kind]
    parts = {
        "base": base,
        "mid": _redefining("base", redefined.format("B")),
        "top": _redefining("mid", redefined.format("C")),
    }
    for name, body in parts.items():
        own = target if name == "top" else ""
        text = body + use if name == "top" else body
        (tmp_path / f"{name}.xsd").write_text(f'<xs:schema xmlns:xs="{XSD}" {own}>{text}</xs:schema>')

    found = Schemas.read(tmp_path / "top.xsd").root("M").children
    assert list(found) == (["@A", "@B", "@C"] if kind == "attributeGroup" else ["A", "B", "C"])


def test_a_redefined_redefined_value_holds_to_all_three(tmp_path: Path) -> None:
    """The tightest of base, middle and top."""
    for name, length in (("base", 30), ("mid", 20), ("top", 10)):
        inner = "xs:string" if name == "base" else "K"
        simple = (
            f'<xs:simpleType name="K"><xs:restriction base="{inner}"><xs:maxLength value="{length}"/>'
            "</xs:restriction></xs:simpleType>"
        )
        below = {"mid": "base", "top": "mid"}.get(name)
        body = _redefining(below, simple) if below else simple
        use = '<xs:element name="M" type="K"/>' if name == "top" else ""
        (tmp_path / f"{name}.xsd").write_text(f'<xs:schema xmlns:xs="{XSD}">{body}{use}</xs:schema>')

    leaf = Schemas.read(tmp_path / "top.xsd").root("M").leaf
    assert leaf is not None
    assert leaf.max_length == 10


def _redefining(file: str, body: str) -> str:
    return f'<xs:redefine schemaLocation="{file}.xsd">{body}</xs:redefine>'
