"""`kiezbruecke new`: a connector to begin with, which works and keeps every promise before a line of it is changed."""

from __future__ import annotations

import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.connector import manifests
from kiezbruecke.errors import CallError, ConfigurationError
from kiezbruecke.machine import whole_folder, write_file

app = typer.Typer(no_args_is_help=True)

_TEMPLATE = "_template"  # beside the connectors: a connector like any other, checked and tried like them
_SKIPPED = ("__pycache__",)
_OUTSIDE = {"pyproject.toml": "pyproject.toml", "README.md": "README.md", "test_example.py": "tests/test_{name}.py"}


@app.callback()
def _noun() -> None:
    """Something new to begin with."""


@app.command("connector")
def connector(
    name: Annotated[str, typer.Argument(help="Name des Systems: Kleinbuchstaben, Ziffern, Unterstrich.")],
    into: Annotated[Path, typer.Option(help="Ordner, in dem das Projekt angelegt wird.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Einen Anschluss an ein neues System anlegen: Manifest, Client, Nachbau und Test, die schon laufen."""
    _check(name)
    project = into / f"kiezbruecke-{name}"
    if project.exists():
        raise ConfigurationError("den Ordner gibt es schon", where=str(project), helps="nichts wurde verändert")
    with whole_folder(project):
        files = [_write(file, project, name) for file in _template_files()]
    if as_json:
        emit({"connector": name, "files": [str(file) for file in files]})
        return
    for file in files:
        say(str(file))
    say(f"Einspielen: pip install -e {project} – Prüfen: pytest {project} – dann die Stellen mit TODO ersetzen.")


def _check(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise CallError(f"„{name}“ ist kein Name", expected="Kleinbuchstaben, Ziffern, Unterstrich, etwa consul")
    if name in manifests():
        raise CallError(f"einen Anschluss „{name}“ gibt es schon", expected="einen anderen Namen")


def _template_files() -> list[Traversable]:
    root = resources.files("connectors").joinpath(_TEMPLATE)
    found = [file for file in root.iterdir() if file.name not in _SKIPPED]
    return sorted((file for file in found), key=lambda file: file.name)


def _write(file: Traversable, project: Path, name: str) -> Path:
    """One file of the template, or the folder testdata/, under the new name."""
    package = f"kiezbruecke_{name}"
    place = project / _OUTSIDE.get(file.name, f"{package}/{file.name}").format(name=name)
    if file.is_dir():
        for inner in file.iterdir():
            write_file(place / inner.name, inner.read_bytes())
        return place
    write_file(place, _renamed(file.read_text("utf-8"), package, name))
    return place


def _renamed(text: str, package: str, name: str) -> str:
    words = {
        f"connectors.{_TEMPLATE}": package,
        "kb_example": f"kb_{name}",
        "Example": name.replace("_", " ").title().replace(" ", ""),
        "example": name,
    }
    for old, new in words.items():
        text = text.replace(old, new)
    return text
