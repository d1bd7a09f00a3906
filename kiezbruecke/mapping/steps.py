"""Steps: the closed list of small named functions between a source and its target.

Each step's examples are its tests and its page in the reference (`docs/reference/steps.md`). A step that
needs a second meaning is a second step; a translation that only one list needs is a code list.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import lxml.html

from kiezbruecke.mapping.values import Kind, Unusable, is_nothing, to_text

Argument = str | int | None

FORMULA_STARTS = frozenset("=+-@\t\r")

_BERLIN = ZoneInfo("Europe/Berlin")
_GROUPED = r"[0-9]{1,3}(?:[.\u00a0\u202f ][0-9]{3}){1,4}|[0-9]{1,12}"
_MONEY = re.compile(
    rf"(?:€|EUR)?\s*(?P<whole>{_GROUPED})(?:,(?P<cents>[0-9]{{1,2}})|,(?:-{{1,2}}|–|—))?\s*(?:€|EUR|Euro)?"
)
_PLAIN = re.compile(r"(?P<whole>[0-9]{1,12})\.(?P<cents>[0-9]{2})\s*(?:€|EUR|Euro)?")
_NO_BUDGET = re.compile(r"(?:Kosten:\s*)?keine Angabe", re.IGNORECASE)
_GERMAN_DATE = re.compile(r"(?P<day>[0-9]{1,2})\.\s?(?P<month>[0-9]{1,2})\.\s?(?P<year>[0-9]{4}|[0-9]{2})")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NOT_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_SILENT = frozenset({"script", "style", "comment"})
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_BREAKS = frozenset({"p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "blockquote"})


@dataclass(frozen=True, slots=True)
class Example:
    """What a step makes of a value. `gives` is the class Unusable where it refuses."""

    given: Any
    gives: Any
    argument: Argument = None


@dataclass(frozen=True, slots=True)
class Step:
    """A named function, the kinds it takes and gives, its argument's type and its examples."""

    name: str
    function: Callable[..., Any]
    takes: Kind
    gives: Kind
    argument: type[int | str] | None
    reads_nothing: bool
    examples: tuple[Example, ...]

    @property
    def summary(self) -> str:
        """The first line of the function's documentation."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    def apply(self, value: Any, argument: Argument = None) -> Any:
        """The value after this step; nothing stays nothing. Raises Unusable."""
        if is_nothing(value) and not self.reads_nothing:
            return None
        return self.function(value) if self.argument is None else self.function(value, argument)


STEPS: dict[str, Step] = {}


def _step(
    *examples: Example,
    takes: Kind = "text",
    gives: Kind = "text",
    argument: type[int | str] | None = None,
    reads_nothing: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__.lstrip("_")
        STEPS[name] = Step(name, function, takes, gives, argument, reads_nothing, examples)
        return function

    return register


@_step(Example("  Sommerfest ", "Sommerfest"), Example("\u00a0850\n", "850"))
def trim(value: object) -> str:
    """Cut blanks at both ends."""
    return to_text(value).strip()


@_step(Example(" Sommer\n  fest\t2026 ", "Sommer fest 2026"))
def collapse_space(value: object) -> str:
    """Make one blank of every run of blanks, tabs and line breaks, and none at the ends."""
    return " ".join(to_text(value).split())


@_step(
    Example("Baumscheiben", "Baum", 4),
    Example("Baum", "Baum", 200),
    Example("Cafe\u0301", "Caf", 4),
    argument=int,
)
def clip(value: object, length: int) -> str:
    """Cut to at most so many characters, never between a letter and its accent."""
    text = to_text(value)
    end = min(length, len(text))
    while 0 < end < len(text) and _continues(text[end]):
        end -= 1
    return text[:end]


@_step(Example("Müggelheim", "müggelheim"))
def lower(value: object) -> str:
    """Write in small letters."""
    return to_text(value).lower()


@_step(Example("p-1", "P-1"))
def upper(value: object) -> str:
    """Write in capital letters."""
    return to_text(value).upper()


@_step(Example("4711", "KK-4711", "KK-"), argument=str)
def prefix(value: object, start: str) -> str:
    """Put a text before the value."""
    return start + to_text(value)


@_step(Example("850.00", "850.00 EUR", " EUR"), argument=str)
def suffix(value: object, end: str) -> str:
    """Put a text after the value."""
    return to_text(value) + end


@_step(Example("17", "00000017", 8), Example("123456789", "123456789", 8), argument=int)
def pad(value: object, length: int) -> str:
    """Fill with zeros from the left."""
    return to_text(value).zfill(length)


@_step(Example(Decimal(850), "850.00"), Example(3, "3"), Example(date(2026, 4, 24), "2026-04-24"), takes="any")
def text(value: object) -> str:
    """Write any single value as text, as the target would."""
    return to_text(value)


@_step(Example("'=1+1", "=1+1"), Example("'s Bier", "'s Bier"), Example("Fest", "Fest"))
def unformula(value: object) -> str:
    """Drop the apostrophe that keeps spreadsheets from reading a text as a formula."""
    given = to_text(value)
    return given[1:] if given[:1] == "'" and given[1:2] in FORMULA_STARTS else given


@_step(
    Example("<p>Neue <b>Bänke</b></p><p>am Ufer</p>", "Neue Bänke\nam Ufer"),
    Example("eins<br>zwei &amp; drei", "eins\nzwei & drei"),
    Example("<script>alert(1)</script>", None),
)
def html_to_text(value: object) -> str | None:
    """Keep the words of a piece of HTML; paragraphs and breaks become line breaks."""
    given = to_text(value)
    if not given.strip():
        return None
    return _lines(_html_words(given)) or None


@_step(
    Example("Kultur, Sport", ["Kultur", "Sport"], ","),
    Example("Kultur", ["Kultur"], ","),
    gives="list",
    argument=str,
)
def split(value: object, separator: str) -> list[str]:
    """Cut at a separator into a list without blanks and empty parts."""
    return [part.strip() for part in to_text(value).split(separator) if part.strip()]


@_step(Example(["Kultur", "Sport"], "Kultur, Sport", ", "), takes="list", argument=str)
def join(value: object, separator: str) -> str:
    """Write a list as one text."""
    return separator.join(to_text(part) for part in _as_list(value) if not is_nothing(part))


@_step(Example(["Kultur", "Sport"], "Kultur"), Example("Kultur", "Kultur"), takes="list", gives="any")
def first(value: object) -> object:
    """Take the first value of a list."""
    return _as_list(value)[0]


@_step(
    Example("1.000,00 €", Decimal("1000.00")),
    Example("850,-", Decimal("850.00")),
    Example("850", Decimal("850.00")),
    Example("1.000€", Decimal("1000.00")),
    Example("1000.00", Decimal("1000.00")),
    Example("1.234", Decimal("1234.00")),
    Example(812.4, Decimal("812.40")),
    Example("", None),
    Example("1,234.56", Unusable),
    Example("1.23.456", Unusable),
    Example("ca. 500", Unusable),
    Example("-5", Unusable),
    gives="decimal",
)
def german_money(value: object) -> Decimal | None:
    """Read a sum of money as people write it in German; a point before three digits groups thousands."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _whole_cents(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    given = to_text(value).strip()
    if not given:
        return None
    found = _MONEY.fullmatch(given) or _PLAIN.fullmatch(given)
    if not found:
        raise Unusable("der Betrag ist nicht lesbar", "ein Betrag wie 1.000,00")
    whole = re.sub(r"[^0-9]", "", found["whole"])
    return _whole_cents(Decimal(f"{whole}.{(found['cents'] or '').ljust(2, '0')}"))


