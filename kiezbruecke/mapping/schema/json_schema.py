"""Reads a JSON Schema (drafts 4 to 2020-12) into the target tree.

    schemas/json/<name>.schema.json ── JsonSchema ──┬─ root: JsonNodes (properties are fields, arrays are repeated)
                                                    └─ judge: the library's word on a whole message, in German

The tree needs to know what may stand where; whether it all fits together is the library's to say. So `allOf` is merged,
the branches of `oneOf`, `anyOf`, `then` and `else` stand side by side as optional, and every message is validated
whole. References lead into the file itself; nothing is ever fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.language.paths import is_step
from kiezbruecke.mapping.schema.json_document import at, made_of, named, pointer_to, read_document
from kiezbruecke.mapping.schema.json_judge import SCALARS, Judge, as_json, shown
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, NodeContent
from kiezbruecke.mapping.values import Kind
from kiezbruecke.printable import spelled_out

_DEEPEST = 60  # levels of objects that must be there
_MOST = 20_000  # places that must be there; nobody can write down rules for so many
_JSON_TYPES: tuple[tuple[type, str], ...] = (  # the first that fits: True is an int
    (bool, "boolean"),
    (int, "integer"),
    (Decimal, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


@dataclass(frozen=True, eq=False)
class JsonNode(Node):
    """A property. `types` are JSON's names, empty for any; an `array` is a repeated field.

    `demanded`: the property must be there, be it as an empty list or an empty object. `inner`: it is a list of such
    lists, which sources may hold and no target can be.
    """

    types: frozenset[str] = frozenset()
    array: bool = False
    demanded: bool = False
    inner: JsonNode | None = None

    @property
    def nullable(self) -> bool:
        """Whether null may stand for it."""
        return "null" in self.types


@dataclass(frozen=True, slots=True)
class _Part:
    """One schema that speaks about a place. `sure`: it holds in any case, not only in one branch."""

    pointer: str
    body: Mapping[str, Any]
    sure: bool


def schema_file(content: Path, name: str) -> Path:
    """Where a JSON Schema lies."""
    return content / "schemas" / "json" / f"{name}.schema.json"


def read_json_schema(content: Path, name: str) -> JsonSchema:
    """Read schemas/json/<name>.schema.json; raises ConfigurationError with one line."""
    file = schema_file(content, name)
    if not file.is_file():
        found = (other for other in file.parent.glob("*.schema.json") if other.is_file())
        known = sorted(other.name.removesuffix(".schema.json") for other in found)
        raise ConfigurationError(
            f"there is no JSON Schema '{name}'", where=str(file), expected=", ".join(known), helps=nearest(name, known)
        )
    schema = JsonSchema(name, file, read_document(file))
    schema.judge.check_schema()
    if not schema.root.children:
        raise ConfigurationError("the schema describes no object", where=str(file), expected="properties: {…}")
    _refuse_endless(file, schema.root)
    return schema


def _refuse_endless(file: Path, root: JsonNode) -> None:
    """An object that must hold itself has no end, and one of too many others nearly none: `check` and all unroll it."""
    counts: dict[int, int] = {}
    above: set[int] = set()

    def places(node: Node) -> int:
        if id(node) in above or len(above) > _DEEPEST:
            raise ConfigurationError(
                f"the required property '{node.name}' holds itself without end",
                where=str(file),
                expected="an optional one",
            )
        if id(node) not in counts:
            _refuse_nameless(file, node)
            above.add(id(node))
            counts[id(node)] = 1 + sum(places(below) for below in node.children.values() if below.minimum)
            above.discard(id(node))
        return counts[id(node)]

    if places(root) > _MOST:
        most = max((node for node in root.children.values() if node.minimum), key=places)
        raise ConfigurationError(
            f"too many mandatory places to write them down: more than {_MOST:,}, most of them in '{most.name}'",
            where=str(file),
            expected="optional ones",
        )


def _refuse_nameless(file: Path, node: Node) -> None:
    """A property that no rule can name is never filled; an optional one stays away."""
    for below in node.children.values():
        if (below.minimum or (isinstance(below, JsonNode) and below.demanded)) and not is_step(below.name):
            raise ConfigurationError(
                f"the required property '{spelled_out(below.name)}' can be no target",
                where=str(file),
                expected="a name of visible signs, without / @ [ ]",
                helps="have its publisher rename it, or make it optional",
            )


@dataclass(frozen=True, eq=False)
class JsonSchema:
    """A schema that was read: its tree, and the library's judgement."""

    name: str
    file: Path
    document: Mapping[str, Any] = field(repr=False)
    _known: dict[tuple[object, ...], JsonNode] = field(default_factory=dict, repr=False)

    @cached_property
    def root(self) -> JsonNode:
        """The tree of the whole message."""
        return self._node(self.name, ("",), demanded=True, sure=True)

    @cached_property
    def judge(self) -> Judge:
        """Says what is wrong with a message."""
        return Judge(self.file, self.document)

    def _parts(self, pointer: str, seen: set[tuple[str, bool]], *, sure: bool) -> Iterator[_Part]:
        """Every schema that speaks about the place: itself, what it refers to, what it is made of, its branches."""
        body = at(self.document, pointer)
        if not isinstance(body, dict) or (pointer, sure) in seen:
            return
        seen.add((pointer, sure))
        yield _Part(pointer, body, sure)
        for below, certain in made_of(body):
            target = below if below.startswith("#") else f"#{pointer}/{below}"
            yield from self._parts(target[1:], seen, sure=sure and certain)

    def _node(self, name: str, pointers: tuple[str, ...], *, demanded: bool, sure: bool) -> JsonNode:
        """The node of a place; the same schemas make the same node, so that a tree of references stays small."""
        called = (name, pointers, demanded, sure)
        if called not in self._known:
            self._known[called] = self._new_node(name, pointers, demanded=demanded, sure=sure)
        return self._known[called]

    def _new_node(self, name: str, pointers: tuple[str, ...], *, demanded: bool, sure: bool) -> JsonNode:
        seen: set[tuple[str, bool]] = set()
        parts = [part for pointer in pointers for part in self._parts(pointer, seen, sure=sure)]
        types = _types(parts)
        if "array" in types:
            return self._array(name, parts, types, demanded=demanded)
        return JsonNode(
            name,
            minimum=int(demanded),
            leaf=self._leaf(pointers, parts, types, sure=sure) if types & SCALARS or not types else None,
            fixed=_fixed(parts),
            expand=lambda: NodeContent(group=Group("sequence", tuple(self._properties(parts)))),
            documentation=_documentation(parts),
            types=types,
            demanded=demanded,
        )

    def _array(self, name: str, parts: list[_Part], types: frozenset[str], *, demanded: bool) -> JsonNode:
        pointers = tuple(dict.fromkeys(pointer for part in parts for pointer in _items(part)))
        item = self._node(name, pointers, demanded=False, sure=True) if pointers else JsonNode(name, leaf=Leaf("any"))
        least = _bound(parts, "minItems", max) or 0
        most = _bound(parts, "maxItems", min)
        if item.array:  # a list of lists has no name of its own to write to
            item = JsonNode(name, inner=item)
        return replace(
            item,
            minimum=least if demanded else 0,
            maximum=most,
            in_repeated_group=True,  # also with one value at most it is a list
            fixed=None,
            documentation=_documentation(parts) or item.documentation,
            types=item.types | (types & {"null"}),
            array=True,
            demanded=demanded,
        )

    def _properties(self, parts: list[_Part]) -> Iterator[JsonNode]:
        required = {name for part in parts if part.sure for name in _names(part.body.get("required"))}
        found: dict[str, list[tuple[str, bool]]] = {}
        for part in parts:
            for name, below in named(part.body, "properties").items():
                if below is not False:
                    found.setdefault(name, []).append((pointer_to(part.pointer, "properties", name), part.sure))
        for name, places in found.items():
            certain = tuple(pointer for pointer, sure in places if sure)
            pointers = certain or tuple(pointer for pointer, _ in places)
            yield self._node(name, pointers, demanded=name in required, sure=bool(certain))
        for name in sorted(required - found.keys()):
            yield JsonNode(name, leaf=Leaf("any"), demanded=True)

    def _leaf(self, pointers: tuple[str, ...], parts: list[_Part], types: frozenset[str], *, sure: bool) -> Leaf:
        formats = _texts(parts, "format")
        return Leaf(
            _kind(types, formats),
            _bound(parts, "maxLength", min),
            self._text_judge(pointers, types, all_of=sure),
            enumeration=_allowed(parts),
            formats=formats,
            searched=_texts(parts, "pattern"),
        )

    def _text_judge(self, pointers: tuple[str, ...], types: frozenset[str], *, all_of: bool) -> Callable[[str], None]:
        """Asks about one text, as the value that it becomes."""

        def judge(text: str) -> None:
            self.judge.refuse(pointers, as_json(types, text), all_of=all_of)

        return judge


