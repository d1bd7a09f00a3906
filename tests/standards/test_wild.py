"""Schemas as they are found: what is legal works, and of what is not one line says file, line and what was expected."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping.schema.targets import find_target, read_standard
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.standards import store

XSD = "http://www.w3.org/2001/XMLSchema"
VERSIONING = "http://www.w3.org/2007/XMLSchema-versioning"
HEAD = f'<xs:schema xmlns:xs="{XSD}" xmlns:t="urn:t" xmlns:o="urn:o" elementFormDefault="qualified"'
WSDL = '<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/">\n<w:types>{}</w:types></w:definitions>'
GOOD, BAD = '<Meldung xmlns="urn:t"><Art>abc</Art></Meldung>', '<Meldung xmlns="urn:t"><Art>abcd</Art></Meldung>'
Files = Mapping[str, str | bytes]
Add = Callable[..., store.SchemaManifest]


def schema(body: str, namespace: str = "urn:t") -> str:
    """A schema with our prefixes; its first line is its root."""
    space = f' targetNamespace="{namespace}"' if namespace else ""
    return f"{HEAD}{space}>\n{body}\n</xs:schema>"


def kind(length: int = 3) -> str:
    """The type that messages are judged by."""
    facet = f'<xs:maxLength value="{length}"/>'
    return f'<xs:simpleType name="Art"><xs:restriction base="xs:string">{facet}</xs:restriction></xs:simpleType>'


def message(of: str = "t:Art") -> str:
    """The root element, with one value of a type."""
    part = f'<xs:element name="Art" type="{of}"/>'
    return f'<xs:element name="Meldung"><xs:complexType><xs:sequence>{part}</xs:sequence></xs:complexType></xs:element>'


def element(inside: str, more: str = "") -> str:
    """A schema with one root element."""
    return schema(f'{more}\n<xs:element name="Meldung">{inside}</xs:element>')


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty content root with a store of its own."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)
    for folder in ("mappings/routes", "schemas"):
        (tmp_path / "content" / folder).mkdir(parents=True)
    return tmp_path / "content"


@pytest.fixture
def add(content: Path, tmp_path: Path) -> Add:
    """Writes files into a folder and takes it in, or one of them."""

    def taken(files: Files, path: str = "", entries: tuple[str, ...] = ()) -> store.SchemaManifest:
        folder = tmp_path / "given"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return store.add(content, folder / path, "probe", "1", entries=entries)

    return taken


def judges(content: Path, good: str = GOOD, bad: str = BAD) -> None:
    """The schema takes the one message and refuses the other, and its tree has the root."""
    store.validate(content, "probe", "1", good.encode())
    with pytest.raises(RecordError):
        store.validate(content, "probe", "1", bad.encode())
    assert read_standard(content, "probe", "1").root("Meldung").children


NAMES = {
    "a file's address": ("file:///C:/Projekt/art.xsd", "art.xsd"),
    "a file's address without a path": ("file:art.xsd", "art.xsd"),
    "a class path": ("classpath:xsd/art.xsd", "art.xsd"),
    "a fragment": ("art.xsd#Art", "art.xsd"),
    "a query": ("https://x.invalid/art.xsd?version=2", "art.xsd"),
    "a number sign that should be escaped": ("C# typen.xsd", "C# typen.xsd"),
    "a folder of Windows": ("typen\\art.xsd", "typen/art.xsd"),
    "capitals of Windows": ("Art.XSD", "art.xsd"),
    "an escaped number sign": ("art%231.xsd", "art#1.xsd"),
    "an escaped percent sign": ("art%2520.xsd", "art%20.xsd"),
    "a plus": ("art+1.xsd", "art+1.xsd"),
    "an umlaut as macOS writes it": ("\u00c4mter.xsd", "A\u0308mter.xsd"),
}


@pytest.mark.parametrize("path", ["", "haupt.xsd"], ids=["folder", "file"])
@pytest.mark.parametrize("case", NAMES)
def test_a_location_finds_its_file(add: Add, content: Path, case: str, path: str) -> None:
    """An xs:anyURI of another system's making, beside the file that it means."""
    location, name = NAMES[case]
    add({"haupt.xsd": schema(f'<xs:include schemaLocation="{location}"/>{message()}'), name: schema(kind())}, path)

    judges(content)


