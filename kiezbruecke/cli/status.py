"""kiezbruecke status: what ran, what is stuck, since when – ready for a monitoring system."""

from __future__ import annotations

import typer

from kiezbruecke import desk, german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table
from kiezbruecke.desk import words


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Zeigt jede Strecke: letzter Lauf, was feststeckt, seit wann. Endet mit 1, wenn eine Person gebraucht wird."""
    found = desk.status(house_of(context))
    if as_json:
        emit(found)
    else:
        columns = ("Strecke", "letzter Lauf", "Nachrichten", "offen seit", "Fehler")
        table("Strecken", columns, [_row(one) for one in found.routes])
        for stopped in found.recovering:
            typer.echo(
                f"{stopped.destination}: weiß mehr als das Hauptbuch; es geht nichts hinaus. "
                f"Nächster Schritt: {stopped.next_step}"
            )
        typer.echo(_needed(found.attention))
    if not found.calm:
        raise typer.Exit(1)


def _row(one: desk.RouteStatusView) -> tuple[object, ...]:
    last = f"{german.moment(one.last_run)} {words.STEPS.get(one.last_step, one.last_step)}"
    paused = " (angehalten)" if one.paused else ""
    return (one.route, last + paused, words.states(one.messages), one.oldest_unsettled, one.error)


def _needed(points: int) -> str:
    if not points:
        return "Niemand wird gebraucht."
    return german.count(points, "Punkt braucht", "Punkte brauchen") + " eine Person: kiezbruecke todo list"
