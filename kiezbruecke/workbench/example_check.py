"""What the rules alone do not tell: a mapping must write its own examples.

Whether a free text has the form of an IBAN is known only when a value arrives. So the check plays every example
through, except those that expect to be refused, and says for each value that fails which rule gave it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import Finding, Mapping
from kiezbruecke.mapping.check.whole import checked, each_once
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.language.paths import without_numbers
from kiezbruecke.mapping.lineage import RuleLine
from kiezbruecke.mapping.wording import OTHERWISE
from kiezbruecke.workbench.examples import Example, find_examples, read_roots
from kiezbruecke.workbench.preview import PreviewRow, preview, refusal
from kiezbruecke.workbench.refusal_reason import refused_by, said

_CODE = "KB-M24"
_DOUBTS = frozenset({"KB-M13", "KB-M14", "KB-M18", "KB-M22"})  # that a value may lack or not fit, as a warning


def check_whole(name: str, content: Path) -> list[Finding]:
    """The findings of the check, and beside them those of the examples; raises ConfigurationError.

    What an example shows of a rule that is known to be wrong is only the echo of it.
    """
    found = checked(name, content)
    if found.mapping is None:  # nothing can be tried, or an abstract base: it is never run by itself
        return found.findings
    errors = [one for one in found.findings if one.severity == "error"]
    tried = [finding for example in find_examples(name, content) for finding in _tried(found.mapping, content, example)]
    new = {
        (one.place, one.rule or one.message): one for one in reversed(tried) if not _echoes(one, errors)
    }  # of the first example
    proven = {one.place for one in new.values()}
    lacking = {without_numbers(one.rule) for one in new.values() if one.rule}
    warned = [one for one in found.findings if one.severity == "warning" and one.code in _DOUBTS]
    doubts = [
        one
        for one in warned
        if _rule_of(one, found.mapping) in proven or (one.code == "KB-M13" and without_numbers(one.rule) in lacking)
    ]
    left = [*(one for one in found.findings if one not in doubts), *reversed(new.values())]
    return each_once(left, found.mapping.definition)


def _echoes(one: Finding, errors: list[Finding]) -> bool:
    """Whether what fails is what is known to be wrong, by its line or its place of the target."""
    path = f"{without_numbers(one.rule)}/"
    return any(
        (one.place.file, one.place.line) == (error.place.file, error.place.line)
        or (error.rule and path.startswith(f"{without_numbers(error.rule)}/"))
        for error in errors
    )


def _rule_of(one: Finding, mapping: Mapping) -> Place | None:
    """Where the rule begins that a finding is about."""
    return next((rule.rule.place for rule in mapping.plan.rules if one.place in rule.rule.places.values()), None)


def _tried(mapping: Mapping, content: Path, example: Example) -> Iterator[Finding]:
    if example.beside("expected.error").is_file():
        return
    try:
        roots = read_roots(mapping, content, example)
        failed = [row for row in preview(mapping, roots) if row.why]
    except ConfigurationError as error:
        yield _unread(mapping, content, error)
        return
    except RecordError as error:
        message = f"example '{example.name}' cannot be used: {error.what}"
        yield Finding(_where_read(mapping), _CODE, message, helps=_remedy("", example))
        return
    missing = {row.source.partition(".")[0]: row for row in reversed(failed)}
    missing = {root: row for root, row in missing.items() if root in mapping.definition.roots and root not in roots}
    for root, row in missing.items():
        message, expected = f"example '{example.name}' has no root '{root}'", f"'{root}:' with what the rules read"
        yield Finding(row.place, _CODE, message, row.target, expected)
    for row in failed:
        if row.source.partition(".")[0] not in missing:
            yield _failed(mapping, example, roots, row)
    if not failed and (problem := refusal(mapping, roots)):
        yield _refused(mapping, example, problem)


def _unread(mapping: Mapping, content: Path, error: ConfigurationError) -> Finding:
    """At its place in the example; where that has none, at the line of the mapping that says what is read."""
    found = re.search(r":(\d+):(\d+)$", error.where)
    file = Path(error.where[: found.start()] if found else error.where)
    shown = file.relative_to(content).as_posix() if file.is_relative_to(content) else str(file)
    place = Place(shown, *map(int, found.groups())) if found else _where_read(mapping)
    message = error.what if found else f"{shown}: {error.what}"
    return Finding(place, _CODE, message, expected=error.expected, helps=error.helps)


def _where_read(mapping: Mapping) -> Place:
    """Where the mapping says what it reads."""
    places = mapping.definition.places
    return places.get("source", places["roots"])


def _failed(mapping: Mapping, example: Example, roots: dict[str, Any], row: PreviewRow) -> Finding:
    """A value that cannot be used, at its rule."""
    assert row.why is not None, "only such rows fail"
    if row.refused:
        found = refused_by(mapping, roots, row.rule, row.why)
        message, expected = f"example '{example.name}': {found.what}", found.expected
    else:
        message = f"example '{example.name}' has no value that fits here"
        expected = row.why.expected.english or OTHERWISE
    source = "" if row.source == "Festwert" else row.source
    return Finding(row.place, _CODE, message, row.target, expected, _remedy(source, example))


def _refused(mapping: Mapping, example: Example, problem: RecordError) -> Finding:
    """What fails only in the whole, at the rule that the error names, else at the nearest one."""
    found = said(problem)
    where = f" at '{found.path}'" if found.path else ""
    message = f"example '{example.name}' is refused{where}: {found.what}"
    rule = _named(mapping, problem.where) or _nearest(mapping, found.path)
    place = mapping.plan.rules[rule.rule - 1].rule.place if rule else mapping.definition.places["rules"]
    return Finding(place, _CODE, message, found.path, found.expected, _remedy("", example))


def _named(mapping: Mapping, where: str) -> RuleLine | None:
    """The rule at `file:line`."""
    return next((rule for rule in mapping.rule_lines if f"{rule.file}:{rule.line}" == where), None)


def _nearest(mapping: Mapping, path: str) -> RuleLine | None:
    """The rule whose target holds a path, the deepest of them."""
    plain = without_numbers(path)
    above = [rule for rule in mapping.rule_lines if f"{plain}/".startswith(f"{without_numbers(rule.target)}/")]
    return max(above, key=lambda rule: len(rule.target), default=None)


def _remedy(source: str, example: Example) -> str:
    what = f"mend the rule, or '{source}' in the example" if source else "mend the rules or the example"
    return f"{what}; an example that must be refused has {example.beside('expected.error').name} beside it"
