"""Tables: lists that people open in a spreadsheet (CSV), and files of fixed-length records that old systems read.

One record gives one line. In CSV sums and days are written as people read them in German (`850,00`, `24.04.2026`),
and a text that a spreadsheet would take for a formula gets a leading apostrophe; the header is a line of its own.
In a fixed-length record every column has a `length` in characters and is filled up; nothing is ever cut.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.columns import Carrier, LayoutColumn, Part, Role
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, NodeContent
from kiezbruecke.mapping.values import Kind, Unusable
from kiezbruecke.mapping.wording import Instead, Why
from kiezbruecke.plain_yaml import place_of, read_yaml
from kiezbruecke.plaintext import folded

_KINDS: dict[str, Kind] = {
    "text": "text",
    "money": "decimal",
    "number": "decimal",
    "integer": "integer",
    "date": "date",
    "yes_no": "boolean",
}
_LINE_ENDS = {"crlf": "\r\n", "lf": "\n", "none": ""}
_DELIMITER = re.compile(r"[\t!#$%&()*+,./:;<=>?@\\^_`{|}~\[\]-]")
_WANTED = {  # what pydantic calls a wrong value, and what a layout needs there
    "bool_type": "true or false",
    "greater_than_equal": "at least {ge}",
    "int_type": "a whole number",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "missing": "a value",
    "model_type": "{{name: …, type: text}}",
    "string_type": "a text, in quotes where it looks like a number",
    "too_short": "at least one column",
    "tuple_type": "a list of columns",
}
_ONLY_FIXED = ("length", "start", "align", "fill")
_KEY = re.compile(r"[a-z][a-z0-9_]*")


class _Wrong(ValueError):
    """What is wrong with a part of a table; `path` leads to it, columns are counted from 0."""

    def __init__(self, message: str, *path: str | int) -> None:
        self.path = path
        super().__init__(message)


class Blank(BaseModel):
    """The workbook that people fill in: its file, and what they should know; `prefilled` where lines stand already."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name without ending")
    advice: tuple[str, ...] = ()
    further: tuple[str, ...] = Field((), description="Advice that stands behind what is true of every sheet")
    prefilled: tuple[str, ...] = ()
    lines: Literal["undecided", "granted", "applied"] | None = Field(
        None, description="Which proposals of an area stand there already: not decided, granted, applied for"
    )