def test_a_name_that_two_files_could_mean_is_not_guessed(add: Add) -> None:
    """Capitals aside, both are called so."""
    include = '<xs:include schemaLocation="ART.xsd"/>'

    with pytest.raises(ConfigurationError, match=r"haupt\.xsd:2: the include of 'ART\.xsd' is not there"):
        add({"haupt.xsd": schema(include + message()), "art.xsd": schema(kind()), "Art.xsd": schema(kind(4))})


def redefined(location: str, length: int) -> str:
    """A redefinition of the type."""
    return (
        f'<xs:redefine schemaLocation="{location}"><xs:simpleType name="Art"><xs:restriction base="t:Art">'
        f'<xs:maxLength value="{length}"/></xs:restriction></xs:simpleType></xs:redefine>'
    )


TOGETHER: dict[str, Files] = {
    "itself": {"haupt.xsd": schema(f'<xs:include schemaLocation="haupt.xsd"/>{kind()}{message()}')},
    "one that says it is for readers of XSD 1.0": {
        "haupt.xsd": schema(kind() + message()).replace(
            "<xs:schema", f'<xs:schema xmlns:vc="{VERSIONING}" vc:minVersion="1.0" vc:maxVersion="1.1"'
        )
    },
    "a circle": {
        "haupt.xsd": schema(f'<xs:include schemaLocation="art.xsd"/>{message()}'),
        "art.xsd": schema(f'<xs:include schemaLocation="haupt.xsd"/>{kind()}'),
    },
    "one file by two ways": {
        "haupt.xsd": schema(
            f'<xs:include schemaLocation="a.xsd"/><xs:include schemaLocation="b.xsd"/>{message()}',
        ),
        "a.xsd": schema('<xs:include schemaLocation="art.xsd"/>'),
        "b.xsd": schema('<xs:include schemaLocation="art.xsd"/>'),
        "art.xsd": schema(kind()),
    },
    "a guest of a guest": {
        "haupt.xsd": schema(f'<xs:include schemaLocation="gast.xsd"/>{message()}'),
        "gast.xsd": schema('<xs:include schemaLocation="art.xsd"/>', ""),
        "art.xsd": schema(kind(), ""),
    },
    "a guest of two hosts": {
        "haupt.xsd": schema(
            f'<xs:include schemaLocation="art.xsd"/><xs:import namespace="urn:o" schemaLocation="o.xsd"/>{message()}'
        ),
        "o.xsd": schema('<xs:include schemaLocation="art.xsd"/><xs:element name="O" type="o:Art"/>', "urn:o"),
        "art.xsd": schema(kind(), ""),
    },
    "a redefinition of a redefinition": {
        "haupt.xsd": schema(redefined("mitte.xsd", 3) + message()),
        "mitte.xsd": schema(redefined("innen.xsd", 9)),
        "innen.xsd": schema(redefined("art.xsd", 12)),
        "art.xsd": schema(kind(30)),
    },
    "a redefined guest": {"haupt.xsd": schema(redefined("art.xsd", 3) + message()), "art.xsd": schema(kind(9), "")},
    "a redefinition of what is included": {
        "haupt.xsd": schema(redefined("mitte.xsd", 3) + message()),
        "mitte.xsd": schema('<xs:include schemaLocation="art.xsd"/>'),
        "art.xsd": schema(kind(30)),
    },
    "an import without a location": {
        "haupt.xsd": schema(f'<xs:import namespace="urn:o"/>{message("o:Art")}'),
        "irgendwo.xsd": schema(kind(), "urn:o"),
    },
    "imports of what every schema knows": {
        "haupt.xsd": schema(
            f'<xs:import/><xs:import namespace="{XSD}" schemaLocation="{XSD}.xsd"/>'
            f'<xs:import namespace="{XSD}-instance"/>{kind()}{message()}'
        )
    },
    "an import of a circle": {
        "haupt.xsd": schema(f'<xs:import namespace="urn:o" schemaLocation="o.xsd"/>{kind()}{message()}'),
        "o.xsd": schema('<xs:import namespace="urn:t" schemaLocation="haupt.xsd"/>', "urn:o"),
    },
    "a WSDL": {"dienst.wsdl": WSDL.format(schema(kind() + message()))},
    "a WSDL of several schemas": {
        "dienst.wsdl": WSDL.format(
            schema(f'<xs:import namespace="urn:o"/>{message("o:Art")}') + schema(kind(), "urn:o"),
        )
    },
    "a WSDL with its schema beside it": {
        "dienst.wsdl": WSDL.format(schema('<xs:include schemaLocation="art.xsd"/>')),
        "art.xsd": schema(kind() + message()),
    },
    "a mark of byte order": {"haupt.xsd": b"\xef\xbb\xbf" + schema(kind() + message()).encode()},
    "an import that nothing is taken from": {
        "haupt.xsd": schema(f'<xs:import namespace="urn:fremd" schemaLocation="fremd.xsd"/>{kind()}{message()}'),
    },
    "an import that nothing is taken from, and a place where nobody judges": {
        "haupt.xsd": schema(
            f'<xs:import namespace="urn:fremd" schemaLocation="fremd.xsd"/>{kind()}{message()}<xs:group name="A">'
            '<xs:sequence><xs:any namespace="##other" processContents="lax"/></xs:sequence></xs:group>'
        ),
    },
    "UTF-16": {"haupt.xsd": schema(kind() + message()).encode("utf-16")},
    "Latin-1": {
        "haupt.xsd": ('<?xml version="1.0" encoding="ISO-8859-1"?>' + schema("<!-- ä -->" + kind() + message())).encode(
            "latin-1"
        )
    },
    "a document type": {
        "haupt.xsd": '<!DOCTYPE xs:schema PUBLIC "-//W3C//DTD XMLSCHEMA 200102//EN" "https://x.invalid/XMLSchema.dtd" ['
        "\n<!ENTITY % p 'xs:'><!ENTITY % s ':xs'>\n<!ENTITY eigen 'urn:t'>\n<!ATTLIST xs:schema id ID #IMPLIED"
        ' xmlns:t CDATA #FIXED "urn:t">\n]>\n' + schema(kind() + message())
    },
}


