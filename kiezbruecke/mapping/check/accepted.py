"""What a rule says is meant: `accept: {KB-M18: "longer titles are to be set aside"}` makes a warning of it silent.

So a finished mapping has no findings at all, and `--strict` tells what is new. Errors are never silent, but for the one
that a person may know better than the examples: that a field is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kiezbruecke.mapping.language.definition import Definition, Rule
from kiezbruecke.mapping.language.findings import Finding, Place
from kiezbruecke.mapping.language.walking import all_rules

_KNOWN_BETTER = frozenset({"KB-M21"})


def without_accepted(findings: Sequence[Finding], definition: Definition) -> list[Finding]:
    """The findings but for those that their rule accepts; what accepts nothing is a finding itself."""
    accepting = {place: rule for rule in all_rules(definition.rules) if rule.accept for place in places_of(rule)}
    left: list[Finding] = []
    used: set[Place] = set()
    for finding in findings:
        rule = accepting.get(finding.place)
        may_be = finding.severity != "error" or finding.code in _KNOWN_BETTER
        accepted = rule.accept.get(finding.code) if rule and may_be else None
        if accepted is None:
            left.append(finding)
        else:
            used.add(accepted)
    if any(finding.severity == "error" for finding in left):  # an error may hide the warning that is accepted
        return left
    rules = (rule for rule in all_rules(definition.rules) if rule.place.file == definition.file)
    return [*left, *_in_vain(rules, used)]


def _in_vain(rules: Iterator[Rule], used: set[Place]) -> Iterator[Finding]:
    for rule in rules:
        for code, place in rule.accept.items():
            if place not in used:
                message = f"nothing here warns of {code}"
                yield Finding(
                    place, "KB-M19", message, str(rule.target), f"no '{code}' under accept", severity="warning"
                )


def places_of(rule: Rule) -> Iterator[Place]:
    """Every place at which a finding about a rule may stand; a block's own, not those of the rules in it."""
    yield rule.place
    yield from rule.places.values()
    for step in rule.steps:
        yield from (step.place, step.at_argument)
    if rule.code:
        yield from (rule.code.place, rule.code.list_place)
    for when in rule.asked:
        yield from (when.place, when.texts_place or when.place)
