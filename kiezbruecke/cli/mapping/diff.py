"""`diff`: what a changed mapping would change, in examples or in the messages that are stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kiezbruecke.cli.mapping.app import Content, Json, app, print_json, stop
from kiezbruecke.cli.output import console, say
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping.lineage import RuleLine
from kiezbruecke.workbench.diff import Case, CaseDiff, diff, example_cases, fields_changed
from kiezbruecke.workbench.versions import Version, opened

Old = Annotated[str, typer.Argument(help="A mapping: its name, a path, or NAME@REVISION of git.")]
New = Annotated[str, typer.Argument(help="What it is compared with, named in the same ways.")]
Messages = Annotated[bool, typer.Option("--messages/--examples", help="Over the ledger's messages, or the examples.")]
Values = Annotated[bool, typer.Option("--values", help="Show the values too; they may be personal data.")]


@app.command("diff")
def diff_mappings(
    old: Old,
    new: New,
    messages: Messages = False,
    values: Values = False,
    content: Content = None,
    as_json: Json = False,
) -> None:
    """How many outputs change, in which fields, and whether one is set aside; exit code 1 where one changes."""
    try:
        found = _diff(old, new, find_content(content), messages=messages)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(one.as_dict(values=values) for one in found)
    else:
        _print(found, values=values, messages=messages)
    if any(one.verdict != "same" for one in found):
        raise typer.Exit(1)


def _diff(old: str, new: str, content: Path, *, messages: bool) -> list[CaseDiff]:
    with ExitStack() as stack:
        before, after = stack.enter_context(opened(old, content)), stack.enter_context(opened(new, content))
        cases = _stored(before, after, content, stack) if messages else example_cases(before, after)
        return diff(before, after, cases)


def _stored(before: Version, after: Version, content: Path, stack: ExitStack) -> Iterator[Case]:
    """Imported here: examples need no ledger, and it takes most of a second."""
    from kiezbruecke.edge import open_house  # noqa: PLC0415
    from kiezbruecke.workbench.ledger_cases import message_cases  # noqa: PLC0415

    house = stack.enter_context(closing(open_house(content)))
    return message_cases(before, after, content, house.ledger)


def _print(found: list[CaseDiff], *, values: bool, messages: bool) -> None:
    changed = fields_changed(found)
    if changed:
        table = Table()
        for column in ("Target", "Cases", "Old rule", "New rule"):
            table.add_column(column, overflow="fold")
        for change, count in changed:
            cases = f"{count} of {len(found)} {change.kind}"
            table.add_row(escape(change.target), cases, _rule(change.old_rule), _rule(change.new_rule))
        console().print(table)
    for one in found:
        if one.verdict != "same":
            say(f"{one.case}: {one.verdict}{f': {one.reason}' if one.reason else ''}")
        for change in one.fields if values else ():
            say(f"  {change.target}: {change.old or '–'} → {change.new or '–'}")
    say(_summary(found, messages=messages))


def _summary(found: list[CaseDiff], *, messages: bool) -> str:
    count = Counter(one.verdict for one in found)
    words = ", ".join(f"{number} {verdict}" for verdict, number in count.items()) or "nothing to compare"
    summary = f"{len(found)} {'messages' if messages else 'examples'}: {words}"
    inexact = sum(one.exact is False for one in found)
    if inexact:
        summary += f"; {inexact} stored messages are not what OLD makes today: their records or rules changed since"
    return summary


def _rule(rule: RuleLine | None) -> str:
    return f"{rule.rule} (line {rule.line}) ← {escape(rule.source)}" if rule else "–"
