"""kiezbruecke run: one route in one go, without Airflow."""

from __future__ import annotations

import logging
from typing import Annotated

import typer
from rich.console import Console

from kiezbruecke import pipeline
from kiezbruecke.cli.house import house_of
from kiezbruecke.cli.output import AsJson, emit, table

_WORDS = {
    "items": "gelesen",
    "new": "neu",
    "updated": "geändert",
    "receipts": "Rückmeldungen",
    "gone": "verschwunden",
    "set_aside": "zurückgestellt",
    "prepared": "vorbereitet",
    "previewed": "nur zur Ansicht vorbereitet",
    "delivered": "zugestellt",
    "refused": "abgewiesen",
    "not_sent": "nicht gesendet",
    "in_doubt": "ungewiss",
    "found": "nach Rückfrage: angekommen",
    "not_there": "nach Rückfrage: nicht angekommen",
    "again": "geht mit denselben Bytes noch einmal",
    "reports": "Transportberichte",
    "overdue": "überfällig",
    "drift": "Abweichungen, die eine Zuordnung brechen",
    "overtaken": "von einem neueren Lauf abgelöst",
}


def run(
    context: typer.Context,
    route: Annotated[str, typer.Argument(help="Name der Strecke, siehe 'kiezbruecke route list'.")],
    as_json: AsJson = False,
) -> None:
    """Eine Strecke einmal ganz ausführen. Sie darf jederzeit wiederholt werden."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with Console(stderr=True).status(f"{route} läuft …"):
        counts = pipeline.run(house_of(context), route)
    if as_json:
        emit(dict(counts))
        return
    rows = [(_WORDS[word], count) for word, count in counts.items() if count and word in _WORDS]
    table(f"{route}", ("Was", "#"), rows, empty="nichts zu tun.")
