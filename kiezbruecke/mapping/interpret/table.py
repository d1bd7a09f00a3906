"""Writes a draft as one line of a table."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbruecke.mapping.interpret.draft import NodeDraft
from kiezbruecke.mapping.schema.columns import LayoutColumn
from kiezbruecke.mapping.schema.tables import TableLayout
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import Instead, Why


def write_line(table: TableLayout, draft: NodeDraft) -> bytes:
    """One line; raises RecordError where a cell cannot be written or a required one is empty."""
    return table.line({column.key: _cell(table, column, draft) for column in table.fields})


def written_cells(table: TableLayout, draft: NodeDraft) -> Iterator[tuple[NodeDraft, str]]:
    """What a line holds, cell by cell, in the order of its columns; raises RecordError."""
    for column in table.fields:
        for found in draft.of(column.key)[:1]:
            if text := _cell(table, column, draft):
                yield found, text


def _cell(table: TableLayout, column: LayoutColumn, draft: NodeDraft) -> str:
    found = next(iter(draft.of(column.key)), None)
    if found is None or not found.wanted():
        if column.required:
            missing = found or draft.unspoken(draft.node.children[column.key])
            raise missing.problem(Why.MISSING(), Instead.VALUE(), draft.node.name)
        return ""
    try:
        return table.cell(column, found.value)
    except Unusable as unusable:
        raise found.problem(unusable.problem, unusable.expected) from None
