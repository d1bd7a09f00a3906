"""The connection to Example: the fields of connector.yaml, checked before the first byte."""

from __future__ import annotations

from pydantic import Field

from connectors._http import HttpSettings


class Settings(HttpSettings):
    """What the client needs to know. TODO: your fields, with the same defaults as in connector.yaml."""

    space: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    page_size: int = Field(100, ge=1, le=1000)
