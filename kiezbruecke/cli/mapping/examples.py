"""`preview` and `test`: what a mapping makes of its examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import (
    Content,
    ExampleName,
    Json,
    Name,
    Names,
    app,
    chosen_example,
    print_json,
    stop,
)
from kiezbruecke.cli.output import console, say
from kiezbruecke.content import find_content
from kiezbruecke.content.texts import read_texts, text_sets, tried_examples
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.mapping import Mapping, load_mapping, mapping_names
from kiezbruecke.workbench.examples import ExampleResult, read_roots, run_examples
from kiezbruecke.workbench.preview import PreviewRow, preview, whole

Case = Annotated[str | None, typer.Option("--case", help="A real case of the ledger, by its reference number.")]
Route = Annotated[str | None, typer.Option("--route", help="The route that the case is sent by.")]
Update = Annotated[bool, typer.Option("--update", help="Write the expected files anew; read the difference.")]


@app.command("preview")
def preview_mapping(
    name: Name,
    example: ExampleName = None,
    case: Case = None,
    route: Route = None,
    content: Content = None,
    as_json: Json = False,
) -> None:
    """Show what every rule makes of an example or of a real case; a value that fails says so in its place."""
    try:
        root = find_content(content)
        mapping = load_mapping(name, root)
        roots = _example_roots(mapping, root, example) if case is None else _case_roots(mapping, root, case, route)
        rows, problem = preview(mapping, roots), whole(mapping, roots)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(row.as_dict() for row in rows)
    else:
        console().print(_preview_table(rows))
    if problem:
        say(problem, err=True)
        raise typer.Exit(1)


@app.command("test")
def run_mapping_examples(
    names: Names = None, content: Content = None, update: Update = False, as_json: Json = False
) -> None:
    """Run the golden examples; exit code 1 where an output is not the expected one, or is stale."""
    try:
        root = find_content(content)
        found = names or mapping_names(root)
        results = [result for name in found for result in _tested(name, root, update=update, alone=len(found) == 1)]
        results += [] if names else list(_tested_texts(root))
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(_result(result) for result in results)
    else:
        _print_results(results)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _tested(name: str, root: Path, *, update: bool, alone: bool) -> list[ExampleResult]:
    """The results of a mapping's examples; one that cannot be loaded says so in its line and stops no other."""
    try:
        return run_examples(load_mapping(name, root), root, update=update)
    except ConfigurationError as error:
        if alone:
            raise
        return [ExampleResult(name, "", error.line())]


def _tested_texts(root: Path) -> Iterator[ExampleResult]:
    """The examples of the texts that people read."""
    for name, folder in text_sets(root).items():
        for state, number, problem in tried_examples(read_texts(folder)):
            yield ExampleResult(f"texts/{name}", f"{state} {number}", problem)


def _example_roots(mapping: Mapping, root: Path, example: str | None) -> dict[str, Any]:
    return read_roots(mapping, root, chosen_example(mapping.name, root, example))


def _case_roots(mapping: Mapping, root: Path, case: str, route: str | None) -> dict[str, Any]:
    """Imported here: an example needs no ledger, and a preview is to be there within a second."""
    from kiezbruecke.edge import open_house  # noqa: PLC0415
    from kiezbruecke.workbench.ledger_cases import roots_of_case  # noqa: PLC0415

    if route is None:
        raise ConfigurationError("a case needs its route", where="--case", helps="--route NAME; see 'route list'")
    with closing(open_house(root)) as house:
        return roots_of_case(mapping, root, house.ledger, case, route)


def _preview_table(rows: list[PreviewRow]) -> Table:
    """Rules as number and line; a rule that stands in another file says in which."""
    table, own = Table(), rows[0].file if rows else ""
    for column in ("Target", "Value", "Source"):
        table.add_column(column, overflow="fold")
    table.add_column("Rule", justify="right")
    table.add_column("Line", overflow="fold")
    for row in rows:
        problem = f"[red]✗ {escape(row.problem)}[/red]" if row.problem else ""
        dropped = "[dim](not written)[/dim]" if row.dropped else ""
        value = " ".join(part for part in (escape(row.value), dropped, problem) if part) or "[dim]–[/dim]"
        line = str(row.line) if row.file == own else f"{row.file}:{row.line}"
        table.add_row(escape(row.target), value, escape(row.source), str(row.rule), line)
    return table


def _print_results(results: list[ExampleResult]) -> None:
    table = Table("Mapping", "Example", "Result")
    for result in results:
        table.add_row(result.mapping, result.example, _word(result))
    console().print(table)


def _word(result: ExampleResult) -> str:
    if result.problem:
        return f"[red]✗ {escape(result.problem)}[/red]"
    if result.stale:
        return f"[yellow]! {escape(result.stale)}[/yellow]"
    if result.updated:
        return "[yellow]written: the record is set aside, see expected.error[/yellow]" if result.refused else "written"
    return "reviewed" if result.reviewed else "✓"


def _result(result: ExampleResult) -> dict[str, str | bool]:
    return {
        "mapping": result.mapping,
        "example": result.example,
        "passed": result.passed,
        "problem": result.problem,
        "stale": result.stale,
        "updated": result.updated,
        "refused": result.refused,
        "reviewed": result.reviewed,
    }
