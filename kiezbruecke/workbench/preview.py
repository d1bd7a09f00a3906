"""A preview: what each rule makes of an example, with the values that fail in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.interpret.draft import NodeDraft, Unwritable
from kiezbruecke.mapping.interpret.interpreter import make_draft
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.loading import Mapping
from kiezbruecke.mapping.plan import Bound
from kiezbruecke.mapping.schema.tree import sure_nodes
from kiezbruecke.mapping.values import Unusable, is_nothing, to_text
from kiezbruecke.mapping.wording import Why


@dataclass(frozen=True)
class PreviewRow:
    """One place of the target. `rule` is the number of its rule; `why` says why its value cannot be used.

    `refused`: the rule itself could not use it, before the target judged. `dropped`: there is a value, and the
    message does not carry it, because constants alone keep no optional parent alive.
    """

    target: str
    value: str
    source: str
    rule: int
    place: Place
    why: Unusable | None = None
    refused: Unwritable | None = None
    dropped: bool = False

    @property
    def problem(self) -> str:
        """Why its value cannot be used, in German; empty where it can."""
        return self.refused.what if self.refused else str(self.why or "")

    @property
    def file(self) -> str:
        """The file that the rule stands in."""
        return self.place.file

    @property
    def line(self) -> int:
        """The rule's line."""
        return self.place.line

    def as_dict(self) -> dict[str, str | int | bool]:
        """The row for `--json`."""
        return {
            "target": self.target,
            "value": self.value,
            "source": self.source,
            "rule": self.rule,
            "file": self.file,
            "line": self.line,
            "problem": self.problem,
            "dropped": self.dropped,
        }


def preview(mapping: Mapping, roots: dict[str, Any]) -> list[PreviewRow]:
    """The places that rules speak about, in the target's order; raises RecordError where the item is unreadable."""
    problems: dict[int, Unwritable] = {}
    scope = mapping.scope(roots["item"], roots) if "item" in roots else roots
    draft = make_draft(
        mapping.plan,
        mapping.lists,
        scope,
        lambda place, error: problems.update({id(place): error}),
    )
    rows = list(_rows(draft, problems, sure=True))
    return rows if mapping.goal.model is not None else _compared(rows, mapping, roots)


def whole(mapping: Mapping, roots: dict[str, Any]) -> str:
    """Why the whole cannot be written, in one line; empty where it can."""
    problem = refusal(mapping, roots)
    return problem.line() if problem else ""


def refusal(mapping: Mapping, roots: dict[str, Any]) -> RecordError | None:
    """Why the whole cannot be written; None where it can."""
    try:
        if mapping.goal.model is not None:
            mapping.read(roots.get("item", {}), roots)
        else:
            mapping.interpreted(roots)  # as `write`; to compile for one record takes longer
    except RecordError as error:
        return error
    return None


def _compared(rows: list[PreviewRow], mapping: Mapping, roots: dict[str, Any]) -> list[PreviewRow]:
    """The rows, those marked whose value is not in the message; as they are where there will be no message."""
    try:
        written = mapping.lineage_of(roots)
    except RecordError:
        return rows
    held = Counter((one.rule, one.target) for one in written)
    texts = Counter((one.rule, one.target, one.text) for one in written)
    shown = Counter((row.rule, row.target) for row in rows if row.value)
    return [_marked(row, held, shown, texts) for row in rows]


def _marked(row: PreviewRow, held: Counter[Any], shown: Counter[Any], texts: Counter[Any]) -> PreviewRow:
    """Of the members of an `each`, all with one path, those are written whose text is."""
    place = (row.rule, row.target)
    if not row.value or held[place] >= shown[place]:
        return row
    texts[(*place, row.value)] -= 1
    return replace(row, dropped=texts[(*place, row.value)] < 0)


def _rows(draft: NodeDraft, problems: dict[int, Unwritable], *, sure: bool) -> Iterator[PreviewRow]:
    """`sure`: the place is written in any case, so that a value must not be missing."""
    if draft.by is not None:
        yield _row(draft, draft.by, problems.get(id(draft)), sure=sure)
    mandatory = {node.name for node in sure_nodes(draft.node.content)}
    for name in draft.node.children if draft.parts else ():
        for part in draft.of(name):
            below = part.wanted() or (name in mandatory and (sure or draft.wanted()))
            yield from _rows(part, problems, sure=below)


def _row(draft: NodeDraft, one: Bound, refused: Unwritable | None, *, sure: bool) -> PreviewRow:
    rule = one.rule
    value, why = _shown(draft)
    is_missing = sure and not value and why is None and draft.node.leaf is not None and draft.node.fixed is None
    if is_missing and not rule.rules and not draft.nil:
        why = Unusable(Why.MISSING())
    return PreviewRow(
        draft.path,
        value,
        rule.origin,
        one.number,
        rule.place,
        refused.unusable if refused else why,
        refused,
    )


def _shown(draft: NodeDraft) -> tuple[str, Unusable | None]:
    given = draft.value if isinstance(draft.value, list) else [draft.value]
    values = [value for value in given if not is_nothing(value)]
    try:
        texts = [to_text(value) for value in values]
        if draft.node.leaf is not None:
            for text in texts:
                draft.node.leaf.judge(text)
    except Unusable as unusable:
        return "; ".join(str(value) for value in values), unusable
    return "; ".join(texts), None
