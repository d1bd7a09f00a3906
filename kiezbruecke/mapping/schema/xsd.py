"""Reads XSDs into the target tree. The text rules of a type stay with libxml2: a type is its own small schema.

The schema may be one file, several that include, import and redefine each other, or the `wsdl:types` of a WSDL.

    Documents (files) ──▶ Components (who is meant by a name) ──▶ Schemas (Node, Group, Content) ──▶ settle
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal

from lxml import etree

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.components import (
    Components,
    Definition,
    Name,
    children,
    derivation,
    document_of,
    local,
    namespace_of,
)
from kiezbruecke.mapping.schema.simple import SimpleTypes, documentation
from kiezbruecke.mapping.schema.tree import EMPTY, Group, Node, NodeContent, nodes
from kiezbruecke.standards.documents import Documents

_GROUPS = frozenset({"sequence", "choice", "all", "group"})
_TRUE = frozenset({"true", "1"})
_ENDLESS = 1 << 30


class Schemas:
    """All schema documents of one standard, and the trees below their global elements."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._components = Components(documents)
        self._simple = SimpleTypes(self._components)
        self._contents: dict[Definition, NodeContent] = {}
        self._nodes: dict[etree._Element, Node] = {}

    @classmethod
    def read(cls, *files: Path) -> Schemas:
        """Read files of one folder and all that they include and import; raises ConfigurationError."""
        return cls(Documents.read(files))

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read."""
        return self.documents.files

    @property
    def prefixes(self) -> dict[str, str]:
        """A prefix for every namespace, as the documents use it."""
        return self._components.prefixes

    def roots(self) -> list[str]:
        """The names of the global elements, sorted; `prefix:Name` where two have one local name."""
        return sorted(self._roots)

    def root(self, name: str) -> Node:
        """The tree below a global element; raises KeyError, and ConfigurationError where two have this name."""
        if name in self._roots:
            return self._declared(self._roots[name])
        namesakes = [one for one in self.roots() if one.rpartition(":")[2] == name and ":" in one]
        if namesakes:
            raise ConfigurationError(f"several namespaces have an element '{name}'", expected=", ".join(namesakes))
        prefix, _, plain = name.rpartition(":")
        element = self._roots.get(plain)
        if prefix and element is not None and self.prefixes.get(namespace_of(element, "element")) == prefix:
            return self._declared(element)
        if name in {plain for (_, plain), _ in self._components.elements(abstract=True)}:
            raise ConfigurationError(
                f"the element '{name}' is abstract, so no message begins with it", expected=", ".join(self.roots())
            )
        raise KeyError(name)

    @cached_property
    def _roots(self) -> dict[str, etree._Element]:
        found = dict(self._components.elements())
        called = self._told_apart(found)
        return {called[name]: element for name, element in found.items()}

    def _told_apart(self, names: Iterable[Name]) -> dict[Name, str]:
        """What each global name is called here: with its prefix where several namespaces have it."""
        found = list(names)
        counts = Counter(plain for _, plain in found)
        return {
            (space, plain): f"{self.prefixes[space]}:{plain}" if space and counts[plain] > 1 else plain
            for space, plain in found
        }

    def _element(self, use: etree._Element, definition: etree._Element) -> Node:
        minimum, maximum = _occurs(use)
        node = self._declared(definition)
        return replace(node, minimum=minimum, maximum=maximum, documentation=documentation(use) or node.documentation)

    def _declared(self, element: etree._Element) -> Node:
        """The node of a declaration, the same wherever it is named."""
        if element not in self._nodes:
            self._nodes[element] = self._new_node(element)
        return self._nodes[element]

    def _new_node(self, element: etree._Element) -> Node:
        declared = self._components.type_of(element)
        said = documentation(element)
        if not said and not isinstance(declared, str) and declared.get("name"):
            said = documentation(declared)
        node = Node(
            name=element.get("name", ""),
            namespace=namespace_of(element, "element"),
            fixed=element.get("fixed"),
            default=element.get("default"),
            nillable=element.get("nillable") in _TRUE,
            documentation=said,
        )
        typed = self._typed(node, declared)
        return replace(typed, derived=lambda: self._derived_nodes(typed, element))

    def _typed(self, node: Node, definition: Definition) -> Node:
        is_abstract = not isinstance(definition, str) and definition.get("abstract") in _TRUE
        return replace(
            node,
            leaf=self._simple.leaf(definition),
            mixed=self._simple.is_mixed(definition),
            abstract=is_abstract,
            expand=lambda: self._settled(definition),
        )

    def _settled(self, definition: Definition) -> NodeContent:
        """A type's content, the same wherever the type stands: a schema whose types use each other stays small."""
        if definition not in self._contents:
            self._contents[definition] = settled(self._content(definition), self.prefixes)
        return self._contents[definition]

    def _derived_nodes(self, node: Node, element: etree._Element) -> dict[str, Node]:
        """The element with each type that may stand for its own, by the type's name."""
        found = self._components.derived(element)
        called = self._told_apart(name for name, _ in found)
        return {called[name]: replace(self._typed(node, definition), xsi_type=name) for name, definition in found}

    def _content(self, definition: Definition) -> NodeContent:
        if isinstance(definition, str) or local(definition) == "simpleType":
            return EMPTY
        step = derivation(definition, "complexContent")
        if step is None:
            step = derivation(definition, "simpleContent")
        if step is None:
            return NodeContent(tuple(self._attributes(definition)), self._own_group(definition))
        return self._derived(step)

    def _derived(self, step: etree._Element) -> NodeContent:
        base = self._content(self._components.type(step, step.get("base", "")))
        prohibited = {node.name for node in self._attributes(step, prohibited=True)}
        own = {(node.namespace, node.name): node for node in self._attributes(step)}
        kept = {(node.namespace, node.name): node for node in base.attributes if node.name not in prohibited}
        group = self._own_group(step)
        if local(step) == "extension":
            group = Group("sequence", (base.group, group))
        return NodeContent(tuple({**kept, **own}.values()), group)

    def _own_group(self, owner: etree._Element) -> Group:
        particle = next((child for child in children(owner) if local(child) in _GROUPS), None)
        return Group("sequence") if particle is None or particle.get("maxOccurs") == "0" else self._group(particle)

    def _group(self, particle: etree._Element) -> Group:
        minimum, maximum = _occurs(particle)
        if local(particle) == "group":
            named = self._own_group(self._components.find("group", particle, particle.get("ref", "")))
            return Group("sequence", (named,), minimum, maximum)
        kind: Literal["sequence", "choice"] = "choice" if local(particle) == "choice" else "sequence"
        return Group(kind, tuple(self._parts(particle)), minimum, maximum)

    def _parts(self, particle: etree._Element) -> Iterator[Node | Group]:
        for child in children(particle):
            if child.get("maxOccurs") == "0":
                continue
            if local(child) in _GROUPS:
                yield self._group(child)
            elif local(child) == "element":
                yield self._particle(child)
            elif local(child) == "any":
                yield self._wildcard(child)

    def _particle(self, use: etree._Element) -> Node | Group:
        """An element; of a head that others stand for, a choice of them all."""
        if not use.get("ref"):
            return self._element(use, use)
        head = self._components.find("element", use, use.get("ref", ""))
        members = self._components.members(head)
        if members == [head]:
            return self._element(use, head)
        return Group("choice", tuple(map(self._declared, members)), *_occurs(use))

    def _wildcard(self, wildcard: etree._Element) -> Group:
        own = document_of(wildcard).get("targetNamespace", "")
        wanted = wildcard.get("namespace", "##any").split()
        found = [
            replace(self._declared(element), wildcard=True)
            for (space, _), element in self._components.elements()
            if _admits(wanted, own, space)
        ]
        return Group("choice", tuple(found), *_occurs(wildcard))

    def _attributes(self, owner: etree._Element, *, prohibited: bool = False) -> Iterator[Node]:
        for child in children(owner):
            if local(child) == "attributeGroup":
                named = self._components.find("attributeGroup", child, child.get("ref", ""))
                yield from self._attributes(named, prohibited=prohibited)
            elif local(child) == "attribute" and (child.get("use") == "prohibited") == prohibited:
                yield self._attribute(child)

    def _attribute(self, use: etree._Element) -> Node:
        name = use.get("ref")
        definition = self._components.find("attribute", use, name) if name else use
        return Node(
            name=f"@{definition.get('name', '')}",
            minimum=1 if use.get("use") == "required" else 0,
            namespace=namespace_of(definition, "attribute"),
            leaf=self._simple.leaf(self._components.type_of(definition)),
            fixed=use.get("fixed", definition.get("fixed")),
            default=use.get("default", definition.get("default")),
            documentation=documentation(use) or documentation(definition),
        )


