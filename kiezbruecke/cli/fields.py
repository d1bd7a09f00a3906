"""One view alone: a line for each of its fields that says something, in German."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from kiezbruecke import german
from kiezbruecke.cli.output import shown, table
from kiezbruecke.desk import DeskView, words
from kiezbruecke.effects import effect
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.todo import HEALED, MENDED, Kind


def fields(
    title: str, view: DeskView, *, without: Collection[str] = (), names: Mapping[str, str] | None = None
) -> None:
    """A table of a view's fields; `names`: those that are called otherwise here."""
    called = {**words.FIELDS, **(names or {})}
    told = {name: value for name, value in view if value and name not in without}
    for name in [name for name in told if name.endswith("_by")]:  # a log-in stands beside the name that it gave
        told[name] = words.who(told[name], told.pop(f"{name.removesuffix('by')}account", ""))
    table(title, ("Feld", "Wert"), [(called[name], _told(name, value)) for name, value in told.items()])


def _told(name: str, value: Any) -> str:
    if name == "effect":
        return effect(value).title
    if name == "answer" and value in (HEALED, MENDED):
        return words.SETTLED[value]
    if isinstance(value, Kind):
        return words.KINDS[value][0]
    if isinstance(value, MessageState):
        return words.state(value)
    if isinstance(value, Decimal):
        return german.euros(value)
    return words.states(value) if isinstance(value, Mapping) else _plain(value)


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else shown(value)
