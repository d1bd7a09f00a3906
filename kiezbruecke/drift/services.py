"""What a WSDL 1.1 promises: its operations, their SOAPAction, and the shape of the messages they exchange.

The types stand in the file itself or in schemas beside it; nothing is fetched. Names are compared without prefixes.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.drift.changes import Change
from kiezbruecke.drift.places import PlaceUse, SchemaPlace
from kiezbruecke.drift.schemas import compare_places
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.machine import read_file
from kiezbruecke.standards.store import parse

_XS = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_MANY = 2000  # places of one message; types that are used twice, and use others twice, make any number of them
_GROUPS = {f"{_XS}{name}" for name in ("sequence", "choice", "all")}


@dataclass(frozen=True)
class Service:
    """A WSDL's fingerprint. `operations` by name: soapAction, message elements; paths begin with the operation."""

    digest: str
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    places: Mapping[str, SchemaPlace] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the file."""
        operations = {name: dict(parts) for name, parts in self.operations.items()}
        places = {path: place.as_dict() for path, place in self.places.items()}
        return {"digest": self.digest, "operations": operations, "places": places}


def read_service(file: Path) -> Service:
    """Read a WSDL; raises ConfigurationError."""
    try:
        data = read_file(file, what="the WSDL")
        root = parse(data, file.name)
    except OSError:
        raise ConfigurationError("the WSDL cannot be read", where=str(file)) from None
    except RecordError as error:
        raise ConfigurationError("the WSDL is no plain XML", where=str(file), helps=error.line()) from None
    if root.tag != f"{_WSDL}definitions":
        raise ConfigurationError("is no WSDL 1.1", where=str(file), expected=f"definitions in {_WSDL.strip('{}')}")
    types = _Types([*root.iter(f"{_XS}schema")], file.parent)
    operations = dict(sorted(_operations(root)))
    places: dict[str, SchemaPlace] = {}
    for name, parts in operations.items():
        for way in ("input", "output"):
            if element := parts.get(way):
                places |= types.places(f"{name}/{way}", element)
    return Service(hashlib.sha256(data).hexdigest(), operations, places)


def compare_services(old: Service, new: Service) -> Iterator[Change]:
    """What changed for whoever calls the service."""
    for name in sorted(old.operations.keys() - new.operations.keys()):
        yield Change("breaking", "service", name, "the operation is gone")
    for name in sorted(new.operations.keys() - old.operations.keys()):
        yield Change("compatible", "service", name, "the operation is new")
    for name in sorted(old.operations.keys() & new.operations.keys()):
        before, now = old.operations[name], new.operations[name]
        for part in sorted(before.keys() | now.keys()):
            if before.get(part) != now.get(part):
                reason = f"{part} {before.get(part) or 'none'} became {now.get(part) or 'none'}"
                yield Change("breaking", "service", name, reason)
    kept = {path: place for path, place in old.places.items() if path.partition("/")[0] in new.operations}
    for change in compare_places(kept, new.places, dict.fromkeys(kept, PlaceUse(texts=None)), "service"):
        answer = "/output/" in f"{change.path}/" and "mandatory" in change.reason
        yield Change("compatible", "service", change.path, change.reason) if answer else change


def _operations(root: etree._Element) -> Iterator[tuple[str, dict[str, str]]]:
    messages = {message.get("name", ""): _element_of(message) for message in root.iter(f"{_WSDL}message")}
    actions: dict[str, str] = {}
    for operation in root.iterfind(f"{_WSDL}binding/{_WSDL}operation"):
        for bound in operation:
            if isinstance(bound.tag, str) and bound.get("soapAction") is not None:
                actions[operation.get("name", "")] = bound.get("soapAction", "")
    for operation in root.iterfind(f"{_WSDL}portType/{_WSDL}operation"):
        name = operation.get("name", "")
        parts = {"soapAction": actions.get(name, "")}
        for way in ("input", "output"):
            found = operation.find(f"{_WSDL}{way}")
            if found is not None:
                parts[way] = messages.get(_local(found.get("message", "")), "")
        yield name, {part: text for part, text in parts.items() if text}


def _element_of(message: etree._Element) -> str:
    names = (part.get("element") or part.get("type") or "" for part in message.iterfind(f"{_WSDL}part"))
    return " ".join(_local(name) for name in names)


class _Types:
    """The declarations of all schemas, by local name, and the paths below an element."""

    def __init__(self, schemas: list[etree._Element], folder: Path) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._types: dict[str, etree._Element] = {}
        seen: set[Path] = set()
        for schema in schemas:
            self._add(schema, folder, seen)

    def places(self, above: str, names: str) -> dict[str, SchemaPlace]:
        """Every place of the message's elements, by its path. Of many, each type is opened once, near the root."""
        found = self._opened(above, names, once=False)
        return found if len(found) <= _MANY else self._opened(above, names, once=True)

    def _add(self, schema: etree._Element, folder: Path, seen: set[Path]) -> None:
        for child in schema.iterchildren(etree.Element):
            name = child.get("name", "")
            if child.tag == f"{_XS}element":
                self._elements.setdefault(name, child)
            elif child.tag in {f"{_XS}complexType", f"{_XS}simpleType"}:
                self._types.setdefault(name, child)
            elif child.tag in {f"{_XS}import", f"{_XS}include"}:
                beside = folder / Path(child.get("schemaLocation", "")).name
                if beside.is_file() and beside not in seen:
                    seen.add(beside)
                    self._add(parse(beside.read_bytes(), beside.name), folder, seen)

    def _opened(self, above: str, names: str, *, once: bool) -> dict[str, SchemaPlace]:
        """The places, level by level. `once`: a type that was opened before stands there by its name only."""
        found: dict[str, SchemaPlace] = {}
        known: set[str] = set()
        roots = [(name, self._elements[name]) for name in names.split() if name in self._elements]
        waiting = deque(_Open(element, f"{above}/{name}", (), mandatory=True) for name, element in roots)
        while waiting and (once or len(found) <= _MANY):
            one = waiting.popleft()
            key, definition = self._definition(one.element)
            closed = key != "" and (key in one.above or key in known)
            has_parts = definition is not None and definition.tag == f"{_XS}complexType"
            found[one.path] = self._place(one, definition, key if once and closed and has_parts else "")
            if definition is None or closed:
                continue
            if once:
                known.add(key)
            waiting.extend(self._content(definition, one.path, found, (*one.above, key)))
        return found

    def _definition(self, element: etree._Element) -> tuple[str, etree._Element | None]:
        """An element's type, and the name that it goes by; empty where it stands in a local element itself."""
        ref = _local(element.get("ref", ""))
        declared = self._elements.get(ref, element)
        name = _local(declared.get("type", ""))
        if (definition := self._types.get(name)) is not None:
            return name, definition
        own = next(declared.iterchildren(f"{_XS}complexType", f"{_XS}simpleType"), None)
        return f"element {ref}" if ref else "", own

    def _place(self, one: _Open, definition: etree._Element | None, closed: str) -> SchemaPlace:
        declared = self._elements.get(_local(one.element.get("ref", "")), one.element)
        facets, values = _facets(definition)
        minimum, most = _count(one.element, "minOccurs"), _count(one.element, "maxOccurs")
        duty = one.mandatory and minimum != 0
        kind = closed if definition is not None else _local(declared.get("type", ""))
        return SchemaPlace(minimum or 0, most, duty, kind, facets, values, declared.get("fixed"))

    def _content(
        self, definition: etree._Element, path: str, found: dict[str, SchemaPlace], above: tuple[str, ...]
    ) -> Iterator[_Open]:
        """Adds the attributes of a type and of those it extends; yields the elements."""
        bases: set[str] = set()
        part: etree._Element | None = definition
        while part is not None:
            for attribute in _own(part, {f"{_XS}attribute"}):
                duty = attribute.get("use") == "required"
                name = attribute.get("name") or _local(attribute.get("ref", ""))
                kind = _local(attribute.get("type", ""))
                found[f"{path}/@{name}"] = SchemaPlace(int(duty), 1, duty, kind, fixed=attribute.get("fixed"))
            for element in _own(part, {f"{_XS}element"}):
                name = element.get("name") or _local(element.get("ref", ""))
                yield _Open(element, f"{path}/{name}", above, mandatory=_is_duty(element, part))
            base = next((_local(one.get("base", "")) for one in _own(part, {f"{_XS}extension"})), "")
            part = None if base in bases else self._types.get(base)
            bases.add(base)


