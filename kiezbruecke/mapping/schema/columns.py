"""A table's columns: what may stand in a cell, how a value is written there; and the file that carries many lines.

    header    batch, sender, year …                      facts of the file
    lines     one per message, as its mapping wrote it   facts of its marks, added when the file is made
    trailer   count, sums, check sums, SHA-256           facts of the file

The file stands under `file:` in the table's description, so another system is one description (docs/how-to).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kiezbruecke.german import BERLIN
from kiezbruecke.mapping.steps.dates import written as day_written
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why
from kiezbruecke.plaintext import harmless

_TRUTHS = {"ja_nein": ("ja", "nein"), "J_N": ("J", "N"), "1_0": ("1", "0")}
_YES, _NO = frozenset({"ja", "true", "1"}), frozenset({"nein", "false", "0"})
_FORMATS: dict[str, tuple[str, ...]] = {  # the first is the default
    "date": ("TT.MM.JJJJ", "TTMMJJJJ", "JJJJMMTT", "JJMMTT", "JJJJ-MM-TT"),
    "money": ("comma", "point", "cents"),
    "yes_no": tuple(_TRUTHS),
}
Role = Literal["reference", "area", "process", "fiscal_year", "meeting", "title", "correction"]
_UNREACHABLE = re.compile(r"[/@\[\]]")  # what a target path cannot name
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # and what no text may hold
_COMMA, _POINT, _CENTS = (re.compile(one) for one in (r"-?\d{1,15},\d\d", r"-?\d{1,15}\.\d\d", r"-?\d{1,17}"))
Read = Literal["reference", "kind", "amount", "iban", "bic"]

FACTS = {
    "batch": "the batch's id, at most 35 characters",
    "batch_short": "eight letters and digits of it, for systems with short file ids",
    "unit": "Dienststelle",
    "sender": "Vorverfahren",
    "created_at": "when the batch was made, UTC; in a column of type date the day in Berlin",
    "year": "Haushaltsjahr",
    "test": "whether it is a test",
    "count": "how many lines",
    "records": "how many records, header and trailer counted",
    "sum": "the sum of all lines; sum.20 of those of the kind 20",
    "iban_sum": "sum of all IBANs as numbers (the form that mod 97 takes), modulo 10^20",
    "bic_sum": "the same of all BICs, letters as 10 to 35",
    "sha256": "of the bytes of all lines with their ends, in hexadecimal digits",
}
MARKS = ("sachlich", "rechnerisch", "angeordnet")
MARK_FACTS = tuple(f"{mark}.{what}" for mark in MARKS for what in ("person", "account", "at", "how"))
_SUM_OF = re.compile(r"sum\.[A-Za-z0-9_-]{1,40}")
_NEEDS: Mapping[str, tuple[Read, ...]] = {"sum": ("amount",), "iban_sum": ("iban",), "bic_sum": ("bic",)}


class LayoutColumn(BaseModel):
    """A column: `key` is its name in mappings, `name` what stands in the header.

    With `length` (characters) it is a field of a fixed-length record. There, a column with `const`, or with neither
    name nor key, is no target: it always holds its constant, or only what it is filled with.

    In a table that people fill in or other systems write: `required` is a column and a value in every line, `present`
    a column whose cells may be empty; `aliases` are other spellings of its header; `role` is what it is to whoever
    reads the sheet; `repeats` says that „wie oben“ means the value above; `empty` is what an empty cell says, or a
    column that is not there; `choices` is a code list for the template. `secret`: its values are account data; whoever
    reads the sheet keeps them in the vault and says them nowhere.

    In a file that carries many lines (`kiezbruecke.mapping.schema.columns`) a column may hold a `fact`: of the whole
    file in its header and trailer, a mark of a person in its lines. No rule fills it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = ""
    key: str = ""
    aliases: tuple[str, ...] = Field((), strict=False)
    role: Role | None = None
    repeats: bool = False
    choices: str = ""
    empty: str = ""
    type: Literal["text", "money", "number", "integer", "date", "yes_no"] = "text"
    format: Literal[
        "TT.MM.JJJJ", "TTMMJJJJ", "JJJJMMTT", "JJMMTT", "JJJJ-MM-TT", "comma", "point", "cents", "ja_nein", "J_N", "1_0"
    ] | None = None  # fmt: skip
    required: bool = False
    present: bool = False
    secret: bool = False
    max_length: int | None = Field(None, ge=1)
    note: str = ""
    length: int | None = Field(None, ge=1, le=100_000)
    start: int | None = Field(None, ge=1)
    align: Literal["left", "right"] | None = None
    fill: Literal[" ", "0"] | None = None
    const: str | None = None
    fact: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, body: Any) -> Any:
        """Without a key the fact or the name is the key; `fill: 0` is the character."""
        if not isinstance(body, dict):
            return body
        zero = {"fill": "0"} if body.get("fill") == 0 and body["fill"] is not False else {}
        return {"key": body.get("fact") or body.get("name", ""), **body, **zero}

    @model_validator(mode="after")
    def _agrees(self) -> LayoutColumn:
        allowed = _FORMATS.get(self.type, ())
        if self.format is not None and self.format not in allowed:
            raise ValueError(f"a column of type {self.type} has no format '{self.format}'; expected {_or(allowed)}")
        if self.fill == "0" and not self.right:
            raise ValueError("zeros on the right would change the value; expected align: right")
        if _UNREACHABLE.search(self.key):
            raise ValueError("the key holds / @ [ or ], which no target can name; expected a key such as ja_nein")
        if self.const is not None and self.fact is not None:
            raise ValueError("a column holds a constant or a fact; expected one of them")
        if self.filler and not self.fact and (self.required or self.type != "text" or self.max_length):
            raise ValueError("no rule fills this column; expected only length, align, fill and const, or a name")
        if self.length is not None and len(self._longest()) > self.length:
            raise ValueError(f"'{self._longest()}' needs more than {self.length} characters")
        return self

    @property
    def filler(self) -> bool:
        """Whether no rule fills it."""
        return self.const is not None or self.fact is not None or not self.key

    @property
    def mandatory(self) -> bool:
        """Whether a sheet without this column is refused."""
        return self.required or self.present

    @property
    def headers(self) -> tuple[str, ...]:
        """Every name under which it may stand in a header."""
        return (self.name, *self.aliases)

    @property
    def right(self) -> bool:
        """Whether the value stands at the right end; numbers do unless the layout says otherwise."""
        return (self.align or ("right" if self.type in {"money", "number", "integer"} else "left")) == "right"

    @property
    def limit(self) -> int | None:
        """The most characters that a value may have."""
        return min((size for size in (self.length, self.max_length) if size is not None), default=None)

    def cell(self, value: object, *, machine: bool = False) -> str:
        """The value as it stands in the cell, not filled up; raises Unusable. `machine`: no spreadsheet opens it."""
        text = self._written(value)
        if self.limit is not None and len(text) > self.limit:
            raise Unusable(Why.TOO_LONG(), Instead.AT_MOST_CHARACTERS(self.limit))
        if self.length is not None or machine:
            return _one_line(text)
        return harmless(text) if self.type == "text" else text

    def padded(self, text: str) -> str:
        """The text filled up to the column's length; a sign stands before the zeros."""
        size, fill = self.length or 0, self.fill or " "
        if self.right and fill == "0" and self.type != "text":
            return text.zfill(size)
        return text.rjust(size, fill) if self.right else text.ljust(size, fill)

    def stripped(self, text: str) -> str:
        """What `padded` has filled up, without it."""
        if self.type == "text" or not self.right:
            return text.strip(self.fill or " ") if self.right else text.rstrip(self.fill or " ")
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        bare = digits.strip() if (self.fill or " ") == " " else digits.lstrip("0") or "0"
        return f"{sign}{bare}"

    def cents(self, text: str) -> int:
        """A cell of a `money` column in cents; raises ValueError."""
        known = {"comma": _COMMA, "point": _POINT, "cents": _CENTS}[self._written_as]
        if not known.fullmatch(text):
            raise ValueError("no sum of money")
        return int(text.replace(",", "").replace(".", ""))

    def _written(self, value: object) -> str:
        written = self._written_as
        match self.type:
            case "money":
                return _money(value, written)
            case "date":
                return day_written(_day(value), written)
            case "integer":
                return _whole(value)
            case "number":
                return _number(value)
            case "yes_no":
                return _yes_or_no(value, _TRUTHS[written])
            case _:
                return _readable(value)

    def _longest(self) -> str:
        """The longest text that the column's own words decide; values are looked at one by one."""
        if self.const is not None:
            return self.const
        if self.type == "yes_no":
            return max(_TRUTHS[self._written_as], key=len)
        return self._written_as if self.type == "date" else ""

    @property
    def _written_as(self) -> str:
        """The name of the form; empty for a type that has only one."""
        allowed = _FORMATS.get(self.type, ("",))
        return self.format or allowed[0]


