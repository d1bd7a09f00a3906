"""Steps that read and write days and moments. A moment's day and hour are Berlin's."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from kiezbruecke.german import BERLIN
from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why
from kiezbruecke.plaintext import clean

UNSURE_FROM = 22  # midnight in Berlin as UTC says it is 22 or 23 o'clock of the day before; SheetJS writes 23:59:16
_GERMAN_DATE = re.compile(r"(?P<day>[0-9]{1,2})\.\s?(?P<month>[0-9]{1,2})\.\s?(?P<year>[0-9]{4}|[0-9]{2})")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RUBY_OFFSET = re.compile(r"(?<=[0-9]) (?:UTC|([+-][0-9]{4}))$")
_DAY_FORMATS = ("TT.MM.JJJJ", "JJJJMMTT", "TTMMJJJJ", "JJMMTT", "JJJJ-MM", "JJJJ")
_TIME_FORMATS = ("TT.MM.JJJJ hh:mm", "JJJJ-MM-TT hh:mm:ss", "JJJJMMTThhmmss", "hh:mm")
_PARTS = {"JJJJ": "%Y", "JJ": "%y", "MM": "%m", "TT": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}


@step(
    StepExample("24.04.2026", date(2026, 4, 24)),
    StepExample("24.4.26", date(2026, 4, 24)),
    StepExample("2026-04-24", date(2026, 4, 24)),
    StepExample("2026-04-24T00:00:00", date(2026, 4, 24)),
    StepExample("2026-04-23T22:30:00Z", date(2026, 4, 24)),
    StepExample(datetime(2026, 4, 24), date(2026, 4, 24)),  # noqa: DTZ001 - that is what a sheet's cell holds
    StepExample(datetime(2026, 4, 24, 18, 30), date(2026, 4, 24)),  # noqa: DTZ001
    StepExample(datetime(2026, 4, 23, 23, 59, 16), Unusable),  # noqa: DTZ001
    StepExample("31.02.2026", Unusable),
    StepExample("April 2026", Unusable),
    gives="date",
)
def german_date(value: object) -> date:
    """Read a day, written in German or as ISO 8601; a moment with an offset gives the day in Berlin.

    A time without an offset from 22 o'clock on is refused: some programs write midnight as seconds or hours before it.
    """
    given = value if isinstance(value, date) else clean(to_text(value))
    try:
        if isinstance(given, date):
            return _day(given)
        if found := _GERMAN_DATE.fullmatch(given):
            year = int(found["year"])
            return date(year if year > 99 else 2000 + year, int(found["month"]), int(found["day"]))
        return _day(datetime.fromisoformat(given))
    except (ValueError, OverflowError):
        raise Unusable(Why.NO_DAY(), Instead.DAY_LIKE("24.04.2026")) from None


@step(
    StepExample("2026-04-24T10:00:00+02:00", datetime.fromisoformat("2026-04-24T10:00:00+02:00")),
    StepExample("2026-04-24T08:00:00.5Z", datetime.fromisoformat("2026-04-24T08:00:00.500+00:00")),
    StepExample("2026-04-24 08:00:00 UTC", datetime.fromisoformat("2026-04-24T08:00:00+00:00")),
    StepExample("2026-04-24 10:00:00 +0200", datetime.fromisoformat("2026-04-24T10:00:00+02:00")),
    StepExample("2026-04-24T10:00:00", Unusable),
    StepExample("2026-04-24 10:00:00 CEST", Unusable),
    gives="moment",
)
def timestamp(value: object) -> datetime:
    """Read a moment in ISO 8601 with its offset, or as Ruby writes it: a blank before the offset, UTC for none."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_iso(to_text(value).strip()))
        if moment.tzinfo is not None:
            moment.astimezone(UTC)  # year 1 and year 9999 have moments that no other clock can say
    except (ValueError, OverflowError):
        raise Unusable(Why.NO_MOMENT(), Instead.TIME_LIKE("2026-04-24T10:00:00+02:00")) from None
    if moment.tzinfo is None:
        raise Unusable(Why.NO_ZONE(), Instead.TIME_LIKE("2026-04-24T10:00:00+02:00"))
    return moment


