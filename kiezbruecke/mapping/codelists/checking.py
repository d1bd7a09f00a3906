"""What is wrong with a code list, with file and line, before a value meets it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.codelists.reading import (
    CODE_KEYS,
    COLUMNS,
    KEYS,
    TEXT_KEYS,
    WRITE_NAMES,
    CodeList,
    TranslationRow,
    code_entry,
    code_file,
    code_validity,
    is_text,
    known_columns,
    read_code_file,
    read_codes,
    read_rows,
    translation_file,
)
from kiezbruecke.mapping.codelists.uses import ListUse
from kiezbruecke.mapping.language.findings import Finding, Place, Severity, nearest
from kiezbruecke.mapping.values import fold
from kiezbruecke.plain_yaml import place_of

CODES = {
    "KB-L01": "the file cannot be read as a code list",
    "KB-L02": "unknown key or column",
    "KB-L03": "a row has too many or too few columns",
    "KB-L04": "a code or value is blank",
    "KB-L05": "a code or value stands twice",
    "KB-L06": "two values differ in case or blanks only, and mean different things",
    "KB-L07": "the name of a code is not text",
    "KB-L08": "a validity is impossible",
    "KB-L09": "the list, or a code that a mapping writes, is not valid on the day",
    "KB-L10": "nothing uses the list",
    "KB-L11": "a key of the list is missing, or its value has the wrong form",
}


def list_files(content: Path) -> list[str]:
    """The file names of all code lists, sorted."""
    folder = content / "mappings" / "codelists"
    return sorted(file.name for file in folder.iterdir() if file.suffix in {".csv", ".yaml"}) if folder.is_dir() else []


def check_list(content: Path, file_name: str, uses: Iterable[ListUse], on: date) -> list[Finding]:
    """Every finding about one list, in the file's order; `on` is the day on which codes must be valid."""
    name, _, ending = file_name.rpartition(".")
    used = [use for use in uses if use.list == file_name]
    found = _translation(content, name, used) if ending == "csv" else _codes(content, name, used, on)
    if not used:
        place = Place(f"mappings/codelists/{file_name}")
        found.append(Finding(place, "KB-L10", "no mapping and no process uses this list", severity="note"))
    return sorted(found, key=lambda finding: finding.place)


def _translation(content: Path, name: str, used: list[ListUse]) -> list[Finding]:
    file = translation_file(content, name)
    shown = file.relative_to(content).as_posix()
    try:
        columns, rows = read_rows(file)
    except ConfigurationError as error:
        return [Finding(Place(shown, _bad_line(file)), "KB-L01", error.what, expected=error.expected)]
    if not known_columns(columns):
        place = Place(shown, _header_line(file))
        return [Finding(place, "KB-L02", "unknown columns", expected=COLUMNS)]
    folded = not used or any(not use.exact for use in used)
    return [*_widths(shown, columns, rows), *_blanks(shown, rows), *_twice(shown, rows, folded=folded)]


def _widths(shown: str, columns: tuple[str, ...], rows: list[TranslationRow]) -> Iterator[Finding]:
    for row in rows:
        if len(row.cells) != len(columns):
            more = len(row.cells) > len(columns)
            message = f"a row with {len(row.cells)} columns"
            expected = f"{len(columns)}: {';'.join(columns)}"
            helps = 'a semicolon in a text needs quotes: "a;b"' if more else ""
            severity: Severity = "error" if more else "warning"
            yield Finding(Place(shown, row.line), "KB-L03", message, expected=expected, helps=helps, severity=severity)


def _blanks(shown: str, rows: list[TranslationRow]) -> Iterator[Finding]:
    for row in rows:
        key = "from" if "from" in row.columns else "id"
        if not row.cell(key):
            yield Finding(Place(shown, row.line), "KB-L04", f"'{key}' is blank", expected="a value")
        for column in _values(row.columns) if key == "from" else ():
            if not row.cell(key) or row.cell(column):
                continue
            message = f"'{column}' is blank: the value would become nothing"
            yield Finding(Place(shown, row.line), "KB-L04", message, expected="a value", severity="warning")


def _values(columns: tuple[str, ...]) -> list[str]:
    """The columns that must hold a value: `to`, or without it all of them."""
    return ["to"] if "to" in columns else [column for column in columns if column != "from"]


def _partners(row: TranslationRow) -> list[tuple[str, str]]:
    """Each key of a row with all that it becomes."""
    if "from" not in row.columns:
        return row.pairs()
    return [(row.cell("from"), "; ".join(row.cell(column) for column in _values(row.columns)))]


def _twice(shown: str, rows: list[TranslationRow], *, folded: bool) -> Iterator[Finding]:
    """A key that has two partners is an error; so is one that has them only without case and blanks, if these count."""
    exact: dict[str, tuple[str, int]] = {}
    alike: dict[str, tuple[str, str, int]] = {}
    for row in rows:
        for key, partner in dict.fromkeys(_partners(row)):
            place = Place(shown, row.line)
            known, line = exact.setdefault(key, (partner, row.line))
            if known != partner:
                message = f"'{key}' stands twice with different partners"
                yield Finding(place, "KB-L05", message, expected=f"'{known}', as in line {line}")
            elif line != row.line:
                message = f"'{key}' stands twice"
                yield Finding(place, "KB-L05", message, expected=f"once, in line {line}", severity="warning")
            other, meant, first = alike.setdefault(fold(key), (key, partner, row.line))
            if folded and other != key and meant != partner:
                message = f"'{key}' and '{other}' (line {first}) differ in case or blanks only"
                yield Finding(place, "KB-L06", message, expected=f"the same partner: '{meant}' or '{partner}'")


