"""The global definitions of a schema's documents: who is meant by a name, who stands for whom, and the prefixes.

Redefinitions replace what they redefine, and mean the original where they name themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

from lxml import etree

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.language.paths import is_prefix
from kiezbruecke.standards.documents import CHAMELEON, XML, XS, Documents

Name = tuple[str, str]  # namespace, local name
# a type: its definition, or the local name of a built-in one
Definition: TypeAlias = "etree._Element | str"  # noqa: SLF001 – lxml has no other name for it


class Components:
    """Every global definition by kind and name."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._originals: dict[etree._Element, etree._Element] = {}
        self._standing: dict[etree._Element, list[etree._Element]] = {}

    @cached_property
    def _index(self) -> dict[tuple[str, Name], etree._Element]:
        found: dict[tuple[str, Name], etree._Element] = {}
        redefinitions: list[tuple[tuple[str, Name], etree._Element]] = []
        for document in self.documents.documents:
            for child in children(document.element):
                if child.get("name"):
                    found.setdefault((local(child), (document.namespace, child.get("name", ""))), child)
                elif local(child) == "redefine":
                    parts = [(local(part), (document.namespace, part.get("name", ""))) for part in children(child)]
                    redefinitions += zip(parts, children(child), strict=True)
        for key, redefinition in reversed(redefinitions):  # what is redefined was read after who redefines it
            if key in found:
                self._originals[redefinition] = found[key]
            found[key] = redefinition
        return found

    def find(self, kind: str, user: etree._Element, name: str) -> etree._Element:
        """The definition that a reference means; raises ConfigurationError."""
        found = self._index.get((kind, qualified(user, name)))
        if found is None:
            raise self._nowhere(kind, user, name)
        around = {user, *user.iterancestors()}
        redefined: etree._Element | None = found
        while redefined is not None and redefined not in around:
            redefined = self._originals.get(redefined)
        if redefined is None:  # the user stands in none of the redefinitions: the last one is meant
            return found
        return self._originals.get(redefined, found)  # a redefinition that names itself means what it redefines

    def _nowhere(self, kind: str, user: etree._Element, name: str) -> ConfigurationError:
        file = next((one.file for one in self.documents.documents if one.element is document_of(user)), "")
        namespace, plain = qualified(user, name)
        missing = next((one for one in self.documents.missing if one.namespace == namespace), None)
        names = [other for known, (space, other) in self._index if known == kind and space == namespace]
        return ConfigurationError(
            f"the schema names {kind} '{name}', which is nowhere defined",
            where=f"{file}:{user.sourceline}",
            expected=f"the schema of '{namespace}'" if missing or not names else "",
            helps=missing.error().helps if missing else nearest(plain, names),
        )

    def type(self, user: etree._Element, name: str) -> Definition:
        """A named type; raises ConfigurationError."""
        namespace, plain = qualified(user, name)
        if namespace == XS:
            return plain
        kind = "complexType" if ("complexType", (namespace, plain)) in self._index else "simpleType"
        return self.find(kind, user, name)

    def type_of(self, element: etree._Element) -> Definition:
        """The type of an element or attribute: named, inline, or that of the head it stands for."""
        if name := element.get("type"):
            return self.type(element, name)
        inline = next((child for child in children(element) if local(child).endswith("Type")), None)
        if inline is None and (head := element.get("substitutionGroup")):
            return self.type_of(self.find("element", element, head))
        return "anyType" if inline is None else inline

    def elements(self, *, abstract: bool = False) -> Iterator[tuple[Name, etree._Element]]:
        """All global elements that may stand in a message; or the abstract ones, which others stand for."""
        for (kind, name), element in self._index.items():
            if kind == "element" and (element.get("abstract") in {"true", "1"}) is abstract:
                yield name, element

    def members(self, head: etree._Element) -> list[etree._Element]:
        """Who may stand for a global element, itself first, through several steps."""
        if head not in self._standing:
            found = {head: None}
            waiting = [head] if "substitution" not in _blocked(head) else []
            while waiting:
                new = [member for member in self._members.get(_name(waiting.pop(0)), ()) if member not in found]
                found |= dict.fromkeys(new)
                waiting += new
            self._standing[head] = [one for one in found if one.get("abstract") not in {"true", "1"}]
        return self._standing[head]

    @cached_property
    def _members(self) -> dict[Name, list[etree._Element]]:
        found: dict[Name, list[etree._Element]] = {}
        for (kind, _), element in self._index.items():
            if kind == "element" and (head := element.get("substitutionGroup")):
                found.setdefault(qualified(element, head), []).append(element)
        return found

    def derived(self, element: etree._Element) -> list[tuple[Name, etree._Element]]:
        """The types that `xsi:type` may name for an element, through several steps; abstract ones left out."""
        blocked = _blocked(element)
        declared = self.type_of(element)
        if declared == "anyType":
            types = [(name, found) for (kind, name), found in self._index.items() if kind == "complexType"]
        elif isinstance(declared, str):
            types = list(self._below((XS, declared), blocked))
        elif declared.get("name"):
            types = list(self._below(_name(declared), blocked | _blocked(declared)))
        else:
            types = []
        return [(name, found) for name, found in types if found.get("abstract") not in {"true", "1"}]

    def _below(self, name: Name, blocked: frozenset[str]) -> Iterator[tuple[Name, etree._Element]]:
        waiting, seen = [name], {name}
        while waiting:
            for method, found, definition in self._derivations.get(waiting.pop(0), ()):
                if method not in blocked and found not in seen:
                    seen.add(found)
                    waiting.append(found)
                    yield found, definition

    @cached_property
    def _derivations(self) -> dict[Name, list[tuple[str, Name, etree._Element]]]:
        """By base type: how, and which types are derived from it."""
        found: dict[Name, list[tuple[str, Name, etree._Element]]] = {}
        for (kind, name), definition in self._index.items():
            step = _step(definition) if kind in {"complexType", "simpleType"} else None
            if step is not None and (base := step.get("base")):
                found.setdefault(qualified(step, base), []).append((local(step), name, definition))
        return found

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """A prefix for every namespace: the one that the documents use, else ns1, ns2 …; none twice."""
        found = {XML: "xml"}
        spaces = dict.fromkeys(document.namespace for document in self.documents.documents if document.namespace)
        for document in self.documents.documents:
            for prefix, space in _declared(document.element):
                if space in spaces and space not in found and prefix not in found.values():
                    found[space] = prefix
        for space in spaces:
            if space not in found:
                free = (f"ns{number}" for number in range(1, len(spaces) + 2))
                found[space] = next(prefix for prefix in free if prefix not in found.values())
        return found