@pytest.mark.parametrize("case", TOGETHER)
def test_files_are_one_schema(add: Add, content: Path, case: str) -> None:
    """However they name each other, what the spec allows is read: tree and validator agree on it."""
    add(TOGETHER[case])

    judges(content)


@pytest.mark.parametrize(
    "use",
    [
        '<xs:element name="A" type="f:Art"/>',
        '<xs:element name="A"><xs:simpleType><xs:union memberTypes="xs:int f:Art"/></xs:simpleType></xs:element>',
        '<xs:group name="A"><xs:sequence><xs:any namespace="urn:fremd"/></xs:sequence></xs:group>',
        '<xs:group name="A"><xs:sequence><xs:any namespace="##other"/></xs:sequence></xs:group>',
    ],
    ids=["a type", "a union", "a wildcard", "a wildcard for all"],
)
def test_an_import_that_something_is_taken_from_needs_its_file(add: Add, use: str) -> None:
    """What stands in its namespace could not be judged."""
    link = '<xs:import namespace="urn:fremd" schemaLocation="fremd.xsd"/>'
    text = schema(link + kind() + message() + use).replace("<xs:schema", '<xs:schema xmlns:f="urn:fremd"', 1)

    with pytest.raises(ConfigurationError, match=r"haupt\.xsd:2: the import of 'fremd\.xsd' is not there"):
        add({"haupt.xsd": text})


@pytest.mark.parametrize("link", ["include", "import"])
def test_many_files_that_name_each_other_cost_their_links(add: Add, link: str) -> None:
    """100 files of which each imports all others by namespace alone took 14 s, and three times as many minutes."""
    numbers = range(100)
    files = {}
    for number in numbers:
        named = [other for other in numbers if other != number]
        includes = "".join(f'<xs:include schemaLocation="f{other}.xsd"/>' for other in named)
        imports = "".join(f'<xs:import namespace="urn:{other}"/>' for other in named)
        body = f'{imports if link == "import" else includes}<xs:element name="e{number}" type="xs:int"/>'
        files[f"f{number}.xsd"] = schema(body, f"urn:{number}" if link == "import" else "urn:t")
    began = time.process_time()

    assert len(add(files).files) == len(numbers)
    assert time.process_time() - began < 8


