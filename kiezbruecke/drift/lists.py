"""Compares code lists: a code or a value that is gone breaks a mapping that may meet it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiezbruecke.drift.changes import Change
from kiezbruecke.mapping import Mapping as RuleMapping
from kiezbruecke.mapping.codelists.reading import code_file, translation_file

KEPT = 500  # of a longer list only the codes that rules name are kept, and how many there are


@dataclass(frozen=True)
class ListPrint:
    """What a mapping uses of a list: `entries` are values and partners, or codes and names."""

    digest: str
    version: str = ""
    count: int = 0
    entries: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the file."""
        return {"digest": self.digest, "version": self.version, "count": self.count, "entries": dict(self.entries)}


def list_prints(mapping: RuleMapping, content: Path) -> dict[str, ListPrint]:
    """The lists that the rules name, by file name."""
    found: dict[str, ListPrint] = {}
    for lookup, translation in mapping.lists.translations.items():
        file = translation_file(content, lookup.list)
        name = f"{file.name} ({lookup.column})" if lookup.column else file.name
        found[name] = ListPrint(_digest(file), "", len(translation.entries), _kept(translation.entries, set()))
    for name, codes in mapping.lists.codes.items():
        named = named_codes(mapping, name)
        wanted = (
            codes.codes if named is None else {code: codes.codes[code] for code in sorted(named & codes.codes.keys())}
        )
        file = code_file(content, name)
        found[file.name] = ListPrint(_digest(file), codes.version, len(codes.codes), _kept(wanted, named or set()))
    return dict(sorted(found.items()))


def named_codes(mapping: RuleMapping, name: str) -> set[str] | None:
    """The codes of a list that the rules write; None where one comes from a source, so that it may be any."""
    uses = [code for one in mapping.plan.rules if (code := one.rule.code) and code.list == name]
    values = [use.value for use in uses]
    return None if None in values else {value for value in values if value is not None}


def compare_lists(old: Mapping[str, ListPrint], new: Mapping[str, ListPrint]) -> Iterator[Change]:
    """What changed in lists that are used now and were used then."""
    for name in sorted(old.keys() & new.keys()):
        if old[name].digest != new[name].digest:
            yield from _one(name, old[name], new[name])


def _one(name: str, old: ListPrint, new: ListPrint) -> Iterator[Change]:
    translation = name.endswith(".csv")
    if old.version != new.version:
        yield Change("compatible", "list", name, f"version {old.version} became {new.version}")
    gone = sorted(old.entries.keys() - new.entries.keys())
    if gone:
        yield Change("breaking", "list", name, f"{'values' if translation else 'codes'} gone: {_some(gone)}")
    if other := sorted(key for key in old.entries.keys() & new.entries.keys() if old.entries[key] != new.entries[key]):
        severity, word = ("breaking", "other partners") if translation else ("compatible", "other names")
        yield Change("breaking" if severity == "breaking" else "compatible", "list", name, f"{word}: {_some(other)}")
    if new.count < old.count and not gone:
        what = f"{old.count - new.count} entries fewer, none that is known to be used"
        yield Change("compatible", "list", name, what)
    elif new.count > old.count:
        yield Change("compatible", "list", name, f"{new.count - old.count} entries more")


def _kept(entries: Mapping[str, str], named: set[str]) -> dict[str, str]:
    return {key: text for key, text in entries.items() if len(entries) <= KEPT or key in named}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
