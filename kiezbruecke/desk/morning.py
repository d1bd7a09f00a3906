"""What an owner reads in the morning: what has gone, what waits since when on whom, and what needs them. German."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from kiezbruecke import german
from kiezbruecke.desk import words
from kiezbruecke.desk.points import PointView, points
from kiezbruecke.desk.view import DeskView
from kiezbruecke.desk.workbook import write_tables
from kiezbruecke.effects import effect
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.reading import Waiting, read_moved, read_waiting

_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_MOST_POINTS = 50  # in the text; the table has all
_LONGEST = 400  # characters of one reason in the text


class Morning(DeskView):
    """What one owner is told."""

    owner: str
    sent: int
    """For the first time since the last letter"""
    confirmed: int
    waiting: tuple[str, ...]
    """`1 wartet seit Dienstag auf HKR`"""
    open_amount: Decimal
    """Euros of what waits"""
    points: tuple[PointView, ...]

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.sent or self.confirmed or self.waiting or self.points)

    @property
    def line(self) -> str:
        """`12 gesendet, 11 bestätigt, 1 wartet seit Dienstag auf HKR, 4.350,00 € offen`."""
        amount = [f"{german.euros(self.open_amount)} offen"] if self.open_amount else []
        return ", ".join([f"{self.sent} gesendet", f"{self.confirmed} bestätigt", *self.waiting, *amount])


def mornings(house: House, since: datetime, at: datetime) -> list[Morning]:
    """What everybody is told who has something; six statements at most, however many owners."""
    moved, waiting = read_moved(house.ledger, since), read_waiting(house.ledger)
    by_owner: dict[str, list[PointView]] = defaultdict(list)
    for point in points(house):
        by_owner[point.owner].append(point)
    of: dict[str, list[Waiting]] = defaultdict(list)
    for one in waiting:
        of[one.owner].append(one)
    found = [
        Morning(
            owner=owner,
            sent=moved.get(owner, {}).get(MessageState.DELIVERED, 0),
            confirmed=moved.get(owner, {}).get(MessageState.CONFIRMED, 0),
            waiting=tuple(_waits(one, at) for one in of[owner]),
            open_amount=sum((one.amount for one in of[owner] if not effect(one.effect).informs), Decimal("0.00")),
            points=tuple(by_owner[owner]),
        )
        for owner in sorted({*moved, *of, *by_owner})
    ]
    return [one for one in found if not one.is_silent]


def letter(morning: Morning, page: str) -> str:
    """The text of the mail; `page`: the base address of the desk's pages, or empty."""
    lines = ["Guten Morgen,", "", f"{morning.line}.", ""]
    if morning.points:
        lines += [f"Zu tun ({len(morning.points)}):", ""]
        for point in morning.points[:_MOST_POINTS]:
            lines += _point(point, page)
        if (left := len(morning.points) - _MOST_POINTS) > 0:
            lines += [f"… und noch {german.count(left, 'Punkt', 'Punkte')}.", ""]
    if page:
        lines += [f"Alles auf einen Blick: {page}/", ""]
    return "\n".join(
        [*lines, "Diese Nachricht schreibt die Kiezbrücke einmal am Tag, und nur, wenn es etwas gibt.", ""]
    )


def point_list(morning: Sequence[PointView]) -> bytes:
    """The points as a workbook, for those who like tables."""
    heads = ("Nummer", "Art", "seit", "Fall", "Was", "mögliche Antworten")
    rows = [
        (
            point.id,
            words.KINDS[point.kind][0],
            point.opened_at.astimezone(BERLIN).date(),
            point.case_reference or "",
            point.reason,
            ", ".join(point.answers),
        )
        for point in morning
    ]
    return write_tables("Zu tun", {"Zu tun": (heads, rows)})


def _point(point: PointView, page: str) -> list[str]:
    reason = point.reason if len(point.reason) <= _LONGEST else f"{point.reason[:_LONGEST]} …"
    head = f"{point.id}  {words.KINDS[point.kind][0]}, seit {german.day(point.opened_at.astimezone(BERLIN).date())}"
    link = [f"    {page}/punkte/antwort?nr={point.id}"] if page else []
    return [head, f"    {reason}", *link, ""]


def _waits(one: Waiting, at: datetime) -> str:
    """`1 wartet seit Dienstag auf HKR`, `2 warten seit 03.11.2026 auf die Zustellung an hkr-tk`."""
    on = _partner(one) if one.sent else f"die Zustellung an {one.destination}"
    return f"{one.many} {'wartet' if one.many == 1 else 'warten'} seit {_since(one.since, at)} auf {on}"


def _partner(one: Waiting) -> str:
    _, _, name = effect(one.effect).partner.partition(" ")
    return name or one.destination


def _since(since: datetime, at: datetime) -> str:
    """A weekday within the last days, else the date."""
    day, today = since.astimezone(BERLIN).date(), at.astimezone(BERLIN).date()
    if day == today:
        return "heute"
    if today - day < timedelta(days=7):
        return _WEEKDAYS[day.weekday()]
    return german.day(day)