Part = tuple[LayoutColumn, ...]


class Carrier(BaseModel):
    """The file around the lines. `ending` is that of its name; `reads` names the columns that totals are made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    ending: str = Field("", pattern=r"^[a-z0-9]{0,8}$")
    reads: Mapping[Read, str] = {}
    header: Part = Field((), strict=False)
    trailer: Part = Field((), strict=False)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Header and trailer, as far as there are any."""
        return tuple(part for part in (self.header, self.trailer) if part)

    def check(self, columns: Mapping[str, LayoutColumn]) -> None:
        """Raise ValueError where the file asks for a column or a fact that does not exist; `columns`: by key."""
        for what, key in self.reads.items():
            if key not in columns:
                raise ValueError(f"reads: {what} is no column '{key}'; expected {', '.join(columns)}")
        if "amount" in self.reads and columns[self.reads["amount"]].type != "money":
            raise ValueError("reads: amount is no sum of money; expected a column of type money")
        for column in columns.values():
            if column.fact and column.fact not in MARK_FACTS:
                raise ValueError(f"no line has the fact '{column.fact}'; expected {', '.join(MARK_FACTS)}")
        for column in (column for part in self.parts for column in part):
            self._check_fact(column)

    def _check_fact(self, column: LayoutColumn) -> None:
        fact = column.fact or ""
        if not column.filler:
            raise ValueError(f"no rule fills '{column.key}' of header or trailer; expected const or fact")
        if fact and fact not in FACTS and not _SUM_OF.fullmatch(fact):
            raise ValueError(f"no file has the fact '{fact}'; expected {', '.join(FACTS)}")
        what, _, kind = fact.partition(".")
        needs: tuple[Read, ...] = (*_NEEDS.get(what, ()), *(("kind",) if kind else ()))
        if missing := [one for one in needs if one not in self.reads]:
            raise ValueError(f"'{fact}' needs to know a column; expected reads: {{{missing[0]}: <key>}}")