@_step(
    Example("1.000€", Decimal("1000.00")),
    Example("Kosten: keine Angabe", None),
    Example("0€", None),
    Example("etwa 5€", Unusable),
    gives="decimal",
)
def budget_badge(value: object) -> Decimal | None:
    """Read the budget badge of mein.berlin; `Kosten: keine Angabe` and 0 are nothing."""
    if isinstance(value, str) and _NO_BUDGET.fullmatch(value.strip()):
        return None
    return german_money(value) or None


@_step(Example("0", None), Example(Decimal("0.00"), None), Example("12", "12"), takes="any", gives="any")
def nothing_if_zero(value: object) -> object:
    """Make nothing of zero."""
    try:
        return value if Decimal(to_text(value)) else None
    except ArithmeticError:
        return value


@_step(
    Example("24.04.2026", date(2026, 4, 24)),
    Example("24.4.26", date(2026, 4, 24)),
    Example("2026-04-24", date(2026, 4, 24)),
    Example("2026-04-24T00:00:00", date(2026, 4, 24)),
    Example(datetime(2026, 4, 24), date(2026, 4, 24)),  # noqa: DTZ001 - that is what a sheet's cell holds
    Example("31.02.2026", Unusable),
    Example("April 2026", Unusable),
    gives="date",
)
def german_date(value: object) -> date:
    """Read a day, written in German or as ISO 8601; a moment with an offset gives the day in Berlin."""
    if isinstance(value, date):
        return _day(value)
    given = to_text(value).strip()
    try:
        if found := _GERMAN_DATE.fullmatch(given):
            year = int(found["year"])
            return date(year if year > 99 else 2000 + year, int(found["month"]), int(found["day"]))
        return _day(datetime.fromisoformat(given))
    except ValueError:
        raise Unusable("das Datum ist nicht lesbar", "ein Tag wie 24.04.2026") from None


