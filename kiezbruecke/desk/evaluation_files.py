"""The evaluation as files: a workbook to calculate with, and a page to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from lxml.html import builder as E  # noqa: N812 - lxml's own name for it

from kiezbruecke import german, printed
from kiezbruecke.desk.evaluation import AreaEvaluation, Evaluation, WaitingCase
from kiezbruecke.desk.sums import WHOLE_NAME
from kiezbruecke.desk.workbook import Value, write_tables

_COUNTS = ("Fälle", "offen", "bewilligt", "abgelehnt", "sonstige", "in Klärung", "berichtigt")
_SUMS = ("Budget (€)", "beantragt (€)", "bewilligt (€)", "festgelegt (€)", "frei (€)")
_WAITING = ("Referenznummer", "Bezirksregion", "Stand", "Was fehlt", "Seit")
_AREAS, _WAYS, _OPEN = "Bezirksregionen", "Dauer", "Was noch wartet"
_READ_SO = (
    "Dauer: ganze Tage von Tag zu Tag; „Mitte“ heißt, dass die Hälfte der Fälle höchstens so lange "
    "gebraucht hat. Offen: noch kein Beschluss. In Klärung: Ein Mensch muss erst etwas entscheiden, die "
    "Gründe stehen auf der Zu-tun-Liste. Berichtigt: Eine Zeile einer Beschlussliste stellt eine frühere "
    "richtig. Sonstige: Warteliste, vertagt, weitergeleitet, zurückgezogen oder nicht mehr vorhanden. "
    "Beantragt: die Summe aller Kosten, die auf der Plattform genannt sind, auch der abgelehnten "
    "Vorschläge. Bezirksregionen ohne Fall stehen nicht in den Tabellen; die letzte Zeile zählt alle."
)


def as_workbook(found: Evaluation) -> bytes:
    """Three sheets: numbers and sums per area, how long it took, what still waits."""
    return write_tables(
        f"Auswertung {found.name}",
        {
            _AREAS: (
                ("Bezirksregion", *_COUNTS, *_SUMS),
                [(one.name, *_counts(one), *_sums(one)) for one in found.areas],
            ),
            _WAYS: (("Bezirksregion", *_way_heads(found)), [(one.name, *_days(one)) for one in found.areas]),
            _OPEN: (_WAITING, [_waits(one) for one in found.waiting]),
        },
    )


def as_page(found: Evaluation) -> str:
    """The same to read and print; areas without a case are left out."""
    areas = [one for one in found.areas if one.cases or one.name == WHOLE_NAME]
    return printed.page(
        f"Auswertung {found.name}",
        E.H1(f"Auswertung {found.name}"),
        E.P(f"Stand {german.moment(found.at)} Uhr. {_READ_SO}"),
        E.H2(_AREAS),
        _table("Anzahl je Bezirksregion", _COUNTS, [(one.name, *_counts(one)) for one in areas]),
        _table("Summen je Bezirksregion", _SUMS, [(one.name, *_sums(one)) for one in areas]),
        E.H2(_WAYS),
        _table("Wie lange es gedauert hat", _way_heads(found), [(one.name, *_days(one)) for one in areas]),
        E.H2(_OPEN),
        _table(
            "Fälle, für die Geld beschlossen ist und die noch nicht am Ende sind",
            _WAITING[1:],
            [_waits(one) for one in found.waiting],
            _WAITING[0],
        )
        if found.waiting
        else E.P("Nichts: Alles Bewilligte ist bestätigt, und nichts ist in Klärung."),
    )


def _counts(one: AreaEvaluation) -> tuple[int, ...]:
    return (one.cases, one.undecided, one.granted, one.refused, one.elsewhere, one.questioned, one.corrected)


def _sums(one: AreaEvaluation) -> tuple[Decimal, ...]:
    return (one.budget, one.asked, one.granted_sum, one.committed, one.free)


def _way_heads(found: Evaluation) -> list[str]:
    whole = found.areas[-1].durations
    return [f"{way.name}: {word}" for way in whole for word in ("Fälle", "Mitte (Tage)", "längste (Tage)")]


def _days(one: AreaEvaluation) -> Iterator[Value]:
    for way in one.durations:
        yield from (way.cases, way.median, way.longest)


def _waits(one: WaitingCase) -> tuple[Value, ...]:
    return (one.reference, one.area_name, one.state, one.what, one.since)


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[Value]], first: str = "Bezirksregion"
) -> printed.Element:
    return printed.table(
        caption,
        (first, *heads),
        (_row(row) for row in rows),
    )


def _row(row: Sequence[Value]) -> list[printed.Element]:
    cells = [E.TH(str(row[0]), scope="row"), *(_cell(value) for value in row[1:])]
    if row[0] == WHOLE_NAME:
        for cell in cells:
            cell.set("class", f"{cell.get('class', '')} total".strip())
    return cells


def _cell(value: Value) -> printed.Element:
    match value:
        case float():  # days; half a day is possible
            return _number(f"{value:g}".replace(".", ","))
        case Decimal():
            return _number(german.number(value))
        case int():
            return _number(str(value))
        case date():
            return E.TD(german.day(value))
        case _:
            return E.TD(value or "–")


def _number(text: str) -> printed.Element:
    return E.TD(text, {"class": "number"})
