"""From when until when a code list, or one of its codes, is valid: both days are included, either may be open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Validity:
    """A span of days. None is an open end."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in the span."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    @property
    def possible(self) -> bool:
        """Whether any day lies in the span."""
        return self.first is None or self.last is None or self.first <= self.last

    def __str__(self) -> str:
        first, last = (day.isoformat() if day else "" for day in (self.first, self.last))
        return f"{first}–{last}" if first or last else ""


ALWAYS = Validity()


def read_day(value: object) -> date | None:
    """An ISO day as YAML or genericode gives it; nothing is None. Raises ValueError."""
    if value in (None, "", "~", "null"):
        return None
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    text = str(value).strip()
    return date.fromisoformat(text[:10]) if text else None
