"""kiezbruecke reconcile: budget, committed, free per area; our sums against theirs, in euros."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, euros, german_euros, table
from kiezbruecke.house import House
from kiezbruecke.ledger import money
from kiezbruecke.routes import read_process


def reconcile(
    context: typer.Context,
    process: Annotated[str, typer.Option(help="Verfahren.")] = "kk-tk-2026",
    as_json: AsJson = False,
) -> None:
    """Abgleich je Bezirksregion. Endet mit 1, wenn unsere und ihre Summen verschieden sind."""
    rows = sums(house_of(context), process)
    if as_json:
        emit([_body(row) for row in rows])
    else:
        table(
            f"Abgleich {process}",
            ("Bezirksregion", "Budget €", "gebunden €", "frei €", "gebucht bei uns €", "gebucht im HKR €", "gleich"),
            [_row(row) for row in rows],
            empty="noch kein Budget bekannt.",
        )
    if any(ours != theirs for *_, ours, theirs in rows):
        raise typer.Exit(1)


Sums = tuple[str, str, int, int, int, int, int]


def sums(house: House, process_id: str) -> list[Sums]:
    """Per area: id, name, budget, committed, free, ours, theirs – in cents."""
    process, ledger = read_process(house.content, process_id), house.ledger
    names = {area.id: area.name for area in process.areas}
    theirs = money.theirs(ledger, process.fiscal_year)
    return [
        (
            one.area_id,
            names.get(one.area_id, one.area_id),
            one.amount,
            one.committed,
            one.amount - one.committed,
            one.booked,
            theirs.get(one.area_id, 0),
        )
        for one in money.balances(ledger, process_id)
    ]


def _row(row: Sums) -> tuple[object, ...]:
    _, name, *amounts, ours, theirs = row
    return (
        name,
        *map(german_euros, amounts),
        german_euros(ours),
        german_euros(theirs),
        "ja" if ours == theirs else "NEIN",
    )


def _body(row: Sums) -> dict[str, object]:
    area, name, budget, committed, free, ours, theirs = row
    return {
        "area": area,
        "name": name,
        "budget": euros(budget),
        "committed": euros(committed),
        "free": euros(free),
        "ours": euros(ours),
        "theirs": euros(theirs),
    }
