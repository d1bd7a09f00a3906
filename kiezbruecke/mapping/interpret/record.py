"""Makes a pydantic record of a draft; what the model refuses is said in German and without the value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from kiezbruecke import german
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.interpret.draft import NodeDraft
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.records import Record

_RecordT = TypeVar("_RecordT", bound=Record)

_PROBLEMS = {
    "missing": "die Pflichtangabe fehlt",
    "string_too_short": "der Text ist leer oder zu kurz",
    "string_too_long": "der Text ist zu lang",
    "string_pattern_mismatch": "der Text hat nicht die verlangte Form",
    "enum": "der Wert ist nicht erlaubt",
    "literal_error": "der Wert ist nicht erlaubt",
    "greater_than_equal": "die Zahl ist zu klein",
    "greater_than": "die Zahl ist zu klein",
    "less_than_equal": "die Zahl ist zu groß",
    "less_than": "die Zahl ist zu groß",
    "int_parsing": "die Zahl ist nicht lesbar",
    "int_from_float": "die Zahl ist keine ganze Zahl",
    "float_parsing": "die Zahl ist nicht lesbar",
    "decimal_parsing": "der Betrag ist nicht lesbar",
    "bool_parsing": "weder ja noch nein",
    "date_parsing": "das Datum ist nicht lesbar",
    "date_from_datetime_parsing": "das Datum ist nicht lesbar",
    "date_from_datetime_inexact": "das Datum trägt eine Uhrzeit",
    "datetime_parsing": "die Zeit ist nicht lesbar",
    "datetime_from_date_parsing": "die Zeit ist nicht lesbar",
    "timezone_aware": "die Zeit trägt keine Zeitzone",
    "uuid_parsing": "die Kennung ist keine UUID",
    "too_many_marks": "ein Buchstabe trägt mehr Zeichen über und unter sich, als eine Sprache kennt",
    "value_error": "der Wert ist nicht brauchbar",
}
_SUM = re.compile(r"Decimal\('([0-9.]+)'\)")
_BOUNDS = {
    "pattern": "das Muster {}",
    "min_length": "mindestens {} Zeichen",
    "max_length": "höchstens {} Zeichen",
    "ge": "mindestens {}",
    "le": "höchstens {}",
    "gt": "mehr als {}",
    "lt": "weniger als {}",
    "expected": "einer von: {}",
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
    return [_fitting(one) for one in _singly(draft)]


def _singly(draft: NodeDraft) -> Iterable[NodeDraft]:
    return draft.singly() if isinstance(draft.value, list) and draft.node.repeats else [draft]


def _fitting(draft: NodeDraft) -> Any:
    """Numbers into text fields, texts without blanks around them; everything else is the model's to read."""
    leaf, value = draft.node.leaf, draft.value
    if isinstance(value, list | tuple):
        raise draft.problem("es liegen mehrere Werte vor", "genau ein Wert (Schritt join oder first)")
    try:
        return to_text(value) if leaf is not None and leaf.kind == "text" else value
    except Unusable as unusable:
        raise draft.problem(unusable.problem, unusable.expected) from None


def refused_field(error: ValidationError) -> tuple[tuple[int | str, ...], Unusable]:
    """Where a model first refuses what it is given, and why: in German, without the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    problem = _PROBLEMS.get(first["type"], "der Wert passt nicht zum Feld")
    context = first.get("ctx", {})
    bounds = (text.format(_bound(context[key])) for key, text in _BOUNDS.items() if key in context)
    return first["loc"], Unusable(problem, next(bounds, "").replace(" or ", " oder "))


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
    given = [one for part in parts if part.wanted() for one in _singly(part)]
    found = given[number : number + 1] or parts[:1]
    return found[0] if found else draft.unspoken(draft.node.children[name])


def _bound(value: object) -> object:
    """A sum as people write it: pydantic gives its repr."""
    found = _SUM.fullmatch(str(value))
    return german.number(Decimal(found[1])) if found else value
