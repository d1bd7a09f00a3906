"""Puts the commands together, one file per noun, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 something needs a person or differs, 2 an error (one line on standard error, KB-001 for a call
that is none).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

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
from kiezbruecke.errors import CallError, KiezbrueckeError

_CallError: Any = typer.BadParameter.__mro__[2]  # click's ClickException, which typer keeps in different places

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
        code = app(prog_name="kiezbruecke", standalone_mode=False)  # or typer draws boxes and exits by itself
    except _CallError as error:
        sys.exit(_usage(error))
    except typer.Abort:
        typer.echo(f"{CallError.code} Abgebrochen", err=True)
        sys.exit(2)
    except KiezbrueckeError as error:
        typer.echo(f"{error.code} {error.line()}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - a text that is not ours may quote what a person wrote
        typer.echo(f"KB-000 unexpected {type(error).__name__}, text withheld, at {_place(error)}", err=True)
        sys.exit(2)

    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> int:
    """Say in one line what is wrong with the call and where its help is; a noun without a verb has shown its help."""
    if type(error).__name__ != "NoArgsIsHelpError":
        command = error.ctx.command_path if getattr(error, "ctx", None) else "kiezbruecke"
        what = " ".join(error.format_message().split()).rstrip(".")
        typer.echo(f"{CallError.code} Aufruf: {what} – siehe {command} --help", err=True)
    return 2


def _place(error: Exception) -> str:
    """The last places in the code, newest first: file:line function."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join([f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames][:8])
