"""Reads a code list of the XRepository: OASIS genericode 1.0 with the annotations of the XÖV handbook.

    CodeList ─ Annotation   validity (XÖV extension 1, 2 and 4 spell it differently)
             ├ Identification  ShortName, Version, CanonicalUri, Agency
             ├ ColumnSet       Column*, Key* → which column is the code
             └ SimpleCodeList  Row* ─ Value* ─ SimpleValue

Only the root element carries the namespace, so the others are read by their local names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.machine import read_file
from kiezbruecke.mapping.codelists.reading import CodeList
from kiezbruecke.mapping.codelists.validity import Validity, read_day
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.standards.store import parse

NAMESPACE = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"
MAX_BYTES = 32 * 1024 * 1024  # the largest list of the XRepository that we know, AGS, has 3 MB
_CODE_MARKS = {"xoev-code", "recommendedKeyColumn"}
_NAME_MARKS = {"xoev-codename"}
_NAMES = ("bezeichnung", "beschreibung", "codename", "name", "shortname", "longname", "label", "text")
_FROM = {"datumgueltigkeitab", "validfrom"}
_TO = {"datumgueltigkeitbis", "validto", "validuntil"}


@dataclass(frozen=True)
class Columns:
    """Which columns of a file become what; empty means: as the file itself says, for the validity: none."""

    code: str = ""
    name: str = ""
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True)
class _Key:
    columns: tuple[str, ...]
    marks: frozenset[str]


class Genericode:
    """A genericode file that was read; `codes` makes a code list of it."""

    def __init__(self, root: etree._Element, file: str, digest: str) -> None:
        self._root = root
        self._file = file
        self._digest = digest
        self._columns = [element.get("Id", "") for element in _all(root, "ColumnSet", "Column")]
        self._optional = {c.get("Id", "") for c in _all(root, "ColumnSet", "Column") if c.get("Use") == "optional"}
        self._keys = [_key(element) for element in _all(root, "ColumnSet", "Key")]

    @property
    def short_name(self) -> str:
        """What the list calls itself."""
        return self._identified("ShortName")

    def codes(self, name: str, columns: Columns) -> CodeList:
        """The code list under our name; raises ConfigurationError where a column or a code is missing or doubled."""
        chosen = self._chosen(columns)
        names: dict[str, str] = {}
        limits: dict[str, Validity] = {}
        for line, row in self._rows():
            code = row.get(chosen.code, "")
            if not code or code in names:
                what = "a row has no code" if not code else f"the code '{code}' stands twice"
                raise self._wrong(what, line, expected=f"a value of its own in '{chosen.code}'", helps="--code-column")
            names[code] = " ".join(row.get(chosen.name, "").split())
            if (limit := self._limit(row, chosen, line)) != Validity():
                limits[code] = limit
        if not names:
            raise self._wrong("the file holds no rows", 1, expected="SimpleCodeList/Row")
        return CodeList(
            name,
            self._identified("CanonicalUri"),
            self._identified("Version"),
            names,
            validity=self._validity(),
            limits=limits,
            source=self._source(),
            digest=self._digest,
        )

    def _chosen(self, wanted: Columns) -> Columns:
        for column in (wanted.code, wanted.name, wanted.valid_from, wanted.valid_to):
            if column and column not in self._columns:
                helps = nearest(column, self._columns)
                raise self._wrong(f"there is no column '{column}'", 1, expected=", ".join(self._columns), helps=helps)
        code = wanted.code or self._code_column()
        return Columns(code, wanted.name or self._name_column(code), wanted.valid_from, wanted.valid_to)

    def _code_column(self) -> str:
        """The key that the XÖV annotation marks, else the only key; what identifies by two columns is no code."""
        single = [key for key in self._keys if len(key.columns) == 1 and key.columns[0] in self._columns]
        chosen = [key for key in single if key.marks & _CODE_MARKS] or single
        columns = sorted({key.columns[0] for key in chosen})
        if len(columns) != 1:
            helps = f"--code-column {columns[0] if columns else '…'}"
            expected = f"one of {', '.join(columns or self._columns)}"
            raise self._wrong("the file does not say which column is the code", 1, expected=expected, helps=helps)
        return columns[0]

    def _name_column(self, code: str) -> str:
        marked = [key.columns[0] for key in self._keys if key.marks & _NAME_MARKS and len(key.columns) == 1]
        others = [column for column in self._columns if column != code]
        usual = sorted((c for c in others if c.lower() in _NAMES), key=lambda column: _NAMES.index(column.lower()))
        required = [column for column in others if column not in self._optional]
        return next(iter([*marked, *usual, *required, *others]), "")

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        for row in _all(self._root, "SimpleCodeList", "Row"):
            yield _line(row), self._values(row)

    def _values(self, row: etree._Element) -> dict[str, str]:
        """The row's texts by column. A value without ColumnRef belongs to the next column (genericode 1.0, Value)."""
        found: dict[str, str] = {}
        position = -1
        for value in _children(row, "Value"):
            column = value.get("ColumnRef")
            position = position + 1 if column is None else self._position(column, value)
            if position >= len(self._columns):
                raise self._wrong("a row has more values than columns", _line(value), expected=str(len(self._columns)))
            if _child(value, "ComplexValue") is not None:
                raise self._wrong("a value is XML, not text", _line(value), expected="SimpleValue")
            simple = _child(value, "SimpleValue")
            found[self._columns[position]] = (simple.text or "").strip() if simple is not None else ""
        return found

    def _position(self, column: str, value: etree._Element) -> int:
        if column not in self._columns:
            raise self._wrong(f"unknown column '{column}'", _line(value), expected=", ".join(self._columns))
        return self._columns.index(column)

    def _limit(self, row: dict[str, str], columns: Columns, line: int) -> Validity:
        try:
            return Validity(read_day(row.get(columns.valid_from)), read_day(row.get(columns.valid_to)))
        except ValueError:
            raise self._wrong("a validity is no day", line, expected="2026-04-01") from None

    def _validity(self) -> Validity:
        """The version's days, from the annotation. A word instead of a day ('unbestimmt') is an open end."""
        return Validity(self._annotated(_FROM), self._annotated(_TO))

    def _annotated(self, names: set[str]) -> date | None:
        for annotation in _children(self._root, "Annotation"):
            for element in annotation.iter(etree.Element):
                if etree.QName(element).localname.lower() in names:
                    try:
                        return read_day(element.text)
                    except ValueError:
                        return None
        return None

    def _source(self) -> str:
        agency = next(iter(_all(self._root, "Identification", "Agency")), None)
        publisher = "" if agency is None else _text(agency, "LongName") or _text(agency, "ShortName")
        version = self._identified("CanonicalVersionUri")
        return ", ".join(part for part in (publisher, version, Path(self._file).name) if part)

    def _identified(self, name: str) -> str:
        identification = _child(self._root, "Identification")
        return "" if identification is None else _text(identification, name)

    def _wrong(self, what: str, line: int, *, expected: str, helps: str = "") -> ConfigurationError:
        return ConfigurationError(what, where=f"{self._file}:{line}", expected=expected, helps=helps)


