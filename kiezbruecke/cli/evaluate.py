"""kiezbruecke evaluate: what a district reports of a process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import desk
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.german import number
from kiezbruecke.machine import write_file


def evaluate(
    context: typer.Context,
    process: Annotated[str, typer.Argument(help="Verfahren, z. B. kk-tk-2026.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="ORDNER", help="Schreibt auswertung-….xlsx und .html dorthin.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Auswertung eines Verfahrens: wie viele, wie lange von der Idee bis zur Antwort, was noch wartet."""
    found = desk.evaluate(house_of(context), process, datetime.now(UTC))
    if out is not None:
        from kiezbruecke.desk.evaluation_files import as_page, as_workbook  # noqa: PLC0415 - openpyxl takes its time

        files = {".xlsx": as_workbook(found), ".html": as_page(found).encode()}
        for ending, body in files.items():
            write_file(out / f"auswertung-{found.process}{ending}", body)
    if as_json:
        emit(found)
        return
    heads = (
        "Bezirksregion",
        "# Fälle",
        "# bewilligt",
        "# abgelehnt",
        "# in Klärung",
        "bewilligt €",
        "festgelegt €",
        "frei €",
    )
    rows = (
        (
            one.name,
            one.cases,
            one.granted,
            one.refused,
            one.questioned,
            *map(number, (one.granted_sum, one.committed, one.free)),
        )
        for one in found.areas
    )
    table(f"Auswertung {found.name}", heads, rows)
    table(
        "Dauer in Tagen",
        ("Abschnitt", "# Fälle", "# Mitte", "# längste"),
        ((way.name, way.cases, way.median, way.longest) for way in found.areas[-1].durations),
    )
    more = f"die Dateien liegen in {out}" if out else "mehr mit --out ORDNER"
    say(f"Für die Geld beschlossen ist und die noch nicht am Ende sind: {len(found.waiting)}; {more}")
