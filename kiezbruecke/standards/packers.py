"""The standards that pack their own messages, by name; those of all others travel as they are written."""

from __future__ import annotations

from kiezbruecke.standards import xdomea
from kiezbruecke.standards.packing import Packer

PACKERS: dict[str, Packer] = {"xdomea": xdomea}


def xml_of(payload: bytes, media_type: str) -> bytes | None:
    """The XML in the bytes of a message, also in a package; None for a table's line."""
    for packer in PACKERS.values():
        if media_type == packer.MEDIA_TYPE:
            return packer.xml_of(payload)
    return payload if media_type == "application/xml" else None
