"""How the peers write values: the two or three lines that everybody has somewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

XDOMEA = "urn:xoev-de:xdomea:schema:4.0.0"
PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
HASHES = "urn:xoev-de:kosit:codeliste:xta.serviceprofile.kryptographische-algorithmen"


def moment(value: datetime) -> str:
    """UTC with milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(value: Decimal) -> str:
    """Two places."""
    return f"{value:.2f}"


def squeezed(value: str, length: int) -> str:
    """Single blanks, at most so long."""
    return " ".join(value.split())[:length]
