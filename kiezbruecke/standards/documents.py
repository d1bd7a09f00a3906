"""All documents of a schema, found from the files it begins with: includes, imports, redefinitions, several namespaces.

All files lie in one folder and are found there by their bare name, whatever address a `schemaLocation` gives, or by
their target namespace where no location helps. The network is never asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from lxml import etree

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_file
from kiezbruecke.standards.bounds import refuse_endless
from kiezbruecke.standards.parse import in_utf8, parse, tree, without_doctype

XS = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
CHAMELEON = "{urn:x-kiezbruecke}chameleon"  # marks a document that took the namespace of its host
BUILT_IN = {  # what schemas import from the web and seldom bring along, in our own words
    XML: f"""<xs:schema xmlns:xs="{XS}" targetNamespace="{XML}">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType>
<xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>
</xs:attribute><xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName">
<xs:enumeration value="default"/><xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/><xs:attribute name="id" type="xs:ID"/>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/></xs:attributeGroup></xs:schema>""".encode()
}
_LINKS = frozenset({"include", "import", "redefine"})
_REFERENCES = ("type", "ref", "base", "itemType", "memberTypes", "substitutionGroup", "refer")
_WILDCARDS = frozenset({f"{{{XS}}}any", f"{{{XS}}}anyAttribute"})
_ANY = frozenset({"##any", "##other"})
_WSDL = {"http://schemas.xmlsoap.org/wsdl/": ("definitions",), "http://www.w3.org/ns/wsdl": ("description",)}
_Part = TypeVar("_Part")


@dataclass(frozen=True, eq=False)
class SchemaDocument:
    """One `xs:schema`, with the namespace it has here; `number` tells the schemas of one WSDL apart, from 0."""

    file: Path
    element: etree._Element
    namespace: str
    number: int = 0


@dataclass(frozen=True)
class Missing:
    """A file that a schema names and nobody has: who names it, in which line, and what is expected.

    `other` is the namespace of the file that has the name, and is another schema than the import says.
    """

    file: Path
    line: int
    kind: str
    location: str
    namespace: str
    other: str | None = None

    def error(self) -> ConfigurationError:
        """Who names it, what is expected, where to get it."""
        where, name = f"{self.file}:{self.line}", re.split(r"[/\\]", self.location)[-1]
        if not self.location and self.kind != "import":
            return ConfigurationError(f"the {self.kind} names no file", where=where, expected="schemaLocation=…")
        if self.other is not None:
            return ConfigurationError(
                f"the {self.kind} of '{self.namespace}' names '{name}', which is of '{self.other}'",
                where=where,
                expected=f"a file with targetNamespace '{self.namespace}'",
                helps="get the right file from whoever publishes the schema and put it beside the others",
            )
        wanted = f"a file named '{name}'" if self.location else ""
        space = f"a file with targetNamespace '{self.namespace}'" if self.kind == "import" else ""
        place = self.location if "//" in self.location else "whoever publishes the schema"
        return ConfigurationError(
            f"the {self.kind} of '{self.location or self.namespace}' is not there",
            where=where,
            expected=" or ".join(filter(None, (wanted, space))) + f" in {self.file.parent}",
            helps=f"get it from {place} and put it beside the others",
        )


@dataclass(frozen=True)
class Documents:
    """All documents of one schema, those it begins with first."""

    documents: tuple[SchemaDocument, ...]
    missing: tuple[Missing, ...] = ()

    @classmethod
    def read(cls, files: Sequence[Path]) -> Documents:
        """Read files of one folder and all that they need; raises ConfigurationError for what is no schema."""
        return _Reading().run(files)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file once."""
        return tuple(dict.fromkeys(one.file for one in self.documents if one.file.name))


