"""kiezbruecke status: what ran, what is stuck, since when – ready for a monitoring system."""

from __future__ import annotations

from pathlib import Path

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, german_time, table
from kiezbruecke.cli.words import STATES, STEPS
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger.reading import RouteStatus, route_status
from kiezbruecke.ledger.todo import open_points
from kiezbruecke.routes import read_route, route_files


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Zeigt jede Strecke: letzter Lauf, was feststeckt, seit wann. Endet mit 1, wenn eine Person gebraucht wird."""
    house = house_of(context)
    ledger = house.ledger
    found = [route_status(ledger, file.stem) for file in route_files(house.content)]
    broken = _broken(house.content)
    points = open_points(ledger)
    if as_json:
        emit({"routes": [_body(one, broken) for one in found], "attention": len(points)})
    else:
        table(
            "Strecken",
            ("Strecke", "letzter Lauf", "Nachrichten", "offen seit", "Fehler"),
            [_row(one, broken) for one in found],
        )
        typer.echo(
            f"{len(points)} Punkte brauchen eine Person: kiezbruecke todo list" if points else "Niemand wird gebraucht."
        )
    if points or broken or any(one.last_error for one in found):
        raise typer.Exit(1)


def _broken(content: Path) -> dict[str, str]:
    reasons = {}
    for file in route_files(content):
        try:
            read_route(file)
        except ConfigurationError as error:
            reasons[file.stem] = error.line()
    return reasons


def _row(one: RouteStatus, broken: dict[str, str]) -> tuple[object, ...]:
    states = ", ".join(f"{count} {STATES[state]}" for state, count in sorted(one.states.items()))
    last = f"{german_time(one.last_run)} {STEPS.get(one.last_step, one.last_step)}" + (
        " (angehalten)" if one.paused else ""
    )
    return (one.route, last, states, one.oldest_unsettled, broken.get(one.route) or one.last_error)


def _body(one: RouteStatus, broken: dict[str, str]) -> dict[str, object]:
    return {
        "route": one.route,
        "last_run": one.last_run,
        "last_step": one.last_step,
        "error": broken.get(one.route) or one.last_error or None,
        "broken": one.route in broken,
        "paused": one.paused,
        "messages": dict(one.states),
        "oldest_unsettled": one.oldest_unsettled,
    }
