"""The sandbox's own books in SQLite: what arrived, what was booked, paid, returned, and what was said of it.

file ──▶ totals ──▶ line checks ──▶ booking ──▶ answers ──▶ a payment run ──▶ more answers
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.hkr_file._sandbox_parser import Order, Refused, Stack, numeric, parse

_TABLES = """
create table if not exists batches (
  id text primary key, digest text not null, code text not null, times integer not null default 1);
create table if not exists orders (
  reference text primary key, batch text not null, kind text not null, related text not null, cents integer not null,
  area text not null, state text not null, voucher text not null);
create table if not exists received (reference text primary key, times integer not null default 1);
create table if not exists answers (
  number integer primary key, batch text not null, reference text not null, event text not null,
  cents integer not null, day text not null, voucher text not null, code text not null, text text not null,
  written integer not null default 0);
create table if not exists refused (batch text not null, reference text not null, code text not null);
"""
_COMMITMENTS, _PAYMENT, _PAYMENT_CANCEL, _CLAIM, _CLAIM_CANCEL = ("10", "11", "12"), "20", "21", "30", "31"
_MONEY = (_PAYMENT, _PAYMENT_CANCEL, _CLAIM, _CLAIM_CANCEL)


@dataclass(frozen=True)
class Answer:
    """One line of an answer file."""

    number: int
    batch: str
    reference: str
    event: str
    cents: int
    day: str
    voucher: str
    code: str
    text: str


class Books:
    """One file, one transaction per call. `take` asks whether a fault is armed, and uses it up."""

    def __init__(self, file: Path, take: Callable[[str], bool], today: Callable[[], str], *, loose: bool) -> None:
        self._file, self._take, self._today = file, take, today
        self._loose = loose  # commitments are booked elsewhere: a payment may name one that is not here

    def submit(self, body: bytes) -> str:
        """Take a file; what became of it as a whole: TAKEN, REPEATED, or a code."""
        try:
            stack, refusal = parse(body), None
        except Refused as refused:
            stack, refusal = Stack(refused.batch, "", "", "", False, refused.orders), refused
        digest = hashlib.sha256(body).hexdigest()
        with self._open() as db:
            known = db.execute("select digest from batches where id = ?", (stack.batch,)).fetchone()
            for order in stack.orders:
                db.execute(
                    "insert into received (reference) values (?) on conflict do update set times = times + 1",
                    (order.reference,),
                )
            if known is not None:
                db.execute("update batches set times = times + 1 where id = ?", (stack.batch,))
                return "REPEATED" if known["digest"] == digest else "STAPEL"
            code = refusal.code if refusal else ""
            db.execute("insert into batches (id, digest, code) values (?, ?, ?)", (stack.batch, digest, code))
            for order in stack.orders:
                self._line(db, stack, order, (refusal.code, refusal.text) if refusal else None)
            return code or "TAKEN"

    def pay(self) -> int:
        """The payment run: what is booked is paid, what is claimed comes in; how many answers that gave."""
        with self._open() as db:
            rows = db.execute("select * from orders where state = 'GEBUCHT' and kind in ('20', '30')").fetchall()
            for row in rows:
                event = "BEZAHLT" if row["kind"] == _PAYMENT else "EINGEGANGEN"
                db.execute("update orders set state = ? where reference = ?", (event, row["reference"]))
                self._answer(db, row, event)
            return len(rows)

    def bounce(self, reference: str) -> None:
        """The bank gives a payment back, days later."""
        with self._open() as db:
            row = db.execute(
                "select * from orders where reference = ? and state = 'BEZAHLT' and kind = '20'", (reference,)
            ).fetchone()
            if row is not None:
                db.execute("update orders set state = 'RUECKLAEUFER' where reference = ?", (reference,))
                self._answer(db, row, "RUECKLAEUFER", "AC04", "Konto aufgelöst")

    def unwritten(self) -> list[Answer]:
        """The answers that no file holds yet; now one will."""
        with self._open() as db:
            rows = db.execute("select * from answers where not written order by number").fetchall()
            db.execute("update answers set written = 1 where not written")
            return [Answer(**{key: row[key] for key in row.keys() if key != "written"}) for row in rows]  # noqa: SIM118

    def received(self) -> list[dict[str, str | int]]:
        """Every order that arrived: how often, its state, and what was said; no names, no accounts."""
        with self._open() as db:
            rows = db.execute(
                "select r.reference, r.times, o.batch, o.kind, o.cents, o.state, (select group_concat(event)"
                " from (select event from answers a where a.reference = r.reference order by number)) as events"
                " from received r left join orders o using (reference) order by r.rowid"
            ).fetchall()
        return [{key: "" if row[key] is None else row[key] for key in row.keys()} for row in rows]  # noqa: SIM118

    def batches(self) -> list[dict[str, str | int]]:
        """Every file by its batch id: how often it came and why it was refused."""
        with self._open() as db:
            return [dict(row) for row in db.execute("select id, code, times from batches order by rowid").fetchall()]

    # -- one order ------------------------------------------------------------------------------------------------

    def _line(self, db: sqlite3.Connection, stack: Stack, order: Order, whole: tuple[str, str] | None) -> None:
        code, text = whole or self._refusal(db, stack, order) or ("", "")
        number = db.execute("select count(*) + 1 from orders").fetchone()[0]
        row = {"batch": stack.batch, "reference": order.reference, "cents": order.cents, "voucher": f"B{number:09d}"}
        if code:
            db.execute("insert into refused values (?, ?, ?)", (stack.batch, order.reference, code))
            self._answer(db, row, "ABGEWIESEN", code, text)
            return
        event = self._book(db, order)
        db.execute(
            "insert into orders values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order.reference,
                stack.batch,
                order.kind,
                order.related,
                order.cents,
                order.area,
                event,
                row["voucher"],
            ),
        )
        self._answer(db, row, event)

    def _book(self, db: sqlite3.Connection, order: Order) -> str:
        if order.kind in (_PAYMENT_CANCEL, _CLAIM_CANCEL, "12"):
            db.execute("update orders set state = 'AUFGEHOBEN' where reference = ?", (order.related,))
            return "AUFGEHOBEN"
        if order.kind == "11":
            db.execute("update orders set cents = ? where reference = ?", (order.cents, order.related))
        return "FESTGELEGT" if order.kind in _COMMITMENTS else "GEBUCHT"

    def _refusal(self, db: sqlite3.Connection, stack: Stack, order: Order) -> tuple[str, str] | None:
        """Why an order is not booked."""
        related = db.execute("select * from orders where reference = ?", (order.related,)).fetchone()
        twin = db.execute("select 1 from orders where reference = ?", (order.reference,)).fetchone()
        refusals = [
            ("DOPPELT", "Unter diesem Fremdkennzeichen ist schon gebucht", twin is not None),
            ("ART", "Die Art ist nicht bekannt", order.kind not in (*_COMMITMENTS, *_MONEY)),
            ("BETRAG", "Der Betrag ist null", order.cents == 0),
            ("JAHR", "Das Haushaltsjahr ist nicht das des Stapels", order.year != stack.year),
            ("VERMERKE", "Ein Vermerk fehlt", order.kind in _MONEY and _unsigned(order)),
            ("VIERAUGEN", "Wer anordnet, hat auch bestätigt", order.kind in _MONEY and _alone(order)),
            ("IBAN", "Die IBAN ist falsch", order.kind == _PAYMENT and numeric(order) % 97 != 1),
            ("NAME", "Der Kontoinhaber fehlt", order.kind == _PAYMENT and not order.name),
            ("BEZUG", "Die Bezugsanordnung passt nicht", self._unrelated(order, related)),
            ("FESTLEGUNG", "Die Festlegung reicht nicht", self._too_much(db, order, related)),
            ("SACHBEARBEITUNG", "Bei der Buchung zurückgewiesen", self._take("refuse_one")),
        ]  # fmt: skip
        return next(((code, text) for code, text, applies in refusals if applies), None)

    def _unrelated(self, order: Order, related: sqlite3.Row | None) -> bool:
        wanted = {
            "11": ("10", "FESTGELEGT"),
            "12": ("10", "FESTGELEGT"),
            _PAYMENT: ("10", "FESTGELEGT"),
            _PAYMENT_CANCEL: (_PAYMENT, "GEBUCHT"),
            _CLAIM_CANCEL: (_CLAIM, "GEBUCHT"),
        }.get(order.kind)
        if wanted is None or (self._loose and related is None and order.kind == _PAYMENT):
            return False
        return related is None or (related["kind"], related["state"]) != wanted

    def _too_much(self, db: sqlite3.Connection, order: Order, related: sqlite3.Row | None) -> bool:
        if order.kind != _PAYMENT or related is None:
            return order.kind == _PAYMENT and not self._loose
        query = (
            "select coalesce(sum(cents), 0) from orders where related = ? and kind = '20'"
            " and state in ('GEBUCHT', 'BEZAHLT')"
        )
        spent: int = db.execute(query, (order.related,)).fetchone()[0]
        return spent + order.cents > int(related["cents"])

    def _answer(
        self,
        db: sqlite3.Connection,
        row: sqlite3.Row | Mapping[str, Any],
        event: str,
        code: str = "",
        text: str = "",
    ) -> None:
        if self._take("unknown_event"):
            event = "VERSCHOBEN"
        more = 1 if self._take("wrong_amount") else 0
        db.execute(
            "insert into answers (batch, reference, event, cents, day, voucher, code, text) values (?,?,?,?,?,?,?,?)",
            (
                row["batch"],
                row["reference"],
                event,
                int(row["cents"]) + more,
                self._today(),
                row["voucher"],
                code,
                text,
            ),
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30)) as db:
            db.row_factory = sqlite3.Row
            db.executescript(_TABLES)
            with db:
                yield db


def _unsigned(order: Order) -> bool:
    return not all(one.account and one.at for one in order.signatures)


def _alone(order: Order) -> bool:
    factual, arithmetical, ordered = (one.account for one in order.signatures)
    return ordered in (factual, arithmetical)
