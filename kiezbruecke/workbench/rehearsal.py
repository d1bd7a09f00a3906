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
from kiezbruecke.mapping import Finding, Mapping, check, load_mapping
from kiezbruecke.mapping.check.english import in_english
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.loading import mapping_file
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.workbench.examples import Example, find_examples, judge, read_roots
from kiezbruecke.workbench.preview import preview, whole

_CODE = "KB-M24"


def check_whole(name: str, content: Path) -> list[Finding]:
    """The findings of the check and, where it has found no error, of the examples; raises ConfigurationError."""
    findings = check(name, content)
    if any(finding.severity == "error" for finding in findings):
        return findings
    try:
        mapping = load_mapping(name, content)
    except ConfigurationError:  # an abstract base: it is never run by itself
        return findings
    tried = [finding for example in find_examples(name, content) for finding in _tried(mapping, content, example)]
    return list(dict.fromkeys([*findings, *tried]))


def _tried(mapping: Mapping, content: Path, example: Example) -> Iterator[Finding]:
    if example.beside("expected.error").is_file():
        return
    try:
        roots = read_roots(mapping, content, example)
    except ConfigurationError as error:
        yield Finding(_place(example, content, error), _CODE, error.what, expected=error.expected, helps=error.helps)
        return
    failed = [row for row in preview(mapping, roots) if row.problem]
    for row in failed:
        message = f"example '{example.name}' has no value that fits here"
        yield Finding(row.place, _CODE, message, row.target, _expected(row.problem), _remedy(row.source, example))
    if not failed and (problem := whole(mapping, roots) or _judged(mapping, content, roots)):
        file, _ = mapping_file(mapping.name, content)
        message = f"example '{example.name}' is refused: {problem}"
        yield Finding(Place(str(file.relative_to(content))), _CODE, message, helps=_remedy("", example))


def _expected(problem: str) -> str:
    """What the German sentence of a preview expects, in English."""
    what, _, expected = problem.partition("; erwartet: ")
    return in_english(Unusable(what, expected or "ein Wert"))


def _place(example: Example, content: Path, error: ConfigurationError) -> Place:
    numbers = re.match(r":(\d+):(\d+)$", error.where.removeprefix(str(example.input)))
    return Place(str(example.input.relative_to(content)), *(map(int, numbers.groups()) if numbers else ()))


def _judged(mapping: Mapping, content: Path, roots: dict[str, Any]) -> str:
    """Why the official schema refuses the message, where it is installed."""
    try:
        if mapping.goal.model is None:
            judge(mapping, content, mapping.write(roots))
    except RecordError as error:
        return error.line()
    return ""


def _remedy(source: str, example: Example) -> str:
    what = f"mend the rule, or '{source}' in the example" if source else "mend the rules or the example"
    return f"{what}; an example that must be refused has an {example.stem.rpartition('/')[2]}expected.error"
