"""Code lists: `<name>.csv` translates one value into another, `<name>.yaml` holds a standard's codes.

from;to                     id;name;aliases                uri: urn:…:medium
ACCEPTED;accepted           090416;Müggelheim;A|B          version: "1.0"
                                                           valid_from: 2019-07-31
from;code;name                                             codes: {"001": Elektronisch}
DE;DEU;Deutschland

A rule may read another column than `to` or `id`.
A code may say more than its name: `"019": {name: ZIP, valid_to: 2024-12-31}`.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text
from kiezbruecke.mapping.codelists.validity import ALWAYS, Validity, read_day
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.values import Unusable, fold, to_text
from kiezbruecke.mapping.wording import Instead, Why, Wording, some
from kiezbruecke.plain_yaml import place_of, read_texts

KEYS = (
    "uri",
    "version",
    "valid_from",
    "valid_to",
    "source",
    "digest",
    "write_names",
    "codes",
    "note",
)
COLUMNS = "from;to or id;name;aliases, or from and several columns of your own"
_FROM_AND_ONE = 2
_SHOWN = 8  # words of a list in an error
CODE_KEYS = ("name", "valid_from", "valid_to")
TEXT_KEYS = tuple(key for key in KEYS if key not in {"codes", "write_names"})
WRITE_NAMES = {None: False, "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@dataclass(frozen=True)
class Translation:
    """What each known value becomes. Reading is exact first, then, if it folds, without regard to case and blanks."""

    name: str
    entries: Mapping[str, str]
    folds: bool = True

    def translate(self, value: object) -> str:
        """The value's partner; raises Unusable with the allowed values, never with the value itself.

        A truth value is looked up as `true` or `false` where the list does not have 1 or 0.
        """
        given = to_text(value).strip()
        if isinstance(value, bool) and given not in self.entries:
            given = "true" if value else "false"
        found = self.entries.get(given)
        found = self._folded.get(fold(given)) if found is None and self.folds else found
        if found is None:
            raise Unusable(Why.NOT_ON_THE_LIST(self.name), _allowed(given, self.entries, self._one_each))
        return found

    @cached_property
    def _one_each(self) -> list[str]:
        """A word for each value: the first that is not the value itself, for people know names and no numbers."""
        first: dict[str, str] = {}
        for word, value in self.entries.items():
            if first.get(value, value) == value:
                first[value] = word
        return list(first.values())

    @cached_property
    def _folded(self) -> dict[str, str]:
        folded: dict[str, str] = {}
        for key, value in self.entries.items():
            folded.setdefault(fold(key), value)
        return folded


@dataclass(frozen=True)
class CodeList:
    """The codes of a standard's list, with what a message says about the list itself.

    `validity` is the version's; `limits` holds the codes that have a span of their own. `digest` is the SHA-256 of the
    file that `source` names, if the list was imported.
    """

    name: str
    uri: str
    version: str
    codes: Mapping[str, str]
    write_names: bool = False
    validity: Validity = ALWAYS
    limits: Mapping[str, Validity] = field(default_factory=dict)
    source: str = ""
    digest: str = ""
    note: str = ""

    def check(self, value: object) -> str:
        """The code itself; raises Unusable where the list does not have it."""
        given = to_text(value).strip()
        if given not in self.codes:
            raise Unusable(Why.NO_CODE(self.name), _allowed(given, self.codes, list(self.codes)))
        return given


@dataclass(frozen=True, slots=True)
class TranslationRow:
    """One row of a translation: where it begins, its cells, and the header's names for them."""

    line: int
    cells: tuple[str, ...]
    columns: tuple[str, ...]

    def cell(self, column: str) -> str:
        """The text of a column without blanks around it; nothing where the row is too short."""
        number = self.columns.index(column) if column in self.columns else len(self.cells)
        return self.cells[number].strip() if number < len(self.cells) else ""

    def pairs(self, column: str = "") -> list[tuple[str, str]]:
        """What the row translates, and into what: `from` into `to`; id, name and aliases into the id; or a column."""
        if "from" in self.columns:
            return [(self.cell("from"), self.cell(column or "to"))]
        names = [self.cell("id"), self.cell("name"), *self.cell("aliases").split("|")]
        return [(name.strip(), self.cell(column or "id")) for name in names if name.strip()]


class UnknownColumn(ConfigurationError):
    """A translation does not have the column that a rule reads, or has several and the rule names none."""


def translation_file(content: Path, name: str) -> Path:
    """Where a translation lies."""
    return content / "mappings" / "codelists" / f"{name}.csv"


def code_file(content: Path, name: str) -> Path:
    """Where a standard's codes lie."""
    return content / "mappings" / "codelists" / f"{name}.yaml"


def read_translation(content: Path, name: str, column: str = "", *, folds: bool = True) -> Translation:
    """Read `<name>.csv`, of its columns one; raises ConfigurationError."""
    file = translation_file(content, name)
    columns, rows = read_rows(file)
    if not known_columns(columns):
        raise ConfigurationError("unknown columns", where=f"{file}:1", expected=COLUMNS)
    wanted = column or ("to" if "from" in columns else "id")
    if wanted not in columns:
        what = f"has no column '{column}'" if column else "has several columns of values"
        raise UnknownColumn(
            f"the code list '{name}' {what}", expected=_choice(name, columns, column), helps=nearest(column, columns)
        )
    return Translation(name, _unique(file, rows, column), folds)


