"""kiezbruecke destination: what a destination can do, what it has; and the reset after it was really rebuilt."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke import desk
from kiezbruecke.cli.fields import fields
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.pauses import pause_destination
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.person import by_login

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name der Verbindung, z. B. eakte-tk.")]
Person = Annotated[str, typer.Option("--name", help="Wer das veranlasst.")]
Why = Annotated[str, typer.Option("--reason", help="Warum.")]


@app.command()
def show(context: typer.Context, destination: Name, as_json: AsJson = False) -> None:
    """Ein Ziel: was es kann, was dort liegt."""
    found = desk.destination(house_of(context), destination)
    if as_json:
        emit(found)
        return
    fields(f"Ziel {destination}", found)


@app.command()
def pause(context: typer.Context, destination: Name, name: Person, reason: Why, as_json: AsJson = False) -> None:
    """Ein Ziel anhalten, etwa für eine Wartung: Nichts geht dorthin, nichts wird dort abgeholt."""
    house = house_of(context)
    house.connect(destination)
    pause_destination(house.ledger, destination, True, person=by_login(name), reason=reason)
    _answer(house, destination, "angehalten. Alle Strecken dorthin und von dort ruhen", as_json=as_json)


@app.command()
def resume(context: typer.Context, destination: Name, name: Person, reason: Why, as_json: AsJson = False) -> None:
    """Ein angehaltenes Ziel weiterlaufen lassen; was wartet, geht mit dem nächsten Lauf hinaus."""
    house = house_of(context)
    house.connect(destination)
    pause_destination(house.ledger, destination, False, person=by_login(name), reason=reason)
    _answer(house, destination, "läuft weiter; was wartet, geht mit dem nächsten Lauf hinaus", as_json=as_json)


@app.command()
def reset(
    context: typer.Context,
    destination: Name,
    name: Person,
    reason: Why,
    yes: Annotated[bool, typer.Option("--yes", help="Ich weiß, dass alles noch einmal gesendet wird.")] = False,
    as_json: AsJson = False,
) -> None:
    """Nur wenn das Ziel wirklich leer neu aufgebaut wurde: alle Fälle werden noch einmal gesendet."""
    house = house_of(context)
    house.connect(destination)
    if not yes:
        raise InputError(
            "Nach dem Zurücksetzen wird alles noch einmal gesendet. Wer das weiß und will, gibt dazu --yes an",
            where=f"destination reset {destination}",
        )
    generation = reset_destination(house.ledger, destination, person=by_login(name), reason=reason)
    if as_json:
        emit(desk.destination(house, destination))
        return
    say(f"{destination}: Generation {generation}. Die nächsten Läufe senden alles, was gilt, neu.")


def _answer(house: House, destination: str, what: str, *, as_json: bool) -> None:
    if as_json:
        emit(desk.destination(house, destination))
    else:
        say(f"{destination}: {what}.")
