"""`preview` and `test`: what a mapping makes of its examples."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Content, ExampleName, Json, Name, Names, app, chosen_example, print_json, stop
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import load_mapping, mapping_names
from kiezbruecke.workbench.examples import ExampleResult, read_roots, run_examples
from kiezbruecke.workbench.preview import PreviewRow, preview, whole

Update = Annotated[bool, typer.Option("--update", help="Write the expected files anew; read the difference.")]


@app.command("preview")
def preview_mapping(name: Name, example: ExampleName = None, content: Content = None, as_json: Json = False) -> None:
    """Show what every rule makes of an example; a value that fails says so in its place."""
    try:
        root = find_content(content)
        mapping = load_mapping(name, root)
        roots = read_roots(mapping, root, chosen_example(name, root, example))
        rows, problem = preview(mapping, roots), whole(mapping, roots)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(row.as_dict() for row in rows)
    else:
        Console().print(_preview_table(rows))
    if problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1)


@app.command("test")
def run_mapping_examples(
    names: Names = None, content: Content = None, update: Update = False, as_json: Json = False
) -> None:
    """Run the golden examples; exit code 1 where an output is not the expected one."""
    try:
        root = find_content(content)
        mappings = [load_mapping(name, root) for name in names or mapping_names(root)]
        results = [result for mapping in mappings for result in run_examples(mapping, root, update=update)]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(_result(result) for result in results)
    else:
        _print_results(results)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _preview_table(rows: list[PreviewRow]) -> Table:
    table = Table("Line")
    for column in ("Target", "Value", "Source"):
        table.add_column(column, overflow="fold")
    for row in rows:
        problem = f"[red]✗ {escape(row.problem)}[/red]" if row.problem else ""
        value = " ".join(part for part in (escape(row.value), problem) if part) or "[dim]–[/dim]"
        table.add_row(str(row.line), escape(row.target), value, escape(row.source))
    return table


def _print_results(results: list[ExampleResult]) -> None:
    table = Table("Mapping", "Example", "Result")
    for result in results:
        table.add_row(result.mapping, result.example, _word(result))
    Console().print(table)


def _word(result: ExampleResult) -> str:
    if result.problem:
        return f"[red]✗ {escape(result.problem)}[/red]"
    return "written" if result.updated else "✓"


def _result(result: ExampleResult) -> dict[str, str | bool]:
    return {
        "mapping": result.mapping,
        "example": result.example,
        "passed": result.passed,
        "problem": result.problem,
        "updated": result.updated,
    }
