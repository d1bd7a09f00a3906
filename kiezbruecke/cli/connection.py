"""kiezbruecke connection: does a connection work, as a run would use it?"""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.content import find_content
from kiezbruecke.edge import local_connections
from kiezbruecke.probing import try_connection

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _noun() -> None:
    """Connections, tried."""


@app.command("test")
def try_it(
    connection: Annotated[str, typer.Argument(help="Name der Verbindung, z. B. eakte-tk.")],
    as_json: AsJson = False,
) -> None:
    """Meldet sich an, wie ein Lauf es täte, und ändert nichts. Endet mit 1, wenn die Verbindung nicht brauchbar ist."""
    content = find_content()
    tried = try_connection(local_connections(content)(connection), content)
    if as_json:
        emit({"connection": connection, "works": tried.works, "said": tried.said, "error": tried.error})
    else:
        say(tried.said)
        if tried.error:
            say(tried.error, err=True)
    if not tried.works:
        raise typer.Exit(1)