def read_rows(file: Path) -> tuple[tuple[str, ...], list[TranslationRow]]:
    """Header and rows of a translation, without comments and empty lines; raises ConfigurationError."""
    try:
        lines = read_text(file, what="the code list").splitlines(keepends=True)
        reader = csv.reader((_without_comment(line) for line in lines), delimiter=";")
        found = [(reader.line_num, tuple(cells)) for cells in reader if cells]
    except FileNotFoundError:
        raise ConfigurationError(f"there is no code list '{file.stem}'", where=str(file)) from None
    except csv.Error:
        raise ConfigurationError("the code list cannot be read", where=str(file), expected="CSV in UTF-8") from None
    if not found:
        return (), []
    columns = found[0][1]
    return columns, [TranslationRow(line, cells, columns) for line, cells in found[1:]]


def known_columns(columns: tuple[str, ...]) -> bool:
    """Whether the header is one that a translation may have: `from;too` is a slip, and no column of one's own."""
    return {"from", "to"} <= set(columns) or ("from" in columns and len(columns) > _FROM_AND_ONE) or "id" in columns


def read_codes(content: Path, name: str) -> CodeList:
    """Read `<name>.yaml`: every code, name and version as the text that stands there. Raises ConfigurationError."""
    file = code_file(content, name)
    body = read_code_file(file)
    if unknown := sorted(body.keys() - set(KEYS)):
        raise ConfigurationError(f"unknown key '{unknown[0]}'", where=str(file), expected=", ".join(KEYS))
    for key in TEXT_KEYS:
        if not is_text(body.get(key)):
            raise ConfigurationError(f"'{key}' is no text", where=place_of(file, [key]), expected="a text")
    for code, entry in body["codes"].items():
        if not is_text(code_entry(entry)):
            raise ConfigurationError(
                f"the name of code '{code}' is no text", where=place_of(file, ["codes", code]), expected="a text"
            )
    if body.get("write_names") not in WRITE_NAMES:
        raise ConfigurationError(
            "'write_names' is neither true nor false", where=str(file), expected="write_names: true, or false"
        )
    return CodeList(
        name,
        _text(body, "uri"),
        _text(body, "version"),
        {code: code_entry(entry) or "" for code, entry in body["codes"].items()},
        write_names=WRITE_NAMES[body.get("write_names")],
        validity=_validity(file, body),
        limits=_limits(file, body["codes"]),
        source=_text(body, "source"),
        digest=_text(body, "digest"),
        note=_text(body, "note"),
    )


def read_code_file(file: Path) -> dict[str, Any]:
    """The file's keys with its codes as they stand there; raises ConfigurationError."""
    if not os.path.lexists(file):
        raise ConfigurationError(f"there is no code list '{file.stem}'", where=str(file))
    body = read_texts(file)
    if not isinstance(body.get("codes"), dict):
        raise ConfigurationError(
            "no codes", where=place_of(file, ["codes"]), expected="uri, version, codes: {'001': Text}"
        )
    return body


def is_text(value: Any) -> bool:
    """Whether a value of the file is one text, or nothing."""
    return value is None or isinstance(value, str)


def code_entry(entry: Any) -> Any:
    """The name of a code, which is all or a part of its entry; a text, if the file is right."""
    return entry.get("name") if isinstance(entry, dict) else entry


def code_validity(entry: Any) -> Validity:
    """The span of a code; raises ValueError."""
    if not isinstance(entry, dict):
        return ALWAYS
    return Validity(read_day(entry.get("valid_from")), read_day(entry.get("valid_to")))


def _without_comment(line: str) -> str:
    """A comment becomes an empty line, so that the rows below keep their numbers."""
    return "\n" if line.startswith("#") else line


def _text(body: Mapping[str, Any], key: str) -> str:
    return str(body.get(key) or "")


def _validity(file: Path, body: Mapping[str, Any]) -> Validity:
    try:
        return Validity(read_day(body.get("valid_from")), read_day(body.get("valid_to")))
    except ValueError:
        raise ConfigurationError("the validity is no day", where=str(file), expected="valid_from: 2026-04-01") from None


def _limits(file: Path, codes: Mapping[str, Any]) -> dict[str, Validity]:
    limits: dict[str, Validity] = {}
    for code, entry in codes.items():
        if not isinstance(entry, dict):
            continue
        if entry.keys() - set(CODE_KEYS):
            raise ConfigurationError(
                f"code '{code}' has an unknown key", where=str(file), expected=", ".join(CODE_KEYS)
            )
        try:
            limits[code] = code_validity(entry)
        except ValueError:
            raise ConfigurationError(
                f"the validity of code '{code}' is no day", where=str(file), expected="valid_to: 2026-12-31"
            ) from None
    return limits


def _choice(name: str, columns: Sequence[str], column: str) -> str:
    """The columns that a rule may name, and how where it names none."""
    values = [one for one in columns if one != "from"]
    return ", ".join(values) if column else f"codelist: {{list: {name}, column: {' | '.join(values)}}}"


def _unique(file: Path, rows: list[TranslationRow], column: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for row in rows:
        for key, value in row.pairs(column):
            if entries.setdefault(key, value) != value:
                raise ConfigurationError(f"'{key}' stands twice with different partners", where=f"{file}:{row.line}")
    return entries


def _allowed(given: str, known: Iterable[str], words: Sequence[str]) -> Wording:
    """The first of the words, and the known one that is nearest."""
    shown = some(words, _SHOWN)
    close = get_close_matches(given, list(known), n=1, cutoff=0.6)
    return Instead.NEAREST(shown, close[0]) if close else Instead.THESE(shown)
