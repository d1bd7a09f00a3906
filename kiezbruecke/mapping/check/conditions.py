"""What conditions can be known to do: hold always, never, never together, or one of them in any case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from kiezbruecke.mapping.check.report import Notes, Report
from kiezbruecke.mapping.language.definition import When
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.values import Unusable, to_text

_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


def check_condition(when: When, asked: Type, report: Report) -> None:
    """A condition that always or never holds is a mistake in one way or another."""
    if asked.kind == "any":
        return
    if when.equals is None:
        _presence(when, asked, report)
    elif asked.many:
        message = f"'{when.path.text}' is a list, which equals nothing"
        report.error(when.place, "KB-M16", message, "one value, or presence", "choose one: path[1]")
    else:
        _equality(when, when.equals, asked, report)


def exclude(one: Sequence[When], other: Sequence[When]) -> bool:
    """Whether two rules can be known never to speak both: one value cannot equal two texts."""
    return any(
        first.path.text == second.path.text and _differ(first.equals, second.equals)
        for first in one
        for second in other
    )


def same_question(one: Sequence[When], other: Sequence[When]) -> bool:
    """Whether two rules speak together whenever one of them does."""
    return [(when.path.text, when.equals) for when in one] == [(when.path.text, when.equals) for when in other]


def one_holds(alternatives: Sequence[tuple[When, ...]], notes: Notes) -> bool:
    """Whether one of several conditions is met in any case: there is one for every possible value."""
    if any(not conditions for conditions in alternatives):
        return True
    if any(len(conditions) != 1 for conditions in alternatives):
        return False
    asked = notes.asked.get(alternatives[0][0].place, Type())
    paths = {conditions[0].path.text for conditions in alternatives}
    given = {_normal(conditions[0].equals) for conditions in alternatives}
    possible = {"true", "false"} if asked.kind == "boolean" else set(asked.values)
    return len(paths) == 1 and bool(possible) and not asked.nullable and possible <= given


def _presence(when: When, asked: Type, report: Report) -> None:
    if asked.nullable or asked.many:
        return
    helps = "when: {path: …, equals: true}" if asked.kind == "boolean" else "leave 'when' out"
    report.warning(when.place, "KB-M16", f"'{when.path.text}' is always present", "equals", helps)


def _equality(when: When, wanted: str, asked: Type, report: Report) -> None:
    if asked.kind == "boolean" and wanted.lower() not in _TRUTH:
        _never(when, wanted, "true or false", "", report)
    elif asked.values and wanted not in asked.values:
        _never(when, wanted, ", ".join(asked.values), nearest(wanted, asked.values), report)
    elif asked.kind not in {"text", "boolean"} and (expected := _other_form(asked, wanted)):
        _never(when, wanted, expected, "", report)


def _never(when: When, wanted: str, expected: str, helps: str, report: Report) -> None:
    place = when.equals_place or when.place
    report.error(place, "KB-M16", f"'{when.path.text}' is never '{wanted}'", expected, helps)


def _other_form(asked: Type, wanted: str) -> str:
    """How a value of this kind is written, where the text is not written so."""
    try:
        written = to_text(_read(asked, wanted))
        return "" if written == wanted else f"'{written}'"
    except (ValueError, ArithmeticError, Unusable):
        return _EXAMPLES.get(asked.kind, "")


def _read(asked: Type, wanted: str) -> object:
    match asked.kind:
        case "integer":
            return int(wanted)
        case "decimal":
            return Decimal(wanted)
        case "date":
            return date.fromisoformat(wanted)
        case "moment":
            return datetime.fromisoformat(wanted).astimezone(UTC)
        case _:
            return wanted


_EXAMPLES = {
    "integer": "a whole number such as '3'",
    "decimal": "a sum such as '850.00'",
    "date": "a day such as '2026-04-24'",
    "moment": "a moment such as '2026-04-24T10:00:00.000Z'",
}


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and _normal(one) != _normal(other)


def _normal(text: str | None) -> str | None:
    return _TRUTH.get(text.lower(), text) if text is not None else None
