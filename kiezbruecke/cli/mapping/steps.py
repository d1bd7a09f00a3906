"""`steps`: what a rule may do with a value."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Json, app, print_json, stop
from kiezbruecke.cli.output import console
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.steps import STEPS, Step
from kiezbruecke.workbench.reference import TOPIC_TITLES, example_text, step_page, steps_by_topic

StepName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A step, for its whole page; else the list.")]


@app.command("steps")
def list_steps(name: StepName = None, as_json: Json = False) -> None:
    """List the steps a rule may name, with an example each; or show one step's page."""
    try:
        steps = steps_by_topic() if name is None else [_named(name)]
    except ConfigurationError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(_row(step) for step in steps)
    elif name is None:
        console().print(_table(steps))
    else:
        from rich.markdown import Markdown  # noqa: PLC0415 - a tenth of a second that all other commands would wait

        console().print(Markdown(step_page(steps[0])))


def _named(name: str) -> Step:
    if name not in STEPS:
        raise ConfigurationError(
            f"there is no step '{name}'", expected=", ".join(sorted(STEPS)), helps=nearest(name, STEPS)
        )
    return STEPS[name]


def _row(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "topic": step.topic,
        "summary": step.summary,
        "takes": step.takes,
        "gives": step.gives,
        "argument": step.argument and step.argument.__name__,
        "choices": list(step.choices),
        "examples": [example_text(example) for example in step.examples],
    }


def _table(steps: list[Step]) -> Table:
    table = Table("Step", "What it does", "For example")
    for topic, title in TOPIC_TITLES.items():
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]", "", "")
        for step in steps:
            if step.topic == topic:
                table.add_row(step.name, escape(step.summary), escape(example_text(step.examples[0])))
    return table
