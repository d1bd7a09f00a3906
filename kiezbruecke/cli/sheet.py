"""kiezbruecke sheet: sheets for clerks, made of what the ledger knows."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.errors import CallError, ConfigurationError
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _noun() -> None:
    """Sheets for clerks."""


@app.command()
def new(
    context: typer.Context,
    process: Annotated[str, typer.Option("--process", help="Kennung des Verfahrens, etwa kk-tk-2026.")],
    area: Annotated[str, typer.Option("--area", help="Bezirksregion: Name oder sechsstellige Nummer.")] = "",
    table: Annotated[
        str,
        typer.Option(
            "--table",
            metavar="TABELLE",
            help="Eine andere Tabelle zum Ausfüllen (ihr Name in schemas/tables); sonst die Beschlussliste.",
        ),
    ] = "",
    day: Annotated[str, typer.Option("--date", metavar="TAG", help="Tag der Versammlung, etwa 24.04.2026.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DATEI", help="Wohin; sonst in den Arbeitsordner.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Eine Beschlussliste für eine Versammlung: Nummern, Titel und beantragte Beträge stehen schon darin.

    Mit --table eine andere Liste zum Ausfüllen: in der Antragsliste stehen die bewilligten Vorschläge schon, in der
    Nachweisliste die mit Antrag, mit --area nur die einer Bezirksregion.
    """
    from kiezbruecke.desk.sheets import new_sheet  # noqa: PLC0415 - openpyxl takes a third of a second

    sheet = new_sheet(house_of(context), process, table, area, _day(day))
    file = output or Path(sheet.file_name)
    write_new(file, sheet.body)
    if as_json:
        emit(
            {
                "file": str(file),
                "process": process,
                "area": sheet.area.id if sheet.area else None,
                "proposals": sheet.proposals,
            }
        )
        return
    if sheet.area is None and not sheet.proposals:
        say(f"{file}")
        return
    say(f"{file}: {_counted(sheet.proposals)}{f' für {sheet.area.name}' if sheet.area else ''}")
    if not sheet.proposals and not table:
        say("Die Liste hat noch keine Zeile; bitte selbst ausfüllen, Vorschläge ohne Nummer als P-1, P-2 …")


def write_new(file: Path, body: bytes) -> None:
    """Never over a sheet that somebody may have begun to fill in."""
    try:
        with file.open("xb") as handle:
            handle.write(body)
    except FileExistsError:
        raise ConfigurationError(
            "die Datei gibt es schon",
            where=str(file),
            helps="nichts wurde verändert; mit -o einen anderen Namen nennen",
        ) from None
    except OSError as error:
        with suppress(OSError):  # what is there now is the half that we wrote
            file.unlink(missing_ok=True)
        raise ConfigurationError(
            "die Datei kann nicht geschrieben werden", where=str(file), helps=error.strerror or ""
        ) from None


def _day(given: str) -> date | None:
    if not given:
        return None
    try:
        found = STEPS["german_date"].apply(given)
    except Unusable as error:
        raise CallError(f"--date: {error.problem}", helps=f"erwartet: {error.expected}") from None
    assert isinstance(found, date)
    return found


def _counted(proposals: int) -> str:
    if not proposals:
        return "kein offener Vorschlag"
    return "ein offener Vorschlag" if proposals == 1 else f"{proposals} offene Vorschläge"