def _or(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "no format at all"


def _readable(value: object) -> str:
    text = to_text(value)
    if _CONTROL.search(text):
        raise Unusable(Why.CONTROL(), Instead.READABLE())
    return text


def _yes_or_no(value: object, words: tuple[str, str]) -> str:
    """The column's word for a truth; a text that says neither is refused: `nein` would be a guess."""
    said = to_text(value).strip().casefold()
    yes, no = (word.casefold() for word in words)
    if said in {yes, *_YES}:
        return words[0]
    if said in {no, *_NO}:
        return words[1]
    raise Unusable(Why.NEITHER(), Instead.TRUTH(*words))


def _one_line(text: str) -> str:
    if _NOT_IN_A_LINE.search(text):
        raise Unusable(Why.TWO_LINES(), Instead.ONE_LINE())
    return text


def _money(value: object, written: str) -> str:
    try:
        amount = to_text(Decimal(_numeral(value)))
    except ArithmeticError:
        raise Unusable(Why.NO_SUM(), Instead.SUM()) from None
    if written == "cents":
        return str(int(amount.replace(".", "")))
    return amount if written == "point" else amount.replace(".", ",")


def _number(value: object) -> str:
    try:
        number = Decimal(str(value) if isinstance(value, int | float) else _numeral(value))
    except ArithmeticError:
        raise Unusable(Why.NO_NUMBER(), Instead.NUMBER_LIKE("52.4")) from None
    if not number.is_finite() or not -20 <= number.adjusted() <= 20:
        raise Unusable(Why.OUT_OF_RANGE(), Instead.NUMBER_LIKE("52.4"))
    return f"{number:f}"


def _whole(value: object) -> str:
    try:
        return str(int(_numeral(value)))
    except ValueError:
        raise Unusable(Why.NO_NUMBER(), Instead.WHOLE_NUMBER()) from None


def _numeral(value: object) -> str:
    """A value as a number may be written, else nothing: Python takes `1_000` and the digits of all scripts."""
    text = to_text(value)
    return text if text.isascii() and "_" not in text else ""


def _day(value: object) -> date:
    """The day; of a moment the day in Berlin."""
    if not isinstance(value, date):
        try:
            value = _read_day(to_text(value))
        except ValueError:
            raise Unusable(Why.NO_DAY(), Instead.DAY()) from None
    if isinstance(value, datetime):
        return value.astimezone(BERLIN).date() if value.tzinfo else value.date()
    return value


def _read_day(text: str) -> date:
    return date.fromisoformat(text) if "T" not in text else datetime.fromisoformat(text)
