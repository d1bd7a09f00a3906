"""The connection to an HKR system: address, who we are there, how many answers one call may bring."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field

from connectors._http import HttpSettings

_NAME = r"^[A-Za-z0-9][A-Za-z0-9\-/._]{0,34}$"


class Settings(HttpSettings):
    """What the client needs to know."""

    path: str = "/hkr"
    dienststelle: str = Field(pattern=_NAME)
    vorverfahren: str = Field("KIEZBRUECKE", pattern=_NAME)
    poll_size: int = Field(500, ge=1, le=10_000)
    read_timeout: float = Field(60, gt=0, le=600)
    deadline: float = Field(180, gt=0, le=3600)

    @property
    def url(self) -> str:
        """The whole address; `path` is used where the address names none."""
        return self.address if urlsplit(self.address).path else f"{self.address}/{self.path.strip('/')}"
