"""The sheets that clerks fill in, and what their columns are called."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.tables import read_table

DECISIONS, BUDGETS = "decision-sheet", "budget-sheet"


def column_names(content: Path) -> Mapping[str, str]:
    """What people see, by the key that mappings read; nothing of a sheet whose file cannot be read."""
    names: dict[str, str] = {}
    for sheet in (DECISIONS, BUDGETS):
        with suppress(ConfigurationError):
            names |= {column.key: column.name for column in read_table(content, sheet).columns}
    return names
