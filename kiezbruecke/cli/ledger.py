"""kiezbruecke ledger: create or upgrade the schema, verify the evidence."""

from __future__ import annotations

import typer

from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit
from kiezbruecke.edge import ledger_url
from kiezbruecke.ledger import upgrade as upgrade_schema
from kiezbruecke.ledger.evidence import verify as verify_all

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Die Beweiskette jedes Falls nachrechnen. Endet mit 1, wenn etwas verändert wurde."""
    verdict = verify_all(house_of(context).ledger)
    if as_json:
        emit({"cases": verdict.cases, "events": verdict.links, "broken": list(verdict.broken)})
    else:
        for line in verdict.broken:
            typer.echo(line)
        state = "NICHT in Ordnung" if verdict.broken else "in Ordnung"
        typer.echo(f"{verdict.cases} Fälle, {verdict.links} Ereignisse: {state}.")
    if verdict.broken:
        raise typer.Exit(1)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Das Schema anlegen oder auf den heutigen Stand bringen."""
    upgrade_schema(ledger_url())
    if as_json:
        emit({"current": True})
        return
    typer.echo("Das Hauptbuch ist auf dem heutigen Stand.")
