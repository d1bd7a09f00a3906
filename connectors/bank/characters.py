"""Which characters a bank takes: those of all SEPA banks (`latin`), or the German ones as well (`dk`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kiezbruecke.mapping.steps.latin import SEPA, spelled_in

Characters = Literal["latin", "dk"]

ALLOWED: Mapping[Characters, frozenset[str]] = {
    "latin": SEPA,
    "dk": SEPA | frozenset("ÄÖÜäöüß&"),  # Anlage 3 of the DFÜ-Abkommen: taken, but a bank may convert them
}


def written(text: str, characters: Characters, most: int) -> str:
    """A text as the file holds it, cut to so many characters; raises Unusable where nothing readable is left."""
    return spelled_in(text, ALLOWED[characters])[:most].rstrip()
