"""`kiezbruecke schemas …`: which standards' files are there; takes official files into the local store."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from kiezbruecke.cli.output import console, emit, say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping.schema.targets import read_standard
from kiezbruecke.standards import store

app = typer.Typer(help="Schemas of the standards: our profiles and the official files.", no_args_is_help=True)

Content = Annotated[Path | None, typer.Option("--content", help="Folder with mappings/ and schemas/.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Source = Annotated[Path, typer.Option("--from", help="Folder or ZIP with the official files.")]


@app.command("list")
def list_schemas(content: Content = None, as_json: Json = False) -> None:
    """Show every standard: is our profile there, are the official files, are they intact?"""
    try:
        held = store.installed(find_content(content))
    except KiezbrueckeError as error:
        raise _stopped(error, as_json=as_json) from None
    if as_json:
        emit([asdict(item) for item in held])
        return
    table = Table("Standard", "Version", "Eigenes Profil", "Amtliche Dateien")
    for item in held:
        table.add_row(item.standard, item.version, "ja" if item.profile else "–", _official(item))
    console().print(table)


@app.command("install")
def install_schemas(source: Source, content: Content = None, as_json: Json = False) -> None:
    """Check every digest and copy the official files into the local store."""
    try:
        done = store.install(find_content(content), source)
    except KiezbrueckeError as error:
        raise _stopped(error, as_json=as_json) from None
    if as_json:
        emit([asdict(item) for item in done])
    else:
        for item in done:
            say(f"{item.standard} {item.version}: {_WORDS[item.status]}{_missing(item)}")
    if any(item.status == "incomplete" for item in done):
        raise typer.Exit(1)


@app.command("add")
def add_schema(  # noqa: PLR0913, PLR0917 – each is an option of the command
    path: Annotated[Path, typer.Argument(help="An XSD file, a folder or a ZIP.")],
    standard: Annotated[str, typer.Option("--standard", help="What the standard is called here, e.g. pain.")],
    version: Annotated[str, typer.Option("--version", help="Its version, e.g. 001.001.09.")],
    title: Annotated[str, typer.Option("--title", help="Its title, for people.")] = "",
    publisher: Annotated[str, typer.Option("--publisher", help="Who publishes it.")] = store.SchemaOrigin.publisher,
    place: Annotated[str, typer.Option("--place", help="Where the original is published.")] = store.SchemaOrigin.place,
    licence: Annotated[str, typer.Option("--licence", help="Under which licence.")] = store.SchemaOrigin.licence,
    entry: Annotated[list[str] | None, typer.Option("--entry", help="A file that the schema begins with.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there of the same version.")] = False,
    content: Content = None,
    as_json: Json = False,
) -> None:
    """Take an unseen schema into the local store, write its manifest, and list what a target may name."""
    origin = store.SchemaOrigin(title, publisher, place, licence)
    try:
        folder = find_content(content)
        done = store.add(folder, path, standard, version, origin=origin, entries=entry or (), force=force)
        roots = read_standard(folder, standard, version).roots()
    except KiezbrueckeError as error:
        raise _stopped(error, as_json=as_json) from None
    if as_json:
        found = {**done.model_dump(mode="json"), "roots": roots}
        emit(found)
        return
    say(f"{standard} {version}: {len(done.files)} files, schemas/{standard}/{version}/manifest.yaml")
    for root in roots:
        say(f"target: {standard} {version} {root}")
    if not roots:
        say("no target: it declares types and no global element; schemas that use them bring it along")


_WORDS = {
    "installed": "installiert",
    "already there": "war schon da",
    "incomplete": "unvollständig, nicht installiert",
    "not found": "hier nicht gefunden",
}


def _official(item: store.Held) -> str:
    if not item.official:
        return "nicht installiert" if item.manifest else "gibt es nicht"
    place = "im lokalen Speicher" if item.official == "store" else f"über {item.official}"
    return place if item.intact else f"{place}, aber verändert oder unvollständig"


def _missing(item: store.Installation) -> str:
    return f"; es fehlt: {', '.join(item.missing)}" if item.status == "incomplete" else ""


def _stopped(error: KiezbrueckeError, *, as_json: bool) -> typer.Exit:
    if as_json:
        emit({"error": error.code, "line": error.line()})
    else:
        say(f"{error.code} {error.line()}", err=True)
    return typer.Exit(2)