def _items(part: _Part) -> Iterator[str]:
    """The schemas of an array's members."""
    items = part.body.get("items")
    if isinstance(items, dict):
        yield f"{part.pointer}/items"
    for keyword, listed in (("items", items), ("prefixItems", part.body.get("prefixItems"))):
        if isinstance(listed, list):
            yield from (f"{part.pointer}/{keyword}/{number}" for number in range(len(listed)))


def _types(parts: list[_Part]) -> frozenset[str]:
    """The types that a value may have: what all sure parts allow, else what some branch allows. Empty: any."""
    found: set[str] | None = None
    for allowed in (_own_types(part.body) for part in parts if part.sure):
        if allowed:
            found = allowed if found is None else found & allowed
    if found is None:
        found = {name for part in parts for name in _own_types(part.body)}
    return frozenset(found - {"integer"} if "number" in found else found)


def _own_types(body: Mapping[str, Any]) -> set[str]:
    given = body.get("type")
    if given is None:
        found = {_type_of(value) for value in _listed(body)}
        found |= {"object"} if "properties" in body else set()
        return found | ({"array"} if "items" in body or "prefixItems" in body else set())
    found = {given} if isinstance(given, str) else set(given)
    return found | {"integer"} if "number" in found else found


def _type_of(value: object) -> str:
    return next((name for kind, name in _JSON_TYPES if isinstance(value, kind)), "null")


