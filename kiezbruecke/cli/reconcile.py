"""kiezbruecke reconcile: both sides' sums, what hangs and who must act."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import desk
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.german import moment, number
from kiezbruecke.machine import write_file

_SCREEN = 40  # of what hangs; the files have all of it
_SUMS = ("Budget", "gebunden", "bezahlt", "zurück", "frei", "bei uns", "im HKR")
_NOWHERE = Path("-")


def reconcile(
    context: typer.Context,
    processes: Annotated[
        list[str] | None, typer.Argument(metavar="[VERFAHREN]...", help="Verfahren; ohne Angabe alle, die laufen.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="DATEI", help="Die Summen als CSV.")] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="DATEI", help="Alles als Arbeitsmappe.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="DATEI", help="Alles als Seite zum Drucken.")] = None,
    mail: Annotated[
        Path | None, typer.Option("--mail", metavar="DATEI", help="Der Text für eine E-Mail; - schreibt ihn hierher.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Abgleich je Bezirksregion: unsere Summen und die des HKR-Verfahrens, was hängt und wer am Zug ist.

    Endet mit 1, wenn eine Summe verschieden ist oder etwas zu lange hängt.
    """
    found = desk.reconciliation(house_of(context), processes or (), datetime.now(UTC))
    _write(found, {".csv": csv, ".xlsx": xlsx, ".html": html, ".txt": None if mail == _NOWHERE else mail})
    if as_json:
        emit(found)
    elif mail == _NOWHERE:
        from kiezbruecke.desk.sums_files import as_mail  # noqa: PLC0415 - openpyxl takes its time

        say(as_mail(found).rstrip() or "Nichts zu melden.")
    else:
        _show(found)
    if not found.is_sound:
        raise typer.Exit(1)


def _write(found: desk.Reconciliation, wanted: dict[str, Path | None]) -> None:
    if any(wanted.values()):
        from kiezbruecke.desk.sums_files import FORMS  # noqa: PLC0415 - openpyxl takes its time

        for ending, file in wanted.items():
            if file is not None:
                write_file(file, FORMS[ending](found))


def _show(found: desk.Reconciliation) -> None:
    table(
        "Abgleich",
        (
            "Bezirksregion",
            "Budget €",
            "gebunden €",
            "bezahlt €",
            "zurück €",
            "frei €",
            "bei uns €",
            "im HKR €",
            "gleich",
        ),
        [_row(one) for one in found.areas],
        empty="noch kein Budget bekannt.",
    )
    for text in (text for one in found.differing for text in one.sentences()):
        say(text)
    for text in found.broken:
        say(f"Die Rechnung stimmt nicht: {text}")
    rows = [
        (one.case, number(one.amount), one.what, moment(one.since), one.who, "ja" if one.late else "")
        for one in found.hanging[:_SCREEN]
    ]
    table("Was hängt", ("Fall", "Betrag €", "Stand", "seit", "am Zug", "zu lange"), rows)
    if len(found.hanging) > _SCREEN:
        say(f"Und {len(found.hanging) - _SCREEN} weitere; alle mit --xlsx DATEI.")
    if found.unmatched:
        answers = [(one.point, one.what, one.case, moment(one.since), one.who) for one in found.unmatched]
        table("Rückmeldungen, die zu nichts passen", ("Punkt", "Rückmeldung", "Fall", "seit", "am Zug"), answers)


def _row(area: desk.AreaSums) -> tuple[str, ...]:
    amounts = (area.budget, area.bound, area.paid, area.refunded, area.free, area.ours, area.theirs)
    equal = "" if not area.area else "ja" if area.equal else "NEIN"
    return (f"{area.process} {area.name}" if not area.area else area.name, *map(number, amounts), equal)