@_step(
    Example("2026-04-24T10:00:00+02:00", datetime.fromisoformat("2026-04-24T10:00:00+02:00")),
    Example("2026-04-24T08:00:00.5Z", datetime.fromisoformat("2026-04-24T08:00:00.500+00:00")),
    Example("2026-04-24T10:00:00", Unusable),
    gives="moment",
)
def timestamp(value: object) -> datetime:
    """Read a moment in ISO 8601 with its offset."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(to_text(value).strip())
    except ValueError:
        raise Unusable("die Zeit ist nicht lesbar", "eine Zeit wie 2026-04-24T10:00:00+02:00") from None
    if moment.tzinfo is None:
        raise Unusable("die Zeit trägt keine Zeitzone", "eine Zeit wie 2026-04-24T10:00:00+02:00")
    return moment


@_step(Example(" 42 ", 42), Example(3.0, 3), Example("4,5", Unusable), Example("1.000", Unusable), gives="integer")
def integer(value: object) -> int:
    """Read a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    given = to_text(value).strip()
    if not _INTEGER.fullmatch(given):
        raise Unusable("die Zahl ist nicht lesbar", "eine ganze Zahl")
    return int(given)


@_step(
    Example("ja", True),
    Example("X", True),
    Example("nein", False),
    Example("", False),
    Example("vielleicht", Unusable),
    gives="boolean",
    reads_nothing=True,
)
def yes_no(value: object) -> bool:
    """Read a tick: ja, x, wahr, 1 – or nein, falsch, 0 and an empty cell."""
    if isinstance(value, bool):
        return value
    word = "" if is_nothing(value) else to_text(value).strip().lower()
    if word in {"ja", "j", "x", "wahr", "true", "1", "✓"}:
        return True
    if word in {"", "nein", "n", "-", "falsch", "false", "0"}:
        return False
    raise Unusable("weder ja noch nein", "ja, x, nein oder leer")


def _day(value: date) -> date:
    if not isinstance(value, datetime):
        return value
    return (value.astimezone(_BERLIN) if value.tzinfo else value).date()


def _continues(character: str) -> bool:
    return bool(unicodedata.combining(character)) or character in _JOINERS


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _whole_cents(value: Decimal) -> Decimal:
    if value < 0:
        raise Unusable("der Betrag ist negativ", "ein Betrag wie 1.000,00")
    return Decimal(to_text(value))


def _html_words(source: str) -> str:
    root = lxml.html.fragment_fromstring(_NOT_HTML.sub("", source), create_parent="div")
    words: list[str] = []
    _collect_words(root, words)
    return "".join(words)


def _collect_words(element: lxml.html.HtmlElement, words: list[str]) -> None:
    tag = element.tag if isinstance(element.tag, str) else "comment"
    if tag not in _SILENT:
        _open(tag, element.text or "", words)
        for child in element:
            _collect_words(child, words)
            words.append(child.tail or "")
        if tag in _BREAKS:
            words.append("\n")


def _open(tag: str, own: str, words: list[str]) -> None:
    words.append("\n" if tag == "br" or tag in _BREAKS else "")
    words.append(own)


def _lines(words: str) -> str:
    lines = (" ".join(line.split()) for line in words.split("\n"))
    return "\n".join(line for line in lines if line)
