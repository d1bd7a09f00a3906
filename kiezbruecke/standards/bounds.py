"""What a schema may cost: particles, patterns, seconds. Every schema is measured before anything unrolls it.

A few lines can mean more than a machine holds: a group that names another one twice doubles with every level, and a
pattern that fits in many ways is tried in all of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from lxml import etree

from kiezbruecke.errors import ConfigurationError

XS = "{http://www.w3.org/2001/XMLSchema}"
MOST_PARTICLES = 50_000  # of one type: libxml2 needs a kilobyte and more for each
MOST_OPTIONAL = 1_000  # of one type: libxml2's time for them grows with the third power, 1.7 s for a thousand
DEEPEST = 100  # definitions that rest on one another
LONGEST_PATTERN = 2_000  # signs
PATIENCE = 0.3  # seconds for one text of 200 signs; what is unambiguous needs a thousandth of it
WHOLE_PATIENCE = 10.0  # seconds for all patterns of a schema
_NAMED = ("group", "attributeGroup", "complexType", "simpleType")
_REFERENCES = ("ref", "base", "itemType", "memberTypes")
_ELEMENTS = frozenset((
    "all", "annotation", "any", "anyAttribute", "appinfo", "attribute", "attributeGroup", "choice", "complexContent",
    "complexType", "documentation", "element", "enumeration", "extension", "field", "fractionDigits", "group", "import",
    "include", "key", "keyref", "length", "list", "maxExclusive", "maxInclusive", "maxLength", "minExclusive",
    "minInclusive", "minLength", "notation", "pattern", "redefine", "restriction", "schema", "selector", "sequence",
    "simpleContent", "simpleType", "totalDigits", "union", "unique", "whiteSpace",
))  # fmt: skip
_NEWER_ELEMENTS = frozenset(
    ("override", "assert", "assertion", "alternative", "openContent", "defaultOpenContent", "explicitTimezone")
)
_VERSIONS = "{http://www.w3.org/2007/XMLSchema-versioning}"
_OLDER = {f"{_VERSIONS}minVersion": "1.0", f"{_VERSIONS}maxVersion": "1.1"}  # from 1.0 on, and before 1.1: for us
_NEWER_ATTRIBUTES = frozenset(
    ("notNamespace", "notQName", "defaultAttributes", "defaultAttributesApply", "inheritable", "xpathDefaultNamespace")
)
_NEWER_TYPES = frozenset(("dateTimeStamp", "dayTimeDuration", "yearMonthDuration", "anyAtomicType"))
_SIGN = re.compile(
    r"\\(?P<escape>.)(?:\{\w+\})?|\[\^?\\?(?P<first>[^\]])(?:\\.|[^\]\\])*\]|(?P<plain>[^\\\[\](){}|*+?,])"
)
_SAMPLES = {"d": "0", "s": " ", "S": "a", "D": "a", "w": "a", "i": "a", "c": "a", "W": ".", "p": "a", "P": "."}


def refuse_endless(schemas: Iterable[tuple[Path, etree._Element]]) -> None:
    """Raises ConfigurationError where a type, written out, has more particles than anybody can use."""
    found = list(schemas)
    standing = _standing(found)
    globals_ = sum(1 for _, schema in found for _ in schema.iterchildren(f"{XS}element"))

    def written(part: etree._Element) -> int:
        """An element may be any that stands for it, and a wildcard any that there is."""
        return globals_ if part.tag == f"{XS}any" else 1 + standing.get(part.get("ref", "").rpartition(":")[2], 0)

    sizes = _Sizes((schema for _, schema in found), written)
    optional = _Sizes((schema for _, schema in found), lambda part: part.get("minOccurs") == "0")
    for file, schema in found:
        for definition in schema.iter(*(f"{XS}{kind}" for kind in _NAMED)):
            try:
                size, left_out = sizes.of(definition), optional.of(definition)
            except RecursionError:
                raise ConfigurationError(
                    f"'{definition.get('name', 'a type without a name')}' rests on more others than can be followed",
                    where=f"{file}:{definition.sourceline}",
                    expected=f"at most {DEEPEST} types and groups that are made of one another",
                ) from None
            if size > MOST_PARTICLES:
                raise ConfigurationError(
                    f"'{definition.get('name', 'a type without a name')}' is too large when it is written out",
                    where=f"{file}:{definition.sourceline}",
                    expected=f"at most {MOST_PARTICLES:,} elements, attributes and values in one type",
                )
            if left_out > MOST_OPTIONAL:
                raise ConfigurationError(
                    f"'{definition.get('name', 'a type without a name')}' has {left_out:,} parts that may be left out",
                    where=f"{file}:{definition.sourceline}",
                    expected=f"at most {MOST_OPTIONAL:,} of them in one type",
                )


def refuse_slow_patterns(schemas: Iterable[tuple[Path, etree._Element]]) -> None:
    """Raises ConfigurationError for a pattern that libxml2 takes long for, gives up at, or cannot follow."""
    until = time.monotonic() + WHOLE_PATIENCE
    for file, schema in schemas:
        for facet in schema.iter(f"{XS}pattern"):
            pattern, where = facet.get("value", ""), f"{file}:{facet.sourceline}"
            if _is_unknown(pattern):
                raise ConfigurationError(
                    f"the pattern '{pattern[:60]}' cannot be followed",
                    where=where,
                    expected="classes and blocks that XSD 1.0 names, such as \\p{Lu} and \\p{IsBasicLatin}",
                )
            if len(pattern) > LONGEST_PATTERN or _is_slow(pattern) or time.monotonic() > until:
                raise ConfigurationError(
                    f"the pattern '{pattern[:60]}' may need for ever: it fits a text in too many ways",
                    where=where,
                    expected="one way to read a text, such as a+b for (a|aa)+b",
                )


def refuse_other_words(schemas: Iterable[tuple[Path, etree._Element]]) -> None:
    """Raises ConfigurationError for what XSD 1.0 does not know; libxml2 names the element above, if it sees it."""
    for file, schema in schemas:
        for element in schema.iter(f"{XS}*"):
            name, where = etree.QName(element).localname, f"{file}:{element.sourceline}"
            if newer := _newer(element):
                raise ConfigurationError(
                    f"'{newer}' is XSD 1.1, which is not read here",
                    where=where,
                    expected="a schema in XSD 1.0",
                    helps="ask its publisher for one",
                )
            if name not in _ELEMENTS:
                near = get_close_matches(name, _ELEMENTS, 1)
                helps = f"did you mean 'xs:{near[0]}'?" if near else ""
                raise ConfigurationError(
                    f"'xs:{name}' is no word of XSD", where=where, expected="an element of XSD 1.0", helps=helps
                )


def _newer(element: etree._Element) -> str:
    """What of an element is XSD 1.1: its own name, an attribute, a type that it names; else nothing."""
    name = etree.QName(element).localname
    if name in _NEWER_ELEMENTS:
        return f"xs:{name}"
    versions = ((str(key), value.strip()) for key, value in element.attrib.items() if str(key).startswith(_VERSIONS))
    if others := [key for key, value in versions if _OLDER.get(key) != value]:
        return f"vc:{etree.QName(min(others)).localname}"
    types = [word for key in ("type", *_REFERENCES) for word in element.get(key, "").split()]
    named = (word for word in types if element.nsmap.get(word.rpartition(":")[0] or None) == XS.strip("{}"))
    return next((str(key) for key in element.attrib if key in _NEWER_ATTRIBUTES), "") or next(
        (word for word in named if word.rpartition(":")[2] in _NEWER_TYPES), ""
    )


def _standing(schemas: list[tuple[Path, etree._Element]]) -> dict[str, int]:
    """How many elements stand for each head, through several steps; raises ConfigurationError for too many steps."""
    elements = [(file, element) for file, schema in schemas for element in schema.iterchildren(f"{XS}element")]
    heads = {
        element.get("name", ""): element.get("substitutionGroup", "").rpartition(":")[2]
        for _, element in elements
        if element.get("substitutionGroup")
    }
    counts: dict[str, int] = {}
    for file, element in elements:
        name, seen = element.get("name", ""), set[str]()
        while name in heads and name not in seen:
            seen.add(name)
            name = heads[name]
            counts[name] = counts.get(name, 0) + 1
            if len(seen) > DEEPEST:
                raise ConfigurationError(
                    f"'{element.get('name')}' stands for an element that stands for another, and so on",
                    where=f"{file}:{element.sourceline}",
                    expected=f"at most {DEEPEST} of them",
                )
    return counts


class _Sizes:
    """How many of the particles, attributes and values of each definition, written out, count.

    Namesakes of one namespace (a redefinition, a group beside a type) count together.
    """

    def __init__(self, schemas: Iterable[etree._Element], counts: Callable[[etree._Element], int]) -> None:
        self._counts = counts
        self._known: dict[etree._Element, tuple[int, int]] = {}  # size, and how many levels it rests on
        self._levels = 0  # of what the definition in hand has named so far
        self._named: dict[str, list[tuple[str, etree._Element]]] = {}  # with the namespace
        for schema in schemas:
            space = schema.get("targetNamespace", "")
            for definition in schema.iter(*(f"{XS}{kind}" for kind in _NAMED)):
                if name := definition.get("name"):
                    self._named.setdefault(name, []).append((space, definition))

    def of(self, definition: etree._Element) -> int:
        """The size of a definition; what comes back to itself counts nothing more. Raises RecursionError."""
        if definition not in self._known:
            outside, self._levels = self._levels, 0
            self._known[definition] = 0, 0
            size = sum(map(self._part, definition)) + self._referred(definition)
            self._known[definition] = size, self._levels + 1
            self._levels = outside
        size, levels = self._known[definition]
        self._levels = max(self._levels, levels)
        if levels > DEEPEST:
            raise RecursionError
        return size

    def _part(self, part: etree._Element) -> int:
        if not isinstance(part.tag, str) or part.tag == f"{XS}annotation":
            return 0
        if part.tag in {f"{XS}element", f"{XS}attribute"}:  # what is in it is measured by itself
            return int(self._counts(part))
        inside = sum(map(self._part, part)) + self._referred(part)
        return inside if len(part) or inside else int(self._counts(part))

    def _referred(self, part: etree._Element) -> int:
        names = [name for key in _REFERENCES for name in part.get(key, "").split()]
        return sum(self.of(found) for name in names for found in self._meant(part, name))

    def _meant(self, part: etree._Element, name: str) -> list[etree._Element]:
        """The definitions of a name, in whichever namespace it is where the prefix does not say."""
        prefix, _, plain = name.rpartition(":")
        named = self._named.get(plain, [])
        space = part.nsmap.get(prefix or None) if len(named) > 1 else None
        return [definition for own, definition in named if space in {None, own}]


@cache
def _is_unknown(pattern: str) -> bool:
    """Whether libxml2 takes the pattern and then cannot judge even a short text: it meets a block that it lacks."""
    if len(pattern) > LONGEST_PATTERN:
        return False
    probe = etree.Element("v")
    probe.text = "a"
    try:
        _judge(pattern).validate(probe)
    except etree.XMLSchemaParseError:
        return False
    except etree.XMLSchemaValidateError:
        return True
    return False


@cache
def _is_slow(pattern: str) -> bool:
    try:
        judge = _judge(pattern)
    except etree.XMLSchemaParseError:
        return False  # the whole schema's compiler says what is wrong
    return any(_takes_long(judge, text) for text in _probes(pattern))


def _judge(pattern: str) -> etree.XMLSchema:
    schema = etree.Element(f"{XS}schema", nsmap={"xs": XS.strip("{}")})
    element = etree.SubElement(schema, f"{XS}element", name="v")
    simple = etree.SubElement(etree.SubElement(element, f"{XS}simpleType"), f"{XS}restriction", base="xs:string")
    etree.SubElement(simple, f"{XS}pattern", value=pattern)
    return etree.XMLSchema(schema)


def _takes_long(judge: etree.XMLSchema, text: str) -> bool:
    probe = etree.Element("v")
    probe.text = text
    began = time.monotonic()
    try:
        judge.validate(probe)
    except etree.XMLSchemaValidateError:
        return True
    return time.monotonic() - began > PATIENCE


def _probes(pattern: str) -> Iterator[str]:
    """Long texts of what the pattern is made of, and a sign that fits nothing at their end."""
    signs = list(dict.fromkeys(map(_sample, _SIGN.finditer(pattern))))[:12]
    words = ["".join(map(_sample, _SIGN.finditer(part))) for part in re.split(r"[()|]", pattern)]
    for word in dict.fromkeys([*signs, *words[:12]]):
        if word.isprintable() and word:
            yield (word * 200)[:200] + "\u2603"
            yield (word * 200)[:200]


def _sample(sign: re.Match[str]) -> str:
    if escape := sign["escape"]:
        return _SAMPLES.get(escape, escape)
    found = sign["first"] or sign["plain"]
    return "x" if found == "." and sign["plain"] else found
