"""kiezbruecke ledger: create or upgrade the schema, verify the evidence."""

from __future__ import annotations

import typer

from kiezbruecke import german
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.edge import ledger_url
from kiezbruecke.ledger import upgrade as upgrade_schema
from kiezbruecke.ledger.events import verify_chains

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Die Beweiskette jedes Falls nachrechnen. Endet mit 1, wenn etwas verändert wurde."""
    verdict = verify_chains(house_of(context).ledger)
    if as_json:
        emit({"cases": verdict.cases, "events": verdict.links, "broken": list(verdict.broken)})
    else:
        for line in verdict.broken:
            say(line)
        state = "NICHT in Ordnung" if verdict.broken else "in Ordnung"
        cases = german.count(verdict.cases, "Fall", "Fälle")
        say(f"{cases}, {german.count(verdict.links, 'Ereignis', 'Ereignisse')}: {state}.")
    if verdict.broken:
        raise typer.Exit(1)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Das Schema anlegen oder auf den heutigen Stand bringen."""
    upgrade_schema(ledger_url())
    if as_json:
        emit({"current": True})
        return
    say("Das Hauptbuch ist auf dem heutigen Stand.")
