"""Makes a pydantic record of a draft; what the model refuses is said in German and without the value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from kiezbruecke import german
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.interpret.draft import NodeDraft
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
    return [_fitting(one) for one in draft.singly()]


def _fitting(draft: NodeDraft) -> Any:
    """Numbers into text fields, texts without blanks around them; everything else is the model's to read."""
    leaf, value = draft.node.leaf, draft.value
    if isinstance(value, list | tuple):
        raise draft.problem(Why.SEVERAL_VALUES(), Instead.ONE_VALUE())
    try:
        return to_text(value) if leaf is not None and leaf.kind == "text" else value
    except Unusable as unusable:
        raise draft.problem(unusable.problem, unusable.expected) from None


def refused_field(error: ValidationError) -> tuple[tuple[int | str, ...], Unusable]:
    """Where a model first refuses what it is given, and why: in German, without the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    problem = _PROBLEMS.get(first["type"], Why.NO_SUCH_FIELD())
    context = first.get("ctx", {})
    bounds = (sentence(_bound(context[key])) for key, sentence in _BOUNDS.items() if key in context)
    return first["loc"], Unusable(problem, next(bounds, UNSAID))


def _problem(error: ValidationError, draft: NodeDraft, file: str) -> RecordError:
    loc, unusable = refused_field(error)
    place = draft
    for name, number in zip(loc, (*loc[1:], 0), strict=True):
        if isinstance(name, str) and name in place.node.children:
            place = _part(place, name, number if isinstance(number, int) else 0)
    return place.problem(unusable.problem, unusable.expected, file)


def _part(draft: NodeDraft, name: str, number: int) -> NodeDraft:
    """What the model calls so: the first of a name that has no number, the part itself where it gave nothing."""
    parts = draft.of(name)
    given = [one for part in parts if part.wanted() for one in part.singly()]
    found = given[number : number + 1] or parts[:1]
    return found[0] if found else draft.unspoken(draft.node.children[name])


def _bound(value: object) -> object:
    """A sum and a choice as people write them: pydantic gives a repr, and joins words with „or“."""
    found = _SUM.fullmatch(str(value))
    return german.number(Decimal(found[1])) if found else str(value).replace(" or ", " oder ")
