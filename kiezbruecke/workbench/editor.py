"""Writes the JSON Schema with which an editor completes both sides of one mapping.

    targets: the places of its target that are open, relative to each block ─┐
    sources: the fields of its roots, and `as` members inside their blocks  ─┴─▶ var/editor/<name>.schema.json

A profile is opened whole. An official schema has hundreds of thousands of paths, so only what the mapping uses,
what is opened on demand, and some levels below both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kiezbruecke.content import find_state
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import write_file
from kiezbruecke.mapping.language.definition import Definition, GroupUse, Rule
from kiezbruecke.mapping.language.findings import NotAMapping
from kiezbruecke.mapping.language.walking import all_rules, walk
from kiezbruecke.mapping.loading import examine_mapping_file, find_goal
from kiezbruecke.mapping.schema.models import OPEN, Type
from kiezbruecke.mapping.schema.sources import find_shape, own_roots, source_types
from kiezbruecke.mapping.schema.tree import Leaf, Node
from kiezbruecke.workbench.described import described, short
from kiezbruecke.workbench.editor_sources import other_names, source_paths
from kiezbruecke.workbench.editor_targets import (
    MOST,
    Places,
    children_of,
    doors_of,
    exact_pattern,
    node_at,
    open_places,
    opened_doors,
    repeats,
    tree_pattern,
)
from kiezbruecke.workbench.language_schema import Schema, constants, mapping_schema, rules_schema

DEPTH = 2
LARGEST = 1_000_000  # bytes; editors read the file anew with every change
_ROOMS = (MOST, 500, 150, 0)  # how many places are open beside those that the rules fill, until it fits
_MOST_IN_BLOCKS = 3000  # places in all blocks together
_MOST_VALUES = 300  # of a longer list an editor completes nothing; `check` knows it


def editor_file(name: str, content: Path) -> Path:
    """Where the schema of a mapping lies: generated, never in git."""
    return find_state(content) / "editor" / f"{name}.schema.json"


def editor_line(folder: Path, content: Path) -> str:
    """The comment in the first line of the mapping in `folder` by which the language server finds its schema."""
    path = Path(os.path.relpath(editor_file(folder.name, content), folder)).as_posix()
    return f"# yaml-language-server: $schema={path}"


def write_editor_schema(name: str, content: Path, opened: tuple[str, ...] = (), depth: int = DEPTH) -> Path:
    """Write the schema of a mapping; raises ConfigurationError where the mapping or an opened place is unknown."""
    file = editor_file(name, content)
    schema = editor_schema(name, content, opened, depth)
    write_file(file, _text(schema))
    return file


def editor_schema(name: str, content: Path, opened: tuple[str, ...] = (), depth: int = DEPTH) -> Schema:
    """The JSON Schema (draft 7) of a mapping, with fewer places open where it would be too large for an editor."""
    try:
        definition = examine_mapping_file(name, content).definition  # as far as it goes: it is being written
    except NotAMapping as error:
        first = error.findings[0]
        raise ConfigurationError(first.message, where=str(first.place), expected=first.expected) from None
    root = find_goal(definition, content).root
    omissible = _places_of_bases(definition, content, depth)
    blocks = {"": _Block("", root, source_types(definition, find_shape(definition.source, content)))}
    _collect(definition.rules, blocks)
    doors = {*doors_of(definition.rules), *(door for path in opened for door in opened_doors(root, path))}
    for room in _ROOMS:
        schema = _Writer(definition, content, open_places(root, doors, depth, room), blocks, omissible).schema()
        if len(_text(schema).encode()) <= LARGEST:
            break
    return schema


def _text(schema: Schema) -> str:
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":")) + "\n"


def _places_of_bases(definition: Definition, content: Path, depth: int) -> list[str]:
    """What a mapping below fills and another target lacks: it can only be dropped (`omit`)."""
    found: dict[str, None] = {}
    for name in definition.bases:
        base = examine_mapping_file(name, content).definition
        if base.target != definition.target:
            below = open_places(find_goal(base, content).root, set(doors_of(base.rules)), depth)
            found |= dict.fromkeys(below.nodes)
    return list(found)


@dataclass
class _Block:
    """A block of the mapping: its path without numbers, its node, and what the paths in it may begin with.

    `members` are those of blocks in it: a block's own `when` asks each member.
    """

    path: str
    node: Node
    types: dict[str, Type]
    members: dict[str, Type] = field(default_factory=dict)


def _collect(rules: tuple[Rule, ...], blocks: dict[str, _Block]) -> None:
    """Find every block below, with the members that `each` and `as` give it."""
    for one in walk(rules):
        if any(above.use for above in one.above):
            continue  # what a group gives stands elsewhere in the file
        rule, block = one.rule, blocks.get(one.block)
        node = node_at(block.node, [step.name for step in rule.target.steps]) if block else None
        if block is not None and not rule.rules:
            block.types |= _member(rule, block.types)
        elif block is not None and node is not None:
            block.members |= _member(rule, block.types)
            inner = blocks.setdefault(one.plain, _Block(one.plain, node.derived().get(rule.type or "", node), {}))
            inner.types |= block.types | _member(rule, block.types)


def _member(rule: Rule, types: Mapping[str, Type]) -> dict[str, Type]:
    """What `as` names, with its type; a path that leads nowhere is `check`'s to tell."""
    return {} if rule.each is None or rule.name is None else _about_use(GroupUse(rule.name, rule.each, True), types)


