"""Makes a pydantic record of a draft; what the model refuses is said in German and without the value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from kiezbruecke import german
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.interpret.draft import NodeDraft
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import UNSAID, Instead, Why
from kiezbruecke.records import Record

_RecordT = TypeVar("_RecordT", bound=Record)

_PROBLEMS = {
    "missing": Why.MISSING(),
    "string_too_short": Why.EMPTY_OR_SHORT(),
    "string_too_long": Why.TOO_LONG(),
    "string_pattern_mismatch": Why.WRONG_FORM(),
    "enum": Why.NOT_ALLOWED(),
    "literal_error": Why.NOT_ALLOWED(),
    "greater_than_equal": Why.TOO_SMALL(),
    "greater_than": Why.TOO_SMALL(),
    "less_than_equal": Why.TOO_LARGE(),
    "less_than": Why.TOO_LARGE(),
    "int_parsing": Why.NO_NUMBER(),
    "int_from_float": Why.NOT_WHOLE(),
    "float_parsing": Why.NO_NUMBER(),
    "decimal_parsing": Why.NO_SUM(),
    "bool_parsing": Why.NEITHER(),
    "date_parsing": Why.NO_DAY(),
    "date_from_datetime_parsing": Why.NO_DAY(),
    "date_from_datetime_inexact": Why.DAY_WITH_TIME(),
    "datetime_parsing": Why.NO_MOMENT(),
    "datetime_from_date_parsing": Why.NO_MOMENT(),
    "timezone_aware": Why.NO_ZONE(),
    "uuid_parsing": Why.NOT_A_UUID(),
    "too_many_marks": Why.MARKS(),
    "value_error": Why.USELESS(),
}
_SUM = re.compile(r"Decimal\('([0-9.]+)'\)")
_BOUNDS = {
    "pattern": Instead.PATTERN,
    "min_length": Instead.AT_LEAST_CHARACTERS,
    "max_length": Instead.AT_MOST_CHARACTERS,
    "ge": Instead.AT_LEAST,
    "le": Instead.AT_MOST,
    "gt": Instead.MORE_THAN,
    "lt": Instead.LESS_THAN,
    "expected": Instead.ONE_OF,
}


def make_record(model: type[_RecordT], draft: NodeDraft, file: str) -> _RecordT:
    """The record; raises RecordError with the field, the rule and the source."""
    try:
        return model.model_validate(_fields(draft))
    except ValidationError as error:
        raise _problem(error, draft, file) from None


def _fields(draft: NodeDraft) -> dict[str, Any]:
    """The fields that hold something; the others keep the model's own defaults."""
    found: dict[str, Any] = {}
    for name, node in draft.node.children.items():
        parts = [part for part in draft.of(name) if part.wanted()]
        if parts:
            values = [value for part in parts for value in _values(part)]
            found[name] = values if node.repeats else values[0]
    return found


def _values(draft: NodeDraft) -> list[Any]:
    if draft.node.leaf is None:
        return [_fields(draft)]
    values = draft.value if isinstance(draft.value, list) and draft.node.repeats else [draft.value]
    try:
        return [_fitting(draft.node, value) for value in values]
    except Unusable as unusable:
        raise draft.problem(unusable.problem, unusable.expected) from None


def _fitting(node: Node, value: Any) -> Any:
    """Numbers into text fields, texts without blanks around them; everything else is the model's to read."""
    if isinstance(value, list | tuple):
        raise Unusable(Why.SEVERAL_VALUES(), Instead.ONE_VALUE())
    return to_text(value) if node.leaf is not None and node.leaf.kind == "text" else value


def _problem(error: ValidationError, draft: NodeDraft, file: str) -> RecordError:
    first = error.errors(include_input=False, include_url=False)[0]
    problem = _PROBLEMS.get(first["type"], Why.NO_SUCH_FIELD())
    context = first.get("ctx", {})
    bounds = (sentence(_bound(context[key])) for key, sentence in _BOUNDS.items() if key in context)
    place = draft
    for name in (part for part in first["loc"] if isinstance(part, str)):
        if name in place.node.children:
            place = next(iter(place.of(name)), None) or NodeDraft(place.node.children[name], _join(place.path, name))
    return place.problem(problem, next(bounds, UNSAID), file)


def _bound(value: object) -> object:
    """A sum and a choice as people write them: pydantic gives a repr, and joins words with „or“."""
    found = _SUM.fullmatch(str(value))
    return german.number(Decimal(found[1])) if found else str(value).replace(" or ", " oder ")


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
