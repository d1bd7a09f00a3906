"""kiezbruecke route: list, look at dry runs, pause, resume, and the line between by hand and by Kiezbrücke."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import attention
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table
from kiezbruecke.effects import effect
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger.drafts import add_baseline
from kiezbruecke.ledger.reading import Preview, read_previews
from kiezbruecke.ledger.runs import paused, set_paused
from kiezbruecke.routes import Route, SendingRoute, find_route, read_process, read_route, route_files
from kiezbruecke.stages.work import lane_of

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name der Strecke.")]
Person = Annotated[str, typer.Option("--name", help="Wer das veranlasst.")]
Why = Annotated[str, typer.Option("--reason", help="Warum.")]


@app.command("list")
def list_routes(context: typer.Context, as_json: AsJson = False) -> None:
    """Alle Strecken; eine fehlerhafte steht mit ihrem Fehler da und stört die anderen nicht."""
    house = house_of(context)
    rows = [_row(house, file.stem) for file in route_files(house.content)]
    if as_json:
        emit(rows)
        return
    columns = ("Strecke", "Art", "von/nach", "Betriebsart", "Zeitplan", "geweckt von", "zuständig", "Fehler")
    keys = ("route", "kind", "connection", "mode", "schedule", "after", "owner", "error")
    table("Strecken", columns, [[row.get(key) for key in keys] for row in rows])
    if any(row.get("error") for row in rows):
        raise typer.Exit(1)


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
    _signed(name, reason, "route pause")
    house = house_of(context)
    find_route(house.content, route)
    set_paused(house.ledger, route, not resume, person=name, reason=reason)
    if as_json:
        emit(_row(house, route))
        return
    typer.echo(f"{route}: {'läuft weiter' if resume else 'angehalten'}.")


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
        out.mkdir(parents=True, exist_ok=True)
        for one in found:
            (out / Path(one.file_name).name).write_bytes(one.payload)
    if as_json:
        emit([_preview(one) for one in found])
        return
    table(
        f"Probelauf {route}",
        ("Fall", "Wirkung", "Datei", "# Byte", "vom"),
        [(one.case, effect(one.effect).title, one.file_name, len(one.payload), one.at) for one in found],
        empty="nichts vorbereitet.",
    )


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
    _signed(name, reason, "route baseline")
    house = house_of(context)
    found = _sending(house, route, "route baseline")
    process, ledger = read_process(house.content, found.process), house.ledger
    decided = [one for one in attention.read_standings(ledger, process) if one.grants]
    if unknown := sorted(set(case or ()) - {one.case.reference for one in decided}):
        raise ConfigurationError("Dazu gibt es keinen bewilligenden Beschluss", where=", ".join(unknown))
    ids = [one.case.id for one in decided if not case or one.case.reference in case]
    count = add_baseline(ledger, lane_of(found), ids, person=name, reason=reason)
    if as_json:
        emit({"route": route, "marked": count})
        return
    typer.echo(f"{route}: {count} Fälle gelten als von Hand erfasst.")


def _signed(name: str, reason: str, where: str) -> None:
    if not name.strip() or not reason.strip():
        raise ConfigurationError("Name und Begründung gehören dazu", where=where)


def _sending(house: House, name: str, where: str) -> SendingRoute:
    found = find_route(house.content, name)
    if not isinstance(found, SendingRoute):
        raise ConfigurationError(f"Die Strecke {name} sendet nichts", where=where)
    return found


def _preview(one: Preview) -> dict[str, object]:
    return {
        "case": one.case,
        "case_id": one.case_id,
        "effect": one.effect,
        "file": one.file_name,
        "bytes": len(one.payload),
        "at": one.at,
    }


def _row(house: House, name: str) -> dict[str, object]:
    try:
        route = read_route(house.content / "mappings" / "routes" / f"{name}.yaml")
    except ConfigurationError as error:
        return {"route": name, "error": error.line()}
    return {
        "route": route.name,
        "title": route.title,
        "kind": "sendet" if isinstance(route, SendingRoute) else "holt",
        "connection": _connection(route),
        "mode": _mode(house, route),
        "schedule": route.schedule,
        "after": ", ".join(route.after),
        "owner": route.owner,
    }


def _connection(route: Route) -> str:
    return route.destination if isinstance(route, SendingRoute) else route.collect


def _mode(house: House, route: Route) -> str:
    if paused(house.ledger, route.name):
        return "angehalten"
    if not isinstance(route, SendingRoute):
        return "live"
    return route.mode if route.environment == "live" else f"{route.mode} (test)"