@dataclass(frozen=True)
class _Open:
    """An element that is to be looked at: where it stands, and the types that it stands in."""

    element: etree._Element
    path: str
    above: tuple[str, ...]
    mandatory: bool


def _own(definition: etree._Element, tags: set[str]) -> Iterator[etree._Element]:
    """The declarations of this type, not those of types within its elements."""
    for child in definition.iterchildren(etree.Element):
        if child.tag in tags:
            yield child
        elif child.tag != f"{_XS}element":
            yield from _own(child, tags)


def _count(element: etree._Element, name: str) -> int | None:
    """How often an element stands at least or at most; None is without end. Blanks around a number mean nothing."""
    text = element.get(name, "1").strip()
    if text == "unbounded" and name == "maxOccurs":
        return None
    if not text.isdecimal():
        raise ConfigurationError(f"{name} is no number", where=f"line {element.sourceline}", expected="a whole number")
    return int(text)


def _is_duty(element: etree._Element, definition: etree._Element) -> bool:
    for above in element.iterancestors():
        if above is definition:
            break
        if above.tag == f"{_XS}choice" or (above.tag in _GROUPS and above.get("minOccurs") == "0"):
            return False
    return True


def _facets(definition: etree._Element | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Facets and enumeration of a simple type, as they are written in it."""
    if definition is None or definition.tag != f"{_XS}simpleType":
        return {}, ()
    restriction = definition.find(f"{_XS}restriction")
    if restriction is None:
        return {}, ()
    facets: dict[str, str] = {"base": _local(restriction.get("base", ""))}
    values = []
    for child in restriction.iterchildren(etree.Element):
        name, value = etree.QName(child).localname, child.get("value", "")
        if name == "enumeration":
            values.append(value)
        elif child.get("value") is not None:
            facets[name] = f"{facets[name]}|{value}" if name in facets else value
    return dict(sorted(facets.items())), tuple(values)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