def _codes(content: Path, name: str, used: list[ListUse], on: date) -> list[Finding]:
    file = code_file(content, name)
    shown = file.relative_to(content).as_posix()
    try:
        codes = read_codes(content, name)
    except ConfigurationError:
        return _broken_codes(file, shown)
    return [
        *_names_itself(file, shown, codes),
        *_code_texts(file, shown, codes),
        *_spans(file, shown, codes),
        *_validity(shown, codes, used, on),
    ]


def _names_itself(file: Path, shown: str, codes: CodeList) -> Iterator[Finding]:
    """A message says whose codes it holds by the list's URI."""
    if not codes.uri.strip():
        place = _at(file, shown, "uri")
        message = "the list has no 'uri', so messages do not say whose codes they hold"
        yield Finding(place, "KB-L11", message, expected="uri: urn:…", severity="warning")


def _broken_codes(file: Path, shown: str) -> list[Finding]:
    """The same file again, with positions: which key, which code."""
    try:
        body = read_code_file(file)
    except ConfigurationError as error:
        line, column = _position(error.where, str(file))
        return [Finding(Place(shown, line, column), "KB-L01", error.what, expected=error.expected)]
    found = list(_unknown_keys(file, shown, body, KEYS))
    found += [
        Finding(_at(file, shown, key), "KB-L11", f"'{key}' is no text", expected="a text")
        for key in TEXT_KEYS
        if not is_text(body.get(key))
    ]
    if body.get("write_names") not in WRITE_NAMES:
        place = _at(file, shown, "write_names")
        found.append(Finding(place, "KB-L11", "'write_names' is neither true nor false", expected="true or false"))
    for code, entry in body["codes"].items():
        if not is_text(code_entry(entry)):
            place = _at(file, shown, "codes", code)
            found.append(Finding(place, "KB-L07", f"the name of code '{code}' is no text", expected="a text"))
        if isinstance(entry, dict):
            found += _unknown_keys(file, shown, entry, CODE_KEYS, "codes", code)
            if not _readable_days(entry):
                place = _at(file, shown, "codes", code)
                found.append(Finding(place, "KB-L08", f"the validity of '{code}' is no day", expected="2026-04-01"))
    if not _readable_days(body):
        found.append(Finding(Place(shown), "KB-L08", "the list's validity is no day", expected="2026-04-01"))
    return found


def _unknown_keys(file: Path, shown: str, body: Any, known: tuple[str, ...], *above: str) -> Iterator[Finding]:
    for key in body:
        if key not in known:
            helps = nearest(str(key), known)
            place = _at(file, shown, *above, key)
            yield Finding(place, "KB-L02", f"unknown key '{key}'", expected=", ".join(known), helps=helps)


def _readable_days(body: Mapping[str, Any]) -> bool:
    try:
        code_validity(body)
    except ValueError:
        return False
    return True


def _code_texts(file: Path, shown: str, codes: CodeList) -> Iterator[Finding]:
    for code in codes.codes:
        if not code.strip() or code != code.strip():
            message = "a code is blank" if not code.strip() else f"the code '{code}' has blanks around it"
            yield Finding(_place_of(file, shown, code), "KB-L04", message, expected="a code")
    if codes.write_names:
        for code in (code for code, text in codes.codes.items() if not text.strip()):
            message = f"the code '{code}' has no name, but the list writes names"
            yield Finding(_place_of(file, shown, code), "KB-L04", message, expected="a name, or write_names: false")


def _spans(file: Path, shown: str, codes: CodeList) -> Iterator[Finding]:
    if not codes.validity.possible:
        yield Finding(Place(shown), "KB-L08", "the list is never valid", expected="valid_from before valid_to")
    for code, span in codes.limits.items():
        if not span.possible:
            message = f"the code '{code}' is never valid"
            yield Finding(_place_of(file, shown, code), "KB-L08", message, expected="valid_from before valid_to")


def _validity(shown: str, codes: CodeList, used: list[ListUse], on: date) -> Iterator[Finding]:
    """On the day: a list's version that is out of date, and rules that write a code which is."""
    if codes.validity.possible and not codes.validity.covers(on):
        message = f"version {codes.version} is not valid on {on}"
        helps = "take the current version: kiezbruecke codelist import FILE --update"
        expected = f"a day in {codes.validity}"
        yield Finding(Place(shown), "KB-L09", message, expected=expected, helps=helps, severity="warning")
    for use in used:
        span = codes.limits.get(use.code or "")
        if span is not None and span.possible and not span.covers(on):
            message = f"'{use.user}' writes the code '{use.code}' of '{codes.name}', not valid on {on}"
            expected = f"a day in {span}"
            yield Finding(use.place, "KB-L09", message, rule=use.rule, expected=expected, severity="warning")


def _place_of(file: Path, shown: str, code: str) -> Place:
    return _at(file, shown, "codes", code)


def _at(file: Path, shown: str, *path: str) -> Place:
    return Place(shown, *_position(place_of(file, path), str(file)))


def _position(where: str, file: str) -> tuple[int, int]:
    parts = where.removeprefix(file).strip(":").split(":")
    return (int(parts[0]), int(parts[1]) if len(parts) == 2 else 1) if parts[0].isdecimal() else (1, 1)


def _header_line(file: Path) -> int:
    lines = file.read_text("utf-8-sig").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line and not line.startswith("#")), 1)


def _bad_line(file: Path) -> int:
    """The first line that is not UTF-8, else the first."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return 1
    for number, line in enumerate(lines, 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return 1
