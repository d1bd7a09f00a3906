"""`kiezbruecke mapping …`: for integrators – is a mapping right, what does it make, does it still make the same?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kiezbruecke.content import find_content
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.mapping import Finding, check, load_mapping, mapping_names
from kiezbruecke.mapping.examples import Example, ExampleResult, find_examples, read_roots, run_examples
from kiezbruecke.mapping.preview import PreviewRow, preview, whole
from kiezbruecke.mapping.reference import example_text
from kiezbruecke.mapping.steps import STEPS

app = typer.Typer(help="Mappings: check, preview and test what integrators write.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Mappings; without a name all of them.")]
Name = Annotated[str, typer.Argument(help="A mapping.")]
Content = Annotated[Path | None, typer.Option("--content", help="Folder with mappings/ and schemas/.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
ExampleName = Annotated[str | None, typer.Option("--example", help="An example of the mapping; else its first.")]
Update = Annotated[bool, typer.Option("--update", help="Write the expected files anew; read the difference.")]


@app.command("check")
def check_mappings(names: Names = None, content: Content = None, as_json: Json = False) -> None:
    """Find what is wrong before anything is sent; exit code 1 where there are errors."""
    try:
        root = find_content(content)
        findings = [finding for name in names or mapping_names(root) for finding in check(name, root)]
    except KiezbrueckeError as error:
        _stop(error, as_json=as_json)
    if as_json:
        _print_json(finding.as_dict() for finding in findings)
    else:
        _print_findings(findings, len(names or mapping_names(root)))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


@app.command("preview")
def preview_mapping(name: Name, example: ExampleName = None, content: Content = None, as_json: Json = False) -> None:
    """Show what every rule makes of an example; a value that fails says so in its place."""
    try:
        root = find_content(content)
        mapping = load_mapping(name, root)
        roots = read_roots(mapping, root, _example(name, root, example))
        rows, problem = preview(mapping, roots), whole(mapping, roots)
    except KiezbrueckeError as error:
        _stop(error, as_json=as_json)
    if as_json:
        _print_json(row.as_dict() for row in rows)
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
        _stop(error, as_json=as_json)
    if as_json:
        _print_json(_result(result) for result in results)
    else:
        _print_results(results)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command("steps")
def list_steps(as_json: Json = False) -> None:
    """List the steps a rule may name, with an example each."""
    if as_json:
        _print_json({"name": step.name, "summary": step.summary} for step in STEPS.values())
        return
    table = Table("Step", "What it does", "For example")
    for step in sorted(STEPS.values(), key=lambda step: step.name):
        table.add_row(step.name, escape(step.summary), escape(example_text(step.examples[0])))
    Console().print(table)


def _example(name: str, content: Path, wanted: str | None) -> Example:
    found = {example.name: example for example in find_examples(name, content)}
    if not found:
        raise ConfigurationError(f"'{name}' has no examples", helps="write examples/full/input.yaml beside it")
    if wanted is not None and wanted not in found:
        raise ConfigurationError(f"'{name}' has no example '{wanted}'", expected=", ".join(found))
    return found[wanted] if wanted else next(iter(found.values()))


def _print_findings(findings: list[Finding], count: int) -> None:
    for finding in findings:
        typer.echo(f"{finding.severity}: {finding.line()}")
    errors = sum(finding.severity == "error" for finding in findings)
    typer.echo(f"{count} mappings, {errors} errors, {len(findings) - errors} warnings")


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


def _print_json(rows: Iterable[object]) -> None:
    typer.echo(json.dumps(list(rows), ensure_ascii=False, indent=2))


def _stop(error: KiezbrueckeError, *, as_json: bool) -> NoReturn:
    """Nothing could be done at all: exit code 2, as everywhere in this CLI."""
    if as_json:
        typer.echo(json.dumps({"error": error.code, "line": error.line()}, ensure_ascii=False))
    else:
        typer.echo(f"{error.code} {error.line()}", err=True)
    raise typer.Exit(2)
