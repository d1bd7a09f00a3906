"""Carries the end of all chains of evidence out of the database: a line in the log, and one in a file."""

from __future__ import annotations

import logging
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger.anchors import Anchor, drop_anchor
from kiezbruecke.machine import alone, read_file, read_text, write_file

log = logging.getLogger("kiezbruecke")


def carry_out(house: House) -> None:
    """Hold what has grown and tell it, where something has. The scheduler's log lies elsewhere than our rows."""
    if house.anchors is None:
        drop_anchor(house.ledger)
        return
    with alone(house.anchors):  # two that add a line at once would lose one
        _carry_out(house, house.anchors)


def _carry_out(house: House, file: Path) -> None:
    anchor = drop_anchor(house.ledger)
    if anchor is None:
        return
    kept = _kept(file)
    if anchor.seq in {one.seq for one in kept}:
        return
    if house.anchor_key is not None:
        anchor = anchor.signed(_key(house.anchor_key))
    log.info("anchor: %s", anchor.text())
    write_file(file, "".join(f"{one.text()}\n" for one in (*kept, anchor)))


def _kept(file: Path) -> list[Anchor]:
    try:
        lines = read_text(file).splitlines()
    except FileNotFoundError:
        return []
    return [Anchor.of(line, str(file)) for line in lines if line]


def _key(file: Path) -> bytes:
    try:
        return read_file(file)
    except FileNotFoundError:
        raise ConfigurationError("the key for anchors is missing", where=str(file)) from None
