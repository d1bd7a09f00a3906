"""Reads XSDs into the target tree. The text rules of a type stay with libxml2: a type is its own small schema.

The schema may be one file, several that include each other, or the `wsdl:types` of a WSDL whose schemas
import one another by namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping.schema.facets import FACETS, XS, combined, leaf_of, narrowed, restriction
from kiezbruecke.mapping.schema.tree import EMPTY, Content, Group, Leaf, Node
from kiezbruecke.standards.store import parse

Name = tuple[str, str]  # namespace, local name


@dataclass(frozen=True)
class Schemas:
    """All schema documents of one standard's profile."""

    documents: tuple[etree._Element, ...]
    files: tuple[Path, ...]

    @classmethod
    def read(cls, file: Path) -> Schemas:
        """Read a file and what it includes beside it; raises ConfigurationError."""
        documents: list[etree._Element] = []
        files: dict[Path, None] = {}
        waiting = [(file, "")]
        while waiting:
            path, namespace = waiting.pop()
            if path in files:
                continue
            files[path] = None
            for document in _documents(path, namespace):
                documents.append(document)
                waiting += _included(path, document)
        return cls(tuple(documents), tuple(files))

    def roots(self) -> list[str]:
        """The names of the global elements, sorted."""
        return sorted({name for kind, (_, name) in self._index if kind == "element"})

    def root(self, name: str) -> Node:
        """The tree below a global element; raises KeyError."""
        for (kind, (_, local)), element in self._index.items():
            if kind == "element" and local == name:
                return self._element(element)
        raise KeyError(name)

    @cached_property
    def _index(self) -> dict[tuple[str, Name], etree._Element]:
        """Every global definition by kind and name."""
        return {
            (_local(element), (document.get("targetNamespace", ""), element.get("name", ""))): element
            for document in self.documents
            for element in _children(document)
            if element.get("name")
        }

    def _find(self, kind: str, user: etree._Element, name: str) -> etree._Element:
        found = self._index.get((kind, _qualified(user, name)))
        if found is None:
            raise ConfigurationError(
                f"the schema names {kind} '{name}', which is nowhere defined",
                where=f"{self.files[0]}:{user.sourceline}",
            )
        return found

    def _type(self, user: etree._Element, name: str) -> etree._Element | str:
        """A named type: its definition, or the local name of a built-in one."""
        namespace, local = _qualified(user, name)
        if namespace == XS:
            return local
        kind = "complexType" if ("complexType", (namespace, local)) in self._index else "simpleType"
        return self._find(kind, user, name)

    def _type_of(self, element: etree._Element) -> etree._Element | str:
        if name := element.get("type"):
            return self._type(element, name)
        inline = next((child for child in _children(element) if _local(child).endswith("Type")), None)
        return "anyType" if inline is None else inline

    def _element(self, element: etree._Element) -> Node:
        minimum, maximum = _occurs(element)
        if name := element.get("ref"):
            return replace(self._element(self._find("element", element, name)), minimum=minimum, maximum=maximum)
        definition = self._type_of(element)
        return Node(
            name=element.get("name", ""),
            minimum=minimum,
            maximum=maximum,
            namespace=_namespace(element, "element"),
            leaf=self._leaf(definition),
            fixed=element.get("fixed"),
            expand=lambda: self._content(definition),
        )

    def _leaf(self, definition: etree._Element | str) -> Leaf | None:
        simple = self._simple(definition)
        return None if simple is None else leaf_of(simple)

    def _simple(self, definition: etree._Element | str) -> etree._Element | None:
        """The text's own type with every reference written out, or None where only elements stand."""
        if isinstance(definition, str):
            return restriction(definition if definition != "anyType" else "string")
        if _local(definition) == "simpleType":
            return self._simple_type(definition)
        derivation = _derivation(definition, "simpleContent")
        if derivation is None:
            return None
        base = self._simple(self._type(derivation, derivation.get("base", "")))
        facets = [child for child in _children(derivation) if _local(child) in FACETS]
        return narrowed(base, facets) if base is not None and facets else base

    def _simple_type(self, definition: etree._Element) -> etree._Element:
        variety = _children(definition)[0]
        match _local(variety):
            case "restriction":
                facets = [child for child in _children(variety) if _local(child) != "simpleType"]
                return narrowed(self._parts(variety, "base")[0], facets)
            case "list":
                return combined("list", self._parts(variety, "itemType"))
            case _:
                return combined("union", self._parts(variety, "memberTypes"))

    def _parts(self, variety: etree._Element, attribute: str) -> list[etree._Element]:
        """The simple types that a variety is made of, named or inline."""
        named = [self._type(variety, name) for name in variety.get(attribute, "").split()]
        inline = [child for child in _children(variety) if _local(child) == "simpleType"]
        return [simple for part in (*named, *inline) if (simple := self._simple(part)) is not None]

    def _content(self, definition: etree._Element | str) -> Content:
        if isinstance(definition, str) or _local(definition) == "simpleType":
            return EMPTY
        derivation = _derivation(definition, "complexContent")
        if derivation is None:
            derivation = _derivation(definition, "simpleContent")
        if derivation is None:
            return Content(tuple(self._attributes(definition)), self._own_group(definition))
        return self._derived(derivation)

    def _derived(self, derivation: etree._Element) -> Content:
        base = self._content(self._type(derivation, derivation.get("base", "")))
        own = {node.name: node for node in self._attributes(derivation)}
        attributes = tuple({**{node.name: node for node in base.attributes}, **own}.values())
        group = self._own_group(derivation)
        if _local(derivation) == "extension":
            group = Group("sequence", (base.group, group))
        return Content(attributes, group)

    def _own_group(self, owner: etree._Element) -> Group:
        particle = next((child for child in _children(owner) if _local(child) in _GROUPS), None)
        return Group("sequence") if particle is None else self._group(particle)

    def _group(self, particle: etree._Element) -> Group:
        minimum, maximum = _occurs(particle)
        if _local(particle) == "group":
            named = self._own_group(self._find("group", particle, particle.get("ref", "")))
            return Group("sequence", (named,) if maximum == 1 else _repeated((named,)), minimum, maximum)
        kind: Literal["sequence", "choice"] = "choice" if _local(particle) == "choice" else "sequence"
        parts = tuple(self._group_parts(particle))
        return Group(kind, parts if maximum == 1 else _repeated(parts), minimum, maximum)

    def _group_parts(self, particle: etree._Element) -> Iterator[Node | Group]:
        for child in _children(particle):
            if _local(child) in _GROUPS:
                yield self._group(child)
            elif _local(child) == "element" and child.get("maxOccurs") != "0":
                yield self._element(child)

    def _attributes(self, owner: etree._Element) -> Iterator[Node]:
        for child in _children(owner):
            if _local(child) == "attributeGroup":
                yield from self._attributes(self._find("attributeGroup", child, child.get("ref", "")))
            elif _local(child) == "attribute" and child.get("use") != "prohibited":
                yield self._attribute(child)

    def _attribute(self, use: etree._Element) -> Node:
        definition = self._find("attribute", use, use.get("ref", "")) if use.get("ref") else use
        return Node(
            name=f"@{definition.get('name', '')}",
            minimum=1 if use.get("use") == "required" else 0,
            namespace=_namespace(definition, "attribute"),
            leaf=self._leaf(self._type_of(definition)),
            fixed=use.get("fixed", definition.get("fixed")),
        )


