"""Simple types: every reference is written out, so that a type is its own small schema, and libxml2 is the judge.

So a pattern, a union or a number means exactly what it means in the whole schema; we only say it in German,
and without the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache, cached_property
from threading import Lock

from lxml import etree
from lxml.builder import ElementMaker

from kiezbruecke.mapping.schema.components import Components, Definition, children, derivation, local
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind, Unusable
from kiezbruecke.mapping.wording import Instead, Why, Wording, some
from kiezbruecke.standards.documents import XML, XS
from kiezbruecke.standards.parse import parse

_MAKE = ElementMaker(namespace=XS, nsmap={"xs": XS})
_INTEGERS = frozenset(
    f"{sign}{size}"
    for sign, size in [("", "integer"), ("", "int"), ("", "long"), ("", "short"), ("", "byte")]
    + [("positive", "Integer"), ("negative", "Integer"), ("nonNegative", "Integer"), ("nonPositive", "Integer")]
    + [("unsigned", name) for name in ("Int", "Long", "Short", "Byte")]
)
_KINDS: dict[str, Kind] = {
    "decimal": "decimal",
    "date": "date",
    "dateTime": "moment",
    "boolean": "boolean",
    "anyType": "any",
    "anySimpleType": "any",
    **dict.fromkeys(_INTEGERS, "integer"),
}
_FACETS = {  # what a broken facet means to people; the expectation takes the facet's value
    "maxLength": (Why.TOO_LONG, Instead.AT_MOST_CHARACTERS),
    "minLength": (Why.TOO_SHORT, Instead.AT_LEAST_CHARACTERS),
    "length": (Why.WRONG_LENGTH, Instead.CHARACTERS),
    "pattern": (Why.WRONG_FORM, Instead.PATTERN),
    "enumeration": (Why.NOT_ALLOWED, Instead.ONE_OF),
    "minInclusive": (Why.TOO_SMALL, Instead.AT_LEAST),
    "maxInclusive": (Why.TOO_LARGE, Instead.AT_MOST),
    "minExclusive": (Why.TOO_SMALL, Instead.MORE_THAN),
    "maxExclusive": (Why.TOO_LARGE, Instead.LESS_THAN),
    "totalDigits": (Why.DIGITS, Instead.DIGITS),
    "fractionDigits": (Why.PLACES, Instead.PLACES),
}
_SHOWN = 12  # values of a facet
_LANGUAGE = f"{{{XML}}}lang"
_BY_ERROR = {getattr(etree.ErrorTypes, f"SCHEMAV_CVC_{facet.upper()}_VALID"): facet for facet in _FACETS}
_KIND_NAMES: dict[Kind, Wording] = {
    "decimal": Instead.NUMBER(),
    "integer": Instead.WHOLE_NUMBER(),
    "date": Instead.DAY_LIKE("2026-04-24"),
    "moment": Instead.MOMENT(),
    "boolean": Instead.ONE_OR_ZERO(),
}
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
            return _restriction("string" if definition in _ANY else definition)
        if local(definition) == "simpleType":
            return self._simple_type(definition)
        if self.is_mixed(definition):
            return _restriction("string")
        step = derivation(definition, "simpleContent")
        if step is None:
            return None
        inline = self._inline(step)
        base = inline[0] if inline else self._simple(self._components.type(step, step.get("base", "")))
        facets = [child for child in children(step) if local(child) in _FACETS]
        return _narrowed(base, facets) if base is not None and facets else base

    def _simple_type(self, definition: etree._Element) -> etree._Element:
        variety = children(definition)[0]
        match local(variety):
            case "restriction":
                facets = [child for child in children(variety) if local(child) != "simpleType"]
                return _narrowed(self._parts(variety, "base")[0], facets)
            case "list":
                return _combined("list", self._parts(variety, "itemType"))
            case _:
                return _combined("union", self._parts(variety, "memberTypes"))

    def _parts(self, variety: etree._Element, attribute: str) -> list[etree._Element]:
        """The simple types that a variety is made of, named or inline."""
        named = [self._components.type(variety, name) for name in variety.get(attribute, "").split()]
        return [*(simple for part in named if (simple := self._simple(part)) is not None), *self._inline(variety)]

    def _inline(self, owner: etree._Element) -> list[etree._Element]:
        return [self._simple_type(child) for child in children(owner) if local(child) == "simpleType"]


def _restriction(builtin: str) -> etree._Element:
    """A built-in type as a simple type; of a QName and a NOTATION only the whole message knows the prefixes."""
    return _MAKE.simpleType(_MAKE.restriction(base=f"xs:{'Name' if builtin in {'QName', 'NOTATION'} else builtin}"))


def _narrowed(base: etree._Element, facets: list[etree._Element]) -> etree._Element:
    """A simple type with more rules; which names with prefixes are allowed is the whole schema's to say."""
    is_name = _builtin(base) == "Name"
    kept = (facet for facet in facets if not (is_name and ":" in facet.get("value", "")))
    return _MAKE.simpleType(_MAKE.restriction(base, *map(_facet, kept)))


def _facet(facet: etree._Element) -> etree._Element:
    said = documentation(facet)
    notes = [_MAKE.annotation(_MAKE.documentation(said))] if said else []
    return _MAKE(local(facet), *notes, value=facet.get("value", ""))


def _combined(variety: str, parts: list[etree._Element]) -> etree._Element:
    """A list or a union of simple types."""
    return _MAKE.simpleType(_MAKE(variety, *map(deepcopy, parts)))


