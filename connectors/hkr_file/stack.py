"""A batch as a file: lines that mappings wrote, around them header and trailer with the control totals.

    lines (stored bytes) ──marks added──▶ lines ──totals──▶ header, lines, trailer
    file ──▶ header and trailer compared with what its lines say ──▶ cells

Which columns there are says the table (kiezbruecke.mapping.schema.columns); nothing here knows a system by name.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from kiezbruecke.connector import BatchHead, Mark, Message
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.schema.columns import MARKS, LayoutColumn
from kiezbruecke.mapping.schema.tables import TableLayout
from kiezbruecke.mapping.values import Unusable

MODULUS = 10**20
"""Check sums of IBANs and BICs have twenty digits."""

NEEDS_MARKS = ("payment.", "refund.")
"""Effects that move money: three people's marks belong to each of them (VV zu § 70 LHO)."""

_ENDS = {"crlf": b"\r\n", "lf": b"\n", "none": b""}
_BY_SUMS = ("count", "records", "sum", "iban_sum", "bic_sum", "sha256")


class Damaged(ValueError):
    """A file is not what its own totals say; one German line without values."""


@dataclass(frozen=True)
class Sender:
    """Who hands the batch over."""

    unit: str  # Dienststelle
    sender: str  # Vorverfahren


def write_stack(table: TableLayout, head: BatchHead, origin: Sender, messages: Sequence[Message]) -> bytes:
    """The file; the same arguments give the same bytes. Raises RecordError naming the order."""
    assert table.file is not None
    signed = any(column.fact for column in table.columns)
    rows = [_row(table, message, signed=signed) for message in messages]
    _refuse_twins(table, messages, [cells for _, cells in rows])
    lines = [line for line, _ in rows]
    facts = {**_about(head, origin), **totals(table, lines, [cells for _, cells in rows])}
    header = _part(table.file_header, facts, head)
    return b"".join([table.header_line(), header, *lines, _part(table.file_trailer, facts, head)])


def read_stack(table: TableLayout, body: bytes) -> list[tuple[bytes, dict[str, str]]]:
    """The lines of a file with their cells, by key; raises Damaged where totals and lines are not one."""
    records = _records(table, body)
    if (names := table.header_line()) and (not records or records.pop(0) != names):
        raise Damaged(f"die erste Zeile nennt nicht die Spalten des Aufbaus {table.name}")
    header = _taken(table.file_header, records, 0, "der Vorsatz")
    trailer = _taken(table.file_trailer, records, -1, "der Nachsatz")
    rows = [(record, _cells(table, record, number)) for number, record in enumerate(records, start=1)]
    facts = totals(table, records, [cells for _, cells in rows])
    _compare(table.file_header, header, facts)
    _compare(table.file_trailer, trailer, facts)
    return rows


def totals(table: TableLayout, lines: Sequence[bytes], rows: Sequence[Mapping[str, str]]) -> dict[str, object]:
    """What header and trailer say of the lines; sums exact, whatever the amounts."""
    assert table.file is not None
    reads, parts = table.file.reads, len(table.file.parts)
    facts: dict[str, object] = {"count": len(lines), "records": len(lines) + parts}
    facts["sha256"] = hashlib.sha256(b"".join(lines)).hexdigest()
    if "amount" in reads:
        facts |= _sums(table, rows)
    if "iban" in reads:
        facts["iban_sum"] = sum(map(iban_number, (row[reads["iban"]] for row in rows))) % MODULUS
    if "bic" in reads:
        facts["bic_sum"] = sum(map(_number, (row[reads["bic"]] for row in rows))) % MODULUS
    return facts


def iban_number(iban: str) -> int:
    """The number that the check of an IBAN divides by 97 (ISO 13616): country and check digits behind; 0 for none."""
    return _number(iban[4:] + iban[:4])


def _number(text: str) -> int:
    digits = "".join(str(int(sign, 36)) for sign in text if sign.isascii() and sign.isalnum())
    return int(digits or 0)


def _sums(table: TableLayout, rows: Sequence[Mapping[str, str]]) -> dict[str, object]:
    assert table.file is not None
    amount, kind = table.file.reads["amount"], table.file.reads.get("kind", "")
    column = next(column for column in table.columns if column.key == amount)
    cents: dict[str, int] = defaultdict(int)
    for row in rows:
        cents[row.get(kind, "")] += column.cents(row[amount])
    return {"sum": _euros(sum(cents.values())), **{f"sum.{name}": _euros(found) for name, found in cents.items()}}


def _euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


# -- one line -------------------------------------------------------------------------------------------------------


def _row(table: TableLayout, message: Message, *, signed: bool) -> tuple[bytes, dict[str, str]]:
    """The line with its marks. Without them it must be the stored bytes again, or the layout has changed since."""
    where = f"Anordnung {message.reference}"
    try:
        cells = table.read_line(message.payload.removesuffix(_ENDS[table.line_end]))
        bare = {**cells, **dict.fromkeys((column.key for column in table.columns if column.fact), "")}
        same = table.line(bare) == message.payload
        _sums(table, [cells]) if table.file and "amount" in table.file.reads else None
    except ValueError:
        same = False
    if not same:
        raise RecordError(
            f"ist kein Satz nach dem Aufbau {table.name}",
            where=where,
            expected=f"eine Nachricht der Zuordnung für {table.name}",
        )
    if _reads(table, "reference", cells) not in (None, message.reference):
        raise RecordError("das Fremdkennzeichen des Satzes ist nicht das der Nachricht", where=where)
    if not (signed and message.effect.startswith(NEEDS_MARKS)):
        return message.payload, cells
    cells = {**bare, **_marks(table, message.marks, where)}
    return table.line(cells), cells


