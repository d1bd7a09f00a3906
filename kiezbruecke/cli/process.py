"""`kiezbruecke process`: a district's procedure of one year – made from another one, looked at, checked."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.content import find_content
from kiezbruecke.content.processes import process_files
from kiezbruecke.edge import local_connections
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.workbench.new_process import ProcessRequest, new_process
from kiezbruecke.workbench.process_check import ProcessReport, report_of

app = typer.Typer(no_args_is_help=True)

_POOLS = "python -m kiezbruecke.airflow.pools > pools.json && airflow pools import pools.json"


@app.command()
def new(  # noqa: PLR0913, PLR0917 - an option each
    process: Annotated[str, typer.Argument(metavar="KENNUNG", help="Des neuen Verfahrens, etwa kf-li-2027.")],
    like: Annotated[str, typer.Option("--from", help="Verfahren, nach dessen Muster, etwa kk-tk-2026.")],
    district: Annotated[str, typer.Option("--district", help="Kürzel in den Namen der Verbindungen, etwa li.")],
    name: Annotated[str, typer.Option("--name", help="Name, wie Menschen ihn lesen: „Kiezfonds Lichtenberg 2027“.")],
    year: Annotated[int, typer.Option("--year", min=2000, max=2099, help="Haushaltsjahr.")],
    label: Annotated[
        str, typer.Option("--label", help="Wort in Buchung und Akte, etwa Kiezfonds; sonst das der Art.")
    ] = "",
    kind: Annotated[str, typer.Option("--kind", help="Art des Verfahrens, etwa kiezfonds; sonst wie --from.")] = "",
    bezirk: Annotated[str, typer.Option("--bezirk", help="Nummer oder Name, etwa 11 oder Lichtenberg.")] = "",
    prefix: Annotated[str, typer.Option("--prefix", help="Beginn jedes Fremdkennzeichens, etwa KF27.")] = "",
    areas: Annotated[
        Path | None, typer.Option("--areas", metavar="CSV", help="Bezirksregionen: id;name, eine Zeile je Region.")
    ] = None,
    shapes: Annotated[Path | None, typer.Option("--geojson", metavar="DATEI", help="Ihre Flächen, in WGS84.")] = None,
    shape_property: Annotated[
        str, typer.Option("--geojson-property", help="Das Merkmal mit Nummer oder Name; sonst area_id.")
    ] = "",
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Eine Strecke, die es nicht gibt, etwa meinberlin; mehrfach.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ein Verfahren nach dem Muster eines anderen anlegen: eine Datei und die Liste der Bezirksregionen, kein Code."""
    content = find_content()
    wanted = ProcessRequest(
        process,
        like,
        district,
        name,
        year,
        label,
        kind,
        bezirk,
        prefix,
        areas,
        shapes,
        shape_property,
        tuple(without or ()),
    )
    made = new_process(content, wanted)
    files = [str(file.relative_to(content)) for file in made.files]
    if as_json:
        emit({"process": process, "files": files, **_as_dict(made.report)})
        return
    for file in files:
        say(file)
    _say_report(made.report)


@app.command("list")
def list_processes(as_json: AsJson = False) -> None:
    """Alle Verfahren; auch die vorbereiteten, die noch nicht laufen."""
    found = [_report(process_id) for process_id in _known()]
    if as_json:
        emit([_as_dict(one) for one in found])
    else:
        columns = ("Verfahren", "Name", "Wort", "Jahr", "Stand", "# Bezirksregionen", "# Strecken")
        table("Verfahren", columns, [_row(one) for one in found])
    if any(one.errors for one in found):
        raise typer.Exit(1)


@app.command()
def check(
    process: Annotated[str | None, typer.Argument(help="Nur dieses Verfahren; sonst alle.")] = None,
    as_json: AsJson = False,
) -> None:
    """Was einem Verfahren noch fehlt: Angaben, Verbindungen. Endet mit 1, wenn etwas fehlt, das gebraucht wird."""
    if process is not None and process not in _known():
        raise InputError(f"Ein Verfahren „{process}“ gibt es nicht", expected=", ".join(_known()))
    found = [_report(one) for one in ([process] if process else _known())]
    if as_json:
        emit([_as_dict(one) for one in found])
    else:
        for one in found:
            _say_report(one)
    if any(one.errors or not (one.ready or one.off) for one in found):
        raise typer.Exit(1)


def _known() -> list[str]:
    return [file.stem for file in process_files(find_content())]


def _report(process_id: str) -> ProcessReport:
    content = find_content()
    connect = local_connections(content)

    def known(name: str) -> bool:
        try:
            connect(name)
        except ConfigurationError:
            return False
        return True

    return report_of(content, process_id, known)


def _row(one: ProcessReport) -> tuple[object, ...]:
    process = one.process
    if process is None:
        return one.id, "; ".join(one.errors), "", "", "fehlerhaft", "", ""
    return one.id, process.name, process.label, process.fiscal_year, _state(one), len(process.areas), len(one.routes)


def _state(one: ProcessReport) -> str:
    if one.errors:
        return "fehlerhaft"
    return "vorbereitet" if one.off else "in Betrieb"


def _as_dict(one: ProcessReport) -> dict[str, Any]:
    process = one.process
    return {
        "id": one.id,
        "name": process.name if process else None,
        "label": process.label if process else None,
        "fiscal_year": process.fiscal_year if process else None,
        "off": one.off,
        "ready": one.ready,
        "areas": len(process.areas) if process else 0,
        "routes": one.routes,
        "errors": one.errors,
        "open": [{"place": place, "expected": text} for place, text in one.open],
        "unread": [{"place": place, "addresses": text} for place, text in one.unread],
        "connections": [
            {
                "name": needed.name,
                "known": needed.known,
                "types": needed.types,
                "routes": needed.routes,
                "variable": needed.variable,
                "form": needed.form,
            }
            for needed in one.connections
        ],
    }


def _say_report(one: ProcessReport) -> None:
    say(f"{one.id}: {_state(one)}.")
    for error in one.errors:
        say(f"Fehler: {error}")
    if one.open:
        table("Noch auszufüllen", ("Stelle", "Angabe"), [(place, text) for place, text in one.open])
    if one.unread:
        title = "Erfundene Adressen: vor dem Einsatz zu ersetzen, sonst bekommt niemand diese Post"
        table(title, ("Stelle", "Adresse"), one.unread)
    missing = [needed for needed in one.connections if needed.missing]
    if missing:
        columns = ("Verbindung", "Art", "für die Strecken", "für die Befehle")
        rows = [(ne.name, " oder ".join(ne.types), ", ".join(ne.routes), ne.variable) for ne in missing]
        table("Verbindungen anzulegen", columns, rows)
        for needed in missing:
            say(f"{needed.command}")
    if one.off and (one.open or missing):
        say("Danach die Zeile „mode: off“ streichen, dann:")
        say(_POOLS)
        say(f"kiezbruecke process check {shlex.quote(one.id)}")
    elif one.ready:
        say("Es fehlt nichts.")
