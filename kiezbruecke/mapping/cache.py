"""Loads mappings and keeps them while their files stay as they are."""

from __future__ import annotations

from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.mapping.loading import Mapping, assemble, find_goal, mapping_file, read_mapping_file

_Stamp = tuple[tuple[str, int, int], ...]
_loaded: dict[Path, tuple[_Stamp, Mapping]] = {}


def load_mapping(name: str, content: Path) -> Mapping:
    """A mapping that passed its check; raises ConfigurationError with the first error's file, line and column."""
    file, _ = mapping_file(name, content)
    if file in _loaded:
        stamp, mapping = _loaded[file]
        if stamp == _stamp(mapping.files):
            return mapping
    mapping = _load(name, content)
    _loaded[file] = (_stamp(mapping.files), mapping)
    return mapping


def _load(name: str, content: Path) -> Mapping:
    for finding in check_mapping(name, content):
        if finding.severity == "error":
            what = f"{finding.code} {finding.message}"
            raise ConfigurationError(what, where=str(finding.place), expected=finding.expected, helps=finding.helps)
    definition = read_mapping_file(name, content)
    if definition.abstract:
        raise ConfigurationError(
            f"the mapping '{name}' is abstract", where=str(definition.places["abstract"]), helps="extend it"
        )
    return assemble(definition, find_goal(definition, content), content)


def _stamp(files: tuple[Path, ...]) -> _Stamp:
    """Name, time and size of the files; a file that is gone has no time."""
    return tuple((str(file), *_state(file)) for file in files)


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
