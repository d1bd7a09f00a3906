"""`new`: a mapping to begin with, written from its target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from kiezbruecke.cli.mapping.app import Content, Json, app, print_json, stop
from kiezbruecke.cli.output import say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping.language.definition import Direction
from kiezbruecke.workbench.editor import write_editor_schema
from kiezbruecke.workbench.scaffold import ScaffoldRequest, new_mapping
from kiezbruecke.workbench.scaffold_rules import TODO

NewName = Annotated[str, typer.Argument(help="The new mapping: small letters, digits, hyphens.")]
TargetText = Annotated[
    str, typer.Option("--target", help="'<standard> <version> <root>', 'table X', 'json X' or 'record X'.")
]
SourceText = Annotated[
    str, typer.Option("--source", help="What a record looks like: 'json X', 'table X', '<standard> <version> <root>'.")
]
RootNames = Annotated[str, typer.Option("--roots", help="What it may read, with commas: case,decision,message.")]
Opened = Annotated[list[str] | None, typer.Option("--open", help="An optional place to be written too: A/B.")]
Optional = Annotated[bool, typer.Option("--optional", help="List the optional places as comments.")]
DirectionName = Annotated[str, typer.Option("--direction", help="inbound or outbound; the target says it as well.")]


@app.command("new")
def write_new_mapping(  # noqa: PLR0913, PLR0917 - an option each
    name: NewName,
    target: TargetText,
    roots: RootNames = "",
    opened: Opened = None,
    optional: Optional = False,
    direction: DirectionName = "",
    source: SourceText = "",
    content: Content = None,
    as_json: Json = False,
) -> None:
    """Write a mapping with every mandatory place of the target, a guess or a TODO for each, and two examples."""
    try:
        root = find_content(content)
        wanted = tuple(part.strip() for part in roots.split(",") if part.strip())
        way = cast("Direction", direction) if direction else None
        file = new_mapping(ScaffoldRequest(name, target, wanted, way, tuple(opened or ()), optional, source), root)
        schema = write_editor_schema(name, root, tuple(opened or ()))
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    files = [_shown(one, root) for one in (file, *sorted(file.parent.glob("examples/*/*")), schema)]
    lines = file.read_text("utf-8").splitlines()
    todo = sum(TODO in line for line in lines if not line.lstrip().startswith("#"))  # optional places are comments
    if as_json:
        print_json([{"mapping": name, "files": files, "todo": todo}])
        return
    for shown in files:
        say(shown)
    say(f"{todo} lines say TODO. What is missing: kiezbruecke mapping check {name}")


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
