"""A preview: what each rule makes of an example, with the values that fail in their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.interpret.interpreter import make_draft
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.loading import Mapping
from kiezbruecke.mapping.values import Unusable, is_nothing, to_text


@dataclass(frozen=True)
class PreviewRow:
    """One place of the target. `rule` is the number of its rule; `problem` says why its value cannot be used."""

    target: str
    value: str
    source: str
    rule: int
    file: str
    line: int
    problem: str = ""

    def as_dict(self) -> dict[str, str | int]:
        """The row for `--json`."""
        return {
            "target": self.target,
            "value": self.value,
            "source": self.source,
            "rule": self.rule,
            "file": self.file,
            "line": self.line,
            "problem": self.problem,
        }


def preview(mapping: Mapping, roots: dict[str, Any]) -> list[PreviewRow]:
    """The places that rules speak about, in the target's order."""
    problems: dict[int, RecordError] = {}
    scope = mapping.scope(roots["item"], roots) if "item" in roots else roots
    draft = make_draft(
        mapping.goal.root,
        mapping.definition.rules,
        mapping.lists,
        scope,
        lambda place, error: problems.update({id(place): error}),
    )
    return list(_rows(draft, problems, mapping.numbers))


def whole(mapping: Mapping, roots: dict[str, Any]) -> str:
    """Why the whole cannot be written, in one line; empty where it can."""
    try:
        if mapping.goal.model is not None:
            mapping.read(roots.get("item", {}), roots)
        else:
            mapping.write(roots)
    except RecordError as error:
        return error.line()
    return ""


def _rows(draft: Draft, problems: dict[int, RecordError], numbers: dict[Place, int]) -> Iterator[PreviewRow]:
    if draft.rule is not None:
        yield _row(draft, draft.rule, problems.get(id(draft)), numbers)
    for name in draft.node.children if draft.parts else ():
        for part in draft.of(name):
            yield from _rows(part, problems, numbers)


def _row(draft: Draft, rule: Rule, refused: RecordError | None, numbers: dict[Place, int]) -> PreviewRow:
    value, problem = _shown(draft)
    return PreviewRow(
        draft.path,
        value,
        rule.origin,
        numbers[rule.place],
        rule.place.file,
        rule.place.line,
        refused.what if refused else problem,
    )


def _shown(draft: Draft) -> tuple[str, str]:
    values = draft.value if isinstance(draft.value, list) else [draft.value]
    if all(is_nothing(value) for value in values):
        return "", ""
    try:
        texts = [to_text(value) for value in values]
        if draft.node.leaf is not None:
            for text in texts:
                draft.node.leaf.judge(text)
    except Unusable as unusable:
        return "; ".join(str(value) for value in values), str(unusable)
    return "; ".join(texts), ""
