"""The connection to a council information system: where its OParl interface begins, and how much is read of it."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from connectors._http import HttpSettings
from connectors._line import Wire

MOST_BYTES = 16 * 1024 * 1024  # of one answer: a page of a hundred papers with all their files has one or two


class Settings(HttpSettings):
    """`address` is that of a system, of a body, or of a list of papers; most servers want no account."""

    page_size: int = Field(100, ge=1, le=1000)
    max_pages: int = Field(1000, ge=1, le=100_000)
    max_calls: int = Field(2000, ge=1, le=1_000_000)

    @property
    def wire(self) -> Wire:
        """As all others, with less patience for size."""
        return replace(super().wire, max_answer_bytes=MOST_BYTES)
