"""`upgrade`: a mapping for another version of its target."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Content, Json, Name, app, stop
from kiezbruecke.cli.output import console, emit, say
from kiezbruecke.content import find_content
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.machine import whole_folder, write_file
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.loading import mapping_file
from kiezbruecke.workbench.examples import find_examples
from kiezbruecke.workbench.upgrade import Upgrade, upgrade

To = Annotated[str, typer.Option("--to", help="The new target, such as 'xdomea 4.0.0 Abgabe.Abgabe.0401'.")]
Out = Annotated[str | None, typer.Option("--out", help="The name of the new mapping; else it replaces the old one.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would become of the rules.")]


@app.command("upgrade")
def upgrade_mapping(
    name: Name, to: To, out: Out = None, dry_run: DryRun = False, content: Content = None, as_json: Json = False
) -> None:
    """Take a mapping to another version of its target: kept, moved, broken; exit code 1 if work is left."""
    try:
        root = find_content(content)
        mapping = load_mapping(name, root)
        found = upgrade(mapping, root, " ".join(to.split()), out or name)
        file = None if dry_run else _write(name, out or name, root, found)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        body = {"changes": [change.as_dict() for change in found.changes], "file": str(file or ""), "text": found.text}
        emit(body)
    else:
        _print(found, file)
    if any(change.status in ("broken", "missing") for change in found.changes):
        raise typer.Exit(1)


def _write(name: str, out: str, root: Path, found: Upgrade) -> Path:
    """The new file; a new mapping takes the inputs of the examples along, their outputs are for --update to write."""
    old, direction = mapping_file(name, root)
    new = root / "mappings" / direction / out / "mapping.yaml"
    if out != name and (new.parent.exists() or Path(out).name != out):
        raise ConfigurationError(f"'{out}' cannot be the new mapping's name", helps="a name that is not taken")
    with whole_folder(new.parent):
        for example in find_examples(name, root) if out != name else ():
            for file in (example.input, example.beside("item.xml")):
                if file.is_file():
                    write_file(new.parent / file.relative_to(old.parent), file.read_bytes())
        write_file(new, found.text)
    return new


def _print(found: Upgrade, file: Path | None) -> None:
    table = Table()
    for column in ("Rule", "Line", "Result", "Old target", "New target", "Why"):
        table.add_column(column, overflow="fold")
    for one in found.changes:
        place = (str(one.rule), str(one.line)) if one.rule else ("", "")
        table.add_row(*place, one.status, *map(escape, (one.old, one.new if one.new != one.old else "", one.reason)))
    console().print(table)
    count = Counter(change.status for change in found.changes)
    say(", ".join(f"{number} {status}" for status, number in count.items()) or "no rules")
    say(f"written: {file}" if file else "nothing written")
