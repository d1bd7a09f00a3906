"""What carries many lines of one table to another system: a file with a header, control totals, marks of people.

    header    batch, sender, year …                      facts of the file
    lines     one per message, as its mapping wrote it   facts of its marks, added when the file is made
    trailer   count, sums, check sums, SHA-256           facts of the file

It stands under `file:` in the table's description, so another system is one description (docs/how-to).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kiezbruecke.mapping.schema.columns import LayoutColumn

Part = tuple[LayoutColumn, ...]
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


_NEEDS: Mapping[str, tuple[Read, ...]] = {"sum": ("amount",), "iban_sum": ("iban",), "bic_sum": ("bic",)}
