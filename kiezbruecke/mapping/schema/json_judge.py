"""Values as JSON holds them, and the `jsonschema` library's word on them, in German and without the value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.json_patterns import searching
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why, Wording, either, some

SCALARS = frozenset({"string", "integer", "number", "boolean"})
TYPE_NAMES = {
    "string": Instead.TEXT(),
    "integer": Instead.WHOLE_NUMBER(),
    "number": Instead.NUMBER(),
    "boolean": Instead.TRUE_OR_FALSE(),
    "array": Instead.LIST(),
    "object": Instead.OBJECT(),
    "null": Instead.NOTHING(),
}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_TRUTHS = {"1": True, "true": True, "0": False, "false": False}
_SURROGATE = re.compile("[\ud800-\udfff]")
_FINEST = -18  # places after the point; more is not a number that people write
_SHOWN = 12  # values of a keyword
_OWN = "urn:kiezbruecke:schema"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_FORMATS = {
    "date": Instead.DAY_LIKE("2026-04-24"),
    "date-time": Instead.MOMENT_LIKE("2026-04-24T12:00:00Z"),
    "email": Instead.MAIL(),
    "uri": Instead.URI("https://…"),
    "uuid": Instead.UUID(),
}
_PROBLEMS: dict[str, tuple[Why, Instead | None]] = {  # what a broken keyword means; most take the keyword's value
    "type": (Why.OTHER_TYPE, Instead.THESE),
    "enum": (Why.NOT_ALLOWED, Instead.ONE_OF),
    "const": (Why.NOT_ALLOWED, Instead.THESE),
    "pattern": (Why.WRONG_FORM, Instead.PATTERN),
    "format": (Why.WRONG_FORM, Instead.THESE),
    "minLength": (Why.TOO_SHORT, Instead.AT_LEAST_CHARACTERS),
    "maxLength": (Why.TOO_LONG, Instead.AT_MOST_CHARACTERS),
    "minimum": (Why.TOO_SMALL, Instead.AT_LEAST),
    "maximum": (Why.TOO_LARGE, Instead.AT_MOST),
    "exclusiveMinimum": (Why.TOO_SMALL, Instead.MORE_THAN),
    "exclusiveMaximum": (Why.TOO_LARGE, Instead.LESS_THAN),
    "multipleOf": (Why.OTHER_PLACES, Instead.MULTIPLE),
    "required": (Why.MISSING, Instead.VALUE),
    "dependentRequired": (Why.PARTNER_MISSING, Instead.BOTH),
    "minItems": (Why.TOO_FEW, Instead.AT_LEAST),
    "maxItems": (Why.TOO_MANY, Instead.AT_MOST),
    "uniqueItems": (Why.TWICE, Instead.EACH_ONCE),
    "minProperties": (Why.TOO_FEW_FIELDS, Instead.AT_LEAST),
    "maxProperties": (Why.TOO_MANY_FIELDS, Instead.AT_MOST),
    "oneOf": (Why.NOT_ONE_FORM, Instead.ONE_FORM),
    "anyOf": (Why.NO_FORM, Instead.A_FORM),
    "not": (Why.FORBIDDEN, None),
    "additionalProperties": (Why.UNKNOWN_FIELD, None),
}

_SCHEMA, _SCHEMAS, _NAMED = 'a schema: {"type": …}', "a list of schemas: [{…}, …]", "schemas by name: {name: {…}}"
_COUNT, _MEASURE = "a whole number from 0", "a number"
_KEYWORDS = {  # what may stand behind a keyword
    **dict.fromkeys(("items", "not", "if", "then", "else", "additionalProperties"), _SCHEMA),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _SCHEMAS),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"), _NAMED),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _COUNT),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _MEASURE),
    "type": ", ".join(TYPE_NAMES),
    "multipleOf": "a number above 0",
    "required": "a list of names, each once",
    "enum": "a list of values",
    "pattern": "a text",
    "format": "a text",
    "uniqueItems": "true or false",
}


def as_json(types: frozenset[str], value: object) -> str | int | bool | Decimal:
    """The value as JSON holds it, of one of the types (none: any); numbers are never floats. Raises Unusable."""
    if isinstance(value, list | tuple):
        raise Unusable(Why.SEVERAL_VALUES(), Instead.ONE_VALUE())
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool):
        return value if not types or "boolean" in types else _text_or_read(types, value)
    if isinstance(value, int | Decimal) and (not types or types & {"integer", "number"}):
        return _number(types, value)
    return _text_or_read(types, value)


def _text_or_read(types: frozenset[str], value: object) -> str | int | bool | Decimal:
    if not types or "string" in types:
        return _text(value)
    return _read(types, to_text(value).strip())


def _text(value: object) -> str:
    text = to_text(value)
    if _SURROGATE.search(text):
        raise Unusable(Why.NO_CHARACTERS(), Instead.READABLE())
    return text


def _number(types: frozenset[str], value: int | Decimal) -> int | Decimal:
    if isinstance(value, int):
        return value
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST or abs(value) >= Decimal(10) ** 18:
        raise Unusable(Why.NO_NUMBER(), Instead.FINITE())
    if value == value.to_integral_value() and (exponent >= 0 or (types and "number" not in types)):
        return int(value)
    return value


def _read(types: frozenset[str], text: str) -> int | bool | Decimal:
    """A text as a number or a truth."""
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return Decimal(text)
    if "boolean" in types and text in _TRUTHS:
        return _TRUTHS[text]
    names = [TYPE_NAMES[name] for name in sorted(types & SCALARS)]
    raise Unusable(Why.OTHER_TYPE(), either(names) if names else Instead.OBJECT())


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a message: where (names, and numbers from 0), and what, in German and without the value."""

    path: tuple[str | int, ...]
    problem: Wording
    expected: Wording


