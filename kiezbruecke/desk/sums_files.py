"""The reconciliation as files: a table for programs, a workbook to calculate with, a page to print, a mail to read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from lxml.html import builder as E  # noqa: N812 - lxml's own name for it

from kiezbruecke import german, printed
from kiezbruecke.desk.sums import AreaSums, Hanging, ProcessCounts, Reconciliation, UnmatchedAnswer
from kiezbruecke.desk.workbook import Value, write_tables
from kiezbruecke.german import BERLIN
from kiezbruecke.plaintext import harmless

MOST_ON_A_PAGE = 500  # of what hangs; the workbook has all of it
_MOST_IN_A_MAIL = 20
_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_SUMS = (
    *("Budget (€)", "gebunden (€)", "angeordnet (€)", "bezahlt (€)", "zurückgezahlt (€)", "frei (€)"),
    *("gebucht bei uns (€)", "gebucht im HKR (€)"),
)
_AREA = ("Verfahren", "Jahr", "Bezirksregion", "Status", *_SUMS, "Unterschied", "Auskunft vom")
_HANGING = (
    *("Fall", "Bezirksregion", "Fremdkennzeichen", "Wirkung", "Stand", "Betrag (€)", "seit", "Tage"),
    *("wer", "zu lange", "Verfahren"),
)
_UNMATCHED = ("Punkt", "Rückmeldung", "Fall", "seit", "wer", "Verfahren")
_COUNTS = ("Verfahren", "gesendet", "bestätigt", "offen", "offen (€)")
_READ_SO = (
    "Budget = frei + gebunden + bezahlt − zurückgezahlt. Gebunden: festgelegt oder dafür angefragt, und noch nicht "
    "bezahlt. Angeordnet: alle freigegebenen Auszahlungen, auch die bezahlten. Zurückgezahlt: was im selben Jahr "
    "zurückkam und wieder frei ist. Frei unter null: Das Budget wurde unter das Gebundene gekürzt; Neues geht nicht "
    "hinaus. Gebucht: was das HKR bestätigt hat, daneben dessen eigene Summen mit dem Zeitpunkt der Auskunft."
)


def as_csv(found: Reconciliation) -> bytes:
    """The sums, one line per area: semicolons, UTF-8 with a byte order mark, sums with a comma."""
    out = io.StringIO(newline="")
    lines = csv.writer(out, delimiter=";", lineterminator="\r\n")
    lines.writerow(_AREA)
    lines.writerows([_plain(value) for value in _area(one)] for one in found.areas)
    return out.getvalue().encode("utf-8-sig")


def as_workbook(found: Reconciliation) -> bytes:
    """Sheets: what is broken, if anything; sums per area, what hangs, answers that fit nothing, how much was sent."""
    broken = {"Stimmt nicht": (("Rechnung",), [(text,) for text in found.broken])} if found.broken else {}
    return write_tables(
        f"Abgleich {german.moment(found.at)}",
        {
            **broken,
            "Summen": (_AREA, [_area(one) for one in found.areas]),
            "Was hängt": (_HANGING, [_hangs(one) for one in found.hanging]),
            "Rückmeldungen": (_UNMATCHED, [_fits_nothing(one) for one in found.unmatched]),
            "Nachrichten": (_COUNTS, [_counted(one) for one in found.processes]),
        },
    )


def as_page(found: Reconciliation) -> str:
    """The same to read and print."""
    title = f"Abgleich vom {german.moment(found.at)} Uhr"
    return printed.page(
        title,
        E.H1(title),
        E.P(E.STRONG(_verdict(found))),
        *([E.H2("Rechnung stimmt nicht"), E.UL(*(E.LI(text) for text in found.broken))] if found.broken else []),
        E.P(_READ_SO),
        E.H2("Summen"),
        *(_sums_of(found, one) for one in found.processes),
        E.H2("Was hängt"),
        *_hanging_part(found),
        E.H2("Rückmeldungen, die zu nichts passen"),
        _table("Offene Punkte der Zu-tun-Liste", _UNMATCHED, map(_fits_nothing, found.unmatched))
        if found.unmatched
        else E.P("Keine."),
        E.H2("Nachrichten"),
        _table("Was über Geld gesendet wurde", _COUNTS, map(_counted, found.processes)),
    )


def as_mail(found: Reconciliation) -> str:
    """The text of the evening's mail; empty where nothing is on its way and nothing is wrong."""
    parts = [
        [f"{one.name}: {told}" for one in found.processes if (told := _told(found, one))],
        _listed("Die Rechnung stimmt nicht:", found.broken),
        _listed("Unterschiede:", [text for one in found.differing for text in one.sentences()]),
        _listed("Hängt zu lange:", [_named(one) for one in found.late]),
        _listed("Rückmeldungen, die zu nichts passen:", [_point(one) for one in found.unmatched]),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + ("\n" if any(parts) else "")


FORMS: Mapping[str, Callable[[Reconciliation], bytes]] = {
    ".csv": as_csv,
    ".xlsx": as_workbook,
    ".html": lambda found: as_page(found).encode(),
    ".txt": lambda found: as_mail(found).encode(),
}


def _told(found: Reconciliation, one: ProcessCounts) -> str:
    """`12 gesendet, 11 bestätigt, 1 wartet seit Dienstag auf HKR, 4.350,00 € offen`; empty where nothing is open."""
    if not one.open:
        return ""
    waiting = [hanging for hanging in found.hanging if hanging.process == one.process]
    since = f" seit {_since(waiting[0].since, found.at)} auf {waiting[0].who}" if waiting else ""
    verb = "wartet" if one.open == 1 else "warten"
    return (
        f"{one.sent} gesendet, {one.confirmed} bestätigt, {one.open} {verb}{since}, "
        f"{german.euros(one.open_amount)} offen"
    )


def _since(moment: datetime, at: datetime) -> str:
    """A weekday within the last six days, else the day."""
    day = moment.astimezone(BERLIN).date()
    near = (at.astimezone(BERLIN).date() - day).days < len(_WEEKDAYS)
    return _WEEKDAYS[day.weekday()] if near else german.day(day)


def _listed(head: str, lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST_IN_A_MAIL
    rest = [f"… und {more} weitere, siehe Datei"] if more > 0 else []
    return [head, *(f"– {line}" for line in lines[:_MOST_IN_A_MAIL]), *rest] if lines else []


def _named(one: Hanging) -> str:
    since = german.day(one.since.astimezone(BERLIN).date())
    return f"{one.case} ({one.reference}), {german.euros(one.amount)}: {one.what}, seit {since}; am Zug: {one.who}"


def _point(one: UnmatchedAnswer) -> str:
    return f"Punkt {one.point}: {one.what}, seit {german.day(one.since.astimezone(BERLIN).date())}; am Zug: {one.who}"


def _verdict(found: Reconciliation) -> str:
    if found.is_sound:
        return "Beide Seiten stimmen überein, nichts hängt zu lange."
    wrong = (
        (len(found.broken), "Rechnung stimmt nicht", "Rechnungen stimmen nicht"),
        (len(found.differing), "Bezirksregion weicht ab", "Bezirksregionen weichen ab"),
        (len(found.late), "Fall hängt zu lange", "Fälle hängen zu lange"),
        (len(found.forgotten), "Rückmeldung wartet zu lange auf Klärung", "Rückmeldungen warten zu lange auf Klärung"),
    )
    return ", ".join(german.count(*one) for one in wrong if one[0]) + "."


def _sums_of(found: Reconciliation, process: ProcessCounts) -> printed.Element:
    rows = [one for one in found.areas if one.process == process.process]
    if not rows:
        return E.P(f"{process.name}: noch kein Budget bekannt.")
    heads, cells = _AREA[2:], [_area(one)[2:] for one in rows]
    return _table(f"{process.name}, Haushaltsjahr {rows[0].year}", heads, cells, whole=True)


def _hanging_part(found: Reconciliation) -> Iterator[printed.Element]:
    if not found.hanging:
        yield E.P("Nichts.")
        return
    shown = found.hanging[:MOST_ON_A_PAGE]
    yield _table("Geld, das noch nicht am Ziel ist, das Älteste zuerst", _HANGING, map(_hangs, shown))
    if more := len(found.hanging) - len(shown):
        yield E.P(f"Und {more} weitere; die Tabelle (XLSX) hat alle.")


def _area(one: AreaSums) -> tuple[Value, ...]:
    sums = (one.budget, one.bound, one.ordered, one.paid, one.refunded, one.free, one.ours, one.theirs)
    told = "; ".join(f"{part.what} {german.number(part.amount)}" for part in one.differences)
    return (one.process, one.year, one.name, one.status, *sums, told, german.moment(one.told_at))


def _hangs(one: Hanging) -> tuple[Value, ...]:
    day = one.since.astimezone(BERLIN).date()
    place = (one.case, one.area_name, one.reference, one.effect, one.what)
    return (*place, one.amount, day, one.days, one.who, "ja" if one.late else "", one.process)


def _fits_nothing(one: UnmatchedAnswer) -> tuple[Value, ...]:
    return (one.point, one.what, one.case, one.since.astimezone(BERLIN).date(), one.who, one.process)


def _counted(one: ProcessCounts) -> tuple[Value, ...]:
    return (one.name, one.sent, one.confirmed, one.open, one.open_amount)


def _plain(value: Value) -> str:
    match value:
        case Decimal():
            return f"{value:.2f}".replace(".", ",")  # a number, also below zero: no text of anybody
        case date():
            return german.day(value)
        case None:
            return ""
        case str():
            return harmless(value)
    return str(value)


def _table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Value]], *, whole: bool = False
) -> printed.Element:
    """`whole`: the last row is the sum of the others."""
    listed = [_row(row) for row in rows]
    for cell in listed[-1] if whole else ():
        cell.set("class", f"{cell.get('class', '')} total".strip())
    return printed.table(caption, heads, listed)


def _row(row: Sequence[Value]) -> list[printed.Element]:
    return [E.TH(str(row[0]), scope="row"), *(_cell(value) for value in row[1:])]


def _cell(value: Value) -> printed.Element:
    match value:
        case Decimal():
            return E.TD(german.number(value), {"class": "number"})
        case int():
            return E.TD(str(value), {"class": "number"})
        case date():
            return E.TD(german.day(value))
    return E.TD(str(value or "–"))
