"""`steps`: what a rule may do with a value."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Json, app, print_json
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.workbench.reference import example_text


@app.command("steps")
def list_steps(as_json: Json = False) -> None:
    """List the steps a rule may name, with an example each."""
    if as_json:
        print_json({"name": step.name, "summary": step.summary} for step in STEPS.values())
        return
    table = Table("Step", "What it does", "For example")
    for step in sorted(STEPS.values(), key=lambda step: step.name):
        table.add_row(step.name, escape(step.summary), escape(example_text(step.examples[0])))
    Console().print(table)
