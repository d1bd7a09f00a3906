"""Areas: a code list of a process, one line per area."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text
from kiezbruecke.plaintext import one_line
from kiezbruecke.records import Area, Process

SHAPE_KEYS = ("area_id", "lor_bzr_id")  # which property of a shape (GeoJSON feature) holds its area's number


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


def find_area(process: Process, wanted: str) -> Area:
    """The area of a process that a person means, by name, alias or number; raises InputError with the nearest one."""
    names = {_folded(name): area for area in process.areas for name in (area.id, area.name, *area.aliases)}
    if (found := names.get(_folded(wanted))) is not None:
        return found
    close = get_close_matches(_folded(wanted), names, n=1, cutoff=0.6)
    helps = "erwartet: ihr Name oder ihre Nummer"
    if close:
        helps = f"ist {names[close[0]].name} ({names[close[0]].id}) gemeint?"
    raise ConfigurationError("Diese Bezirksregion gibt es in dem Verfahren nicht", where=wanted, helps=helps)


def _folded(text: str) -> str:
    return one_line(text).casefold()


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
