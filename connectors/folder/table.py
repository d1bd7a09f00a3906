"""Which table lies in a folder: a file in schemas/tables says it. Nothing here knows one by name."""

from __future__ import annotations

from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.columns import LayoutColumn as Column
from kiezbruecke.mapping.schema.columns import Role
from kiezbruecke.mapping.schema.tables import TableLayout as Table
from kiezbruecke.mapping.schema.tables import read_table, source_tables, table_file

__all__ = ["Column", "Role", "Table", "read_list", "read_source"]


def read_source(content: Path, profile: str, where: str) -> Table:
    """The table whose lines are items; raises ConfigurationError with the names of those there are."""
    if table_file(content, profile).is_file() and (table := read_table(content, profile)).item:
        return table
    known = source_tables(content)
    raise ConfigurationError(
        f"a folder with profile '{profile}' is no source",
        where=where,
        expected=" or ".join(known),
        helps=nearest(profile, known) or "a table is a source where its file in schemas/tables names an item",
    )


def read_list(content: Path, profile: str, where: str) -> Table:
    """The table that is written; raises ConfigurationError for one that is read."""
    table = read_table(content, profile)
    if table.item:
        raise ConfigurationError(
            f"a folder with profile '{profile}' is no target", where=where, expected="a list, or files"
        )
    return table