class TableLayout(BaseModel):
    """A table's columns in their order, how its lines are written, and what they are where they are read.

    A table with an `item` is a source: each of its lines is an item of this kind. Its id is the value of the column
    `id` where the lines are things that change (a proposal), else content and row: a fact of a sheet never changes.
    `shown` are headers of columns that are for people: neither read nor noted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    title: str = ""
    note: str = ""
    format: Literal["csv", "fixed"] = "csv"
    delimiter: str = ";"
    header: bool = True
    encoding: Literal["utf-8", "iso-8859-1", "iso-8859-15", "cp1252"] = "utf-8"
    line_end: Literal["crlf", "lf", "none"] = "crlf"
    record_length: int | None = Field(None, ge=1)
    item: str = Field("", pattern=r"^([a-z0-9][a-z0-9-]*)?$")
    id: str = ""
    shown: tuple[str, ...] = Field((), strict=False)
    form: Blank | None = None
    file: Carrier | None = None
    columns: tuple[LayoutColumn, ...] = Field(min_length=1, strict=False)

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, sign: str) -> str:
        """What stands in values itself, or ends a line, cannot keep cells apart."""
        if not _DELIMITER.fullmatch(sign):
            told = f"the delimiter {repr(sign)[:20]} cannot separate cells"
            raise ValueError(f"{told}; expected one sign such as ';' ',' '|' or a tab")
        return sign

    @model_validator(mode="after")
    def _agrees(self) -> TableLayout:
        self._check_twice("key")
        self._check_twice("name")
        if self.format == "fixed":
            self._check_record()
        else:
            self._check_csv()
        self._check_source()
        self._check_file()
        return self

    @property
    def fields(self) -> tuple[LayoutColumn, ...]:
        """The columns that rules fill."""
        return tuple(column for column in self.columns if not column.filler)

    @cached_property
    def by_header(self) -> dict[str, LayoutColumn]:
        """The columns by every name that they may have in a header, folded."""
        return {folded(name): column for column in self.columns for name in column.headers if name}

    def of_role(self, role: Role) -> LayoutColumn | None:
        """The column that has this role."""
        return next((column for column in self.columns if column.role == role), None)

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The keys of the columns that hold account data."""
        return frozenset(column.key for column in self.columns if column.secret)

    def said(self, role: Role, values: Mapping[str, str]) -> str:
        """What a line says in the column of this role; nothing where there is none."""
        column = self.of_role(role)
        return values.get(column.key, "") if column else ""

    def tree(self) -> Node:
        """The table as a target: one line, columns as elements."""
        columns = tuple(map(self._node, self.fields))
        return Node(self.name, expand=lambda: NodeContent(group=Group("sequence", columns)))

    def cell(self, column: LayoutColumn, value: object) -> str:
        """The value as it stands in the cell; raises Unusable where it does not fit the column or the encoding."""
        text = column.cell(value, machine=self.file is not None)
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError as error:
            problem = Why.NOT_ENCODABLE(error.start + 1, self.encoding)
            raise Unusable(problem, Instead.ENCODABLE(self.encoding)) from None
        return text

    def line(self, cells: Mapping[str, str]) -> bytes:
        """One line with its end; a column without a cell stays empty, or is filled up."""
        if self.format == "csv":
            return self._csv_line([column.const or cells.get(column.key, "") for column in self.columns])
        texts = (column.const or cells.get(column.key, "") for column in self.columns)
        record = "".join(column.padded(text) for column, text in zip(self.columns, texts, strict=True))
        return f"{record}{_LINE_ENDS[self.line_end]}".encode(self.encoding)

    def read_line(self, line: bytes) -> dict[str, str]:
        """The cells of one line without its end, by key; raises ValueError where it is no line of this table."""
        text = line.decode(self.encoding)
        found = self._texts(text) if self.format == "fixed" else next(csv.reader([text], delimiter=self.delimiter), [])
        if len(found) != len(self.columns):
            raise ValueError("another number of cells")
        pairs = list(zip(self.columns, found, strict=True))
        if any(column.const is not None and cell != column.const for column, cell in pairs):
            raise ValueError("another constant")
        return {column.key: cell for column, cell in pairs if column.key}

    @cached_property
    def file_header(self) -> TableLayout | None:
        """The first record of the file that carries the lines; a table of one line, written like these."""
        return self._part(self.file.header) if self.file and self.file.header else None

    @cached_property
    def file_trailer(self) -> TableLayout | None:
        """Its last record."""
        return self._part(self.file.trailer) if self.file and self.file.trailer else None

    def header_line(self) -> bytes:
        """The line of names above the table, nothing where the table has none."""
        if self.format == "fixed" or not self.header:
            return b""
        return self._csv_line([column.name for column in self.columns])

    def _node(self, column: LayoutColumn) -> Node:
        return Node(
            column.key,
            minimum=int(column.required),
            leaf=Leaf(_KINDS[column.type], column.limit, lambda text: _accept(self.cell(column, text))),
            documentation=column.note or column.name,
        )

    def _part(self, columns: Part) -> TableLayout:
        alike: dict[str, Any] = {"format": self.format, "encoding": self.encoding, "line_end": self.line_end}
        csv_only = {"delimiter": self.delimiter, "header": False}
        shape = csv_only if self.format == "csv" else {"record_length": sum(one.length or 0 for one in self.columns)}
        return _FilePart(name=self.name, file=Carrier(), columns=columns, **alike, **shape)

    def _texts(self, text: str) -> list[str]:
        """The cells of a fixed-length record, without what they are filled up with."""
        found, place = [], 0
        for column in self.columns:
            size = column.length or 0
            cell = text[place : place + size]
            found.append(column.const or "" if cell == column.padded(column.const or "") else column.stripped(cell))
            place += size
        return found if len(text) == place else []

    def _csv_line(self, cells: list[str]) -> bytes:
        line = io.StringIO(newline="")
        ending = _LINE_ENDS[self.line_end]
        csv.writer(line, delimiter=self.delimiter, lineterminator=ending).writerow(cells)
        return line.getvalue().encode(self.encoding)

    def _check_twice(self, what: Literal["key", "name"]) -> None:
        """Rules and readers find a column by its key and its name."""
        seen: set[str] = set()
        for number, column in enumerate(self.columns):
            text = "" if column.filler else getattr(column, what)
            if text in seen:
                told = f"two columns have the {what} '{text}'; expected a {what} of its own for each"
                raise _Wrong(told, "columns", number, what)
            seen |= {text} - {""}

    def _check_source(self) -> None:
        """Readers find a column by every name, rules by its key; nobody may have to guess."""
        if not self.item:
            return
        names: set[str] = set()
        roles: set[str] = set()
        for number, column in enumerate(self.columns):
            if not _KEY.fullmatch(column.key):
                told = (
                    f"'{column.key}' is no key for rules; expected small letters, digits and _, such as eingegangen_am"
                )
                raise _Wrong(told, "columns", number, "key")
            mine = {folded(name) for name in column.headers}
            if again := mine & names:
                told = f"two columns may be called '{min(again)}'; expected names and aliases of its own for each"
                raise _Wrong(told, "columns", number, "aliases" if column.aliases else "name")
            if column.role in roles:
                raise _Wrong(f"two columns have the role '{column.role}'; expected one", "columns", number, "role")
            if column.secret and (column.role or column.key == self.id or column.repeats or column.choices):
                told = "a secret column says what nobody may see; expected no role, repeats, choices or id for it"
                raise _Wrong(told, "columns", number, "secret")
            names |= mine
            roles |= {column.role} if column.role else set()
        known = {column.key: column for column in self.columns}
        if self.id and not (self.id in known and known[self.id].required):
            raise ValueError(f"id: '{self.id}' is no column with a value in every line; expected a required column")

    def _check_csv(self) -> None:
        if self.record_length or self.line_end == "none":
            raise ValueError("record_length and line_end: none belong to fixed-length records; expected format: fixed")
        for number, column in enumerate(self.columns):
            if given := [key for key in _ONLY_FIXED if getattr(column, key) is not None]:
                told = f"column '{column.name}': '{given[0]}' belongs to fixed-length records; expected format: fixed"
                raise _Wrong(told, "columns", number, given[0])
            if not column.name:
                raise _Wrong("a column has no name; expected {name: …, type: text}", "columns", number)

    def _check_file(self) -> None:
        """What the file that carries the lines looks at must be there; each of its parts is a line of its own."""
        known = {column.key: column for column in self.columns}
        if self.file is None:
            if fact := next((column.fact for column in self.columns if column.fact), ""):
                raise ValueError(f"'{fact}' is a fact of a file; expected file: {{…}} beside the columns")
            return
        self.file.check(known)
        _ = self.file_header, self.file_trailer  # made, and so checked

    def _check_record(self) -> None:
        if {"delimiter", "header"} & self.model_fields_set:
            raise ValueError("fixed-length records have neither delimiter nor header; expected format: csv, or neither")
        end = 0
        for number, column in enumerate(self.columns):
            shown = column.name or column.key or "(filler)"
            if column.length is None:
                raise _Wrong(f"column '{shown}' has no length; expected its number of characters", "columns", number)
            if column.start not in (None, end + 1):
                kind = "leaves a gap" if (column.start or 0) > end + 1 else "overlaps the one before"
                told = f"column '{shown}' {kind}: it starts at {column.start}; expected start: {end + 1}"
                raise _Wrong(told, "columns", number, "start")
            end += column.length
        if self.record_length not in (None, end):
            told = f"the columns make {end} characters, not {self.record_length}; expected record_length: {end}"
            raise _Wrong(told, "record_length")
        self._check_constants()

    def _check_constants(self) -> None:
        for number, column in enumerate(self.columns):
            try:
                (column.const or "").encode(self.encoding)
            except UnicodeEncodeError:
                told = f"the constant of '{column.name}' does not exist in {self.encoding}"
                raise _Wrong(told, "columns", number, "const") from None


