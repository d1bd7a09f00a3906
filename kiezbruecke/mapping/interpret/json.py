"""Writes a draft as JSON, led by the schema: its order, its types, its lists; nothing is null.

Same draft, same bytes: UTF-8 without escapes, no blanks. The whole message is validated before it leaves;
what the schema refuses is said with the rule that gave the value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from kiezbruecke.mapping.interpret.draft import NodeDraft
from kiezbruecke.mapping.schema.json_judge import as_json
from kiezbruecke.mapping.schema.json_schema import JsonNode, JsonSchema
from kiezbruecke.mapping.schema.tree import can_hold
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import Instead, Why

MAX_DEPTH = 60


def _untold(draft: NodeDraft, text: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class JsonWriter:
    """Writes drafts of one schema; `file` is the mapping, for errors. `wrote` is told every value in its order."""

    schema: JsonSchema
    file: str = ""
    wrote: Callable[[NodeDraft, str], None] = field(default=_untold)

    def write(self, draft: NodeDraft) -> bytes:
        """The message in UTF-8; raises RecordError."""
        message = self._object(draft)
        found = self.schema.judge.first_problem(message)
        if found is not None:
            raise _place(draft, found.path).problem(found.problem, found.expected, self.file)
        return dumps(message).encode("utf-8")

    def _object(self, draft: NodeDraft, depth: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, node in draft.node.children.items():
            values = [self._value(part, depth) for part in _wanted(draft, name)]
            node = cast("JsonNode", node)
            if node.array and (values or node.demanded):
                found[name] = values
            elif len(values) > 1:
                raise _place(draft, (name,)).problem(Why.SEVERAL(), Instead.AT_MOST_ONE(), self.file)
            elif values:
                found[name] = values[0]
            elif node.demanded and depth < MAX_DEPTH:
                found.update(self._by_itself(draft, name, node, depth))
        return found

    def _by_itself(self, draft: NodeDraft, name: str, node: JsonNode, depth: int) -> dict[str, Any]:
        """What the schema demands and no rule gave: a fixed value, or an object that may be written by itself."""
        if node.fixed is not None:
            return {name: as_json(node.types, node.fixed)}
        made = self._object(_silent(draft, name), depth + 1) if "object" in node.types else {}
        return {name: made} if made or not can_hold(node) else {}  # an empty one is missing: the judge says so

    def _value(self, draft: NodeDraft, depth: int) -> Any:
        if draft.value is None:
            return self._object(draft, depth + 1)
        try:
            value = as_json(cast("JsonNode", draft.node).types, draft.value)
        except Unusable as unusable:
            raise draft.problem(unusable.problem, unusable.expected, self.file) from None
        self.wrote(draft, value if isinstance(value, str) else dumps(value))
        return value


def dumps(value: Any, indent: int | None = None, depth: int = 0) -> str:
    """JSON of objects, lists, texts, truths and exact numbers; `indent` makes it readable."""
    if isinstance(value, dict):
        parts = [f"{_quoted(key)}:{' ' * (indent is not None)}{dumps(value[key], indent, depth + 1)}" for key in value]
        return _enclosed("{", parts, "}", indent, depth)
    if isinstance(value, list):
        return _enclosed("[", [dumps(part, indent, depth + 1) for part in value], "]", indent, depth)
    return f"{value:f}" if isinstance(value, Decimal) else _quoted(value)


def _enclosed(start: str, parts: Sequence[str], end: str, indent: int | None, depth: int) -> str:
    if indent is None or not parts:
        return f"{start}{','.join(parts)}{end}"
    edge = "\n" + " " * indent * depth
    inner = edge + " " * indent
    return f"{start}{inner}{f',{inner}'.join(parts)}{edge}{end}"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _wanted(draft: NodeDraft, name: str) -> Iterator[NodeDraft]:
    """What is to be written under a name; a draft of several values becomes several."""
    for part in draft.of(name):
        if part.wanted():
            yield from part.singly()


def _silent(draft: NodeDraft, name: str) -> NodeDraft:
    """A part that gives nothing: the one that a rule spoke about, or an empty one."""
    spoken = next((part for part in draft.of(name) if not part.wanted()), None)
    return spoken or draft.unspoken(draft.node.children[name])


def _place(draft: NodeDraft, path: tuple[str | int, ...]) -> NodeDraft:
    """The draft at a place of the message; one without a rule where no rule spoke."""
    names = list(path)
    while names:
        name = names.pop(0)
        number = names.pop(0) if names and isinstance(names[0], int) else 0
        if name not in draft.node.children:
            return draft
        found = list(_wanted(draft, str(name)))
        draft = found[int(number)] if int(number) < len(found) else _silent(draft, str(name))
    return draft
