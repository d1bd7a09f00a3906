"""kiezbruecke sheet: sheets for clerks, made of what the ledger knows."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import german, pipeline
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.errors import CallError, ConfigurationError, InputError
from kiezbruecke.machine import read_file
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.person import by_login
from kiezbruecke.stages.looking_ahead import LineOutlook, SheetOutlook

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


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="DATEI", help="Die ausgefüllte Liste.")],
    route: Annotated[str, typer.Option("--route", help="Strecke, die sie lesen soll; siehe kiezbruecke route list.")],
    as_json: AsJson = False,
) -> None:
    """Ansehen, was aus einer Liste würde, bevor sie zählt: je Zeile, was daraus folgt und was zu berichtigen ist.

    Es wird nichts gespeichert. Endet mit 1, wenn etwas nicht übernommen würde oder warten müsste.
    """
    found = pipeline.look_ahead(house_of(context), route, file.name, _body(file))
    if as_json:
        emit(found)
    else:
        _show(found)
    if found.problem or not all(line.sound for line in found.lines):
        raise typer.Exit(1)


@app.command()
def take(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="DATEI", help="Die angesehene Liste.")],
    route: Annotated[str, typer.Option("--route", help="Strecke, die sie lesen soll.")],
    look: Annotated[str, typer.Option("--look", metavar="PRÜFSUMME", help="Aus kiezbruecke sheet check.")],
    name: Annotated[str, typer.Option("--name", help="Wer die Liste übernimmt.")],
    as_json: AsJson = False,
) -> None:
    """Genau diese Liste in den Ordner ihrer Strecke legen; der nächste Lauf liest sie. Zweimal ist wie einmal."""
    done = pipeline.hand_over(house_of(context), route, file.name, _body(file), look=look, person=by_login(name))
    if as_json:
        emit(done)
    elif done.stored:
        say(f"Übernommen als {done.file}. Der nächste Lauf liest sie: kiezbruecke run {route}")
    else:
        say(f"Der Inhalt liegt schon da, als {done.file}. Es ist nichts geschehen.")


def _body(file: Path) -> bytes:
    try:
        return read_file(file)
    except FileNotFoundError:
        raise InputError("Die Datei gibt es nicht", where=str(file)) from None


def _show(found: SheetOutlook) -> None:
    if found.problem:
        say(f"{found.file}: {found.problem}")
        return
    rows = [
        (line.row, line.reference, line.understood or line.wrong, line.follows, _mend(line)) for line in found.lines
    ]
    table(found.file, ("Zeile", "Referenznummer", "Verstanden", "Was daraus folgt", "Hinweis"), rows)
    areas = [
        (one.area, german.number(one.budget), german.number(one.granted), german.number(one.free))
        for one in found.areas
    ]
    if areas:
        table("Danach", ("Bezirksregion", "Budget €", "vergeben €", "frei €"), areas)
    for note in found.notes:
        say(f"Hinweis: {note}")
    if found.twin:
        say(f"Der Inhalt liegt schon da, als {found.twin}.")
    elif found.can_be_taken:
        say(f"Übernehmen: kiezbruecke sheet take … --route {found.route} --look {found.look}")


def _mend(line: LineOutlook) -> str:
    hint = line.wrong if line.understood else ""
    return "; ".join(filter(None, (hint, line.helps and f"Was hilft: {line.helps}")))


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
