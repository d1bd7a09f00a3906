"""Code lists: `<name>.csv` translates one value into another, `<name>.yaml` holds a standard's codes.

from;to                     id;name;aliases                uri: urn:…:medium
ACCEPTED;accepted           090416;Müggelheim;A|B          version: "1.0"
                                                           codes: {"001": Elektronisch}
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.values import Unusable, to_text


@dataclass(frozen=True)
class Translation:
    """What each known value becomes. Reading is exact first, then without regard to case and blanks."""

    name: str
    entries: Mapping[str, str]

    def translate(self, value: object) -> str:
        """The value's partner; raises Unusable with the allowed values, never with the value itself."""
        given = to_text(value).strip()
        found = self.entries.get(given)
        found = self._folded.get(_fold(given)) if found is None else found
        if found is None:
            raise Unusable(f"der Wert steht nicht in der Codeliste '{self.name}'", _allowed(given, self.entries))
        return found

    @cached_property
    def _folded(self) -> dict[str, str]:
        folded: dict[str, str] = {}
        for key, value in self.entries.items():
            folded.setdefault(_fold(key), value)
        return folded


@dataclass(frozen=True)
class CodeList:
    """The codes of a standard's list, with what a message says about the list itself."""

    name: str
    uri: str
    version: str
    codes: Mapping[str, str]
    write_names: bool = False

    def check(self, value: object) -> str:
        """The code itself; raises Unusable where the list does not have it."""
        given = to_text(value).strip()
        if given not in self.codes:
            raise Unusable(f"der Code steht nicht in der Codeliste '{self.name}'", _allowed(given, self.codes))
        return given


def translation_file(content: Path, name: str) -> Path:
    """Where a translation lies."""
    return content / "mappings" / "codelists" / f"{name}.csv"


def code_file(content: Path, name: str) -> Path:
    """Where a standard's codes lie."""
    return content / "mappings" / "codelists" / f"{name}.yaml"


def read_translation(content: Path, name: str) -> Translation:
    """Read `<name>.csv`; raises ConfigurationError."""
    file = translation_file(content, name)
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.DictReader((line for line in handle if not line.startswith("#")), delimiter=";")
            columns = tuple(rows.fieldnames or ())
            pairs = [(number, pair) for number, row in enumerate(rows, 2) for pair in _pairs(row)]
    except FileNotFoundError:
        raise ConfigurationError(f"there is no code list '{name}'", where=str(file)) from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise ConfigurationError("the code list cannot be read", where=str(file), expected="CSV in UTF-8") from None
    if not {"from", "to"} <= set(columns) and "id" not in columns:
        raise ConfigurationError("unknown columns", where=f"{file}:1", expected="from;to or id;name;aliases")
    return Translation(name, _unique(file, pairs))


def read_codes(content: Path, name: str) -> CodeList:
    """Read `<name>.yaml`; raises ConfigurationError."""
    file = code_file(content, name)
    try:
        body = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no code list '{name}'", where=str(file)) from None
    except (OSError, UnicodeDecodeError, YAMLError):
        raise ConfigurationError("the code list cannot be read", where=str(file), expected="YAML in UTF-8") from None
    if not isinstance(body, dict) or not isinstance(body.get("codes"), dict):
        raise ConfigurationError("no codes", where=str(file), expected="uri, version, codes: {'001': Text}")
    if unknown := sorted(map(str, body.keys() - {"uri", "version", "codes", "write_names", "note"})):
        raise ConfigurationError(f"unknown key '{unknown[0]}'", where=str(file))
    if not all(isinstance(code, str) for code in body["codes"]):
        raise ConfigurationError("a code is not text", where=str(file), expected="codes in quotes: '001'")
    return CodeList(
        name,
        str(body.get("uri", "")),
        str(body.get("version", "")),
        {code: str(text or "") for code, text in body["codes"].items()},
        write_names=body.get("write_names") is True,
    )


def _pairs(row: Mapping[str, str | None]) -> list[tuple[str, str]]:
    if "from" in row:
        return [((row["from"] or "").strip(), (row.get("to") or "").strip())]
    identity = (row["id"] or "").strip()
    names = [identity, row.get("name") or "", *(row.get("aliases") or "").split("|")]
    return [(name.strip(), identity) for name in names if name.strip()]


def _unique(file: Path, pairs: list[tuple[int, tuple[str, str]]]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for number, (key, value) in pairs:
        if entries.setdefault(key, value) != value:
            raise ConfigurationError(f"'{key}' stands twice with different partners", where=f"{file} (row {number})")
    return entries


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _allowed(given: str, known: Mapping[str, str]) -> str:
    shown = ", ".join(list(known)[:12]) + (", …" if len(known) > 12 else "")
    close = get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"{shown} (am nächsten: {close[0]})" if close else shown