def read_schema(file: Path) -> etree._Element:
    """The root of a file with a schema in it, without its document type; raises ConfigurationError with the line."""
    try:
        data = in_utf8(read_file(file, what="the schema"))
    except FileNotFoundError:
        raise ConfigurationError("the schema is missing", where=str(file), expected="an XSD") from None
    except LookupError:
        raise ConfigurationError(
            "the schema's encoding is not read here", where=f"{file}:1", expected="UTF-8"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("the schema has signs that are not of its encoding", where=f"{file}:{line}") from None
    try:
        return tree(without_doctype(data))
    except etree.XMLSyntaxError as error:
        entity = error.code == etree.ErrorTypes.ERR_UNDECLARED_ENTITY
        what = "uses an entity, and none is expanded" if entity else "is not XML"
        expected = "the text that the entity stands for" if entity else "well-formed XML"
        where = f"{file}:{error.lineno or 1}"
        raise ConfigurationError(f"the schema {what}", where=where, expected=expected) from None
    except ValueError as error:
        raise ConfigurationError(
            f"the schema's document type (DOCTYPE) gives '{error}' a value",
            where=f"{file}:1",
            expected="a DOCTYPE that declares only what nobody uses",
            helps="write the value where it is meant",
        ) from None


def schemas_in(file: Path) -> list[etree._Element]:
    """The `xs:schema` of a file, or all those of a WSDL; raises ConfigurationError."""
    root = read_schema(file)
    if root.tag == f"{{{XS}}}schema":
        return [root]
    name = etree.QName(root)
    if name.localname not in _WSDL.get(name.namespace or "", ()):
        old = "; its namespace is that of a draft" if name.localname == "schema" else ""
        raise ConfigurationError(
            "holds no schema",
            where=f"{file}:{root.sourceline}",
            expected=f"xs:schema, not {name.localname}{old}",
        )
    found = list(root.iter(f"{{{XS}}}schema"))
    if not found:
        elsewhere = [link.get("location", "") for link in root.iterchildren(f"{{{name.namespace}}}import")]
        raise ConfigurationError(
            "the WSDL holds no schema",
            where=f"{file}:{root.sourceline}",
            expected="types in it",
            helps=f"they may be in {', '.join(elsewhere)}" if elsewhere else "",
        )
    return found


def links(schema: etree._Element) -> Iterator[etree._Element]:
    """The includes, imports and redefinitions of a document."""
    return (child for child in schema if isinstance(child.tag, str) and etree.QName(child).localname in _LINKS)


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have (too long) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def location(link: etree._Element) -> str:
    """Where a link leads: an xs:anyURI, so blanks around it are nothing and `%20` is one."""
    return unquote(_written(link)).replace("\0", "")


def way_to(link: etree._Element) -> str:
    """The path in a link's location, seen from its own file; nothing where it is an address."""
    place = location(link).replace("\\", "/")
    return "" if "//" in place else place


def bare_names(link: etree._Element) -> list[str]:
    """The file names that a link's location may mean: as it stands, without query and fragment, without `file:`."""
    address, plain = _written(link), re.split(r"[?#]", _written(link))[0]
    found = [re.split(r"[/\\]", unquote(one).replace("\0", ""))[-1] for one in (address, plain)]
    return [name for name in dict.fromkeys([*found, found[-1].rpartition(":")[2]]) if name]


def _written(link: etree._Element) -> str:
    return " ".join(link.get("schemaLocation", "").split())


def imported(link: etree._Element) -> str:
    """The namespace of an import; nothing where it is that of schemas without one."""
    return " ".join(link.get("namespace", "").split())


def linked(link: etree._Element, files: Folder) -> list[Path]:
    """The files that an include or import means: by name, else (imports) all that have the namespace."""
    named = files.named(link)
    if etree.QName(link).localname != "import":
        return [named] if named else []
    namespace = imported(link)
    if named and files.namespace(named) in {namespace, None}:
        return [named]
    return files.of(namespace)


@dataclass
class Folder:
    """The schemas of one folder, by name and by target namespace; links that lead out of `own` are not there."""

    path: Path
    own: Path | None = None
    _namespaces: dict[Path, str | None] = field(default_factory=dict)
    _tops: dict[str, list[Path]] = field(default_factory=dict)
    _found: dict[str, Path | None] = field(default_factory=dict)

    def named(self, link: etree._Element) -> Path | None:
        """The file that a link names, if it is there; else the one whose name differs only as Windows lets it."""
        address = _written(link)
        if address not in self._found:
            self._found[address] = self._called(bare_names(link))
        return self._found[address]

    def _called(self, names: list[str]) -> Path | None:
        if exact := next((name for name in names if name in self._names), None):
            return self.path / exact
        alike = {file for name in names for file in self._folded.get(_folded(name), ())}
        return alike.pop() if len(alike) == 1 else None

    def namespace(self, file: Path) -> str | None:
        """A schema's target namespace; None for what is not one schema."""
        if file not in self._namespaces:
            self._namespaces[file] = _target_namespace(file)
        return self._namespaces[file]

    def of(self, namespace: str) -> list[Path]:
        """The files with this target namespace that no other of them includes."""
        if namespace and namespace not in self._tops:
            found = self._of_namespace.get(namespace, ())
            self._tops[namespace] = tops({file: self._included(file) for file in found})
        return self._tops.get(namespace, [])

    @cached_property
    def _of_namespace(self) -> Mapping[str | None, list[Path]]:
        found: dict[str | None, list[Path]] = {}
        for file in sorted(self.path.glob("*.xsd")):
            if self._is_own(file):
                found.setdefault(self.namespace(file), []).append(file)
        return found

    def _included(self, file: Path) -> list[Path]:
        found = (self.named(link) for link in links(read_schema(file)) if etree.QName(link).localname != "import")
        return [one for one in found if one is not None]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(file.name for file in self.path.iterdir() if is_file(file))

    @cached_property
    def _folded(self) -> Mapping[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for name in sorted(self._names):
            found.setdefault(_folded(name), []).append(self.path / name)
        return found

    def _is_own(self, file: Path) -> bool:
        return self.own is None or file.resolve().is_relative_to(self.own)


def tops(parts: Mapping[_Part, Iterable[_Part]]) -> list[_Part]:
    """Those from which all others are reached: what no other names, and one of every circle that is left."""
    needed = {below for part, named in parts.items() for below in named if below != part}
    reached: set[_Part] = set()
    found: list[_Part] = []
    for part in sorted(parts, key=needed.__contains__):
        if part not in reached:
            found.append(part)
            waiting = {part}
            while waiting:
                reached |= waiting
                waiting = {below for one in waiting for below in parts.get(one, ())} - reached
    return [part for part in parts if part in found]


class _Reading:
    def __init__(self) -> None:
        self._documents: list[SchemaDocument] = []
        self._missing: list[Missing] = []
        self._folders: dict[Path, Folder] = {}

    def run(self, files: Sequence[Path]) -> Documents:
        waiting = [(file, "") for file in reversed(files)]
        seen: set[tuple[Path, str]] = set()
        while waiting:
            file, namespace = waiting.pop()
            if (file, namespace) in seen:
                continue
            seen.add((file, namespace))
            for document in _documents_in(file, namespace):
                self._documents.append(document)
                waiting += reversed([one for one in self._needed(document) if one not in seen])
        self._add_built_in()
        refuse_endless((document.file, document.element) for document in self._documents)
        return Documents(tuple(self._documents), tuple(self._needed_and_missing()))

    def _needed(self, document: SchemaDocument) -> Iterator[tuple[Path, str]]:
        folder = self._folders.setdefault(document.file.parent, Folder(document.file.parent))
        for link in links(document.element):
            kind, found = etree.QName(link).localname, linked(link, folder)
            if not found and not (kind == "import" and names_nobody(link)):
                self._missing.append(_missing(document.file, link, folder))
            for file in found:
                is_host = kind != "import" and folder.namespace(file) == ""
                yield file, document.namespace if is_host else ""

    def _needed_and_missing(self) -> Iterator[Missing]:
        """What nobody has and somebody needs; an import that nothing is taken from may lack its file."""
        spaces = {document.namespace for document in self._documents}
        left = [one for one in self._missing if one.kind != "import" or one.namespace not in spaces]
        named = {space for document in self._documents for space in _spaces_in(document.element)} if left else set()
        return (one for one in left if one.kind != "import" or one.other is not None or named & {one.namespace, *_ANY})

    def _add_built_in(self) -> None:
        spaces = {document.namespace for document in self._documents}
        wanted = {one.namespace for one in self._missing if one.kind == "import"} & set(BUILT_IN) - spaces
        for namespace in sorted(wanted):
            self._documents.append(SchemaDocument(Path(), parse(BUILT_IN[namespace]), namespace))


def names_nobody(link: etree._Element) -> bool:
    """Whether an import needs no file: it has no attribute (XSD 1.0, 4.2.3), or means what every schema knows."""
    return imported(link) in {XS, XSI} or not (location(link) or imported(link))


def _spaces_in(schema: etree._Element) -> Iterator[str]:
    """The namespaces whose definitions a schema names, and those of its wildcards; of lax ones only what they name."""
    for element in schema.iter(f"{{{XS}}}*"):
        for name in (word for key in _REFERENCES for word in element.get(key, "").split()):
            yield element.nsmap.get(name.rpartition(":")[0] or None, "")
        if element.tag in _WILDCARDS:
            is_strict = element.get("processContents", "strict") == "strict"
            yield from (one for one in element.get("namespace", "##any").split() if is_strict or one not in _ANY)


def _missing(file: Path, link: etree._Element, folder: Folder) -> Missing:
    named = folder.named(link)
    other = folder.namespace(named) if named else None
    kind = etree.QName(link).localname
    return Missing(file, int(link.sourceline or 0), kind, location(link), imported(link), other)


def _documents_in(file: Path, host: str) -> Iterator[SchemaDocument]:
    """The schemas of a file: one, or those of a WSDL; one without a namespace takes that of its host."""
    for number, schema in enumerate(schemas_in(file)):
        if host and not schema.get("targetNamespace"):
            schema.set("targetNamespace", host)
            schema.set(CHAMELEON, "true")
        yield SchemaDocument(file, schema, schema.get("targetNamespace", ""), number)


def _target_namespace(file: Path) -> str | None:
    try:
        root = read_schema(file)
    except ConfigurationError:
        return None
    return root.get("targetNamespace", "") if root.tag == f"{{{XS}}}schema" else None


def _folded(name: str) -> str:
    """A file's name without what file systems of Windows and macOS do not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()
