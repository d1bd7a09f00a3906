"""What conditions can be known to do: hold always, never, never together, or one of them in any case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice, product

from kiezbruecke.mapping.check.arriving import EXAMPLES
from kiezbruecke.mapping.check.report import CheckReport, Notes
from kiezbruecke.mapping.language.definition import When
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.values import Kind, Unusable, fold, to_text
from kiezbruecke.mapping.wording import OTHERWISE

_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}
_OTHER = "\0"  # a value that no condition names
_MOST_CASES = 20_000
_SHOWN = 15


def check_condition(when: When, asked: Type, report: CheckReport, *, keeps_alive: bool = False) -> None:
    """A condition that always or never holds is a mistake in one way or another.

    `keeps_alive`: it stands on constants that only a condition keeps alive, and there it may always hold.
    """
    if when.texts and asked.whole is not None:
        fields = ", ".join(asked.whole.names()[:_SHOWN])
        message = f"'{when.path.text}' is a whole {asked.whole.title}, which equals nothing"
        report.error(when.place, "KB-M16", message, f"one of its fields: {fields}")
    elif when.fold and (twins := _twins(when.texts)):
        message = f"'{twins[0]}' and '{twins[1]}' are the same text under 'fold'"
        report.error(when.texts_place or when.place, "KB-M16", message, "each text once")
    elif asked.kind == "any":
        return
    elif not when.texts:
        if when.negated or not keeps_alive:
            _presence(when, asked, report)
    elif asked.many:
        message = f"'{when.path.text}' is a list, which equals nothing"
        report.error(when.place, "KB-M16", message, "one value, or presence", "choose one: path[1]")
    else:
        for text in when.texts:
            _equality(when, text, asked, report)


def exclude(one: Sequence[When], other: Sequence[When]) -> bool:
    """Whether two rules can be known never to speak both: no value meets both conditions on one path."""
    return any(
        first.path.text == second.path.text and not _together(first, second) for first in one for second in other
    )


def same_question(one: Sequence[When], other: Sequence[When]) -> bool:
    """Whether two rules speak together whenever one of them does."""
    asked, told = ([_question(when) for when in each] for each in (one, other))
    return asked == told


def one_holds(alternatives: Sequence[tuple[When, ...]], notes: Notes) -> bool:
    """Whether one of several conditions is met in any case, whatever the sources hold."""
    return next(_uncovered(alternatives, notes), None) is None


def other_case(alternatives: Sequence[tuple[When, ...]], notes: Notes) -> str:
    """A case in which none of several conditions is met, in words; nothing where there is none."""
    case = next(_uncovered(alternatives, notes), None)
    return "" if case is None else " and ".join(f"'{path}' {_said(value)}" for path, value in case.items())


def unmet_word(alternatives: Sequence[tuple[When, ...]], notes: Notes) -> str:
    """A case of known words – an enumeration's, yes or no – in which none of several conditions is met; "" for none."""
    for case in _uncovered(alternatives, notes):
        if all(value not in (None, _OTHER) for value in case.values()):
            return " and ".join(f"'{path}' {_said(value)}" for path, value in case.items())
    return ""


def always_there(asked: Type) -> bool:
    """Whether something is never nothing: then a condition that asks for it always holds."""
    return not asked.nullable and not asked.many and (asked.kind != "any" or asked.whole is not None)


def _uncovered(alternatives: Sequence[tuple[When, ...]], notes: Notes) -> Iterator[dict[str, str | None]]:
    """Cases – a value by path, None for nothing – in which no alternative holds."""
    asked: dict[str, list[When]] = {}
    for when in (when for conditions in alternatives for when in conditions):
        asked.setdefault(when.path.text, []).append(when)
    domains = [_domain(whens, notes) for whens in asked.values()]
    for values in islice(product(*domains), _MOST_CASES):
        case = dict(zip(asked, values, strict=True))
        if not any(all(_holds(when, case[when.path.text]) for when in conditions) for conditions in alternatives):
            yield case


