"""`compile`: which mappings have a compiled form, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke.cli.mapping.app import Content, Json, Names, app, print_json, stop
from kiezbruecke.cli.output import say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import load_mapping, mapping_names
from kiezbruecke.mapping.compile import Uncompilable

Explain = Annotated[bool, typer.Option("--explain", help="Print the generated code.")]


@app.command("compile")
def compile_mappings(
    names: Names = None, content: Content = None, explain: Explain = False, as_json: Json = False
) -> None:
    """Say which mappings are written by generated code, and why others are left to the interpreter."""
    try:
        root = find_content(content)
        rows = [_row(name, *_compiled(name, root)) for name in names or mapping_names(root)]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        if explain and row["source"]:
            say(f"# {row['mapping']}\n{row['source']}")
        else:
            say(f"{row['mapping']}: {row['reason'] or 'compiled'}")


def _compiled(name: str, content: Path) -> tuple[str, str]:
    """The source and why there is none."""
    try:
        return load_mapping(name, content).explain(), ""
    except Uncompilable as why:
        return "", f"interpreted, {why}"


def _row(name: str, source: str, reason: str) -> dict[str, str]:
    return {"mapping": name, "source": source, "reason": reason}
