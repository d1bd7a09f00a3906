"""`editor`: the JSON Schema with which an editor completes a mapping."""

from __future__ import annotations

from typing import Annotated

import typer

from kiezbruecke.cli.mapping.app import Content, Json, Name, app, print_json, stop
from kiezbruecke.cli.output import say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping.loading import mapping_file
from kiezbruecke.workbench.editor import DEPTH, editor_line, write_editor_schema

Opened = Annotated[list[str] | None, typer.Option("--open", help="A place of the target to be open as well: A/B.")]
Depth = Annotated[int, typer.Option("--depth", min=0, max=10, help="Levels below what is used or opened.")]


@app.command("editor")
def write_schema(
    name: Name, opened: Opened = None, depth: Depth = DEPTH, content: Content = None, as_json: Json = False
) -> None:
    """Write the editor schema of a mapping; again after a new block, a new `as`, or a change of the target."""
    try:
        root = find_content(content)
        file = write_editor_schema(name, root, tuple(opened or ()), depth)
        line = editor_line(mapping_file(name, root)[0].parent, root)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json([{"mapping": name, "file": str(file), "line": line}])
        return
    say(f"{file} ({file.stat().st_size // 1000} kB); the mapping's first line:")
    say(line)