def _occurs(element: etree._Element) -> tuple[int, int | None]:
    maximum = element.get("maxOccurs", "1").strip()
    return int(element.get("minOccurs", "1")), None if maximum == "unbounded" else int(maximum)


def _admits(wanted: list[str], own: str, space: str) -> bool:
    """Whether the namespace constraint of xs:any lets an element of a namespace stand there."""
    if wanted == ["##any"]:
        return True
    if wanted == ["##other"]:
        return space not in {own, ""}
    return space in [{"##local": "", "##targetNamespace": own}.get(one, one) for one in wanted]


def settled(content: NodeContent, prefixes: Mapping[str, str]) -> NodeContent:
    """The last touch on an element's content: what rules see.

    Of two namespaces with one local name both write their prefix; what xs:any adds a second time is left out; a name
    that stands several times (A, B, A), or in a group that does, repeats.
    """
    group = _without_echoes(content.group)
    counts = _counts(group)
    spaces: dict[str, set[str]] = {}
    for node in chain(content.attributes, nodes(group)):
        spaces.setdefault(node.name, set()).add(node.namespace)

    def named(node: Node) -> Node:
        if len(spaces[node.name]) == 1 or not node.namespace:
            return node
        mark = "@" if node.name.startswith("@") else ""
        return replace(node, name=f"{mark}{prefixes.get(node.namespace, 'ns')}:{node.local}")

    def told(node: Node, again: bool) -> Node:
        most = _ENDLESS if node.maximum is None else node.maximum
        again = again or counts[_key(node)] > most
        return named(replace(node, in_repeated_group=True) if again and not node.in_repeated_group else node)

    return NodeContent(tuple(map(named, content.attributes)), _mapped(group, told))


