"""Loads mappings and keeps them while their files stay as they are."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.check.whole import checked
from kiezbruecke.mapping.loading import Mapping, examine_mapping_file, mapping_file, with_lists

_Stamp = tuple[object, ...]
Lists = AnyMapping[str, str]
_loaded: dict[tuple[Path, tuple[tuple[str, str], ...]], tuple[_Stamp, Mapping]] = {}


def load_mapping(name: str, content: Path, lists: Lists | None = None) -> Mapping:
    """A mapping that passed its check; raises ConfigurationError with the first error's file, line and column.

    `lists` puts code lists in the place of those that the mapping names: a process has areas of its own.
    """
    file, _ = mapping_file(name, content)
    key = file, tuple(sorted((lists or {}).items()))
    if key in _loaded:
        stamp, mapping = _loaded[key]
        if stamp == _stamp(mapping):
            return mapping
    mapping = with_lists(load_mapping(name, content), lists) if lists else _load(name, content)
    _loaded[key] = (_stamp(mapping), mapping)
    return mapping


def _load(name: str, content: Path) -> Mapping:
    found = checked(name, content, examples=False)
    for finding in found.findings:
        if finding.severity == "error":
            raise finding.refusal()
    if found.mapping is None:
        place = examine_mapping_file(name, content).definition.places["abstract"]
        raise ConfigurationError(f"the mapping '{name}' is abstract", where=str(place), helps="extend it")
    return found.mapping


def _stamp(mapping: Mapping) -> _Stamp:
    """Name, time and size of the files, and where the official schema lies; a file that is gone has no time."""
    return (mapping.official, *((str(file), *_state(file)) for file in mapping.files))


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
