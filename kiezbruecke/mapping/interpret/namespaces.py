"""Which namespaces a mapping can write, and their prefixes: declared once, at the root, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kiezbruecke.mapping.language.definition import Definition, Rule
from kiezbruecke.mapping.language.paths import TargetStep
from kiezbruecke.mapping.language.walking import all_rules
from kiezbruecke.mapping.schema.targets import TargetSchema
from kiezbruecke.mapping.schema.tree import Node, NodeContent, sure_nodes
from kiezbruecke.standards.documents import XML

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_Path = tuple[TargetStep, ...]
_DEPTH = 12  # what stands deeper without any rule is written by nobody
_BY_CODE = ("code", "name", "@listURI", "@listVersionID")  # what a `code` may fill


def with_prefixes(target: TargetSchema, definition: Definition) -> TargetSchema:
    """The target with the prefixes of every namespace that the rules and the mandatory parts below them need."""
    if target.kind != "standard":
        return target
    own = target.root.namespace
    chosen = next(iter(target.prefixes), "") if definition.prefix is None else definition.prefix
    found = {chosen: own} if own else {}
    written = list(_written(target, definition))
    needed = {node.namespace for node in written} | {node.xsi_type[0] for node in written if node.xsi_type}
    for namespace in sorted(needed - {own, "", XML}, key=lambda one: target.spaces.get(one, one)):
        found[_free(target.spaces.get(namespace, ""), found)] = namespace
    if any(rule.type or rule.nil for rule in all_rules(definition.rules)):
        found[_free("xsi", found)] = XSI
    if "" in found:  # lxml declares the default namespace last, and so does the compiled form
        found[""] = found.pop("")
    return replace(target, prefixes=found)


def prefix_problems(definition: Definition, target: TargetSchema) -> Iterator[tuple[str, str]]:
    """What is wrong with the header's `prefix`: the message and what is expected."""
    if definition.prefix is None:
        return
    if target.kind != "standard" or not target.root.namespace:
        yield "a prefix is for XML in a namespace", "no 'prefix' here"
    elif definition.prefix == "":
        bare = next((node for node in _written(target, definition) if _is_bare(node)), None)
        if bare is not None:
            message = f"'{bare.name}' is in no namespace, so the message cannot have a default namespace"
            yield message, "a prefix, or none at all: then it is the standard's name"


def _is_bare(node: Node) -> bool:
    bare_type = node.xsi_type is not None and not node.xsi_type[0]
    return (not node.namespace and not node.name.startswith("@")) or bare_type


def _written(target: TargetSchema, definition: Definition) -> Iterator[Node]:
    yield target.root
    yield from _mandatory(target.root, _DEPTH)
    yield from _below(target.root, definition.rules)


def _below(node: Node, rules: tuple[Rule, ...]) -> Iterator[Node]:
    """Every place that a rule leads through, and what is mandatory there."""
    nodes: dict[_Path, Node] = {}  # by path: a block that chooses a type opens it for the others
    seen = set[_Path]()  # ways that many rules share are walked once
    for rule in sorted(rules, key=lambda one: one.type is None):
        found = node
        path: _Path = ()
        for step in rule.target.steps:
            path = (*path, step)
            is_typing = rule.type is not None and path == rule.target.steps
            inner = (None if is_typing else nodes.get(path)) or found.children.get(step.name)
            if inner is None:
                break
            found = inner
            if path not in seen:
                seen.add(path)
                yield from (found, *_mandatory(found, _DEPTH))
        else:
            yield from _at(rule, found, nodes, path)


def _at(rule: Rule, found: Node, nodes: dict[_Path, Node], path: _Path) -> Iterator[Node]:
    """What a rule writes at its place."""
    if rule.type and (typed := found.typed(rule.type)):
        nodes[path] = found = typed
        yield from (found, *_mandatory(found, _DEPTH))
    if rule.code:
        yield from (found.children[name] for name in _BY_CODE if name in found.children)
    yield from _below(found, rule.rules)


def _mandatory(node: Node, depth: int) -> Iterator[Node]:
    """Level by level, each content once: types that use each other ten times over would give 10^depth places."""
    level, seen = [node], set[NodeContent]()
    for _ in range(depth):
        below: list[Node] = []
        for content in {one.content: None for one in level if one.content not in seen}:
            seen.add(content)
            below += sure_nodes(content)
        yield from below
        level = below


def _free(wanted: str, taken: dict[str, str]) -> str:
    numbered = (f"ns{number}" for number in range(1, len(taken) + 2))
    return wanted if wanted and wanted not in taken else next(name for name in numbered if name not in taken)
