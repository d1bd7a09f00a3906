"""The command group and what its commands share: options, machine-readable output, the way to stop."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kiezbruecke.cli.output import emit, say
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.workbench.examples import Example, find_examples

app = typer.Typer(help="Mappings: the workbench of those who write them.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Mappings; without a name all of them.")]
Name = Annotated[str, typer.Argument(help="A mapping.")]
Content = Annotated[Path | None, typer.Option("--content", help="Folder with mappings/ and schemas/.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
ExampleName = Annotated[str | None, typer.Option("--example", help="An example of the mapping; else its first.")]


def chosen_example(name: str, content: Path, wanted: str | None) -> Example:
    """The example that the command names, else the mapping's first; raises ConfigurationError."""
    found = {example.name: example for example in find_examples(name, content)}
    if not found:
        raise ConfigurationError(f"'{name}' has no examples", helps="write examples/full/input.yaml beside it")
    if wanted is not None and wanted not in found:
        raise ConfigurationError(f"'{name}' has no example '{wanted}'", expected=", ".join(found))
    return found[wanted] if wanted else next(iter(found.values()))


def print_json(rows: Iterable[object]) -> None:
    """A list as JSON."""
    emit(list(rows))


def stop(error: KiezbrueckeError, *, as_json: bool) -> NoReturn:
    """Nothing could be done at all: exit code 2, as everywhere in this CLI."""
    if as_json:
        emit({"error": error.code, "line": error.line()})
    else:
        say(f"{error.code} {error.line()}", err=True)
    raise typer.Exit(2)
