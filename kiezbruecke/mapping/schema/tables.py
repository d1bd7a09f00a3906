"""Tables: lists that people open in a spreadsheet. One record gives one CSV line; the header is a line of its own.

Sums and days are written as people read them in German (`850,00`, `24.04.2026`). A text that a spreadsheet
would take for a formula gets a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.tree import Content, Group, Leaf, Node
from kiezbruecke.mapping.steps import FORMULA_STARTS
from kiezbruecke.mapping.values import Kind, Unusable, to_text, xml_text

_KINDS: dict[str, Kind] = {
    "text": "text",
    "money": "decimal",
    "integer": "integer",
    "date": "date",
    "yes_no": "boolean",
}
_KEYS = frozenset({"name", "key", "type", "required", "present", "max_length", "note"})
_BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` is its name in mappings, `name` what stands in the header."""

    key: str
    name: str
    type: str
    required: bool = False
    max_length: int | None = None

    def cell(self, value: object) -> str:
        """The value as it stands in the cell; raises Unusable."""
        text = self._written(value)
        if self.max_length is not None and len(text) > self.max_length:
            raise Unusable("der Text ist zu lang", f"höchstens {self.max_length} Zeichen")
        return f"'{text}" if self.type == "text" and text[:1] in FORMULA_STARTS else text

    def _written(self, value: object) -> str:
        match self.type:
            case "money":
                return _money(value)
            case "date":
                return _day(value)
            case "integer":
                return _whole(value)
            case "yes_no":
                return "ja" if value in (True, "1", "true", "ja") else "nein"
            case _:
                return xml_text(value)


@dataclass(frozen=True)
class Table:
    """A table's columns in their order."""

    name: str
    columns: tuple[Column, ...]
    delimiter: str = ";"
    header: bool = True
    file: Path = field(default=Path(), compare=False)

    def tree(self) -> Node:
        """The table as a target: one line, columns as elements."""
        columns = tuple(
            Node(column.key, minimum=int(column.required), leaf=Leaf(_KINDS[column.type], column.max_length))
            for column in self.columns
        )
        return Node(self.name, expand=lambda: Content(group=Group("sequence", columns)))

    def line(self, cells: Mapping[str, str]) -> bytes:
        """One CSV line; a column without a cell stays empty."""
        return _csv_line([cells.get(column.key, "") for column in self.columns], self.delimiter)

    def header_line(self) -> bytes:
        """The line of names above the table, nothing where the table has none."""
        return _csv_line([column.name for column in self.columns], self.delimiter) if self.header else b""


def table_file(content: Path, name: str) -> Path:
    """Where a table's description lies."""
    return content / "schemas" / "tables" / f"{name}.yaml"


def table_header(name: str, content: Path) -> bytes:
    """The header line of a table; raises ConfigurationError."""
    return read_table(content, name).header_line()


def read_table(content: Path, name: str) -> Table:
    """Read schemas/tables/<name>.yaml; raises ConfigurationError."""
    file = table_file(content, name)
    try:
        body = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(other.stem for other in file.parent.glob("*.yaml")))
        raise ConfigurationError(f"there is no table '{name}'", where=str(file), expected=known) from None
    except (OSError, UnicodeDecodeError, YAMLError):
        raise ConfigurationError("the table cannot be read", where=str(file), expected="YAML in UTF-8") from None
    columns = body.get("columns") if isinstance(body, dict) else None
    if not isinstance(columns, list) or not columns:
        raise ConfigurationError("no columns", where=str(file), expected="columns: [{name, type}]")
    return Table(
        name,
        tuple(_column(file, column) for column in columns),
        str(body.get("delimiter", ";")),
        header=body.get("header", True) is not False,
        file=file,
    )


def _column(file: Path, body: object) -> Column:
    if not isinstance(body, dict) or not body.get("name"):
        raise ConfigurationError("a column has no name", where=str(file), expected="{name: …, type: text}")
    name = str(body["name"])
    if unknown := sorted(map(str, body.keys() - _KEYS)):
        raise ConfigurationError(f"column '{name}': unknown key '{unknown[0]}'", where=str(file))
    if body.get("type", "text") not in _KINDS:
        raise ConfigurationError(f"column '{name}': unknown type", where=str(file), expected=", ".join(_KINDS))
    return Column(
        str(body.get("key", name)),
        name,
        str(body.get("type", "text")),
        required=body.get("required") is True,
        max_length=body.get("max_length"),
    )


def _csv_line(cells: list[str], delimiter: str) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode("utf-8")


def _money(value: object) -> str:
    try:
        return to_text(Decimal(to_text(value))).replace(".", ",")
    except ArithmeticError:
        raise Unusable("der Betrag ist nicht lesbar", "ein Betrag") from None


def _whole(value: object) -> str:
    try:
        return str(int(to_text(value)))
    except ValueError:
        raise Unusable("die Zahl ist nicht lesbar", "eine ganze Zahl") from None


def _day(value: object) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(_BERLIN).date() if value.tzinfo else value.date()
    if not isinstance(value, date):
        try:
            value = date.fromisoformat(to_text(value))
        except ValueError:
            raise Unusable("das Datum ist nicht lesbar", "ein Tag") from None
    return value.strftime("%d.%m.%Y")
