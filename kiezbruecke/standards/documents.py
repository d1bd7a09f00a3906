"""All documents of a schema, found from the files it begins with: includes, imports, redefinitions, several namespaces.

All files lie in one folder and are found there by their bare name, whatever address a `schemaLocation` gives, or by
their target namespace where no location helps. The network is never asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.machine import read_file
from kiezbruecke.standards.bounds import refuse_endless
from kiezbruecke.standards.parse import parse

XS = "http://www.w3.org/2001/XMLSchema"
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


@dataclass(frozen=True, eq=False)
class SchemaDocument:
    """One `xs:schema`, with the namespace it has here."""

    file: Path
    element: etree._Element
    namespace: str


@dataclass(frozen=True)
class Missing:
    """A file that a schema names and nobody has: who names it, in which line, and what is expected."""

    file: Path
    line: int
    kind: str
    location: str
    namespace: str

    def error(self) -> ConfigurationError:
        """Who names it, what is expected, where to get it."""
        wanted = f"a file named '{Path(self.location).name}'" if self.location else ""
        space = f"a file with targetNamespace '{self.namespace}'" if self.kind == "import" else ""
        place = self.location if "//" in self.location else "whoever publishes the schema"
        return ConfigurationError(
            f"the {self.kind} of '{self.location or self.namespace}' is not there",
            where=f"{self.file}:{self.line}",
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
    """The root of a file with a schema in it; raises ConfigurationError."""
    try:
        return parse(read_file(file, what="the schema"), str(file))
    except OSError:
        raise ConfigurationError("the schema is missing", where=str(file), expected="an XSD") from None
    except RecordError as error:
        what = "has a document type (DOCTYPE)" if "DOCTYPE" in error.what else "is not XML"
        raise ConfigurationError(f"the schema {what}", where=str(file), expected="an XSD without DOCTYPE") from None


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
    return unquote(" ".join(link.get("schemaLocation", "").split())).replace("\0", "")


def bare_name(link: etree._Element) -> str:
    """The file name in a link's location, whatever address it is."""
    return location(link).replace("\\", "/").rpartition("/")[2]


def imported(link: etree._Element) -> str:
    """The namespace of an import; nothing where it is that of schemas without one."""
    return " ".join(link.get("namespace", "").split())


def linked(link: etree._Element, files: Folder) -> list[Path]:
    """The files that an include or import means: by name, else (imports) all that have the namespace."""
    named = files.beside(bare_name(link))
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

    def beside(self, name: str) -> Path | None:
        """The file of a name, if it is there."""
        return self.path / name if name and is_file(self.path / name) else None

    def namespace(self, file: Path) -> str | None:
        """A schema's target namespace; None for what is not one schema."""
        if file not in self._namespaces:
            self._namespaces[file] = _target_namespace(file)
        return self._namespaces[file]

    def of(self, namespace: str) -> list[Path]:
        """The files with this target namespace that no other of them includes."""
        near = [file for file in sorted(self.path.glob("*.xsd")) if self._is_own(file)]
        found = [file for file in near if self.namespace(file) == namespace]
        return heads(found) if namespace else []

    def _is_own(self, file: Path) -> bool:
        return self.own is None or file.resolve().is_relative_to(self.own)


def heads(files: Iterable[Path]) -> list[Path]:
    """The files that none of the others includes or redefines; in a circle, all of them."""
    found = list(files)
    included = {
        bare_name(link)
        for file in found
        for link in links(read_schema(file))
        if etree.QName(link).localname != "import"
        if bare_name(link) != file.name
    }
    return [file for file in found if file.name not in included] or found


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
            for document in _schemas_in(file, namespace):
                self._documents.append(document)
                waiting += reversed([one for one in self._needed(document) if one not in seen])
        self._add_built_in()
        spaces = {document.namespace for document in self._documents}
        missing = [one for one in self._missing if one.kind != "import" or one.namespace not in spaces]
        refuse_endless((document.file, document.element) for document in self._documents)
        return Documents(tuple(self._documents), tuple(missing))

    def _needed(self, document: SchemaDocument) -> Iterator[tuple[Path, str]]:
        folder = self._folders.setdefault(document.file.parent, Folder(document.file.parent))
        for link in links(document.element):
            kind, found = etree.QName(link).localname, linked(link, folder)
            if not found and (kind != "import" or location(link) or imported(link)):  # <xs:import/> names nobody
                named = (location(link), imported(link))
                self._missing.append(Missing(document.file, int(link.sourceline or 0), kind, *named))
            for file in found:
                is_host = kind != "import" and folder.namespace(file) == ""
                yield file, document.namespace if is_host else ""

    def _add_built_in(self) -> None:
        spaces = {document.namespace for document in self._documents}
        wanted = {one.namespace for one in self._missing if one.kind == "import"} & set(BUILT_IN) - spaces
        for namespace in sorted(wanted):
            self._documents.append(SchemaDocument(Path(), parse(BUILT_IN[namespace]), namespace))


def _schemas_in(file: Path, host: str) -> Iterator[SchemaDocument]:
    """The schemas of a file: one, or those of a WSDL; one without a namespace takes that of its host."""
    root = read_schema(file)
    found = list(root.iter(f"{{{XS}}}schema"))
    if not found:
        raise ConfigurationError("holds no schema", where=str(file), expected="an XSD, its root is xs:schema")
    for schema in found:
        if host and not schema.get("targetNamespace"):
            schema.set("targetNamespace", host)
            schema.set(CHAMELEON, "true")
        yield SchemaDocument(file, schema, schema.get("targetNamespace", ""))


def _target_namespace(file: Path) -> str | None:
    try:
        root = read_schema(file)
    except ConfigurationError:
        return None
    return root.get("targetNamespace", "") if root.tag == f"{{{XS}}}schema" else None
