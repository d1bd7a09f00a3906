"""The part of a target that a mapping uses: the places its rules fill, those above them, and the mandatory ones beside.

A schema of thousands of elements becomes a few dozen lines, and a change elsewhere in it is none for this mapping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kiezbruecke.mapping import Mapping as RuleMapping
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.plan import Bound
from kiezbruecke.mapping.schema.tree import Leaf, Node, sure_nodes

_CODE_PARTS = ("code", "@listURI", "@listVersionID", "name")
_MANY_VALUES = 200  # longer enumerations are code lists by themselves, and those have a section of their own


@dataclass(frozen=True)
class SchemaPlace:
    """What the schema says of one place. `maximum` None is without end; `values` is its enumeration."""

    minimum: int = 1
    maximum: int | None = 1
    mandatory: bool = False  # wherever the place above it stands: it is no part of a choice
    kind: str = ""  # empty where no text stands
    facets: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    fixed: str | None = None
    namespace: str = ""  # of the root; below it only where it is another one, and "-" for none
    nillable: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For the file: only what is not as usual."""
        return {
            name: list(value) if name == "values" else value for name, value in self._told() if value != _USUAL[name]
        }

    def _told(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in _USUAL)


_USUAL: dict[str, Any] = {
    "minimum": 1,
    "maximum": 1,
    "mandatory": False,
    "kind": "",
    "facets": {},
    "values": (),
    "fixed": None,
    "namespace": "",
    "nillable": False,
}


@dataclass(frozen=True)
class PlaceUse:
    """How the rules fill one place. `texts` are all texts that can stand there; None: they come from a source."""

    highest: int = 1  # the highest number by which a rule names it
    repeated: bool = False  # by `each`
    always: bool = False  # some rule fills it whatever the source holds
    texts: frozenset[str] | None = frozenset()
    type: str = ""  # the derived type that a rule chooses
    nil: bool = False  # a rule says so where it has no value


def place_of(node: Node, *, mandatory: bool, root: str | None = None) -> SchemaPlace:
    """What the schema says of a node; `root` is the namespace of the root, None for the root itself."""
    leaf = node.leaf
    namespace = node.namespace or ("-" if root else "")
    return SchemaPlace(
        node.minimum,
        node.maximum,
        mandatory,
        leaf.kind if leaf else "",
        _facets(leaf) if leaf else {},
        _values(leaf) if leaf else (),
        node.fixed,
        "" if node.name.startswith("@") or namespace == root else namespace,
        node.nillable,
    )


def used_places(mapping: RuleMapping) -> dict[str, PlaceUse]:
    """Every place that the rules fill or open, by its path without numbers."""
    uses: dict[str, PlaceUse] = {}
    walked = mapping.plan.rules
    for one in walked:
        _use(mapping, one, uses)
    for one in reversed(walked):  # what stands in a block before the block
        if not _guarded(one) and _is_any_below_always(uses, one.plain):
            uses[one.plain] = replace(uses[one.plain], always=True)
    return uses


def find_places(root: Node, used: Mapping[str, PlaceUse]) -> dict[str, SchemaPlace]:
    """What the schema says of the used places and of the mandatory ones beside them; a path it lacks is left out."""
    found = {"": place_of(root, mandatory=True)}
    _look(root, "", used, found)
    return found


def _look(
    node: Node, path: str, used: Mapping[str, PlaceUse], found: dict[str, SchemaPlace], space: str | None = None
) -> None:
    space = node.namespace if space is None else space
    duty = {child.name for child in sure_nodes(node.content)}
    for name, child in node.children.items():
        below = f"{path}/{name}" if path else name
        if below in used or name in duty:
            found[below] = place_of(child, mandatory=name in duty, root=space)
        if below in used:
            child = child.derived().get(used[below].type, child) if used[below].type else child  # noqa: PLW2901
            _look(child, below, used, found, space)


def _facets(leaf: Leaf) -> dict[str, str]:
    found = {
        name: "|".join(values) for name, values in sorted(leaf.facets.items()) if name not in {"pattern", "whiteSpace"}
    }
    if leaf.max_length is not None:
        found.setdefault("maxLength", str(leaf.max_length))
    if leaf.kind != "any" and (leaf.kind == "text" or leaf.builtin != "string"):
        found["type"] = leaf.builtin
    patterns = " & ".join("|".join(step) for step in leaf.patterns)
    return found | ({"pattern": patterns} if patterns else {})


def _values(leaf: Leaf) -> tuple[str, ...]:
    return leaf.enumeration if len(leaf.enumeration) <= _MANY_VALUES else ()


def _use(mapping: RuleMapping, one: Bound, uses: dict[str, PlaceUse]) -> None:
    rule, names = one.rule, tuple(step.name for step in one.steps)
    sure = not _guarded(one)
    for length in range(len(names) - len(rule.target.steps) + 1, len(names)):
        _add(uses, names[:length], PlaceUse(texts=frozenset(), always=sure))
    highest = max((step.number for step in rule.target.steps[-1:]), default=1)
    texts = frozenset[str]() if rule.is_block else _texts(mapping, rule)
    always = sure and not rule.is_block and _is_always(rule)
    _add(uses, names, PlaceUse(highest, rule.each is not None, always, texts, rule.type or "", rule.nil))
    if rule.code:
        for part in _CODE_PARTS:
            _add(uses, (*names, part), PlaceUse(always=always, texts=_code_texts(mapping, rule, part)))


def _guarded(one: Bound) -> bool:
    """Whether a condition or a list decides that it speaks at all."""
    return any(each.rule.when or each.rule.each is not None for each in (*one.above, one))


def _is_any_below_always(uses: Mapping[str, PlaceUse], path: str) -> bool:
    return any(use.always for below, use in uses.items() if below.startswith(f"{path}/"))


def _add(uses: dict[str, PlaceUse], names: tuple[str, ...], use: PlaceUse) -> None:
    path = "/".join(names)
    known = uses.get(path)
    if known is None:
        uses[path] = use
        return
    texts = None if known.texts is None or use.texts is None else known.texts | use.texts
    uses[path] = replace(
        known,
        highest=max(known.highest, use.highest),
        repeated=known.repeated or use.repeated,
        always=known.always or use.always,
        texts=texts,
        type=known.type or use.type,
        nil=known.nil or use.nil,
    )


def _is_always(rule: Rule) -> bool:
    literal = (
        rule.const is not None or rule.default is not None or (rule.code is not None and rule.code.value is not None)
    )
    return rule.required or literal


def _texts(mapping: RuleMapping, rule: Rule) -> frozenset[str] | None:
    """Every text that the rule can write, where that is known: constants, and the partners of a code list."""
    own = {text for text in (rule.const, rule.default) if text is not None}
    if rule.lookup and rule.source:
        return frozenset(own | set(mapping.lists.translations[rule.lookup].entries.values()))
    if rule.code:
        return frozenset()
    return frozenset(own) if rule.source is None else None


def _code_texts(mapping: RuleMapping, rule: Rule, part: str) -> frozenset[str] | None:
    assert rule.code is not None
    codes = mapping.lists.codes[rule.code.list]
    written = [rule.code.value] if rule.code.value is not None else list(codes.codes)
    return {
        "code": frozenset(written),
        "@listURI": frozenset({codes.uri}),
        "@listVersionID": frozenset({codes.version}),
        "name": frozenset(codes.codes.get(code, "") for code in written) if codes.write_names else frozenset(),
    }[part]
