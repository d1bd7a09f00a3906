"""Writes a draft as one line of a table."""

from __future__ import annotations

from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.schema.tables import Column, Table
from kiezbruecke.mapping.values import Unusable


def write_line(table: Table, draft: Draft) -> bytes:
    """One CSV line; raises RecordError where a cell cannot be written or a required one is empty."""
    return table.line({column.key: _cell(column, draft) for column in table.columns})


def _cell(column: Column, draft: Draft) -> str:
    found = next(iter(draft.of(column.key)), None)
    if found is None or not found.wanted():
        if column.required:
            missing = found or Draft(draft.node.children[column.key], column.key)
            raise missing.problem("die Pflichtangabe fehlt", "ein Wert", draft.node.name)
        return ""
    try:
        return column.cell(found.value)
    except Unusable as unusable:
        raise found.problem(unusable.problem, unusable.expected) from None
