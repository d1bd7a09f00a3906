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
    values = draft.value if isinstance(draft.value, list) and draft.node.repeats else [draft.value]
    try:
        return [_fitting(draft.node, value) for value in values]
    except Unusable as unusable:
        raise draft.problem(unusable.problem, unusable.expected) from None


def _fitting(node: Node, value: Any) -> Any:
    """Numbers into text fields, texts without blanks around them; everything else is the model's to read."""
    if isinstance(value, list | tuple):
        raise Unusable("es liegen mehrere Werte vor", "genau ein Wert (Schritt join oder first)")
    return to_text(value) if node.leaf is not None and node.leaf.kind == "text" else value


def _problem(error: ValidationError, draft: NodeDraft, file: str) -> RecordError:
    first = error.errors(include_input=False, include_url=False)[0]
    problem = _PROBLEMS.get(first["type"], "der Wert passt nicht zum Feld")
    context = first.get("ctx", {})
    bounds = (text.format(_bound(context[key])) for key, text in _BOUNDS.items() if key in context)
    expected = next(bounds, "").replace(" or ", " oder ")
    place = draft
    for name in (part for part in first["loc"] if isinstance(part, str)):
        if name in place.node.children:
            place = next(iter(place.of(name)), None) or NodeDraft(place.node.children[name], _join(place.path, name))
    return place.problem(problem, expected, file)


def _bound(value: object) -> object:
    """A sum as people write it: pydantic gives its repr."""
    found = _SUM.fullmatch(str(value))
    return german.number(Decimal(found[1])) if found else value


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
