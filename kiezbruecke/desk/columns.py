"""What the columns of the tables that are read are called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kiezbruecke.mapping.schema.tables import source_tables


def column_names(content: Path) -> Mapping[str, str]:
    """What people see, by the key that mappings read; the clerks' own sheets count before what systems export."""
    tables = sorted(source_tables(content).values(), key=lambda table: not table.id)
    return {column.key: column.name for table in tables for column in table.columns}
