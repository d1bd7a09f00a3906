"""Areas: a code list of a process, one line per area."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text
from kiezbruecke.records import Area


def read_areas(content: Path, name: str) -> tuple[Area, ...]:
    """The areas of a code list: mappings/codelists/<name>.csv with id;name;aliases;bezirk_id;lor_version."""
    import csv  # noqa: PLC0415 - only routes that read a process need it

    file = content / "mappings" / "codelists" / f"{name}.csv"
    try:
        lines = read_text(file, what="the code list").splitlines(keepends=True)
        rows = list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter=";"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no code list '{name}'", where=str(file)) from None
    return tuple(_area(row, f"{file}: row {number}") for number, row in enumerate(rows, 1))


def _area(row: dict[str, str | None], where: str) -> Area:
    try:
        aliases = (row["aliases"] or "").split("|")
        return Area(
            id=row["id"] or "",
            name=row["name"] or "",
            aliases=tuple(alias.strip() for alias in aliases if alias.strip()),
            bezirk_id=row["bezirk_id"] or "",
            lor_version=row["lor_version"] or "",
        )
    except KeyError as missing:
        expected = "id;name;aliases;bezirk_id;lor_version"
        raise ConfigurationError(f"the column {missing} is missing", where=where, expected=expected) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}", where=where) from None