def test_two_circles_of_one_namespace_are_both_taken(add: Add, content: Path) -> None:
    """A circle has no beginning; it must not be lost beside a file that is one."""
    files = {
        "haupt.xsd": schema(kind() + message()),
        "a.xsd": schema('<xs:include schemaLocation="b.xsd"/><xs:element name="A" type="xs:int"/>'),
        "b.xsd": schema('<xs:include schemaLocation="a.xsd"/><xs:element name="B" type="xs:int"/>'),
    }

    assert add(files).entries == ("a.xsd", "haupt.xsd")
    assert read_standard(content, "probe", "1").roots() == ["A", "B", "Meldung"]
    store.validate(content, "probe", "1", b'<B xmlns="urn:t">1</B>')


REFUSED: dict[str, tuple[Files, str]] = {
    "an entity": (
        {"a.xsd": '<!DOCTYPE a [\n<!ENTITY e "Meldung">]>\n' + schema(message()).replace("Meldung", "&e;")},
        r"a\.xsd:4: the schema uses an entity, and none is expanded",
    ),
    "an entity from a file": (
        {"a.xsd": '<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]>' + schema("&e;")},
        r"a\.xsd:2: the schema uses an entity",
    ),
    "laughs in the root's attributes": (
        {
            "a.xsd": "<!DOCTYPE a [<!ENTITY e0 'ha'>"
            + "".join(f"<!ENTITY e{n} '&e{n - 1};&e{n - 1};'>" for n in range(1, 40))
            + "]><a b='&e39;'/>"
        },
        r"a\.xsd:1: the schema uses an entity",
    ),
    "a value from the document type": (
        {"a.xsd": "<!DOCTYPE a [<!ATTLIST xs:element minOccurs CDATA '0'>]>" + schema(kind() + message())},
        r"a\.xsd:1: the schema's document type \(DOCTYPE\) gives 'xs:element/@minOccurs' a value",
    ),
    "override": (
        {"a.xsd": schema(f'<xs:override schemaLocation="b.xsd">{kind()}</xs:override>'), "b.xsd": schema(kind(9))},
        r"a\.xsd:2: 'xs:override' is XSD 1\.1, which is not read here; expected a schema in XSD 1\.0",
    ),
    "an assertion": (
        {"a.xsd": element('<xs:complexType><xs:sequence/><xs:assert test="@a"/></xs:complexType>')},
        r"a\.xsd:3: 'xs:assert' is XSD 1\.1",
    ),
    "a type of XSD 1.1": ({"a.xsd": schema(message("xs:dateTimeStamp"))}, r"a\.xsd:2: 'xs:dateTimeStamp' is XSD 1\.1"),
    "an attribute of XSD 1.1": (
        {"a.xsd": schema("").replace(">", ' defaultAttributes="t:A">', 1)},
        r"a\.xsd:1: 'defaultAttributes' is XSD 1\.1",
    ),
    "a part for XSD 1.1 alone": (
        {
            "a.xsd": element("").replace(
                "<xs:element", f'<xs:element xmlns:vc="{VERSIONING}" vc:minVersion="1.1"'
            )
        },
        r"a\.xsd:3: 'vc:minVersion' is XSD 1\.1",
    ),
    "a part for nobody who reads XSD 1.0": (
        {
            "a.xsd": element("").replace(
                "<xs:element", f'<xs:element xmlns:vc="{VERSIONING}" vc:maxVersion="1.0"'
            )
        },
        r"a\.xsd:3: 'vc:maxVersion' is XSD 1\.1",
    ),
    "a misspelt word": (
        {"a.xsd": schema('<xs:elemnt name="A"/>')},
        r"a\.xsd:2: 'xs:elemnt' is no word of XSD.*did you mean 'xs:element'\?",
    ),
    "a draft": (
        {"a.xsd": schema("").replace("2001", "1999")},
        r"a\.xsd:1: holds no schema.*its namespace is that of a draft",
    ),
    "a WSDL without types": (
        {"a.wsdl": WSDL.replace("<w:types>{}</w:types>", '<w:import location="t.wsdl"/>')},
        r"a\.wsdl:1: the WSDL holds no schema; expected types in it; they may be in t\.wsdl",
    ),
    "an include of nothing": ({"a.xsd": schema("<xs:include/>")}, r"a\.xsd:2: the include names no file"),
    "a file of another namespace": (
        {"a.xsd": schema('<xs:import namespace="urn:z" schemaLocation="b.xsd"/>'), "b.xsd": schema("", "urn:o")},
        r"a\.xsd:2: the import of 'urn:z' names 'b\.xsd', which is of 'urn:o'",
    ),
    "an include of another namespace": (
        {"a.xsd": schema('<xs:include schemaLocation="b.xsd"/>'), "b.xsd": schema("", "urn:o")},
        r"a\.xsd:2: .*The target namespace 'urn:o' of the included/redefined schema 'b\.xsd' differs",
    ),
    "a redefinition of itself": (
        {"a.xsd": schema(redefined("a.xsd", 3) + kind())},
        r"a\.xsd:2: .*'a\.xsd' cannot redefine itself",
    ),
    "a circle of redefinitions": (
        {"a.xsd": schema(redefined("b.xsd", 3)), "b.xsd": schema(redefined("a.xsd", 3) + kind())},
        r"a\.xsd:2: .*circular",
    ),
    "a circle of types": (
        {"a.xsd": schema('<xs:simpleType name="A"><xs:union memberTypes="t:A xs:int"/></xs:simpleType>')},
        r"a\.xsd:2: .*circular",
    ),
    "a type upon 150 others": (
        {
            "a.xsd": schema(
                kind()
                + "".join(
                    f'<xs:simpleType name="A{n}"><xs:restriction base="t:A{n - 1 if n else "rt"}"/></xs:simpleType>'
                    for n in range(150)
                ).replace("Art", "rt")
            ).replace("t:rt", "t:Art")
        },
        r"a\.xsd:2: 'A99' rests on more others than can be followed; expected at most 100",
    ),
    "a no-break space in a name": (
        {"a.xsd": schema(message("xs:int").replace("Meldung", "Meldung\u00a0"))},
        r"a\.xsd:2: .*not a valid value of the atomic type 'xs:NCName'",
    ),
    "a no-break space between elements": ({"a.xsd": schema("\u00a0" + kind())}, r"a\.xsd:1: .*content is not valid"),
    "an encoding that is not read": (
        {"a.xsd": '<?xml version="1.0" encoding="UTF-7"?>' + schema("")},
        r"a\.xsd:1: the schema's encoding is not read here; expected UTF-8",
    ),
    "a sign of another encoding": (
        {"a.xsd": schema("<!--\n\u00e4 -->").encode("latin-1")},
        r"a\.xsd:3: the schema is not XML",
    ),
    "a block that XSD does not name": (
        {"a.xsd": element(r'<xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="\p{IsKlingon}"/>'
                          "</xs:restriction></xs:simpleType>")},
        r"a\.xsd:3: the pattern '\\p\{IsKlingon\}' cannot be followed; expected classes and blocks",
    ),
    "a look-ahead": (
        {"a.xsd": element('<xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="(?=a)b"/>'
                          "</xs:restriction></xs:simpleType>")},
        r"a\.xsd:3: .*not a valid regular expression",
    ),
    "other XML": ({"a.xsd": "<!-- Seite -->\n<html/>"}, r"a\.xsd:2: holds no schema; expected xs:schema, not html"),
}  # fmt: skip


