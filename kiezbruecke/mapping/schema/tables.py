"""Tables: lists that people open in a spreadsheet (CSV), and files of fixed-length records that old systems read.

One record gives one line. In CSV sums and days are written as people read them in German (`850,00`, `24.04.2026`),
and a text that a spreadsheet would take for a formula gets a leading apostrophe; the header is a line of its own.
In a fixed-length record every column has a `length` in characters and is filled up; nothing is ever cut.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.schema.columns import Column
from kiezbruecke.mapping.schema.layout import Located, read_layout
from kiezbruecke.mapping.schema.tree import Content, Group, Leaf, Node
from kiezbruecke.mapping.values import Kind, Unusable

_KINDS: dict[str, Kind] = {
    "text": "text",
    "money": "decimal",
    "integer": "integer",
    "date": "date",
    "yes_no": "boolean",
}
_LINE_ENDS = {"crlf": "\r\n", "lf": "\n", "none": ""}
_ONLY_FIXED = ("length", "start", "align", "fill", "const")


class Table(BaseModel):
    """A table's columns in their order, and how its lines are written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    title: str = ""
    note: str = ""
    format: Literal["csv", "fixed"] = "csv"
    delimiter: str = Field(";", min_length=1, max_length=1)
    header: bool = True
    encoding: Literal["utf-8", "iso-8859-1", "iso-8859-15", "cp1252"] = "utf-8"
    line_end: Literal["crlf", "lf", "none"] = "crlf"
    record_length: int | None = Field(None, ge=1)
    columns: tuple[Column, ...] = Field(min_length=1)

    @field_validator("columns", mode="before")
    @classmethod
    def _columns(cls, body: Any) -> Any:
        return tuple(body) if isinstance(body, list) else body

    @model_validator(mode="after")
    def _agrees(self) -> Table:
        keys = [column.key for column in self.fields]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(f"two columns have the key '{twice}'; expected a key of its own for each")
        if self.format == "fixed":
            self._check_record()
        else:
            self._check_csv()
        return self

    @property
    def fields(self) -> tuple[Column, ...]:
        """The columns that rules fill."""
        return tuple(column for column in self.columns if not column.filler)

    def tree(self) -> Node:
        """The table as a target: one line, columns as elements."""
        columns = tuple(map(self._node, self.fields))
        return Node(self.name, expand=lambda: Content(group=Group("sequence", columns)))

    def cell(self, column: Column, value: object) -> str:
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

    def _node(self, column: Column) -> Node:
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

    def _check_csv(self) -> None:
        if self.record_length or self.line_end == "none":
            raise ValueError("record_length and line_end: none belong to fixed-length records; expected format: fixed")
        for column in self.columns:
            if given := [key for key in _ONLY_FIXED if getattr(column, key) is not None]:
                raise ValueError(
                    f"column '{column.name}': '{given[0]}' belongs to fixed-length records; expected format: fixed"
                )
            if not column.name:
                raise ValueError("a column has no name; expected {name: …, type: text}")

    def _check_record(self) -> None:
        if {"delimiter", "header"} & self.model_fields_set:
            raise ValueError("fixed-length records have neither delimiter nor header; expected format: csv, or neither")
        end = 0
        for column in self.columns:
            shown = column.name or column.key or "(filler)"
            if column.length is None:
                raise ValueError(f"column '{shown}' has no length; expected its number of characters")
            if column.start not in (None, end + 1):
                kind = "leaves a gap" if (column.start or 0) > end + 1 else "overlaps the one before"
                raise ValueError(f"column '{shown}' {kind}: it starts at {column.start}; expected start: {end + 1}")
            end += column.length
        if self.record_length not in (None, end):
            raise ValueError(f"the columns make {end} characters; expected record_length: {self.record_length}")
        self._check_constants()

    def _check_constants(self) -> None:
        for column in self.columns:
            try:
                (column.const or "").encode(self.encoding)
            except UnicodeEncodeError:
                raise ValueError(f"the constant of '{column.name}' does not exist in {self.encoding}") from None


def table_file(content: Path, name: str) -> Path:
    """Where a table's description lies."""
    return content / "schemas" / "tables" / f"{name}.yaml"


def table_header(name: str, content: Path) -> bytes:
    """The header line of a table; raises ConfigurationError."""
    return read_table(content, name).header_line()


def read_table(content: Path, name: str) -> Table:
    """Read schemas/tables/<name>.yaml; raises ConfigurationError with one line."""
    file = table_file(content, name)
    if not file.is_file():
        known = sorted(other.stem for other in file.parent.glob("*.yaml"))
        raise ConfigurationError(
            f"there is no table '{name}'", where=str(file), expected=", ".join(known), helps=nearest(name, known)
        )
    found = read_layout(file)
    if not isinstance(found.body, dict) or not isinstance(found.body.get("columns"), list):
        raise ConfigurationError("no columns", where=str(file), expected="columns: [{name, type}]")
    try:
        table = Table.model_validate({"name": name, **found.body})
    except ValidationError as error:
        raise _refused(error, found) from None
    if table.name != name:
        raise ConfigurationError(f"'{table.name}' is not '{name}'", where=found.where(("name",)), expected=f"'{name}'")
    return table


def _refused(error: ValidationError, layout: Located) -> ConfigurationError:
    """The first thing that is wrong with a layout, as one line in our words."""
    first = error.errors(include_url=False)[0]
    where, key = layout.where(first["loc"]), str(first["loc"][-1]) if first["loc"] else ""
    model = Column if "columns" in first["loc"][:1] else Table
    match first["type"]:
        case "extra_forbidden":
            known = ", ".join(model.model_fields)
            return ConfigurationError(
                f"unknown key '{key}'", where=where, expected=known, helps=nearest(key, model.model_fields)
            )
        case "value_error":
            what, _, expected = str(first["ctx"]["error"]).partition("; expected ")
            return ConfigurationError(what, where=where, expected=expected)
        case _:
            expected = str(first.get("ctx", {}).get("expected", "")) or first["msg"]
            return ConfigurationError(f"'{key}' has the wrong form", where=where, expected=expected)


def _accept(_: str) -> None:
    """A judge only refuses."""