def children(element: etree._Element) -> list[etree._Element]:
    """The XSD elements in an XSD element, annotations left out."""
    return [child for child in element if isinstance(child.tag, str) and child.tag != f"{{{XS}}}annotation"]


def local(element: etree._Element) -> str:
    """The local name of an XSD element."""
    return str(element.tag).rpartition("}")[2]


def qualified(user: etree._Element, name: str) -> Name:
    """What a name means where it stands."""
    prefix, _, plain = name.strip().rpartition(":")
    namespace = user.nsmap.get(prefix or None)
    if prefix == "xml":
        namespace = XML
    if namespace is None and not prefix and document_of(user).get(CHAMELEON):
        namespace = document_of(user).get("targetNamespace")
    return namespace or "", plain


def document_of(element: etree._Element) -> etree._Element:
    """The `xs:schema` around an XSD element."""
    while local(element) != "schema":
        parent = element.getparent()
        assert parent is not None
        element = parent
    return element


def namespace_of(definition: etree._Element, kind: str) -> str:
    """The namespace of an element or attribute: global ones have it, local ones as their form says."""
    document = document_of(definition)
    form = definition.get("form") or document.get(f"{kind}FormDefault", "unqualified")
    is_global = definition.getparent() is document
    return document.get("targetNamespace", "") if is_global or form == "qualified" else ""


def derivation(definition: etree._Element, content: str) -> etree._Element | None:
    """The extension or restriction in a complexContent or simpleContent."""
    found = definition.find(f"{{{XS}}}{content}")
    return None if found is None else next(iter(children(found)), None)


def _step(definition: etree._Element) -> etree._Element | None:
    if local(definition) == "simpleType":
        return definition.find(f"{{{XS}}}restriction")
    complex_step = derivation(definition, "complexContent")
    return derivation(definition, "simpleContent") if complex_step is None else complex_step


def _name(definition: etree._Element) -> Name:
    return document_of(definition).get("targetNamespace", ""), definition.get("name", "")


def _blocked(definition: etree._Element) -> frozenset[str]:
    block = definition.get("block", document_of(definition).get("blockDefault", ""))
    return frozenset({"extension", "restriction", "substitution"} if block == "#all" else block.split())


def _declared(schema: etree._Element) -> Iterator[tuple[str, str]]:
    """The prefixes that a document declares at its root."""
    return ((prefix, str(space)) for prefix, space in schema.nsmap.items() if prefix and is_prefix(prefix))