@dataclass(frozen=True, eq=False)
class Judge:
    """Validates with the library's class for the schema's draft."""

    file: Path
    document: Mapping[str, Any] = field(repr=False)

    def check_schema(self) -> None:
        """Raises ConfigurationError where the file is no JSON Schema."""
        from jsonschema import FormatChecker  # type: ignore[import-untyped]  # noqa: PLC0415
        from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]  # noqa: PLC0415

        try:  # not its formats: it takes patterns for Python's
            self._class.check_schema(self.document, format_checker=FormatChecker(formats=()))
        except SchemaError as error:
            raise self._no_schema(tuple(error.absolute_path)) from None

    def _no_schema(self, path: tuple[str | int, ...]) -> ConfigurationError:
        """What is wrong at a place of the schema, with what may stand there."""
        where, keyword = "/".join(map(str, path)) or "the top", str(path[-1]) if path else ""
        value: Any = self.document
        for name in path:
            value = value[name]
        if keyword == "type" and isinstance(value, str):
            return ConfigurationError(
                f"there is no type '{value}' ('{where}')",
                where=str(self.file),
                expected=", ".join(TYPE_NAMES),
                helps=nearest(value, TYPE_NAMES),
            )
        expected = _KEYWORDS.get(keyword, "what JSON Schema allows there")
        return ConfigurationError(f"'{where}' has the wrong form", where=str(self.file), expected=expected)

    def first_problem(self, message: object) -> Problem | None:
        """The weightiest thing that is wrong with a message, or None."""
        return _problem(self._validator.iter_errors(message))

    def refuse(self, pointers: tuple[str, ...], value: object, *, all_of: bool) -> None:
        """Raises Unusable where a value breaks the schemas at all (or each) of the pointers."""
        references = [{"$ref": f"{_OWN}#{quote(pointer, safe='/~')}"} for pointer in pointers]
        schema = {"allOf" if all_of else "anyOf": references} if references else {}
        found = _problem(self._validator.evolve(schema=schema).iter_errors(value))
        if found is not None:
            raise Unusable(found.problem, found.expected)

    @cached_property
    def _class(self) -> Any:
        from jsonschema.validators import Draft202012Validator, validator_for  # type: ignore[import-untyped]  # noqa: PLC0415

        return validator_for(self.document, default=Draft202012Validator)

    @cached_property
    def _own_class(self) -> Any:
        """The library's class, but patterns are searched for in bounded time."""
        from jsonschema.validators import extend  # noqa: PLC0415

        return extend(self._class, {"pattern": _pattern})

    @cached_property
    def _validator(self) -> Any:
        from referencing import Registry, Resource  # noqa: PLC0415
        from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

        # the class tells its draft; told once more, the library would take a class of its own and Python's patterns
        contents = {keyword: value for keyword, value in self.document.items() if keyword != "$schema"}
        whole: Resource[Any] = Resource.from_contents(contents, default_specification=DRAFT202012)
        registry: Registry[Any] = Registry().with_resource(_OWN, whole)  # it cannot retrieve anything
        return self._own_class({"$ref": _OWN}, registry=registry, format_checker=_format_checker())


def shown(value: object) -> str:
    """A value of the schema as people read it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _problem(errors: Iterator[Any]) -> Problem | None:
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    error = best_match(errors)
    if error is None:
        return None
    path = tuple(error.absolute_path)
    if error.validator == "required":
        path += tuple(name for name in error.validator_value if name not in error.instance)[:1]
    problem, expected = _PROBLEMS.get(error.validator, (Why.UNFIT, None))
    wanted = expected(_expected(error.validator, error.validator_value)) if expected is not None else Wording("")
    return Problem(path, problem(), wanted)


def _expected(keyword: str, value: Any) -> Wording | str:
    """The schema's own value, as people read it; never the message's."""
    values = value if isinstance(value, list) else [value]
    if keyword == "type":
        return either([TYPE_NAMES.get(name, Wording(str(name))) for name in values])
    if keyword == "format":
        return _FORMATS.get(value, str(value))
    return some(map(shown, values), _SHOWN)


def _format_checker() -> Any:
    """The library's own checks, and the two that it needs other packages for."""
    from jsonschema import FormatChecker  # noqa: PLC0415

    checker = FormatChecker(formats=("date", "email", "uuid", "ipv4", "ipv6", "regex"))
    for name, holds in (("date-time", _is_moment), ("uri", _is_uri)):
        checker.checks(name, raises=ValueError)(holds)
    return checker


def _pattern(validator: Any, pattern: str, instance: object, _: object) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415

    if validator.is_type(instance, "string") and not searching(pattern)(str(instance)):
        yield ValidationError("does not match")


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(_MOMENT.fullmatch(value) and datetime.fromisoformat(value.upper()))


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(_URI.fullmatch(value))
