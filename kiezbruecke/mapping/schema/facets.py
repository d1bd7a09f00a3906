"""The text rules of a schema's types: each simple type becomes a small schema of its own, and libxml2 is the judge.

So a pattern, a union or a number means exactly what it means in the whole schema; we only say it in German,
and without the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache, cached_property
from threading import Lock

from lxml import etree

from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind, Unusable
from kiezbruecke.standards.store import parse

XS = "http://www.w3.org/2001/XMLSchema"
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
FACETS = {  # what a broken facet means to people; {} is the facet's value
    "maxLength": ("der Text ist zu lang", "höchstens {} Zeichen"),
    "minLength": ("der Text ist zu kurz", "mindestens {} Zeichen"),
    "length": ("der Text hat die falsche Länge", "genau {} Zeichen"),
    "pattern": ("der Text hat nicht die verlangte Form", "das Muster {}"),
    "enumeration": ("der Wert ist nicht erlaubt", "einer von: {}"),
    "minInclusive": ("die Zahl ist zu klein", "mindestens {}"),
    "maxInclusive": ("die Zahl ist zu groß", "höchstens {}"),
    "minExclusive": ("die Zahl ist zu klein", "mehr als {}"),
    "maxExclusive": ("die Zahl ist zu groß", "weniger als {}"),
    "totalDigits": ("die Zahl hat zu viele Stellen", "höchstens {} Stellen"),
    "fractionDigits": ("die Zahl hat zu viele Nachkommastellen", "höchstens {} Nachkommastellen"),
}
_BY_ERROR = {getattr(etree.ErrorTypes, f"SCHEMAV_CVC_{facet.upper()}_VALID"): facet for facet in FACETS}
_KIND_NAMES: dict[Kind, str] = {
    "decimal": "eine Zahl",
    "integer": "eine ganze Zahl",
    "date": "ein Tag wie 2026-04-24",
    "moment": "ein Zeitpunkt",
    "boolean": "1 oder 0",
}


def _new(name: str, parent: etree._Element | None = None) -> etree._Element:
    if parent is None:
        return etree.Element(f"{{{XS}}}{name}", nsmap={"xs": XS})
    return etree.SubElement(parent, f"{{{XS}}}{name}")


def restriction(builtin: str) -> etree._Element:
    """A built-in type as a simple type."""
    simple = _new("simpleType")
    _new("restriction", simple).set("base", f"xs:{builtin}")
    return simple


def narrowed(base: etree._Element, facets: list[etree._Element]) -> etree._Element:
    """A simple type with more rules."""
    simple = _new("simpleType")
    step = _new("restriction", simple)
    step.append(base)
    for facet in facets:
        _new(etree.QName(facet).localname, step).set("value", facet.get("value", ""))
    return simple


def combined(variety: str, parts: list[etree._Element]) -> etree._Element:
    """A list or a union of simple types."""
    simple = _new("simpleType")
    _new(variety, simple).extend(deepcopy(part) for part in parts)
    return simple


def leaf_of(simple: etree._Element) -> Leaf:
    """The leaf of a simple type whose references are written out; the same type is one leaf."""
    return _leaf(etree.tostring(simple))


@cache
def _leaf(source: bytes) -> Leaf:
    simple = parse(source)
    return Leaf(_kind(simple), _max_length(simple), _Judge(source))


def _kind(simple: etree._Element) -> Kind:
    if simple.find(f".//{{{XS}}}union") is not None or simple.find(f".//{{{XS}}}list") is not None:
        return "text"
    builtin = next(found.get("base", "") for found in simple.iter(f"{{{XS}}}restriction") if found.get("base"))
    return _KINDS.get(builtin.removeprefix("xs:"), "text")


def _max_length(simple: etree._Element) -> int | None:
    lengths = [int(_values(simple, facet)[0]) for facet in ("maxLength", "length") if _values(simple, facet)]
    return min(lengths, default=None)


def _values(simple: etree._Element, facet: str) -> list[str]:
    """The values of a facet where the type narrows it last."""
    restrictions = (step.findall(f"{{{XS}}}{facet}") for step in simple.iter(f"{{{XS}}}restriction"))
    return [found.get("value", "") for found in next((step for step in restrictions if step), [])]


class _Judge:
    """Asks libxml2 whether a text is of a type, and says in German what is wrong – without the text."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lock = Lock()

    def __call__(self, text: str) -> None:
        probe = etree.Element("v")
        probe.text = text
        schema = self._schema
        with self._lock:  # libxml2 keeps its error list with the schema
            errors = [] if schema.validate(probe) else [error.type for error in schema.error_log]
        if errors:
            raise self._complaint(errors)

    @cached_property
    def _simple(self) -> etree._Element:
        return parse(self._source)

    @cached_property
    def _schema(self) -> etree.XMLSchema:
        document = _new("schema")
        element = _new("element", document)
        element.set("name", "v")
        element.append(deepcopy(self._simple))
        return etree.XMLSchema(document)

    def _complaint(self, errors: Sequence[int]) -> Unusable:
        facet = next((_BY_ERROR[error] for error in errors if error in _BY_ERROR), None)
        if facet is None:
            kind = _kind(self._simple)
            return Unusable("der Wert passt nicht zum Typ des Feldes", _KIND_NAMES.get(kind, "ein anderer Wert"))
        problem, expected = FACETS[facet]
        return Unusable(problem, expected.format(_shown(_values(self._simple, facet))))


def _shown(values: list[str]) -> str:
    return ", ".join(values[:12]) + (", …" if len(values) > 12 else "")
