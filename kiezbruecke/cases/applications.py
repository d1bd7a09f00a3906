"""What cannot be in a line of an application sheet or a settlement sheet, whatever else is known of its case.

The order of days is the law's: nobody is granted before they have applied (AV zu § 44 LHO), nobody begins before the
Bescheid (Verbot des vorzeitigen Maßnahmebeginns), nobody waives the right to object to what was not issued.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from kiezbruecke.german import BERLIN, day
from kiezbruecke.records import Application, Process, Record, Settlement


def faults_of(process: Process, line: Record, known: datetime) -> list[str]:
    """Everything that cannot be, each as the end of a German sentence that begins with „Die Zeile“.

    `known`: when the line became known; a Bescheid or proof of a later day, in Berlin, is none yet.
    """
    today = known.astimezone(BERLIN).date()
    match line:
        case Application():
            return list(_of_application(process, line, today))
        case Settlement():
            return list(_of_settlement(process, line, today))
        case _:
            return []


def _of_application(process: Process, line: Application, today: date) -> Iterator[str]:
    if not line.amount:
        yield "beantragt 0,00 €; erwartet: ein Betrag über 0"
    if line.expected_costs is not None and line.expected_costs < line.amount:
        yield "beantragt mehr, als das Vorhaben kosten soll; erwartet: höchstens die voraussichtlichen Kosten"
    yield from _not_yet(process, today, {"Antrag": line.applied_on, "Bescheid": line.notice_on})
    if line.waiver_on is not None:
        yield from _not_yet(process, today, {"Verzicht": line.waiver_on})
    if line.notice_on is None:
        if line.waiver_on is not None:
            yield "nennt einen Verzicht, aber keinen Bescheid; erwartet: auch den Tag des Bescheids"
        return
    if line.applied_on is not None and line.notice_on < line.applied_on:
        yield _earlier("Bescheid", line.notice_on, "Antrag", line.applied_on)
    if line.waiver_on is not None and line.waiver_on < line.notice_on:
        yield _earlier("Verzicht", line.waiver_on, "Bescheid", line.notice_on)
    if line.starts_on is not None and line.starts_on < line.notice_on:
        yield _earlier("Beginn", line.starts_on, "Bescheid", line.notice_on)


def _of_settlement(process: Process, line: Settlement, today: date) -> Iterator[str]:
    yield from _not_yet(process, today, {"Nachweis": line.proven_on})


def _not_yet(process: Process, today: date, days: dict[str, date | None]) -> Iterator[str]:
    """A day that is still to come, or from before the process's first assembly could be."""
    first, _ = process.assembly_days
    for name, found in days.items():
        if found is not None and not first <= found <= today:
            yield f"nennt als Tag ({name}) den {day(found)}; erwartet: ein Tag vom {day(first)} bis zum {day(today)}"


def _earlier(later: str, its_day: date, first: str, first_day: date) -> str:
    return f"nennt für {later} den {day(its_day)}, für {first} den {day(first_day)}; erwartet: {first} vor {later}"
