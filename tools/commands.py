"""Writes docs/reference/commands.md from the commands themselves.

python tools/commands.py            writes
python tools/commands.py --check    exits 1 if the page is stale
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import typer

from kiezbruecke.cli.main import app

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/commands.md"
HEAD = """# Befehle

Erzeugt von `tools/commands.py` aus den Befehlen selbst; bitte nicht von Hand ändern.

Jeder Befehl endet mit 0 (getan), 1 (eine Person wird gebraucht, oder etwas weicht ab) oder 2 (Fehler: eine Zeile auf
der Fehlerausgabe, siehe [Fehler](errors.md); `KB-001` heißt: so gibt es den Aufruf nicht). `--json` kann jeder Befehl.
`kiezbruecke --content ORDNER …` nennt den Ordner mit `mappings/` und `schemas/`; sonst gilt `KIEZBRUECKE_CONTENT`,
sonst wird vom Arbeitsordner aufwärts gesucht.
"""


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    return "\n".join([HEAD, *(part for words, command in commands(root) for part in _section(words, command))])


def commands(command: click.Command, words: tuple[str, ...] = ("kiezbruecke",)) -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(words), command
        return
    for name in sorted(below):
        yield from commands(below[name], (*words, name))


def _section(words: str, command: click.Command) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    shown = " ".join(_argument(one) for one in arguments)
    yield f"## `{f'{words} {shown}'.strip()}`\n"
    yield f"{(command.help or '').strip()}\n"
    rows = [f"| `{_name(one)}` | {_help(one)} |" for one in command.params if _help(one) or one not in arguments]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows, ""])


def _argument(one: click.Parameter) -> str:
    name = str(one.name).upper()
    name = f"{name} …" if one.nargs == -1 else name
    return name if one.required else f"[{name}]"


def _name(one: click.Parameter) -> str:
    return str(one.name).upper() if one.param_type_name == "argument" else one.opts[-1]


def _help(one: click.Parameter) -> str:
    text = str(getattr(one, "help", None) or "").replace("|", r"\|")
    duty = "Pflicht." if one.required and one.param_type_name == "option" else ""
    default = one.default
    plain = isinstance(default, str | int) and not isinstance(default, bool) and default != ""
    return " ".join(part for part in (text, duty, f"Vorgabe: `{default}`." if plain else "") if part)


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        if not PAGE.is_file() or PAGE.read_text("utf-8") != page():
            print(f"stale: {PAGE.name}; run tools/commands.py")
            sys.exit(1)
    else:
        PAGE.write_text(page(), "utf-8")
