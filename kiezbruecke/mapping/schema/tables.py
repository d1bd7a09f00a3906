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
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.columns import LayoutColumn
from kiezbruecke.mapping.schema.layout import Located, read_layout
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, NodeContent
from kiezbruecke.mapping.values import Kind, Unusable

_KINDS: dict[str, Kind] = {
    "text": "text",
    "money": "decimal",
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
_ONLY_FIXED = ("length", "start", "align", "fill", "const")


class _WrongColumn(ValueError):
    """What is wrong with one column as a part of its table; `column` is its number from 0, `key` its part."""

    def __init__(self, message: str, column: int, key: str = "") -> None:
        self.path = ("columns", column, key) if key else ("columns", column)
        super().__init__(message)


class _WrongLength(ValueError):
    """The columns do not make the length that the layout says."""

    path = ("record_length",)


class TableLayout(BaseModel):
    """A table's columns in their order, and how its lines are written."""

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
    columns: tuple[LayoutColumn, ...] = Field(min_length=1)

    @field_validator("columns", mode="before")
    @classmethod
    def _columns(cls, body: Any) -> Any:
        return tuple(body) if isinstance(body, list) else body

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
        return self

    @property
    def fields(self) -> tuple[LayoutColumn, ...]:
        """The columns that rules fill."""
        return tuple(column for column in self.columns if not column.filler)

    def tree(self) -> Node:
        """The table as a target: one line, columns as elements."""
        columns = tuple(map(self._node, self.fields))
        return Node(self.name, expand=lambda: NodeContent(group=Group("sequence", columns)))

    def cell(self, column: LayoutColumn, value: object) -> str:
        """The value as it stands in the cell; raises Unusable where it does not fit the column or the encoding."""
        text = column.cell(value)
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError as error:
            problem = f"das {error.start + 1}. Zeichen gibt es im Zeichensatz {self.encoding} nicht"
            raise Unusable(problem, f"Zeichen aus {self.encoding} (Schritt sepa_text), oder encoding: utf-8") from None
        return text

    def line(self, cells: Mapping[str, str]) -> bytes:
        """One line with its end; a column without a cell stays empty, or is filled up."""
        if self.format == "csv":
            return self._csv_line([cells.get(column.key, "") for column in self.columns])
        texts = (column.const or cells.get(column.key, "") for column in self.columns)
        record = "".join(column.padded(text) for column, text in zip(self.columns, texts, strict=True))
        return f"{record}{_LINE_ENDS[self.line_end]}".encode(self.encoding)

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
                raise _WrongColumn(told, number, what)
            seen |= {text} - {""}

    def _check_csv(self) -> None:
        if self.record_length or self.line_end == "none":
            raise ValueError("record_length and line_end: none belong to fixed-length records; expected format: fixed")
        for number, column in enumerate(self.columns):
            if given := [key for key in _ONLY_FIXED if getattr(column, key) is not None]:
                told = f"column '{column.name}': '{given[0]}' belongs to fixed-length records; expected format: fixed"
                raise _WrongColumn(told, number, given[0])
            if not column.name:
                raise _WrongColumn("a column has no name; expected {name: …, type: text}", number)

    def _check_record(self) -> None:
        if {"delimiter", "header"} & self.model_fields_set:
            raise ValueError("fixed-length records have neither delimiter nor header; expected format: csv, or neither")
        end = 0
        for number, column in enumerate(self.columns):
            shown = column.name or column.key or "(filler)"
            if column.length is None:
                raise _WrongColumn(f"column '{shown}' has no length; expected its number of characters", number)
            if column.start not in (None, end + 1):
                kind = "leaves a gap" if (column.start or 0) > end + 1 else "overlaps the one before"
                told = f"column '{shown}' {kind}: it starts at {column.start}; expected start: {end + 1}"
                raise _WrongColumn(told, number, "start")
            end += column.length
        if self.record_length not in (None, end):
            told = f"the columns make {end} characters, not {self.record_length}; expected record_length: {end}"
            raise _WrongLength(told)
        self._check_constants()

    def _check_constants(self) -> None:
        for number, column in enumerate(self.columns):
            try:
                (column.const or "").encode(self.encoding)
            except UnicodeEncodeError:
                told = f"the constant of '{column.name}' does not exist in {self.encoding}"
                raise _WrongColumn(told, number, "const") from None


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
    found = read_layout(file)
    if not isinstance(found.body, dict) or not isinstance(found.body.get("columns"), list):
        raise ConfigurationError("no columns", where=str(file), expected="columns: [{name, type}]")
    try:
        table = TableLayout.model_validate({"name": name, **found.body})
    except ValidationError as error:
        raise _refused(error, found) from None
    if table.name != name:
        raise ConfigurationError(f"'{table.name}' is not '{name}'", where=found.where(("name",)), expected=f"'{name}'")
    return table


def _refused(error: ValidationError, layout: Located) -> ConfigurationError:
    """The first thing that is wrong with a layout, as one line in our words."""
    first = error.errors(include_url=False)[0]
    where, key = layout.where(first["loc"]), str(first["loc"][-1]) if first["loc"] else ""
    context = first.get("ctx", {})
    model = LayoutColumn if "columns" in first["loc"][:1] else TableLayout
    match first["type"]:
        case "extra_forbidden":
            known = ", ".join(model.model_fields)
            where = layout.where(first["loc"], key=True)
            helps = nearest(key, model.model_fields)
            return ConfigurationError(f"unknown key '{key}'", where=where, expected=known, helps=helps)
        case "value_error":
            problem = context["error"]
            what, _, expected = str(problem).partition("; expected ")
            where = layout.where((*first["loc"], *getattr(problem, "path", ())))
            return ConfigurationError(what, where=where, expected=expected)
        case _:
            expected = _WANTED.get(first["type"], "another value").format(**context)
            return ConfigurationError(f"'{key}' has the wrong form", where=where, expected=expected)


def _accept(_: str) -> None:
    """A judge only refuses."""
