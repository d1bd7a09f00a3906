"""kiezbruecke route: list, look at dry runs, pause, resume, and the line between by hand and by Kiezbrücke."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import attention, desk, german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.content import find_content
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.desk import words
from kiezbruecke.edge import local_connections
from kiezbruecke.effects import effect
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.drafts import add_baseline
from kiezbruecke.ledger.pauses import set_paused
from kiezbruecke.ledger.reading import read_previews
from kiezbruecke.machine import write_file
from kiezbruecke.person import by_login
from kiezbruecke.stages.work import lane_of

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name der Strecke.")]
Person = Annotated[str, typer.Option("--name", help="Wer das veranlasst.")]
Why = Annotated[str, typer.Option("--reason", help="Warum.")]


@app.command("list")
def list_routes(context: typer.Context, as_json: AsJson = False) -> None:
    """Alle Strecken; eine fehlerhafte steht mit ihrem Fehler da und stört die anderen nicht."""
    found = desk.routes(house_of(context))
    if as_json:
        emit(found)
        return
    columns = ("Strecke", "Art", "von/nach", "Betriebsart", "Zeitplan", "geweckt von", "zuständig", "Fehler")
    keys = ("route", "kind", "connection", "mode", "schedule", "after", "owner", "error")
    table("Strecken", columns, [[getattr(one, key) for key in keys] for one in found])
    if any(one.error for one in found):
        raise typer.Exit(1)


@app.command()
def check(
    route: Annotated[str | None, typer.Argument(help="Nur diese Strecke; sonst alle.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prüfen, bevor etwas läuft: Wörter der Datei, Zuordnung, Verbindung. Endet mit 1, wenn etwas nicht stimmt."""
    content = find_content()
    found = desk.check_routes(content, local_connections(content), route)
    if as_json:
        emit(found)
    else:
        rows = [(one.route, "; ".join(one.errors) or "in Ordnung") for one in found]
        table("Strecken", ("Strecke", "Befund"), rows)
    if any(one.errors for one in found):
        raise typer.Exit(1)


@app.command()
def runs(
    context: typer.Context,
    route: Name,
    last: Annotated[int, typer.Option(min=1, help="Wie viele.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Was eine Strecke zuletzt getan hat, Schritt für Schritt, das Neueste zuerst."""
    house = house_of(context)
    find_route(house.content, route)
    found = desk.runs(house.ledger, route, last)
    if as_json:
        emit(found)
        return
    rows = [(one.started_at, words.STEPS.get(one.step, one.step), _done(one), one.error) for one in found]
    table(f"Läufe {route}", ("wann", "Schritt", "was", "Fehler"), rows, empty="noch keiner.")


@app.command()
def pause(
    context: typer.Context,
    route: Name,
    name: Person,
    reason: Why,
    resume: Annotated[bool, typer.Option("--resume", help="Wieder laufen lassen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Eine Strecke anhalten oder (--resume) weiterlaufen lassen."""
    house = house_of(context)
    find_route(house.content, route)
    set_paused(house.ledger, route, not resume, person=by_login(name), reason=reason)
    if as_json:
        emit(desk.route(house, route))
        return
    left = desk.pause(house, route) if resume else None
    if left:  # its destination or source rests as well
        say(f"{words.paused(route, str(left.person), left.reason, left.at, left.connection)}.")
        return
    say(f"{route}: {'läuft weiter' if resume else 'angehalten'}.")


@app.command()
def preview(
    context: typer.Context,
    route: Name,
    out: Annotated[Path | None, typer.Option(help="Die Nachrichten als Dateien in diesen Ordner schreiben.")] = None,
    as_json: AsJson = False,
) -> None:
    """Was der letzte Probelauf (mode: dry_run) vorbereitet hat; gesendet wurde davon nichts."""
    house = house_of(context)
    _sending(house, route, "route preview")
    found = read_previews(house.ledger, route)
    if out is not None:
        for one in found:
            desk.refuse_to_show(one.effect, one.case)
            write_file(out / Path(one.file_name).name, one.payload)
    shown = [desk.preview_view(one) for one in found]
    if as_json:
        emit(shown)
        return
    table(
        f"Probelauf {route}",
        ("Fall", "Wirkung", "Datei", "# Byte", "vom"),
        [(one.case, effect(one.effect).title, one.file, one.bytes, one.at) for one in shown],
        empty="nichts vorbereitet.",
    )
    for view in shown:
        if view.text:
            say("\n".join((f"\n{view.case}:", *(f"  {line}" for line in view.text))))


@app.command()
def baseline(
    context: typer.Context,
    route: Name,
    name: Person,
    reason: Why,
    case: Annotated[list[str] | None, typer.Option(help="Nur diese Referenznummern.")] = None,
    as_json: AsJson = False,
) -> None:
    """Beschlossene Fälle, die schon von Hand erfasst sind, von dieser Strecke ausnehmen."""
    house = house_of(context)
    found = _sending(house, route, "route baseline")
    process, ledger = read_process(house.content, found.process), house.ledger
    decided = [one for one in attention.read_standings(ledger, process) if one.grants]
    if unknown := sorted(set(case or ()) - {one.case.reference for one in decided}):
        raise InputError("Dazu gibt es keinen bewilligenden Beschluss", where=", ".join(unknown))
    ids = [one.case.id for one in decided if not case or one.case.reference in case]
    count = add_baseline(ledger, lane_of(found), ids, person=by_login(name), reason=reason)
    if as_json:
        emit({"route": route, "marked": count})
        return
    say(f"{route}: {german.count(count, 'Fall gilt', 'Fälle gelten')} als von Hand erfasst.")


def _sending(house: House, name: str, where: str) -> SendingRoute:
    found = find_route(house.content, name)
    if not isinstance(found, SendingRoute):
        raise InputError(f"Die Strecke {name} sendet nichts", where=where)
    return found


def _done(run: desk.RunView) -> str:
    if run.ended_at is None:
        return "läuft, oder wurde abgebrochen"
    return words.told(run.counts) or "nichts Neues"
