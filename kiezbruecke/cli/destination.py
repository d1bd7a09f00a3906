"""kiezbruecke destination: what a destination can do, what it has; and the reset after it was really rebuilt."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke import desk
from kiezbruecke.cli.fields import fields
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger.reset import reset_destination

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name der Verbindung, z. B. eakte-tk.")]


@app.command()
def show(context: typer.Context, destination: Name, as_json: AsJson = False) -> None:
    """Ein Ziel: was es kann, was dort liegt."""
    found = desk.destination(house_of(context), destination)
    if as_json:
        emit(found)
        return
    fields(f"Ziel {destination}", found)


@app.command()
def reset(
    context: typer.Context,
    destination: Name,
    name: Annotated[str, typer.Option("--name", help="Wer das veranlasst.")],
    reason: Annotated[str, typer.Option("--reason", help="Warum.")],
    yes: Annotated[bool, typer.Option("--yes", help="Ich weiß, dass alles noch einmal gesendet wird.")] = False,
    as_json: AsJson = False,
) -> None:
    """Nur wenn das Ziel wirklich leer neu aufgebaut wurde: alle Fälle werden noch einmal gesendet."""
    house = house_of(context)
    house.connect(destination)
    if not yes or not name.strip() or not reason.strip():
        raise ConfigurationError(
            "Nach dem Zurücksetzen wird alles noch einmal gesendet",
            where=f"destination reset {destination}",
            expected="--yes, --name und --reason",
        )
    generation = reset_destination(house.ledger, destination, person=name, reason=reason)
    if as_json:
        emit(desk.destination(house, destination))
        return
    typer.echo(f"{destination}: Generation {generation}. Die nächsten Läufe senden alles, was gilt, neu.")
