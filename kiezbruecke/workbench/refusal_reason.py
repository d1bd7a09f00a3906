"""Who refuses a value of an example, in English: a step, a code list, a duty or the target.

A preview knows the rule and why its value cannot be used. The rule is run once more, part by part, on what
it saw: the first part that refuses is named. No value is ever named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import Mapping
from kiezbruecke.mapping.interpret.draft import Unwritable
from kiezbruecke.mapping.interpret.interpreter import apply_step, holds
from kiezbruecke.mapping.interpret.sources import Scope, read, read_members
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.values import Unusable, is_nothing
from kiezbruecke.mapping.wording import OTHERWISE, some

_SHOWN = 12


@dataclass(frozen=True)
class RefusalReason:
    """What is wrong, and what is expected; `path` is the target's, where it is known."""

    what: str
    expected: str = ""
    path: str = ""


def said(error: RecordError) -> RefusalReason:
    """The error of writing in English, where a rule or its place has raised it."""
    if not isinstance(error, Unwritable):
        return RefusalReason(error.what, error.expected)
    return RefusalReason(error.unusable.problem.english, _wanted(error.unusable), error.path)


def refused_by(mapping: Mapping, roots: Scope, number: int, why: Unusable) -> RefusalReason:
    """Why the rule of a number gives no value that can be used; `why` is what the preview knows."""
    one = mapping.plan.rules[number - 1]
    for scope in _scopes([bound.rule for bound in (*one.above, one)], roots):
        if found := _in_parts(mapping, one.rule, scope):
            return found
    return RefusalReason(why.problem.english, _wanted(why))


def _in_parts(mapping: Mapping, rule: Rule, scope: Scope) -> RefusalReason | None:
    """The first part of a rule that refuses, if one does."""
    if rule.source is None:
        return None
    value = read(rule.source, scope)
    for use in rule.steps:
        try:
            value = apply_step(use, value)
        except Unusable as unusable:
            return RefusalReason(f"step '{use.name}' cannot read '{rule.source.text}'", unusable.expected.english)
    return None if is_nothing(value) else _in_lists(mapping, rule, rule.source.text, value)


def _in_lists(mapping: Mapping, rule: Rule, source: str, value: Any) -> RefusalReason | None:
    many = value if isinstance(value, list | tuple) else [value]
    try:
        if rule.lookup:
            translation = mapping.lists.translations[rule.lookup]
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
    return f"one of {some(entries, _SHOWN)}"


def _wanted(why: Unusable) -> str:
    return why.expected.english or OTHERWISE


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
        return all(holds(when, scope) for when in rule.when)
    except Unusable:
        return False
