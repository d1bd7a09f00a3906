"""The sandbox's bookkeeping: what an accepted order does to the books, and the answer it gets.

A commitment has a total. A change sets it, a cancellation makes it zero, and a later change sets it anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import date

from connectors.hkr.answers import AnswerBook
from connectors.hkr.papers import CANCELS, COMMITS, PAYS, TAKEN, Arrived, Place, Verdict
from connectors.hkr.payments import ORDERED, CashOffice


class Bookings:
    """Books within the caller's transaction. `take` asks whether a fault is armed, and uses it up."""

    def __init__(
        self,
        take: Callable[[str], bool],
        limits: Mapping[str, int],
        today: Callable[[], date],
        *,
        auto_pay: bool = False,
    ) -> None:
        self._take, self._limits, self._today = take, limits, today
        self._answers = AnswerBook(take)
        self._payments = CashOffice(take, self._answers, today, auto_pay=auto_pay)

    def book(self, db: sqlite3.Connection, order: Arrived) -> None:
        """Book an order, or refuse it, and say so under the next running number."""
        commits = order.kind.startswith(COMMITS)
        refusal = self._refusal(db, order) if commits else self._payments.refusal(db, order)
        if not refusal.code and self._take("refuse_one"):
            refusal = Verdict("SACHBEARBEITUNG", "Bei der Buchung zurückgewiesen")
        if refusal.code:
            self._answers.give(db, order.reference, "ABGEWIESEN", order.cents, self._today(), refusal)
        elif commits:
            self._commit(db, order)
        else:
            self._payments.book(db, order)

    def day(self, db: sqlite3.Connection, on: date) -> dict[str, int]:
        """One day of the cash office."""
        return self._payments.day(db, on)

    def _commit(self, db: sqlite3.Connection, order: Arrived) -> None:
        """Set a commitment's total, or make it zero."""
        event, amount, reference = "FESTGELEGT", order.cents, _about(order)
        if order.kind.endswith(CANCELS):
            standing = _standing(db, order)
            assert standing is not None
            event, amount = "AUFGEHOBEN", int(standing["cents"])
            db.execute("update commitments set cents = 0 where reference = ?", (reference,))
        else:
            place = order.place
            db.execute(
                "insert into commitments values (?, ?, ?, ?, ?, ?)"
                " on conflict (reference) do update set cents = excluded.cents",
                (reference, place.year, place.chapter, place.title, place.area, order.cents),
            )
        self._answers.give(db, order.reference, event, amount, self._today())

    def _refusal(self, db: sqlite3.Connection, order: Arrived) -> Verdict:
        """Why a commitment is not booked, changed or cancelled."""
        standing, cancels = _standing(db, order), order.kind.endswith(CANCELS)
        before = 0 if standing is None else int(standing["cents"])
        ordered: int = db.execute(ORDERED, (_about(order), PAYS)).fetchone()[0]
        refusals: list[tuple[str, str, bool]] = [
            ("BEZUG", "Die Festlegung ist nicht bekannt", order.kind != COMMITS and standing is None),
            ("BEZUG", "Die Festlegung ist schon aufgehoben", cancels and before == 0),
            (
                "BUCHUNGSSTELLE",
                "Die Festlegung steht auf einer anderen Buchungsstelle",
                standing is not None and order.place != _place_of(standing),
            ),
            ("ANGEORDNET", "Es ist schon mehr angeordnet", (0 if cancels else order.cents) < ordered),
            (
                "BUDGET",
                "Die Mittel des Unterkontos reichen nicht",
                not cancels and self._over_limit(db, order.place, order.cents - before),
            ),
        ]
        return next((Verdict(code, why) for code, why, applies in refusals if applies), TAKEN)

    def _over_limit(self, db: sqlite3.Connection, place: Place, more: int) -> bool:
        if place.area not in self._limits:
            return False
        query = "select coalesce(sum(cents), 0) from commitments where year = ? and area = ?"
        committed: int = db.execute(query, (place.year, place.area)).fetchone()[0]
        return committed + more > self._limits[place.area]


def _about(order: Arrived) -> str:
    """The Fremdkennzeichen of the commitment: that of its first order."""
    return order.related or order.reference


def _standing(db: sqlite3.Connection, order: Arrived) -> sqlite3.Row | None:
    """The commitment that an order is about, where there is one."""
    row: sqlite3.Row | None = db.execute("select * from commitments where reference = ?", (_about(order),)).fetchone()
    return row


def _place_of(row: sqlite3.Row) -> Place:
    return Place(row["year"], row["chapter"], row["title"], row["area"])
