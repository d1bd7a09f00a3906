"""Checks a message against our profile, and against the official schema where it is installed.

What libxml2 says contains the values it dislikes, and values may be personal data. So its sentences are never
passed on: a rule is named in our words, with the element's path and line.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.standards import files
from kiezbruecke.standards.compiling import compiled
from kiezbruecke.standards.documents import Documents
from kiezbruecke.standards.parse import parse

_EXPECTED = re.compile(r"Expected is (?:one of )?\((.*?)\)\.?$")
_ATTRIBUTE = re.compile(r"attribute '(?:\{[^}]*\})?([\w.\-]+)'")
_UNDECIDED = "Wurzel, Zeile 1: das Schema lässt sich nicht prüfen (etwa wegen eines mehrdeutigen Musters)"
_RULES = {
    "SCHEMAV_CVC_PATTERN_VALID": "der Wert folgt nicht der verlangten Schreibweise",
    "SCHEMAV_CVC_ENUMERATION_VALID": "der Wert steht nicht in der Liste der erlaubten Werte",
    "SCHEMAV_CVC_MINLENGTH_VALID": "der Wert ist leer oder zu kurz",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "der Wert ist zu lang",
    "SCHEMAV_CVC_LENGTH_VALID": "der Wert hat nicht die verlangte Länge",
    "SCHEMAV_CVC_TOTALDIGITS_VALID": "die Zahl hat zu viele Stellen",
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": "die Zahl hat zu viele Nachkommastellen",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "die Zahl ist zu klein",
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": "die Zahl ist zu klein",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "die Zahl ist zu groß",
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": "die Zahl ist zu groß",
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": "der Wert hat nicht den verlangten Typ (Zahl, Datum, Ja/Nein …)",
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": "der Wert hat nicht den verlangten Typ (Zahl, Datum, Ja/Nein …)",
    "SCHEMAV_CVC_TYPE_3_1_3": "der Wert hat nicht den verlangten Typ",
    "SCHEMAV_CVC_ELT_1": "diese Nachricht kennt das Schema nicht",
    "SCHEMAV_CVC_ELT_2": "das Element ist abstrakt (abstract): nur ein anderes kann für es stehen",
    "SCHEMAV_CVC_TYPE_2": "der Typ des Elements ist abstrakt (abstract): ein abgeleiteter muss gewählt sein (xsi:type)",
    "SCHEMAV_CVC_ELT_3_1": "das Element darf nicht ausdrücklich leer sein (xsi:nil)",
    "SCHEMAV_CVC_ELT_4_2": "den gewählten Typ (xsi:type) kennt das Schema nicht",
    "SCHEMAV_CVC_ELT_4_3": "der gewählte Typ (xsi:type) ist hier gesperrt oder nicht von dem verlangten abgeleitet",
    "SCHEMAV_CVC_TYPE_3_1_2": "in dem Element darf nur Text stehen",
    "SCHEMAV_CVC_ELT_5_2_2_2_1": "hier ist ein anderer Wert fest vorgeschrieben",
    "SCHEMAV_CVC_ELT_5_2_2_2_2": "hier ist ein anderer Wert fest vorgeschrieben",
    "SCHEMAV_CVC_AU": "bei einem Attribut ist ein anderer Wert fest vorgeschrieben",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "das Element darf nichts enthalten",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "zwischen den Elementen darf kein Text stehen",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_1": "bei einem Attribut ist ein anderer Wert fest vorgeschrieben",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "ein Attribut ist hier nicht erlaubt",
    "SCHEMAV_CVC_COMPLEX_TYPE_4": "ein Pflichtattribut fehlt",
}


_CONSTRAINT = re.compile(
    r"(unique|key) identity-constraint '(?:\{[^}]*\})?([^']+)'|of (keyref) '(?:\{[^}]*\})?([^']+)'\.$"
)
_KEYS = re.compile(r"key-sequence \['(.*)'\] (?:in|of) ", re.DOTALL)
_ID = re.compile(r": '(.*)' is not a valid value of the atomic type 'xs:ID'\.$", re.DOTALL)


class Validator:
    """A compiled schema. libxml2 keeps its error list with the schema, so one check runs at a time."""

    def __init__(self, name: str, schema: etree.XMLSchema) -> None:
        self.name = name
        self._schema = schema
        self._lock = threading.Lock()

    def problems(self, root: etree._Element) -> list[str]:
        """Every broken rule in one German line – path, line, rule –, never a value; empty means valid."""
        with self._lock:
            try:
                if self._schema.validate(root):
                    return []
            except etree.XMLSchemaValidateError:  # libxml2 gives up, for instance at an ambiguous pattern
                return [_UNDECIDED]
            return [_line(entry, root) for entry in _chief(list(self._schema.error_log))]


def validator(content: Path, standard: str, version: str, *, official: bool = False) -> Validator | None:
    """The compiled profile, or the compiled official schema; None where there is none, or it is not installed."""
    if not official:
        file = files.own_profile(content, standard, version)
        return _compile_profile(file, file.stat().st_mtime_ns) if file else None
    folder = files.official(content, standard, version)
    known = files.manifest(content, standard, version)
    if folder is None or known is None:
        return None
    return _compile_official(content, standard, version, folder, tuple(known.files.values()))


class NotValid(RecordError):
    """A message that its schema refuses: the broken `rule`, and `steps` to its place below the root, as local names
    and numbers; an attribute's name has its @.
    """

    def __init__(self, problems: Sequence[str], where: str, root: etree._Element | None = None) -> None:
        more = f"; und {len(problems) - 1} weitere" if len(problems) > 1 else ""
        super().__init__(problems[0] + more, where=where)
        self.rule = problems[0].partition(": ")[2] or problems[0]
        self.steps = () if root is None else tuple(_steps(root, problems[0].partition(",")[0]))


@dataclass(frozen=True)
class Checker:
    """What the messages of one standard are checked against; found once, so that a run judges all of them alike."""

    standard: str
    validators: tuple[Validator, ...]

    def check(self, payload: bytes) -> None:
        """Raises NotValid (German) with path, line and rule, never with a value."""
        try:
            root = parse(payload, f"{self.standard}-Nachricht")
        except RecordError as error:  # what XML cannot carry at all
            raise NotValid([error.what], error.where) from None
        for each in self.validators:
            if problems := each.problems(root):
                raise NotValid(problems, each.name, root)


def checker(content: Path, standard: str, version: str) -> Checker:
    """Our profile and the official schema, as far as they are there; raises ConfigurationError where neither is."""
    found = [validator(content, standard, version, official=is_official) for is_official in (False, True)]
    if not any(found):
        raise files.not_held(content, standard, version)
    return Checker(standard, tuple(filter(None, found)))


def validate(content: Path, standard: str, version: str, payload: bytes) -> None:
    """Check one outgoing message; raises as `checker` and `Checker.check` do."""
    checker(content, standard, version).check(payload)


@lru_cache(maxsize=32)
def _compile_profile(file: Path, _changed: int) -> Validator:
    if file.suffix != ".xsd":
        raise ConfigurationError("is no XSD", where=str(file), expected="profile.xsd")
    try:
        tree = etree.parse(file, etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False))
        schema = etree.XMLSchema(tree)
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise ConfigurationError(f"the profile does not compile: {error}", where=str(file)) from None
    return Validator(f"{file.parent.parent.name} {file.parent.name}, eigenes Profil", schema)


@lru_cache(maxsize=8)
def _compile_official(content: Path, standard: str, version: str, folder: Path, _digests: tuple[str, ...]) -> Validator:
    files.check(content, standard, version)
    manifest = files.manifest(content, standard, version)
    assert manifest is not None
    schema = compiled(Documents.read([folder / name for name in manifest.entries or manifest.files]))
    return Validator(f"{standard} {version}, amtliches Schema", schema)


def _chief(entries: Sequence[Any]) -> list[Any]:
    """libxml2 reports a broken facet twice, the second time as 'not a valid value': the first says more."""
    facets = {(entry.path, entry.line) for entry in entries if not _is_echo(entry)}
    return [entry for entry in entries if not _is_echo(entry) or (entry.path, entry.line) not in facets]


def _is_echo(entry: Any) -> bool:
    return "DATATYPE_VALID" in entry.type_name or entry.type_name == "SCHEMAV_CVC_TYPE_3_1_3"


def _line(entry: Any, root: etree._Element) -> str:
    return f"{_place(entry, root) or entry.path or 'Wurzel'}, Zeile {entry.line}: {_rule(entry)}"


def _place(entry: Any, root: etree._Element) -> str:
    """Where the value stands that a rule over several values is about; libxml2 names the element around it, or none.

    Nothing where several might be meant.
    """
    keys = _KEYS.search(entry.message) if entry.type_name == "SCHEMAV_CVC_IDC" else None
    if keys is None:
        return ""
    value = keys[1].rpartition("', '")[2]  # of several that are one key together the last tells its owners apart
    holders = list(_holders(_at(root, entry.path or ""), value))
    twins = [one for one in holders if sum(same[1:] == one[1:] for same in _holders(root, value)) > 1]
    [(element, _, name)] = found if len(found := twins or holders) == 1 else [(root, "", "")]
    path = root.getroottree().getpath(element) if element is not root else ""
    return f"{path}/{name}" if name else path


def _holders(element: etree._Element, value: str) -> Iterator[tuple[etree._Element, str, str]]:
    """What holds a value in an element: the element, its name, and the attribute, if it is one of no namespace."""
    for one in element.iter(etree.Element):
        for name, text in one.items():
            if text.strip() == value and not name.startswith("{"):
                yield one, str(one.tag), f"@{name}"
        if len(one) == 0 and (one.text or "").strip() == value:
            yield one, str(one.tag), ""


def _at(root: etree._Element, path: str) -> Any:
    """The element or attribute at a path as libxml2 writes it; the root where it names none."""
    names = {prefix: space for prefix, space in root.nsmap.items() if prefix}
    found = root.getroottree().xpath(path, namespaces=names) if path.startswith("/") else []
    return next(iter(found), root)


def _rule(entry: Any) -> str:
    """Our words for a rule. Of libxml2's sentence only names that stand in the schema are taken, no value."""
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        expected = _EXPECTED.search(entry.message)
        names = re.sub(r"\{[^}]*\}", "", expected[1]).strip() if expected else ""
        missing = "Missing child element" in entry.message
        what = "hier fehlt ein Pflichtelement" if missing else "dieses Element steht hier nicht richtig"
        return f"{what}; erwartet: {names}" if names else what
    if entry.type_name == "SCHEMAV_CVC_IDC":
        return _constraint(entry.message)
    if (found := _ID.search(entry.message)) and _is_name(found[1]):  # as an ID it could stand; so it stands twice
        return "die Kennung (xs:ID) steht in der Nachricht schon einmal"
    rule = _RULES.get(entry.type_name, "das Schema verlangt hier etwas anderes")
    attribute = _ATTRIBUTE.search(entry.message)
    return f"{rule} (Attribut {attribute[1]})" if attribute else rule


