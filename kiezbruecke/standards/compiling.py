"""Compiles a schema of many files with libxml2, which would ask the web for imports and forget half of them.

libxml2 takes the first import of a namespace and skips every other without a word. So each namespace gets one document
that includes all its files, every import is turned to that document, and a driver imports them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.standards.documents import (
    BUILT_IN,
    CHAMELEON,
    XS,
    Documents,
    Folder,
    SchemaDocument,
    imported,
    links,
    names_nobody,
    tops,
)

_BASE = "/kiezbruecke-schemas/"  # no place on any disk
_OWN_NAME = re.compile(rf"{_BASE}(file-\d+)")
_LINE = "{urn:x-kiezbruecke}line"  # of an element in its file
_BLANKS = " \t\r\n"  # to XML; a no-break space is a sign
_Part = tuple[Path, int]  # a file, and which of its schemas


def compiled(documents: Documents) -> etree.XMLSchema:
    """The schema as libxml2 understands it; raises ConfigurationError: what is missing or wrong, in which file."""
    if documents.missing:
        raise documents.missing[0].error()
    texts = _Texts(documents)
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(texts)
    try:
        return etree.XMLSchema(etree.fromstring(texts.driver, parser, base_url=f"{_BASE}driver"))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise texts.wrong(error) from None


class _Texts(etree.Resolver):
    """Every schema under a short name, its locations turned to such names."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = {(one.file, one.number): one for one in reversed(documents.documents) if one.file.name}
        self._names = {part: f"file-{number}" for number, part in enumerate(self._documents)}
        self._files = {name: file for (file, _), name in self._names.items()}
        self._folders = {file.parent: Folder(file.parent) for file, _ in self._documents}
        spaces = dict.fromkeys(one.namespace for one in documents.documents)
        self._spaces = {space: f"space-{number}" for number, space in enumerate(spaces)}
        self._texts: dict[str, bytes] = {}
        for space, name in self._spaces.items():
            own = [part for part, one in self._documents.items() if _own_namespace(one) == space]
            self._texts[name] = self._space(space, tops({part: list(self._included(part)) for part in own}))
        for part, name in self._names.items():
            self._texts[name] = self._rewritten(part)
        imports = [("import", name, space) for space, name in self._spaces.items()]
        self.driver = _schema("urn:x-kiezbruecke:driver", imports)

    def resolve(self, system_url: str | None, _public_id: str | None, context: Any) -> Any:
        """The text under a name; lxml asks."""
        name = (system_url or "").rpartition("/")[2]
        if name not in self._texts:
            raise ConfigurationError("an import is not in the manifest", where=str(system_url))
        return self.resolve_string(self._texts[name], context, base_url=_BASE + name)

    def wrong(self, error: etree.LxmlError) -> ConfigurationError:
        """The first thing that libxml2 does not like, with the file as people know it."""
        entries = [entry for entry in error.error_log if entry.level >= etree.ErrorLevels.ERROR]
        entry = next((one for one in entries if _name_of(one.filename) in self._files), None)
        message = re.sub(r"\{[^}]*XMLSchema\}", "", entry.message if entry else str(error)).rstrip(".")
        said = _OWN_NAME.sub(lambda found: self._files[found[1]].name, message)
        where = self._place(_name_of(entry.filename), entry.line) if entry else f"{next(iter(self._files.values()))}:1"
        return ConfigurationError(f"the schema does not compile: {said}", where=where)

    def _place(self, name: str, line: int) -> str:
        """The file, and the line in which an element of a rewritten text begins there."""
        rewritten = etree.fromstring(self._texts[name]).iter(etree.Element)
        own = next((element.get(_LINE) for element in rewritten if element.sourceline == line), None)
        return f"{self._files[name]}:{own or 1}"

    def _included(self, part: _Part) -> Iterator[_Part]:
        """The schemas that a schema includes or redefines."""
        folder = self._folders[part[0].parent]
        for link in links(self._documents[part].element):
            if etree.QName(link).localname != "import" and (file := folder.named(link)):
                yield file, 0

    def _space(self, space: str, parts: Iterable[_Part]) -> bytes:
        files = [("include", self._names[part], "") for part in parts]
        return BUILT_IN[space] if space in BUILT_IN and not files else _schema(space, files)

    def _rewritten(self, part: _Part) -> bytes:
        """The schema with our names for locations, and each element in a line of its own, so that errors find it."""
        document, folder = self._documents[part], self._folders[part[0].parent]
        root = etree.fromstring(_text(document.element))
        for element, own in zip(root.iter(), document.element.iter(), strict=True):
            element.text, element.tail = _own_line(element.text), _own_line(element.tail)
            if str(element.tag).startswith(f"{{{XS}}}"):
                element.set(_LINE, str(own.sourceline))
        if document.element.get(CHAMELEON):
            del root.attrib["targetNamespace"], root.attrib[CHAMELEON]
        for link in list(links(root)):
            file = folder.named(link)
            if etree.QName(link).localname == "import":
                if names_nobody(link) or imported(link) not in self._spaces:
                    root.remove(link)
                else:
                    link.set("schemaLocation", self._spaces[imported(link)])
            elif file == part[0] and etree.QName(link).localname == "include":  # itself: nothing is added
                root.remove(link)
            elif file is not None:
                link.set("schemaLocation", self._names[file, 0])
        return _text(root)


def _own_namespace(document: SchemaDocument) -> str:
    """The namespace that the file itself names: a guest has that of its host."""
    return "" if document.element.get(CHAMELEON) else document.namespace


def _own_line(text: str | None) -> str | None:
    return text if text and text.strip(_BLANKS) else "\n"


def _schema(namespace: str, parts: list[tuple[str, str, str]]) -> bytes:
    root = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS})
    if namespace:
        root.set("targetNamespace", namespace)
    for kind, location, space in parts:
        link = etree.SubElement(root, f"{{{XS}}}{kind}", schemaLocation=location)
        if space:
            link.set("namespace", space)
    return _text(root)


def _text(root: etree._Element) -> bytes:
    """In UTF-8: in ASCII an umlaut in the name of an element (somebody's appinfo) would be a reference, and no name."""
    return etree.tostring(root, with_tail=False, encoding="utf-8")


def _name_of(url: str | None) -> str:
    return (url or "").rpartition("/")[2]
