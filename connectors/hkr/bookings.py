"""The sandbox's bookkeeping: what an accepted order does to the books, and the answer it gets.

A commitment has a total. A change sets it, a cancellation makes it zero, and a later change sets it anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from connectors.hkr.contract import Order, text


@dataclass(frozen=True)
class Verdict:
    """Why an order or a batch is not taken; `code` is empty where it is."""

    code: str = ""
    text: str = ""


TAKEN = Verdict()


@dataclass(frozen=True)
class Place:
    """Where in the budget a commitment stands."""

    year: str
    chapter: str
    title: str
    area: str


class Bookings:
    """Books within the caller's transaction. `take` asks whether a fault is armed, and uses it up."""

    def __init__(self, take: Callable[[str], bool], limits: Mapping[str, int], today: Callable[[], date]) -> None:
        self._take, self._limits, self._today = take, limits, today

    def book(self, db: sqlite3.Connection, order: Order) -> None:
        """Book an order, or refuse it, and say so under the next running number."""
        if self._take("unknown_ack"):
            self._answer(db, replace(order, reference="XX99-000000-00000-F1"), "FESTGELEGT", order.cents)
        event, amount, refusal = self._booked(db, order)
        for _ in range(2 if self._take("duplicate_ack") else 1):
            self._answer(db, order, event, amount, refusal)

    def _booked(self, db: sqlite3.Connection, order: Order) -> tuple[str, int, Verdict]:
        """Event, amount and reason of one order's booking; the books are changed only where it succeeds."""
        reference = text(order.element, "BezugFremdkennzeichen") or order.reference
        standing = db.execute("select * from commitments where reference = ?", (reference,)).fetchone()
        refusal = self._refusal(db, order, standing)
        if refusal.code:
            return "ABGEWIESEN", order.cents, refusal
        if order.kind == "FESTLEGUNG_AUFHEBUNG":
            db.execute("update commitments set cents = 0 where reference = ?", (reference,))
            return "AUFGEHOBEN", int(standing["cents"]), TAKEN
        place = _place(order)
        db.execute(
            "insert into commitments values (?, ?, ?, ?, ?, ?)"
            " on conflict (reference) do update set cents = excluded.cents",
            (reference, place.year, place.chapter, place.title, place.area, order.cents),
        )
        return "FESTGELEGT", order.cents, TAKEN

    def _refusal(self, db: sqlite3.Connection, order: Order, standing: sqlite3.Row | None) -> Verdict:
        """Why an order is not booked; `standing` is the commitment that it is about, where there is one."""
        cancels, before = order.kind == "FESTLEGUNG_AUFHEBUNG", 0 if standing is None else int(standing["cents"])
        refusals: list[tuple[str, str, bool]] = [
            ("ART", "Dieser Nachbau bucht nur Festlegungen", not order.kind.startswith("FESTLEGUNG")),
            ("BEZUG", "Die Festlegung ist nicht bekannt", order.kind != "FESTLEGUNG" and standing is None),
            ("BEZUG", "Die Festlegung ist schon aufgehoben", cancels and before == 0),
            (
                "BUCHUNGSSTELLE",
                "Die Festlegung steht auf einer anderen Buchungsstelle",
                standing is not None and _place(order) != _place_of(standing),
            ),
            (
                "BUDGET",
                "Die Mittel des Unterkontos reichen nicht",
                not cancels and self._over_limit(db, _place(order), order.cents - before),
            ),
            ("SACHBEARBEITUNG", "Bei der Buchung zurückgewiesen", self._take("refuse_one")),
        ]
        return next((Verdict(code, why) for code, why, applies in refusals if applies), TAKEN)

    def _over_limit(self, db: sqlite3.Connection, place: Place, more: int) -> bool:
        if place.area not in self._limits:
            return False
        query = "select coalesce(sum(cents), 0) from commitments where year = ? and area = ?"
        committed: int = db.execute(query, (place.year, place.area)).fetchone()[0]
        return committed + more > self._limits[place.area]

    def _answer(
        self,
        db: sqlite3.Connection,
        order: Order,
        event: str,
        amount: int,
        reason: Verdict = TAKEN,
    ) -> None:
        number = int(db.execute("select coalesce(max(number), 0) + 1 from answers").fetchone()[0])
        db.execute(
            "insert into answers values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                order.reference,
                event,
                amount,
                self._today().isoformat(),
                f"B{number:09d}",
                reason.code,
                reason.text,
            ),
        )


def _place(order: Order) -> Place:
    names = ("Haushaltsjahr", "Kapitel", "Titel", "Unterkonto")
    return Place(*(text(order.element, f"Buchungsstelle/{name}") for name in names))


def _place_of(row: sqlite3.Row) -> Place:
    return Place(row["year"], row["chapter"], row["title"], row["area"])