@pytest.mark.parametrize("path", [True, False], ids=["file", "folder"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_says_why_and_where(add: Add, content: Path, case: str, path: bool) -> None:
    """The file as its owner knows it, the line in it, and nothing of our temporary folders; nothing is taken."""
    files, told = REFUSED[case]

    with pytest.raises(ConfigurationError, match=told) as caught:
        add(files, next(iter(files)) if path else "")
    assert "\n" not in caught.value.line()
    assert "/given/" in caught.value.where
    assert not list((content / "schemas").iterdir())


def test_a_line_is_that_of_the_file(add: Add) -> None:
    """Comments before the root and tags of several lines move nothing."""
    text = f'<?xml version="1.0"?>\n<!--\nLizenz\n-->\n{HEAD}\n  targetNamespace="urn:t">\n'
    text += '<xs:element\n  name="A"\n  type="xs:int"/>\n<xs:element name="B" type="t:Nirgends"/></xs:schema>'

    with pytest.raises(ConfigurationError, match=r"tief/a\.xsd:10: .*Nirgends"):
        add({"tief/a.xsd": text})


def test_an_entry_has_a_stub_of_its_name_beside_it(add: Add, content: Path) -> None:
    """The one at the top is meant, and what its locations name; a ZIP has no top, so it is asked for."""
    files = {
        "haupt.xsd": schema(f'<xs:include schemaLocation="typen/art.xsd"/>{message()}'),
        "typen/art.xsd": schema(kind()),
        "alt/haupt.xsd": schema(""),
        "alt/art.xsd": schema(kind(9)),
    }
    with pytest.raises(ConfigurationError, match=r"holds 2 different files named 'art\.xsd'"):
        add(files)
    manifest = add(files, entries=("haupt.xsd",))

    assert (manifest.entries, set(manifest.files)) == (("haupt.xsd",), {"haupt.xsd", "art.xsd"})
    judges(content)


def test_an_entry_of_a_zip_is_found_by_its_path_too(add: Add, content: Path, tmp_path: Path) -> None:
    """As in a folder: publishers pack several versions into one."""
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr("neu/haupt.xsd", schema(f'<xs:include schemaLocation="art.xsd"/>{message()}'))
        target.writestr("neu/art.xsd", schema(kind()))
        target.writestr("alt/haupt.xsd", schema(""))
        target.writestr("alt/art.xsd", schema(kind(9)))

    with pytest.raises(ConfigurationError, match="holds 2 different files named"):
        store.add(content, packed, "probe", "1")
    assert store.add(content, packed, "probe", "1", entries=["neu/haupt.xsd"]).entries == ("haupt.xsd",)
    judges(content)


def test_a_wsdl_beside_schemas_is_named_as_an_entry(add: Add, content: Path) -> None:
    """By itself a folder begins with its XSDs: a WSDL may hold the same elements once more."""
    files = {"dienst.wsdl": WSDL.format(schema(kind() + message())), "o.xsd": schema("", "urn:o")}

    assert add(files).entries == ("o.xsd",)
    assert store.add(content, content.parent / "given", "probe", "2", entries=["dienst.wsdl"]).entries == (
        "dienst.wsdl",
    )


PARTS = """
<xs:complexType name="Form" abstract="true"><xs:sequence/></xs:complexType>
<xs:complexType name="Fest" block="#all"><xs:sequence/></xs:complexType>
<xs:complexType name="Mehr"><xs:complexContent><xs:extension base="t:Fest"/></xs:complexContent></xs:complexType>
<xs:element name="Kopf" abstract="true" type="xs:int"/>
<xs:element name="Meldung"><xs:complexType><xs:sequence>
<xs:element name="Teil" minOccurs="0" maxOccurs="9"><xs:complexType>
<xs:attribute name="id" type="xs:ID"/><xs:attribute name="nr"/><xs:attribute name="zu"/><xs:attribute name="ort"/>
</xs:complexType></xs:element>
<xs:element name="Form" type="t:Form" minOccurs="0"/><xs:element name="Fest" type="t:Fest" minOccurs="0"/>
<xs:element name="Zahl" type="xs:int" minOccurs="0"/>
</xs:sequence></xs:complexType>
<xs:key name="nummer"><xs:selector xpath="t:Teil"/><xs:field xpath="@nr"/></xs:key>
<xs:unique name="einOrt"><xs:selector xpath="t:Teil"/><xs:field xpath="@ort"/></xs:unique>
<xs:keyref name="gehoertZu" refer="t:nummer"><xs:selector xpath="t:Teil"/><xs:field xpath="@zu"/></xs:keyref>
</xs:element>"""


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (
            '<Teil nr="1" id="erika"/><Teil nr="2" id="erika"/>',
            "die Kennung (xs:ID) steht in der Nachricht schon einmal",
        ),
        ('<Teil nr="1" id="1 erika"/>', "der Wert hat nicht den verlangten Typ (Zahl, Datum, Ja/Nein …) (Attribut id)"),
        (
            '<Teil nr="erika"/><Teil nr="erika"/>',
            "der Wert steht doppelt und darf nur einmal vorkommen (xs:key „nummer“)",
        ),
        (
            '<Teil nr="1" ort="erika"/><Teil nr="2" ort="erika"/>',
            "der Wert steht doppelt und darf nur einmal vorkommen (xs:unique „einOrt“)",
        ),
        ("<Teil/>", "ein Wert fehlt, der das Element kennzeichnet (xs:key „nummer“)"),
        ('<Teil nr="1" zu="erika"/>', "der Verweis zeigt auf nichts in der Nachricht (xs:keyref „gehoertZu“)"),
        ("<Form/>", "der Typ des Elements ist abstrakt (abstract): ein abgeleiteter muss gewählt sein (xsi:type)"),
        (
            '<Fest xsi:type="t:Mehr"/>',
            "der gewählte Typ (xsi:type) ist hier gesperrt oder nicht von dem verlangten abgeleitet",
        ),
        ('<Fest xsi:type="t:Erika"/>', "den gewählten Typ (xsi:type) kennt das Schema nicht"),
        ('<Zahl xsi:nil="true"/>', "das Element darf nicht ausdrücklich leer sein (xsi:nil)"),
        ("<Zahl>1<Erika/></Zahl>", "in dem Element darf nur Text stehen"),
    ],
)
def test_a_broken_rule_is_named_as_the_schema_names_it(add: Add, content: Path, inside: str, told: str) -> None:
    """Identity constraints by their name, abstract and blocked types by that word; never with a value."""
    add({"haupt.xsd": schema(PARTS)})
    spaces = 'xmlns="urn:t" xmlns:t="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

    with pytest.raises(RecordError) as caught:
        store.validate(content, "probe", "1", f"<Meldung {spaces}>{inside}</Meldung>".encode())
    assert told in caught.value.line()
    assert "erika" not in caught.value.line().lower()


