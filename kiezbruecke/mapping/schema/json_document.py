"""Reads a JSON Schema's file, and refuses what we could not follow.

That are foreign references, those that go round in a circle, and patterns that cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.foreign_json import KeyTwice, read_json
from kiezbruecke.machine import read_text
from kiezbruecke.mapping.schema.json_patterns import searching

MAX_BYTES = 5_000_000
_NO_SCHEMAS = frozenset({"enum", "const", "default", "examples", "required"})  # keywords that hold values
_DYNAMIC = ("$dynamicRef", "$recursiveRef")
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def read_document(file: Path) -> Mapping[str, Any]:
    """The schema, its references local; raises ConfigurationError."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigurationError("the file is too large", where=str(file), expected=f"at most {MAX_BYTES} bytes")
        body = read_json(read_text(file, what="the schema"))
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise ConfigurationError("the schema is not JSON", where=where, expected="a JSON Schema") from None
    except KeyTwice as twice:
        raise ConfigurationError(str(twice), where=str(file), expected="each key once") from None
    except (OSError, ValueError):
        raise ConfigurationError("the schema cannot be read", where=str(file), expected="JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise ConfigurationError("the schema is no object", where=str(file), expected='{"type": "object", …}')
    if not isinstance(body.get("$schema", ""), str):
        raise ConfigurationError("'$schema' is no text", where=str(file), expected="the address of a draft")
    own = str(body.pop("$id", body.pop("id", ""))).rstrip("#")
    _localise(body, own)
    _refuse_foreign(file, body)
    _refuse_circles(file, body)
    return body


def at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901); raises LookupError or TypeError."""
    found: Any = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) and name.isdecimal() else found[name]
    return found


def pointer_to(above: str, *names: str) -> str:
    """The pointer to what stands below another."""
    return "/".join([above, *(name.replace("~", "~0").replace("/", "~1") for name in names)])


def made_of(body: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """What a schema is made of, as pointers below it (or from #), and whether it holds in any case."""
    if isinstance(reference := body.get("$ref"), str):
        yield unquote(reference), True
    for keyword in ("allOf", "oneOf", "anyOf"):
        branches = body.get(keyword)
        count = len(branches) if isinstance(branches, list) else 0
        yield from ((f"{keyword}/{number}", keyword == "allOf" or count == 1) for number in range(count))
    for keyword in ("then", "else"):
        if keyword in body:
            yield keyword, False
    for name in named(body, "dependentSchemas"):
        yield pointer_to("dependentSchemas", name), False


def named(body: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
    """The schemas that stand by name behind a keyword."""
    value = body.get(keyword)
    return value if isinstance(value, dict) else {}


def _localise(value: Any, own: str) -> None:
    """Write references to the file's own address as what they are: references into the file, which is of one draft."""
    for body in _schemas(value):
        if body is not value:
            body.pop("$schema", None)
        reference = body.get("$ref")
        if own and isinstance(reference, str) and reference.startswith(f"{own}#"):
            body["$ref"] = reference.removeprefix(own)


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            yield found
            for keyword, below in found.items():
                if keyword in _NAMED_SCHEMAS and isinstance(below, dict):
                    waiting += below.values()
                elif keyword not in _NO_SCHEMAS:
                    waiting.append(below)


def _refuse_foreign(file: Path, document: Mapping[str, Any]) -> None:
    for body in _schemas(document):
        if isinstance(reference := body.get("$ref"), str):
            _refuse_reference(file, reference, document)
        if dynamic := next((keyword for keyword in _DYNAMIC if keyword in body), None):
            raise ConfigurationError(f"'{dynamic}' is not followed", where=str(file), expected='"$ref": "#/$defs/…"')
        if isinstance(body.get("$id"), str):
            raise ConfigurationError(
                f"a schema inside the schema has an $id of its own: {body['$id']}",
                where=str(file),
                expected="one schema, its parts under $defs",
            )
        for pattern in (body.get("pattern"), *named(body, "patternProperties")):
            _refuse_pattern(file, pattern)
        for pattern in named(body, "patternProperties"):
            _refuse_for_names(file, pattern)


def _refuse_circles(file: Path, document: Mapping[str, Any]) -> None:
    """A reference that comes back to itself without a property or a member between has no meaning and no end."""
    done: set[int] = set()
    for start in _schemas(document):
        here: set[int] = set()  # the schemas between the start and where we stand
        waiting = [(start, "", False)]
        while waiting:
            body, reference, left = waiting.pop()
            if left:
                here.discard(id(body))
                done.add(id(body))
            elif id(body) in here:
                raise ConfigurationError(
                    f"the reference '{reference}' goes round in a circle",
                    where=str(file),
                    expected="a property or an array's items between a schema and itself",
                )
            elif id(body) not in done:
                here.add(id(body))
                waiting.append((body, reference, True))
                waiting += [(below, by or reference, False) for below, by in _of_the_same(body, document)]


def _of_the_same(body: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The schemas that speak of the same value, with the reference that leads there."""
    for pointer in (*dict(made_of(body)), *(keyword for keyword in ("if", "not") if keyword in body)):
        reference = pointer if pointer.startswith("#") else ""
        found = at(document, pointer[1:]) if reference else at(body, f"/{pointer}")
        if isinstance(found, dict):
            yield found, reference


def _refuse_reference(file: Path, reference: str, document: Mapping[str, Any]) -> None:
    if reference != "#" and not reference.startswith("#/"):
        raise ConfigurationError(
            f"the reference '{reference}' leads out of the file",
            where=str(file),
            expected="#/$defs/…: nothing is fetched",
            helps="put the other schema under $defs",
        )
    try:
        at(document, unquote(reference[1:]))
    except (LookupError, TypeError):
        raise ConfigurationError(
            f"the reference '{reference}' leads nowhere", where=str(file), expected="a pointer into this file"
        ) from None


def _refuse_pattern(file: Path, pattern: Any) -> None:
    try:
        searching(pattern if isinstance(pattern, str) else "")
    except ValueError as error:
        raise ConfigurationError(
            f"the pattern '{pattern}' {error}", where=str(file), expected="a regular expression such as ^[A-Z]{2}$"
        ) from None


def _refuse_for_names(file: Path, pattern: str) -> None:
    """Names are judged by the library, with Python's engine."""
    try:
        re.compile(pattern)
    except re.error:
        raise ConfigurationError(
            f"the pattern '{pattern}' cannot be used for names of properties",
            where=str(file),
            expected="one without \\p{…} and named groups",
        ) from None
