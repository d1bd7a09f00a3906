"""`try`: does every record become a valid message, or a reason?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Content, ExampleName, Json, Name, app, chosen_example, print_json, stop
from kiezbruecke.cli.output import console
from kiezbruecke.content import find_content
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.workbench.examples import read_roots
from kiezbruecke.workbench.trial import Trial, try_mapping

Records = Annotated[int, typer.Option("--records", min=1, max=10_000_000, help="How many records to invent.")]
Seed = Annotated[int, typer.Option("--seed", help="Another number, other records; the same, the same.")]
_SHOWN = 20


@app.command("try")
def try_records(
    name: Name,
    records: Records = 1000,
    seed: Seed = 1,
    example: ExampleName = None,
    content: Content = None,
    as_json: Json = False,
) -> None:
    """Write thousands of invented records: each must be valid or be set aside with a reason; else exit code 1.

    It is 1, too, where all of them are set aside.
    """
    try:
        root = find_content(content)
        mapping = load_mapping(name, root)
        if mapping.direction == "inbound":
            raise ConfigurationError(f"'{name}' reads, it writes no messages", helps="mapping test runs its examples")
        roots = read_roots(mapping, root, chosen_example(name, root, example))
        done = try_mapping(mapping, roots, records=records, seed=seed)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json([_row(done)])
    else:
        console().print(_table(done))
    if not done.passed:
        raise typer.Exit(1)


def _row(done: Trial) -> dict[str, object]:
    return {
        "records": done.records,
        "valid": done.valid,
        "straight": done.straight,
        "set_aside": dict(done.set_aside.most_common()),
        "invalid": dict(done.invalid.most_common()),
    }


def _table(done: Trial) -> Table:
    table = Table("Records", "What became of them", title=f"{done.records} invented records")
    table.add_row(str(done.valid), f"valid ({done.straight} of them written by generated code)")
    for reason, count in done.set_aside.most_common(_SHOWN):
        table.add_row(str(count), f"set aside: {escape(reason)}")
    if rest := sum(count for _, count in done.set_aside.most_common()[_SHOWN:]):
        table.add_row(str(rest), "set aside for other reasons (--json names them all)")
    for reason, count in done.invalid.most_common():
        table.add_row(str(count), f"[red]✗ {escape(reason)}[/red]")
    return table
