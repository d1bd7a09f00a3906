"""The connection to a Decidim: address, API credentials, language, and how long a run waits where it is asked to."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from connectors._http import HttpSettings
from connectors._line import Wire


class Settings(HttpSettings):
    """What the client needs to know; `login` and `password` are API credentials, empty for anonymous reading."""

    locale: str = Field("de", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    page_size: int = Field(50, ge=1, le=500)
    passes: int = Field(6, ge=2, le=50)
    patience: float = Field(120, ge=0, le=3600)
    cost_report: str = Field("Bewilligte Summe", min_length=1, max_length=500)
    execution_period: str = Field("", max_length=500)

    @property
    def endpoint(self) -> str:
        """Where GraphQL is spoken."""
        return f"{self.address}/api"

    @property
    def wire(self) -> Wire:
        """As all others, without HTTP Basic: the credentials go to the sign-in alone."""
        return replace(super().wire, user="", password="")