class _FilePart(TableLayout):
    """Header or trailer of a file: its facts were looked at with the file."""

    def _check_file(self) -> None:
        """Nothing more."""


def source_tables(content: Path) -> dict[str, TableLayout]:
    """The tables that can be read, by name; one that is broken is told where it is used."""
    found: dict[str, TableLayout] = {}
    for file in sorted((content / "schemas" / "tables").glob("*.yaml")):
        with suppress(ConfigurationError):
            found[file.stem] = read_table(content, file.stem)
    return {name: table for name, table in found.items() if table.item}


def table_file(content: Path, name: str) -> Path:
    """Where a table's description lies."""
    return content / "schemas" / "tables" / f"{name}.yaml"


def table_header(name: str, content: Path) -> bytes:
    """The header line of a table; raises ConfigurationError."""
    return read_table(content, name).header_line()


def read_table(content: Path, name: str) -> TableLayout:
    """Read schemas/tables/<name>.yaml; raises ConfigurationError with one line."""
    file = table_file(content, name)
    if not file.is_file():
        known = sorted(other.stem for other in file.parent.glob("*.yaml") if other.is_file())
        raise ConfigurationError(
            f"there is no table '{name}'", where=str(file), expected=", ".join(known), helps=nearest(name, known)
        )
    body = read_yaml(file)
    if not isinstance(body.get("columns"), list):
        raise ConfigurationError("no columns", where=str(file), expected="columns: [{name, type}]")
    try:
        table = TableLayout.model_validate({"name": name, **body})
    except ValidationError as error:
        raise _refused(error, file) from None
    if table.name != name:
        where = place_of(file, ["name"], value=True)
        raise ConfigurationError(f"'{table.name}' is not '{name}'", where=where, expected=f"'{name}'")
    return table


