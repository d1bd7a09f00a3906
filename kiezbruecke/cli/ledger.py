"""kiezbruecke ledger: create or upgrade the schema, verify the evidence, carry its anchor out of the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.edge import ledger_url
from kiezbruecke.ledger import upgrade as upgrade_schema
from kiezbruecke.ledger.anchors import Anchor, differs_from, drop_anchor
from kiezbruecke.ledger.evidence import accept as accept_rows
from kiezbruecke.ledger.evidence import verify as verify_all
from kiezbruecke.machine import read_file, write_file
from kiezbruecke.person import by_login

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(
    context: typer.Context,
    anchor: Annotated[Path | None, typer.Option(help="Anker, der außerhalb der Datenbank aufbewahrt wurde.")] = None,
    key: Annotated[Path | None, typer.Option(help="Öffentlicher Schlüssel (PEM), der den Anker unterschrieb.")] = None,
    as_json: AsJson = False,
) -> None:
    """Beweiskette und gespeicherten Stand nachrechnen. Endet mit 1, wenn etwas verändert wurde."""
    ledger = house_of(context).ledger
    verdict = verify_all(ledger)
    broken = list(verdict.broken)
    if anchor is not None:
        held = Anchor.of(read_file(anchor).decode("utf-8", "replace"), str(anchor))
        if key is not None and not held.is_signed_by(read_file(key)):
            broken.append(f"Anker {held.seq}: die Unterschrift in {anchor.name} ist nicht die dieses Schlüssels")
        with ledger.read() as connection:
            broken += filter(None, [differs_from(connection, held)])
    if as_json:
        emit({"cases": verdict.cases, "events": verdict.links, "broken": broken})
    else:
        for line in broken:
            say(line)
        state = "NICHT in Ordnung" if broken else "in Ordnung"
        cases = german.count(verdict.cases, "Fall", "Fälle")
        say(f"{cases}, {german.count(verdict.links, 'Ereignis', 'Ereignisse')}: {state}.")
    if broken:
        raise typer.Exit(1)


@app.command()
def anchor(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="Datei, in die der Anker geschrieben wird.")] = None,
    key: Annotated[Path | None, typer.Option(help="Privater Schlüssel (Ed25519, PEM) zum Unterschreiben.")] = None,
    as_json: AsJson = False,
) -> None:
    """Den Stand aller Ketten festhalten und ausgeben: aufzubewahren, wo niemand aus der Datenbank hinkommt."""
    found = drop_anchor(house_of(context).ledger)
    if found is None:
        emit({}) if as_json else say("Das Hauptbuch ist noch leer.")
        return
    if key is not None:
        found = found.signed(read_file(key))
    if to is not None:
        write_file(to, found.text() + "\n")
    say(found.text())


@app.command()
def accept(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="Wer das entscheidet.")],
    reason: Annotated[str, typer.Option(help="Warum der veränderte Stand gilt.")],
    as_json: AsJson = False,
) -> None:
    """Von Hand veränderte Zeilen gelten lassen, mit Name und Grund. Eine gebrochene Kette bleibt gebrochen."""
    many = accept_rows(house_of(context).ledger, person=by_login(name), reason=reason)
    if as_json:
        emit({"rows": many})
        return
    say("1 Zeile gilt, wie sie steht." if many == 1 else f"{many} Zeilen gelten, wie sie stehen.")


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Das Schema anlegen oder auf den heutigen Stand bringen."""
    upgrade_schema(ledger_url())
    if as_json:
        emit({"current": True})
        return
    say("Das Hauptbuch ist auf dem heutigen Stand.")
