"""The sandbox's payments and claims, and the days of its cash office.

AUSZAHLUNG   booked ─▶ paid ─▶ returned        what is booked or paid counts against its commitment
                └─▶ cancelled
ANNAHME      booked ─▶ refunded                what is booked or refunded counts against its payment
                └─▶ cancelled
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import date

from connectors.hkr.answers import AnswerBook
from connectors.hkr.papers import CANCELS, CLAIMS, PAYS, TAKEN, Arrived, Place, Verdict, mark

TABLES = """
create table if not exists payments (
  reference text primary key, kind text not null, related text not null, year text not null, chapter text not null,
  title text not null, area text not null, cents integer not null, due_on text not null, account text not null,
  state text not null, changed_on text not null);
create index if not exists payments_by_related on payments (related);
create table if not exists bounces (mark text primary key);
create table if not exists moments (
  reference text not null, what text not null, at text not null, primary key (reference, what));
"""

ORDERED = """select coalesce(sum(cents), 0) from payments
  where related = ? and kind = ? and state in ('booked', 'paid', 'refunded')"""
_COMES_BACK = """select * from payments where kind = 'AUSZAHLUNG' and state = 'paid' and changed_on < ?
  and (account in (select mark from bounces) or reference in (select mark from bounces)) order by rowid"""
_DUE = "select * from payments where state = 'booked' and due_on <= ? order by rowid"
_RETURNED = Verdict("AC04", "Das Konto ist aufgelöst")
_DONE = {PAYS: ("paid", "BEZAHLT"), CLAIMS: ("refunded", "EINGEGANGEN")}


class CashOffice:
    """Books within the caller's transaction."""

    def __init__(
        self, take: Callable[[str], bool], answers: AnswerBook, today: Callable[[], date], *, auto_pay: bool
    ) -> None:
        self._take, self._answers, self._today, self._auto_pay = take, answers, today, auto_pay

    # -- orders as they arrive -------------------------------------------------------------------------------

    def refusal(self, db: sqlite3.Connection, order: Arrived) -> Verdict:
        """Why an order is not booked."""
        if order.kind.endswith(CANCELS):
            return _no_cancelling(self._standing(db, order), order)
        if order.kind == PAYS:
            commitment = db.execute("select * from commitments where reference = ?", (order.related,)).fetchone()
            if commitment is None or commitment["cents"] == 0:
                return Verdict("BEZUG", "Die Festlegung ist nicht gebucht oder aufgehoben")
            return _too_much(db, commitment, order)
        if not order.related:
            return TAKEN
        payment = db.execute("select * from payments where reference = ?", (order.related,)).fetchone()
        if payment is None or payment["kind"] != PAYS or payment["state"] != "paid":
            return Verdict("BEZUG", "Die Auszahlung ist nicht bekannt oder nicht ausgezahlt")
        return _too_much(db, payment, order)

    def book(self, db: sqlite3.Connection, order: Arrived) -> None:
        """Book what is not refused, and say so; paid at once where the sandbox was told to."""
        if order.kind.endswith(CANCELS):
            standing = self._standing(db, order)
            assert standing is not None
            _move(db, standing["reference"], "cancelled", self._today())
            self._answers.give(db, order.reference, "AUFGEHOBEN", standing["cents"], self._today())
            return
        place = (order.place.year, order.place.chapter, order.place.title, order.place.area)
        kept = (order.cents, order.due_on, order.account, "booked", self._today().isoformat())
        values = (order.reference, order.kind, order.related, *place, *kept)
        db.execute(f"insert into payments values ({', '.join('?' * len(values))})", values)  # noqa: S608 - only marks
        swapped = self._take("reordered_ack")
        if swapped:
            self._settle(db, order.reference, self._today())
        self._answers.give(db, order.reference, "GEBUCHT", order.cents, self._today())
        if not swapped and (self._auto_pay or self._take("auto_pay")):
            self._settle(db, order.reference, self._today())

    def _standing(self, db: sqlite3.Connection, order: Arrived) -> sqlite3.Row | None:
        """The order that a cancellation is about."""
        query = "select * from payments where reference = ? and kind = ?"
        row: sqlite3.Row | None = db.execute(query, (order.related, order.kind.removesuffix(CANCELS))).fetchone()
        return row

    # -- the cash office -------------------------------------------------------------------------------------

    def day(self, db: sqlite3.Connection, on: date) -> dict[str, int]:
        """One day of the cash office: what was paid before and is armed comes back, what is due is paid or comes in.

        The same day again does nothing more. Gives the number of orders per what happened.
        """
        back = db.execute(_COMES_BACK, (on.isoformat(),)).fetchall()
        for row in back:
            _move(db, row["reference"], "returned", on)
            self._answers.give(db, row["reference"], "RUECKLAEUFER", row["cents"], on, _RETURNED)
        due = db.execute(_DUE, (on.isoformat(),)).fetchall()
        for row in due:
            self._settle(db, row["reference"], on)
        paid = sum(row["kind"] == PAYS for row in due)
        return {"returned": len(back), "paid": paid, "refunded": len(due) - paid}

    def _settle(self, db: sqlite3.Connection, reference: str, on: date) -> None:
        row = db.execute("select * from payments where reference = ?", (reference,)).fetchone()
        state, event = _DONE[row["kind"]]
        if row["kind"] == PAYS and self._take("bounce"):
            arm_bounces(db, [reference])
        _move(db, reference, state, on)
        self._answers.give(db, reference, event, row["cents"], on)


def arm_bounces(db: sqlite3.Connection, references: Iterable[str], ibans: Iterable[str] = ()) -> None:
    """Let what is paid under these Fremdkennzeichen, or to these accounts, come back on a later day."""
    marks = [*references, *map(mark, ibans)]
    db.executemany("insert or ignore into bounces values (?)", [(one,) for one in marks])


def note(db: sqlite3.Connection, reference: str, what: str, at: str) -> None:
    """When something happened to an order for the first time."""
    db.execute("insert or ignore into moments values (?, ?, ?)", (reference, what, at))


def _move(db: sqlite3.Connection, reference: str, state: str, on: date) -> None:
    db.execute("update payments set state = ?, changed_on = ? where reference = ?", (state, on.isoformat(), reference))
    note(db, reference, state, on.isoformat())


def _no_cancelling(standing: sqlite3.Row | None, order: Arrived) -> Verdict:
    if standing is None or standing["state"] == "cancelled":
        return Verdict("BEZUG", "Die Anordnung ist nicht bekannt oder schon aufgehoben")
    if standing["state"] != "booked":
        return Verdict("AUSGEFUEHRT", "Die Anordnung ist schon ausgeführt")
    return _elsewhere(standing, order)


def _too_much(db: sqlite3.Connection, standing: sqlite3.Row, order: Arrived) -> Verdict:
    """Whether an order fits into what is there: its commitment, or the payment whose money comes back."""
    taken: int = db.execute(ORDERED, (order.related, order.kind)).fetchone()[0]
    if taken + order.cents > standing["cents"]:
        return Verdict("UEBERSCHRITTEN", "Mehr, als festgelegt oder ausgezahlt ist")
    return _elsewhere(standing, order)


def _elsewhere(standing: sqlite3.Row, order: Arrived) -> Verdict:
    if Place(standing["year"], standing["chapter"], standing["title"], standing["area"]) != order.place:
        return Verdict("BUCHUNGSSTELLE", "Das, worum es geht, steht auf einer anderen Buchungsstelle")
    return TAKEN
