"""Who refuses a value of an example, in English: a step, a code list, a duty or the target.

A preview knows the rule and the German sentence of whoever refused. The rule is run once more, part by part, on what
it saw: the first part that refuses is named. No value is ever named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import Mapping
from kiezbruecke.mapping.check.english import in_english
from kiezbruecke.mapping.interpret.interpreter import apply_step, holds
from kiezbruecke.mapping.interpret.sources import Scope, read, read_members
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.values import Unusable, is_nothing

_PROBLEMS = {
    "eine Pflichtangabe fehlt": "a mandatory value is missing",
    "die Pflichtangabe fehlt": "a mandatory value is missing",
    "der Wert fehlt, ist hier aber Pflicht": "a value is missing that the rule calls required",
    "es sind mehr Werte da, als die Nachricht aufnehmen kann": "there are more values than the target can hold",
    "es sind mehrere Werte da": "there are several values",
    "es liegen mehrere Werte vor": "there are several values",
    "mehrere Angaben, wo nur eine erlaubt ist": "several branches of a choice have a value",
    "das Schema schreibt hier einen anderen Wert vor": "the schema prescribes another value",
    "der Typ ist abstrakt": "the type is abstract",
    "der Wert hat keine Textform": "a whole object has no text",
    "zwei Regeln geben hier einen Wert": "two rules give a value here",
    "zwei Regeln wählen hier verschiedene Typen": "two rules choose different types here",
}
_EXPECTED = {
    "Bedingungen, die einander ausschließen": "conditions that exclude each other",
    "ein Feld statt eines ganzen Objekts": "a field of it",
    "ein abgeleiteter Typ (type: …)": "a derived type (type: …)",
}
_ONE_OF = re.compile(r"(?:nur )?eine von: (.*)", re.DOTALL)
_SENTENCE = re.compile(
    r"'(?P<path>[^']*)' \((?:Quelle: .*?|ohne Regel)\): (?P<what>.*?)(?:; erwartet: (?P<expected>.*))?", re.DOTALL
)
_UNSAID = in_english(Unusable(""))  # what is said where nothing is known: no help behind a step
_SHOWN = 12


@dataclass(frozen=True)
class RefusalReason:
    """What is wrong, and what is expected; `path` is the target's, where it is known."""

    what: str
    expected: str = ""
    path: str = ""


def said(error: RecordError) -> RefusalReason:
    """The German error of writing in English, as far as its sentence is known."""
    found = _SENTENCE.fullmatch(error.what)
    if not found:
        return RefusalReason(error.what, error.expected)
    return RefusalReason(*_both(found["what"], found["expected"] or ""), found["path"])


def refused_by(mapping: Mapping, roots: Scope, place: Place, problem: str) -> RefusalReason:
    """Why the rule at a place gives no value that can be used; `problem` is what the preview says."""
    one = next(one for one in mapping.plan.rules if one.rule.place == place)
    for scope in _scopes([bound.rule for bound in (*one.above, one)], roots):
        if found := _in_parts(mapping, one.rule, scope):
            return found
    return said(RecordError(problem))


def _in_parts(mapping: Mapping, rule: Rule, scope: Scope) -> RefusalReason | None:
    """The first part of a rule that refuses, if one does."""
    if rule.source is None:
        return None
    value = read(rule.source, scope)
    for use in rule.steps:
        try:
            value = apply_step(use, value)
        except Unusable as unusable:
            expected = _both("", unusable.expected)[1]
            what = f"step '{use.name}' cannot read '{rule.source.text}'"
            return RefusalReason(what, "" if expected == _UNSAID else expected)
    return None if is_nothing(value) else _in_lists(mapping, rule, rule.source.text, value)


def _in_lists(mapping: Mapping, rule: Rule, source: str, value: Any) -> RefusalReason | None:
    many = value if isinstance(value, list | tuple) else [value]
    try:
        if rule.codelist:
            translation = mapping.lists.translations[rule.codelist]
            many = [translation.translate(part) for part in many]
    except Unusable:
        return RefusalReason(
            f"code list '{rule.codelist}' does not have what '{source}' holds", _words(translation.entries)
        )
    try:
        for part in many if rule.code else ():
            codes = mapping.lists.codes[rule.code.list]  # type: ignore[union-attr]
            codes.check(part)
    except Unusable:
        return RefusalReason(f"code list '{codes.name}' does not have what '{source}' holds", _words(codes.codes))
    return None


def _words(entries: Iterable[str]) -> str:
    words = list(entries)
    return f"one of {', '.join(words[:_SHOWN])}{', …' if len(words) > _SHOWN else ''}"


def _both(what: str, expected: str) -> tuple[str, str]:
    """A German problem and what it expects, in English."""
    if found := _ONE_OF.fullmatch(expected):
        wanted = f"one of {found[1]}"
    else:
        wanted = _EXPECTED.get(expected) or in_english(Unusable(what, expected or "ein Wert"))
    return _PROBLEMS.get(what, "the target does not take this value"), wanted


def _scopes(chain: Sequence[Rule], scope: Scope) -> Iterator[Scope]:
    """What a rule sees, once for each member that its blocks go through; none where a condition does not hold.

    `chain` are its blocks, the outermost first, and the rule.
    """
    first, *rest = chain
    scopes = [scope]
    if first.each is not None and first.name is not None:
        scopes = [{**scope, first.name: member} for member in read_members(first.each, scope)]
    for inner in scopes:
        if _holds(first, inner):
            yield from _scopes(rest, inner) if rest else (inner,)


def _holds(rule: Rule, scope: Scope) -> bool:
    try:
        return holds(rule.when, scope)
    except Unusable:
        return False
