"""The connection to a CONSUL Democracy: its address, and how to read a list that may change meanwhile."""

from __future__ import annotations

from pydantic import Field

from connectors._http import HttpSettings

MOST = 25  # nodes of a page: CONSUL gives no more, whatever is asked for


class Settings(HttpSettings):
    """What the client needs to know; CONSUL's GraphQL is public, an account is for a door before it."""

    page_size: int = Field(MOST, ge=1, le=MOST)
    passes: int = Field(6, ge=2, le=50)

    @property
    def endpoint(self) -> str:
        """Where GraphQL is spoken."""
        return f"{self.address}/graphql"
