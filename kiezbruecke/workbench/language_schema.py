"""The mapping language as JSON Schema: keys, steps and code lists with a sentence each, for editors.

`general_schema()` knows no target and no roots; `workbench.editor` fills both in for one mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kiezbruecke.mapping.language.findings import ACCEPTABLE, CODES
from kiezbruecke.mapping.language.reading import HEADER, RULE
from kiezbruecke.mapping.schema.models import known_roots
from kiezbruecke.mapping.steps import STEPS, Step
from kiezbruecke.workbench.reference import example_text

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
HEADER_WORDS = {
    "name": "The mapping's name, which is its folder's name.",
    "version": "A number from 1; it grows with every change of meaning.",
    "title": "What the mapping is, for people.",
    "note": "For people; changes no byte.",
    "direction": "inbound: an item becomes a record. outbound: a case, or a record of your own, becomes a message.",
    "reads": "Inbound only: the kinds of item it reads.",
    "source": "What an item looks like; in an outbound mapping, a record of your own.",
    "roots": "What its paths may begin with.",
    "target": "record <Name>, table <name>, json <name>, or <standard> <version> <root element>.",
    "rules": "One rule per place of the target.",
    "extends": "Another mapping whose rules are taken over.",
    "abstract": "true: a base for others, not a whole mapping by itself.",
    "prefix": 'The prefix of the message\'s root namespace; "" for none.',
    "unused": "Source fields that are left out on purpose.",
    "groups": "Rules that are written once and used in blocks (`use`): {name: [rules]}.",
}
RULE_WORDS = {
    "target": "A path below the enclosing block: A/B[2]/@x; '.' is the block's own text.",
    "from": "A source path: a root, then names. Nothing gives nothing.",
    "const": "A fixed text. It keeps no optional parent alive.",
    "code": "A code of a standard's list; fills code, @listURI, @listVersionID and name.",
    "codelist": "Translates the value by mappings/codelists/<name>.csv, after the steps; or {list, column, fold}.",
    "default": "A text for when there is nothing.",
    "steps": "Small functions, run from left to right.",
    "when": "A path that must hold something, or {path, equals | not_equals | missing: true}; fold: true ignores case.",
    "otherwise": "true: where no rule speaks that stands right above and asks something.",
    "at_least": "So many members of `each`, or the record is set aside.",
    "one_of": "A block of cases: exactly one of its rules speaks, or the record is set aside.",
    "each": "A list: the rule or block is repeated for each of its members.",
    "as": "What a member of `each` is called in the paths below; <name>.index counts from 1.",
    "rules": "A block: rules whose targets lie below this one.",
    "required": "true: without a value the record is set aside.",
    "note": "For people; changes no byte.",
    "pii": "true: the value is personal.",
    "legal_basis": "Why something personal may leave the house.",
    "accept": 'Warnings that are meant, each with why: {KB-M18: "…"}.',
    "type": "A derived type of the target's schema that stands here.",
    "nil": "true: nothing is written as xsi:nil.",
    "use": "A block with the rules of a group; `from` and `as` say what the group is about.",
    "depth": "How many levels there are of a group that uses itself; a deeper record is set aside.",
    "omit": "true: drops the rule of the base that has this target.",
}
_TRUTH = frozenset({"required", "otherwise", "pii", "nil", "omit", "abstract"})
_TEXT: Schema = {"not": {"type": ["array", "object"]}}  # a list of types would have `true` and `false` completed
_OWN_ROOT: Schema = {
    "type": "string",
    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
    "description": "A record of your own, which `source` describes.",
}
_LISTS = frozenset({"reads", "unused"})
_TEXTS: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}]}
_FOLD: Schema = {"type": "boolean", "description": "true: case and runs of blanks do not matter."}
_ASKED: dict[str, Schema] = {"equals": _TEXTS, "not_equals": _TEXTS, "missing": {"const": True}}
_CODES: Schema = {code: {"type": "string", "description": CODES[code]} for code in sorted(ACCEPTABLE)}
_VARYING = frozenset({"target", "from", "each", "when", "rules", "one_of"})


def general_schema() -> Schema:
    """The JSON Schema of any mapping: right keys and steps, any path."""
    return mapping_schema(
        "A mapping of Kiezbrücke",
        "Keys and steps. `kiezbruecke mapping editor NAME` writes one with the paths of a mapping.",
        {"rules": rules_schema({"type": "string"}, {"type": "string"}, {"type": "string"})},
    )


def mapping_schema(
    title: str,
    description: str,
    definitions: dict[str, Schema],
    lists: Path | None = None,
    records: Sequence[str] | None = None,
    groups: Mapping[str, str] | None = None,
) -> Schema:
    """The schema of a whole file. `definitions` hold `rules`, the list at the top; `lists` is a content folder.

    `groups` are the names that `use` may say, any where there are none, each with the definition of its rules.
    `records` are the roots that are none of ours; None: nobody knows, so that any name may be one.
    """
    any_name: list[Schema] = [_OWN_ROOT] if records is None else []
    own: dict[str, Schema] = {
        "direction": {"enum": ["inbound", "outbound"]},
        "version": {"type": "integer", "minimum": 1},
        "roots": _many({"anyOf": [*({"const": root} for root in (*known_roots(), *(records or ()))), *any_name]}),
        "rules": {"allOf": [{"$ref": "#/definitions/rules"}]},
        "groups": {
            "type": "object",
            "minProperties": 1,
            "properties": {name: {"$ref": f"#/definitions/{rules}"} for name, rules in (groups or {}).items()},
            "additionalProperties": {"$ref": "#/definitions/group"},
        },
    }
    return {
        "$schema": DRAFT,
        "title": title,
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {**own.get(key, _plain(key)), **_words(HEADER_WORDS, key)} for key in HEADER},
        "definitions": {
            **definitions,
            **_same_everywhere(lists, groups or ()),
            "step": steps_schema(),
            "group": _group(),
        },
    }


def rules_schema(
    target: Schema, source: Schema, asked: Schema, then: Iterable[Schema] = (), without_as: Schema | None = None
) -> Schema:
    """A list of rules whose targets, sources and conditions are such; `then` speaks of single targets.

    `without_as` is narrower: the sources of rules that give no member a name.
    """
    own: dict[str, Schema] = {
        "target": target,
        "from": source,
        "each": without_as or source,
        "when": _condition(asked),
        "rules": {"type": "array"},
        "one_of": {"type": "array"},
    }
    rule: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["target"],
        "properties": {
            key: {**own[key], **_words(RULE_WORDS, key)} if key in own else {"$ref": f"#/definitions/{key}"}
            for key in RULE
        },
    }
    conditions = list(then)
    if without_as is not None:
        narrower = {"from": without_as, "when": _condition(without_as)}
        conditions.append({"if": {"required": ["as"]}, "else": {"properties": narrower}})
    return {"type": "array", "minItems": 1, "items": {**rule, **({"allOf": conditions} if conditions else {})}}


def _condition(path: Schema) -> Schema:
    questions = (
        _object({"path": path, key: asked, **({} if key == "missing" else {"fold": _FOLD})}, "path", key)
        for key, asked in _ASKED.items()
    )
    return {"anyOf": [path, *questions]}


def _group() -> Schema:
    """The rules of a group: their targets and sources are those of every block that uses it."""
    free: Schema = {"type": "string"}
    rules = rules_schema(free, free, free)
    for key in ("rules", "one_of"):
        rules["items"]["properties"][key] = {"$ref": "#/definitions/group", **_words(RULE_WORDS, key)}
    return rules


def _same_everywhere(lists: Path | None, groups: Iterable[str]) -> dict[str, Schema]:
    """The keys of a rule that mean the same in every block: written once, named by each."""
    own: dict[str, Schema] = {
        "const": _TEXT,
        "default": _TEXT,
        "steps": {"type": "array", "items": {"$ref": "#/definitions/step"}},
        "code": _object({"list": _names(lists, ".yaml"), "value": _TEXT}, "list"),
        "codelist": {"anyOf": [_names(lists, ".csv"), _lookup(_names(lists, ".csv"))]},
        "accept": {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": _CODES},
        "at_least": {"type": "integer", "minimum": 1},
        "depth": {"type": "integer", "minimum": 2},
        "use": {"anyOf": constants((name, "") for name in groups)} if groups else {"type": "string"},
        "as": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    }
    keys = [key for key in RULE if key not in _VARYING]
    return {key: {**own.get(key, _plain(key)), **_words(RULE_WORDS, key)} for key in keys}


def steps_schema() -> Schema:
    """One step: its name, or its name and its argument."""
    return {"anyOf": [_step(STEPS[name]) for name in sorted(STEPS)]}


def constants(pairs: Iterable[tuple[str, str]]) -> list[Schema]:
    """Allowed texts, each with what is known about it."""
    return [{"const": text, **({"description": words} if words else {})} for text, words in pairs]


def _step(step: Step) -> Schema:
    words = f"{step.summary} For example: {example_text(step.examples[0])}"
    if step.argument is None:
        return {"const": step.name, "description": words}
    argument: Schema = {"type": "integer"} if step.argument is int else _TEXT
    if step.choices:
        argument = {"enum": list(step.choices)}
    return {**_object({step.name: {**argument, "description": words}}, step.name), "description": words}


def _lookup(name: Schema) -> Schema:
    column: Schema = {"type": "string", "description": "The column of the list that gives the value."}
    return _object({"list": name, "column": column, "fold": _FOLD}, "list")


def _names(content: Path | None, suffix: str) -> Schema:
    """The code lists of the content, or any name where no content is known."""
    files = sorted((content / "mappings" / "codelists").glob(f"*{suffix}")) if content is not None else []
    return {"anyOf": constants((file.stem, "") for file in files)} if files else {"type": "string"}


def _plain(key: str) -> Schema:
    if key in _TRUTH:
        return {"type": "boolean"}
    return _many({"type": "string"}) if key in _LISTS else {"type": "string"}


def _words(words: dict[str, str], key: str) -> Schema:
    return {"description": words[key]} if key in words else {}


def _many(one: Schema) -> Schema:
    """A list, or one alone: the language takes both."""
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _object(properties: dict[str, Schema], *required: str) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}
