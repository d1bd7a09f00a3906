"""`doc`: the table for the department."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke.cli.mapping.app import Content, Json, Name, app, print_json, stop
from kiezbruecke.cli.output import say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.machine import write_file
from kiezbruecke.mapping import load_mapping
from kiezbruecke.workbench.doc import page

Out = Annotated[Path | None, typer.Option("--out", help="The HTML file; without it the page goes to standard output.")]


@app.command("doc")
def write_doc(name: Name, out: Out = None, content: Content = None, as_json: Json = False) -> None:
    """Write the department's page: every field, where it comes from, what is done with it. HTML, German, printable."""
    try:
        root = find_content(content)
        text = page(load_mapping(name, root), root)
        if out is not None:
            write_file(out, text, folders=False)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json([{"mapping": name, "file": str(out) if out else "", "html": "" if out else text}])
    else:
        say(text if out is None else f"{out} written")
