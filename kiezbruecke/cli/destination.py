"""kiezbruecke destination: what a destination can do, what it has; and the reset after it was really rebuilt."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table
from kiezbruecke.connector import manifest_for
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.reading import list_messages
from kiezbruecke.ledger.reset import reset_destination

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name der Verbindung, z. B. eakte-tk.")]


@app.command()
def show(context: typer.Context, destination: Name, as_json: AsJson = False) -> None:
    """Ein Ziel: was es kann, was dort liegt."""
    body = _body(house_of(context), destination)
    if as_json:
        emit(body)
        return
    table(f"Ziel {destination}", ("Feld", "Wert"), list(body.items()))


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
        emit(_body(house, destination))
        return
    typer.echo(f"{destination}: Generation {generation}. Die nächsten Läufe senden alles, was gilt, neu.")


def _body(house: House, destination: str) -> dict[str, object]:
    party, ledger = house.connect(destination), house.ledger
    manifest = manifest_for(party)
    states = Counter(head.state.value for head, _ in list_messages(ledger, destination=destination))
    return {
        "destination": destination,
        "connector": manifest.title,
        "address": f"{party.host}:{party.port}" if party.port else party.host,
        "generation": generation_of(ledger, destination),
        "dedupes": manifest.can.dedupes,
        "look_up": manifest.can.look_up,
        "batch": manifest.can.batch,
        "messages": dict(states),
    }
