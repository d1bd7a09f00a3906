"""Process files: a participation process of a year, its code lists, and the routes that are made for it.

`routes` (see `sets.py`), `codelists` and `texts` (see `texts.py`) are for the house; everything else is the record that
mappings read. Where a mapping names the list `bezirksregionen`, it means the process's own: the one under `areas`.
`assemblies: {from, to}` says when an assembly can have met; without it the fiscal year and the autumn before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiezbruecke.content.areas import read_areas
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import place_of, read_yaml
from kiezbruecke.records import Assemblies, Process

ROUTES, CODELISTS, TEXTS, ASSEMBLIES = "routes", "codelists", "texts", "assemblies"
TODO = "TODO"  # begins a text that somebody must still replace; a process with one is not put to use
AREAS = "bezirksregionen"  # the areas of whatever process it is, as mappings name them


def process_files(content: Path) -> list[Path]:
    """The process files, sorted by name."""
    return sorted((content / "mappings" / "processes").glob("*.yaml"))


def read_process(content: Path, process_id: str) -> Process:
    """A process with its areas, from mappings/processes/<id>.yaml and its code list of areas."""
    file = process_file(content, process_id)
    values = {key: value for key, value in read_yaml(file).items() if key not in (ROUTES, CODELISTS, TEXTS)}
    try:
        values["area_list"] = _word(file, values["areas"])
        values["areas"] = read_areas(content, values["area_list"])
        values["assemblies"] = _assemblies(file, values.get(ASSEMBLIES))
        return Process.model_validate(values)
    except KeyError:
        raise ConfigurationError("'areas' is missing", where=str(file), expected="the name of a code list") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {first['msg']}", where=place_of(file, first["loc"])) from None


def open_places(file: Path) -> list[tuple[str, str]]:
    """Where in a process file something must still be filled in: `file:line:column`, and what stands there."""
    return [(place_of(file, path), text) for path, text in _texts(read_yaml(file), ()) if text.startswith(TODO)]


def read_code_lists(content: Path, process_id: str) -> Mapping[str, str]:
    """Which code lists of this process stand in the place of those that mappings name: theirs → ours."""
    file = process_file(content, process_id)
    body = read_yaml(file)
    found = body.get(CODELISTS) or {}
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        where, expected = place_of(file, (CODELISTS,)), "code list of a mapping: code list of this process"
        raise ConfigurationError("codelists: no pairs of names", where=where, expected=expected)
    for theirs, ours in found.items():
        for name in (theirs, ours):
            if not (content / "mappings" / "codelists" / f"{name}.csv").is_file():
                where = place_of(file, (CODELISTS, theirs))
                raise ConfigurationError(f"codelists: there is no code list '{name}'", where=where)
    return {AREAS: _word(file, body.get("areas")), **found}


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(part, (*path, key))


def _word(file: Path, name: object) -> str:
    if not isinstance(name, str):
        where = place_of(file, ("areas",))
        raise ConfigurationError("'areas' is no name", where=where, expected="the name of a code list; quote a number")
    return name


def _assemblies(file: Path, given: object) -> Assemblies | None:
    """The days between which assemblies meet, both included."""
    if given is None:
        return None
    match given:
        case {"from": date() as first, "to": date() as last, **rest} if not rest and first <= last:
            return Assemblies(first=first, last=last)
    where, expected = place_of(file, (ASSEMBLIES,)), "{from: 2025-09-01, to: 2026-12-31}, the earlier day first"
    raise ConfigurationError("assemblies: no span of days", where=where, expected=expected)


def process_file(content: Path, process_id: str) -> Path:
    """Where a process is described."""
    return content / "mappings" / "processes" / f"{process_id}.yaml"