def _mapped(group: Group, change: Callable[[Node, bool], Node | None], *, again: bool = False) -> Group:
    """The group with each node as `change` gives it, who is told whether a group around the node may come again."""
    again = again or group.maximum != 1
    changed = (
        _mapped(part, change, again=again) if isinstance(part, Group) else change(part, again) for part in group.parts
    )
    return replace(group, parts=tuple(part for part in changed if part is not None))


def _without_echoes(group: Group) -> Group:
    """What xs:any lets in, without the elements that the same content declares itself or has let in before."""
    seen = {_key(node) for node in nodes(group) if not node.wildcard}

    def first(node: Node, _again: bool) -> Node | None:
        echoes = node.wildcard and _key(node) in seen
        seen.add(_key(node))
        return None if echoes else node

    return _mapped(group, first) if any(node.wildcard for node in nodes(group)) else group


def _counts(part: Node | Group) -> dict[Name, int]:
    """How often each name may stand there at most."""
    if isinstance(part, Node):
        return {_key(part): _ENDLESS if part.maximum is None else part.maximum}
    found: dict[Name, int] = {}
    for inner in part.parts:
        for key, count in _counts(inner).items():
            found[key] = max(found.get(key, 0), count) if part.kind == "choice" else found.get(key, 0) + count
    times = _ENDLESS if part.maximum is None else part.maximum
    return {key: min(count * times, _ENDLESS) for key, count in found.items()}


def _key(node: Node) -> Name:
    return node.namespace, node.local