def _about_use(use: GroupUse, types: Mapping[str, Type]) -> dict[str, Type]:
    found = types.get(use.path.root, OPEN)
    for step in use.path.steps:
        found = (found.below.field(step.name) if found.below else None) or OPEN
    return {use.name: found.member if use.listed else found}


class _Writer:
    """Puts places and sources into one schema: a list of rules for each block."""

    def __init__(
        self,
        definition: Definition,
        content: Path,
        places: Places,
        blocks: dict[str, _Block],
        omissible: Sequence[str] = (),
    ) -> None:
        self._definition = definition
        self._content = content
        self._places = places.nodes
        self._whole = places.whole
        self._blocks = blocks
        self._omissible = [path for path in omissible if path not in places.nodes]
        self._types = blocks[""].types
        self._names = {path: f"rules{number}" for number, path in enumerate(self._block_paths()) if path}
        self._lists: dict[Leaf, str] = {}
        self._has_cases = any(rule.one_of for rule in all_rules(definition.rules))

    def schema(self) -> Schema:
        """The whole schema, with what is open in its description."""
        definitions = {"rules": self._rules(""), **{name: self._rules(path) for path, name in self._names.items()}}
        definitions["sources"] = source_paths(self._types)
        definitions["sources_anywhere"] = source_paths(self._types, other_names(self._types))
        own = own_roots(self._definition)
        groups = {name: f"group{number}" for number, name in enumerate(self._definition.groups)}
        definitions |= {rules: self._group(name) for name, rules in groups.items()}
        definitions |= {name: _values(leaf) for leaf, name in self._lists.items()}
        return mapping_schema(self._definition.name, self._description(), definitions, self._content, own, groups)

    def _description(self) -> str:
        name, target = self._definition.name, self._definition.target
        if self._whole:
            return f"{name}: all {len(self._places)} places of {target} are open."
        tops = [path for path in self._places if path.count("/") <= 1][:20]
        return (
            f"{name}: {len(self._places)} places of {target} are open, below {', '.join(tops)}. "
            f"Open more: kiezbruecke mapping editor {name} --open A/B"
        )

    def _block_paths(self) -> list[str]:
        """The blocks of the mapping, and every other place that holds places while the schema stays small."""
        paths = dict.fromkeys(["", *self._blocks])
        others = [path for path, node in self._places.items() if children_of(node) and path not in paths]
        weight = sum(path.count("/") for path in self._places)
        return [*paths, *(others if weight <= _MOST_IN_BLOCKS else [])]

    def _rules(self, path: str) -> Schema:
        block = self._blocks.get(path)
        below = {
            place[len(path) + 1 if path else 0 :]: node for place, node in self._places.items() if _in(place, path)
        }
        source, strict = self._sources(path, block)
        asked = source
        if block is not None and block.members:
            seen = block.types | block.members
            asked = source_paths(seen, other_names(seen))
        targets = _targets(below, () if path else self._omissible)
        then = [*self._nested(path, below), *self._allowed_constants(below)]
        return rules_schema(targets, source, asked, then, strict)

    def _group(self, name: str) -> Schema:
        """The rules of a group: what may stand in some block that uses it, and what it is about in one of them."""
        blocks = dict.fromkeys(one.plain for one in walk(self._definition.rules) if one.rule.use == name)
        below = {
            place[len(block) + 1 :]: (block, node)
            for block in blocks
            for place, node in self._places.items()
            if _in(place, block)
        }
        nodes = {place: node for place, (_, node) in below.items()}
        nested = [
            one for block in blocks for one in self._nested(block, {k: n for k, (b, n) in below.items() if b == block})
        ]
        source = self._group_sources(self._definition.groups[name].about)
        targets = _targets(nodes, ()) if nodes else {"type": "string"}
        return rules_schema(targets, source, source, [*nested, *self._allowed_constants(nodes)])

    def _group_sources(self, uses: Sequence[GroupUse]) -> Schema:
        listed = [
            source_paths(seen, other_names(seen))
            for use in uses
            if (seen := self._types | _about_use(use, self._types))
        ]
        found = {json.dumps(one): one for paths in listed for one in paths["anyOf"]}
        return {"anyOf": list(found.values())} if found else {"$ref": "#/definitions/sources_anywhere"}

    def _sources(self, path: str, block: _Block | None) -> tuple[Schema, Schema | None]:
        """The source paths of a block, and those of its rules without `as`, where nothing else can be meant.

        A new `as` is known when the file is written again; until then its name must not be underlined.
        """
        if block is not None and block.types != self._types:
            return source_paths(block.types, other_names(block.types)), None
        return {"$ref": "#/definitions/sources_anywhere"}, {"$ref": "#/definitions/sources"} if not path else None

    def _nested(self, path: str, below: Mapping[str, Node]) -> Iterator[Schema]:
        for place, node in below.items():
            name = self._names.get(f"{path}/{place}" if path else place)
            if name is not None and children_of(node):
                for key in ("rules", "one_of") if self._has_cases else ("rules",):
                    yield _if([(place, node)], below, {key: {"$ref": f"#/definitions/{name}"}}, key)
            if kinds := list(node.derived()):
                yield _if([(place, node)], below, {"type": {"anyOf": constants((kind, "") for kind in kinds)}}, "type")

    def _allowed_constants(self, below: Mapping[str, Node]) -> Iterator[Schema]:
        """Where the schema lists the allowed texts, a constant is one of them; each list stands there once."""
        alike: dict[Leaf, list[tuple[str, Node]]] = {}
        for path, node in below.items():
            if node.leaf is not None and 0 < len(node.leaf.enumeration) <= _MOST_VALUES:
                alike.setdefault(node.leaf, []).append((path, node))
        for leaf, places in alike.items():
            name = self._lists.setdefault(leaf, f"values{len(self._lists)}")
            yield _if(places, below, {"const": {"$ref": f"#/definitions/{name}"}}, "const")


