"""JSON Schemas that nobody would write: mutated ones are read, or refused in one line; never anything else."""

from __future__ import annotations

import copy
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.json_schema import read_json_schema
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.values import Unusable

MORE = int(os.environ.get("KIEZBRUECKE_FUZZ", "0"))
TEXT: dict[str, Any] = {"type": "string"}
SEED: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["wort", "teil"],
    "properties": {
        "wort": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "teil": {"$ref": "#/$defs/Teil"},
        "zahl": {"type": ["integer", "null"], "minimum": 1, "enum": [1, 2]},
        "teile": {"type": "array", "items": {"$ref": "#/$defs/Teil"}, "minItems": 1},
        "wahl": {
            "oneOf": [{"type": "object", "properties": {"x": {"const": 1}}}, {"type": "string", "format": "date"}]
        },
        "beides": {"allOf": [{"type": "object"}, {"properties": {"y": {"type": "boolean"}}}]},
    },
    "$defs": {
        "Teil": {
            "type": "object",
            "properties": {"name": TEXT, "teil": {"$ref": "#/$defs/Teil"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
    "if": {"properties": {"wort": {"const": "x"}}},
    "then": {"required": ["zahl"]},
    "patternProperties": {"^x": {"type": "number"}},
    "dependentSchemas": {"wort": {"properties": {"z": TEXT}}},
}
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.5, 10**30, "", "x", "string", "object", "array", "#", "#/$defs/Teil", "#/$defs/X"),
    *(
        "https://x.invalid/y",
        "^(a+)+$",
        r"\p{L}",
        r"\i",
        "[",
        [],
        {},
        ["a"],
        [1],
        ["string", "null"],
        TEXT,
        {"$ref": "#"},
    ),
    *({"not": {}}, {"a": {"$ref": "#/properties/teil"}}),
]
KEYS = [
    *("type", "properties", "required", "$ref", "$id", "id", "items", "prefixItems", "enum", "const", "pattern", "not"),
    *(
        "patternProperties",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "then",
        "else",
        "additionalProperties",
        "minItems",
        "format",
    ),
    *("maxItems", "minLength", "maxLength", "default", "$defs", "definitions", "$dynamicRef", "$anchor", "contains"),
    *("dependentSchemas", "dependentRequired", "unevaluatedProperties", "propertyNames", "description", "minimum"),
    *("multipleOf", "nullable", "$schema"),
]


@settings(max_examples=MORE or 150, derandomize=not MORE, deadline=None, database=None)
@given(number=st.integers(0, 2**32))
def test_a_mutated_json_schema_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, number: int
) -> None:
    """Read, walked, and asked about a message."""
    content = tmp_path_factory.getbasetemp()
    file = content / "schemas" / "json" / "probe.schema.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_mutated(random.Random(number))))
    began = time.process_time()
    try:
        schema = read_json_schema(content, "probe")
    except ConfigurationError as error:
        _is_one_line(error, file)
    else:
        _walk(schema.root, 5, [300])
        schema.judge.first_problem({"wort": "x", "teil": {"name": "1"}, "teile": [], "xx": 1})
    assert time.process_time() - began < 5


def test_patterns_keep_their_meaning_where_the_schema_names_its_draft(tmp_path: Path) -> None:
    """Read again through a reference, the library took Python's engine: no `\\p{L}`, and as long as it likes."""
    file = tmp_path / "schemas" / "json" / "probe.schema.json"
    file.parent.mkdir(parents=True)
    body = {
        "properties": {"a": {"type": "string", "pattern": r"^(\p{L}+)+$"}},
        "if": {"properties": {"a": {"const": 1}}},
    }
    file.write_text(json.dumps({"$schema": SEED["$schema"], "type": "object", **body}))
    judge = read_json_schema(tmp_path, "probe").judge
    began = time.process_time()

    assert judge.first_problem({"a": "Straße"}) is None
    assert judge.first_problem({"a": "a" * 500 + "!"}) is not None
    assert time.process_time() - began < 1


def _is_one_line(error: ConfigurationError, file: Path) -> None:
    assert "\n" not in error.line()
    assert error.where.startswith(str(file))


def _mutated(dice: random.Random) -> Any:
    """The seed with one to three changes."""
    found = copy.deepcopy(SEED)
    for _ in range(dice.choice([1, 1, 2, 3])):
        one = dice.choice(list(_parts(found)))
        value = copy.deepcopy(dice.choice([*VALUES, *_parts(SEED)]))
        if isinstance(one, list):
            one.append(value)
        elif one and dice.random() < 0.3:
            del one[dice.choice(sorted(one))]
        else:
            one[dice.choice([*one, *KEYS])] = value
    return found


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for below in value.values() if isinstance(value, dict) else value:
            yield from _parts(below)


def _walk(node: Node, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if node.leaf is not None:
        with suppress(Unusable):
            node.leaf.judge("abc")
    for below in node.children.values() if depth and budget[0] > 0 else ():
        _walk(below, depth - 1, budget)
