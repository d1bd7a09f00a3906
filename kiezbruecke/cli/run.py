"""kiezbruecke run: one route in one go, without Airflow."""

from __future__ import annotations

import logging
from typing import Annotated

import typer
from rich.text import Text

from kiezbruecke import desk, pipeline
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, console, emit, say, table
from kiezbruecke.desk import words


def run(
    context: typer.Context,
    route: Annotated[str, typer.Argument(help="Name der Strecke, siehe kiezbruecke route list.")],
    everything: Annotated[
        bool, typer.Option("--everything", help="Alles ansehen, auch was seit dem letzten Lauf gleich geblieben ist.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Eine Strecke einmal ganz ausführen. Sie darf jederzeit wiederholt werden."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    house = house_of(context)
    with console(stderr=True).status(Text(f"{route} läuft …")):
        counts = pipeline.run(house, route, everything=everything)
    if as_json:
        emit(dict(counts))
        return
    if not counts and (stopped := desk.pause(house, route)):
        why = words.paused(route, str(stopped.person), stopped.reason, stopped.at, stopped.connection)
        say(f"{why}. Es ist nichts geschehen.")
        return
    table(f"{route}", ("Was", "#"), words.counts(counts), empty="nichts zu tun.")
