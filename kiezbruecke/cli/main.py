"""Puts the commands together, one file per noun, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 something needs a person or differs, or nobody reads our output any more (`| head`), 2 an error
(one line on standard error, KB-001 for a call that is none).
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from kiezbruecke import __version__
from kiezbruecke.cli.calls import in_german
from kiezbruecke.cli.output import say
from kiezbruecke.cli.streams import fall_silent, flush, speak_any_charset
from kiezbruecke.content import VARIABLE
from kiezbruecke.errors import CallError, KiezbrueckeError
from kiezbruecke.machine import refusal
from kiezbruecke.privacy import keep_private

_CallError: Any = typer.BadParameter.__mro__[2]  # click's ClickException, which typer keeps in different places

_VERBS = ("run", "status", "reconcile", "evaluate", "login")
_NOUNS = {
    "todo": "Was eine Person entscheiden oder ansehen muss.",
    "case": "Ein Fall, von der Idee bis zur Festlegung.",
    "sheet": "Listen für die Fachverwaltung, aus dem Hauptbuch vorausgefüllt.",
    "budget": "Budgets: Kapitel und Titel aus dem Haushaltsplan in eine Budgetliste übernehmen.",
    "message": "Nachrichten und ihre Zustände.",
    "process": "Verfahren: nach einem Muster anlegen, auflisten, prüfen, was noch fehlt.",
    "release": "Freigaben mit vier Augen: ansehen, bescheinigen, anordnen, zurückhalten.",
    "route": "Strecken: auflisten, anhalten, Altfälle markieren.",
    "connection": "Verbindungen: ausprobieren, ob sie taugen.",
    "destination": "Ziele: ansehen, nach einem echten Neuaufbau zurücksetzen.",
    "recover": "Nach einer zurückgespielten Sicherung: abgleichen, bevor wieder etwas hinausgeht.",
    "vault": "Der Tresor der Kontodaten: Schlüssel anlegen, ansehen, wechseln.",
    "ledger": "Das Hauptbuch: anlegen, Beweiskette prüfen.",
    "mapping": "Zuordnungen prüfen, ansehen, testen.",
    "codelist": "Codelisten: auflisten, prüfen, amtliche übernehmen.",
    "drift": "Abweichungen: worauf eine Zuordnung gebaut ist, und was daraus wurde.",
    "schemas": "Schemata der Standards: auflisten, einspielen.",
    "new": "Etwas Neues anlegen: den Anschluss an ein System.",
    "webhook": "Lieferungen annehmen, die andere Systeme von sich aus senden.",
    "sandbox": "Nachgebaute Gegenstellen zum Ausprobieren.",
}

_FOR_OTHERS = {
    "mapping",
    "codelist",
    "drift",
    "schemas",
    "new",
    "process",
}  # what they write is content, which is shared


def application(*words: str) -> typer.Typer:
    """The command that these words call, else all. Ledger and documents take a second to import: `mapping` needs
    neither, and each of its verbs only its own.
    """
    built = typer.Typer(
        help="Trägt Beschlüsse der Bürgerbeteiligung in E-Akte und Haushalt – einmal, nachweisbar, auf den Cent.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    built.callback(invoke_without_command=True)(options)
    for word in words[:1] or (*_VERBS, *_NOUNS):
        module = import_module(f"kiezbruecke.cli.{word}")
        if word == "mapping":
            module.load(*words[1:])
        if word in _NOUNS:
            built.add_typer(module.app, name=word, help=_NOUNS[word])
        else:
            built.command(word)(getattr(module, word))
    return built


def __getattr__(name: str) -> typer.Typer:
    """`app`, the whole of it, made when somebody asks."""
    if name == "app":
        return application()
    raise AttributeError(name)


def options(
    content: Annotated[Path | None, typer.Option(help="Ordner mit mappings/ und schemas/.")] = None,
    version: Annotated[bool, typer.Option("--version", help="Version ausgeben.")] = False,
) -> None:
    """Options before the command."""
    if content is not None:
        os.environ[VARIABLE] = str(content)
    if version:
        say(f"kiezbruecke {__version__}")
        raise typer.Exit


def main() -> None:
    """The console script."""
    speak_any_charset()
    sys.exit(_code())


def _code() -> int:
    words = _called(sys.argv[1:])
    if not {*words[:1]} & _FOR_OTHERS:
        keep_private()
    try:
        called = _imported(*words)
        code = called(prog_name="kiezbruecke", standalone_mode=False)  # or typer draws boxes and exits by itself
        flush()
    except _CallError as error:
        return _usage(error)
    except typer.Abort:
        return _stopped(f"{CallError.code} Abgebrochen")
    except BrokenPipeError:
        fall_silent()
        return 1
    except Exception as error:  # noqa: BLE001 - a text that is not ours may quote what a person wrote
        return _stopped(_line(error))
    return code if isinstance(code, int) else 0


def _imported(*words: str) -> typer.Typer:
    """The application. What is imported is no garbage: to look for some takes a tenth of a short command's time.

    Nor do we want plugins of pydantic's, which would see every record: to look for one, it asks all installed packages.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        return application(*words)
    finally:
        gc.freeze()
        gc.enable()


def _line(error: Exception) -> str:
    known = error if isinstance(error, KiezbrueckeError) else refusal(error)
    if known is None:
        return f"KB-000 unexpected {type(error).__name__}, text withheld, at {_place(error)}"
    return f"{known.code} {known.line()}"


def _stopped(line: str) -> int:
    """One line on standard error, if anybody can still hear it."""
    with suppress(OSError):
        flush()
    fall_silent()
    with suppress(OSError):
        say(line, err=True)
    return 2


def _called(arguments: list[str]) -> list[str]:
    """The noun and its verb, where they are sure; nothing where all must be known, for help and suggestions."""
    if arguments[:1] == ["--content"]:
        arguments = arguments[2:]
    return arguments[:2] if arguments[:1] and arguments[0] in (*_VERBS, *_NOUNS) else []


def _usage(error: Any) -> int:
    """Say in one line what is wrong with the call and where its help is; a noun without a verb has shown its help."""
    if type(error).__name__ != "NoArgsIsHelpError":
        command = error.ctx.command_path if getattr(error, "ctx", None) else "kiezbruecke"
        what = " ".join(error.format_message().split()).rstrip(".")
        told = what if {*command.split()} & _FOR_OTHERS else in_german(what)
        return _stopped(f"{CallError.code} Aufruf: {told} – siehe {command} --help")
    return 2


def _place(error: Exception) -> str:
    """The last places in the code, newest first: file:line function."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join([f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames][:8])
