"""The sandbox's own reading of a batch file: the positions as its operator would write them down, no client code.

Both layouts give the same `Stack`; a file whose control totals are not those of its records is refused whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

_KINDS = ("10", "11", "12", "20", "21", "30", "31")
_CSV_COLUMNS, _CSV_HEADER, _CSV_TRAILER = 28, 8, 12
_RECORD = 600


class Refused(Exception):
    """The whole file is not taken; `code` for answers, and those of its orders that could be read."""

    def __init__(self, code: str, text: str, orders: Sequence[Order] = (), batch: str = "") -> None:
        self.code, self.text, self.orders, self.batch = code, text, tuple(orders), batch
        super().__init__(code)


@dataclass(frozen=True)
class Signature:
    """Who vouches, and when."""

    account: str
    at: str


@dataclass(frozen=True)
class Order:
    """One record, in cents."""

    reference: str
    voucher: str
    kind: str
    related: str
    year: str
    chapter: str
    title: str
    area: str
    cents: int
    due: str = ""
    name: str = field(default="", repr=False)
    iban: str = field(default="", repr=False)
    bic: str = field(default="", repr=False)
    purpose: str = ""
    signatures: tuple[Signature, Signature, Signature] = (Signature("", ""),) * 3


@dataclass(frozen=True)
class Stack:
    """A batch whose totals hold."""

    batch: str
    unit: str
    sender: str
    year: str
    test: bool
    orders: tuple[Order, ...]


def parse(body: bytes) -> Stack:
    """Read a file of either layout; raises Refused."""
    try:
        return _fixed(body) if body[1:20] == b"KIEZBRUECKE-FIXED-1" else _csv(body)
    except (ValueError, IndexError):  # no number where one must be, no such field
        raise Refused("AUFBAU", "Ein Satz hat einen anderen Aufbau") from None


def _fixed(body: bytes) -> Stack:
    records = body.decode("iso-8859-15").split("\r\n")
    if records.pop() != "" or any(len(record) != _RECORD or record[-1] != "*" for record in records):
        raise Refused("AUFBAU", "Ein Satz hat nicht 600 Zeichen")
    first, last, lines = records[0], records[-1], records[1:-1]
    if first[0] != "1" or last[0] != "9" or any(line[0] != "2" for line in lines):
        raise Refused("AUFBAU", "Vorsatz, Anordnungen und Nachsatz stehen nicht in dieser Folge")
    batch = first[21:56].rstrip()
    details = "".join(f"{line}\r\n" for line in lines).encode("iso-8859-15")
    sums = [int(last[43 + 14 * number : 57 + 14 * number]) for number in range(7)]
    orders = tuple(map(_fixed_order, lines))
    said = _Said(last[1:36].rstrip(), int(last[36:43]), sums, int(last[141:161]), last[161:225])
    _check(batch, orders, details, said)
    return Stack(batch, first[56:91].rstrip(), first[91:126].rstrip(), first[146:150], first[150] == "J", orders)


def _fixed_order(line: str) -> Order:
    def at(start: int, length: int) -> str:
        return line[start : start + length].rstrip()

    marks = [424, 482, 540]
    return Order(
        reference=at(1, 35),
        voucher=at(36, 8),
        kind=at(44, 2),
        related=at(46, 35),
        year=at(81, 4),
        chapter=at(85, 4),
        title=at(89, 5),
        area=at(94, 6),
        cents=int(at(105, 14)),
        due=at(122, 8),
        name=at(130, 70),
        iban=at(200, 34),
        bic=at(234, 11),
        purpose=at(245, 140),
        signatures=tuple(Signature(at(place, 30), at(place + 30, 20)) for place in marks),  # type: ignore[arg-type]
    )


def _csv(body: bytes) -> Stack:
    try:
        text = body.decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Refused("AUFBAU", "Keine CSV-Datei in UTF-8") from None
    lengths = {0: _CSV_HEADER, len(rows) - 1: _CSV_TRAILER}
    if len(rows) < 2 or any(len(row) != lengths.get(number, _CSV_COLUMNS) for number, row in enumerate(rows)):
        raise Refused("AUFBAU", "Eine Zeile hat eine andere Zahl von Spalten")
    first, last = rows[0], rows[-1]
    if [row[0] for row in rows] != ["1", *["2"] * (len(rows) - 2), "9"]:
        raise Refused("AUFBAU", "Vorsatz, Anordnungen und Nachsatz stehen nicht in dieser Folge")
    details = body[body.index(b"\r\n") + 2 : body.rstrip(b"\r\n").rindex(b"\r\n") + 2]
    orders = tuple(map(_csv_order, rows[1:-1]))
    said = _Said(last[1], int(last[2]), [_cents(one) for one in last[3:10]], int(last[10]), last[11])
    _check(first[2], orders, details, said)
    return Stack(first[2], first[3], first[4], first[6], first[7] == "J", orders)


def _csv_order(row: list[str]) -> Order:
    return Order(
        reference=row[1],
        voucher=row[2],
        kind=row[3],
        related=row[4],
        year=row[5],
        chapter=row[6],
        title=row[7],
        area=row[8],
        cents=_cents(row[11]),
        due=row[13].replace("-", ""),
        name=row[14],
        iban=row[15],
        bic=row[16],
        purpose=row[17],
        signatures=tuple(Signature(row[place], row[place + 1]) for place in (19, 22, 25)),  # type: ignore[arg-type]
    )


def _cents(text: str) -> int:
    euros, _, rest = text.partition(",")
    if len(rest) != 2 or not (euros + rest).isdigit():
        raise Refused("AUFBAU", "Ein Betrag hat nicht zwei Stellen hinter dem Komma")
    return int(euros + rest)


@dataclass(frozen=True)
class _Said:
    """What the trailer says."""

    batch: str
    count: int
    sums: list[int]
    ibans: int
    digest: str


def _check(batch: str, orders: tuple[Order, ...], details: bytes, said: _Said) -> None:
    problems = [
        ("STAPEL", "Vorsatz und Nachsatz nennen verschiedene Stapel", said.batch != batch),
        ("ANZAHL", "Die Anzahl im Nachsatz ist nicht die der Sätze", said.count != len(orders)),
        (
            "SUMME",
            "Eine Summe im Nachsatz ist nicht die der Sätze",
            said.sums != [sum(one.cents for one in orders if one.kind == kind) for kind in _KINDS],
        ),
        ("IBAN", "Die Prüfsumme der IBAN stimmt nicht", said.ibans != sum(map(numeric, orders)) % 10**20),
        ("SHA256", "Die Prüfsumme SHA-256 stimmt nicht", said.digest != hashlib.sha256(details).hexdigest()),
    ]
    for code, text, applies in problems:
        if applies:
            raise Refused(code, text, orders, batch)


def numeric(order: Order) -> int:
    """An IBAN as the number that is divided by 97: the first four signs go behind, letters are 10 to 35."""
    turned = order.iban[4:] + order.iban[:4]
    return int("".join(sign if sign.isdigit() else str(ord(sign) - ord("A") + 10) for sign in turned) or "0")
