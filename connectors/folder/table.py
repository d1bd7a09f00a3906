"""The columns of a sheet or list, from schemas/tables/<name>.yaml: content, not code."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors._tables.cells import folded
from kiezbruecke.content.yaml import read_yaml
from kiezbruecke.errors import ConfigurationError

ColumnType = Literal["text", "money", "date", "integer", "yes_no"]


class Column(BaseModel):
    """One column: `name` is what people see, `key` what mappings read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: ColumnType = "text"
    required: bool = Field(False, description="The column must be there, and a value in every line")
    present: bool = Field(False, description="The column must be there, a cell may be empty")
    max_length: int | None = Field(None, ge=1)
    note: str = ""

    @property
    def mandatory(self) -> bool:
        """Whether a sheet without this column is refused."""
        return self.required or self.present


class Table(BaseModel):
    """A kind of sheet or list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str = ""
    delimiter: str = Field(";", min_length=1, max_length=1)
    columns: tuple[Column, ...] = Field(min_length=1)

    @cached_property
    def by_header(self) -> dict[str, Column]:
        """The columns by their folded names."""
        return {folded(column.name): column for column in self.columns}


def read_table(content: Path, name: str) -> Table:
    """The table of this name; raises ConfigurationError."""
    file = content / "schemas" / "tables" / f"{name}.yaml"
    try:
        if not file.is_file():
            raise ConfigurationError(f"there is no table '{name}'", where=str(file))
        return Table.model_validate(read_yaml(file))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=str(file), expected="a table"
        ) from None