def _refused(error: ValidationError, file: Path) -> ConfigurationError:
    """The first thing that is wrong with a layout, as one line in our words."""
    first = error.errors(include_url=False)[0]
    where, key = place_of(file, first["loc"], value=True), str(first["loc"][-1]) if first["loc"] else ""
    context = first.get("ctx", {})
    model = _model_of(first["loc"])
    match first["type"]:
        case "extra_forbidden":
            known = ", ".join(model.model_fields)
            where = place_of(file, first["loc"])
            helps = nearest(key, model.model_fields)
            return ConfigurationError(f"unknown key '{key}'", where=where, expected=known, helps=helps)
        case "value_error":
            problem = context["error"]
            what, _, expected = str(problem).partition("; expected ")
            where = place_of(file, (*first["loc"], *getattr(problem, "path", ())), value=True)
            return ConfigurationError(what, where=where, expected=expected)
        case _:
            expected = _WANTED.get(first["type"], "another value").format(**context)
            return ConfigurationError(f"'{key}' has the wrong form", where=where, expected=expected)


def _model_of(loc: tuple[int | str, ...]) -> type[BaseModel]:
    """Whose keys stand at a place of the layout."""
    columns = "columns" in loc[:1] or any(part in loc[:2] for part in ("header", "trailer"))
    return LayoutColumn if columns else Carrier if "file" in loc[:1] else TableLayout


def _accept(_: str) -> None:
    """A judge only refuses."""
