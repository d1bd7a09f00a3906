"""Reads a JSON Schema's file, and refuses what we could not follow: foreign references, unreadable patterns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kiezbruecke.errors import ConfigurationError

MAX_BYTES = 5_000_000
_NO_SCHEMAS = frozenset({"enum", "const", "default", "examples", "required"})  # keywords that hold values
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def read_document(file: Path) -> Mapping[str, Any]:
    """The schema, its references local; raises ConfigurationError."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigurationError("the file is too large", where=str(file), expected=f"at most {MAX_BYTES} bytes")
        body = json.loads(file.read_text("utf-8-sig"), parse_float=Decimal)
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise ConfigurationError("the schema is not JSON", where=where, expected="a JSON Schema") from None
    except (OSError, ValueError, RecursionError):
        raise ConfigurationError("the schema cannot be read", where=str(file), expected="JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise ConfigurationError("the schema is no object", where=str(file), expected='{"type": "object", …}')
    own = str(body.pop("$id", body.pop("id", ""))).rstrip("#")
    _localise(body, own)
    _refuse_foreign(file, body)
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


def _localise(value: Any, own: str) -> None:
    """Write references to the file's own address as what they are: references into the file."""
    for body in _schemas(value):
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
        if isinstance(body.get("$id"), str):
            raise ConfigurationError(
                f"a schema inside the schema has an $id of its own: {body['$id']}",
                where=str(file),
                expected="one schema, its parts under $defs",
            )
        _refuse_pattern(file, body.get("pattern"))


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
        re.compile(pattern if isinstance(pattern, str) else "")
    except re.error:
        raise ConfigurationError(
            f"the pattern '{pattern}' cannot be read", where=str(file), expected="a pattern that Python's re knows"
        ) from None