@step(
    StepExample("2026-04-24", date(2026, 4, 24)),
    StepExample(date(2026, 4, 24), date(2026, 4, 24)),
    StepExample("24.04.2026", Unusable),
    StepExample("2026-4-24", Unusable),
    StepExample("2026-04-24T00:00:00Z", Unusable),
    StepExample("2026-02-30", Unusable),
    gives="date",
)
def iso_date(value: object) -> date:
    """Read a day as ISO 8601 writes it, and nothing else: no German form, no moment, no week.

    `german_date` reads all of these; a source that promises one form is better held to it.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    given = to_text(value).strip()
    try:
        if _ISO_DATE.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise Unusable(Why.NO_DAY(), Instead.DAY_LIKE("2026-04-24"))


@step(
    StepExample(date(2026, 4, 9), "09.04.2026", "TT.MM.JJJJ"),
    StepExample("2026-04-09", "20260409", "JJJJMMTT"),
    StepExample(date(2026, 4, 9), "260409", "JJMMTT"),
    StepExample("2026-12-31T23:30:00Z", "2027", "JJJJ"),
    StepExample("Ostern", Unusable, "TT.MM.JJJJ"),
    StepExample(date(2026, 4, 9), Unusable, "MM/DD/YYYY"),
    takes="date",
    argument=str,
    choices=_DAY_FORMATS,
)
def date_format(value: object, form: str) -> str:
    """Write a day in one of the closed list of formats; a moment gives the day in Berlin."""
    return written(german_date(value), form)


@step(
    StepExample("2026-04-24T08:00:00Z", "24.04.2026 10:00", "TT.MM.JJJJ hh:mm"),
    StepExample("2026-12-24T08:00:00Z", "09:00", "hh:mm"),
    StepExample("2026-04-24T10:00:05+02:00", "20260424100005", "JJJJMMTThhmmss"),
    StepExample("2026-04-24T10:00:00", Unusable, "hh:mm"),
    takes="moment",
    argument=str,
    choices=_TIME_FORMATS,
)
def time_format(value: object, form: str) -> str:
    """Write a moment in Berlin's time, in one of the closed list of formats, for targets that know no offset.

    Where a target takes an offset, write no step at all: moments are written in UTC.
    """
    try:
        return written(timestamp(value).astimezone(BERLIN), form)
    except OverflowError:
        raise Unusable(Why.NO_MOMENT(), Instead.TIME_LIKE("2026-04-24T10:00:00+02:00")) from None


@step(
    StepExample("24.04.2026", datetime.fromisoformat("2026-04-24T00:00:00+02:00")),
    StepExample(date(2026, 12, 24), datetime.fromisoformat("2026-12-24T00:00:00+01:00")),
    StepExample("April 2026", Unusable),
    takes="date",
    gives="moment",
)
def start_of_day(value: object) -> datetime:
    """Make the moment at which a day begins in Berlin: for lists that know no time of day."""
    day = german_date(value)
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN)


def written(value: date, form: str) -> str:
    """A day or moment in a format of ours; `strftime` alone leaves years before 1000 without their zeros."""
    pattern = form.replace("JJJJ", f"{value.year:04}")
    for part, directive in _PARTS.items():
        pattern = pattern.replace(part, directive)
    return value.strftime(pattern)


def _iso(text: str) -> str:
    return text if " " not in text else _RUBY_OFFSET.sub(lambda found: found[1] or "+00:00", text)


def _day(value: date) -> date:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo:
        return value.astimezone(BERLIN).date()
    if value.hour >= UNSURE_FROM:
        raise Unusable(Why.UNSURE_DAY(), Instead.DAY_LIKE("24.04.2026"))
    return value.date()