def _in(place: str, path: str) -> bool:
    return not path or place.startswith(f"{path}/")


def _targets(below: Mapping[str, Node], omissible: Sequence[str]) -> Schema:
    """Each place with what the schema says about it; ordinals by a pattern, as there is no end of them."""
    dropped = constants((path, "only of the mapping below: {target: …, omit: true}") for path in omissible)
    own: list[Schema] = [{"const": ".", "description": "the block's own text"}]
    listed = constants((path, _about(node)) for path, node in below.items())
    numbered = [path for path in below if repeats(path, below)]
    patterns: list[Schema] = [{"type": "string", "pattern": f"^{tree_pattern(numbered, below)}$"}] if numbered else []
    return {"anyOf": [*listed, *own, *patterns, *dropped]}


def _about(node: Node) -> str:
    """What a place is, for the box beside the list."""
    duty = "mandatory" if node.minimum else "optional"
    words = [f"{duty}, repeats" if node.repeats else duty]
    words += [described(node.leaf)] if node.leaf is not None else ["a block"]
    if node.fixed is not None:
        words.append(f"always {node.fixed}")
    about = f"{node.documentation} ({'; '.join(words)})" if node.documentation else "; ".join(words)
    return short(about)


def _values(leaf: Leaf) -> Schema:
    return {"anyOf": constants((text, leaf.codes.get(text, "")) for text in leaf.enumeration)}


def _if(places: list[tuple[str, Node]], below: Mapping[str, Node], then: Schema, key: str) -> Schema:
    """A condition on the rules of some places that have a key.

    A pattern, because while somebody types the language server takes a `const` or `enum` for met by its beginning.
    """
    target = {"type": "string", "pattern": f"^({exact_pattern(places, below)})$"}
    return {"if": {"properties": {"target": target}, "required": ["target", key]}, "then": {"properties": then}}