def documentation(definition: etree._Element) -> str:
    """What a schema says about a definition, in one line; the German text where there are several.

    XÖV standards describe their values in `appinfo/beschreibung`.
    """
    found = definition.findall(f"{{{XS}}}annotation/{{{XS}}}documentation")
    german = [text for text in found if text.get(_LANGUAGE, "").lower().startswith("de")]
    described = definition.findall(f"{{{XS}}}annotation/{{{XS}}}appinfo/{{*}}beschreibung")
    return " ".join(" ".join("".join(text.itertext()).split()) for text in german or found or described).strip()


def leaf_of(simple: etree._Element) -> Leaf:
    """The leaf of a simple type whose references are written out; the same type is one leaf."""
    return _leaf(etree.tostring(simple))


@cache
def _leaf(source: bytes) -> Leaf:
    simple = parse(source)
    builtin, kind = _builtin(simple), _KINDS.get(_builtin(simple), "text")
    found = {facet: elements for facet in (*_FACETS, "whiteSpace") if (elements := _tightest(simple, facet))}
    found |= {"enumeration": united} if builtin == "union" and (united := _united(simple)) else {}
    values = {facet: tuple(one.get("value", "") for one in elements) for facet, elements in found.items()}
    return Leaf(
        kind,
        _max_length(builtin, values),
        _Judge(source, kind, values),
        builtin=builtin,
        facets={facet: texts for facet, texts in values.items() if facet not in {"pattern", "enumeration"}},
        patterns=_patterns(simple),
        enumeration=values.get("enumeration", ()),
        words=tuple(dict.fromkeys(one.get("value", "") for one in simple.iter(f"{{{XS}}}enumeration"))),
        codes={one.get("value", ""): text for one in found.get("enumeration", ()) if (text := documentation(one))},
    )


def _steps(simple: etree._Element) -> Iterator[etree._Element]:
    """A type's restrictions, the last one first; ends at the built-in type, the list or the union."""
    inner: etree._Element | None = simple
    while inner is not None:
        step = inner.find(f"{{{XS}}}restriction")
        if step is None:
            return
        yield step
        inner = step.find(f"{{{XS}}}simpleType")


def _builtin(simple: etree._Element) -> str:
    steps = list(_steps(simple))
    if steps and steps[-1].get("base"):
        return steps[-1].get("base", "").removeprefix("xs:")
    return local(_variety(simple))


def _variety(simple: etree._Element) -> etree._Element:
    """The innermost restriction, list or union of a type."""
    steps = [simple[0], *(step[0][0] for step in _steps(simple) if not step.get("base"))]
    return steps[-1]


def _united(simple: etree._Element) -> list[etree._Element]:
    """The words of a type, each once; of a union those of all its members, none where one of them takes more."""
    if own := _tightest(simple, "enumeration"):
        return own
    if local(_variety(simple)) != "union":
        return []
    members = [_united(member) for member in children(_variety(simple))]
    found = {one.get("value"): one for member in reversed(members) for one in reversed(member)}
    return list(reversed(found.values())) if all(members) else []


def _max_length(builtin: str, values: Mapping[str, Sequence[str]]) -> int | None:
    if builtin == "list":  # its length counts parts, not characters
        return None
    return min((int(values[facet][0]) for facet in ("maxLength", "length") if facet in values), default=None)


def _patterns(simple: etree._Element) -> tuple[tuple[str, ...], ...]:
    steps = (step.findall(f"{{{XS}}}pattern") for step in _steps(simple))
    return tuple(reversed([tuple(found.get("value", "") for found in step) for step in steps if step]))


def _tightest(simple: etree._Element, facet: str) -> list[etree._Element]:
    """A facet where the type narrows it last."""
    steps = (step.findall(f"{{{XS}}}{facet}") for step in _steps(simple))
    return next((step for step in steps if step), [])


class _Judge:
    """Asks libxml2 whether a text is of a type, and says in German what is wrong – without the text."""

    def __init__(self, source: bytes, kind: Kind, values: Mapping[str, Sequence[str]]) -> None:
        self._source, self._kind, self._values = source, kind, values
        self._lock = Lock()

    def __call__(self, text: str) -> None:
        probe = etree.Element("v")
        try:
            probe.text = text
        except ValueError:
            raise Unusable(Why.NOT_IN_XML(), Instead.READABLE()) from None
        schema = self._schema
        try:
            with self._lock:  # libxml2 keeps its error list with the schema
                errors = [] if schema.validate(probe) else [error.type for error in schema.error_log]
        except etree.XMLSchemaValidateError:  # a pattern that fits in too many ways: libxml2 gives up
            raise Unusable(Why.UNJUDGEABLE(), Instead.SHORTER()) from None
        if errors:
            raise self._complaint(errors)

    @cached_property
    def _schema(self) -> etree.XMLSchema:
        return etree.XMLSchema(_MAKE.schema(_MAKE.element(parse(self._source), name="v")))

    def _complaint(self, errors: Sequence[int]) -> Unusable:
        facet = next((_BY_ERROR[error] for error in errors if error in _BY_ERROR), None)
        if facet is None and self._kind == "text" and "enumeration" in self._values:
            facet = "enumeration"  # of a union: libxml2 says of none of its members why
        if facet is None:
            return Unusable(Why.WRONG_TYPE(), _KIND_NAMES.get(self._kind, Instead.ANOTHER()))
        problem, expected = _FACETS[facet]
        return Unusable(problem(), expected(some(self._values.get(facet, ()), _SHOWN)))
