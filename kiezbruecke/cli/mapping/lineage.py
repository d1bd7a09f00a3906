"""`lineage`: where every target value comes from."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Content, Json, Name, app, chosen_example, print_json, stop
from kiezbruecke.cli.output import console
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.lineage import RuleLine
from kiezbruecke.workbench.examples import read_roots
from kiezbruecke.workbench.preview import PreviewRow, preview

Example = Annotated[str | None, typer.Option("--example", help="Only what has a value in this example.")]


@app.command("lineage")
def show_lineage(name: Name, example: Example = None, content: Content = None, as_json: Json = False) -> None:
    """List every target with its source, steps, rule and line; for a stored message see 'message lineage'."""
    try:
        root = find_content(content)
        mapping = load_mapping(name, root)
        rules = [line for line in mapping.rule_lines if line.decides]
        written: list[PreviewRow] = []
        if example is not None:
            rows = preview(mapping, read_roots(mapping, root, chosen_example(name, root, example)))
            written = [row for row in rows if row.value]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(row.as_dict() for row in (written if example is not None else rules))
    else:
        console().print(_rules(rules) if example is None else _written(written))


def _rules(lines: list[RuleLine]) -> Table:
    table = _table("Rule", "Target", "Source", "What is done", "Personal", "Line")
    for line in lines:
        done = [
            *line.steps,
            line.codelist and f"code list {line.codelist}",
            line.when and f"only when {line.when}",
            f"at least {line.at_least} of {line.each}" if line.at_least else "",
            "exactly one of its cases" if line.one_of else "",
            "nil where there is nothing" if line.nil else "",
        ]
        personal = " ".join(part for part in ("yes" if line.pii else "", line.legal_basis) if part)
        texts = (line.target, line.source, ", ".join(filter(None, done)), personal)
        table.add_row(str(line.rule), *map(escape, texts), f"{line.line}")
    return table


def _written(rows: list[PreviewRow]) -> Table:
    table = _table("Rule", "Target", "Value", "Source", "Line")
    for row in rows:
        value = f"{escape(row.value)} [dim](not written)[/dim]" if row.dropped else escape(row.value)
        table.add_row(str(row.rule), escape(row.target), value, escape(row.source), str(row.line))
    return table


def _table(*columns: str) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