def test_an_abstract_root_says_so(add: Add, content: Path) -> None:
    """It was not there at all, though it stands in the file."""
    add({"haupt.xsd": schema(PARTS)})

    with pytest.raises(ConfigurationError, match=r"the element 'Kopf' is abstract.*expected Meldung"):
        find_target("probe 1 Kopf", content)


def test_a_changed_official_file_names_itself(add: Add, content: Path, tmp_path: Path) -> None:
    """Also where somebody else says where the fault was met: a mapping's line."""
    add({"haupt.xsd": schema(kind() + message())})
    file = tmp_path / "store" / "probe" / "1" / "haupt.xsd"
    file.write_text(file.read_text("utf-8") + " ")

    with pytest.raises(ConfigurationError) as caught:
        find_target("probe 1 Meldung", content)
    assert caught.value.what == "the official file 'haupt.xsd' is missing or was changed"


def test_names_of_a_qname_are_the_whole_schemas_matter(add: Add, content: Path) -> None:
    """What `t:gif` is depends on the message's prefixes: the leaf knows a name, the validator which."""
    facet = '<xs:enumeration value="t:gif"/>'
    add(
        {
            "haupt.xsd": element(
                f'<xs:simpleType><xs:restriction base="xs:NOTATION">{facet}</xs:restriction></xs:simpleType>',
                '<xs:notation name="gif" public="image/gif"/>',
            )
        }
    )
    leaf = read_standard(content, "probe", "1").root("Meldung").leaf

    assert leaf is not None
    leaf.judge("x:gif")
    with pytest.raises(Unusable):
        leaf.judge("kein Name")
