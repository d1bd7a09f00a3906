"""What an operator sets for a folder: where it is, what lies in it, and what is too much."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors._tables.limits import MEGABYTE, TableLimits
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError

FILES = "files"  # the profile of a folder that takes single messages; every other is a table


class Settings(BaseModel):
    """The `extra` of a folder's connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="Folder of the sheets, lists or files")
    profile: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", description="A table of schemas/tables, or files for single messages"
    )
    settle_seconds: float = Field(2, ge=0, le=60, description="How long a file must not change")
    max_bytes: int = Field(20 * MEGABYTE, ge=1, description="Largest sheet")
    max_unpacked_bytes: int = Field(TableLimits.unpacked, ge=1, description="Largest XLSX file, unpacked")
    max_rows: int = Field(TableLimits.rows, ge=1, description="Most filled rows of one sheet")

    @classmethod
    def from_connection(cls, connection: Connection) -> Self:
        """The settings of a connection; a relative path starts at the working directory."""
        try:
            settings = cls.model_validate(dict(connection.extra))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(
                f"extra.{field}: {first['msg']}",
                where=f"connection {connection.id}",
                expected="path and profile: the name of a table in schemas/tables, or files",
            ) from None
        return settings.model_copy(update={"path": Path.cwd() / settings.path})