def _reads(table: TableLayout, what: str, cells: Mapping[str, str]) -> str | None:
    assert table.file is not None
    key = table.file.reads.get(what)  # type: ignore[call-overload]
    return None if key is None else cells[key]


def _marks(table: TableLayout, marks: Iterable[Mark], where: str) -> dict[str, str]:
    """The cells that people's marks fill; all three must be there."""
    given = {str(mark.kind): mark for mark in marks}
    if missing := [kind for kind in MARKS if kind not in given]:
        raise RecordError(f"der Vermerk „{missing[0]}“ fehlt", where=where, helps="erst freigeben, dann senden")
    return {
        column.key: _cell(table, column, _of_mark(given[kind], what), where)
        for column in table.columns
        if column.fact
        for kind, _, what in [column.fact.partition(".")]
    }


def _of_mark(mark: Mark, what: str) -> object:
    match what:
        case "person":
            return mark.person
        case "account":
            return mark.account
        case "at":
            return mark.at.astimezone(UTC)
        case _:
            return mark.how


def _cell(table: TableLayout, column: LayoutColumn, value: object, where: str) -> str:
    if isinstance(value, datetime) and column.type == "text":
        value = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    try:
        return table.cell(column, value)
    except Unusable as unusable:
        raise RecordError(
            f"„{column.name or column.key}“: {unusable.problem}", where=where, expected=unusable.expected
        ) from None


def _refuse_twins(table: TableLayout, messages: Sequence[Message], rows: Sequence[Mapping[str, str]]) -> None:
    names = sorted(
        _reads(table, "reference", cells) or message.reference for message, cells in zip(messages, rows, strict=True)
    )
    for one, other in pairwise(names):
        if one == other:
            raise RecordError("steht zweimal im Stapel", where=f"Anordnung {one}")


# -- header and trailer ---------------------------------------------------------------------------------------------


def _about(head: BatchHead, origin: Sender) -> dict[str, object]:
    return {
        "batch": head.id,
        "batch_short": hashlib.sha256(head.id.encode()).hexdigest()[:8].upper(),
        "unit": origin.unit,
        "sender": origin.sender,
        "created_at": head.created_at,
        "year": head.fiscal_year,
        "test": head.test,
    }


def _part(part: TableLayout | None, facts: Mapping[str, object], head: BatchHead) -> bytes:
    if part is None:
        return b""
    where = f"Stapel {head.id}"
    return part.line(
        {column.key: _cell(part, column, _fact(column, facts), where) for column in part.columns if column.fact}
    )


def _fact(column: LayoutColumn, facts: Mapping[str, object]) -> object:
    assert column.fact is not None
    return facts.get(column.fact, Decimal("0.00"))  # the sum of a kind of which there is no line


def _records(table: TableLayout, body: bytes) -> list[bytes]:
    """The records with their ends."""
    end = _ENDS[table.line_end]
    if not end:
        size = sum(column.length or 0 for column in table.columns)  # one byte each, in all encodings without a line end
        return [body[start : start + size] for start in range(0, len(body), size)]
    if body and not body.endswith(end):
        raise Damaged("die letzte Zeile ist nicht vollständig")
    return [line + end for line in body.split(end)[:-1]]


def _taken(part: TableLayout | None, records: list[bytes], place: int, name: str) -> dict[str, str]:
    if part is None:
        return {}
    try:
        return part.read_line(records.pop(place).removesuffix(_ENDS[part.line_end]))
    except (ValueError, IndexError):
        raise Damaged(f"{name} fehlt oder hat einen anderen Aufbau") from None


def _cells(table: TableLayout, record: bytes, number: int) -> dict[str, str]:
    try:
        cells = table.read_line(record.removesuffix(_ENDS[table.line_end]))
        if table.file and "amount" in table.file.reads:
            _sums(table, [cells])
    except ValueError:
        raise Damaged(f"der {number}. Satz hat einen anderen Aufbau") from None
    return cells


_WORDS = {
    "count": "die Anzahl",
    "records": "die Zahl der Sätze",
    "sum": "die Summe",
    "iban_sum": "die Prüfsumme der IBAN",
    "bic_sum": "die Prüfsumme der BIC",
    "sha256": "die Prüfsumme SHA-256",
}


def _compare(part: TableLayout | None, said: Mapping[str, str], facts: Mapping[str, object]) -> None:
    """What header or trailer say of the lines must be what the lines are."""
    for column in part.columns if part else ():
        name = (column.fact or "").partition(".")[0]
        if part is not None and name in _BY_SUMS and said[column.key] != part.cell(column, _fact(column, facts)):
            raise Damaged(f"{_WORDS[name]} stimmt nicht mit den Sätzen überein")
