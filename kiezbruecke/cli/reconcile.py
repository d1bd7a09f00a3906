"""kiezbruecke reconcile: budget, committed, free per area; our sums against theirs, in euros."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke import desk
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table
from kiezbruecke.german import number


def reconcile(
    context: typer.Context,
    process: Annotated[str, typer.Option(help="Verfahren.")] = "kk-tk-2026",
    as_json: AsJson = False,
) -> None:
    """Abgleich je Bezirksregion. Endet mit 1, wenn unsere und ihre Summen verschieden sind."""
    areas = desk.sums(house_of(context), process)
    if as_json:
        emit(areas)
    else:
        table(
            f"Abgleich {process}",
            ("Bezirksregion", "Budget €", "gebunden €", "frei €", "gebucht bei uns €", "gebucht im HKR €", "gleich"),
            [_row(area) for area in areas],
            empty="noch kein Budget bekannt.",
        )
    if not all(area.equal for area in areas):
        raise typer.Exit(1)


def _row(area: desk.AreaSums) -> tuple[str, ...]:
    amounts = (area.budget, area.committed, area.free, area.ours, area.theirs)
    return (area.name, *map(number, amounts), "ja" if area.equal else "NEIN")