def _kind(types: frozenset[str], formats: Sequence[str]) -> Kind:
    kinds: dict[frozenset[str], Kind] = {
        frozenset({"integer"}): "integer",
        frozenset({"number"}): "decimal",
        frozenset({"boolean"}): "boolean",
        frozenset({"string"}): "text",
    }
    kind = kinds.get(types & SCALARS, "any") if types else "any"
    if kind == "text" and "date" in formats:
        return "date"
    return "moment" if kind == "text" and "date-time" in formats else kind


def _fixed(parts: list[_Part]) -> str | None:
    """The one value that every branch allows, as text."""
    if not all(part.sure for part in parts):
        return None
    values = [listed[0] for part in parts if len(listed := _listed(part.body)) == 1]
    return shown(values[0]) if values and isinstance(values[0], str | int | Decimal) else None


def _allowed(parts: list[_Part]) -> tuple[str, ...]:
    """The allowed texts, where the schema lists them."""
    sure = next((listed for part in parts if part.sure and (listed := _listed(part.body))), None)
    values = (value for part in parts for value in _listed(part.body)) if sure is None else sure
    return tuple(dict.fromkeys(shown(value) for value in values if value is not None))


def _listed(body: Mapping[str, Any]) -> list[Any]:
    """The values that a schema lists; nothing where it lists none."""
    values = [body["const"]] if "const" in body else body.get("enum")
    return values if isinstance(values, list) else []


def _bound(parts: list[_Part], keyword: str, tightest: Callable[[list[int]], int]) -> int | None:
    found = [int(part.body[keyword]) for part in parts if part.sure and keyword in part.body]
    return tightest(found) if found else None


def _texts(parts: list[_Part], keyword: str) -> tuple[str, ...]:
    """What a keyword says wherever the value is judged for sure, else in some branch."""
    given = [(part.sure, text) for part in parts if isinstance(text := part.body.get(keyword), str)]
    sure = any(certain for certain, _ in given)
    return tuple(text for certain, text in given if certain or not sure)


def _documentation(parts: list[_Part]) -> str:
    texts = (part.body.get(keyword) for keyword in ("description", "title") for part in parts)
    return next((" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()), "")


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