def _constraint(message: str) -> str:
    """What is wrong by a rule for the whole message, which the schema calls by a name."""
    found = _CONSTRAINT.search(message)
    if found is None:
        return "eine Regel des Schemas über mehrere Werte (xs:unique, xs:key, xs:keyref) ist verletzt"
    kind, name = found[1] or found[3], found[2] or found[4]
    if kind == "keyref":
        return f"der Verweis zeigt auf nichts in der Nachricht (xs:keyref „{name}“)"
    if message.endswith("evaluate to a node."):
        return f"ein Wert fehlt, der das Element kennzeichnet (xs:key „{name}“)"
    return f"der Wert steht doppelt und darf nur einmal vorkommen (xs:{kind} „{name}“)"


def _is_name(text: str) -> bool:
    try:
        return etree.QName(text).namespace is None and ":" not in text
    except ValueError:
        return False


def _steps(root: etree._Element, path: str) -> Iterator[tuple[str, int]]:
    """Local names and numbers of the elements down to a place, as libxml2 writes it; nothing where it names none."""
    found = _at(root, path)
    element = found if etree.iselement(found) else found.getparent()
    for one in reversed([element, *element.iterancestors()][:-1]):
        number = len([*one.itersiblings(etree.QName(one), preceding=True)])
        yield etree.QName(one).localname, number + 1
    if element is not found:
        yield f"@{found.attrname}", 1