def _domain(whens: Sequence[When], notes: Notes) -> tuple[str | None, ...]:
    """Every value that makes a difference to conditions on one path: all known words, or those that are named."""
    asked = notes.asked.get(whens[0].place, Type())
    values: tuple[str | None, ...] = asked.values or _named(whens)
    if asked.kind == "boolean":
        values = ("true", "false")
    return values if always_there(asked) else (*values, None)


def _question(when: When) -> tuple[str, bool, frozenset[str]]:
    return when.path.text, when.negated, frozenset(map(fold if when.fold else _normal, when.texts))


def _named(whens: Sequence[When]) -> tuple[str | None, ...]:
    """Every text that conditions name, and one that none does; where case does not matter, also one in another form."""
    named = dict.fromkeys(_normal(text) for when in whens for text in when.texts)
    return (*named, _OTHER, *(f" {text.swapcase()} " for when in whens if when.fold for text in when.texts))


def _together(one: When, other: When) -> bool:
    """Whether some value meets two conditions on one path."""
    return any(_holds(one, value) and _holds(other, value) for value in (*_named((one, other)), None))


def _holds(when: When, value: str | None) -> bool:
    asked = value is not None and (not when.texts or any(_meets(when, value, text) for text in when.texts))
    return asked != when.negated


def _meets(when: When, value: str, text: str) -> bool:
    return value in (text, _normal(text)) or (when.fold and fold(value) == fold(text))


def _said(value: str | None) -> str:
    if value is None:
        return "is missing"
    return "is anything else" if value == _OTHER else f"is '{value}'"


def _twins(texts: Sequence[str]) -> list[str]:
    """The first text that says what another has said, where case and blanks do not matter, and the other."""
    alike = ([one for one in texts[: number + 1] if fold(one) == fold(text)] for number, text in enumerate(texts))
    return next((found for found in alike if len(found) > 1), [])


def _presence(when: When, asked: Type, report: CheckReport) -> None:
    if asked.nullable or asked.many:
        return
    if when.negated:
        report.error(when.place, "KB-M16", f"'{when.path.text}' is never missing", "a path that may hold nothing")
        return
    helps = "when: {path: …, equals: true}" if asked.kind == "boolean" else "leave 'when' out"
    report.warning(when.place, "KB-M16", f"'{when.path.text}' is always present", "equals", helps)


def _equality(when: When, wanted: str, asked: Type, report: CheckReport) -> None:
    if asked.kind == "boolean" and wanted.lower() not in _TRUTH:
        _never(when, wanted, "true or false", "", report)
    elif asked.values and wanted not in asked.values and not (when.fold and fold(wanted) in map(fold, asked.values)):
        _never(when, wanted, ", ".join(asked.values), nearest(wanted, asked.values), report)
    elif asked.kind not in {"text", "boolean"} and (expected := _other_form(asked, wanted)):
        _never(when, wanted, expected, "", report)
    elif asked.kind == "text" and not when.fold and asked.leaf is not None and (why := asked.leaf.refusal(wanted)):
        _never(when, wanted, EXAMPLES.get(asked.leaf.kind) or why.expected.english or OTHERWISE, "", report)


def _never(when: When, wanted: str, expected: str, helps: str, report: CheckReport) -> None:
    place = when.texts_place or when.place
    report.error(place, "KB-M16", f"'{when.path.text}' is never '{wanted}'", expected, helps)


def _other_form(asked: Type, wanted: str) -> str:
    """How a value of this kind is written, where the text is not written so."""
    try:
        written = to_text(_READ.get(asked.kind, str)(wanted))
        return "" if written == wanted else f"'{written}'"
    except (ValueError, ArithmeticError, Unusable):
        return EXAMPLES.get(asked.kind, "")


_READ: dict[Kind, Callable[[str], object]] = {
    "integer": int,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "moment": lambda text: datetime.fromisoformat(text).astimezone(UTC),
}


def _normal(text: str) -> str:
    return _TRUTH.get(text.lower(), text)
