"""Amounts, days and times as people in Germany read them; programs get plain numbers and ISO times."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
_SIGNS = str.maketrans(",.", ".,")


def number(amount: Decimal | None) -> str:
    """`1.234,56`, for a column that says €; empty for None."""
    return "" if amount is None else f"{amount:,.2f}".translate(_SIGNS)


def whole(many: int) -> str:
    """`41.200`."""
    return f"{many:,}".translate(_SIGNS)


def euros(amount: Decimal | None) -> str:
    """`1.234,56 €`; empty for None."""
    return "" if amount is None else f"{number(amount)} €"


def day(given: date | None) -> str:
    """`24.04.2026`; empty for None."""
    return f"{given:%d.%m.%Y}" if given else ""


def moment(given: datetime | None) -> str:
    """`24.04.2026 18:30` in Berlin; empty for None."""
    return f"{given.astimezone(BERLIN):%d.%m.%Y %H:%M}" if given else ""


def count(many: int, one: str, more: str) -> str:
    """`1 Punkt`, `41.200 Punkte`."""
    return f"{whole(many)} {one if many == 1 else more}"
