"""kiezbruecke status: what ran, what is stuck, since when, who looks after it – ready for a monitoring system."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy.engine import make_url

from kiezbruecke import desk, german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
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
        columns = ("Strecke", "letzter Lauf", "Nachrichten", "offen seit", "zuständig", "Fehler")
        table("Strecken", columns, [_row(one) for one in found.routes])
        for line in _needed(found):
            say(line)
        if exposed := _exposed():
            names = ", ".join(map(str, exposed))
            say(f"Andere Konten dieses Rechners können lesen: {names}. Abhilfe: chmod go-rwx …", err=True)
    if not found.calm:
        raise typer.Exit(1)


def _exposed() -> list[Path]:
    """The state folder, the connections with their passwords and a ledger in a file, where others can read them."""
    state = find_state(find_content())
    ledger = make_url(ledger_url())
    files = [Path(ledger.database)] if ledger.get_backend_name() == "sqlite" and ledger.database else []
    return open_to_others(state, [state / "connections.json", *files])


def _row(one: desk.RouteStatusView) -> tuple[object, ...]:
    last = f"{german.moment(one.last_run)} {words.STEPS.get(one.last_step, one.last_step)}".strip()
    paused = "angehalten, " if one.paused and last else "angehalten" if one.paused else ""
    owner = one.owner or words.OPERATIONS
    return (one.route, f"{paused}{last}", words.states(one.messages), one.oldest_unsettled, owner, one.error)


def _needed(found: desk.HouseStatus) -> list[str]:
    """Who is needed for what: pauses first, then what fails, then the list."""
    paused = [one for one in found.routes if one.paused]
    lines = [_paused(one) for one in paused]
    lines += [
        f"{one.destination}: weiß mehr als das Hauptbuch; es geht nichts hinaus. Nächster Schritt: {one.next_step}"
        for one in found.recovering
    ]
    lines += [_failing(one) for one in found.failing]
    if found.attention:
        lines.append(f"{german.count(found.attention, *words.NEEDS)} eine Person: kiezbruecke todo list")
    return lines if not found.calm else [*lines, "Niemand wird gebraucht."]


def _paused(one: desk.RouteStatusView) -> str:
    who = words.who(one.paused_by, one.paused_account)
    return words.paused(one.route, who, one.paused_because, one.paused_at, one.paused_connection)


def _failing(one: desk.RouteStatusView) -> str:
    if one.broken:
        return f"{one.route} läuft nicht, ihre Datei ist fehlerhaft. Wer handelt: {words.OPERATIONS}"
    step = words.STEPS.get(one.failed_step, one.failed_step)
    return f"{one.route} ist zuletzt gescheitert (Schritt: {step}). Wer handelt: {words.OPERATIONS}"
