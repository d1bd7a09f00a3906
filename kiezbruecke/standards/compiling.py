"""Compiles a schema of many files with libxml2, which would ask the web for imports and forget half of them.

libxml2 takes the first import of a namespace and skips every other without a word. So each namespace gets one document
that includes all its files, every import is turned to that document, and a driver imports them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.standards.documents import BUILT_IN, XS, Documents, bare_name, heads, imported, links, read_schema

_BASE = "/kiezbruecke-schemas/"  # no place on any disk


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
    """Every file under a short name, its locations turned to such names."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        spaces = dict.fromkeys(one.namespace for one in documents.documents)
        self._files = {f"file-{number}": file for number, file in enumerate(documents.files)}
        self._names = {file.name: name for name, file in self._files.items()}
        self._spaces = {space: f"space-{number}" for number, space in enumerate(spaces)}
        self._texts: dict[str, bytes] = {}
        for space, name in self._spaces.items():
            of_space = [one for one in documents.documents if one.namespace == space]
            own = heads(one.file for one in of_space if one.file.name and not _is_guest(one.file, space))
            self._texts[name] = self._space(space, dict.fromkeys(own))
        for name, file in self._files.items():
            self._texts[name] = self._rewritten(file)
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
        if entry is None:
            return ConfigurationError(f"the schema does not compile: {error}", where=str(next(iter(self._names), "")))
        message = re.sub(r"\{[^}]*XMLSchema\}", "", entry.message)
        return ConfigurationError(
            f"the schema does not compile: {message}", where=f"{self._files[_name_of(entry.filename)]}:{entry.line}"
        )

    def _space(self, space: str, files: Iterable[Path]) -> bytes:
        if space in BUILT_IN and not list(files):
            return BUILT_IN[space]
        return _schema(space, [("include", self._names[file.name], "") for file in files])

    def _rewritten(self, file: Path) -> bytes:
        root = read_schema(file)
        for link in list(links(root)):
            if etree.QName(link).localname == "import" and imported(link) not in self._spaces:
                root.remove(link)  # it names nobody
            elif etree.QName(link).localname == "import":
                link.set("schemaLocation", self._spaces[imported(link)])
            else:
                link.set("schemaLocation", self._names[bare_name(link)])
        return etree.tostring(root)


def _is_guest(file: Path, space: str) -> bool:
    """Whether a file is in a namespace only because one of its files includes it."""
    return read_schema(file).get("targetNamespace", "") != space


def _schema(namespace: str, parts: list[tuple[str, str, str]]) -> bytes:
    root = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS})
    if namespace:
        root.set("targetNamespace", namespace)
    for kind, location, space in parts:
        link = etree.SubElement(root, f"{{{XS}}}{kind}", schemaLocation=location)
        if space:
            link.set("namespace", space)
    return etree.tostring(root)


def _name_of(url: str | None) -> str:
    return (url or "").rpartition("/")[2]
