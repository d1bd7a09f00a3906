"""What a schema may cost: particles, patterns, seconds. Every schema is measured before anything unrolls it.

A few lines can mean more than a machine holds: a group that names another one twice doubles with every level, and a
pattern that fits in many ways is tried in all of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from lxml import etree

from kiezbruecke.errors import ConfigurationError

XS = "{http://www.w3.org/2001/XMLSchema}"
MOST_PARTICLES = 50_000  # of one type: libxml2 needs a kilobyte and more for each
LONGEST_PATTERN = 2_000  # signs
PATIENCE = 0.3  # seconds for one text of 200 signs; what is unambiguous needs a thousandth of it
WHOLE_PATIENCE = 10.0  # seconds for all patterns of a schema
_NAMED = ("group", "attributeGroup", "complexType", "simpleType")
_REFERENCES = ("ref", "base", "itemType", "memberTypes")
_SIGN = re.compile(
    r"\\(?P<escape>.)(?:\{\w+\})?|\[\^?\\?(?P<first>[^\]])(?:\\.|[^\]\\])*\]|(?P<plain>[^\\\[\](){}|*+?,])"
)
_SAMPLES = {"d": "0", "s": " ", "S": "a", "D": "a", "w": "a", "i": "a", "c": "a", "W": ".", "p": "a", "P": "."}


def refuse_endless(schemas: Iterable[tuple[Path, etree._Element]]) -> None:
    """Raises ConfigurationError where a type, written out, has more particles than anybody can use."""
    found = list(schemas)
    sizes = _Sizes(schema for _, schema in found)
    for file, schema in found:
        for definition in schema.iter(*(f"{XS}{kind}" for kind in _NAMED)):
            try:
                size = sizes.of(definition)
            except RecursionError:
                size = MOST_PARTICLES + 1
            if size > MOST_PARTICLES:
                raise ConfigurationError(
                    f"'{definition.get('name', 'a type without a name')}' is too large when it is written out",
                    where=f"{file}:{definition.sourceline}",
                    expected=f"at most {MOST_PARTICLES:,} elements, attributes and values in one type",
                )


def refuse_slow_patterns(schemas: Iterable[tuple[Path, etree._Element]]) -> None:
    """Raises ConfigurationError for a pattern that fits a text in so many ways that libxml2 gives up or takes long."""
    until = time.monotonic() + WHOLE_PATIENCE
    for file, schema in schemas:
        for facet in schema.iter(f"{XS}pattern"):
            pattern = facet.get("value", "")
            if len(pattern) > LONGEST_PATTERN or _is_slow(pattern) or time.monotonic() > until:
                raise ConfigurationError(
                    f"the pattern '{pattern[:60]}' may need for ever: it fits a text in too many ways",
                    where=f"{file}:{facet.sourceline}",
                    expected="one way to read a text, such as a+b for (a|aa)+b",
                )


class _Sizes:
    """How many particles, attributes and values each definition has, written out. Namesakes count together."""

    def __init__(self, schemas: Iterable[etree._Element]) -> None:
        self._known: dict[etree._Element, int] = {}
        self._named: dict[str, list[etree._Element]] = {}
        for schema in schemas:
            for kind in _NAMED:
                for definition in schema.iter(f"{XS}{kind}"):
                    if name := definition.get("name"):
                        self._named.setdefault(name, []).append(definition)

    def of(self, definition: etree._Element) -> int:
        """The size of a definition; what comes back to itself counts nothing more."""
        if definition not in self._known:
            self._known[definition] = 0
            self._known[definition] = sum(map(self._part, definition)) + self._referred(definition)
        return self._known[definition]

    def _part(self, part: etree._Element) -> int:
        if not isinstance(part.tag, str) or part.tag == f"{XS}annotation":
            return 0
        if part.tag in {f"{XS}element", f"{XS}attribute"}:  # what is in it is measured by itself
            return 1
        inside = sum(map(self._part, part)) + self._referred(part)
        return inside if len(part) or inside else 1

    def _referred(self, part: etree._Element) -> int:
        names = [name.rpartition(":")[2] for key in _REFERENCES for name in part.get(key, "").split()]
        return sum(self.of(found) for name in names for found in self._named.get(name, ()))


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
