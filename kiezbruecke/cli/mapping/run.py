"""`run`: a mapping over a file of records."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from kiezbruecke.cli.mapping.app import Content, Json, Name, app, print_json, stop
from kiezbruecke.cli.output import console, say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.machine import open_file
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.workbench.input_file import FileForm, form_of
from kiezbruecke.workbench.run_file import FileRun, Summary, Tell, reading_of, run_file

Source = Annotated[str, typer.Option("--in", help="The file of records; - is standard input.")]
Out = Annotated[Path, typer.Option("--out", help="A new folder for a file each, or one file: a table, JSON Lines.")]
RefusedFile = Annotated[Path | None, typer.Option("--refused", help="The file of what was refused, as JSON Lines.")]
FormOf = Annotated[FileForm | None, typer.Option("--format", help="How the file is read; else by its ending.")]
Each = Annotated[str, typer.Option("--each", help="XML: the element that is a record; else all below the root.")]
Given = Annotated[Path | None, typer.Option("--given", help="Roots of all records, written like an example.")]
Naming = Annotated[str, typer.Option("--name", help="The path of what a file is called; else its number.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="How many processes share the work.")]
Strict = Annotated[bool, typer.Option("--strict", help="Do not begin where the check has warnings.")]
_SHOWN = 20  # refusals that are said where no file takes them


@app.command("run")
def run_over_file(  # noqa: PLR0913, PLR0917 - an option each
    name: Name,
    source: Source,
    out: Out,
    refused: RefusedFile = None,
    form: FormOf = None,
    each: Each = "",
    given: Given = None,
    naming: Naming = "",
    jobs: Jobs = 1,
    strict: Strict = False,
    content: Content = None,
    as_json: Json = False,
) -> None:
    """Run a mapping over a file: every record is written or refused with a reason; exit code 1 where one is refused."""
    try:
        root = find_content(content)
        if strict:
            _refuse_findings(name, root)
        mapping = load_mapping(name, root)
        with _opened(source) as stream, _progress(refused) as tell:
            file = Path(source)
            found = form or form_of(file, stream.peek(64))
            reading = reading_of(mapping, root, file.name if source != "-" else "standard input", found, each)
            order = FileRun(name, root, given, naming)
            summary = run_file(order, stream, reading, out, refused, tell, jobs)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        counted = {"written": summary.written, "refused": summary.refused}
        print_json([{"mapping": name, **counted, "out": str(out), "refused_file": str(refused or "")}])
    else:
        told = f", see {refused}" if refused and summary.refused else ""
        say(f"{summary.written} records written to {out}, {summary.refused} refused{told}")
    if summary.refused:
        raise typer.Exit(1)


def _refuse_findings(name: str, root: Path) -> None:
    for finding in check_mapping(name, root):
        if finding.severity != "note":
            raise finding.refusal()


@contextmanager
def _opened(source: str) -> Iterator[BufferedReader]:
    if source == "-":
        yield cast("BufferedReader", sys.stdin.buffer)
        return
    with open_file(Path(source), what="the file of records") as stream:
        yield stream


@contextmanager
def _progress(refused: Path | None) -> Iterator[Tell]:
    """Says how far it is, where somebody looks; and the first refusals, where no file takes them."""
    screen = console(stderr=True)
    columns = (TextColumn("{task.fields[written]} written, {task.fields[refused]} refused"), TimeElapsedColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None, written=0, refused=0)

        def tell(summary: Summary, refusal: Mapping[str, Any] | None) -> None:
            if not progress.disable:
                progress.update(task, written=summary.written, refused=summary.refused)
            if refusal and refused is None and summary.refused <= _SHOWN:
                say(_line(refusal), err=True)

        yield tell


def _line(refusal: Mapping[str, Any]) -> str:
    line = f", line {refusal['line']}" if refusal["line"] else ""
    source = f"{refusal['source']}: " if refusal["source"] else ""
    return f"record {refusal['record']}{line}: {source}{refusal['reason']}"