_GROUPS = frozenset({"sequence", "choice", "all", "group"})


def _documents(file: Path, namespace: str) -> Iterator[etree._Element]:
    try:
        root = parse(file.read_bytes(), str(file))
    except OSError:
        raise ConfigurationError("the schema is missing", where=str(file), expected="an XSD") from None
    except RecordError:
        raise ConfigurationError("the schema is not XML", where=str(file), expected="an XSD") from None
    for document in root.iter(f"{{{XS}}}schema"):
        if namespace and not document.get("targetNamespace"):
            document.set("targetNamespace", namespace)
        yield document


def _included(file: Path, document: etree._Element) -> list[tuple[Path, str]]:
    found = []
    for child in _children(document):
        beside = file.parent / Path(child.get("schemaLocation", "")).name
        if _local(child) in {"include", "import"} and child.get("schemaLocation") and beside.is_file():
            found.append((beside, document.get("targetNamespace", "") if _local(child) == "include" else ""))
    return found


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str) and child.tag != f"{{{XS}}}annotation"]


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _qualified(user: etree._Element, name: str) -> Name:
    prefix, _, local = name.rpartition(":")
    namespace = user.nsmap.get(prefix or None)
    if namespace is None and not prefix:  # an included schema without a namespace of its own
        namespace = _document(user).get("targetNamespace")
    return namespace or "", local


def _document(element: etree._Element) -> etree._Element:
    while _local(element) != "schema":
        parent = element.getparent()
        assert parent is not None
        element = parent
    return element


def _namespace(definition: etree._Element, kind: str) -> str:
    document = _document(definition)
    form = definition.get("form") or document.get(f"{kind}FormDefault", "unqualified")
    is_global = definition.getparent() is document
    return document.get("targetNamespace", "") if is_global or form == "qualified" else ""


def _occurs(element: etree._Element) -> tuple[int, int | None]:
    maximum = element.get("maxOccurs", "1")
    return int(element.get("minOccurs", "1")), None if maximum == "unbounded" else int(maximum)


def _repeated(parts: tuple[Node | Group, ...]) -> tuple[Node | Group, ...]:
    """The parts of a group that may come again, so that each of them may."""
    return tuple(
        replace(part, parts=_repeated(part.parts)) if isinstance(part, Group) else replace(part, in_repeated_group=True)
        for part in parts
    )


def _derivation(definition: etree._Element, content: str) -> etree._Element | None:
    found = definition.find(f"{{{XS}}}{content}")
    return None if found is None else _children(found)[0]