def read_genericode(file: Path) -> Genericode:
    """Read a genericode file; raises ConfigurationError."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigurationError("the file is too large", where=str(file), expected=f"{MAX_BYTES} bytes at most")
        data = read_file(file)
        root = parse(data, file.name)
    except OSError:
        raise ConfigurationError("the file cannot be read", where=str(file)) from None
    except RecordError as error:
        raise ConfigurationError("the file is no plain XML", where=str(file), helps=error.line()) from None
    if root.tag != f"{{{NAMESPACE}}}CodeList":
        raise ConfigurationError(
            "the file is no code list", where=str(file), expected=f"genericode 1.0: CodeList in {NAMESPACE}"
        )
    return Genericode(root, str(file), hashlib.sha256(data).hexdigest())


def _key(element: etree._Element) -> _Key:
    marks = {
        etree.QName(one).localname for info in element.iter("{*}AppInfo") for one in info.iterchildren(etree.Element)
    }
    return _Key(tuple(ref.get("Ref", "") for ref in _children(element, "ColumnRef")), frozenset(marks))


def _all(root: etree._Element, holder: str, name: str) -> Iterator[etree._Element]:
    for element in _children(root, holder):
        yield from _children(element, name)


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element.iterchildren(etree.Element) if etree.QName(child).localname == name)


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next(_children(element, name), None)


def _text(element: etree._Element, name: str) -> str:
    child = _child(element, name)
    return " ".join((child.text or "").split()) if child is not None else ""


def _line(element: etree._Element) -> int:
    return element.sourceline or 1
