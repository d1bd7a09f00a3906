"""Puts the commands together, one file per noun, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 something needs a person or differs, 2 an error (one line on standard error).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import __version__
from kiezbruecke.cli import (
    case,
    destination,
    ledger,
    mapping,
    message,
    reconcile,
    route,
    run,
    sandbox,
    schemas,
    status,
    todo,
)
from kiezbruecke.content import VARIABLE
from kiezbruecke.errors import KiezbrueckeError

app = typer.Typer(
    help="Trägt Beschlüsse der Bürgerbeteiligung in E-Akte und Haushalt – einmal, nachweisbar, auf den Cent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("reconcile")(reconcile.reconcile)
app.add_typer(todo.app, name="todo", help="Was eine Person entscheiden oder ansehen muss.")
app.add_typer(case.app, name="case", help="Ein Fall, von der Idee bis zur Festlegung.")
app.add_typer(message.app, name="message", help="Nachrichten und ihre Zustände.")
app.add_typer(route.app, name="route", help="Strecken: auflisten, anhalten, Altfälle markieren.")
app.add_typer(destination.app, name="destination", help="Ziele: ansehen, nach einem echten Neuaufbau zurücksetzen.")
app.add_typer(ledger.app, name="ledger", help="Das Hauptbuch: anlegen, Beweiskette prüfen.")
app.add_typer(mapping.app, name="mapping", help="Zuordnungen prüfen, ansehen, testen.")
app.add_typer(schemas.app, name="schemas", help="Schemata der Standards: auflisten, einspielen.")
app.add_typer(sandbox.app, name="sandbox", help="Nachgebaute Gegenstellen zum Ausprobieren.")


@app.callback(invoke_without_command=True)
def options(
    content: Annotated[Path | None, typer.Option(help="Ordner mit mappings/ und schemas/.")] = None,
    version: Annotated[bool, typer.Option("--version", help="Version ausgeben.")] = False,
) -> None:
    """Options before the command."""
    if content is not None:
        os.environ[VARIABLE] = str(content)
    if version:
        typer.echo(f"kiezbruecke {__version__}")
        raise typer.Exit


def main() -> None:
    """The console script."""
    try:
        app()
    except KiezbrueckeError as error:
        typer.echo(f"{error.code} {error.line()}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - a text that is not ours may quote what a person wrote
        typer.echo(f"KB-000 unexpected {type(error).__name__}, text withheld, at {_place(error)}", err=True)
        sys.exit(2)


def _place(error: Exception) -> str:
    """The last places in the code, newest first: file:line function."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join([f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames][:8])
