"""kiezbruecke budget: where a fund's money stands in the budget plan."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.cli.sheet import write_new
from kiezbruecke.desk.places import BudgetPlace, WantedPlaces, read_places, the_place
from kiezbruecke.errors import CallError
from kiezbruecke.german import count

app = typer.Typer(no_args_is_help=True)
_KNOWN = re.compile(r"(\S+)=([0-9]{1,15})")


@app.callback()
def _noun() -> None:
    """Budgets."""


@app.command()
def places(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="DATEI", help="Die offene Haushaltsdatei Berlins (CSV).")],
    bereich: Annotated[str, typer.Option("--bereich", help="Name oder Nummer, etwa Treptow-Köpenick oder 39.")],
    titel_bezeichnung: Annotated[
        str, typer.Option("--titel-bezeichnung", metavar="TEXT", help="Ein Teil der Bezeichnung des Titels.")
    ],
    kapitel: Annotated[str, typer.Option("--kapitel", help="Nur dieses Kapitel, vierstellig.")] = "",
    bekannt: Annotated[
        list[str] | None,
        typer.Option(
            "--bekannt",
            metavar="ID=BETRAG",
            help="Eine Zeile, die Sie kennen: Steht sie anders da, gilt nichts.",
        ),
    ] = None,
    process: Annotated[
        str, typer.Option("--process", help="Schreibt eine Budgetliste für dieses Verfahren und sein Haushaltsjahr.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DATEI", help="Wohin; sonst in den Arbeitsordner.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Kapitel und Titel im Haushaltsplan suchen, und eine Budgetliste damit vorausfüllen."""
    wanted = WantedPlaces(bereich, titel_bezeichnung, kapitel)
    found = read_places(file, wanted, dict(map(_known, bekannt or ())))
    written = _sheet(context, found, process, output) if process else None
    if as_json:
        emit({"places": [one.model_dump() for one in found], "file": str(written) if written else None})
        return
    table(
        "Im Haushaltsplan",
        ("Jahr", "Kapitel", "Titel", "Ansatz €", "Bezeichnung", "im Kapitel"),
        [_row(one) for one in found],
        empty="keine Ausgabe passt.",
    )
    if missing := sum(not one.complete for one in found):
        say(f"{count(missing, 'Zeile nennt', 'Zeilen nennen')} keine Nummer von Kapitel oder Titel.")
    if written:
        say(f"{written}: Kapitel und Titel stehen schon darin; Beträge prüfen oder eintragen")


def _sheet(context: typer.Context, found: list[BudgetPlace], process: str, output: Path | None) -> Path:
    from kiezbruecke.desk.sheets import budget_sheet  # noqa: PLC0415 - openpyxl takes a third of a second

    sheet = budget_sheet(house_of(context), process, lambda year: the_place(found, year))
    written = output or Path(sheet.file_name)
    write_new(written, sheet.body)
    return written


def _known(given: str) -> tuple[str, int]:
    found = _KNOWN.fullmatch(given)
    if found is None:
        raise CallError("--bekannt: das ist keine bekannte Zeile", helps="erwartet: ID=BETRAG, etwa 18073=777000")
    return found[1], int(found[2])


def _row(one: BudgetPlace) -> tuple[str, ...]:
    amount = f"{one.amount:,}".replace(",", ".")
    return (str(one.year), one.chapter or "–", one.title or "–", amount, one.title_name, one.chapter_name)
