"""The house of a called command: opened when it is asked for first, closed when the command has ended."""

from __future__ import annotations

from typing import cast

import typer

from kiezbruecke.edge import open_house
from kiezbruecke.house import House


def house_of(context: typer.Context) -> House:
    """Content, ledger and connections for this call."""
    root = context.find_root()
    if root.obj is None:
        root.obj = open_house()
        root.call_on_close(root.obj.close)
    return cast("House", root.obj)
