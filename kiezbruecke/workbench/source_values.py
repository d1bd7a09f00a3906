"""The words that a mapping's sources may hold: enumerations, yes and no, nothing, and what its rules ask for.

A trial takes each of them in turn, because chance alone seldom meets the one of eight outcomes that no rule knows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from itertools import chain, zip_longest
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from lxml import etree
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from kiezbruecke.mapping.loading import Mapping as Ready
from kiezbruecke.mapping.plan import SourceRead
from kiezbruecke.mapping.schema.models import Type, may_be_missing, root_model
from kiezbruecke.mapping.values import is_nothing

Words = dict[str, list[Any]]
"""Values by path (`decision.outcome`), each once and in a fixed order. Nothing (None) at a root means without it."""


def paths_of(mapping: Ready) -> list[str]:
    """What the rules read, sorted, as paths from the roots; members of an `each` by the path of their list."""
    return sorted({one.path.names for one in _fields_read(mapping)})


def words_of(mapping: Ready, roots: Mapping[str, Any]) -> tuple[Words, Words]:
    """The words that the sources' types allow, and those that the rules and code lists name besides."""
    typed: Words = {}
    named: Words = {}
    for one in _fields_read(mapping):
        path = one.path.names
        root, *names = path.split(".")
        if root not in roots:
            continue
        if may_be_missing(root):
            typed[root] = [None]
        if root == mapping.own:
            typed.update(_of_shape(mapping.shape.item, root, names))
            _add(named.setdefault(path, []), _asked(mapping, one), None, typed.get(path, []))
            continue
        along = list(_along(root_model(root), names))
        typed.update((".".join([root, *names[:end]]), words) for end, (_, words) in enumerate(along, 1) if words)
        field = along[-1][0] if along else None
        _add(named.setdefault(path, []), _asked(mapping, one), field, typed.get(path, []))
    return typed, named


def turns(typed: Words, named: Words, records: int) -> list[tuple[str, Any]]:
    """Path and word, one for each of the first records: all that the types allow, of the others half the records."""
    first = list(_round(typed))
    return first + list(_round(named))[: max(0, records // 2 - len(first))]


def put(value: Any, names: Sequence[str], word: Any) -> Any:
    """The value with a word at the end of the path, in every member of a list; what is not there stays as it is."""
    if not names:
        return word
    if isinstance(value, BaseModel):
        if names[0] not in type(value).model_fields:
            return value
        return value.model_copy(update={names[0]: put(getattr(value, names[0]), names[1:], word)})
    if isinstance(value, dict):
        return {**value, names[0]: put(value.get(names[0]), names[1:], word)}
    if isinstance(value, list | tuple):
        return type(value)(put(part, names, word) for part in value)
    return _element_with(value, names, word) if etree.iselement(value) else value


def _element_with(element: etree._Element, names: Sequence[str], word: Any) -> etree._Element:
    """A copy of an element with a word as the text at the end of the path; nothing takes the text away."""
    changed = copy.deepcopy(element)
    places = [changed]
    for name in names[:-1]:
        places = [below for place in places for below in _named(place, name)]
    for place in places:
        for key in [key for key in place.attrib if names[-1] == f"@{_local(key)}"]:
            place.set(key, word) if isinstance(word, str) else place.attrib.pop(key)
        for below in _named(place, names[-1]):
            below[:] = []
            below.text = word if isinstance(word, str) else None
    return changed


def _named(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element.iterchildren(etree.Element) if _local(child.tag) == name]


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _fields_read(mapping: Ready) -> Iterator[SourceRead]:
    return (one for one in mapping.plan.reads if not one.index)


def _asked(mapping: Ready, one: SourceRead) -> list[str]:
    """What a rule knows of its value: the texts of its condition, or the keys of its lists."""
    rule = one.rule
    if one.key == "when":
        return [text for when in rule.asked if when.place == one.place for text in when.texts]
    if rule.source is None:
        return []
    if rule.lookup:
        return list(mapping.lists.translations[rule.lookup].entries)
    return list(mapping.lists.codes[rule.code.list].codes) if rule.code and rule.code.value is None else []


def _add(words: list[Any], texts: Sequence[str], field: FieldInfo | None, known: Sequence[Any]) -> None:
    adapter = TypeAdapter(cast("Any", Annotated[field.annotation, field])) if field is not None and texts else None
    for text in texts:
        with suppress(ValidationError):
            word = adapter.validate_python(text) if adapter is not None else text
            if word not in words and word not in known:
                words.append(word)


def _along(model: Any, names: Sequence[str]) -> Iterator[tuple[FieldInfo | None, list[Any]]]:
    """Along a path through models: each field with the words that its type allows."""
    for name in names:
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        field = fields.get(name)
        if field is None:
            yield None, []
            return
        kinds = list(_kinds(field.annotation))
        nothing = [field.default] if is_nothing(field.default) else []
        yield field, list(dict.fromkeys([*nothing, *(word for kind in kinds for word in _words(kind))]))
        model = next((part for kind in kinds for part in (kind, *get_args(kind)) if _is_model(part)), None)


def _of_shape(found: Type, path: str, names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Along a path of somebody else's record: each place with the words that its schema allows."""
    for name in names:
        below = found.below.field(name) if found.below is not None else None
        if below is None:  # a name that holds dots, or what nobody knows
            return
        found, path = below, f"{path}.{name}"
        words = [True, False] if found.kind == "boolean" else list(found.values)
        yield path, [*([None] if found.nullable else []), *words]


def _kinds(annotation: Any) -> Iterator[Any]:
    """The branches of a union, without what is annotated."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _kinds(part)
    else:
        yield annotation


def _words(kind: Any) -> list[Any]:
    if kind is None or kind is type(None):
        return [None]
    if kind is bool:
        return [True, False]
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _round(words: Words) -> Iterator[tuple[str, Any]]:
    """One word of each path, then the next of each: a long list does not keep the others waiting."""
    columns = ([(path, (word,)) for word in found] for path, found in sorted(words.items()))
    for one in chain.from_iterable(zip_longest(*columns)):
        if one is not None:
            yield one[0], one[1][0]
