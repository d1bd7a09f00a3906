"""Carries the end of all chains of evidence out of the database: a line in the log, and one in a file."""

from __future__ import annotations

import logging

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger.anchors import Anchor, drop_anchor
from kiezbruecke.machine import read_file, read_text, write_file

log = logging.getLogger("kiezbruecke")


def carry_out(house: House) -> None:
    """Hold what has grown and tell it, where something has. The scheduler's log lies elsewhere than our rows."""
    anchor = drop_anchor(house.ledger)
    if anchor is None or house.anchors is None or anchor.seq in {one.seq for one in _kept(house)}:
        return
    if house.anchor_key is not None:
        anchor = anchor.signed(_key(house))
    log.info("anchor: %s", anchor.text())
    lines = [*(one.text() for one in _kept(house)), anchor.text()]
    write_file(house.anchors, "".join(f"{line}\n" for line in lines))


def _kept(house: House) -> list[Anchor]:
    assert house.anchors is not None
    try:
        lines = read_text(house.anchors).splitlines()
    except FileNotFoundError:
        return []
    return [Anchor.of(line, str(house.anchors)) for line in lines if line]


def _key(house: House) -> bytes:
    assert house.anchor_key is not None
    try:
        return read_file(house.anchor_key)
    except FileNotFoundError:
        raise ConfigurationError("the key for anchors is missing", where=str(house.anchor_key)) from None
