"""kiezbruecke status: what ran, what is stuck, since when – ready for a monitoring system."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy.engine import make_url

from kiezbruecke import desk, german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table
from kiezbruecke.content import find_content, find_state
from kiezbruecke.desk import words
from kiezbruecke.edge import ledger_url
from kiezbruecke.privacy import open_to_others


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Zeigt jede Strecke: letzter Lauf, was feststeckt, seit wann. Endet mit 1, wenn eine Person gebraucht wird."""
    found = desk.status(house_of(context))
    if as_json:
        emit(found)
    else:
        columns = ("Strecke", "letzter Lauf", "Nachrichten", "offen seit", "Fehler")
        table("Strecken", columns, [_row(one) for one in found.routes])
        typer.echo(_needed(found.attention))
        if exposed := _exposed():
            names = ", ".join(map(str, exposed))
            typer.echo(f"Andere Konten dieses Rechners können lesen: {names}. Abhilfe: chmod go-rwx …", err=True)
    if not found.calm:
        raise typer.Exit(1)


def _exposed() -> list[Path]:
    """The state folder, the connections with their passwords and a ledger in a file, where others can read them."""
    state = find_state(find_content())
    ledger = make_url(ledger_url())
    files = [Path(ledger.database)] if ledger.get_backend_name() == "sqlite" and ledger.database else []
    return open_to_others(state, [state / "connections.json", *files])


def _row(one: desk.RouteStatusView) -> tuple[object, ...]:
    last = f"{german.moment(one.last_run)} {words.STEPS.get(one.last_step, one.last_step)}"
    paused = " (angehalten)" if one.paused else ""
    return (one.route, last + paused, words.states(one.messages), one.oldest_unsettled, one.error)


def _needed(points: int) -> str:
    if not points:
        return "Niemand wird gebraucht."
    return german.count(points, "Punkt braucht", "Punkte brauchen") + " eine Person: kiezbruecke todo list"
