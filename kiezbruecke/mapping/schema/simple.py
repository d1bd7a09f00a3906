"""Simple types of a schema as leaves: every reference is written out, so that a type is its own small schema."""

from __future__ import annotations

from lxml import etree

from kiezbruecke.mapping.schema.components import Components, Definition, children, derivation, local
from kiezbruecke.mapping.schema.facets import FACETS, combined, leaf_of, narrowed, restriction
from kiezbruecke.mapping.schema.tree import Leaf

_ANY = frozenset({"anyType", "anySimpleType"})  # whose text may be anything


class SimpleTypes:
    """The leaves of all types of a schema; the same type is the same leaf."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._leaves: dict[Definition, Leaf | None] = {}

    def leaf(self, definition: Definition) -> Leaf | None:
        """What a type's text must be, or None where only elements stand."""
        if definition not in self._leaves:
            simple = self._simple(definition)
            self._leaves[definition] = None if simple is None else leaf_of(simple)
        return self._leaves[definition]

    def is_mixed(self, definition: Definition) -> bool:
        """Whether text may stand between a type's elements."""
        if isinstance(definition, str) or local(definition) == "simpleType":
            return False
        step = derivation(definition, "complexContent")
        content = None if step is None else step.getparent()
        own = definition.get("mixed") if content is None else content.get("mixed", definition.get("mixed"))
        if own is None and step is not None and local(step) == "extension":
            return self.is_mixed(self._components.type(step, step.get("base", "")))
        return own in {"true", "1"}

    def _simple(self, definition: Definition) -> etree._Element | None:
        if isinstance(definition, str):
            return restriction("string" if definition in _ANY else definition)
        if local(definition) == "simpleType":
            return self._simple_type(definition)
        if self.is_mixed(definition):
            return restriction("string")
        step = derivation(definition, "simpleContent")
        if step is None:
            return None
        inline = self._inline(step)
        base = inline[0] if inline else self._simple(self._components.type(step, step.get("base", "")))
        facets = [child for child in children(step) if local(child) in FACETS]
        return narrowed(base, facets) if base is not None and facets else base

    def _simple_type(self, definition: etree._Element) -> etree._Element:
        variety = children(definition)[0]
        match local(variety):
            case "restriction":
                facets = [child for child in children(variety) if local(child) != "simpleType"]
                return narrowed(self._parts(variety, "base")[0], facets)
            case "list":
                return combined("list", self._parts(variety, "itemType"))
            case _:
                return combined("union", self._parts(variety, "memberTypes"))

    def _parts(self, variety: etree._Element, attribute: str) -> list[etree._Element]:
        """The simple types that a variety is made of, named or inline."""
        named = [self._components.type(variety, name) for name in variety.get(attribute, "").split()]
        return [*(simple for part in named if (simple := self._simple(part)) is not None), *self._inline(variety)]

    def _inline(self, owner: etree._Element) -> list[etree._Element]:
        return [self._simple_type(child) for child in children(owner) if local(child) == "simpleType"]
