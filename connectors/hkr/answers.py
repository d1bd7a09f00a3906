"""The sandbox's answers: one after the other under the next running number, and what may go wrong with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date

from connectors.hkr.papers import TAKEN, Verdict

STRANGER = "XX99-000000-00000-F1"
UNKNOWN_EVENT = "STORNIERT"
_AGAIN = (
    "insert into answers select (select max(number) + 1 from answers),"
    " reference, event, cents, day, voucher, code, text from answers where number = 1"
)


class AnswerBook:
    """Writes within the caller's transaction. `take` asks whether a fault is armed, and uses it up."""

    def __init__(self, take: Callable[[str], bool]) -> None:
        self._take = take

    def give(
        self, db: sqlite3.Connection, reference: str, event: str, cents: int, day: date, reason: Verdict = TAKEN
    ) -> None:
        """Say what became of an order."""
        if self._take("unknown_ack"):
            self._write(db, STRANGER, event, cents, day)
        said = UNKNOWN_EVENT if self._take("unknown_event") else event
        amount = cents + 1 if self._take("wrong_amount") else cents
        for _ in range(2 if self._take("duplicate_ack") else 1):
            self._write(db, reference, said, amount, day, reason)
        if self._take("replayed_ack"):
            db.execute(_AGAIN)

    def _write(
        self, db: sqlite3.Connection, reference: str, event: str, cents: int, day: date, reason: Verdict = TAKEN
    ) -> None:
        number = int(db.execute("select coalesce(max(number), 0) + 1 from answers").fetchone()[0])
        voucher = f"B{number:09d}"
        values = (number, reference, event, cents, day.isoformat(), voucher, reason.code, reason.text)
        db.execute("insert into answers values (?, ?, ?, ?, ?, ?, ?, ?)", values)
