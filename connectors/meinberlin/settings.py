"""The connection to mein.berlin: address, accounts, and how to read a list that may change meanwhile."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from connectors._http import HttpSettings


class Settings(HttpSettings):
    """What the client needs to know; empty logins mean anonymous reading."""

    site: str = ""
    export: bool = True
    export_login: str = Field("", repr=False)
    export_password: SecretStr = SecretStr("")
    page_size: int = Field(1000, ge=1, le=10_000)
    passes: int = Field(6, ge=2, le=50)

    @field_validator("address")
    @classmethod
    def _is_a_platform(cls, value: str) -> str:
        if urlsplit(value).path:
            raise ValueError("host is no address of a platform; expected https://mein.berlin.de, without a path")
        return value

    @property
    def public(self) -> str:
        """Where people see the proposals: `site`, else the address of the API."""
        return self.site.rstrip("/") or self.address

    @property
    def exports(self) -> bool:
        """Whether contact data may be fetched, and somebody could."""
        return self.export and self.account is not None

    @property
    def account(self) -> tuple[str, str] | None:
        """Login and password for pages and exports, or None: the export's own, else the account of the API."""
        if self.export_login:
            return self.export_login, self.export_password.get_secret_value()
        return (self.login, self.password.get_secret_value()) if self.login else None
